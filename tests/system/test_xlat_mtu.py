# SPDX-License-Identifier: ISC
"""xlatd and path MTUs: what is too big is told, in the other family's terms,
and everything arrives."""
import contextlib
import re
import socket
import struct
import unittest

from lib import run
from xlat_lib import FOUR, FOUR6, SIX, SIX4, XlatTest

PAGE = bytes(range(256)) * 12000        # 3 MB


class PathMtu(XlatTest):
    def path_mtu(self, host, address):
        """What the kernel has learnt; None if nothing."""
        with host:
            text = run("ip", "route", "get", address).stdout
        found = re.search(r"\bmtu (\d+)", text)
        return int(found.group(1)) if found else None

    def fetch(self, host, at):
        with host:
            run("curl", "-sS", "--noproxy", "*", "--max-time", "20", "-o",
                self.folder + "/page", "http://%s/" % at)
        with open(self.folder + "/page", "rb") as file:
            self.assertEqual(file.read(), PAGE)

    def send(self, host, at):
        """The other way: a large request."""
        with open(self.folder + "/page", "wb") as file:
            file.write(PAGE)
        with host:
            run("curl", "-sS", "--noproxy", "*", "--max-time", "20", "-T",
                self.folder + "/page", "-o", "/dev/null", "http://%s/in" % at)

    def check(self, cable, mtu, six_learns, four_learns, **settings):
        """Transfers in both directions over one cable with a smaller MTU.
        Whoever sends first must learn it; later the other end's MSS tells."""
        self.xlatd(**settings)
        self.web_server(self.net.four, FOUR, PAGE)
        self.web_server(self.net.six, SIX, PAGE)
        self.mtu(cable, mtu)
        self.send(self.net.six, "[%s]" % FOUR6)
        self.assertEqual(self.path_mtu(self.net.six, FOUR6), six_learns)
        self.fetch(self.net.six, "[%s]" % FOUR6)
        self.net.forget_paths()
        self.send(self.net.four, SIX4)
        self.assertEqual(self.path_mtu(self.net.four, SIX4), four_learns)
        self.fetch(self.net.four, SIX4)

    def test_1500_everywhere(self):
        """TCP gets by with what the hosts say of themselves (MSS)."""
        self.check("six", 1500, None, None)

    def test_ipv6_router_1400(self):
        """The router has no IPv4 address to say so from (RFC 6791)."""
        self.check("r6", 1400, None, 1380)

    def test_ipv6_router_1280(self):
        self.check("r6", 1280, None, 1260)

    def test_ipv6_link_1400(self):
        self.check("v6", 1400, 1400, 1380)

    def test_ipv6_link_1280(self):
        self.check("v6", 1280, 1280, 1260)

    def test_ipv6_1280_known_to_xlatd(self):
        self.check("v6", 1280, 1280, 1260, ipv6_mtu="1280")

    def test_ipv4_router_1400(self):
        self.check("r4", 1400, 1420, None)

    def test_ipv4_link_1400(self):
        self.check("v4", 1400, 1420, 1400)

    def test_ipv4_link_1280(self):
        self.check("v4", 1280, 1300, 1280)

    def test_ipv4_1280_known_to_xlatd(self):
        self.check("v4", 1280, 1300, 1280, ipv4_mtu="1280")

    def test_ipv4_link_below_what_ipv6_has(self):
        """RFC 7915 5: the IPv6 host goes down to 1280, and its packets may be
        fragmented on the IPv4 side."""
        self.check("v4", 1000, 1280, 1000)

    def test_hosts_with_small_links(self):
        """They say so themselves."""
        self.mtu("four", 576)
        self.check("six", 1280, None, None)


class PathMtuPacketByPacket(PathMtu):
    """The same for hosts that send no super-packets."""

    def setUp(self):
        super().setUp()
        for cable in "six", "four":
            self.addCleanup(self.net.offloads, cable, "gso", "on", "tso",
                            "on")
            self.net.offloads(cable, "gso", "off", "tso", "off")


class Ping(XlatTest):
    def too_big(self, host, size, address):
        """What is said to a ping that must not be fragmented."""
        return self.run_on(host, "ping", "-n", "-c", "1", "-W", "2", "-M",
                           "do", "-s", str(size), address, check=False).stdout

    def test_the_mtu_told_is_the_other_familys(self):
        self.xlatd()
        self.mtu("v6", 1400)
        self.assertIn("(mtu = 1380)", self.too_big(self.net.four, 1400, SIX4))
        self.ping(self.net.four, SIX4, "-M", "do", "-s", str(1380 - 28))
        self.mtu("v6", 1500)
        self.mtu("v4", 1300)
        self.assertIn("mtu=1320", self.too_big(self.net.six, 1400, FOUR6))
        self.ping(self.net.six, FOUR6, "-M", "do", "-s", str(1320 - 48))

    def test_by_xlatd_itself(self):
        self.xlatd(ipv4_mtu="1400", ipv6_mtu="1450")
        self.assertIn("(mtu = 1430)", self.too_big(self.net.four, 1420, SIX4))
        self.assertIn("mtu=1420", self.too_big(self.net.six, 1450, FOUR6))
        self.ping(self.net.four, SIX4, "-M", "do", "-s", str(1420 - 20 - 28))
        self.ping(self.net.six, FOUR6, "-M", "do", "-s", str(1420 - 48))


class LargeUdp(XlatTest):
    """Datagrams that need fragments, over links of several MTUs."""

    def test_both_ways(self):
        self.xlatd()
        self.ping(self.net.six, FOUR6)
        with self.net.six:
            six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        with self.net.four:
            four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        four.setsockopt(socket.IPPROTO_IP, 10, 0)       # MTU_DISCOVER, DONT
        for sock, address in (six, SIX), (four, FOUR):
            sock.bind((address, 0))
            self.addCleanup(sock.close)
        for cable, mtu in (("v6", 1280), ("v6", 1400), ("v4", 1280),
                           ("v4", 1400), ("v4", 600)):
            self.mtu(cable, mtu)
            for size in 1000, 1250, 1390, 5000, 30000, 65000:
                for sock, to, other in ((six, (FOUR6, four.getsockname()[1]),
                                         four),
                                        (four, (SIX4, six.getsockname()[1]),
                                         six)):
                    self.arrives(sock, to, other, size)
            self.mtu(cable, 1500)

    def arrives(self, sock, to, other, size):
        """Sooner or later, as an IPv6 host hears of the MTU only then; what
        came late of an earlier attempt or size does not count."""
        self.serial = getattr(self, "serial", 0) + 1
        data = struct.pack("!I", self.serial) + bytes(
            i * 11 % 256 for i in range(4, size))
        other.settimeout(0.4)
        for _ in range(25):
            sock.sendto(data, to)
            with contextlib.suppress(socket.timeout):
                got = other.recv(70000)
                while got[:4] != data[:4]:
                    got = other.recv(70000)
                self.assertEqual(len(got), size)
                self.assertEqual(got, data)
                return
        self.fail("%d octets never arrive" % size)


if __name__ == "__main__":
    unittest.main()
