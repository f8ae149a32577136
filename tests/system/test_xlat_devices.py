# SPDX-License-Identifier: ISC
"""xlatd's devices: MTU, addresses, routes, queues, several instances."""
import contextlib
import os
import signal
import socket
import time
import unittest

from lib import wait_for
from xlat_lib import FOUR, FOUR6, OWN4, OWN6, PREFIX, SIX, SIX4, XLATD, \
    Xlatd, XlatTest


class Devices(XlatTest):
    def routes(self):
        return self.run_on(self.net.xlat, "ip", "route", "show", "dev",
                           "nat64").stdout + \
            self.run_on(self.net.xlat, "ip", "-6", "route", "show", "dev",
                        "nat64").stdout

    def test_setup(self):
        self.xlatd(mtu="1480", addresses='[ "192.0.2.9/32", '
                   '"2001:db8:46::9/64" ]')
        text = self.run_on(self.net.xlat, "ip", "address", "show", "nat64"
                           ).stdout
        for part in ("mtu 1480", "inet 192.0.2.9/32",
                     "inet6 2001:db8:46::9/64", "UP"):
            self.assertIn(part, text)
        self.assertNotIn("fe80", text)
        routes = self.routes()
        for route in SIX4, OWN4, OWN6, PREFIX, "192.0.2.240/28":
            self.assertIn(route, routes)

    def test_setup_follows_a_reload(self):
        xlatd = self.xlatd(addresses='[ "192.0.2.9/32" ]')
        xlatd.reload(routes='[ "%s/32", "%s", "198.18.0.0/15" ]' % (
            SIX4, PREFIX), addresses='[ "192.0.2.10/32" ]')
        routes = self.routes()
        self.assertIn("198.18.0.0/15", routes)
        self.assertIn(SIX4, routes)
        text = self.run_on(self.net.xlat, "ip", "address", "show", "nat64"
                           ).stdout
        self.assertIn("192.0.2.10/32", text)
        self.assertNotIn("192.0.2.9/32", text)
        # A route that leads elsewhere: nothing changes.
        xlatd.reload(routes='[ "198.19.0.0/16", "203.0.113.0/24" ]',
                     mtu="1400", accepted=False)
        self.assertEqual(self.routes(), routes)
        self.assert_mtu(1500)
        self.ping(self.net.six, FOUR6)

    def test_a_reload_without_addresses_keeps_the_routes(self):
        """The kernel takes them with the device's last IPv4 address."""
        xlatd = self.xlatd(addresses='[ "192.0.2.9/32" ]')
        routes = set(self.routes().split("\n"))
        xlatd.reload(addresses="[ ]")
        self.assertEqual(set(self.routes().split("\n")), routes)
        self.ping(self.net.six, FOUR6)

    def test_a_reload_gives_again_what_was_lost(self):
        xlatd = self.xlatd(addresses='[ "192.0.2.9/32" ]')
        routes = set(self.routes().split("\n"))
        for state in "down", "up":
            self.net.xlat.ip("link", "set", "nat64", state)
        self.assertNotIn(SIX4, self.routes())
        xlatd.reload()
        self.assertEqual(set(self.routes().split("\n")), routes)
        self.ping(self.net.six, FOUR6)

    def assert_mtu(self, mtu):
        self.assertIn(" mtu %d " % mtu, self.run_on(
            self.net.xlat, "ip", "link", "show", "nat64").stdout)

    def test_a_later_instance_that_is_refused(self):
        """What was done for the first is undone."""
        xlatd = self.xlatd(mtu="1480")
        routes = self.routes()
        xlatd.more = """, { device = "second"; setup = true;
            ipv4_address = "192.0.2.2"; ipv6_address = "2001:db8:46::2";
            prefixes = ( { prefix = "2001:db8:65::/96"; } );
            mapping = [ "192.0.2.66 2001:db8:6::66" ];
            routes = [ "203.0.113.0/24" ]; }"""
        mark = xlatd.reload(mtu="1400", routes='[ "198.19.0.0/16" ]',
                            accepted=False)
        xlatd.wait_log("device second: route to 203.0.113.0/24: ", mark)
        self.assertEqual(self.routes(), routes)
        self.assert_mtu(1480)
        self.ping(self.net.six, FOUR6)
        xlatd.more = ""
        xlatd.reload(mtu="1400")
        self.assert_mtu(1400)

    def test_a_persistent_device_stays(self):
        self.net.xlat.ip("tuntap", "add", "mode", "tun", "name", "nat64")
        self.addCleanup(self.net.xlat.ip, "link", "del", "nat64")
        for _ in range(2):
            xlatd = self.xlatd()
            self.wait_carrier(self.net.xlat, "nat64")
            self.ping(self.net.six, FOUR6)
            self.assertIn(SIX4, self.routes())
            xlatd.stop()
            self.assertNotIn(SIX4, self.routes())

    def test_a_persistent_device_gets_its_mtu_back(self):
        ip = self.net.xlat.ip
        ip("tuntap", "add", "mode", "tun", "name", "nat64")
        self.addCleanup(ip, "link", "del", "nat64")
        ip("link", "set", "nat64", "mtu", "1600")
        xlatd = self.xlatd(mtu="1480")
        self.assert_mtu(1480)
        xlatd.reload(mtu="1400")
        self.assert_mtu(1400)
        xlatd.reload(mtu=None)
        self.assert_mtu(1600)
        xlatd.reload(mtu="1480")
        self.assert_mtu(1480)
        xlatd.stop()
        self.assert_mtu(1600)
        # What the administrator sets meanwhile stays.
        xlatd = self.xlatd(mtu="1480")
        ip("link", "set", "nat64", "mtu", "1700")
        xlatd.stop()
        self.assert_mtu(1700)

    def test_what_the_administrator_made_before(self):
        """As users of TAYGA have it: it is taken as it is, and stays if
        there is no start."""
        ip = self.net.xlat.ip
        ip("tuntap", "add", "mode", "tun", "name", "nat64")
        self.addCleanup(ip, "link", "del", "nat64")
        ip("link", "set", "nat64", "up")
        ip("address", "add", "192.0.2.9/32", "dev", "nat64")
        ip("route", "add", SIX4, "dev", "nat64")
        ip("-6", "route", "add", PREFIX, "dev", "nat64")
        before = self.routes()
        xlatd = Xlatd(self.folder, start=False,
                      addresses='[ "192.0.2.9/32" ]',
                      routes='[ "%s/32", "203.0.113.0/24" ]' % SIX4)
        done = self.run_on(self.net.xlat, XLATD, "-f", xlatd.config,
                           check=False)
        self.assertIn("203.0.113.0/24: there is one that leads elsewhere",
                      done.stderr)
        for route in before.splitlines():
            self.assertIn(route.split()[0] + " ", self.routes())
        self.assertIn("192.0.2.9", self.run_on(
            self.net.xlat, "ip", "address", "show", "nat64").stdout)
        self.xlatd(addresses='[ "192.0.2.9/32" ]')
        self.wait_carrier(self.net.xlat, "nat64")
        self.ping(self.net.six, FOUR6)

    def test_a_persistent_device_with_several_queues(self):
        self.net.xlat.ip("tuntap", "add", "mode", "tun", "name", "nat64",
                         "multi_queue")
        self.addCleanup(self.net.xlat.ip, "link", "del", "nat64")
        for queues in "2", "1":
            xlatd = self.xlatd(queues=queues)
            self.assertEqual(len(xlatd.workers()), int(queues))
            self.wait_carrier(self.net.xlat, "nat64")
            self.ping(self.net.six, FOUR6)
            xlatd.stop()

    def test_a_persistent_device_with_too_few_queues(self):
        self.net.xlat.ip("tuntap", "add", "mode", "tun", "name", "nat64")
        self.addCleanup(self.net.xlat.ip, "link", "del", "nat64")
        xlatd = Xlatd(self.folder, start=False, queues="2")
        done = self.run_on(self.net.xlat, XLATD, "-f", xlatd.config,
                           check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("made without multi_queue", done.stderr)

    def test_several_queues(self):
        xlatd = self.xlatd(queues="4")
        self.assertEqual(len(xlatd.workers()), 4)
        self.iperf_server(self.net.four)
        for options in (), ("-R",):
            self.iperf(self.net.six, FOUR6, "-P", "8", *options)
        self.ping(self.net.six, FOUR6)
        self.ping(self.net.four, SIX4)

    def test_several_instances(self):
        """Each with its device, prefix and mappings."""
        self.net.r4.ip("route", "add", "192.0.2.66", "via", "198.51.100.1")
        self.addCleanup(self.net.r4.ip, "route", "del", "192.0.2.66")
        xlatd = self.xlatd(more=""", {
            device = "second"; setup = true; ipv4_address = "192.0.2.2";
            ipv6_address = "2001:db8:46::2";
            prefixes = ( { prefix = "2001:db8:65::/96"; } );
            mapping = [ "192.0.2.66 %s" ];
            routes = [ "192.0.2.66", "2001:db8:65::/96" ]; }""" % SIX)
        self.ping(self.net.six, FOUR6)
        self.ping(self.net.six, "2001:db8:65::" + FOUR)
        self.ping(self.net.four, SIX4)
        self.ping(self.net.four, "192.0.2.66")
        for device in "nat64", "second":
            self.assertGreater(xlatd.counters(device)["forwarded"], 10)
        # One goes, and the other has not noticed.
        xlatd.more = ""
        xlatd.write_config()
        xlatd.reload()
        self.assertNotIn("second", self.run_on(self.net.xlat, "ip", "link"
                                               ).stdout)
        self.ping(self.net.six, FOUR6)

    def test_several_daemons(self):
        """Side by side, and none notices when another ends."""
        self.net.r4.ip("route", "add", "192.0.2.66", "via", "198.51.100.1")
        self.addCleanup(self.net.r4.ip, "route", "del", "192.0.2.66")
        first = self.xlatd()
        second = self.xlatd(
            device='"second"', ipv4_address='"192.0.2.2"',
            ipv6_address='"2001:db8:46::2"', icmp=None,
            prefixes='( { prefix = "2001:db8:65::/96"; } )',
            mapping='[ "192.0.2.66 %s" ]' % SIX,
            routes='[ "192.0.2.66", "2001:db8:65::/96" ]')
        self.ping(self.net.six, FOUR6)
        self.ping(self.net.six, "2001:db8:65::" + FOUR)
        self.ping(self.net.four, "192.0.2.66")
        self.assertGreaterEqual(second.counters("second")["forwarded"], 12)
        second.stop()
        self.ping(self.net.six, FOUR6)
        self.ping(self.net.four, SIX4)
        self.assertGreaterEqual(first.counters()["forwarded"], 18)

    def test_what_the_kernel_does_not_take(self):
        """Packets that were read before the device went down are counted."""
        xlatd = self.xlatd()
        self.ping(self.net.six, FOUR6)
        with self.net.six:
            sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.addCleanup(sock.close)

        def signal_workers(number):
            for pid in xlatd.workers():
                # On a slow machine it may have been replaced by now.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

        def counted():
            signal_workers(signal.SIGSTOP)
            for _ in range(5):
                sock.sendto(b"x", (FOUR6, 9))
            time.sleep(0.1)     # until they are in the device's queue
            self.net.xlat.ip("link", "set", "nat64", "down")
            signal_workers(signal.SIGCONT)
            time.sleep(0.1)
            self.net.xlat.ip("link", "set", "nat64", "up")
            xlatd.reload()
            return xlatd.counters().get("write_failed")
        wait_for(counted, "a write that failed")
        self.ping(self.net.six, FOUR6)


if __name__ == "__main__":
    unittest.main()
