# SPDX-License-Identifier: ISC
"""xlatd's dynamic pool: leases, and what they outlive."""
import os
import re
import signal
import socket
import time
import unittest

from lib import wait_for
from xlat_lib import FOUR, FOUR6, POOL, SIX, SIX4, XLATD, Xlatd, XlatTest


class Pool(XlatTest):
    """Hosts that no mapping holds get an address, and keep it."""

    HOSTS = ["2001:db8:6::%d" % i for i in range(100, 104)]

    def setUp(self):
        super().setUp()
        for host in self.HOSTS:
            self.net.six.address("eth0", host + "/64")
            self.addCleanup(self.net.six.ip, "address", "del", host + "/64",
                            "dev", "eth0")
        self.net.r4.ip("route", "replace", POOL, "via", "198.51.100.1")
        self.leases = os.path.join(self.folder, "leases")
        with self.net.four:
            self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind((FOUR, 7001))
        self.server.settimeout(3)
        self.addCleanup(self.server.close)

    def pool(self, **settings):
        values = {"prefix": '"%s"' % POOL, "leases": '"%s"' % self.leases}
        values.update(settings)
        return self.xlatd(dynamic_pool=values)

    def address_of(self, host):
        """What four sees of it."""
        with self.net.six:
            sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sock.bind((host, 0))
        try:
            for _ in range(5):
                sock.sendto(b"who am I", (FOUR6, 7001))
                try:
                    data, source = self.server.recvfrom(100)
                    self.server.sendto(data, source)
                    sock.settimeout(3)
                    self.assertEqual(sock.recv(100), b"who am I")
                    return source[0]
                except socket.timeout:
                    pass
            raise AssertionError("no answer to " + host)
        finally:
            sock.close()

    def test_each_host_has_one_of_its_own_and_can_be_reached(self):
        self.pool()
        addresses = [self.address_of(host) for host in self.HOSTS]
        self.assertEqual(len(set(addresses)), len(self.HOSTS))
        for address in addresses:
            self.assertRegex(address, r"^192\.0\.2\.1[234]\d$")
            self.ping(self.net.four, address)
        self.assertEqual([self.address_of(host) for host in self.HOSTS],
                         addresses)
        # A mapping counts more.
        self.assertEqual(self.address_of(SIX), SIX4)

    def test_leases_outlive_restart_reload_and_crash(self):
        xlatd = self.pool()
        addresses = [self.address_of(host) for host in self.HOSTS]
        xlatd.stop()
        with open(self.leases) as file:
            self.assertEqual(len(file.readlines()), len(self.HOSTS))
        xlatd = self.pool()
        xlatd.wait_log("4 of 14 addresses of the pool are lent")
        self.assertEqual([self.address_of(host)
                          for host in reversed(self.HOSTS)],
                         addresses[::-1])
        xlatd.reload()
        self.assertEqual([self.address_of(host)
                          for host in reversed(self.HOSTS)],
                         addresses[::-1])
        workers = xlatd.workers()
        os.kill(workers[0], signal.SIGKILL)
        wait_for(lambda: xlatd.workers() and xlatd.workers() != workers,
                 "another worker")
        self.assertEqual([self.address_of(host)
                          for host in reversed(self.HOSTS)],
                         addresses[::-1])

    def test_what_is_lent_during_a_reload_is_handed_over(self):
        """The next worker is made from what was lent until then."""
        path = os.path.join(self.folder, "many.map")
        with open(path, "w") as file:
            file.writelines("10.%d.%d.%d 2001:db8:e::%x:%x\n" % (
                i >> 16, i >> 8 & 255, i & 255, i >> 16, i & 0xffff)
                for i in range(200000))
        xlatd = self.xlatd(mapping_files='[ "%s" ]' % path, dynamic_pool={
            "prefix": '"%s"' % POOL, "leases": '"%s"' % self.leases})
        self.address_of(self.HOSTS[0])
        mark = xlatd.log_mark()
        xlatd.signal(signal.SIGHUP)
        time.sleep(0.05)
        xlatd.signal(signal.SIGSTOP)    # in the midst of it
        try:
            addresses = [self.address_of(host) for host in self.HOSTS]
            self.assertFalse(xlatd.log("reloaded", mark), "it was too fast")
        finally:
            xlatd.signal(signal.SIGCONT)
        xlatd.wait_log("info: reloaded", mark)
        self.assertEqual([self.address_of(host)
                          for host in reversed(self.HOSTS)],
                         addresses[::-1])

    def test_leases_are_written_soon(self):
        xlatd = self.pool()
        address = self.address_of(self.HOSTS[0])

        def written():
            if os.path.exists(self.leases):
                with open(self.leases) as file:
                    return file.read()
        self.assertRegex(wait_for(written, "they are written"),
                         r"^%s %s \d+\n$" % (re.escape(address),
                                             self.HOSTS[0]))
        # A crash of everything loses nothing that was written.
        xlatd.ends_with = -signal.SIGKILL
        for pid in xlatd.workers() + [xlatd.pid]:
            os.kill(pid, signal.SIGKILL)
        xlatd.process.wait()
        wait_for(lambda: "nat64" not in self.run_on(
            self.net.xlat, "ip", "link").stdout, "the device goes")
        xlatd = self.pool()
        xlatd.wait_log("1 of 14 addresses of the pool are lent")
        self.assertEqual(self.address_of(self.HOSTS[0]), address)

    def test_an_exhausted_pool(self):
        xlatd = self.pool(prefix='"192.0.2.128/31"')
        addresses = [self.address_of(host) for host in self.HOSTS[:2]]
        self.assertEqual(set(addresses), {"192.0.2.128", "192.0.2.129"})
        done = self.run_on(self.net.six, "ping", "-n", "-c", "1", "-W", "1",
                           "-I", self.HOSTS[2], FOUR6, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertGreater(xlatd.counters()["pool_exhausted"], 0)

    def test_an_address_is_lent_again_after_the_lease_time(self):
        self.pool(prefix='"192.0.2.128/32"', lease_time="1")
        self.assertEqual(self.address_of(self.HOSTS[0]), "192.0.2.128")
        time.sleep(2.5)
        self.assertEqual(self.address_of(self.HOSTS[1]), "192.0.2.128")

    def test_leases_that_cannot_be_written(self):
        folder = os.path.join(self.folder, "missing")
        self.leases = os.path.join(folder, "leases")
        xlatd = Xlatd(self.folder, start=False, dynamic_pool={
            "prefix": '"%s"' % POOL, "leases": '"%s"' % self.leases})
        done = self.run_on(self.net.xlat, XLATD, "-f", xlatd.config,
                           check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "folder of .*No such file")
        os.mkdir(folder)
        xlatd = self.pool()
        os.rmdir(folder)
        self.address_of(self.HOSTS[0])
        xlatd.wait_log("warning: device nat64: leases are not written: .*No "
                       "such file or directory")


if __name__ == "__main__":
    unittest.main()
