# SPDX-License-Identifier: ISC
"""Master and workers: who may what, and who survives whom."""
import contextlib
import os
import pwd
import signal
import socket
import subprocess
import time
import unittest

from lib import (PROXYD, VM, SystemTest, alive, comm, recv_all, request,
                 status_of, wait_for)

RAW = "raw.example.com %s\n" % VM[3]
SOON = 5.0      # what takes less than a second on a machine of its own


class Workers(SystemTest):
    def setUp(self):
        super().setUp()
        self.running = self.proxyd(RAW)
        self.listener = self.listen(VM[3], 443)

    def open_connections(self, n=40):
        """Connections, as {client's port: (client, vm)}."""
        pairs = {}
        for _ in range(n):
            client, vm = self.relayed(self.listener)
            pairs[client.getsockname()[1]] = (client, vm)
        return pairs

    def works(self, client, vm):
        try:
            self.assert_echo(client, vm)
            return True
        except (OSError, AssertionError):
            return False

    def refused_at_once(self, seconds):
        """Ask for an unmapped name over and over; returns the slowest
        answer's time, and fails if there is none."""
        end = time.monotonic() + seconds
        slowest = 0.0
        while time.monotonic() < end:
            before = time.monotonic()
            client = self.world.client.connect("192.0.2.10", 80)
            with client:
                client.sendall(request("not.example.com"))
                self.assertTrue(recv_all(client).startswith(
                    b"HTTP/1.1 404"))
            slowest = max(slowest, time.monotonic() - before)
        return slowest

    def replaced(self, pid, timeout=SOON):
        wait_for(lambda: pid not in self.running.workers() and
                 len(self.running.workers()) == 2,
                 "another worker in the place of %d" % pid, timeout)

    def assert_only_its_own_fail(self, pairs, owned):
        for port, (client, vm) in pairs.items():
            self.assertEqual(self.works(client, vm), port not in owned,
                             "port %d" % port)

    def victim(self, pairs):
        """A worker with some of the connections, and their ports."""
        connections = self.running.connections()
        self.assertEqual(set().union(*connections.values()), set(pairs))
        pid = max(connections, key=lambda pid: len(connections[pid]))
        self.assertIn(pid, self.running.workers())
        return pid, connections[pid]

    def test_a_killed_worker_is_replaced(self):
        pairs = self.open_connections()
        pid, owned = self.victim(pairs)
        os.kill(pid, signal.SIGKILL)
        self.replaced(pid)
        self.running.wait_log(r"warning: worker \d \(pid %d\) ended: "
                              r"signal 9; starting another" % pid)
        self.refused_at_once(0.3)
        self.assert_only_its_own_fail(pairs, owned)
        self.open_connections(20)

    def test_a_stopped_worker_is_replaced(self):
        pairs = self.open_connections()
        pid, owned = self.victim(pairs)
        others = {port: pair for port, pair in pairs.items()
                  if port not in owned}
        os.kill(pid, signal.SIGSTOP)
        for client, vm in others.values():
            self.assertTrue(self.works(client, vm))
        self.replaced(pid)
        self.assert_only_its_own_fail(pairs, owned)
        self.refused_at_once(0.3)

    def test_a_worker_stopped_for_a_moment_goes_on(self):
        pairs = self.open_connections(10)
        pid, _ = self.victim(pairs)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.1)
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.8)
        self.assertIn(pid, self.running.workers())
        for client, vm in pairs.values():
            self.assertTrue(self.works(client, vm))

    def test_a_crash_loop_strands_nobody(self):
        pairs = self.open_connections()
        pid, owned = self.victim(pairs)
        other, = set(self.running.workers()) - {pid}
        for _ in range(8):
            for pid in set(self.running.workers()) - {other}:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self.refused_at_once(0.1)
        self.assertIn(other, self.running.workers())
        wait_for(lambda: len(self.running.workers()) == 2,
                 "a second worker after the crashes", SOON)
        self.assert_only_its_own_fail(pairs, owned)

    def test_all_workers_killed_at_once(self):
        before = self.running.workers()
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: len(set(self.running.workers()) - set(before)) == 2,
                 "two new workers", SOON)
        self.refused_at_once(0.1)

    def test_workers_outlive_the_master_until_they_are_done(self):
        pairs = self.open_connections(6)
        workers = self.running.workers()
        os.kill(self.running.pid, signal.SIGKILL)
        self.running.process.wait()
        self.addCleanup(setattr, self.running, "process", None)
        wait_for(self.port_closed, "nobody accepts any more")
        for client, vm in pairs.values():
            self.assertTrue(self.works(client, vm))
        for client, vm in pairs.values():
            client.close()
            vm.close()
        wait_for(lambda: not any(map(alive, workers)), "workers have ended")

    def port_closed(self):
        try:
            self.world.client.connect("192.0.2.10", 80).close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            pass    # it was in the queue when that closed
        return False

    def test_sigterm_lets_connections_finish(self):
        pairs = self.open_connections(6)
        self.running.signal(signal.SIGTERM)
        wait_for(self.port_closed, "nobody accepts any more")
        for client, vm in pairs.values():
            self.assertTrue(self.works(client, vm))
            client.close()
            vm.close()
        self.assertEqual(self.running.process.wait(20), 0)
        self.assertEqual(len(self.running.log("reason=done")), 6)

    def test_a_second_sigterm_ends_at_once(self):
        self.open_connections(6)
        self.running.signal(signal.SIGTERM)
        wait_for(self.port_closed, "nobody accepts any more")
        self.assertIsNone(self.running.process.poll())
        self.running.signal(signal.SIGTERM)
        self.assertEqual(self.running.process.wait(20), 0)
        self.running.wait_log("reason=shutdown", count=6)

    def test_names_and_rights(self):
        nobody = str(pwd.getpwnam("nobody").pw_uid)
        workers = self.running.workers()
        self.assertEqual(len(workers), 2)
        for pid in workers:
            status = status_of(pid)
            self.assertEqual(set(status["Uid"].split()), {nobody})
            self.assertEqual(status["Groups"].split(), [])
            self.assertEqual(status["NoNewPrivs"], "1")
            for key in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                self.assertEqual(int(status[key], 16), 0, key)
        # bind, become another user and group, kill: 10, 7, 6, 5
        allowed = 1 << 10 | 1 << 7 | 1 << 6 | 1 << 5
        master = status_of(self.running.pid)
        self.assertEqual(int(master["CapEff"], 16) & ~allowed, 0)
        self.assertEqual(int(master["CapPrm"], 16) & ~allowed, 0)
        self.assertEqual(comm(self.running.pid), "proxyd")

    def test_workers_hold_no_descriptors_of_others(self):
        paths = []
        for pid in self.running.workers():
            folder = "/proc/%d/fd" % pid
            paths += [os.readlink(os.path.join(folder, fd))
                      for fd in os.listdir(folder)]
        for path in paths:
            self.assertFalse(path.endswith((".map", ".conf")), path)
            self.assertFalse("signalfd" in path, path)


class Shutdown(SystemTest):
    def test_patience_ends(self):
        proxyd = self.proxyd(RAW, timeouts={"shutdown": "0.5"})
        listener = self.listen(VM[3], 443)
        self.relayed(listener)
        start = time.monotonic()
        proxyd.signal(signal.SIGTERM)
        self.assertEqual(proxyd.process.wait(30), 0)
        self.assertTrue(0.4 < time.monotonic() - start < 10)
        proxyd.wait_log("reason=shutdown")

    def test_a_service_manager_is_told(self):
        path = self.world.path("notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind(path)
            sock.settimeout(30)
            self.addCleanup(os.unlink, path)
            proxyd = self.proxyd(RAW, env={"NOTIFY_SOCKET": path})
            self.assertIn(b"READY=1", sock.recv(1000))
            proxyd.reload(RAW)
            self.assertRegex(sock.recv(1000),
                             rb"RELOADING=1\nMONOTONIC_USEC=\d+")
            self.assertIn(b"READY=1", sock.recv(1000))
            proxyd.signal(signal.SIGTERM)
            self.assertIn(b"STOPPING=1", sock.recv(1000))
            self.assertEqual(proxyd.process.wait(30), 0)


class Log(SystemTest):
    def ask(self, times=1):
        for _ in range(times):
            with self.world.client.connect("192.0.2.10", 80) as client:
                client.sendall(request("not.example.com"))
                recv_all(client)

    def test_the_file_is_reopened_on_sigusr1(self):
        path = self.world.path("proxyd.log")
        with open(self.world.path("stderr"), "w") as stderr:
            proxyd = self.proxyd(RAW, log='"%s"' % path, stderr=stderr)

        def log_has(name, text):
            with contextlib.suppress(OSError), open(name) as file:
                return text in file.read()
        wait_for(lambda: log_has(path, "info: ready: "), "a log file")
        os.rename(path, path + ".1")
        proxyd.signal(signal.SIGUSR1)
        wait_for(lambda: os.path.exists(path), "a new log file")
        wait_for(lambda: log_has(path, "reopened"), "lines in it")
        self.ask()
        wait_for(lambda: log_has(path, "not_mapped"), "lines in it")
        self.assertFalse(log_has(path + ".1", "not_mapped"))

    def test_the_journal_gets_priorities(self):
        path = self.world.path("journal")
        writer = open(path, "a")
        self.addCleanup(writer.close)
        reader = open(path)
        self.addCleanup(reader.close)
        at = os.fstat(writer.fileno())

        def line_with(text):
            return wait_for(lambda: next(
                (line for line in reader if text in line), None), text)
        for other, error, info in (0, "<3>", "<6>"), (1, "", ""):
            env = {"JOURNAL_STREAM": "%d:%d" % (at.st_dev, at.st_ino + other)}
            proxyd = self.proxyd(RAW, env=env, stderr=writer)
            self.assertRegex(line_with(" ready: "), "^%s20" % info)
            proxyd.write_mapping("bad\n")
            proxyd.signal(signal.SIGHUP)
            self.assertRegex(line_with(".map:1: "), "^%s20" % error)
            self.assertRegex(line_with(" refused: "), "^%s20" % error)
            proxyd.stop()
            with self.world.pop:
                subprocess.run((PROXYD, "-t", "-f", proxyd.config),
                               env={**os.environ, **env}, stderr=writer)
            self.assertRegex(line_with(".map:1: "), "^%s/" % error)
            proxyd.write_mapping(RAW)
            proxyd.write_config(log='"/no/such/folder"')
            with self.world.pop:
                subprocess.run((PROXYD, "-f", proxyd.config),
                               env={**os.environ, **env}, stderr=writer)
            self.assertRegex(line_with("/no/such"), "^%s/" % error)

    def test_a_log_file_beside_the_journal_has_no_priorities(self):
        path = self.world.path("plain.log")
        with open(self.world.path("stderr"), "w") as stderr:
            at = os.fstat(stderr.fileno())
            self.proxyd(RAW, log='"%s"' % path, stderr=stderr, env={
                "JOURNAL_STREAM": "%d:%d" % (at.st_dev, at.st_ino)})

        def first_line():
            with contextlib.suppress(OSError), open(path) as file:
                return file.readline()
        self.assertRegex(wait_for(first_line, "a line"), "^20")

    def test_no_line_a_connection_if_not_wanted(self):
        proxyd = self.proxyd(RAW, log_connections="false")
        self.ask(3)
        proxyd.stop()
        self.assertEqual(proxyd.log("client="), [])

    def test_a_log_nobody_reads_stops_nobody(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        with open(writer, "w") as stderr:
            self.proxyd(RAW, stderr=stderr)
        wait_for(lambda: not self.closed(), "it listens")
        start = time.monotonic()
        self.ask(7000)    # about 1.4 MiB of lines
        self.assertLess(time.monotonic() - start, 200)

    @staticmethod
    def writer(proxyd):
        wait_for(lambda: proxyd.children("popgate-log"), "a log writer")
        return proxyd.children("popgate-log")[0]

    def test_a_killed_writer_is_replaced(self):
        proxyd = self.proxyd(RAW)
        writer = self.writer(proxyd)
        os.kill(writer, signal.SIGKILL)
        self.ask()
        wait_for(lambda: proxyd.children("popgate-log") not in ([], [writer]),
                 "another log writer", SOON)
        self.ask()
        proxyd.wait_log("not_mapped", count=2)

    def test_a_signal_to_all_processes_is_for_the_master(self):
        # systemctl kill without --kill-whom=main.
        proxyd = self.proxyd(RAW)
        before = self.writer(proxyd), proxyd.workers()
        for number in signal.SIGUSR1, signal.SIGHUP:
            for pid in before[1] + [before[0], proxyd.pid]:
                os.kill(pid, number)
        proxyd.wait_log("info: reloaded: ")
        self.ask()
        proxyd.wait_log("not_mapped")
        self.assertEqual((self.writer(proxyd), proxyd.workers()), before)

    def test_a_writer_that_takes_no_orders_is_replaced(self):
        path = self.world.path("stuck.log")
        with open(self.world.path("stderr"), "w") as stderr:
            proxyd = self.proxyd(RAW, log='"%s"' % path, stderr=stderr)
        wait_for(lambda: os.path.exists(path), "a log file")
        writer = self.writer(proxyd)
        os.kill(writer, signal.SIGSTOP)
        os.rename(path, path + ".1")

        def moved():
            proxyd.signal(signal.SIGUSR1)
            self.ask()
            with contextlib.suppress(OSError), open(path) as file:
                return "not_mapped" in file.read()
        wait_for(moved, "lines in the new file", 30)
        self.assertNotIn(writer, proxyd.children("popgate-log"))

    def closed(self):
        try:
            self.world.client.connect("192.0.2.10", 80).close()
        except ConnectionRefusedError:
            return True
        return False


if __name__ == "__main__":
    unittest.main()
