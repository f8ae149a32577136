# SPDX-License-Identifier: ISC
"""For boot_units: a Debian with popgate, booted, and the world around it."""
import contextlib
import http.server
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time

from lib import TOP, comm, run

PACKAGES = "systemd,systemd-sysv,dbus,adduser,iproute2,logrotate,procps"
MIRROR = os.environ.get("MIRROR", "http://deb.debian.org/debian")
DAEMONS = "proxyd", "jumpd", "xlatd"
UNITS = " ".join("popgate-" + daemon for daemon in DAEMONS)
VM, MAPPED = "2001:db8::aa64", "2001:db8:a::33"     # as in the README
NSPAWN = ["systemd-nspawn", "-q", "--register=no", "--keep-unit"]
BUILD = """cd /root/popgate && tests/install_packages build
    autoreconf -fi && mkdir -p build && cd build
    ../configure -q --prefix=/usr --sysconfdir=/etc && make -s -j2
    make -s install
    id -u popgate || adduser --system --group --no-create-home popgate
    rm -rf /etc/popgate /var/log/popgate /var/log/journal/*
    install -d /etc/popgate/mapping.d /etc/popgate/eam.d /var/log/journal
    install -m 644 ../examples/*.service /etc/systemd/system/
    install -m 644 ../examples/popgate.logrotate /etc/logrotate.d/popgate
    systemctl -q enable systemd-networkd systemd-networkd-wait-online \\
    """ + UNITS
NETWORK = """[Match]
Name=in0
[Network]
Address=192.0.2.10/24
Address=2001:db8:1::1/64
[Route]
Destination=2001:db8::/32
Gateway=2001:db8:1::7
"""


def prepare(folder):
    root = os.path.join(folder, "root")
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(root + "/made"):
        print("making a Debian in", root, flush=True)
        shutil.rmtree(root, ignore_errors=True)
        run("debootstrap", "--variant=minbase", "--include=" + PACKAGES,
            "bookworm", root, MIRROR, timeout=900)
        open(root + "/made", "w").close()
    print("building", flush=True)
    source = root + "/root/popgate"
    for name in run("git", "-C", TOP, "ls-files").stdout.splitlines():
        os.makedirs(os.path.dirname(os.path.join(source, name)), exist_ok=True)
        shutil.copy2(os.path.join(TOP, name), os.path.join(source, name))
    run(*NSPAWN, "--pipe", "-D", root, "sh", "-ec", BUILD, timeout=900)
    with open(os.path.join(TOP, "README.md")) as file:
        readme = file.read()
    for block, path in (
            ("conf", "proxyd.conf"), ("map", "mapping.d/readme.map"),
            ("jumpd-conf", "jumpd.conf"), ("xlatd-conf", "xlatd.conf"),
            ("eam", "eam.d/readme.map")):
        with open(root + "/etc/popgate/" + path, "w") as file:
            file.write(re.search("^```%s\n(.*?)^```$" % block, readme,
                                 re.M | re.S).group(1))
    for path, text in (
            ("network/in0.network", NETWORK),
            ("../sysctl.d/popgate.conf", "net.ipv4.ip_forward = 1\n"
             "net.ipv6.conf.all.forwarding = 1\n")):
        with open(root + "/etc/systemd/" + path, "w") as file:
            file.write(text)


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(6 if self.path == "/slow" else 1):
            with contextlib.suppress(OSError):      # who left
                self.wfile.write(self.connection.getsockname()[0].encode())
            time.sleep(0.5 if self.path == "/slow" else 0)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


def make_world(folder):
    """In namespaces of our own: links, servers, keys."""
    os.chdir(folder)
    for line in ("mount --make-rprivate /", "mount -t proc proc /proc",
                 "mount -t tmpfs run /run", "mount -t sysfs sys /sys",
                 "mount -t cgroup2 cgroup /sys/fs/cgroup", "ip netns add front",
                 "ip link add out type veth peer name in0 netns front",
                 "ip link set lo up", "ip link set out up",
                 "ip address add 192.0.2.7/24 dev out",
                 "ip address add 2001:db8:1::7/64 dev out nodad",
                 "ip address add %s dev lo" % VM,
                 "ip address add %s dev lo" % MAPPED,
                 "ip route add 192.0.2.32/27 via 192.0.2.10",
                 "ip route add 2001:db8:64::/96 via 2001:db8:1::1"):
        run(*line.split())
    if not os.path.exists("key"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key")
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
            "-subj", "/CN=vm", "-days", "999", "-keyout", "tls.pem",
            "-out", "cert.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("cert.pem", "tls.pem")
    for port in 80, 443:
        server = Server(("::", port), Answer)
        if port == 443:
            server.socket = context.wrap_socket(server.socket,
                                                server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    os.mkdir("/run/sshd")
    run("/usr/sbin/sshd", "-f", "/dev/null", "-h", folder + "/key", "-o",
        "ListenAddress=[%s]:22" % VM, "-o", "StrictModes=no", "-o",
        "AuthorizedKeysFile=%s/key.pub" % folder, "-o", "PidFile=none")


class Front:
    """The booted container."""

    def __init__(self, folder):
        self.folder = folder
        self.log = open(folder + "/console", "w")
        self.boot()

    def boot(self):
        """Also another time: the link is as new."""
        run("ip", "-n", "front", "address", "flush", "dev", "in0")
        run("ip", "-n", "front", "link", "set", "in0", "down")
        self.nspawn = subprocess.Popen(
            NSPAWN + ["-b", "--capability=CAP_NET_ADMIN", "-M", "popgate-units",
                      "--network-namespace-path=/run/netns/front",
                      "--bind=/dev/net/tun", "-D",
                      self.folder + "/root"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
                 "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"})

    def leader(self):
        """The process that is 1 inside, or None."""
        with open("/proc/%d/task/%d/children" % ((self.nspawn.pid,) * 2)) as f:
            for pid in f.read().split():
                if comm(int(pid)) == "systemd":
                    return pid
        return None

    def run(self, command, check=True):
        """A command inside; returns it completed."""
        return run("nsenter", "-t", self.leader() or "-1", "-m", "-n", "-p",
                   "-u", "-i", "-C", "-r", "-w", "env", "-i",
                   "PATH=/usr/sbin:/usr/bin", "SYSTEMD_COLORS=0", "sh", "-ec",
                   command, check=check)

    def out(self, command):
        return self.run(command, check=False).stdout.strip()

    def has_booted(self):
        return self.out("systemctl is-system-running") == "running"
