# SPDX-License-Identifier: ISC
"""xlatd's command line and configuration, and what rights it needs and has."""
import os
import re
import subprocess
import unittest

import lib
from lib import run, status_of
from xlat_lib import FOUR6, OWN4, OWN6, PREFIX, SIX4, XLATD, Xlatd, XlatTest


class Commands(XlatTest):
    def config(self, **settings):
        return Xlatd(self.folder, start=False, **settings)

    def command(self, *args):
        with self.net.xlat:
            return run(XLATD, *args, check=False)

    def assert_refused(self, xlatd, pattern, options=(["-t"], ["-T"], [])):
        for option in options:
            done = self.command(*option, "-f", xlatd.config)
            self.assertEqual(done.returncode, 1, done)
            self.assertRegex(done.stderr, re.compile(pattern, re.M))
            self.assertEqual(done.stdout, "")

    def test_t_says_ok(self):
        xlatd = self.config()
        done = self.command("-t", "-f", xlatd.config)
        self.assertEqual(
            (done.returncode, done.stdout, done.stderr),
            (0, xlatd.config + ": ok, 1 instance, 1 mapping\n", ""))

    def test_T_prints_what_it_accepts(self):
        first = self.command("-T", "-f", self.config().config)
        self.assertEqual(first.returncode, 0, first.stderr)
        for text in ('device = "nat64"', OWN4, OWN6, PREFIX, "rate = 1000"):
            self.assertIn(text, first.stdout)
        path = os.path.join(self.folder, "effective.conf")
        with open(path, "w") as file:
            file.write(first.stdout)
        self.assertEqual(self.command("-T", "-f", path).stdout, first.stdout)

    def test_V_and_usage(self):
        done = self.command("-V")
        self.assertEqual(done.returncode, 0)
        for text in ("xlatd", "libevent 2.", "libconfig 1."):
            self.assertIn(text, done.stdout)
        for args in (["-x"], ["word"], ["-f"]):
            done = self.command(*args)
            self.assertEqual(done.returncode, 1)
            self.assertIn("usage: xlatd", done.stderr)

    def test_bad_settings_name_file_and_line(self):
        for settings, pattern in (
                ({"colour": '"red"'}, r"conf:\d+: instances\[0\]\.colour: "),
                ({"queues": "65"}, r":\d+: instances\[0\]\.queues: "),
                ({"top": {"user": '"no-such-user"'}},
                 r":\d+: user: .*no-such-user"),
                ({"top": {"user": '"root"'}}, r":\d+: user: "),
                ({"mapping": '[ "192.0.2.6" ]'}, r"conf:\d+: "),
                ({"mapping": '[ "192.0.2.6 2001:db8::1", "192.0.2.6 '
                  '2001:db8::2" ]'}, r"conf:\d+: .*conf:\d+$"),
                ({"mapping_files": '[ "no.map" ]'},
                 r"conf:\d+: mapping_files\[0\]: .*no\.map")):
            with self.subTest(settings=settings):
                self.assert_refused(self.config(**settings), pattern)

    def test_an_address_that_is_routed_elsewhere(self):
        xlatd = self.config(routes='[ "203.0.113.0/24" ]')
        self.assert_refused(xlatd, "device nat64: route to 203.0.113.0/24: "
                            "there is one that leads elsewhere", ([],))
        with self.net.xlat:
            self.assertNotIn("nat64", run("ip", "link").stdout)

    def test_a_device_that_is_something_else(self):
        xlatd = self.config(device='"v6"')
        self.assert_refused(xlatd, "device v6: is no TUN device", ([],))

    def test_a_device_that_somebody_has(self):
        self.xlatd()
        self.assert_refused(self.config(), "device nat64: another program "
                            "has it", ([],))


class Rights(XlatTest):
    def as_nobody(self, *args):
        with self.net.xlat:
            return run("setpriv", "--reuid", "nobody", "--regid", "nogroup",
                       "--clear-groups", "--inh-caps=-all",
                       "--bounding-set=-all", XLATD, *args, check=False)

    def test_workers_have_none(self):
        xlatd = self.xlatd()
        workers = xlatd.workers()
        self.assertEqual(len(workers), 1)
        worker = status_of(workers[0])
        self.assertEqual(worker["Uid"].split(), ["65534"] * 4)
        for kind in "CapInh", "CapPrm", "CapEff":
            self.assertEqual(int(worker[kind], 16), 0, kind)
        self.assertEqual(worker["NoNewPrivs"], "1")
        if not lib.sanitized(XLATD):
            self.assertEqual(worker["Seccomp"], "2")
        master = status_of(xlatd.pid)
        # CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_NET_ADMIN
        self.assertEqual(int(master["CapEff"], 16),
                         1 << 5 | 1 << 6 | 1 << 7 | 1 << 12)

    def test_workers_hold_nothing_but_their_queue(self):
        xlatd = self.xlatd(queues="2", more=""", {
            device = "other"; ipv4_address = "192.0.2.2";
            ipv6_address = "2001:db8:46::2"; translatable = [ "10.0.0.0/8" ];
            }""")
        workers = xlatd.workers()
        self.assertEqual(len(workers), 3)
        for pid in workers:
            names = [os.readlink("/proc/%d/fd/%s" % (pid, fd))
                     for fd in os.listdir("/proc/%d/fd" % pid)]
            self.assertEqual(names.count("/dev/net/tun"), 1, names)
            self.assertFalse([name for name in names if ".conf" in name])
            self.assertLessEqual(len(names), 6, names)

    def test_without_rights_it_says_what_it_lacks(self):
        xlatd = Xlatd(self.folder, start=False)
        done = self.as_nobody("-f", xlatd.config)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "/dev/net/tun: Permission denied|"
                         "device nat64: making it needs CAP_NET_ADMIN; or "
                         "have root make it for this user: ip tuntap add")

    def test_setup_needs_rights(self):
        self.make_device()
        xlatd = Xlatd(self.folder, start=False)
        done = self.as_nobody("-f", xlatd.config)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "needs CAP_NET_ADMIN|Permission denied")

    def make_device(self, *options):
        self.net.xlat.ip("tuntap", "add", "mode", "tun", "name", "nat64",
                         "user", "nobody", *options)
        self.addCleanup(self.net.xlat.ip, "link", "del", "nat64")
        mode = os.stat("/dev/net/tun").st_mode
        os.chmod("/dev/net/tun", 0o666)
        self.addCleanup(os.chmod, "/dev/net/tun", mode)

    def test_it_runs_without_any(self):
        """With a device that root made and set up."""
        self.make_device()
        for args in (("link", "set", "nat64", "up"),
                     ("route", "add", SIX4, "dev", "nat64"),
                     ("route", "add", OWN4, "dev", "nat64"),
                     ("-6", "route", "add", PREFIX, "dev", "nat64")):
            self.net.xlat.ip(*args)
        xlatd = Xlatd(self.folder, start=False, setup=None, routes=None)
        with self.net.xlat:
            xlatd.watch(subprocess.Popen(
                ["setpriv", "--reuid", "nobody", "--regid", "nogroup",
                 "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
                 "--pdeathsig", "KILL", XLATD, "-f", xlatd.config],
                stderr=subprocess.PIPE))
        self.addCleanup(xlatd.stop)
        xlatd.wait_log("info: ready")
        self.assertEqual(int(status_of(xlatd.pid)["CapEff"], 16), 0)
        self.wait_carrier(self.net.xlat, "nat64")
        self.ping(self.net.six, FOUR6)
        self.ping(self.net.four, SIX4)
        self.ping(self.net.four, OWN4)


if __name__ == "__main__":
    unittest.main()
