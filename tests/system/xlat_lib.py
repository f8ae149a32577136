# SPDX-License-Identifier: ISC
"""What the tests of xlatd share: a network with an IPv6-only and an IPv4-only
end, and xlatd between them.

    six ------------ r6 ------------ xlat ------------ r4 ------------ four
    2001:db8:6::2 ::1  2001:db8:66::2 ::1
                                 198.51.100.1 .2   203.0.113.1 203.0.113.2

To IPv4, six is 192.0.2.6, by an explicit mapping; to IPv6, IPv4 addresses are
in 2001:db8:64::/96.  xlatd itself is 192.0.2.1 and 2001:db8:46::1, and
192.0.2.240/28 stands for IPv6 routers.  six has no IPv4, and four no IPv6.
"""
import contextlib
import functools
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

import lib
from lib import BUILD, Daemon, Host, libconfig, run, wait_for

XLATD = os.environ.get("XLATD", os.path.join(BUILD, "translate/xlatd"))

SIX, SIX4 = "2001:db8:6::2", "192.0.2.6"
FOUR, FOUR6 = "203.0.113.2", "2001:db8:64::203.0.113.2"
OWN4, OWN6 = "192.0.2.1", "2001:db8:46::1"
PREFIX = "2001:db8:64::/96"
R6 = ("2001:db8:6::1", "2001:db8:66::2")    # its side to six, and to xlat
R4 = ("203.0.113.1", "198.51.100.2")        # its side to four, and to xlat
X6, X4 = "2001:db8:66::1", "198.51.100.1"   # the translator's host
ROUTERS4 = "192.0.2.240/28"                 # what IPv6 routers look like
POOL = "192.0.2.128/28"                     # dynamic, where a test has one


def embedded(v4):
    """What an IPv4 address is to IPv6, in the shortest notation."""
    octets = socket.inet_pton(socket.AF_INET6, "2001:db8:64::" + v4)
    return socket.inet_ntop(socket.AF_INET6, octets)


class Network:
    """The hosts; one for a whole run."""

    def __init__(self):
        self.six, self.r6, self.xlat = Host(), Host(), Host()
        self.r4, self.four = Host(), Host()
        self.hosts = (self.six, self.r6, self.xlat, self.r4, self.four)
        for host in self.hosts:
            self.tune(host)
        self.six.link("eth0", self.r6, "six")
        self.r6.link("xlat", self.xlat, "v6")
        self.xlat.link("v4", self.r4, "xlat")
        self.r4.link("four", self.four, "eth0")
        # The two ends of each cable, and some ends alone, for mtu() and
        # offloads().
        self.cables = {
            "six": ((self.six, "eth0"), (self.r6, "six")),
            "v6": ((self.r6, "xlat"), (self.xlat, "v6")),
            "v4": ((self.xlat, "v4"), (self.r4, "xlat")),
            "four": ((self.r4, "four"), (self.four, "eth0")),
            "x6": ((self.xlat, "v6"),), "x4": ((self.xlat, "v4"),)}
        # What a router alone knows to be smaller, for mtu().  (A cable with
        # two MTUs is none: the end with the smaller drops what the other
        # sends, unless it is a super-packet.)
        self.routes = {
            "r6": (self.r6, "-6", SIX, "six"),
            "r4": (self.r4, "-4", FOUR, "four")}
        self.six.address("eth0", SIX + "/64")
        self.r6.address("six", R6[0] + "/64")
        self.r6.address("xlat", R6[1] + "/64")
        self.xlat.address("v6", X6 + "/64")
        self.xlat.address("v4", X4 + "/24")
        self.r4.address("xlat", R4[1] + "/24")
        self.r4.address("four", R4[0] + "/24")
        self.four.address("eth0", FOUR + "/24")
        self.six.ip("-6", "route", "add", "default", "via", R6[0])
        self.r6.ip("-6", "route", "add", "default", "via", X6)
        self.xlat.ip("-6", "route", "add", "2001:db8:6::/64", "via", R6[1])
        self.xlat.ip("route", "add", "203.0.113.0/24", "via", R4[1])
        self.r4.ip("route", "add", "default", "via", X4)
        self.four.ip("route", "add", "default", "via", R4[0])

    @staticmethod
    def tune(host):
        """A router without limits on what it says, and with one congestion
        control everywhere."""
        with host:
            for name, value in (
                    ("ipv4/ip_forward", 1),
                    ("ipv6/conf/all/forwarding", 1),
                    ("ipv4/icmp_ratemask", 0),
                    ("ipv6/icmp/ratelimit", 0),
                    ("ipv4/tcp_congestion_control", "reno")):
                with open("/proc/sys/net/" + name, "w") as file:
                    file.write(str(value))

    def mtu(self, where, mtu):
        """The MTU of a cable, or of a router's way to the host behind it."""
        for host, link in self.cables.get(where, ()):
            host.ip("link", "set", link, "mtu", str(mtu))
        if where in self.routes:
            host, family, to, link = self.routes[where]
            host.ip(family, "route", "replace", to, "dev", link, "mtu",
                    "lock", str(mtu))

    def offloads(self, cable, *settings):
        """ethtool -K at both ends; for one end see host()."""
        for host, link in self.cables[cable]:
            with host:
                run("ethtool", "-K", link, *settings)

    def forget_paths(self):
        for host in self.hosts:
            host.ip("route", "flush", "cache")
            host.ip("-6", "route", "flush", "cache")


@functools.lru_cache(maxsize=None)
def network():
    return Network()


class Xlatd(Daemon):
    """A running xlatd.  Keyword arguments replace or add settings of its one
    instance (None takes one away); `more` is text for further instances, and
    `top` has settings outside of them."""

    serial = 0
    worker_name = "xlatd-worker"
    ends_with = 0       # the exit status it should end with

    def __init__(self, folder, start=True, options=(), more="", top=None,
                 host=None, **settings):
        Xlatd.serial += 1
        super().__init__("xlatd%d" % Xlatd.serial)
        self.folder = folder
        self.host = host or network().xlat
        self.more, self.top, self.settings = more, top or {}, settings
        self.write_config()
        if start:
            self.start(*options)

    def path(self, name):
        return os.path.join(self.folder, self.name + "." + name)

    def write(self, name, text):
        """Write a file all at once, as a careful operator does."""
        with open(self.path(name) + ".new", "w") as file:
            file.write(text)
        os.rename(self.path(name) + ".new", self.path(name))
        return self.path(name)

    def write_config(self, **settings):
        instance = {
            "device": '"nat64"',
            "ipv4_address": '"%s"' % OWN4,
            "ipv6_address": '"%s"' % OWN6,
            "prefixes": '( { prefix = "%s"; } )' % PREFIX,
            "mapping": '[ "%s %s" ]' % (SIX4, SIX),
            "icmp": {"pool": '[ "%s" ]' % ROUTERS4},
            "setup": "true",
            "routes": '[ "%s/32", "%s" ]' % (SIX4, PREFIX)}
        instance.update(self.settings)
        instance.update(settings)
        given = {key: value for key, value in instance.items()
                 if value is not None}
        self.config = self.write("conf", "".join((
            *libconfig({"user": '"nobody"', **self.top}),
            "instances = ( {\n", *libconfig(given), "}", self.more, ");\n")))

    def start(self, *options):
        self.watch(self.host.start(
            XLATD, *options, "-f", self.config, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE))
        self.wait_log("info: ready: ")

    def stop(self):
        super().stop(self.ends_with)

    def workers(self):
        return self.children(self.worker_name)

    def reload(self, accepted=True, **settings):
        mark = self.log_mark()
        if settings:
            self.write_config(**settings)
        self.signal(signal.SIGHUP)
        self.wait_log("info: reloaded: " if accepted else
                      "error: reload refused: ", mark, timeout=30)
        return mark

    def counters(self, device="nat64"):
        """{label: number} since the start, drops by reason among them."""
        mark = self.log_mark()
        counters = "info: counters device=%s( |$)" % device
        self.signal(signal.SIGUSR1)
        lines = [self.wait_log(counters, mark)]
        # When they are told again all of the first time has been told.
        mark, again = self.log_mark(), mark
        self.signal(signal.SIGUSR1)
        self.wait_log(counters, mark)
        lines += self.log("info: dropped device=%s " % device, again)[:1]
        return {key: int(value) for line in lines for key, value in
                lib.log_fields(line).items() if key != "device"}


def why_not_here():
    """Why xlatd's system tests cannot run here, or None."""
    if lib.WHY_NOT is not None:
        return lib.WHY_NOT
    if not os.path.exists("/dev/net/tun"):
        return "no /dev/net/tun"
    for program in ("ethtool", "iperf3", "mtr", "ping", "tcpdump",
                    "traceroute"):
        if lib.shutil.which(program) is None:
            return "no " + program
    return None


WHY_NOT = why_not_here()


@unittest.skipIf(WHY_NOT is not None, WHY_NOT)
class XlatTest(unittest.TestCase):
    """A test case with a network, restored afterwards, and xlatd(...), which
    stops when the test ends."""

    def setUp(self):
        self.net = network()
        self.folder = tempfile.mkdtemp(prefix="popgate-xlat-")
        os.chmod(self.folder, 0o755)
        self.addCleanup(lib.shutil.rmtree, self.folder)

    def xlatd(self, **settings):
        xlatd = Xlatd(self.folder, **settings)
        self.addCleanup(xlatd.stop)
        return xlatd

    def mtu(self, cable, mtu):
        self.addCleanup(self.net.forget_paths)
        self.addCleanup(self.net.mtu, cable, 1500)
        self.net.mtu(cable, mtu)
        self.net.forget_paths()

    def start(self, host, *args, **kwargs):
        """A program that is ended with the test."""
        kwargs.setdefault("stdout", subprocess.DEVNULL)
        kwargs.setdefault("stderr", subprocess.DEVNULL)
        process = host.start(*args, **kwargs)

        def end():
            process.terminate()
            process.communicate()
        self.addCleanup(end)
        return process

    def run_on(self, host, *args, **kwargs):
        with host:
            return run(*args, **kwargs)

    def ping(self, host, address, *options, count=3):
        """Returns what ping says; the first `count` must be answered.  With
        -w it goes on until as many are."""
        done = self.run_on(host, "ping", "-n", "-c", str(count), "-i",
                           "0.02", "-w", "20", *options, address, check=False)
        for seq in range(1, count + 1):
            self.assertRegex(done.stdout, r"bytes from .* icmp_seq=%d " % seq)
        return done.stdout

    def iperf_server(self, host, port=5201):
        self.start(host, "iperf3", "-s", "-p", str(port))

        def listens():
            with host:
                return run("ss", "-Hltn", "sport = :%d" % port).stdout
        wait_for(listens, "iperf3 listens")

    def iperf(self, host, address, *options):
        """A second of traffic; returns what iperf3 says of its end."""
        def measured():
            done = self.run_on(host, "iperf3", "-J", "-t", "1", "-c", address,
                               *options, check=False)
            result = json.loads(done.stdout)
            if "busy" in result.get("error", ""):   # with the one before
                return None
            self.assertNotIn("error", result)
            return result["end"]
        return wait_for(measured, "the server is free")

    def wait_carrier(self, host, device):
        """Of a device that was there before the program that has it now: the
        kernel sends nothing until it has noticed."""
        def is_up():
            text = self.run_on(host, "ip", "link", "show", device).stdout
            return "LOWER_UP" in text and \
                re.search(" state (UP|UNKNOWN) ", text)
        wait_for(is_up, device + " has a carrier")

    def web_server(self, host, address, content):
        """Serves `content` at / of port 80, and takes what is put at /in."""
        www = tempfile.mkdtemp(dir=self.folder)
        os.chmod(www, 0o755)
        with open(os.path.join(www, "index.html"), "wb") as file:
            file.write(content)
        config = os.path.join(www, "nginx.conf")
        at = "[%s]" % address if ":" in address else address
        with open(config, "w") as file:
            file.write(NGINX % {"folder": www, "at": at})
        self.start(host, "nginx", "-p", www, "-c", config, "-e",
                   os.path.join(www, "error.log"))

        def answers():
            with contextlib.suppress(OSError):
                host.connect(address, 80).close()
                return True
        wait_for(answers, "nginx answers")


NGINX = """
daemon off; user root; worker_processes 1; pid %(folder)s/nginx.pid;
error_log %(folder)s/error.log;
events { }
http {
    access_log off; client_body_temp_path %(folder)s/1;
    proxy_temp_path %(folder)s/2; fastcgi_temp_path %(folder)s/3;
    uwsgi_temp_path %(folder)s/4; scgi_temp_path %(folder)s/5;
    client_max_body_size 0;
    server {
        listen %(at)s:80; root %(folder)s;
        location /in { dav_methods PUT; }
    }
}
"""
