# SPDX-License-Identifier: ISC
"""What the system tests share: hosts, servers, proxyd, clients.

The hosts are network namespaces without a name, held by a descriptor of this
process only, so that any number of runs fit beside each other and the kernel
removes whatever a killed run leaves behind:

    client  192.0.2.7 ------ 192.0.2.10          pop
    client6 2001:db8:6::7 -- 2001:db8:6::10      pop
    vm      2001:db8:64::a1 to ::a8 -- ::1 to 3  pop

The client has no IPv6 and the VM host no IPv4.
"""
import atexit
import collections
import contextlib
import ctypes
import functools
import hashlib
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(TOP, "build"))
PROXYD = os.environ.get("PROXYD", os.path.join(BUILD, "proxyd/proxyd"))

POP4, CLIENT4 = "192.0.2.10", "192.0.2.7"
POP6, CLIENT6 = "2001:db8:6::10", "2001:db8:6::7"
NET = "2001:db8:64::"
VM = [NET + "a%d" % i for i in range(9)]    # VM[1] to VM[8] exist
NO_ANSWER = "2001:db8:dead::1"              # packets vanish
UNREACHABLE = "2001:db8:bad::1"             # no route

CLONE_NEWNET = 0x40000000
PATIENCE = 30.0     # seconds, for what should come soon on a busy machine
libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def sanitized(path=PROXYD):
    """Whether a program was built with AddressSanitizer."""
    with open(path, "rb") as program:
        return b"__asan_init" in program.read()


def run(*args, timeout=60, check=True, **kwargs):
    """Run a command; returns it completed, with its output as text."""
    done = subprocess.run(args, stdin=subprocess.DEVNULL, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, **kwargs)
    if check and done.returncode != 0:
        raise AssertionError("%s: exit %d\n%s%s" % (
            " ".join(args), done.returncode, done.stdout, done.stderr))
    return done


def wait_for(predicate, what, timeout=PATIENCE):
    """Wait until predicate() is true, and return what it returned."""
    end = time.monotonic() + timeout
    while True:
        result = predicate()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError("not within %g s: %s" % (timeout, what))
        time.sleep(0.01)


class Host:
    """A network namespace.  In "with host:" this thread, and the processes
    and sockets it makes, are on that host."""

    def __init__(self):
        self.outer = []
        before = self.current()
        check(libc.unshare(CLONE_NEWNET))
        self.fd = self.current()
        run("ip", "link", "set", "lo", "up")
        check(libc.setns(before, CLONE_NEWNET))
        os.close(before)

    @staticmethod
    def current():
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    def __enter__(self):
        self.outer.append(self.current())
        check(libc.setns(self.fd, CLONE_NEWNET))
        return self

    def __exit__(self, *error):
        before = self.outer.pop()
        check(libc.setns(before, CLONE_NEWNET))
        os.close(before)

    def ip(self, *args):
        with self:
            run("ip", *args)

    def link(self, name, other, other_name):
        """Join two hosts by a cable."""
        with self:
            run("ip", "link", "add", name, "type", "veth", "peer", "name",
                other_name, "netns", "/proc/%d/fd/%d" % (os.getpid(),
                                                         other.fd))
            run("ip", "link", "set", name, "up")
        other.ip("link", "set", other_name, "up")

    def address(self, link, *addresses):
        for address in addresses:
            nodad = ["nodad"] if ":" in address else []
            self.ip("address", "add", address, "dev", link, *nodad)

    def listen(self, address, port, backlog=128):
        with self:
            sock = socket.socket(socket.AF_INET6 if ":" in address else
                                 socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(backlog)
        sock.settimeout(PATIENCE)
        return sock

    def connect(self, address, port, source=None):
        with self:
            sock = socket.socket(socket.AF_INET6 if ":" in address else
                                 socket.AF_INET)
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source is not None:
            sock.bind((source, 0))
        sock.connect((address, port))
        return sock

    def start(self, *args, **kwargs):
        """Start a program that dies with us."""
        with self:
            return subprocess.Popen(("setpriv", "--pdeathsig", "KILL", "--",
                                     *args), **kwargs)


class World:
    """All hosts, a folder, and a VM with nginx; one for a whole run."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="popgate-test-")
        atexit.register(self.close)
        os.chmod(self.folder, 0o755)
        self.client, self.client6 = Host(), Host()
        self.pop, self.vm = Host(), Host()
        self.client.link("eth0", self.pop, "client")
        self.client6.link("eth0", self.pop, "client6")
        self.pop.link("vm", self.vm, "eth0")
        self.client.address("eth0", CLIENT4 + "/24")
        self.pop.address("client", POP4 + "/24")
        self.client6.address("eth0", CLIENT6 + "/64")
        self.pop.address("client6", POP6 + "/64")
        self.pop.address("vm", *(NET + "%d/64" % i for i in (1, 2, 3)))
        self.vm.address("eth0", *(vm + "/64" for vm in VM[1:]))
        self.pop.ip("-6", "route", "add", "2001:db8:dead::/48", "via", VM[1])
        self.pop.ip("-6", "route", "add", "unreachable",
                    "2001:db8:bad::/48")
        self.nginx = None

    def close(self):
        if self.nginx is not None:
            self.nginx.terminate()
            self.nginx.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        """Write a file all at once, as a careful operator does."""
        with open(self.path(name + ".new"), "w") as file:
            file.write(text)
        os.rename(self.path(name + ".new"), self.path(name))
        return self.path(name)

    def start_nginx(self):
        """Two web servers, VM[1] and VM[2], each with a certificate of its
        own; /who tells them apart, /big is 32 MiB, PUT /in/... stores."""
        if self.nginx is not None:
            return
        self.make_certificates()
        os.mkdir(self.path("www"))
        with open(self.path("www/big"), "wb") as file:
            for _ in range(32):
                file.write(os.urandom(1 << 20))
        self.write("nginx.conf", NGINX_CONF + "".join(
            NGINX_SERVER.format(vm=VM[i], cert=cert, folder=self.folder)
            for i, cert in ((1, "one"), (2, "two"))) + "}\n")
        self.nginx = self.vm.start(
            "nginx", "-p", self.folder, "-c", "nginx.conf", "-e",
            self.path("nginx.err"), stderr=subprocess.DEVNULL)

        def answers():
            with contextlib.suppress(OSError):
                self.vm.connect(VM[2], 443).close()
                return True
        wait_for(answers, "nginx answers")

    def make_certificates(self):
        os.chdir(self.folder)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=popgate test CA", "-keyout", "ca.key", "-out", "ca.pem")
        for name, hosts in CERTIFICATES.items():
            self.write(name + ".ext", "subjectAltName=" + ",".join(
                "DNS:" + host for host in hosts))
            run("openssl", "req", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
                "-keyout", name + ".key", "-out", name + ".csr")
            run("openssl", "x509", "-req", "-in", name + ".csr", "-CA",
                "ca.pem", "-CAkey", "ca.key", "-days", "2", "-CAcreateserial",
                "-extfile", name + ".ext", "-out", name + ".pem")

    def curl_args(self, url, *args, at=POP4):
        host = re.match(r"https?://([^/:]+)", url).group(1)
        if ":" in at:
            at = "[%s]" % at
        return ("curl", "-sS", "--max-time", "60", "--noproxy", "*",
                "--cacert", self.path("ca.pem"),
                "--resolve", "%s:80:%s" % (host, at),
                "--resolve", "%s:443:%s" % (host, at), *args, url)

    def curl(self, url, *args, at=POP4, check=True):
        with self.client6 if ":" in at else self.client:
            return run(*self.curl_args(url, *args, at=at), check=check)


CERTIFICATES = {
    "one": ["one.example.com", "new.example.com"],
    "two": ["two.example.com", "*.wild.example.com", "deep.in.the.wild.test"],
}

NGINX_CONF = """
daemon off; user root; worker_processes 1; pid nginx.pid;
error_log nginx.err;
events { worker_connections 4096; }
http {
    access_log off; default_type text/plain; client_max_body_size 0;
    send_timeout 1h;
    types { text/html html; text/javascript js; }
    client_body_temp_path tmp-body; proxy_temp_path tmp-proxy;
    fastcgi_temp_path tmp-fastcgi; uwsgi_temp_path tmp-uwsgi;
    scgi_temp_path tmp-scgi; client_body_in_file_only off;
"""

NGINX_SERVER = """
    server {{
        listen [{vm}]:80; listen [{vm}]:443 ssl http2;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {cert}.pem; ssl_certificate_key {cert}.key;
        root {folder}/www;
        location = /who {{ return 200 "{cert} $scheme $host\\n"; }}
        location /in/ {{ dav_methods PUT; create_full_put_path on; }}
    }}
"""


@functools.lru_cache(maxsize=None)
def world():
    return World()


class Daemon:
    """A program of ours that runs, with what it logs.  Its master's children
    that are named `worker_name` must end with it."""

    worker_name = None

    def __init__(self, name):
        self.name = name
        self.lines = []
        self.log_ended = False
        self.changed = threading.Condition()
        self.process = self.reader = None

    def watch(self, process):
        """Take over a process whose standard error output is a pipe, or goes
        elsewhere."""
        self.process = process
        self.log_ended = False
        self.pid = process.pid
        self.reader = None
        if process.stderr is not None:
            self.reader = threading.Thread(
                target=self.read_log, args=(process.stderr,), daemon=True)
            self.reader.start()

    def read_log(self, pipe):
        for line in pipe:
            with self.changed:
                self.lines.append(line.decode("utf-8", "backslashreplace")
                                  .rstrip("\n"))
                self.changed.notify_all()
        pipe.close()
        with self.changed:
            self.log_ended = True
            self.changed.notify_all()

    def log_mark(self):
        with self.changed:
            return len(self.lines)

    def log(self, pattern, after=0):
        """The lines that match; of a daemon that has ended, all of them."""
        if self.reader is not None and self.process.poll() is not None:
            self.reader.join(5)     # unless others hold the pipe
        return self.log_so_far(pattern, after)

    def log_so_far(self, pattern, after):
        with self.changed:
            return [line for line in self.lines[after:]
                    if re.search(pattern, line)]

    def wait_log(self, pattern, after=0, timeout=PATIENCE, count=1):
        """Wait for a line (or `count` lines) that matches; returns the
        last of them."""
        def found():
            return self.log_ended or \
                len(self.log_so_far(pattern, after)) >= count
        with self.changed:
            self.changed.wait_for(found, timeout)
        found = self.log_so_far(pattern, after)
        if len(found) < count:
            raise AssertionError("no log line /%s/ in:\n%s" % (
                pattern, "\n".join(self.lines[after:])))
        return found[count - 1]

    def signal(self, number):
        os.kill(self.pid, number)

    def children(self, name):
        with contextlib.suppress(OSError):
            with open("/proc/%d/task/%d/children" % (self.pid, self.pid)) \
                    as file:
                return [pid for pid in map(int, file.read().split())
                        if comm(pid) == name]
        return []

    def stop(self, expect=0):
        """End it and everything it started."""
        if self.process is None:
            return
        family = self.children(self.worker_name)
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
            # One that comes before this is looked at would be lost.
            with contextlib.suppress(AssertionError):
                self.wait_log("info: stopping", timeout=2)
        status = self.end()
        left = [pid for pid in family if alive(pid)]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        if expect is not None and (status != expect or left):
            raise AssertionError("%s ended with %d, workers left: %s\n%s" % (
                self.name, status, left, "\n".join(self.lines)))


    def end(self):
        """Tell it to end at once, more than once, as any may be lost."""
        for _ in range(15):
            if self.process.poll() is None:
                self.signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self.process.wait(2)
        self.process.kill()
        return self.process.wait()


class Proxyd(Daemon):
    """A running proxyd.  Keyword arguments replace or add settings (a dict
    is a group, anything else libconfig text); `under` is a command that
    runs it."""

    serial = 0
    worker_name = "proxyd-worker"

    def __init__(self, names="", start=True, env=None, stderr=None, under=(),
                 **settings):
        Proxyd.serial += 1
        super().__init__("proxyd%d" % Proxyd.serial)
        self.world = world()
        self.map_path = self.world.path(self.name + ".map")
        self.settings = settings
        self.write_mapping(names)
        self.write_config()
        if start:
            self.start(env, stderr, under)

    def write_mapping(self, text):
        self.world.write(self.name + ".map", text)

    def write_config(self, **settings):
        values = {
            "user": '"nobody"',
            "workers": "2",
            "listeners": "(%s)" % ", ".join(
                '{ address = "%s"; port = %d; protocol = "%s"; }' % listener
                for listener in ((POP4, 80, "http"), (POP4, 443, "tls"),
                                 (POP6, 80, "http"), (POP6, 443, "tls"))),
            "mapping_files": '[ "%s" ]' % self.map_path,
            "allow_targets": '[ "2001:db8::/32" ]',
        }
        values.update(self.settings)
        values.update(settings)
        self.config = self.world.write(
            self.name + ".conf", "".join(libconfig(values)))

    def start(self, env=None, stderr=None, under=()):
        self.watch(self.world.pop.start(
            *under, PROXYD, "-f", self.config, stdout=subprocess.DEVNULL,
            stderr=stderr or subprocess.PIPE,
            env={**os.environ, **(env or {})}))
        if stderr is None:
            self.wait_log(r"info: ready: \d+ workers")

    def wait_end(self, after=0, timeout=PATIENCE, **fields):
        """Wait for a connection's line with these fields; returns all its
        fields."""
        pattern = "info:(?= client=)" + "".join(
            r"(?=.* %s=%s( |$))" % (key, re.escape(value))
            for key, value in fields.items())
        return log_fields(self.wait_log(pattern, after, timeout))

    def reload(self, mapping=None, accepted=True):
        mark = self.log_mark()
        if mapping is not None:
            self.write_mapping(mapping)
        self.signal(signal.SIGHUP)
        self.wait_log("info: reloaded: " if accepted else
                      "error: reload refused: ", mark, timeout=30)
        return mark

    def workers(self):
        return self.children(self.worker_name)

    def connections(self):
        """{worker's pid: {clients' ports of its connections}}"""
        with self.world.pop:
            text = run("ss", "-Htnp", "state", "established").stdout
        owned = collections.defaultdict(set)
        for line in text.splitlines():
            match = re.search(r"%s:(?:80|443) +%s:(\d+) .*pid=(\d+)," % (
                re.escape(POP4), re.escape(CLIENT4)), line)
            if match:
                owned[int(match.group(2))].add(int(match.group(1)))
        return owned


def libconfig(values):
    for key, value in values.items():
        if isinstance(value, dict):
            yield "%s = { %s};\n" % (key, "".join(libconfig(value))
                                     .replace("\n", " "))
        else:
            yield "%s = %s;\n" % (key, value)


def log_fields(line):
    return dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', line))


def comm(pid):
    try:
        with open("/proc/%d/comm" % pid) as file:
            return file.read().strip()
    except OSError:
        return None


def alive(pid):
    """True if the process exists and is no zombie."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def cpu_seconds(pid):
    """What it has used so far."""
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def status_of(pid):
    with open("/proc/%d/status" % pid) as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file
                    if ":\t" in line)


def recv_exactly(sock, length):
    data = b""
    while len(data) < length:
        more = sock.recv(length - len(data))
        if not more:
            raise AssertionError("end after %d of %d octets: %r" % (
                len(data), length, data[-100:]))
        data += more
    return data


def recv_all(sock):
    """All there is, to the end; then closes, as clients do."""
    data = []
    with sock:
        while True:
            data.append(sock.recv(1 << 18))
            if not data[-1]:
                return b"".join(data)


def reset(sock):
    """Close with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


def was_reset(sock):
    try:
        while sock.recv(65536):
            pass
        return False
    except ConnectionResetError:
        return True


def client_hello(name, alpn=("h2", "http/1.1")):
    """The first bytes of a real TLS client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(list(alpn))
    outgoing = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def request(name, path="/", extra=b""):
    return b"GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (
        path.encode(), name.encode(), extra)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while True:
            chunk = file.read(1 << 20)
            if not chunk:
                return digest.hexdigest()
            digest.update(chunk)


def why_not_here():
    """Why system tests cannot run here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    pid = os.fork()
    if pid == 0:
        os._exit(0 if libc.unshare(CLONE_NEWNET) == 0 else 1)
    if os.waitpid(pid, 0)[1] != 0:
        return "no right to make network namespaces"
    for program in ("ip", "ss", "curl", "nginx", "openssl", "setpriv"):
        if shutil.which(program) is None:
            return "no " + program
    return None


WHY_NOT = why_not_here()


@unittest.skipIf(WHY_NOT is not None, WHY_NOT)
class SystemTest(unittest.TestCase):
    """A test case with proxyd(...), which stops when the test ends."""

    needs_nginx = False

    def setUp(self):
        self.world = world()
        if self.needs_nginx:
            self.world.start_nginx()

    def proxyd(self, names="", **settings):
        proxyd = Proxyd(names, **settings)
        self.addCleanup(proxyd.stop)
        return proxyd

    def listen(self, vm=VM[1], port=80):
        sock = self.world.vm.listen(vm, port)

        def close():
            # A thread that waits in accept() would keep it open.
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self.addCleanup(close)
        return sock

    def connect(self, port=80, at=POP4, source=None):
        host = self.world.client6 if ":" in at else self.world.client
        sock = host.connect(at, port, source)
        self.addCleanup(sock.close)
        return sock

    def accept(self, listener):
        sock, _ = listener.accept()
        sock.settimeout(PATIENCE)
        self.addCleanup(sock.close)
        return sock

    def relayed(self, listener, name="raw.example.com", port=443):
        """A connection through proxyd: (client's end, VM's end)."""
        first = client_hello(name) if port == 443 else request(name)
        client = self.connect(port)
        client.sendall(first)
        vm = self.accept(listener)
        self.assertEqual(recv_exactly(vm, len(first)), first)
        return client, vm

    def assert_echo(self, client, vm, data=b"there and back"):
        client.sendall(data)
        self.assertEqual(recv_exactly(vm, len(data)), data)
        vm.sendall(data)
        self.assertEqual(recv_exactly(client, len(data)), data)
