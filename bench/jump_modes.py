# SPDX-License-Identifier: ISC
"""What is measured of a jump host.  A mode measures one of them once and
returns {quantity: value}.

Processor time and memory are those of all its processes, by its control
group.  Every connection goes to the next of several targets, which says who
it is; one octet that is not the right one is a failure.
"""
import contextlib
import select
import socket
import subprocess
import threading
import time

from jumpers import FRONT, SSH, TARGET, TARGETS, JUMPERS
from modes import quick, settled_cpu_us
from world import Failed

GIB = 1 << 30
MIB = 1 << 20
HALF_OPEN = 200
CIPHERS = {"chacha": "chacha20-poly1305@openssh.com",
           "gcm": "aes256-gcm@openssh.com"}


def all_good(numbers):
    """Where every connection has to work."""
    if numbers["failed"] > 0:
        raise Failed("%d failed: %s" % (numbers["failed"],
                                        numbers["text"][-500:]))
    return numbers


# --- sessions ----------------------------------------------------------------

def session(peer, options):
    """ssh -J to a real sshd, one after another."""
    n = quick(options, 40, 10)
    before = settled_cpu_us(peer)
    numbers = all_good(peer.load(1, n, peer.session()))
    cpu = settled_cpu_us(peer) - before
    return {"cpu": cpu / n / 1e3, "ms": numbers["p50_ms"]}


def setups(peer, options):
    """As many as there can be, 20 at a time."""
    numbers = all_good(peer.cheap_load(20, quick(options, 600, 300)))
    return {"rate": numbers["per_s"], "p50": numbers["p50_ms"],
            "p99": numbers["p99_ms"]}


def ssh_setups(peer, options):
    """The same with ssh(1), which shares the processors."""
    numbers = all_good(peer.load(20, quick(options, 200, 80), peer.pipe()))
    return {"rate": numbers["per_s"], "p50": numbers["p50_ms"],
            "p99": numbers["p99_ms"]}


class Pipe:
    """A connection to target `n` that stays."""

    def __init__(self, peer, n, *args):
        self.peer, self.address = peer, TARGET.replace(
            "%t", "%x" % (n % TARGETS + 1))
        self.process = peer.net.start(
            *peer.pipe(*args, target=self.address), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)

    def check(self):
        """It has reached its target."""
        expected = self.address.encode() + b"\n"
        got = b""
        while len(got) < len(expected):
            more = self.process.stdout.read(len(expected) - len(got))
            if not more:
                raise Failed("no connection: %r" %
                             self.process.stderr.read())
            got += more
        if got != expected:
            raise Failed("wrong target: %r" % got)

    def transfer(self, direction, octets):
        """Starts it; returns the process that checks it."""
        return subprocess.Popen(
            [self.peer.tools.path("jump_target"), direction, str(octets),
             self.address], stdin=self.process.stdout,
            stdout=self.process.stdin, stderr=subprocess.PIPE, text=True)

    def close(self):
        for pipe in (self.process.stdin, self.process.stdout,
                     self.process.stderr):
            pipe.close()
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def pipes(peer, first, n, *args):
    """n of them, of which each has reached its target."""
    opened = []
    try:
        for i in range(first, first + n, 10):
            more = [Pipe(peer, j, *args)
                    for j in range(i, min(i + 10, first + n))]
            opened += more
            for pipe in more:
                pipe.check()
        yield opened
    finally:
        for pipe in opened:
            pipe.close()


def finish(process):
    _, err = process.communicate()
    if process.returncode != 0:
        raise Failed("a transfer: " + err)


# --- memory -------------------------------------------------------------------

def settled_pss(peer):
    settled_cpu_us(peer)
    time.sleep(0.3)
    return peer.group.pss_octets() / MIB


def idle(peer, options):
    few, more = quick(options, 20, 10), quick(options, 100, 40)
    base = settled_pss(peer)
    with pipes(peer, 0, few):
        first = settled_pss(peer)
        with pipes(peer, few, more):
            second = settled_pss(peer)
    settled_cpu_us(peer)
    return {"pss": (second - first) / more, "base": base}


def after_bulk(peer, options):
    """What a session keeps of memory when much has gone both ways."""
    n, octets = quick(options, 10, 4), 32 * MIB
    base = settled_pss(peer)
    with pipes(peer, 0, n) as opened:
        for direction in "down", "up":
            for pipe in opened:
                finish(pipe.transfer(direction, octets))
        after = settled_pss(peer)
    settled_cpu_us(peer)
    return {"pss": (after - base) / n}


# --- bulk ------------------------------------------------------------------------

def bulk(direction, cipher):
    def measure(peer, options):
        octets = quick(options, GIB // 2, GIB // 8)
        with pipes(peer, 0, 1, "-c", CIPHERS[cipher]) as (pipe,):
            before, began = settled_cpu_us(peer), time.monotonic()
            finish(pipe.transfer(direction, octets))
            seconds = time.monotonic() - began
            cpu = settled_cpu_us(peer) - before
        return {"cpu": cpu / 1e6 / (octets / GIB),
                "rate": octets / MIB / seconds}
    return measure


# --- half-open connections ------------------------------------------------------

class Flood(threading.Thread):
    """Holds n connections open that never say anything, from 127.0.0.9 or
    each from an address of its own; opens those again that are closed."""

    def __init__(self, peer, n, sources):
        super().__init__()
        self.peer, self.n, self.sources = peer, n, sources
        self.stop = threading.Event()
        self.held, self.opened = [], 0
        self.full = threading.Event()
        self.start()

    def open(self):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.%d.9" % (self.opened % self.sources), 0))
        sock.settimeout(1)
        self.opened += 1
        try:
            sock.connect((FRONT, SSH))
        except OSError:
            sock.close()
            return
        self.held.append(sock)

    def drop_closed(self):
        """Those whose peer has closed them."""
        poll = select.poll()
        for sock in self.held:
            poll.register(sock, select.POLLRDHUP)
        gone = {fd for fd, _ in poll.poll(0)}
        for sock in [sock for sock in self.held if sock.fileno() in gone]:
            sock.close()
            self.held.remove(sock)

    def run(self):
        with self.peer.net:
            while not self.stop.wait(0.05):
                self.drop_closed()
                for _ in range(self.n - len(self.held)):
                    self.open()
                self.full.set()
        for sock in self.held:
            sock.close()

    def end(self):
        self.stop.set()
        self.join()


def flooded(peer, n, sources):
    """Returns how many of 20 get in, and the median of what they wait."""
    flood = Flood(peer, n, sources)
    try:
        flood.full.wait(30)
        time.sleep(1)
        numbers = peer.load(2, 20, peer.pipe())
    finally:
        flood.end()
    return numbers["good"], numbers["p50_ms"]


def half_open(peer, options):
    """With the limits that each has by default, and in processes of their
    own, so that others do not see it."""
    limits = {} if peer.name == "jumpd" else {"MaxStartups": "10:30:100"}
    result = {}
    for quantity, sources in ("one", 1), ("many", HALF_OPEN):
        fresh = JUMPERS[peer.name](peer.tools, **limits)
        try:
            fresh.start()
            result[quantity], result[quantity + "_ms"] = flooded(
                fresh, HALF_OPEN, sources)
        finally:
            fresh.stop()
    return result


MODES = {
    "idle": idle,
    "session": session,
    "setups": setups,
    "ssh-setups": ssh_setups,
    "down": bulk("down", "chacha"),
    "up": bulk("up", "chacha"),
    "gcm-down": bulk("down", "gcm"),
    "gcm-up": bulk("up", "gcm"),
    "after-bulk": after_bulk,
    "half-open": half_open,
}
ONCE = {"idle", "after-bulk", "half-open"}
DIRECT = {"session"}            # what can be done without a jump host
