# SPDX-License-Identifier: ISC
"""What the soak's clients and servers run in.

Each kind of traffic is a function that does one thing once; a process runs
some of them over and over, a thread each.  It notes each connection it made
(client's address and port, time) and each thing that failed or was wrong.
What failed may be excused by the driver, which knows when it killed or stopped
something; wrong bytes never are.
"""
import ctypes
import http.client
import json
import os
import random
import signal
import socket
import ssl
import threading
import time

from lib import POP4, POP6, client_hello

PATIENCE = 15           # seconds for any one step
PR_SET_PDEATHSIG = 1


class Wrong(Exception):
    """Bytes that nobody sent, or an answer that nobody gave."""


class Process:
    """Runs functions over and over, a thread each, until told to stop."""

    def __init__(self, world, host, name, *works):
        self.world, self.host, self.name = world, host, name
        self.at = POP6 if host is world.client6 else POP4
        self.stop_read, self.stop_write = os.pipe()
        self.path = world.path("soak-" + name)
        self.stopping = threading.Event()
        self.made, self.done, self.failed, self.wrong = [], {}, [], []
        self.pid = os.fork()
        if self.pid == 0:
            self.child(works)

    def child(self, works):
        status = 1
        try:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.close(self.stop_write)
            threading.stack_size(256 * 1024)
            with self.host:
                threads = [threading.Thread(target=self.repeat, args=(work,))
                           for work in works]
                for thread in threads:
                    thread.start()
                os.read(self.stop_read, 1)
                self.stopping.set()
                for thread in threads:
                    thread.join()
            with open(self.path, "w") as file:
                json.dump([self.made, self.done, self.failed, self.wrong],
                          file)
            status = 0
        finally:
            os._exit(status)

    def repeat(self, work):
        random.seed(os.urandom(8))
        while not self.stopping.is_set():
            start = time.time()
            try:
                work(self)
                self.note(work, start)
            except Wrong as error:
                self.wrong.append((work.__name__, time.time(), str(error)))
            except (OSError, ssl.SSLError, http.client.HTTPException,
                    AssertionError, ValueError) as error:
                self.failed.append((work.__name__, start, time.time(),
                                    repr(error)[:200]))
                time.sleep(0.05)

    def note(self, work, start):
        n, spent = self.done.get(work.__name__, (0, []))
        if getattr(work, "timed", False):
            spent = spent + [(start, time.time())]
        self.done[work.__name__] = (n + 1, spent)

    def tell_stop(self):
        os.write(self.stop_write, b"x")
        os.close(self.stop_write)

    def result(self):
        """Wait for the end; [made, done, failed, wrong]."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.stop_read)
        if status != 0:
            raise AssertionError("soak-%s ended with %d" % (self.name,
                                                            status))
        with open(self.path) as file:
            return json.load(file)

    def connect(self, port, rcvbuf=None):
        sock = socket.socket(socket.AF_INET6 if ":" in self.at else
                             socket.AF_INET)
        try:
            if rcvbuf is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
            sock.settimeout(PATIENCE)
            start = time.time()
            sock.connect((self.at, port))
            address, port = sock.getsockname()[:2]
            self.made.append((("[%s]:%d" if ":" in address else "%s:%d") % (
                address, port), start))
        except BaseException:
            sock.close()
            raise
        return sock

    def tls(self, name, **kwargs):
        context = ssl.create_default_context(cafile=self.world.path("ca.pem"))
        context.set_alpn_protocols(["http/1.1"])
        sock = self.connect(443, **kwargs)
        try:
            return context.wrap_socket(sock, server_hostname=name)
        except BaseException:
            sock.close()
            raise

    def web(self, name, tls):
        """A connection to a web site, kept alive."""
        web = http.client.HTTPConnection(name)
        web.auto_open = 0
        web.sock = self.tls(name) if tls else self.connect(80)
        return web

    def raw(self, order, **kwargs):
        """A connection to the raw server, with what it is to do."""
        sock = self.connect(443, **kwargs)
        sock.sendall(client_hello("raw.example.com") + order)
        return sock
