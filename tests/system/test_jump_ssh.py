# SPDX-License-Identifier: ISC
"""Real OpenSSH clients through jumpd to real sshds."""
import hashlib
import os
import re
import socket
import struct
import subprocess
import threading
import time

from jump_lib import JumpTest
from jump_servers import ECHO, NO_SERVER, SINK
from lib import (NET, NO_ANSWER, POP4, POP6, UNREACHABLE, VM, run, sha256,
                 wait_for)


class Clients(JumpTest):
    def setUp(self):
        super().setUp()
        self.jumpd("one.example.com %s\n*.wild.test %s\n" % (VM[1], VM[2]))

    def big(self, octets=8 << 20):
        path = self.world.path("jump-big")
        with open(path, "wb") as file:
            file.write(os.urandom(octets))
        return path

    def test_ssh(self):
        done = self.ssh("root@" + VM[1], "echo $SSH_CONNECTION")
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.stdout.split()[2:], [VM[1], "22"])
        line = self.running.wait_line("channel", target="[%s]:22" % VM[1])
        self.assertEqual(line["user"], '"jump"')
        self.assertGreater(int(line["up"]), 1000)
        self.assertGreater(int(line["down"]), 1000)
        self.running.wait_line("session", reason="disconnected")

    def test_ssh_over_ipv6(self):
        done = self.ssh("root@" + VM[1], "echo yes", jump="jump@[%s]" % POP6)
        self.assertEqual(done.stdout, "yes\n")
        done = self.ssh("jump@" + POP6, jump=None, check=False)
        self.assertIn("ssh -J USER@[%s] USER@MACHINE" % POP6, done.stderr)

    def test_exit_status(self):
        done = self.ssh("root@" + VM[1], "exit 42", check=False)
        self.assertEqual(done.returncode, 42)

    def test_scp(self):
        path, copy = self.big(), self.world.path("jump-copy")
        remote = self.world.path("jump-remote")
        self.ssh(path, "root@[%s]:%s" % (VM[1], remote), program="scp")
        self.ssh("root@[%s]:%s" % (VM[1], remote), copy, program="scp")
        self.assertEqual(sha256(path), sha256(copy))

    def test_sftp(self):
        path, copy = self.big(1 << 20), self.world.path("jump-copy")
        batch = self.world.write("jump-batch", "put %s %s\nget %s %s\n" % (
            path, path + ".sftp", path + ".sftp", copy))
        self.ssh("-b", batch, "root@[%s]" % VM[2], program="sftp")
        self.assertEqual(sha256(path), sha256(copy))

    def test_stdio_forwarding_is_half_closed(self):
        tunnel = self.pipe_to(ECHO)
        out, _ = tunnel.communicate(b"over and out", timeout=60)
        self.assertEqual(out, b"over and out")
        self.assertEqual(tunnel.returncode, 0)
        self.running.wait_line("channel", reason="done", up="12", down="12")

    def test_names_of_the_mapping(self):
        for name, vm in (("one.example.com", VM[1]), ("x.wild.test", VM[2]),
                         ("ONE.example.com.", VM[1])):
            done = self.ssh("root@" + name, "echo $SSH_CONNECTION")
            self.assertEqual(done.stdout.split()[2], vm, name)
        self.running.wait_line("channel", asked='"one.example.com"',
                               target="[%s]:22" % VM[1])

    def test_local_forwarding(self):
        with self.world.client:
            process = self.start_ssh(
                "-N", "-L", "127.0.0.1:7999:[%s]:%d" % (VM[1], ECHO),
                "jump@" + POP4, jump=None)

        def connected():
            try:
                return self.world.client.connect("127.0.0.1", 7999)
            except OSError:
                return None
        sock = wait_for(connected, "the forwarding listens")
        with sock:
            sock.sendall(b"hello")
            self.assertEqual(sock.recv(5), b"hello")
        self.assertIsNone(process.poll())

    def test_many_channels_of_one_connection(self):
        control = self.world.path("cm")
        self.start_ssh("-M", "-S", control, "-N", "jump@" + POP4, jump=None)
        wait_for(lambda: os.path.exists(control), "the master's socket")
        errors = []

        def use(i):
            data = os.urandom(100000)
            tunnel = self.start_ssh(
                "-S", control, "-W", "[%s]:%d" % (VM[1], ECHO), "x",
                jump=None, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            got, _ = tunnel.communicate(data, timeout=120)
            if got != data:
                errors.append("channel %d: %d octets" % (i, len(got)))
        threads = [threading.Thread(target=use, args=(i,))
                   for i in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        self.assertEqual(len(self.running.sessions()), 1)
        self.running.wait_log("info: channel .* reason=done", count=50)
        self.ssh("-S", control, "-O", "exit", "x", jump=None)
        line = self.running.wait_line("session")
        self.assertEqual(line["channels"], "50")

    def bulk(self, *options):
        """8 MiB both ways at once, in one channel."""
        data = os.urandom(8 << 20)
        tunnel = self.pipe_to(ECHO, options=options)
        got, _ = tunnel.communicate(data, timeout=120)
        self.assertEqual(hashlib.sha256(got).digest(),
                         hashlib.sha256(data).digest())

    def test_rekey_under_bulk_both_ways(self):
        self.bulk("-o", "RekeyLimit=1M")

    def test_our_rekey_under_bulk_both_ways(self):
        self.running.reload(limits={"rekey": "262144"})
        self.bulk()

    def test_no_login_waits_for_an_acknowledgement(self):
        """A client's Nagle algorithm and a delayed ACK here would cost each
        40 ms: its list of algorithms is acknowledged at once."""
        def turn():
            sock = self.connect(22)
            self.addCleanup(sock.close)
            sock.sendall(b"SSH-2.0-x\r\n")
            got = b""
            while b"\r\n" not in got or len(got) < 6 + \
                    got.index(b"\r\n") + struct.unpack_from(
                        ">I", got + bytes(6), got.index(b"\r\n") + 2)[0]:
                got += sock.recv(65536)
            time.sleep(0.1)
            sock.sendall(got[got.index(b"\r\n") + 2:])     # our own again
            began = time.monotonic()
            wait_for(lambda: not struct.unpack_from("I", sock.getsockopt(
                socket.IPPROTO_TCP, socket.TCP_INFO, 104), 24)[0], "ACK")
            return time.monotonic() - began
        # On a busy machine some wait for something else.
        self.assertLess(sorted(turn() for _ in range(12))[2], 0.02)

    def test_each_cipher(self):
        for cipher in ("chacha20-poly1305@openssh.com",
                       "aes256-gcm@openssh.com", "aes128-gcm@openssh.com",
                       "aes256-ctr", "aes128-ctr"):
            self.bulk("-c", cipher)
            self.running.wait_log('session .*cipher="%s"' % cipher)

    def test_each_mac_and_key_exchange(self):
        for options in (("-m", "hmac-sha2-256-etm@openssh.com"),
                        ("-m", "hmac-sha2-512")):
            tunnel = self.pipe_to(ECHO, options=("-c", "aes128-ctr",
                                                 *options))
            self.assertEqual(tunnel.communicate(b"x")[0], b"x")
        for kex in ("curve25519-sha256", "ecdh-sha2-nistp256",
                    "ecdh-sha2-nistp384", "ecdh-sha2-nistp521"):
            tunnel = self.pipe_to(ECHO, options=(
                "-o", "KexAlgorithms=" + kex))
            self.assertEqual(tunnel.communicate(b"x")[0], b"x")
            self.running.wait_log('session .*kex="%s"' % kex)

    def test_only_modern_algorithms_and_strict_key_exchange(self):
        done = self.ssh("-vv", "jump@" + POP4, "true", jump=None,
                        check=False)
        self.assertIn("resetting read seqnr", done.stderr)
        offer = done.stderr.partition("peer server KEXINIT proposal")[2]
        self.assertIn("kex-strict-s-v00@openssh.com", offer)
        for weak in ("sha1", "group", "cbc", "3des", "rc4", "ssh-rsa",
                     "ssh-dss", "zlib"):
            self.assertNotIn(weak, offer.partition("SSH2_MSG_KEX")[0], weak)
        for option in ("-oKexAlgorithms=diffie-hellman-group14-sha256",
                       "-oMACs=hmac-sha1 -oCiphers=aes128-ctr",
                       "-oHostKeyAlgorithms=rsa-sha2-512"):
            done = self.ssh("-v", *option.split(), "jump@" + POP4, jump=None,
                            check=False)
            self.assertRegex(done.stderr, "no match")

    def test_host_keys(self):
        with self.world.client:
            text = run("ssh-keyscan", POP4).stdout
        self.assertEqual(set(re.findall(r"(?:ssh|ecdsa)-\S+", text)),
                         {"ssh-ed25519", "ecdsa-sha2-nistp256"})
        for key in ("ssh-ed25519", "ecdsa-sha2-nistp256"):
            self.ssh("jump@" + POP4, jump=None, check=False,
                     options=("-o", "HostKeyAlgorithms=" + key))
            self.running.wait_line("session", host_key='"%s"' % key)
        for name in ("ed25519", "ecdsa"):
            with open(self.world.path("jump_host_%s.pub" % name)) as file:
                self.assertIn(" ".join(file.read().split()[:2]), text)

    def test_shells_commands_and_files_are_explained(self):
        for args, program in ((("-tt",), "ssh"), (("ls",), "ssh"), ((), "ssh"),
                              ((), "sftp")):
            options = () if args != ("-tt",) else args
            done = self.ssh("jump@" + POP4, *(args if not options else ()),
                            jump=None, program=program, options=options,
                            check=False)
            self.assertEqual(done.returncode,
                             255 if program == "sftp" else 1)
            text = done.stderr + done.stdout
            self.assertIn("ssh -J USER@%s USER@MACHINE" % POP4, text)
        self.running.wait_line("session", reason="shell")

    def test_other_forwardings_are_refused(self):
        done = self.ssh("-N", "-R", "7999:localhost:22", "-o",
                        "ExitOnForwardFailure=yes", "jump@" + POP4,
                        jump=None, check=False)
        self.assertIn("remote port forwarding failed", done.stderr)
        done = self.ssh("-X", "-A", "jump@" + POP4, jump=None, check=False)
        self.assertEqual(done.returncode, 1)

    def test_refused_targets_are_explained(self):
        for target, port, text in (
                ("10.0.0.1", 22, "the target is an IPv4 address"),
                ("::ffff:192.0.2.7", 22, "the target is an IPv4 address"),
                ("::1", 22, "special-purpose"),
                ("fe80::1", 22, "special-purpose"),
                ("64:ff9b::192.0.2.1", 22, "NAT64"),
                ("2001:db9::1", 22, "not allowed here"),
                (VM[1], 23, "not allowed here"),
                (POP6, 22, "this jump host itself"),
                ("unknown.example.com", 22, "not in the mapping"),
                (VM[1], NO_SERVER, "refused the connection"),
                (UNREACHABLE, 22, "cannot be reached")):
            self.assertIn(text, self.refusal(target, port), target)
        self.running.wait_log("info: channel_refused .*reason=policy",
                              count=2)
        self.running.wait_line("session", reason="refused")

    def test_the_jump_host_s_own_addresses_are_refused(self):
        """Any address and port of it, but one that a rule is for."""
        pop, own = self.world.pop, NET + "1"
        new, routed = "2001:db8:6:1::1", "2001:db8:6:2::"
        listener = pop.listen("::", ECHO)
        self.addCleanup(listener.close)
        for port in (22, ECHO):
            self.assertIn("one of this jump host", self.refusal(own, port))
        self.assertIn("one of this jump host", self.refusal(POP6, ECHO))
        pop.ip("address", "add", new + "/128", "dev", "lo")
        self.addCleanup(pop.ip, "address", "del", new + "/128", "dev", "lo")
        pop.ip("-6", "route", "add", "local", routed + "/64", "dev", "lo")
        self.addCleanup(pop.ip, "-6", "route", "del", "local",
                        routed + "/64", "dev", "lo")
        for target in (new, routed + "7"):
            self.assertIn("one of this jump host",
                          self.refusal(target, ECHO))
        self.running.wait_line("channel_refused", reason="own_address",
                               count=5)
        self.running.reload(allow='( { prefix = "2001:db8::/32"; }, '
                            '{ prefix = "%s/128"; ports = [ "%d" ]; } )' %
                            (own, ECHO))
        tunnel = self.pipe_to(ECHO, vm=own)
        sock, _ = listener.accept()
        with sock:
            sock.sendall(b"here")
        self.assertEqual(tunnel.communicate(timeout=20)[0], b"here")
        self.assertIn("one of this jump host", self.refusal(own))

    def test_a_target_that_does_not_answer(self):
        self.running.reload(timeouts={"connect": "0.5", "open": "1"})
        began = time.monotonic()
        self.assertIn("did not answer in time", self.refusal(NO_ANSWER))
        self.assertLess(time.monotonic() - began, 20)

    def test_a_refused_channel_among_others_ends_nothing(self):
        control = self.world.path("cm2")
        self.start_ssh("-M", "-S", control, "-N", "jump@" + POP4, jump=None)
        wait_for(lambda: os.path.exists(control), "the master's socket")
        good = self.start_ssh("-S", control, "-W", "[%s]:%d" % (VM[1], ECHO),
                              "x", jump=None, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
        good.stdin.write(b"first")
        good.stdin.flush()
        self.assertEqual(os.read(good.stdout.fileno(), 5), b"first")
        bad = self.ssh("-S", control, "-W", "10.0.0.1:22", "x", jump=None,
                       check=False)
        self.assertNotEqual(bad.returncode, 0)
        got, _ = good.communicate(b"last", timeout=60)
        self.assertEqual(got, b"last")

    def test_a_backend_that_resets(self):
        listener = self.listen(VM[3], 7020)
        tunnel = self.pipe_to(7020, vm=VM[3])
        vm = self.accept(listener)
        vm.sendall(b"some")
        self.assertEqual(os.read(tunnel.stdout.fileno(), 4), b"some")
        vm.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")   # SO_LINGER: RST
        vm.close()
        tunnel.wait(20)
        self.running.wait_line("channel", reason="target_reset")

    def test_a_vm_that_stops_reading_holds_only_its_channel(self):
        listener = self.listen(VM[3], 7021)
        stuck = self.pipe_to(7021, vm=VM[3])
        vm = self.accept(listener)
        os.set_blocking(stuck.stdin.fileno(), False)
        sent = 0
        end = time.monotonic() + 3
        while time.monotonic() < end:
            sent += stuck.stdin.raw.write(bytes(65536)) or 0
        self.assertLess(sent, 32 << 20)
        got = 0
        while got < sent:
            got += len(vm.recv(1 << 20))
        self.assertEqual(got, sent)

    def test_bulk_up_arrives_whole_at_a_slow_vm(self):
        listener = self.listen(VM[3], 7022)
        data = os.urandom(12 << 20)
        tunnel = self.pipe_to(7022, vm=VM[3])
        vm = self.accept(listener)
        vm.setsockopt(1, 8, 65536)      # SO_RCVBUF
        digest = hashlib.sha256()

        def read():
            with vm:
                while chunk := vm.recv(65536):
                    digest.update(chunk)
                    time.sleep(0.003)
        reader = threading.Thread(target=read)
        reader.start()
        tunnel.communicate(data, timeout=120)
        reader.join(60)
        self.assertEqual(digest.digest(), hashlib.sha256(data).digest())

    def test_the_cpu_watch_leaves_bulk_alone(self):
        """About 15 s of CPU-bound transfer, three times the watch."""
        tunnel = self.pipe_to(SINK)
        block = os.urandom(1 << 20)
        end = time.monotonic() + 15
        sent = 0
        while time.monotonic() < end:
            tunnel.stdin.write(block)
            sent += len(block)
        tunnel.stdin.close()
        tunnel.wait(30)
        line = self.running.wait_line("channel", up=str(sent))
        self.assertIn(line["reason"], ("done", "session_ended"))
