# SPDX-License-Identifier: ISC
"""Hostile clients of jumpd: each may hurt itself, and nobody else."""
import contextlib
import os
import struct
import threading
import time

from jump_lib import JumpTest, memory_kib
from jump_servers import ECHO, SINK, SOURCE, STUCK
from lib import CLIENT4, VM, alive, cpu_seconds, reset, wait_for

GENEROUS = {"half_open": "1000", "half_open_per_source": "0",
            "source_opens": "0", "source_targets": "0",
            "source_failed_dials": "0", "target_opens": "0",
            "session_opens": "0", "session_channels": "64"}


class Hostile(JumpTest):
    """A bystander's session is measured meanwhile, always."""

    def setUp(self):
        super().setUp()
        self.jumpd(limits=GENEROUS, timeouts={"login": "5"})
        self.other = self.bystander()
        self.addCleanup(self.other.was_fine, self)
        self.before = set(self.running.sessions())

    def process_of(self, client):
        """The process that serves a client that has just come."""
        return wait_for(lambda: set(self.running.sessions()) - self.before,
                        "a process for it").pop()

    def tcp(self, data=b""):
        sock = self.connect(22)
        sock.sendall(data)
        return sock

    def assert_closed(self, sock, within=30.0):
        sock.settimeout(within)
        with contextlib.suppress(ConnectionResetError):
            while sock.recv(65536):
                pass

    # --- before the login ------------------------------------------------

    def test_garbage_for_a_banner(self):
        for garbage in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 1000,
                        b"\xff" * 65536, b"SSH-1.5-old\r\n",
                        b"SSH-2.0-" + b"x" * 100000 + b"\r\n",
                        b"\r\n" * 500, b"SSH-2.0\r\n", os.urandom(4096),
                        b"\x16\x03\x01\x02\x00\x01\x00"):
            with contextlib.suppress(ConnectionResetError,
                                     BrokenPipeError):
                self.assert_closed(self.tcp(garbage))
        self.running.wait_log("session .*reason=banner", count=5)

    def test_garbage_after_the_banner(self):
        for garbage in (b"\0" * 100, b"\xff" * 100,
                        struct.pack(">IB", 0x7fffffff, 4) + b"x" * 50,
                        struct.pack(">IB", 12, 200) + bytes(11),
                        struct.pack(">IB", 1, 0), os.urandom(30000)):
            with contextlib.suppress(ConnectionResetError,
                                     BrokenPipeError):
                self.assert_closed(self.tcp(b"SSH-2.0-x\r\n" + garbage))

    def test_silence_ends_with_the_login_time(self):
        socks = [self.tcp(), self.tcp(b"SSH-2.0-x\r\n"), self.tcp(b"SSH")]
        began = time.monotonic()
        for sock in socks:
            self.assert_closed(sock)
        self.assertGreater(time.monotonic() - began, 4)
        self.running.wait_log("session .*reason=login_grace", count=3)

    def test_a_login_that_never_comes(self):
        client = self.raw(user=None)
        wait_for(client.ended, "the login time is over")
        self.running.wait_line("session", reason="login_grace")

    def test_requests_that_libssh_cannot_answer(self):
        """An unknown kind of key, a wrong signature: refused at once."""
        client = self.raw(user=None)
        client.send(5, "ssh-userauth")
        client.wait(lambda ptype, _: ptype == 6)
        # The first way of refusing is learned from this one.
        client.send(50, "nobody", "ssh-connection", "none")
        client.wait(lambda ptype, _: ptype == 51)

        def refused(count):
            wait_for(lambda: sum(ptype == 51 for ptype, _ in
                                 client.messages) == count, "refusals")
        client.send(50, "nobody", "ssh-connection", "publickey", False,
                    "ssh-unknown", b"\0\0\0\x0bssh-unknown\0\0\0\1x")
        refused(2)
        blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(range(32))
        signature = b"\0\0\0\x0bssh-ed25519\0\0\0\x40" + bytes(64)
        client.send(50, "nobody", "ssh-connection", "publickey", True,
                    "ssh-ed25519", blob, signature)
        refused(3)
        client.send(2, b"ignore me")
        client.send(2, b"x" * 500)
        time.sleep(0.3)
        refused(3)
        client.send(50, "nobody", "ssh-connection", "publickey", True,
                    "ssh-ed25519", blob, b"")
        refused(4)
        client.send(50, "nobody", "ssh-connection", "password", False, "x")
        refused(5)
        client.send(50, "nobody", "ssh-connection", "hostbased")
        refused(6)

    def test_gssapi_is_refused(self):
        client = self.raw(user=None)
        client.send(5, "ssh-userauth")
        client.wait(lambda ptype, _: ptype == 6)
        client.send(50, "nobody", "ssh-connection", "none")
        client.wait(lambda ptype, _: ptype == 51)
        client.send(50, "nobody", "ssh-connection", "gssapi-with-mic", 1,
                    b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02")
        wait_for(client.ended, "it is ended")
        self.running.wait_line("session", reason="protocol")

    def test_attempts_are_counted(self):
        client = self.raw(user=None)
        client.send(5, "ssh-userauth")
        client.wait(lambda ptype, _: ptype == 6)
        for _ in range(12):
            client.send(50, "nobody", "ssh-connection", "password", False,
                        "guess")
        wait_for(client.ended, "it is ended")
        self.running.wait_line("session", reason="attempts")
        self.running.wait_log("login_failed client=%s:" % CLIENT4, count=5)

    def test_a_client_that_asks_and_does_not_read(self):
        """Each request is answered with a banner of 4 KiB."""
        self.running.reload(banner='"%s"' % ("x" * 4095 + "\\n"),
                            timeouts={"login": "6"})
        client = self.raw(user=None, rcvbuf=4096)
        pid = self.process_of(client)
        client.paused.clear()
        most = 0

        def ask():
            with contextlib.suppress(Exception):
                while not client.ended():
                    client.send(5, "ssh-userauth")
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        while alive(pid):
            most = max(most, memory_kib(pid))
            time.sleep(0.05)
        self.assertLess(most, 8192)
        self.running.wait_line("session", reason="login_grace")
        client.close()
        asking.join(10)

    def test_channels_before_the_login(self):
        client = self.raw(user=None)
        client.open(wait=False)
        wait_for(client.ended, "it is ended")

    # --- the channel's numbers -------------------------------------------------

    def test_maximum_packet_size_10_makes_libssh_loop(self):
        client = self.raw()
        pid = self.process_of(client)
        channel = client.open(packet=10)
        self.assertIsNotNone(channel)
        used = 0.0
        with contextlib.suppress(Exception):
            client.data(channel[1], b"come back")
        end = time.monotonic() + 120        # on a busy machine
        with contextlib.suppress(OSError):
            while alive(pid):
                used = max(used, cpu_seconds(pid))
                self.assertLess(time.monotonic(), end)
                time.sleep(0.01)
        self.assertLess(used, 3)
        self.running.wait_line("session", reason="spinning")

    def test_other_maximum_packet_sizes(self):
        for size in (0, 1, 9, 11, 0xffffffff):
            client = self.raw()
            with contextlib.suppress(AssertionError):
                channel = client.open(packet=size, timeout=3)
                if channel is not None:
                    client.data(channel[1], b"come back")
                    time.sleep(0.2)
            client.close()
        good = self.raw()
        self.assertTrue(good.works(*good.open()))
        wait_for(lambda: len(self.running.sessions()) == 2,
                 "the others are gone", 20)

    def test_ports_beyond_16_bits(self):
        """Policy is judged on what is connected: libssh cuts the port."""
        client = self.raw()
        channel = client.open(port=65536 + ECHO)
        if channel is not None:
            self.running.wait_log("login .*")
            client.close()
            self.running.wait_line("channel", target="[%s]:%d" % (
                VM[1], ECHO))
        client = self.raw()
        self.assertIsNotNone(client.open())     # so that it is not its only
        self.assertIsNone(client.open(port=65536 + 23))
        self.running.wait_line("channel_refused", port="23",
                               reason="policy")
        for port in (0, 65536, 0xffffffff):
            self.assertIsNone(client.open(port=port))

    def test_strange_host_names(self):
        client = self.raw()
        self.assertIsNotNone(client.open())
        for host in ("", "x" * 1024, "x" * 100000, VM[1] + "\0.example",
                     "\xff\xfe", "[", "[]", VM[1] + "%eth0", "::" * 50,
                     "a" * 64 + ".test", "..", "0x7f000001", "127.1",
                     "\r\n\x1b[2J"):
            channel = client.open(host=host)
            if channel is not None:     # a NUL cuts the name
                self.assertIn("\0", host)
        self.assertTrue(client.works(*client.open()))

    # --- windows and buffers --------------------------------------------------------

    def test_a_client_that_ignores_its_window(self):
        client = self.raw()
        pid = self.process_of(client)
        _, theirs = client.open(port=STUCK)
        block = bytes(32768)
        sent = 0
        with contextlib.suppress(OSError, EOFError):
            while sent < 64 << 20 and not client.ended():
                client.data(theirs, block)
                sent += len(block)
        wait_for(lambda: not alive(pid), "its process is gone", 10)
        self.assertLess(sent, 24 << 20)
        self.running.wait_line("session", reason="window_ignored")

    def test_extended_data_is_not_kept(self):
        client = self.raw()
        pid = self.process_of(client)
        ours, theirs = client.open()
        for _ in range(2000):
            client.send(95, theirs, 1, bytes(16384))
        self.assertTrue(client.works(ours, theirs))
        self.assertLess(memory_kib(pid), 8192)

    def test_a_slow_reader_holds_only_itself(self):
        client = self.raw(rcvbuf=4096)
        pid = self.process_of(client)
        client.open(port=SOURCE, window=0x7fffffff, packet=32768)
        client.paused.clear()
        time.sleep(4)
        self.assertTrue(alive(pid))
        self.assertLess(memory_kib(pid), 4096)

    def test_a_window_of_nothing(self):
        client = self.raw()
        for _ in range(10):
            client.open(port=SOURCE, window=0)
        ours, theirs = client.open()
        self.assertTrue(client.works(ours, theirs))

    def test_data_for_channels_that_are_not_there(self):
        client = self.raw()
        ours, theirs = client.open()
        for number in (theirs + 1, 0, 0xffffffff):
            for ptype in (93, 94, 96, 97, 98):
                client.send(ptype, number, 1, b"x")
        with contextlib.suppress(AssertionError):
            client.works(ours, theirs)

    def test_data_after_closing(self):
        client = self.raw()
        pid = self.process_of(client)
        for _ in range(20):
            _, theirs = client.open()
            client.send(97, theirs)
            for _ in range(50):
                client.data(theirs, bytes(16384))
        with contextlib.suppress(AssertionError, OSError, EOFError):
            client.works(*client.open())
        self.assertLess(memory_kib(pid), 16384)

    def test_a_client_that_never_closes(self):
        """It has seen our CLOSE, keeps the channel, and sends on."""
        client = self.raw()
        pid = self.process_of(client)
        for _ in range(100):
            _, theirs = client.open()
            client.send(96, theirs)             # EOF: echo closes, so do we
            for _ in range(20):
                client.data(theirs, bytes(32768))
        self.assertTrue(client.works(*client.open()))
        self.assertLess(memory_kib(pid), 16384)

    # --- many ---------------------------------------------------------------------------

    def test_thousands_of_opens(self):
        client = self.raw()
        pid = self.process_of(client)
        for _ in range(3000):
            client.open(wait=False)
        wait_for(lambda: sum(ptype in (91, 92) for ptype, _ in
                             client.messages) == 3000, "3000 answers", 60)
        opened = sum(ptype == 91 for ptype, _ in client.messages)
        self.assertEqual(opened, 64)            # limits.session_channels
        self.assertLess(memory_kib(pid), 16384)

    def test_opened_and_closed_over_and_over(self):
        client = self.raw()
        pid = self.process_of(client)
        before = 0
        for i in range(1000):
            _, theirs = client.open()
            client.send(97, theirs)
            if i == 200:
                before = memory_kib(pid)
        self.assertLess(memory_kib(pid), before + 512)
        self.running.wait_log("info: channel ", count=1000, timeout=20)

    def test_data_while_another_channel_closes(self):
        client = self.raw()
        channel = client.open()
        data = os.urandom(20000)
        for i in range(80):
            _, theirs = client.open()
            client.send(97, theirs)
            time.sleep(i % 20 / 20000)
            self.assertTrue(client.works(*channel, data))
            client.send(93, channel[1], len(data))
            client.messages.clear()

    def test_requests_of_all_kinds(self):
        client = self.raw()
        client.send(80, "tcpip-forward", True, "", 0)
        client.send(80, "cancel-tcpip-forward", True, "", 0)
        client.send(80, "no-more-sessions@openssh.com", False)
        client.send(80, "keepalive@openssh.com", True)
        client.send(80, "streamlocal-forward@openssh.com", True, "/x")
        for kind in ("x11", "auth-agent@openssh.com", "tun@openssh.com",
                     "forwarded-tcpip", "direct-streamlocal@openssh.com",
                     "unknown", ""):
            self.assertIsNone(client.open(kind=kind) if kind not in (
                "x11", "forwarded-tcpip") else None)
        ours, theirs = client.open(kind="session")
        for request in ("pty-req", "x11-req", "auth-agent-req@openssh.com",
                        "env", "window-change", "signal", "break",
                        "keepalive@openssh.com", "unknown"):
            client.send(98, theirs, request, True, b"", 1, 1, 1, 1, b"")
        client.send(98, theirs, "shell", True)
        client.wait(lambda ptype, body: ptype == 97 and body[:4] ==
                    ours.to_bytes(4, "big"))
        self.assertTrue(client.works(*client.open()))

    def test_shells_are_bounded(self):
        client = self.raw()
        opened = [client.open(kind="session") for _ in range(30)]
        self.assertLessEqual(sum(c is not None for c in opened), 8)
        self.assertTrue(client.works(*client.open()))

    def test_key_exchanges_over_and_over(self):
        """A client may not use the CPU for nothing, not even half of it."""
        client = self.raw()
        pid = self.process_of(client)
        end = time.monotonic() + 300        # on a busy machine
        with contextlib.suppress(Exception):
            while time.monotonic() < end and alive(pid):
                client.t.renegotiate_keys()
        wait_for(lambda: not alive(pid), "it is gone")
        self.running.wait_line("session", reason="spinning")

    def test_resets_at_every_moment(self):
        for delay in (0, 0.001, 0.005, 0.02, 0.05):
            for _ in range(4):
                sock = self.tcp(b"SSH-2.0-x\r\n")
                time.sleep(delay)
                reset(sock)
        for port in (ECHO, SOURCE, SINK, STUCK):
            client = self.raw()
            client.open(port=port)
            reset(client.sock)
        wait_for(lambda: len(self.running.sessions()) == 1,
                 "all but the bystander are gone")
