# SPDX-License-Identifier: ISC
"""The translators that are measured, each between two hosts of its own:

    six ---------------- dut ---------------- four
    2001:db8:6::2     ::1   198.51.100.1      198.51.100.2

six is 192.0.2.6 to IPv4, and IPv4 is 2001:db8:64::/96 to IPv6.  The cables
are veth pairs with an MTU of 1,500 octets.  What is not said in a
configuration is the program's default.
"""
import os
import subprocess

from world import Failed, Group, Namespace, run, wait_for

SIX, FOUR = "2001:db8:6::2", "198.51.100.2"
SIX4, FOUR6 = "192.0.2.6", "2001:db8:64::198.51.100.2"
PREFIX = "2001:db8:64::/96"


class Host(Namespace):
    @staticmethod
    def prepare():
        run("ip", "link", "set", "lo", "up")
        for setting, value in (
                ("ipv4/tcp_congestion_control", "reno"),
                ("ipv4/ip_forward", "1"),
                ("ipv6/conf/all/forwarding", "1")):
            with open("/proc/sys/net/" + setting, "w") as file:
                file.write(value)

    def ip(self, *args):
        with self:
            run("ip", *args)

    def link(self, name, other, other_name):
        with self:
            run("ip", "link", "add", name, "type", "veth", "peer", "name",
                other_name, "netns", "/proc/%d/fd/%d" % (os.getpid(),
                                                         other.fd))
        self.ip("link", "set", name, "up")
        other.ip("link", "set", other_name, "up")

    def address(self, link, *addresses):
        for address in addresses:
            self.ip("address", "add", address, "dev", link,
                    *(["nodad"] if ":" in address else []))

    def ethtool(self, link, *settings):
        with self:
            run("ethtool", "-K", link, *settings)


class Translator:
    """One program with its network, and what hosts call each other."""

    packages = ("iperf3", "ethtool", "iproute2", "iputils-ping")
    four_to_six, six_to_four = SIX4, FOUR6

    def __init__(self, tools):
        self.tools = tools
        self.folder = tools.path(self.name)
        os.mkdir(self.folder)
        os.chmod(self.folder, 0o755)
        self.six, self.dut, self.four = Host(), Host(), Host()
        self.six.link("eth0", self.dut, "six")
        self.dut.link("four", self.four, "eth0")
        self.six.address("eth0", SIX + "/64")
        self.dut.address("six", "2001:db8:6::1/64")
        self.dut.address("four", "198.51.100.1/24")
        self.four.address("eth0", FOUR + "/24")
        self.six.ip("-6", "route", "add", "default", "via", "2001:db8:6::1")
        self.four.ip("route", "add", "default", "via", "198.51.100.1")
        # What the ends use is counted, too: all but the kernel's own threads.
        self.group = Group(self.name)
        self.ends = Group(self.name + "-ends")
        self.process = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def start(self):
        self.prepare()
        command = self.command()
        if command is not None:
            with open(self.path("output"), "w") as output:
                self.process = self.dut.start(
                    *command, group=self.group, cwd=self.folder,
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output)

        def answers():
            with self.six:
                return subprocess.run(
                    ["ping", "-n", "-c", "1", "-W", "1", self.six_to_four],
                    capture_output=True).returncode == 0
        wait_for(answers, self.name + " translates", 15)

    def prepare(self):
        pass

    def command(self):
        return None

    def check(self):
        """It still runs."""
        if self.process is not None and self.process.poll() is not None:
            with open(self.path("output")) as file:
                raise Failed("it ended: " + file.read()[-1000:])

    def stop(self):
        for group in self.group, self.ends:
            group.close()
        for host in self.six, self.dut, self.four:
            os.close(host.fd)


class Kernel(Translator):
    """IPv6 forwarding without translation: the limit."""

    name = "kernel"
    four_to_six, six_to_four = SIX, "2001:db8:4::2"

    def prepare(self):
        self.dut.address("four", "2001:db8:4::1/64")
        self.four.address("eth0", "2001:db8:4::2/64")
        self.four.ip("-6", "route", "add", "default", "via", "2001:db8:4::1")


class Tayga(Translator):
    name = "tayga"
    packages = (*Translator.packages, "tayga")

    def prepare(self):
        self.config = self.write("tayga.conf", """
tun-device nat64
ipv4-addr 192.0.2.1
ipv6-addr 2001:db8:46::1
prefix %s
map %s %s
data-dir %s
""" % (PREFIX, SIX4, SIX, self.folder))
        with self.dut:
            run("tayga", "-c", self.config, "--mktun")
        for args in (("link", "set", "nat64", "up"),
                     ("route", "add", SIX4, "dev", "nat64"),
                     ("-6", "route", "add", PREFIX, "dev", "nat64")):
            self.dut.ip(*args)

    def command(self):
        return ["tayga", "-c", self.config, "--nodetach"]


class Xlatd(Translator):
    name = "xlatd"
    settings = ""

    def prepare(self):
        self.config = self.write("xlatd.conf", """
user = "nobody";
instances = ( {
    device = "nat64"; setup = true;
    ipv4_address = "192.0.2.1"; ipv6_address = "2001:db8:46::1";
    prefixes = ( { prefix = "%s"; } );
    mapping = [ "%s %s" ];
    routes = [ "%s", "%s" ];
    %s
} );
""" % (PREFIX, SIX4, SIX, SIX4, PREFIX, self.settings))

    def command(self):
        return [self.tools.xlatd, "-f", self.config]


class XlatdPlain(Xlatd):
    """Without offloads: packet by packet."""

    name = "xlatd-plain"
    settings = "offload = false;"


class XlatdQueues(Xlatd):
    """Two queues."""

    name = "xlatd-2q"
    settings = "queues = 2;"


TRANSLATORS = {each.name: each for each in (Kernel, Tayga, Xlatd, XlatdPlain,
                                            XlatdQueues)}
