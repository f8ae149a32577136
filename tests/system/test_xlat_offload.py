# SPDX-License-Identifier: ISC
"""xlatd and offloads: super-packets and partial checksums, from and to hosts
and links that have them or have not.

On a plain veth a wrong partial checksum goes unnoticed, for nobody completes
it.  Where a link has "tx off" the kernel completes it before the link, and the
receiver, which gets no word that it is good, verifies it.
"""
import hashlib
import json
import socket
import struct
import threading
import unittest

from lib import run
from xlat_lib import FOUR, FOUR6, SIX, SIX4, XlatTest

DATA = hashlib.sha256(b"offload").digest() * 200000     # 6.4 MB
UDP_SEGMENT, SOL_UDP = 103, 17

# What links can have; (cable, ethtool -K settings) for both ends of it, or
# for the translator's host's end of x4 and x6.
LINKS = {
    "all": (),
    # The kernel completes and segments behind the translator, on both sides.
    "none behind": (("x4", "tx off"), ("x6", "tx off")),
    "none before": (("six", "tx off"), ("four", "tx off")),
    "no tso behind": (("x4", "tso off gso off"), ("x6", "tso off gso off")),
    # Packets come one by one, and are put together, or not.
    "mtu-sized, gro": (("six", "tso off gso off gro on"),
                       ("four", "tso off gso off gro on"),
                       ("v4", "gro on"), ("v6", "gro on")),
    "nothing anywhere": tuple((cable, "tx off rx off gro off gso off tso off")
                              for cable in ("six", "v6", "v4", "four")),
}
USUAL = "tx on rx on gso on tso on gro off"


class Offload(XlatTest):
    def links(self, name):
        for cable, settings in LINKS[name]:
            self.addCleanup(self.net.offloads, cable, *USUAL.split())
            self.net.offloads(cable, *settings.split())

    def transfer(self, server, client, address, at):
        """DATA both ways through one TCP connection at once."""
        listener = server.listen(address, 7000)
        connection = client.connect(at, 7000)
        accepted, _ = listener.accept()
        listener.close()
        ends = connection, accepted
        for end in ends:
            end.settimeout(60)

        def send(end):
            end.sendall(DATA)
            end.shutdown(socket.SHUT_WR)
        senders = [threading.Thread(target=send, args=(end,)) for end in ends]
        for sender in senders:
            sender.start()
        received = [None, None]

        def receive(i):
            parts = [ends[i].recv(1 << 18)]
            while parts[-1]:
                parts.append(ends[i].recv(1 << 18))
            received[i] = b"".join(parts)
        receivers = [threading.Thread(target=receive, args=(i,))
                     for i in (0, 1)]
        for receiver in receivers:
            receiver.start()
        for thread in senders + receivers:
            thread.join(70)
        for end in ends:
            end.close()
        self.assertEqual([len(data or b"") for data in received],
                         [len(DATA)] * 2)
        self.assertEqual(received, [DATA] * 2)

    def datagrams(self, sender, receiver, source, at, size, count):
        """`count` datagrams in one system call, as QUIC stacks send them."""
        with sender:
            out = socket.socket(socket.AF_INET6 if ":" in source else
                                socket.AF_INET, socket.SOCK_DGRAM)
        with receiver:
            into = socket.socket(socket.AF_INET6 if ":" in at[1] else
                                 socket.AF_INET, socket.SOCK_DGRAM)
        into.bind((at[1], 0))
        into.settimeout(20)
        into.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        out.bind((source, 0))
        out.setsockopt(SOL_UDP, UDP_SEGMENT, size)
        data = b"".join(struct.pack("!H", i) * (size // 2)
                        for i in range(count - 1)) + b"!"
        try:
            out.sendto(data, (at[0], into.getsockname()[1]))
            got = [into.recv(2000) for _ in range(count)]
        finally:
            out.close()
            into.close()
        self.assertEqual(b"".join(got), data)
        self.assertEqual({len(one) for one in got[:-1]}, {size})

    def check(self, links, offload=True):
        xlatd = self.xlatd(offload="true" if offload else "false")
        self.ping(self.net.six, FOUR6)
        self.links(links)
        self.transfer(self.net.four, self.net.six, FOUR, FOUR6)
        self.transfer(self.net.six, self.net.four, SIX, SIX4)
        tcp = xlatd.counters().get("super_packets", 0)
        for size in 2, 1200, 1300:
            self.datagrams(self.net.six, self.net.four, SIX, (FOUR6, FOUR),
                           size, 40)
            self.datagrams(self.net.four, self.net.six, FOUR, (SIX4, SIX),
                           size, 40)
        return tcp, xlatd.counters().get("super_packets", 0) - tcp

    def test_links_with_all_offloads(self):
        tcp, udp = self.check("all")
        self.assertGreater(tcp, 100)
        self.assertEqual(udp, 6)

    def test_checksums_are_completed_behind_us(self):
        self.assertGreater(self.check("none behind")[0], 100)

    def test_checksums_are_complete_before_us(self):
        self.check("none before")

    def test_segments_are_made_behind_us(self):
        self.assertGreater(self.check("no tso behind")[0], 100)

    def test_packets_from_real_links(self):
        self.check("mtu-sized, gro")

    def test_links_without_any(self):
        self.check("nothing anywhere")

    def test_xlatd_without_any(self):
        self.assertEqual(self.check("all", offload=False), (0, 0))

    def test_xlatd_without_any_and_checksums_behind_us(self):
        self.assertEqual(self.check("none behind", offload=False), (0, 0))

    def test_nobody_has_any(self):
        self.assertEqual(self.check("nothing anywhere", offload=False),
                         (0, 0))

    def test_offload_is_taken_over_by_a_reload(self):
        xlatd = self.xlatd()
        for offload in "false", "true":
            xlatd.reload(offload=offload)
            before = xlatd.counters().get("super_packets", 0)
            self.transfer(self.net.four, self.net.six, FOUR, FOUR6)
            seen = xlatd.counters().get("super_packets", 0) - before
            self.assertEqual(seen > 0, offload == "true", seen)

    def test_ecn_is_kept(self):
        """TCP marks super-packets with ECN, and congestion comes back."""
        for host in self.net.six, self.net.four:
            with host:
                run("sysctl", "-q", "net.ipv4.tcp_ecn=1")
                self.addCleanup(self.run_on, host, "sysctl", "-q",
                                "net.ipv4.tcp_ecn=2")
        xlatd = self.xlatd()
        self.transfer(self.net.four, self.net.six, FOUR, FOUR6)
        self.transfer(self.net.six, self.net.four, SIX, SIX4)
        self.assertGreater(xlatd.counters()["super_packets"], 100)
        with self.net.four:
            text = run("nstat", "-az", "IpExtInECT0Pkts").stdout
        self.assertGreater(int(text.split("IpExtInECT0Pkts")[1].split()[0]),
                           100)


class Iperf(XlatTest):
    def test_both_ways(self):
        self.xlatd()
        self.iperf_server(self.net.four)
        self.iperf_server(self.net.six)
        for host, address in (self.net.six, FOUR6), (self.net.four, SIX4):
            for options in (), ("-R",), ("-P", "4"), ("-P", "4", "-R"):
                end = self.iperf(host, address, *options)
                self.assertGreater(end["sum_received"]["bytes"], 1 << 20)

    def test_udp(self):
        """xlatd loses nothing of what it reads; on a busy machine a receiver
        may, and the kernel before us."""
        xlatd = self.xlatd()
        self.iperf_server(self.net.four)
        self.iperf_server(self.net.six)
        for host, address in (self.net.six, FOUR6), (self.net.four, SIX4):
            for options in (), ("-R",):
                end = self.iperf(host, address, "-u", "-b", "20M", "-l",
                                 "1300", *options)
                self.assertLess(end["sum"]["lost_percent"], 50)
                self.assertGreater(end["sum"]["packets"], 100)
        link, = json.loads(self.run_on(
            self.net.xlat, "ip", "-j", "-s", "link", "show", "nat64").stdout)
        read = link["stats64"]["tx"]["packets"]
        self.assertGreater(read, 400)
        self.assertGreater(xlatd.counters()["forwarded"], 0.998 * read)


if __name__ == "__main__":
    unittest.main()
