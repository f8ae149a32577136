# SPDX-License-Identifier: ISC
"""What is measured.  A mode measures one peer once and returns {quantity:
value}; the runner repeats them in turns and compares."""
import subprocess
import threading
import time

import openings
from peers import FRONT, HTTP, TLS
from world import Failed

GIB = 1 << 30
SHORT, ANSWER = 1024, 65536
PACE = 256                      # MiB/s, for transfers beside other things


def quick(options, full, less):
    return less if options.quick else full


def write_openings(tools, tests, name):
    """The files that load.c sends, for each kind of connection."""
    recorded = openings.recorded_hello(tests, name)
    for file, octets in (
            ("short.tls", openings.hello(recorded, "d %d " % SHORT)),
            ("answer.tls", openings.hello(recorded, "d %d " % ANSWER)),
            ("echo.tls", openings.hello(recorded, "e ")),
            ("short.http", openings.http("/d/%d" % SHORT)),
            ("keep.http", openings.http("/d/%d" % SHORT, close=False)),
            ("answer.http", openings.http("/d/%d" % ANSWER))):
        with open(tools.path(file), "wb") as out:
            out.write(octets)
    for size in (GIB // 8, GIB // 2):
        for file, octets in (
                ("down.tls", openings.hello(recorded, "d %d " % size)),
                ("up.tls", openings.hello(recorded, "u %d " % size)),
                ("down.http", openings.http("/d/%d" % size)),
                ("up.http", openings.http("/u/%d" % size, "POST", size))):
            with open(tools.path("%s.%d" % (file, size)), "wb") as out:
                out.write(octets)


def load(peer, opening, *args):
    """Run the load generator; returns its numbers.  One failure, or one
    answer from a server other than the name's, is an error."""
    http = ".http" in opening
    process = peer.net.start(
        peer.tools.path("load"), "-t", peer.tools.path(opening),
        "-m", str(peer.n_names), "-b", str(HTTP if http else TLS),
        *(["-H"] if http else []), *map(str, args), FRONT,
        str(HTTP if http else TLS), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    out, err = process.communicate()
    if process.returncode != 0:
        raise Failed("%s: %s%s" % (peer.name, out, err))
    return {key: float(value) for key, value in
            (field.split("=") for field in out.split())}


def settled_cpu_us(peer):
    """Processor time so far, once what was begun is finished."""
    before = -1
    for _ in range(40):
        now = peer.group.cpu_us()
        if now - before < 50:
            break
        before = now
        time.sleep(0.02)
    return now


def cpu_of(peer, *args):
    """Returns the load's numbers and the microseconds the peer took."""
    before = settled_cpu_us(peer)
    numbers = load(peer, *args)
    return numbers, settled_cpu_us(peer) - before


def short(kind, octets):
    def measure(peer, options):
        opening = {"tls": "short.tls", "http": "short.http",
                   "answers": "answer.tls"}[kind]
        n = quick(options, 6000, 2500)
        numbers, cpu = cpu_of(peer, opening, "-c", 32, "-n", n, "-d", octets)
        return {"cpu": cpu / numbers["connections"]}
    return measure


def keep(peer, options):
    n = quick(options, 32, 16)
    numbers, cpu = cpu_of(peer, "keep.http", "-c", 16, "-n", n, "-r", 500,
                          "-K", "-d", SHORT)
    return {"cpu": cpu / numbers["requests"]}


def bulk(direction, kind):
    def measure(peer, options):
        size = quick(options, GIB // 2, GIB // 8)
        down, up = (size, 0) if direction == "down" else (16, size)
        numbers, cpu = cpu_of(peer, "%s.%s.%d" % (direction, kind, size),
                              "-c", 4, "-n", quick(options, 4, 2), "-d", down,
                              "-u", up)
        return {"cpu": cpu / 1e6 / (numbers["octets"] / GIB)}
    return measure


def ping(peer, options):
    # One at a time processors fall asleep and wake, and where client, proxy
    # and server meet is chance: that is in the times, of many connections;
    # for processor time there are enough messages to keep all awake.
    connections, each = quick(options, 40, 20), 250
    numbers = load(peer, "echo.tls", "-E", "-n", connections, "-r", each)
    _, cpu = cpu_of(peer, "echo.tls", "-E", "-c", 16, "-n", 2 * connections,
                    "-r", each)
    return {"cpu": cpu / (2 * connections * each), "p50": numbers["p50_us"],
            "p99": numbers["p99_us"]}


def ttfb(peer, options):
    numbers = load(peer, "short.tls", "-d", SHORT, "-n",
                   quick(options, 3000, 1000))
    return {"p50": numbers["p50_us"], "p99": numbers["p99_us"]}


def idle(peer, options):
    few, many = 1000, 9000
    base = peer.group.pss_octets()
    process = peer.net.start(
        peer.tools.path("load"), "-t", peer.tools.path("echo.tls"), "-n",
        str(many), "-m", str(peer.n_names), "-h", "%d,%d" % (few, many),
        FRONT, str(TLS), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True)
    pss = []
    for count in few, many:
        if process.stdout.readline() != "holding=%d\n" % count:
            raise Failed("%s: cannot hold %d connections" % (peer.name,
                                                             count))
        time.sleep(0.3)
        pss.append(peer.group.pss_octets())
        if count == few:
            process.stdin.write("\n")
            process.stdin.flush()
    process.kill()
    process.wait()
    settled_cpu_us(peer)
    return {"base": base / (1 << 20),
            "slope": (pss[1] - pss[0]) / (many - few)}


MODES = {
    "tls": short("tls", SHORT),
    "http": short("http", SHORT),
    "keep": keep,
    "answers": short("answers", ANSWER),
    "down": bulk("down", "tls"),
    "up": bulk("up", "tls"),
    "http-down": bulk("down", "http"),
    "http-up": bulk("up", "http"),
    "ping": ping,
    "ttfb": ttfb,
    "idle": idle,
}
ONCE = {"idle"}         # memory needs no repetition


def is_bulk(mode):
    """Where the size of a buffer matters."""
    return mode.endswith(("down", "up"))


def protocol(mode):
    return "http" if mode == "keep" or mode.startswith("http") else "tls"


# --- maps of many names -----------------------------------------------------

class MemoryPeak(threading.Thread):
    """The most memory a group has while this runs."""

    def __init__(self, group):
        super().__init__()
        self.group, self.most, self.done = group, 0, False
        self.start()

    def run(self):
        while not self.done:
            self.most = max(self.most, self.group.memory_octets())
            time.sleep(0.003)

    def stop(self):
        self.done = True
        self.join()
        return self.most


def table(peer_class, tools, n, options):
    """Load and reload a map of n names in a peer of its own."""
    peer = peer_class(tools, n)
    try:
        peer.start()
        time.sleep(0.3)
        memory = peer.group.memory_octets()
        load(peer, "short.tls", "-c", 8, "-n", 200, "-d", SHORT)
        numbers, cpu = cpu_of(peer, "short.tls", "-c", 32, "-n",
                              quick(options, 6000, 2500), "-d", SHORT)
        peer.write_names(n + 1)
        peer.configure()
        peak = MemoryPeak(peer.group)
        began, before = time.monotonic(), peer.group.cpu_us()
        try:
            peer.reload()
            peer.wait_name(n, 120)
            reload_s = time.monotonic() - began
            time.sleep(0.5)
        finally:
            most = peak.stop()
        return {"load": peer.load_s, "memory": memory / (1 << 20),
                "peak": most / (1 << 20), "reload": reload_s,
                "reload_cpu": (settled_cpu_us(peer) - before) / 1e6,
                "cpu": cpu / numbers["connections"]}
    finally:
        peer.stop()


# --- reloads under load -----------------------------------------------------

def percentile(values, percent):
    return sorted(values)[(len(values) - 1) * percent // 100]


def reloads(peer, options):
    """20 reloads while 64 clients open short connections and four transfer,
    as fast for each peer: time to first byte meanwhile, and without."""
    n = quick(options, 8000, 2000)
    args = "short.tls", "-c", 64, "-n", n, "-d", SHORT
    calm, busy, errors = [], [], []
    stop = threading.Event()

    def transfers():
        while not stop.is_set():
            try:
                load(peer, "down.tls.%d" % (GIB // 8), "-c", 4, "-n", 4,
                     "-d", GIB // 8, "-p", PACE)
            except Failed as error:
                errors.append(str(error))

    def shorts(into):
        try:
            into.append(load(peer, *args)["p99_us"])
        except Failed as error:
            errors.append(str(error))

    worker = threading.Thread(target=transfers)
    worker.start()
    try:
        for _ in range(quick(options, 9, 5)):
            shorts(calm)
        done = threading.Event()

        def keep_on():
            while not done.is_set():
                shorts(busy)
        clients = threading.Thread(target=keep_on)
        clients.start()
        for _ in range(20):
            peer.reload()
            time.sleep(quick(options, 1.0, 0.3))
        done.set()
        clients.join()
    finally:
        stop.set()
        worker.join()
    return {"failures": len(errors), "calm": percentile(calm, 50),
            "busy": percentile(busy, 50) if busy else 0,
            "errors": errors[:3]}
