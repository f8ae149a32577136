# SPDX-License-Identifier: ISC
"""SIGHUP: a new mapping under traffic, or none."""
import os
import signal
import subprocess
import time
import unittest

from lib import (VM, SystemTest, recv_all, request, sha256, wait_for)

NAMES = "one.example.com %s\ntwo.example.com %s\n" % (VM[1], VM[2])
NEW = "new.example.com %s\n" % VM[1]


class Reload(SystemTest):
    needs_nginx = True

    def transfer(self, *args):
        with self.world.client:
            process = subprocess.Popen(
                self.world.curl_args(*args), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_new_names_while_transfers_run(self):
        proxyd = self.proxyd(NAMES)
        big = self.world.path("www/big")
        slow = ("--limit-rate", "5M")       # more than six seconds
        copies, transfers = [], []
        for scheme in ("http", "https"):
            for name in ("one", "two"):
                url = "%s://%s.example.com/" % (scheme, name)
                down = self.world.path("down-%s-%s" % (scheme, name))
                stored = "in/%s-%s" % (scheme, name)
                transfers.append(self.transfer(url + "big", *slow, "-o",
                                               down))
                transfers.append(self.transfer(url + stored, *slow, "-T",
                                               big))
                copies += [down, self.world.path("www/" + stored)]
        time.sleep(0.3)
        self.assertIn("404", self.world.curl(
            "http://new.example.com/who", "-i").stdout)
        proxyd.reload(NAMES + NEW)
        self.assertEqual(self.world.curl("https://new.example.com/who")
                         .stdout, "one https new.example.com\n")
        for _ in range(3):
            proxyd.reload("# nothing left\n")
            proxyd.reload(NEW)
        running = [t for t in transfers if t.poll() is None]
        self.assertEqual(len(running), len(transfers),
                         "transfers were over too early to show anything")
        for transfer in transfers:
            self.assertEqual(transfer.wait(60), 0, transfer.stdout.read())
        for copy in copies:
            with self.subTest(copy=copy):
                self.assertEqual(sha256(copy), sha256(big))
            os.unlink(copy)
        self.assertIn("404", self.world.curl(
            "http://one.example.com/who", "-i").stdout)

    def test_a_bad_file_changes_nothing(self):
        proxyd = self.proxyd(NAMES)
        for bad, place in (
                (NEW + "oops\n", ":2: "),
                (NEW + "x.example.com 192.0.2.1\n", ":2: "),
                (NEW + "x.example.com 2001:db9::1\n", ":2: "),
                (NEW + "\n" + NEW, ":3: "),
                (NEW + "x.example.com %s colour=red\n" % VM[1], ":2: ")):
            with self.subTest(bad=bad):
                mark = proxyd.reload(bad, accepted=False)
                proxyd.wait_log("error: .*%s.map%s" % (proxyd.name, place),
                                mark)
                self.assertEqual(
                    self.world.curl("http://one.example.com/who").stdout,
                    "one http one.example.com\n")
                self.assertIn("404", self.world.curl(
                    "http://new.example.com/who", "-i").stdout)
        proxyd.reload(NAMES + NEW)
        self.assertEqual(self.world.curl("http://new.example.com/who")
                         .stdout, "one http new.example.com\n")

    def test_a_bad_configuration_changes_nothing(self):
        proxyd = self.proxyd(NAMES)
        mark = proxyd.log_mark()
        proxyd.write_config(timeouts={"peek": '"long"'})
        proxyd.reload(accepted=False)
        proxyd.wait_log(r"error: .*%s.conf:\d+: timeouts.peek: " %
                        proxyd.name, mark)
        self.world.curl("http://one.example.com/who")

    def test_listeners_come_and_go(self):
        proxyd = self.proxyd(NAMES)
        self.assertRaises(ConnectionRefusedError, self.connect, 8080)
        proxyd.write_config(listeners='({ address = "192.0.2.10"; '
                            'port = 8080; protocol = "http"; })',
                            default_target='"%s"' % VM[4])
        listener = self.listen(VM[4], 8080)
        proxyd.reload()
        client = self.connect(8080)
        client.sendall(request("not.example.com"))
        self.accept(listener)
        wait_for(lambda: self.refused(80), "port 80 is closed")

    def refused(self, port):
        try:
            self.connect(port)
        except ConnectionRefusedError:
            return True
        return False

    def test_many_signals_coalesce(self):
        proxyd = self.proxyd(NAMES)
        mark = proxyd.log_mark()
        proxyd.write_mapping(NAMES + NEW)
        for i in range(200):
            proxyd.signal(signal.SIGHUP)
            time.sleep((i % 10) * 0.0003)

        def adopted():
            answer = self.world.curl("http://new.example.com/who").stdout
            return answer == "one http new.example.com\n"
        wait_for(adopted, "the last signal's mapping is used")
        time.sleep(0.5)
        self.assertLess(len(proxyd.log("info: reloaded", mark)), 200)


class Million(SystemTest):
    needs_nginx = True
    COUNT = 1000000

    def mapping(self, first):
        lines = ["%s.%d.example.net %s\n" % ("shop" if i % 2 else "www", i,
                                             VM[2 if i % 7 else 1])
                 for i in range(first, first + self.COUNT)]
        return "".join(lines)

    def test_a_million_names(self):
        start = time.monotonic()
        proxyd = self.proxyd(start=False)
        proxyd.write_mapping(self.mapping(0))
        written = time.monotonic()
        proxyd.start()
        started = time.monotonic()
        proxyd.wait_log("ready: .* 1000000 names")
        self.assertEqual(
            self.world.curl("http://shop.999997.example.net/who").stdout,
            "two http shop.999997.example.net\n")
        proxyd.write_mapping(self.mapping(10))
        reload = time.monotonic()
        proxyd.signal(signal.SIGHUP)
        # Nobody waits for it meanwhile.
        slowest = 0.0
        while not proxyd.log("info: reloaded: 1000000 names"):
            before = time.monotonic()
            client = self.connect(80)
            client.sendall(request("nobody.example.net"))
            self.assertTrue(recv_all(client).startswith(b"HTTP/1.1 404"))
            slowest = max(slowest, time.monotonic() - before)
            self.assertLess(before - reload, 120)
        reload = time.monotonic() - reload
        # A worker that made the table itself would need half of that.
        self.assertLess(slowest, max(0.5, reload / 6))
        self.assertEqual(
            self.world.curl("http://shop.1000009.example.net/who").stdout,
            "two http shop.1000009.example.net\n")
        self.assertIn("404", self.world.curl(
            "http://shop.9.example.net/who", "-i").stdout)
        self.assertLess(started - written, 120)
        os.unlink(proxyd.map_path)
        print("million names: made %.1f s, start %.1f s, reload %.1f s, "
              "slowest answer meanwhile %.0f ms" % (
                  written - start, started - written, reload,
                  slowest * 1000))


if __name__ == "__main__":
    unittest.main()
