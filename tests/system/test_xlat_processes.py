# SPDX-License-Identifier: ISC
"""xlatd's processes: rights, crashes, reloads, instances, devices, leases."""
import os
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

import lib
from lib import alive, run, status_of, wait_for
from xlat_lib import FOUR, FOUR6, OWN4, OWN6, PREFIX, SIX, SIX4, XLATD, \
    Xlatd, XlatTest

POOL = "192.0.2.128/28"


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


class Processes(XlatTest):
    def test_a_killed_worker_is_replaced(self):
        xlatd = self.xlatd()
        before = xlatd.workers()
        os.kill(before[0], signal.SIGKILL)
        wait_for(lambda: xlatd.workers() and xlatd.workers() != before,
                 "another worker")
        self.ping(self.net.six, FOUR6)

    def test_a_stopped_worker_is_replaced(self):
        xlatd = self.xlatd()
        before = xlatd.workers()
        os.kill(before[0], signal.SIGSTOP)
        wait_for(lambda: xlatd.workers() and xlatd.workers() != before,
                 "another worker")
        self.ping(self.net.six, FOUR6)

    def test_workers_end_with_the_master(self):
        xlatd = self.xlatd()
        xlatd.ends_with = -signal.SIGKILL
        workers = xlatd.workers()
        xlatd.process.kill()
        xlatd.process.wait()
        wait_for(lambda: not any(map(alive, workers)), "workers end")
        wait_for(lambda: "nat64" not in self.run_on(
            self.net.xlat, "ip", "link").stdout, "the device goes")

    def test_sigterm_ends_all_and_tells_the_counters(self):
        xlatd = self.xlatd()
        self.ping(self.net.six, FOUR6)
        xlatd.process.terminate()
        self.assertEqual(xlatd.process.wait(20), 0)
        line = xlatd.wait_log("info: counters device=nat64 ")
        self.assertGreaterEqual(int(lib.log_fields(line)["forwarded"]), 6)
        self.assertTrue(xlatd.log("info: stopped"))

    def test_a_service_manager_is_told(self):
        path = os.path.join(self.folder, "notify")
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(path)
        manager.settimeout(30)
        self.addCleanup(manager.close)
        os.environ["NOTIFY_SOCKET"] = path
        try:
            xlatd = self.xlatd()
        finally:
            del os.environ["NOTIFY_SOCKET"]
        self.assertIn(b"READY=1", manager.recv(1000))
        xlatd.reload()
        self.assertIn(b"RELOADING=1", manager.recv(1000))
        self.assertIn(b"READY=1", manager.recv(1000))
        xlatd.reload(colour='"red"', accepted=False)
        self.assertIn(b"RELOADING=1", manager.recv(1000))
        self.assertIn(b"reload refused", manager.recv(1000))
        xlatd.process.terminate()
        self.assertIn(b"STOPPING=1", manager.recv(1000))

    def test_the_log_file_is_reopened_on_sigusr1(self):
        path = os.path.join(self.folder, "log")
        os.chmod(self.folder, 0o777)
        xlatd = Xlatd(self.folder, start=False, top={"log": '"%s"' % path})
        xlatd.watch(xlatd.host.start(XLATD, "-f", xlatd.config))
        self.addCleanup(xlatd.stop)

        def has(name, text):
            with open(name) as file:
                return text in file.read()
        wait_for(lambda: os.path.exists(path) and has(path, "ready"), "ready")
        os.rename(path, path + ".1")
        xlatd.signal(signal.SIGUSR1)
        wait_for(lambda: os.path.exists(path) and has(path, "counters"),
                 "the new file has the counters")

    def test_a_removed_device_ends_it(self):
        xlatd = self.xlatd()
        xlatd.ends_with = 1
        self.net.xlat.ip("link", "del", "nat64")
        self.assertEqual(xlatd.process.wait(30), 1)
        xlatd.wait_log("error: device nat64 was removed")


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


class Reload(XlatTest):
    def mapping_file(self, xlatd, n, last=""):
        """Of n mappings that nobody uses, and six's."""
        lines = ["10.%d.%d.%d 2001:db8:e::%x:%x\n" % (
            i >> 16, i >> 8 & 255, i & 255, i >> 16, i & 0xffff)
            for i in range(n)]
        return xlatd.write("map", "".join(lines) + "%s %s\n%s" % (
            SIX4, SIX, last))

    def prepared(self, n, **settings):
        xlatd = Xlatd(self.folder, start=False, mapping=None, **settings)
        path = self.mapping_file(xlatd, n)
        xlatd.settings["mapping_files"] = '[ "%s" ]' % path
        xlatd.write_config()
        began = time.monotonic()
        xlatd.start()
        xlatd.start_s = time.monotonic() - began
        self.addCleanup(xlatd.stop)
        return xlatd

    def test_mappings_come_and_go(self):
        xlatd = self.xlatd()
        self.ping(self.net.four, SIX4)
        xlatd.reload(mapping='[ "192.0.2.7 %s" ]' % SIX)
        done = self.run_on(self.net.four, "ping", "-n", "-c", "1", "-W", "1",
                           SIX4, check=False)
        self.assertEqual(done.returncode, 1)
        xlatd.reload(mapping='[ "%s %s" ]' % (SIX4, SIX))
        self.ping(self.net.four, SIX4)

    def test_a_bad_file_changes_nothing(self):
        xlatd = self.prepared(10)
        self.mapping_file(xlatd, 10, "%s 2001:db8::9\n" % SIX4)
        mark = xlatd.reload(accepted=False)
        xlatd.wait_log(r"error: .*\.map:12: .*\.map:11", mark)
        self.ping(self.net.four, SIX4)
        self.mapping_file(xlatd, 20)
        mark = xlatd.reload()
        xlatd.wait_log("reloaded: 1 instance, 21 mappings", mark)

    def lossless(self, xlatd, reloads):
        """Datagrams both ways during reloads: all come back, in time.  No
        more are under way at once than all queues hold, so that none is lost
        where a machine is slow."""
        self.ping(self.net.six, FOUR6)
        echo = self.net.four
        with echo:
            server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((FOUR, 7000))
        server.settimeout(0.5)
        with self.net.six:
            client = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        client.settimeout(0.5)
        client.connect((FOUR6, 7000))
        for sock in server, client:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        stop, all_sent, answered = (threading.Event() for _ in range(3))

        def serve():
            while not answered.is_set():
                try:
                    data, source = server.recvfrom(2000)
                    server.sendto(data, source)
                except socket.timeout:
                    pass
        sent, got, slowest = [0], set(), [0.0]

        def send():
            while not stop.is_set():
                if sent[0] - len(got) > 200:
                    time.sleep(0.0002)
                    continue
                now = time.monotonic()
                client.send(b"%d %.6f" % (sent[0], now))
                sent[0] += 1
                time.sleep(0.0002)
            all_sent.set()

        def receive():
            silent = 0      # half seconds, after the last was sent
            while silent < 20 and not (all_sent.is_set() and
                                       len(got) == sent[0]):
                try:
                    number, when = client.recv(2000).split()
                except socket.timeout:
                    silent += all_sent.is_set()
                    continue
                got.add(int(number))
                slowest[0] = max(slowest[0],
                                 time.monotonic() - float(when))
        threads = [threading.Thread(target=each)
                   for each in (send, receive, serve)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(reloads):
                xlatd.reload()
                time.sleep(0.05)
        finally:
            stop.set()
            for thread in threads[:2]:
                thread.join()
            answered.set()
            threads[2].join()
            server.close()
            client.close()
        self.assertGreater(sent[0], 200)
        self.assertEqual(len(got), sent[0], "datagrams were lost")
        return sent[0], slowest[0]

    def test_no_packet_is_lost(self):
        sent, slowest = self.lossless(self.xlatd(), 20)
        print("20 reloads: %d datagrams, slowest %d ms" % (
            sent, slowest * 1000))

    def test_no_packet_is_lost_with_a_dynamic_pool(self):
        xlatd = self.xlatd(mapping=None, dynamic_pool={
            "prefix": '"%s"' % POOL, "leases": '"%s/leases"' % self.folder})
        self.net.r4.ip("route", "replace", POOL, "via", "198.51.100.1")
        sent, slowest = self.lossless(xlatd, 20)
        print("20 reloads with a pool: %d datagrams, slowest %d ms" % (
            sent, slowest * 1000))

    def test_three_hundred_thousand_mappings(self):
        n = 300000
        xlatd = self.prepared(n)
        xlatd.wait_log("ready: 1 instance, %d mappings" % (n + 1))
        began = time.monotonic()
        sent, slowest = self.lossless(xlatd, 2)
        reload_s = (time.monotonic() - began) / 2
        print("%d mappings: start %.1f s, reload %.1f s, slowest of %d "
              "datagrams meanwhile %d ms" % (
                  n, xlatd.start_s, reload_s, sent, slowest * 1000))
        # The tables alone take longer to build.
        self.assertLess(slowest, max(0.3, reload_s / 4))

    def test_many_signals_coalesce(self):
        xlatd = self.xlatd()
        mark = xlatd.log_mark()
        for _ in range(50):
            xlatd.signal(signal.SIGHUP)
        xlatd.wait_log("info: reloaded", mark)
        time.sleep(0.5)
        self.assertLess(len(xlatd.log("info: reloaded", mark)), 50)
        self.ping(self.net.six, FOUR6)
        self.assertEqual(len(xlatd.workers()), 1)

    def test_counters_outlive_workers(self):
        xlatd = self.xlatd()
        self.ping(self.net.six, FOUR6)
        before = xlatd.counters()["forwarded"]
        xlatd.reload()
        time.sleep(0.3)
        self.assertGreaterEqual(xlatd.counters()["forwarded"], before)


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
        addresses = [self.address_of(host) for host in self.HOSTS]
        self.assertFalse(xlatd.log("reloaded", mark), "it was too fast")
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
