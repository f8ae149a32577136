# SPDX-License-Identifier: ISC
"""xlatd's processes: crashes, signals, reloads."""
import os
import signal
import socket
import threading
import time
import unittest

import lib
from lib import alive, wait_for
from xlat_lib import FOUR, FOUR6, POOL, SIX, SIX4, XLATD, Xlatd, XlatTest


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


if __name__ == "__main__":
    unittest.main()
