# SPDX-License-Identifier: ISC
"""xlatd translates: real clients and servers, IPv6-only and IPv4-only."""
import hashlib
import re
import socket
import struct
import threading
import time
import unittest

from lib import recv_all, run, wait_for
from xlat_lib import FOUR, FOUR6, OWN4, OWN6, R4, R6, ROUTERS4, SIX, SIX4, \
    X4, X6, XlatTest, embedded

CONTENT = hashlib.sha256(b"page").digest() * 40000      # 1.28 MB
HAIRPIN4 = "192.0.2.7"      # another mapping, on six too
HAIRPIN6 = "2001:db8:6::7"
# It waits for each answer by itself, not as long as others took.
TRACEROUTE = "traceroute", "-n", "-q", "1", "-w", "5,0,0"


def is_router4(address):
    """Of those that stand for IPv6 routers."""
    return address.startswith("192.0.2.") and \
        240 <= int(address.rpartition(".")[2]) <= 255 and \
        ROUTERS4 == "192.0.2.240/28"


class Ping(XlatTest):
    def test_both_ways(self):
        xlatd = self.xlatd()
        self.ping(self.net.six, FOUR6)
        self.ping(self.net.four, SIX4)
        self.assertGreaterEqual(xlatd.counters()["forwarded"], 12)

    def test_of_every_size(self):
        self.xlatd()
        for size in 0, 1, 57, 1000, 1231, 1232, 1233, 1400, 1451, 1452:
            self.ping(self.net.six, FOUR6, "-s", str(size), count=2)
            self.ping(self.net.four, SIX4, "-s", str(size), count=2)

    def test_fragments_are_refused_and_told(self):
        """Of an ICMP message in fragments no checksum can be mended, and one
        to xlatd itself is not put together."""
        xlatd = self.xlatd()
        for host, to, own in ((self.net.six, FOUR6, OWN6),
                              (self.net.six, OWN6, OWN6),
                              (self.net.four, OWN4, OWN4)):
            before = xlatd.counters().get("fragmented_icmp", 0)
            done = self.run_on(host, "ping", "-n", "-c", "1", "-W", "2", "-s",
                               "2000", to, check=False)
            self.assertIn("From " + own, done.stdout)
            self.assertEqual(xlatd.counters()["fragmented_icmp"], before + 2)

    def test_to_xlatd_itself(self):
        xlatd = self.xlatd()
        self.ping(self.net.six, OWN6)
        self.ping(self.net.four, OWN4)
        self.ping(self.net.six, embedded(OWN4))
        self.assertGreaterEqual(xlatd.counters()["echo_replies"], 6)

    def test_ttl_runs_out(self):
        self.xlatd()
        for host, address, own, ttl in (
                (self.net.six, FOUR6, OWN6, 3), (self.net.four, SIX4, OWN4,
                                                 3)):
            done = self.run_on(host, "ping", "-n", "-c", "1", "-W", "2", "-t",
                               str(ttl), address, check=False)
            self.assertRegex(done.stdout, "From %s .*(exceeded|Hop limit)" %
                             re.escape(own), done.stdout)

    def test_tos_is_copied(self):
        self.xlatd()
        with self.net.four:
            sniffer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sniffer.setsockopt(socket.IPPROTO_IP, 13, 1)    # IP_RECVTOS
        sniffer.bind((FOUR, 4000))
        sniffer.settimeout(20)
        with self.net.six:
            sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 0xb8)
        sender.sendto(b"x", (FOUR6, 4000))
        _, ancillary, _, source = sniffer.recvmsg(10, 100)
        self.assertEqual(ancillary[0][2][0], 0xb8)
        self.assertEqual(source[0], SIX4)
        sniffer.close()
        sender.close()


class Routers(XlatTest):
    """Traceroutes name the true routers, of both families."""

    def hops(self, host, *command):
        done = self.run_on(host, *command)
        return re.findall(r"^ *\d+[. |-]+(\S+)", done.stdout, re.M)

    def test_traceroute_from_ipv6(self):
        self.xlatd()
        for method in (), ("-I",), ("-T",):
            hops = self.hops(self.net.six, *TRACEROUTE, *method, FOUR6)
            self.assertEqual(hops, [R6[0], X6, OWN6, embedded(X4),
                                    embedded(R4[1]), embedded(FOUR)], method)

    def test_traceroute_from_ipv4(self):
        xlatd = self.xlatd()
        hops = self.hops(self.net.four, *TRACEROUTE, SIX4)
        for _ in range(10):
            # Which router gets which of 16 addresses is a matter of chance.
            if hops[3] != hops[4]:
                break
            xlatd.reload()
            hops = self.hops(self.net.four, *TRACEROUTE, SIX4)
        for method in (), ("-I",), ("-T",):
            hops = self.hops(self.net.four, *TRACEROUTE, *method, SIX4)
            self.assertEqual(len(hops), 6, hops)
            self.assertEqual(hops[:3], [R4[0], X4, OWN4])
            self.assertTrue(is_router4(hops[3]), hops)
            self.assertTrue(is_router4(hops[4]), hops)
            self.assertNotEqual(hops[3], hops[4])
            self.assertEqual(hops[5], SIX4)

    def test_mtr(self):
        self.xlatd()
        hops = self.hops(self.net.four, "mtr", "-n", "-c", "2", "-i", "0.1",
                         "-G", "1", "--report", SIX4)
        self.assertEqual(len(hops), 6, hops)
        self.assertEqual(hops[5], SIX4)


class Web(XlatTest):
    def fetch(self, host, url, *options):
        with host:
            done = run("curl", "-sS", "--noproxy", "*", "--max-time", "30",
                       *options, "-o", self.folder + "/page", url)
        with open(self.folder + "/page", "rb") as file:
            return done, file.read()

    def test_curl_both_ways(self):
        self.xlatd()
        self.web_server(self.net.four, FOUR, CONTENT)
        self.web_server(self.net.six, SIX, CONTENT)
        for host, at in ((self.net.six, "[%s]" % FOUR6),
                         (self.net.four, SIX4)):
            self.assertEqual(self.fetch(host, "http://%s/" % at)[1], CONTENT)

    def test_small_segments(self):
        self.xlatd()
        self.web_server(self.net.four, FOUR, CONTENT)
        self.net.six.ip("-6", "route", "add", "2001:db8:64::/96", "via", R6[0],
                        "advmss", "300")
        self.addCleanup(self.net.six.ip, "-6", "route", "del",
                        "2001:db8:64::/96")
        _, page = self.fetch(self.net.six, "http://[%s]/" % FOUR6)
        self.assertEqual(page, CONTENT)

    def test_refused_connections(self):
        self.xlatd()
        for host, address in (self.net.six, FOUR6), (self.net.four, SIX4):
            with self.assertRaises(ConnectionRefusedError):
                host.connect(address, 81)


class Udp(XlatTest):
    def sockets(self, host, address, *connected):
        with host:
            sock = socket.socket(socket.AF_INET6 if ":" in address else
                                 socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, 0))
        sock.settimeout(20)
        self.addCleanup(sock.close)
        if connected:
            sock.connect(connected)
        return sock

    def test_datagrams_of_every_size_both_ways(self):
        """Those beyond the MTU come in fragments, and are checked by UDP."""
        self.xlatd()
        six = self.sockets(self.net.six, SIX)
        four = self.sockets(self.net.four, FOUR)
        four.setsockopt(socket.IPPROTO_IP, 10, 0)   # MTU_DISCOVER, DONT
        ports = six.getsockname()[1], four.getsockname()[1]
        for size in (0, 1, 2, 100, 1231, 1232, 1233, 1400, 1451, 1452, 1453,
                     1472, 1473, 3000, 9001, 40000, 65000):
            data = bytes(i * 7 % 256 for i in range(size))
            six.sendto(data, (FOUR6, ports[1]))
            self.assertEqual(four.recvfrom(70000),
                             (data, (SIX4, ports[0])), size)
            four.sendto(data, (SIX4, ports[0]))
            got, source = six.recvfrom(70000)
            self.assertEqual((got, source[1]), (data, ports[1]), size)
            self.assertEqual(source[0], embedded(FOUR))

    def test_a_zero_checksum(self):
        """What IPv4 may leave out IPv6 must have (RFC 7915 4.5)."""
        for setting, arrives in (("compute", True), ("drop", False)):
            xlatd = self.xlatd(udp_zero_checksum='"%s"' % setting)
            six = self.sockets(self.net.six, SIX)
            four = self.sockets(self.net.four, FOUR)
            four.setsockopt(socket.SOL_SOCKET, 11, 1)   # SO_NO_CHECK
            port = six.getsockname()[1]
            for size in 1, 2, 77, 1400:
                four.sendto(b"z" * size, (SIX4, port))
                if arrives:
                    self.assertEqual(six.recv(2000), b"z" * size)
            if not arrives:
                wait_for(lambda: xlatd.counters().get("udp_no_checksum") == 4,
                         "all are dropped")
            xlatd.stop()

    def test_nobody_listens(self):
        """The error names the right flow, or the kernel would not give it to
        the socket."""
        self.xlatd()
        for host, own, address in ((self.net.six, SIX, FOUR6),
                                   (self.net.four, FOUR, SIX4)):
            sock = self.sockets(host, own, address, 4321)
            for size in 10, 1200:
                with self.assertRaises(ConnectionRefusedError):
                    sock.send(b"x" * size)
                    sock.recv(1)

    def test_unreachable_hosts(self):
        self.xlatd()
        self.net.r4.ip("route", "add", "unreachable", "203.0.113.99/32")
        self.net.r4.ip("route", "add", "prohibit", "203.0.113.98/32")
        self.addCleanup(self.net.r4.ip, "route", "del", "203.0.113.99/32")
        self.addCleanup(self.net.r4.ip, "route", "del", "203.0.113.98/32")
        for address, error in (("203.0.113.99", OSError),
                               ("203.0.113.98", PermissionError)):
            sock = self.sockets(self.net.six, SIX, embedded(address), 4321)
            sock.setsockopt(socket.IPPROTO_IPV6, 25, 1)     # IPV6_RECVERR
            with self.assertRaises(error) as caught:
                sock.send(b"x")
                sock.recv(1)
            self.assertNotIsInstance(caught.exception, socket.timeout)


class Hairpin(XlatTest):
    """An IPv6 host reaches another by its IPv4 address, embedded."""

    def setUp(self):
        super().setUp()
        self.net.r6.ip("-6", "address", "add", HAIRPIN6 + "/64", "dev", "six",
                       "nodad")
        self.addCleanup(self.net.r6.ip, "-6", "address", "del",
                        HAIRPIN6 + "/64", "dev", "six")

    def check(self, **settings):
        mapping = '[ "%s %s", "%s %s" ]' % (SIX4, SIX, HAIRPIN4, HAIRPIN6)
        xlatd = self.xlatd(mapping=mapping, **settings)
        self.ping(self.net.six, embedded(HAIRPIN4), "-s", "1300")
        listener = self.net.r6.listen(HAIRPIN6, 8080)
        client = self.net.six.connect(embedded(HAIRPIN4), 8080)
        server, peer = listener.accept()
        server.settimeout(30)
        self.assertEqual(peer[0], embedded(SIX4))

        def serve():
            with server:
                server.sendall(CONTENT)
        serving = threading.Thread(target=serve)
        serving.start()
        self.assertEqual(recv_all(client), CONTENT)
        serving.join()
        listener.close()
        return xlatd

    def test_intrinsic(self):
        xlatd = self.check()
        self.assertGreater(xlatd.counters()["hairpinned"], 10)

    def test_simple(self):
        xlatd = self.check(hairpinning='"simple"', routes='[ "%s/32", "%s/32",'
                           ' "2001:db8:64::/96" ]' % (SIX4, HAIRPIN4))
        self.assertNotIn("hairpinned", xlatd.counters())


class Odd(XlatTest):
    """Packets that ordinary programs do not send."""

    def raw(self, host, protocol, v6=False):
        with host:
            sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET,
                                 socket.SOCK_RAW, protocol)
        sock.settimeout(20)
        self.addCleanup(sock.close)
        return sock

    def test_an_unknown_protocol_is_passed_on(self):
        self.xlatd()
        at_six = self.raw(self.net.six, 253, v6=True)
        at_four = self.raw(self.net.four, 253)
        at_six.sendto(b"experiment", (FOUR6, 0))
        packet, source = at_four.recvfrom(2000)
        self.assertEqual(packet[20:], b"experiment")
        self.assertEqual(source[0], SIX4)
        at_four.sendto(b"another", (SIX4, 0))
        packet, source = at_six.recvfrom(2000)
        self.assertEqual(packet, b"another")
        self.assertEqual(source[0], embedded(FOUR))

    def test_a_source_nobody_maps(self):
        self.net.six.address("eth0", "2001:db8:6::99/64")
        self.addCleanup(self.net.six.ip, "address", "del",
                        "2001:db8:6::99/64", "dev", "eth0")
        xlatd = self.xlatd(options=["-v"])
        done = self.run_on(self.net.six, "ping", "-n", "-c", "3", "-W", "2",
                           "-I", "2001:db8:6::99", FOUR6, check=False)
        self.assertIn("From %s" % OWN6, done.stdout)
        line = xlatd.wait_log("reason=source_unmapped")
        self.assertIn('rule="RFC 7915', line)
        self.assertIn("2001:db8:6::99", line)
        self.assertIn("ICMPv6", line)

    def test_drops_are_not_logged_unless_asked_for(self):
        xlatd = self.xlatd()
        sock = self.raw(self.net.six, 17, v6=True)
        sock.sendto(struct.pack("!HHHH", 1, 2, 9, 0) + b"x", (FOUR6, 0))
        self.ping(self.net.six, FOUR6)
        self.assertFalse(xlatd.log("reason="))

    def test_logged_drops_are_limited(self):
        xlatd = self.xlatd(top={"log_drops": "true"})
        self.ping(self.net.six, FOUR6)
        with self.net.six:
            sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 3)
        began = time.monotonic()
        for _ in range(50):
            for _ in range(10):
                sock.sendto(b"x", (FOUR6, 9))
            time.sleep(0.001)
        sock.close()
        wait_for(lambda: xlatd.counters().get("hop_limit") == 500,
                 "all are dropped")
        lines = len(xlatd.log("reason=hop_limit"))
        # At once, and a second.
        self.assertLessEqual(lines, 41 + 20 * (time.monotonic() - began))
        self.assertGreater(lines, 10)


if __name__ == "__main__":
    unittest.main()
