# SPDX-License-Identifier: ISC
"""The programs that are measured, each with the same names and two workers.

None logs connections.  What is not said in a configuration is the program's
default.
"""
import os
import shutil
import signal
import socket
import subprocess
import time

from openings import name_of
from world import BACKENDS, DESCRIPTORS, Failed, Group, Namespace, wait_for

WORKERS = 2
FRONT, HTTP, TLS = "127.0.0.1", 80, 443


class Peer:
    """One program in its namespace, with a sink beside it."""

    packages = ()
    program = None
    protocols = ("tls", "http")
    most_names = 1000000
    has_map = True              # that is worth measuring

    def __init__(self, tools, n_names=1000, log=False):
        self.tools = tools
        self.folder = tools.path("%s-%d" % (self.name, n_names))
        shutil.rmtree(self.folder, ignore_errors=True)
        os.mkdir(self.folder)
        os.chmod(self.folder, 0o755)
        self.log = log
        self.process = self.sink = self.group = None
        self.net = Namespace()
        self.write_names(n_names)
        self.configure()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)

    def write_names(self, n):
        """Names 0 to n - 1, each with a server of its own."""
        self.n_names = n
        with open(self.path("names"), "w") as file:
            file.writelines(self.line % (name_of(i), "%s%x" % (BACKENDS,
                                                               i + 1))
                            if i + 1 < 65536 else
                            self.line % (name_of(i), "%s%x:%x" % (
                                BACKENDS, i + 1 >> 16, i + 1 & 0xffff))
                            for i in range(n))

    def start(self):
        self.group = Group("%s-%d" % (self.name, self.n_names))
        self.sink = self.net.start(self.tools.path("sink"), str(TLS),
                                   str(HTTP))
        with open(self.path("output"), "w") as output:
            began = time.monotonic()
            self.process = self.net.start(
                *self.command(), group=self.group, cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.wait_name(self.n_names - 1, 120)
        self.load_s = time.monotonic() - began

    def reload(self):
        os.kill(self.process.pid, signal.SIGHUP)

    def stop(self):
        if self.group is not None:
            self.group.close()
        for process in self.process, self.sink:
            if process is not None:
                process.kill()
                process.wait()
        os.close(self.net.fd)
        shutil.rmtree(self.folder, ignore_errors=True)

    def answers(self, number):
        """True if the name's own server answers."""
        with open(self.tools.path("short.tls"), "rb") as file:
            first = file.read().replace(name_of(0).encode(),
                                        name_of(number).encode())
        with self.net, socket.socket() as sock:
            sock.settimeout(30)
            try:
                sock.connect((FRONT, TLS))
                sock.sendall(first)
                return sock.recv(16) == b"%08d:%05d.\n" % (number + 1, TLS)
            except OSError:
                return False

    def check(self):
        """It still runs."""
        if self.process.poll() is not None:
            with open(self.path("output")) as file:
                raise Failed("%s ended with %s\n%s" % (
                    self.name, self.process.returncode, file.read()[-2000:]))

    def wait_name(self, number, timeout):
        def served():
            self.check()
            return self.answers(number)
        wait_for(served, "%s serves name %d" % (self.name, number), timeout)


class Proxyd(Peer):
    name = "proxyd"
    line = "%s %s\n"

    def configure(self):
        self.write("proxyd.conf", """
user = "nobody"; workers = %d; log_connections = %s;
listeners = (
    { address = "%s"; port = %d; protocol = "http"; },
    { address = "%s"; port = %d; protocol = "tls"; }
);
mapping_files = [ "names" ];
allow_targets = [ "%s/64" ];
timeouts = { idle = 3600; };
""" % (WORKERS, "true" if self.log else "false", FRONT, HTTP, FRONT, TLS,
            BACKENDS))

    def command(self):
        return [self.tools.proxyd, "-f", self.path("proxyd.conf")]


class Haproxy(Peer):
    """TLS in TCP mode, HTTP in HTTP mode, the server from a map."""

    name = "haproxy"
    packages = ("haproxy",)
    program = "haproxy"
    line = "%s %s\n"
    settings = ""

    def configure(self):
        # A name that is not there leads nowhere: without an address of its
        # own haproxy would connect to itself.
        self.write("haproxy.cfg", """
global
    nbthread {workers}
    maxconn 9600
    {settings}
defaults
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout http-keep-alive 1h
frontend tls
    mode tcp
    bind {front}:{tls}
    tcp-request inspect-delay 10s
    tcp-request content set-dst req.ssl_sni,lower,map({names},100::1) \
if {{ req.ssl_hello_type 1 }}
    tcp-request content accept if {{ req.ssl_hello_type 1 }}
    tcp-request content reject
    default_backend tls
backend tls
    mode tcp
    server vm 0.0.0.0:{tls}
frontend http
    mode http
    bind {front}:{http}
    http-request set-dst req.hdr(host),lower,map({names},100::1)
    default_backend http
backend http
    mode http
    server vm 0.0.0.0:{http}
""".format(workers=WORKERS, front=FRONT, tls=TLS, http=HTTP,
           names=self.path("names"), settings=self.settings))

    def command(self):
        return [self.program, "-W", "-f", self.path("haproxy.cfg")]

    def reload(self):
        os.kill(self.process.pid, signal.SIGUSR2)


class Haproxy64k(Haproxy):
    name = "haproxy-64k"
    settings = "tune.bufsize 65536"
    has_map = False


class Nginx(Peer):
    name = "nginx"
    packages = ("nginx", "libnginx-mod-stream")
    program = "nginx"
    protocols = ("tls",)
    line = "%s [%s]:443;\n"

    def configure(self):
        self.write("nginx.conf", """
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off; pid {folder}/pid; user nobody nogroup;
error_log {folder}/error.log;
worker_processes {workers}; worker_rlimit_nofile {descriptors};
events {{ worker_connections {descriptors}; }}
stream {{
    map_hash_bucket_size 128; map_hash_max_size {hash};
    map $ssl_preread_server_name $vm {{ include {folder}/names; }}
    proxy_timeout 1h; proxy_connect_timeout 5s; preread_timeout 10s;
    server {{
        listen {front}:{tls}; ssl_preread on;
        proxy_pass $vm;
    }}
}}
""".format(folder=self.folder, workers=WORKERS, descriptors=DESCRIPTORS,
           front=FRONT, tls=TLS, hash=max(4096, 2 * self.n_names)))

    def command(self):
        return [self.program, "-p", self.folder, "-c",
                self.path("nginx.conf"), "-e", self.path("error.log")]


class Sniproxy(Peer):
    """One process; its table is a list that is searched from the top."""

    name = "sniproxy"
    packages = ("sniproxy",)
    program = "sniproxy"
    most_names = 1000
    line = "    %s %s\n"

    def configure(self):
        with open(self.path("names")) as file:
            names = file.read()
        self.write("sniproxy.conf", """
user nobody
listener {front}:{tls} {{
    proto tls
    table tls
}}
listener {front}:{http} {{
    proto http
    table http
}}
table tls {{
{names}}}
table http {{
{names}}}
""".format(front=FRONT, tls=TLS, http=HTTP, names=names))

    def command(self):
        return [self.program, "-f", "-n", str(DESCRIPTORS), "-c",
                self.path("sniproxy.conf")]


class Bare(Peer):
    """What the kernel takes: it finds the server by the name's number."""

    name = "bare"
    line = "%s %s\n"
    has_map = False

    def configure(self):
        pass

    def command(self):
        return [self.tools.path("bare"), str(WORKERS), str(self.n_names),
                BACKENDS, FRONT, str(TLS), str(HTTP)]


PEERS = {peer.name: peer
         for peer in (Proxyd, Haproxy, Haproxy64k, Nginx, Sniproxy,
                      Bare)}
