# SPDX-License-Identifier: ISC
"""Clients of jumpd that are no more than a test wants: paramiko with its own
idea of the protocol switched off where it is in the way, and somebody whose
session goes on meanwhile."""
import contextlib
import logging
import os
import select
import socket
import threading
import time

from jump_servers import ECHO
from lib import PATIENCE, VM, wait_for

try:
    import paramiko
    from paramiko.message import Message
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
except ImportError:
    paramiko = None


class Bystander:
    """Another user's session: 32 octets there and back, over and over."""

    def __init__(self, process):
        self.process = process
        self.slowest, self.count, self.error = 0.0, 0, None
        self.done = threading.Event()
        self.turn()         # the connection is there
        self.slowest = 0.0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def turn(self):
        data = os.urandom(32)
        before = time.monotonic()
        self.process.stdin.write(data)
        self.process.stdin.flush()
        got = b""
        while len(got) < len(data):
            ready, _, _ = select.select([self.process.stdout], [], [], 30)
            if not ready:
                raise AssertionError("a bystander waits for 30 s")
            more = os.read(self.process.stdout.fileno(),
                           len(data) - len(got))
            if not more:
                raise AssertionError("a bystander's session has ended: %r" %
                                     self.process.stderr.read())
            got += more
        if got != data:
            raise AssertionError("a bystander got other bytes")
        self.slowest = max(self.slowest, time.monotonic() - before)
        self.count += 1

    def run(self):
        try:
            while not self.done.is_set():
                self.turn()
                time.sleep(0.01)
        except Exception as error:  # told by the test's thread
            self.error = error

    def stop(self):
        self.done.set()
        self.thread.join(35)

    def was_fine(self, test, most=3.0, least=10):
        """It still works, and never waited for longer than `most` s."""
        before = self.count
        wait_for(lambda: self.error or self.count >= before + least,
                 "a bystander's bytes", 30)
        self.stop()
        if self.error is not None:
            raise self.error
        test.assertLess(self.slowest, most)


class Raw:
    """An SSH client that does what it is told.  It logs in as `user` unless
    that is None; messages from jumpd are kept in `messages`."""

    def __init__(self, host, at, source=None, user="jump", rcvbuf=None):
        with host:
            sock = socket.socket(socket.AF_INET6 if ":" in at else
                                 socket.AF_INET)
        # Else what is measured is 40 ms of our own kernel.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if rcvbuf is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        if source is not None:
            sock.bind((source, 0))
        sock.settimeout(60)
        sock.connect((at, 22))
        self.sock = sock
        self.messages = []
        self.changed = threading.Condition()
        self.next = 0
        self.t = paramiko.Transport(sock)
        self.paused = threading.Event()
        self.paused.set()
        read = self.t.packetizer.read_message

        def read_message():
            self.paused.wait()
            ptype, message = read()
            with self.changed:
                self.messages.append((ptype, message.asbytes()))
                self.changed.notify_all()
            return ptype, message
        self.t.packetizer.read_message = read_message
        self.t.start_client(timeout=60)
        if user is not None:
            self.t.auth_none(user)

    def close(self):
        self.paused.set()
        self.t.close()
        with contextlib.suppress(OSError):
            self.sock.close()

    def send(self, ptype, *fields):
        """Fields: int (32 bits), bool, bytes or str (a string)."""
        message = Message()
        message.add_byte(bytes([ptype]))
        for field in fields:
            if isinstance(field, bool):
                message.add_boolean(field)
            elif isinstance(field, int):
                message.add_int(field)
            else:
                message.add_string(field)
        self.t._send_message(message)

    def open(self, port=ECHO, host=VM[1], window=1 << 21, packet=32768,
             kind="direct-tcpip", wait=True, timeout=PATIENCE):
        """Open a channel; returns (ours, theirs), or None if refused."""
        ours = self.next
        self.next += 1
        self.t.channels_seen[ours] = True
        rest = (host, port, "192.0.2.7", 1) if kind == "direct-tcpip" else ()
        self.send(90, kind, ours, window, packet, *rest)
        if not wait:
            return ours
        ptype, body = self.wait(lambda ptype, body: ptype in (91, 92) and
                                int.from_bytes(body[:4], "big") == ours,
                                timeout)
        return (ours, int.from_bytes(body[4:8], "big")) if ptype == 91 \
            else None

    def data(self, theirs, data):
        self.send(94, theirs, data)

    def wait(self, predicate, timeout=PATIENCE):
        """Wait for a message; returns its type and octets."""
        end = time.monotonic() + timeout
        with self.changed:
            seen = 0
            while True:
                for message in self.messages[seen:]:
                    if predicate(*message):
                        return message
                seen = len(self.messages)
                if not self.t.is_active() or time.monotonic() > end:
                    raise AssertionError("no such message; active: %s" %
                                         self.t.is_active())
                self.changed.wait(0.1)

    def received(self, ours):
        """The octets of a channel so far."""
        with self.changed:
            return b"".join(
                body[8:] for ptype, body in self.messages
                if ptype == 94 and int.from_bytes(body[:4], "big") == ours)

    def works(self, ours, theirs, data=b"there and back"):
        before = len(self.received(ours))
        self.data(theirs, data)
        wait_for(lambda: len(self.received(ours)) >= before + len(data),
                 "an echo")
        return self.received(ours)[before:] == data

    def ended(self):
        return not self.t.is_active()
