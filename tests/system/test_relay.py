# SPDX-License-Identifier: ISC
"""What happens between two connected sides."""
import contextlib
import hashlib
import os
import re
import shutil
import signal
import socket
import threading
import time
import unittest

from lib import (CLIENT4, NET, POP4, VM, SystemTest, client_hello, log_fields,
                 recv_all, recv_exactly, reset, run, wait_for, was_reset)

RAW = "raw.example.com %s\n" % VM[3]


class Relay(SystemTest):
    def relay(self, port=443, **settings):
        self.running = self.proxyd(RAW, **settings)
        self.listener = self.listen(VM[3], port)
        return self.relayed(self.listener, port=port)

    def test_half_close_by_the_client(self):
        client, vm = self.relay()
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(vm.recv(1), b"")
        time.sleep(0.2)
        vm.sendall(b"z" * 300000)
        vm.close()
        self.assertEqual(len(recv_all(client)), 300000)
        self.running.wait_end(reason="done", down="300000")

    def test_half_close_by_the_vm(self):
        client, vm = self.relay()
        vm.shutdown(socket.SHUT_WR)
        self.assertEqual(client.recv(1), b"")
        time.sleep(0.2)
        client.sendall(b"z" * 300000)
        client.close()
        self.assertEqual(len(recv_all(vm)), 300000)
        self.running.wait_end(reason="done", down="0")

    def test_half_close_ends_after_drain(self):
        client, vm = self.relay(timeouts={"drain": "0.5"})
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(vm.recv(1), b"")
        self.running.wait_end(reason="drain_timeout")
        self.assertTrue(was_reset(vm) or vm.recv(1) == b"")

    def test_reset_by_the_client(self):
        client, vm = self.relay()
        reset(client)
        self.assertTrue(was_reset(vm))
        self.running.wait_end(reason="client_reset")

    def test_reset_by_the_vm(self):
        client, vm = self.relay()
        reset(vm)
        self.assertTrue(was_reset(client))
        self.running.wait_end(reason="vm_reset")

    def test_idle_ends(self):
        client, vm = self.relay(timeouts={"idle": "2.0"})
        for _ in range(3):    # a byte either way keeps it
            time.sleep(0.9)
            start = time.monotonic()
            self.assert_echo(client, vm, b"x")
        self.running.wait_end(reason="idle")
        self.assertTrue(1.9 < time.monotonic() - start < 10)

    @contextlib.contextmanager
    def stopped_workers(self):
        """What happens meanwhile they see all at once."""
        for pid in self.running.workers():
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in self.running.workers():
                os.kill(pid, signal.SIGCONT)

    def test_an_end_with_the_last_octets(self):
        client, vm = self.relay()
        for source, target in (vm, client), (client, vm):
            with self.stopped_workers():
                source.sendall(b"z" * 3000)
                source.shutdown(socket.SHUT_WR)
            self.assertEqual(recv_exactly(target, 3000), b"z" * 3000)
            self.assertEqual(target.recv(1), b"")
        self.running.wait_end(reason="done", down="3000")

    def test_urgent_data_does_not_hold_up_the_rest(self):
        client, vm = self.relay()
        for source, target in (vm, client), (client, vm):
            with self.stopped_workers():
                source.sendall(b"before")
                source.send(b"!", socket.MSG_OOB)
                source.sendall(b"behind")
            # The urgent octet itself is out of band, and not relayed.
            self.assertEqual(recv_exactly(target, 12), b"beforebehind")
            with self.stopped_workers():
                source.send(b"!", socket.MSG_OOB)
                source.sendall(b"at the end")
                source.shutdown(socket.SHUT_WR)
            self.assertEqual(recv_exactly(target, 10), b"at the end")
            self.assertEqual(target.recv(1), b"")

    def forgetting(self, host):
        """The host's kernel forgets a closed connection after a second."""
        path = "/proc/sys/net/ipv4/tcp_fin_timeout"

        def write(text):
            with host, open(path, "w") as file:
                file.write(text)
        with host, open(path) as file:
            self.addCleanup(write, file.read())
        write("1")

    @staticmethod
    def unread(host, here, there):
        """Octets that wait in a host's kernel for the program there to read
        them; None: the kernel does not know the connection."""
        with host:
            text = run("ss", "-Htan", "sport = :%d and dport = :%d" %
                       (here, there)).stdout
        return int(text.split()[1]) if text else None

    def say_all_and_be_forgotten(self, sock, host, reader):
        """Send what `reader` does not read until octets wait in proxyd's
        kernel, and close; returns how many once the sender's kernel has
        forgotten the connection and proxyd had the time to ask about it."""
        here, there = sock.getsockname()[1], sock.getpeername()[1]
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        time.sleep(1.5)     # its sockets are tuned
        sent = 0
        while not self.unread(self.world.pop, there, here):
            sock.sendall(b"z" * 10000)
            sent += 10000
            time.sleep(0.1)
        sock.close()
        wait_for(lambda: self.unread(host, here, there) is None,
                 "the connection is forgotten")
        time.sleep(4)
        self.assertTrue(self.unread(self.world.pop, there, here))
        return sent

    FORGOTTEN = {"keepalive": {"idle": 1, "interval": 1, "count": 2},
                 "timeouts": {"drain": 1, "idle": 20}}

    def test_what_a_vm_said_last_outlives_it(self):
        self.forgetting(self.world.vm)
        client, vm = self.relay(**self.FORGOTTEN)
        sent = self.say_all_and_be_forgotten(vm, self.world.vm, client)
        self.assertEqual(len(recv_all(client)), sent)
        self.running.wait_end(reason="done", down=str(sent))

    def test_what_a_client_said_last_outlives_it(self):
        self.forgetting(self.world.client)
        client, vm = self.relay(**self.FORGOTTEN)
        hello = len(client_hello("raw.example.com"))
        sent = self.say_all_and_be_forgotten(client, self.world.client,
                                             vm)
        self.assertEqual(len(recv_all(vm)), sent)
        self.running.wait_end(reason="done", up=str(hello + sent))

    @contextlib.contextmanager
    def rejecting(self, target):
        """Connections to a VM are answered with ICMPv6 errors."""
        with self.world.vm:
            run("nft", "add table ip6 wall; add chain ip6 wall input "
                "{ type filter hook input priority 0; }; add rule ip6 wall "
                "input ip6 daddr %s tcp dport 443 counter reject with "
                "icmpv6 type no-route" % target)
            try:
                yield
            finally:
                run("nft", "delete", "table", "ip6", "wall")

    def rejected(self):
        """How many packets."""
        with self.world.vm:
            text = run("nft", "list", "table", "ip6", "wall").stdout
        return int(re.search(r"counter packets (\d+)", text).group(1))

    @unittest.skipIf(shutil.which("nft") is None, "no nft")
    def test_a_router_s_complaint_ends_nothing(self):
        client, vm = self.relay()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        here, there = vm.getsockname()[1], vm.getpeername()[1]
        sent = 0
        while not self.unread(self.world.pop, there, here):
            vm.sendall(b"z" * 10000)
            sent += 10000
            time.sleep(0.1)
        with self.rejecting(VM[3]):
            client.sendall(b"up")
            wait_for(lambda: self.rejected() > 1, "packets are rejected")
            vm.sendall(b"z")    # to have proxyd look at its socket
            time.sleep(0.2)
        self.assertEqual(recv_exactly(vm, 2), b"up")
        self.assertEqual(recv_exactly(client, sent + 1), b"z" * (sent + 1))
        self.assert_echo(client, vm)

    def assert_keepalive(self, client):
        """Both sockets probe, at the latest a second after the first octets."""
        port = client.getsockname()[1]
        timer = r"\s+timer:\(keepalive,1min1?\d"
        ends = (r"%s:443 +%s:%d" % (POP4, CLIENT4, port),
                r"\[%s\]:\d+ +\[%s\]:443" % (NET + "[123]", VM[3]))

        def probing():
            with self.world.pop:
                text = run("ss", "-Htno", "state", "established").stdout
            return all(re.search(end + timer, text) for end in ends)
        wait_for(probing, "keepalive on both sides")

    def test_keepalive_of_one_that_talks(self):
        client, vm = self.relay(
            keepalive={"idle": "77", "interval": "5", "count": "3"})
        self.assert_echo(client, vm)
        self.assert_keepalive(client)

    def test_keepalive_of_one_that_lasts(self):
        client, _ = self.relay(
            keepalive={"idle": "77", "interval": "5", "count": "3"})
        self.assert_keepalive(client)

    def transfer(self, size):
        """Send `size` random octets both ways at once; compare hashes."""
        client, vm = self.relay()
        block = os.urandom(1 << 20)
        results = {}

        def send(sock):
            for _ in range(size >> 20):
                sock.sendall(block)
            sock.shutdown(socket.SHUT_WR)

        def receive(name, sock):
            digest = hashlib.sha256()
            while True:
                data = sock.recv(1 << 18)
                if not data:
                    break
                digest.update(data)
            results[name] = digest.hexdigest()
        threads = [threading.Thread(target=send, args=(sock,))
                   for sock in (client, vm)]
        threads += [threading.Thread(target=receive, args=pair)
                    for pair in (("up", vm), ("down", client))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        expected = hashlib.sha256(block * (size >> 20)).hexdigest()
        self.assertEqual(results, {"up": expected, "down": expected})
        self.running.wait_end(reason="done", down=str(size))

    def test_bulk_both_ways_at_once(self):
        self.transfer(64 << 20)

    def test_a_slow_reader_holds_its_sender_back(self):
        client, vm = self.relay()
        vm.settimeout(1)
        sent = 0
        block = bytes(range(251)) * 251
        try:
            while sent < 512 << 20:
                sent += vm.send(block[sent % len(block):])
        except TimeoutError:
            pass
        self.assertLess(sent, 64 << 20)
        with open("/proc/%d/statm" % self.owner(client)) as file:
            resident = int(file.read().split()[1]) * 4096
        self.assertLess(resident, 48 << 20)
        vm.settimeout(10)
        vm.shutdown(socket.SHUT_WR)
        got = recv_all(client)
        self.assertEqual(len(got), sent)
        start = b"".join(block for _ in range(sent // len(block) + 1))
        self.assertEqual(got, start[:sent])

    def owner(self, client):
        port = client.getsockname()[1]
        for pid, ports in self.running.connections().items():
            if port in ports:
                return pid
        raise AssertionError("nobody has the connection")

    def test_many_connections_at_once(self):
        self.running = self.proxyd(RAW)
        self.listener = self.listen(VM[3], 443)
        pairs = [self.relayed(self.listener) for _ in range(200)]
        for client, vm in pairs:
            self.assert_echo(client, vm)
        for client, vm in pairs:
            client.close()
            vm.close()
        self.running.wait_log("reason=done", count=200)


class Targets(SystemTest):
    """Which address of a name is connected to."""

    def ask(self, status, **fields):
        client = self.connect()
        client.sendall(b"GET / HTTP/1.1\r\nHost: raw.example.com\r\n\r\n")
        answer = recv_all(client)
        self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), answer)
        return answer

    def serve(self, listener, times=1):
        """Let one request after another be answered with who asked."""
        peers = []
        for _ in range(times):
            client = self.connect()
            client.sendall(b"GET / HTTP/1.1\r\nHost: raw.example.com\r\n"
                           b"\r\n")
            vm, peer = listener.accept()
            vm.settimeout(10)
            recv_exactly(vm, 10)
            peers.append(peer[0])
            vm.close()
            client.close()
        return peers

    def test_refused_is_502(self):
        proxyd = self.proxyd(RAW)
        answer = self.ask(502)
        self.assertIn(b"VM", answer)
        proxyd.wait_end(reason="dial_refused", target="[%s]:80" % VM[3])

    def test_unreachable_is_502(self):
        proxyd = self.proxyd("raw.example.com 2001:db8:bad::1\n")
        self.ask(502)
        proxyd.wait_end(reason="dial_unreachable")

    def test_no_answer_is_504(self):
        proxyd = self.proxyd("raw.example.com 2001:db8:dead::1\n",
                             timeouts={"connect": "0.5"})
        start = time.monotonic()
        self.ask(504)
        self.assertTrue(0.4 < time.monotonic() - start < 10)
        proxyd.wait_end(reason="dial_timeout")

    def test_no_answer_is_an_alert_for_tls(self):
        self.proxyd(RAW)
        client = self.connect(443)
        client.sendall(client_hello("raw.example.com"))
        self.assertEqual(recv_all(client), bytes([21, 3, 3, 0, 2, 2, 80]))

    def test_all_workers_know_a_target_that_fails(self):
        proxyd = self.proxyd("raw.example.com 2001:db8:dead::1,%s\n" % VM[3],
                             workers="4", timeouts={"connect": "0.5"})
        listener = self.listen(VM[3])
        begun, times = time.monotonic(), 0
        # After seven seconds it may be tried for the third time.
        while times < 40 and time.monotonic() < begun + 5:
            self.serve(listener)
            times += 1
        proxyd.wait_log("client=", count=times)
        # One finds out; each for itself would be four.
        self.assertLess(self.slow_dials(proxyd), 3)

    def test_the_next_target_is_tried(self):
        proxyd = self.proxyd(
            "raw.example.com 2001:db8:bad::1,%s,2001:db8:dead::1,%s\n" % (
                VM[4], VM[3]), timeouts={"connect": "0.5"})
        listener = self.listen(VM[3])
        self.serve(listener, 8)
        proxyd.wait_log("client=", count=8)
        for line in proxyd.log("client="):
            self.assertIn("target=[%s]:80" % VM[3], line)
        # Those that failed are tried last from now on, or it would be six;
        # but again after two seconds, and four.
        self.assertLess(self.slow_dials(proxyd), 4)

    @staticmethod
    def slow_dials(proxyd):
        """How many connections waited for a target that does not answer."""
        return sum(int(log_fields(line)["dial_ms"]) >= 500
                   for line in proxyd.log("client="))

    def test_all_targets_fail(self):
        self.proxyd("raw.example.com %s,%s\n" % (VM[4], VM[5]))
        for _ in range(3):    # held-down targets are still tried
            self.ask(502)

    def test_a_single_target_is_always_tried(self):
        self.proxyd(RAW)
        for _ in range(3):
            self.ask(502)
        self.serve(self.listen(VM[3]))

    def test_the_start_point_rotates(self):
        proxyd = self.proxyd("raw.example.com %s,%s\n" % (VM[3], VM[4]),
                             workers="1")
        listeners = [self.listen(VM[3]), self.listen(VM[4])]
        for listener in listeners:
            threading.Thread(target=self.answer, args=(listener,),
                             daemon=True).start()
        for _ in range(10):
            self.ask(200)
        proxyd.wait_log("client=", count=10)
        for vm in (VM[3], VM[4]):
            self.assertEqual(
                len(proxyd.log(re.escape("target=[%s]:80" % vm))), 5)

    @staticmethod
    def answer(listener):
        try:
            while True:
                vm, _ = listener.accept()
                vm.recv(1000)
                vm.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                vm.close()
        except OSError:
            pass

    def test_source_addresses_take_turns(self):
        sources = {NET + "2", NET + "3"}
        self.proxyd(RAW, workers="1", source="[ %s ]" % ", ".join(
            '"%s"' % source for source in sorted(sources)))
        self.assertEqual(set(self.serve(self.listen(VM[3]), 4)), sources)

    def test_an_address_that_became_ours_is_no_loop(self):
        proxyd = self.proxyd(
            "raw.example.com %s77\n" % NET,
            listeners='( { address = "%s"; port = 80; protocol = "http"; }, '
                      '{ address = "::"; port = 80; protocol = "http"; } )' %
                      POP4)
        self.world.pop.ip("address", "add", NET + "77/128", "dev", "lo")
        self.addCleanup(self.world.pop.ip, "address", "del", NET + "77/128",
                        "dev", "lo")
        self.ask(502)
        proxyd.wait_log("client=", count=2)
        self.assertEqual(len(proxyd.log("reason=target_denied")), 1)
        self.assertEqual(len(proxyd.log("client=")), 2)

    def ten_ports(self, first):
        """Leave the POP ten ports to connect from, which no other test used:
        a connection that waits for its last segments still holds its port."""
        path = "/proc/sys/net/ipv4/ip_local_port_range"

        def write(text):
            with self.world.pop, open(path, "w") as file:
                file.write(text)
        with self.world.pop, open(path) as file:
            self.addCleanup(write, file.read())
        write("%d %d" % (first, first + 9))

    def hold(self, listener, name, times):
        for _ in range(times):
            self.held.append(self.relayed(listener, name))

    def test_a_port_serves_several_targets(self):
        self.held = []
        self.ten_ports(20000)
        self.proxyd(RAW + "other.example.com %s\n" % VM[4],
                    source='[ "%s2" ]' % NET)
        self.hold(self.listen(VM[3], 443), "raw.example.com", 10)
        self.hold(self.listen(VM[4], 443), "other.example.com", 10)

    def test_a_source_without_ports_leaves_it_to_the_next(self):
        self.held = []
        self.ten_ports(20010)
        proxyd = self.proxyd(RAW, source='[ "%s2", "%s3" ]' % (NET, NET))
        self.hold(self.listen(VM[3], 443), "raw.example.com", 20)
        client = self.connect(443)
        client.sendall(client_hello("raw.example.com"))
        self.assertEqual(recv_all(client), bytes([21, 3, 3, 0, 2, 2, 80]))
        proxyd.wait_end(reason="dial_no_port")

    def test_a_source_that_is_not_ours_is_said(self):
        proxyd = self.proxyd(RAW, source='[ "2001:db8:64::99" ]')
        self.listen(VM[3])
        client = self.connect()
        client.sendall(b"GET / HTTP/1.1\r\nHost: raw.example.com\r\n\r\n")
        self.assertRegex(recv_all(client), rb"^HTTP/1.1 50[0-9] ")
        proxyd.wait_log("client=")


if __name__ == "__main__":
    unittest.main()
