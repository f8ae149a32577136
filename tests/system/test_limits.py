# SPDX-License-Identifier: ISC
"""Limits over all workers, and what happens when something runs out."""
import contextlib
import os
import pwd
import re
import select
import selectors
import signal
import socket
import threading
import time
import unittest

from lib import (CLIENT6, NO_ANSWER, POP6, VM, SystemTest, client_hello,
                 cpu_seconds, recv_all, recv_exactly, request, run, wait_for)

NAME = "raw.example.com"
RAW = "%s %s\n" % (NAME, VM[3])
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
OTHER4 = "192.0.2.8"
NEIGHBOUR6 = "2001:db8:6::8"        # same /64 as CLIENT6
STRANGER6, STRANGER_NET = "2001:db8:7::7", "2001:db8:7::/64"


def answer(sock):
    """What a client whose request was sent gets: the VM's answer, a refusal
    or "reset"."""
    with contextlib.suppress(ConnectionError):
        got = sock.recv(10000)
        if got.startswith(OK):
            return "served"
        return re.match(rb"HTTP/1.1 (\d+)|$", got).group().decode() or "end"
    return "reset"


class Served(SystemTest):
    """Clients ask a VM that answers everybody."""

    def setUp(self):
        super().setUp()
        self.served = []
        self.listener = self.listen(VM[3])
        self.vm_ends_now = threading.Event()
        self.vm_thread = threading.Thread(target=self.vm)
        self.vm_thread.start()

    def vm(self):
        """Answers every request; one segment is one."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.listener, selectors.EVENT_READ)
            while not self.vm_ends_now.is_set():
                for key, _ in selector.select(0.1):
                    if key.fileobj is self.listener:
                        sock, _ = self.listener.accept()
                        selector.register(sock, selectors.EVENT_READ)
                    else:
                        self.answer(selector, key.fileobj)
            for key in list(selector.get_map().values()):
                key.fileobj.close()

    @staticmethod
    def answer(selector, sock):
        with contextlib.suppress(OSError):
            if sock.recv(10000):
                sock.sendall(OK)
                return
        selector.unregister(sock)
        sock.close()

    def tearDown(self):
        self.vm_ends_now.set()
        self.vm_thread.join()
        for sock in self.served:
            sock.close()

    def limited(self, mapping=RAW, **limits):
        self.running = self.proxyd(mapping, limits={
            key: str(value) for key, value in limits.items()})
        return self.running

    def ask(self, name=NAME, **where):
        """A connection, its request sent; None if it was reset before."""
        with contextlib.suppress(ConnectionError):
            client = self.connect(**where)
            client.sendall(request(name))
            return client
        return None

    def outcomes(self, clients):
        counts = {}
        for client in clients:
            what = "reset" if client is None else answer(client)
            counts[what] = counts.get(what, 0) + 1
            if what == "served":
                self.served.append(client)
            elif client is not None:
                client.close()
        return counts

    def enter(self, n, name=NAME, **where):
        """How often each outcome came, one connection after the other."""
        counts = {}
        for _ in range(n):
            for what in self.outcomes([self.ask(name, **where)]):
                counts[what] = counts.get(what, 0) + 1
        return counts

    @contextlib.contextmanager
    def only_worker(self, number):
        """For a moment the others are stopped."""
        others = self.running.workers()
        others.pop(number)
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in others:
                os.kill(pid, signal.SIGCONT)

    def enter_both(self, n, **where):
        """n connections through each worker; each by itself, as one that is
        stopped for half a second is replaced."""
        for number in (0, 1):
            for _ in range(n):
                with self.only_worker(number):
                    self.assertEqual(self.enter(1, **where), {"served": 1})

    def leave(self, n):
        """End n connections; their lines come before they are counted out
        (for assert_exactly: soon=True)."""
        ports = [sock.getsockname()[1] for sock in self.served[:n]]
        for _ in range(n):
            self.served.pop(0).close()
        self.running.wait_log("info: client=[^ ]*:(%s) .* reason=" %
                              "|".join(map(str, ports)), count=n)

    def assert_exactly(self, n, refusal, name=NAME, soon=False, **where):
        """n more are served, and then none, whichever worker is asked."""
        counts = self.enter(n, name, **where)
        end = time.monotonic() + 5
        while soon and counts.get("served", 0) < n and time.monotonic() < end:
            counts["served"] = counts.get("served", 0) + self.enter(
                1, name, **where).get("served", 0)
        if soon:
            counts.pop(refusal, None)
        self.assertEqual(counts, {"served": n} if n else {})
        self.assertEqual(self.enter(3, name, **where), {refusal: 3})
        for number in (0, 1):
            with self.only_worker(number):
                self.assertEqual(self.enter(1, name, **where), {refusal: 1})


class Limits(Served):
    def test_connections(self):
        self.limited(connections=20)
        self.enter_both(8)
        self.assert_exactly(4, "reset")
        self.leave(5)
        self.assert_exactly(5, "reset", soon=True)
        self.assertEqual(self.enter(3, at=POP6), {"reset": 3})
        self.running.wait_log("refused=.* reason=limit_total client=")

    def test_many_at_once(self):
        self.limited(connections=50)
        sockets = []
        barrier = threading.Barrier(4)

        def burst():
            barrier.wait()
            sockets.extend([self.ask() for _ in range(40)])
        threads = [threading.Thread(target=burst) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counts = self.outcomes(sockets)
        # Two that meet at the limit may both be turned away.
        self.assertEqual(set(counts), {"served", "reset"})
        self.assertTrue(48 <= counts["served"] <= 50, counts)
        self.assert_exactly(50 - counts["served"], "reset")

    def test_per_client(self):
        self.add_clients()
        self.limited(per_client=6)
        self.enter_both(2)
        self.assert_exactly(2, "reset")
        self.assert_exactly(6, "reset", source=OTHER4)
        self.running.wait_log("reason=limit_client client=192.0.2.8:")
        self.leave(3)
        self.assert_exactly(3, "reset", soon=True)

    def test_an_ipv6_client_is_a_64(self):
        self.add_clients()
        self.limited(per_client=4)
        self.assertEqual(self.enter(2, at=POP6, source=CLIENT6),
                         {"served": 2})
        self.assert_exactly(2, "reset", at=POP6, source=NEIGHBOUR6)
        self.assertEqual(self.enter(1, at=POP6, source=CLIENT6),
                         {"reset": 1})
        self.assert_exactly(4, "reset", at=POP6, source=STRANGER6)

    def add_clients(self):
        client, client6, pop = (self.world.client, self.world.client6,
                                self.world.pop)
        for host, command, options in (
                (client, "address", (OTHER4 + "/24", "dev", "eth0")),
                (client6, "address", (NEIGHBOUR6 + "/64", "dev", "eth0",
                                      "nodad")),
                (client6, "address", (STRANGER6 + "/64", "dev", "eth0",
                                      "nodad")),
                (pop, "route", (STRANGER_NET, "dev", "client6"))):
            host.ip(command, "add", *options)
            self.addCleanup(host.ip, command, "del",
                            *[o for o in options if o != "nodad"])

    def test_per_name(self):
        self.limited(RAW + "other.example.com %s\n*.wild.test %s\n" % (
            VM[3], VM[3]), per_name=6)
        self.enter_both(2)
        self.assert_exactly(2, "HTTP/1.1 503")
        self.assert_exactly(6, "HTTP/1.1 503", "other.example.com")
        # A pattern is one name, whoever it stands for.
        self.assertEqual(self.enter(3, "a.wild.test"), {"served": 3})
        self.assert_exactly(3, "HTTP/1.1 503", "b.wild.test")
        self.leave(2)
        self.assert_exactly(2, "HTTP/1.1 503", soon=True)

    def test_what_is_said_for_per_name(self):
        proxyd = self.limited(per_name=1)
        self.assert_exactly(1, "HTTP/1.1 503")
        client = self.ask()
        head, _, body = recv_all(client).partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(
            b"HTTP/1.1 503 Service Unavailable\r\n"), head)
        self.assertIn(b"Connection: close", head)
        self.assertIn(NAME.encode(), body)
        proxyd.wait_end(name='"%s"' % NAME, reason="limit_name", target="-")
        client = self.connect(443)
        client.sendall(client_hello(NAME))
        self.assertEqual(recv_all(client)[:5], b"\x15\x03\x03\0\x02")

    def test_rate_per_client(self):
        self.add_clients()
        proxyd = self.limited(rate_per_client=2, rate_burst=20)
        start = time.monotonic()
        mark = proxyd.log_mark()
        served = 0
        self.enter_both(5)              # 1 bucket for both workers
        served = 10
        empty = time.monotonic()
        counts = self.enter(60)
        most = 20 + 2 * (time.monotonic() - start)
        self.assertTrue(20 <= served + counts["served"] <= most + 1, counts)
        self.assertEqual(set(counts), {"served", "reset"})
        self.assertEqual(self.enter(3, source=OTHER4), {"served": 3})
        proxyd.wait_log("reason=limit_client_rate client=192.0.2.7:")
        time.sleep(1.6)
        # Those refused have taken nothing.
        counts = self.enter(10)
        most = 2 * (time.monotonic() - empty) + 2
        self.assertTrue(3 <= counts["served"] <= most, counts)
        self.told_of_refused(proxyd, mark, time.monotonic() - start)

    def told_of_refused(self, proxyd, mark, seconds):
        """A line a second and worker at most, and none is forgotten."""
        refused = 5 + 5 + 60 + 3 + 10 - len(self.served)

        def told():
            return sum(int(re.search(r"refused=(\d+)", line).group(1))
                       for line in proxyd.log("refused=", mark))
        wait_for(lambda: told() >= refused, "all refused are told of")
        self.assertEqual(told(), refused)
        self.assertLessEqual(len(proxyd.log("refused=", mark)),
                             2 * (seconds + 2))

    def test_a_flood_makes_few_lines(self):
        proxyd = self.limited(rate_per_client=1, rate_burst=1)
        start = time.monotonic()
        self.enter(500)
        mark = proxyd.log_mark()
        lines = proxyd.log("refused=")
        self.assertLessEqual(len(lines), 2 * (time.monotonic() - start + 1))
        self.assertLess(mark, 100)

    def test_a_killed_worker_gives_back_what_it_held(self):
        proxyd = self.limited(connections=20, per_client=12, per_name=12)
        self.enter_both(6)
        self.assert_exactly(0, "reset")
        owned = proxyd.connections()
        victim = proxyd.workers()[0]
        lost = len(owned[victim])
        self.assertTrue(0 < lost < 12, owned)
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: victim not in proxyd.workers() and
                 len(proxyd.workers()) == 2, "another worker")
        self.assert_exactly(lost, "reset")

    def test_workers_killed_again_and_again(self):
        proxyd = self.limited(connections=10)
        for _ in range(6):
            self.enter(12)
            killed = proxyd.workers()
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            wait_for(lambda old=killed: len(
                set(proxyd.workers()).difference(old)) == 2, "other workers")
        self.assert_exactly(10, "reset")

    def test_a_reload_changes_limits_at_once(self):
        proxyd = self.limited(connections=10, per_client=100)
        self.enter_both(5)
        self.assert_exactly(0, "reset")

        def limits(**values):
            proxyd.write_config(limits={k: str(v)
                                        for k, v in values.items()})
            proxyd.reload()
        limits(connections=14)
        self.assert_exactly(4, "reset")
        limits(connections=6)
        self.assert_exactly(0, "reset")
        self.leave(8)    # nobody is thrown out, but 6 are left
        self.assert_exactly(0, "reset")
        self.leave(1)
        self.assert_exactly(1, "reset", soon=True)
        limits(per_client=8)
        self.assert_exactly(2, "reset")
        limits(per_name=9)
        self.assert_exactly(1, "HTTP/1.1 503")
        limits()
        self.assertEqual(self.enter(20), {"served": 20})

    def test_reloads_forget_nobody(self):
        proxyd = self.limited(connections=10)
        self.enter_both(4)
        for _ in range(5):
            proxyd.reload(RAW + "# again\n")
        self.assert_exactly(2, "reset")
        self.leave(10)
        self.assert_exactly(10, "reset", soon=True)


class Descriptors(Served):
    """What a worker does when it has none left."""

    def with_descriptors(self, n):
        self.running = self.proxyd(
            RAW, workers="1", under=("prlimit", "--nofile=%d" % n))
        self.worker, = self.running.workers()
        return self.running

    def leave_descriptors(self, n):
        """From now on the worker may open n more."""
        used = set(map(int, os.listdir("/proc/%d/fd" % self.worker)))
        free = [fd for fd in range(1024) if fd not in used]
        self.limit_descriptors(free[n])

    def limit_descriptors(self, n):
        # Without CAP_SYS_RESOURCE only its own user may.
        nobody = pwd.getpwnam("nobody")
        run("setpriv", "--reuid=%d" % nobody.pw_uid, "--clear-groups",
            "--regid=%d" % nobody.pw_gid, "prlimit", "--pid",
            str(self.worker), "--nofile=%d:" % n)

    def assert_idle(self, seconds=1.5):
        before = cpu_seconds(self.worker)
        time.sleep(seconds)
        self.assertLess(cpu_seconds(self.worker) - before, seconds / 5)

    def only_served(self, n, clients):
        """n of them are served, whichever; returns the others."""
        def answered():
            return select.select(clients, [], [], 0)[0]
        wait_for(lambda: len(answered()) >= n, "%d are answered" % n)
        time.sleep(0.3)
        served = answered()
        self.assertEqual(self.outcomes(served), {"served": n})
        return [client for client in clients if client not in served]

    def test_accept_pauses_when_a_worker_is_full(self):
        proxyd = self.with_descriptors(353)
        waiting = self.only_served(64, [self.ask() for _ in range(74)])
        proxyd.wait_log("warning: 64 connections, no room .* pausing accept")
        self.assert_idle()
        self.leave(5)
        waiting = self.only_served(5, waiting)
        self.leave(10)
        self.assertEqual(self.outcomes(waiting), {"served": 5})
        self.assertEqual(proxyd.workers(), [self.worker])
        self.assertLess(proxyd.log_mark(), 100)

    def test_accept_pauses_when_the_kernel_has_none(self):
        proxyd = self.with_descriptors(1024)
        self.assertEqual(self.enter(10), {"served": 10})
        self.leave_descriptors(0)
        waiting = [self.ask() for _ in range(10)]
        proxyd.wait_log("warning: accept: Too many open files; pausing")
        self.assert_idle()
        self.assertEqual(len(proxyd.log("pausing")), 1)
        self.assertEqual(self.outcomes(self.again(10)), {"served": 10})
        self.limit_descriptors(1024)
        self.assertEqual(self.outcomes(waiting), {"served": 10})
        self.assertEqual(proxyd.workers(), [self.worker])

    def again(self, n):
        """Another request on those that were served."""
        clients = [self.served.pop(0) for _ in range(n)]
        for client in clients:
            client.sendall(request(NAME))
        return clients

    def test_a_dial_without_one_is_503(self):
        proxyd = self.with_descriptors(1024)
        self.leave_descriptors(1)    # for the client's side
        self.assertEqual(self.enter(3), {"HTTP/1.1 503": 3})
        proxyd.wait_end(reason="no_descriptors")
        self.limit_descriptors(1024)
        self.assertEqual(self.enter(5), {"served": 5})


class Pipelining(SystemTest):
    def test_more_requests_at_once_than_a_buffer_holds(self):
        self.proxyd(RAW)
        listener = self.listen(VM[3])
        one = request(NAME, extra=b"X: %s\r\n" % (b"y" * 200))
        count = 6000    # 1.4 MB; a worker's buffer has 256 KiB
        client = self.connect()
        threads = [threading.Thread(target=client.sendall,
                                    args=(one * count,)),
                   threading.Thread(target=self.take, args=(
                       client, count * len(OK)))]
        for thread in threads:
            thread.start()
        vm = self.accept(listener)
        time.sleep(0.3)    # until the buffer is full
        for i in range(count):
            self.assertEqual(recv_exactly(vm, len(one)), one)
            # Answers in two parts: the first lets no request pass.
            for part in (OK[:20], OK[20:]) if i < 100 else (OK,):
                vm.sendall(part)
                time.sleep(0.001 if i < 100 else 0)
        for thread in threads:
            thread.join()
        self.assertEqual(self.taken, count * len(OK))

    def take(self, client, n):
        self.taken = len(recv_exactly(client, n))


class RemovedNames(SystemTest):
    """reload_closes_removed."""

    OTHER = "other.example.com %s\n" % VM[3]

    def removing(self, removed="2", **settings):
        self.running = self.proxyd(
            RAW + self.OTHER, reload_closes_removed="true",
            timeouts={"removed": removed}, **settings)
        self.listener = self.listen(VM[3], 443)
        return self.running

    def assert_ends(self, sock, start, least, most=10):
        """It ends at least so many seconds after `start`."""
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(sock.recv(1), b"")
        self.assertTrue(least < time.monotonic() - start < most)

    def test_not_by_default(self):
        proxyd = self.proxyd(RAW, timeouts={"removed": "0.2"})
        client, vm = self.relayed(self.listen(VM[3], 443))
        proxyd.reload("# nothing\n")
        time.sleep(0.6)
        self.assert_echo(client, vm)

    def test_removed_names_end_within_their_time(self):
        proxyd = self.removing()
        pairs = [self.relayed(self.listener) for _ in range(20)]
        kept = self.relayed(self.listener, "other.example.com")
        # Even one of which the one side has finished.
        pairs[3][0].shutdown(socket.SHUT_WR)
        self.assertEqual(pairs[3][1].recv(1), b"")
        start = time.monotonic()
        proxyd.reload(self.OTHER)
        for client, vm in pairs[:3]:
            self.assert_echo(client, vm)    # which puts nothing off
        self.assert_ends(pairs[0][0], start, 1)
        proxyd.wait_log("reason=mapping_changed", count=20)
        for client, vm in pairs:
            for sock in (client, vm):
                with contextlib.suppress(ConnectionResetError):
                    self.assertEqual(sock.recv(1), b"")
        self.assert_echo(*kept)
        self.assertEqual(len(proxyd.log("info: client=")), 20)

    def test_a_name_that_comes_back_in_time_stays(self):
        proxyd = self.removing()
        client, vm = self.relayed(self.listener)
        proxyd.reload(self.OTHER)
        time.sleep(0.3)
        proxyd.reload(RAW)
        time.sleep(2.2)
        self.assert_echo(client, vm)

    def test_a_second_reload_gives_no_more_time(self):
        proxyd = self.removing("3")
        client, _ = self.relayed(self.listener)
        start = time.monotonic()
        proxyd.reload("# nothing\n")
        time.sleep(2.5)
        proxyd.reload(self.OTHER)
        self.assert_ends(client, start, 1.5, 5.4)

    def test_a_pattern_that_matches_keeps_it(self):
        proxyd = self.removing("0.2")
        client, vm = self.relayed(self.listener)
        proxyd.reload("*.example.com %s\n" % VM[4])
        time.sleep(0.6)
        self.assert_echo(client, vm)

    def test_one_that_was_being_dialled_ends_too(self):
        proxyd = self.proxyd(
            "%s %s,%s\n" % (NAME, NO_ANSWER, VM[3]), workers="1",
            reload_closes_removed="true",
            timeouts={"removed": "0.5", "connect": "1.0"})
        listener = self.listen(VM[3], 443)
        client = self.connect(443)
        first = client_hello(NAME)
        client.sendall(first)
        time.sleep(0.3)
        proxyd.reload("# nothing\n")
        vm = self.accept(listener)
        self.assertEqual(recv_exactly(vm, len(first)), first)
        self.assert_ends(client, time.monotonic(), -1)
        proxyd.wait_end(reason="mapping_changed")

    def test_http_that_waits_for_an_answer_ends_too(self):
        proxyd = self.removing()
        client, vm = self.relayed(self.listen(VM[3]), port=80)
        start = time.monotonic()
        proxyd.reload("# nothing\n")
        self.assert_ends(client, start, 1)
        proxyd.wait_end(reason="mapping_changed")

    def test_switching_it_off_lets_them_live(self):
        proxyd = self.removing()
        client, vm = self.relayed(self.listener)
        proxyd.reload("# nothing\n")
        proxyd.write_config(reload_closes_removed="false")
        proxyd.reload()
        time.sleep(2.2)
        self.assert_echo(client, vm)


if __name__ == "__main__":
    unittest.main()
