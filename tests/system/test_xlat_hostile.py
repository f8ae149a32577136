# SPDX-License-Identifier: ISC
"""xlatd between two attackers: the test vectors, right and spoilt, from both
sides at once through a real device.  Nothing of it may end a worker, and
whoever uses it meanwhile must not notice."""
import glob
import os
import random
import re
import socket
import unittest

import lib
from lib import run, wait_for
from xlat_lib import FOUR, FOUR6, OWN4, OWN6, SIX, SIX4, XlatTest

VECTORS = os.path.join(lib.TOP, "tests/vectors/xlat")
HOST4, HOST6 = "192.0.2.9", "2001:db8:1::1"     # the vectors' VM...
VECTOR_HOST4 = "192.0.2.1"
LINK_MAX = 1500
COPIES = 12             # of each packet, all but the first spoilt
HEADERS = 120           # octets in which it is spoilt


def checksum(header):
    total = sum(int.from_bytes(header[i:i + 2], "big")
                for i in range(0, len(header), 2))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def vectors(prefix):
    """The packets of NAME.in that begin with it, if a link can carry them and
    they need no offload."""
    for path in sorted(glob.glob(os.path.join(VECTORS, prefix + "*.in"))):
        with open(path) as file:
            config, _, octets = file.read().partition("\npacket\n")
        packet = bytes.fromhex(octets.replace("\n", ""))
        if "\noffload" not in config and 20 <= len(packet) <= LINK_MAX:
            yield packet


def ours4(packet):
    """The vectors' VM and translator have other addresses here.  (Transport
    checksums are wrong then; all but ICMP's is only ever updated.)"""
    packet = bytearray(packet)
    for at in 12, 16:
        for theirs, our in (VECTOR_HOST4, HOST4), ("192.0.2.254", OWN4):
            if packet[at:at + 4] == socket.inet_aton(theirs):
                packet[at:at + 4] = socket.inet_aton(our)
    return packet


def repaired4(packet):
    """With a header that the kernel forwards, as far as can be."""
    header = 4 * (packet[0] & 15)
    if 20 <= header <= len(packet):
        packet[10:12] = b"\0\0"
        packet[10:12] = checksum(packet[:header]).to_bytes(2, "big")
    return packet


def ours6(packet):
    packet = bytearray(packet)
    if packet[24:40] == socket.inet_pton(socket.AF_INET6, "2001:db8:ffff::1"):
        packet[24:40] = socket.inet_pton(socket.AF_INET6, OWN6)
    return packet


def spoilt(packet, chance):
    packet = bytearray(packet)
    end = 8 * min(len(packet), HEADERS)
    for _ in range(chance.choice((1, 1, 2, 8))):
        bit = chance.randrange(end)
        packet[bit // 8] ^= 1 << bit % 8
    if chance.random() < 0.1:
        del packet[chance.randrange(20, len(packet) + 1):]
    return packet


class Hostile(XlatTest):
    def raw(self, host, link):
        """A socket that puts packets on a link as they are, and the address
        of the other end."""
        with host:
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
        self.addCleanup(sock.close)
        with self.net.xlat:
            text = run("ip", "-o", "link", "show", link).stdout
        return sock, bytes.fromhex(re.search(
            r"link/ether (\S+)", text).group(1).replace(":", ""))

    def catch_up(self):
        """Until xlatd has had all before: on a busy machine its queue would
        overflow, and nothing be tested."""
        wait_for(lambda: self.run_on(
            self.net.six, "ping", "-n", "-c", "1", "-W", "1", FOUR6,
            check=False).returncode == 0, "a ping is answered")

    def test_vectors_from_both_sides(self):
        chance = random.Random(7915)
        xlatd = self.xlatd(
            mapping='[ "%s %s", "%s %s" ]' % (SIX4, SIX, HOST4, HOST6),
            routes='[ "%s", "%s", "2001:db8:64::/96", "2001:db8:1::/48", '
                   '"198.51.100.7" ]' % (SIX4, HOST4),
            icmp={"rate": "1000000", "peer_rate": "1000000",
                  "burst": "1000000", "peer_burst": "1000000"})
        workers = xlatd.workers()
        from6, mac6 = self.raw(self.net.r6, "v6")
        from4, mac4 = self.raw(self.net.r4, "v4")
        packets = []
        for original in vectors("6to"):
            packets += [(from6, 0x86dd, mac6, ours6(
                original if i == 0 else spoilt(original, chance)))
                for i in range(COPIES)]
        for original in vectors("4to"):
            packets += [(from4, 0x800, mac4, repaired4(ours4(
                original if i == 0 else spoilt(original, chance))))
                for i in range(COPIES)]
        self.assertGreater(len(packets), 5000)
        chance.shuffle(packets)
        for i, (sock, protocol, mac, packet) in enumerate(packets):
            sock.sendto(packet, ("xlat", protocol, 0, 0, mac))
            if i % 200 == 0:
                self.catch_up()
        self.catch_up()
        self.ping(self.net.six, FOUR6)
        self.ping(self.net.four, SIX4)
        counters = wait_for(xlatd.counters, "counters")
        self.assertEqual(xlatd.workers(), workers)
        self.assertEqual(xlatd.log("error:|fatal:|worker ended"), [])
        # It was not the kernel that kept them from us.
        reached = counters["in4_packets"] + counters["in6_packets"]
        self.assertGreater(reached, len(packets) / 2)
        for reason in ("hop_limit", "bad_fragment", "icmp_inner", "too_short",
                       "fragmented_icmp", "icmp_type", "icmp_code",
                       "extension_headers", "source_unmapped"):
            self.assertGreater(counters.get(reason, 0), 0, counters)


if __name__ == "__main__":
    unittest.main()
