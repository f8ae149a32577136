# SPDX-License-Identifier: ISC
"""bench/run xlat: xlatd beside TAYGA and the kernel's own forwarding."""
import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess

import turns
from report import aligned, spread, values_of
from translators import FOUR, SIX, TRANSLATORS
from world import Failed, Tools, find_program, install_packages, progress, \
    run, say, wait_for

GIB = 1 << 30
IPERF, UDP = "5201", "7000"
FLOOD = 400000          # datagrams a second, more than anybody translates
SEGMENTED = 250000      # the same as super-packets, which receivers bear


# --- what is measured -------------------------------------------------------

def ksoftirqd_us():
    """Processor time of the kernel's threads that forward packets."""
    total = 0
    for pid in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            with open("/proc/%d/stat" % int(pid)) as file:
                text = file.read()
            if "(ksoftirqd/" in text:
                fields = text.rpartition(")")[2].split()
                total += int(fields[11]) + int(fields[12])
    return total * 1000000 // os.sysconf("SC_CLK_TCK")


class Cpu:
    """Microseconds the translator takes, and everything of the test."""

    def __init__(self, peer):
        self.peer = peer
        self.before = self.now()

    def now(self):
        own = self.peer.group.cpu_us()
        return own, own + self.peer.ends.cpu_us() + ksoftirqd_us()

    def taken(self):
        return [now - before for now, before in zip(self.now(), self.before)]


def of_program(peer, result):
    """Without what only a program has, if there is none."""
    if peer.process is None:
        result.pop("own", None)
        result.pop("pss", None)
    return result


def start(peer, host, *args):
    return host.start(*args, group=peer.ends, stdout=subprocess.PIPE,
                      stderr=subprocess.STDOUT, text=True)


def numbers(text):
    return {key: float(value) for key, value in
            (field.split("=") for field in text.split() if "=" in field)}


def iperf(peer, seconds, *options):
    server = start(peer, peer.four, "iperf3", "-s", "-1", "-p", IPERF)
    try:
        def listens():
            with peer.four:
                return run("ss", "-Hltn", "sport = :" + IPERF)
        wait_for(listens, "iperf3 listens", 10)
        cpu = Cpu(peer)
        client = start(peer, peer.six, "iperf3", "-J", "-c",
                       peer.six_to_four, "-p", IPERF, "-t", str(seconds),
                       *options)
        text = client.communicate()[0]
        own, everything = cpu.taken()
    finally:
        server.kill()
        server.communicate()
    with contextlib.suppress(ValueError, KeyError):
        end = json.loads(text)["end"]["sum_received"]
        gib = end["bytes"] / GIB
        return of_program(peer, {
            "gbit": end["bits_per_second"] / 1e9, "own": own / 1e6 / gib,
            "all": everything / 1e6 / gib})
    raise Failed("iperf3: " + text[-500:])


def tcp(streams, direction):
    def measure(peer, options):
        return iperf(peer, options.seconds, "-P", str(streams),
                     *(["-R"] if direction == "46" else []))
    return measure


def from_links(direction):
    """Senders that segment themselves, as packets come from a real link."""
    def measure(peer, options):
        ends = (peer.six, "eth0"), (peer.four, "eth0")
        inside = (peer.dut, "six"), (peer.dut, "four")
        for host, link in ends:
            host.ethtool(link, "tso", "off", "gso", "off")
        for host, link in inside:
            host.ethtool(link, "gro", "on")
        try:
            return tcp(1, direction)(peer, options)
        finally:
            for host, link in ends:
                host.ethtool(link, "tso", "on", "gso", "on")
            for host, link in inside:
                host.ethtool(link, "gro", "off")
    return measure


def udp_ends(peer, direction):
    """(sender, receiver, where it listens, where to send to)"""
    if direction == "64":
        return peer.six, peer.four, FOUR if peer.name != "kernel" else \
            peer.six_to_four, peer.six_to_four
    return peer.four, peer.six, SIX, peer.four_to_six


def datagrams(peer, direction, octets, rate, seconds, segments=1):
    """Returns {sent, received, own CPU us}."""
    sender, receiver, local, to = udp_ends(peer, direction)
    tool = peer.tools.path("udp")
    counter = start(peer, receiver, tool, "count", local, UDP)
    if counter.stdout.readline() != "ready\n":
        raise Failed("udp: " + counter.communicate()[0])
    cpu = Cpu(peer)
    sent = start(peer, sender, tool, "send", to, UDP, str(octets), str(rate),
                 str(seconds), str(segments)).communicate()[0]
    received = counter.communicate()[0]
    own, everything = cpu.taken()
    return {"sent": numbers(sent)["datagrams"],
            "received": numbers(received)["datagrams"], "own": own,
            "all": everything}


def flood(direction, octets, segments=1):
    def measure(peer, options):
        got = datagrams(peer, direction, octets,
                        FLOOD if segments == 1 else SEGMENTED,
                        options.seconds / 2, segments)
        if got["received"] == 0:
            raise Failed("nothing arrived")
        return of_program(peer, {
            "own": got["received"] / max(got["own"], 1) * 1e3,
            "all": got["received"] / got["all"] * 1e3})
    return measure


def rate(direction, octets):
    """Datagrams a second of which less than 1 % is lost."""
    def measure(peer, options):
        def once(kpps):
            got = datagrams(peer, direction, octets, kpps * 1000,
                            options.seconds / 4)
            return got["received"] > .99 * got["sent"] and \
                got["sent"] > .95 * kpps * 1000 * options.seconds / 4

        def passes(kpps):   # others use the machine, too
            return once(kpps) or once(kpps)
        least, most = 5, 10
        while passes(most) and most < 2000:
            least, most = most, most * 2
        while most / least > 1.1:
            middle = (least * most) ** .5
            if passes(middle):
                least = middle
            else:
                most = middle
        return {"kpps": least}
    return measure


def rtt(peer, options):
    tool = peer.tools.path("udp")
    _, receiver, local, to = udp_ends(peer, "64")
    echo = start(peer, receiver, tool, "echo", local, UDP)
    try:
        echo.stdout.readline()
        cpu = Cpu(peer)
        text = start(peer, peer.six, tool, "ping", to, UDP, "64",
                     "5000").communicate()[0]
        own, _ = cpu.taken()
    finally:
        echo.kill()
        echo.communicate()
    result = numbers(text)
    return of_program(peer, {"p50": result["p50_us"],
                             "p99": result["p99_us"], "own": own / 5000})


def memory(peer, options):
    return of_program(peer, {"pss": peer.group.pss_octets() / (1 << 20)})


MODES = {}
for _way in "64", "46":
    MODES["tcp1-" + _way] = tcp(1, _way)
    MODES["tcp4-" + _way] = tcp(4, _way)
    MODES["mtu-" + _way] = from_links(_way)
    MODES["udp64-" + _way] = flood(_way, 64)
    MODES["udp1400-" + _way] = flood(_way, 1400)
    MODES["segment-" + _way] = flood(_way, 1200, 40)
    MODES["rate64-" + _way] = rate(_way, 64)
    MODES["rate1400-" + _way] = rate(_way, 1400)
MODES["rtt"] = rtt
MODES["memory"] = memory
ONCE = {"memory"}


# --- tables -----------------------------------------------------------------

def rows():
    """(mode, quantity, what a reader calls it, unit, digits, goal of xlatd /
    TAYGA or None, whether less is better)"""
    for way, name in ("64", "6->4"), ("46", "4->6"):
        for mode, label, speed, cost in (
                ("tcp1", "TCP, 1 stream", 3, 1 / 6),
                ("tcp4", "TCP, 4 streams", 5, 1 / 6),
                ("mtu", "TCP, 1 stream, MTU-sized packets", 2, 1 / 4)):
            mode += "-" + way
            label += " " + name
            yield mode, "gbit", label, "Gbit/s", 2, speed, False
            yield mode, "own", "  translator", "CPU s/GiB", 2, cost, True
            yield mode, "all", "  translator and ends", "CPU s/GiB", 2, \
                None, True
        for mode, label, goal in (
                ("udp64", "UDP, 64 octets", 1.0),
                ("udp1400", "UDP, 1,400 octets", None),
                ("segment", "UDP_SEGMENT, 1,200 octets", 4)):
            yield mode + "-" + way, "own", label + " " + name, \
                "thousand/CPU s", 0, goal, False
            yield mode + "-" + way, "all", "  and ends", \
                "thousand/CPU s", 0, None, False
        for octets in "64", "1400":
            yield "rate%s-%s" % (octets, way), "kpps", \
                "UDP, %s octets %s, < 1 %% lost" % (octets, name), \
                "thousand/s", 0, None, False
    yield "rtt", "p50", "64 octets there and back, p50", "us", 0, None, True
    yield "rtt", "p99", "  p99", "us", 0, None, True
    yield "rtt", "own", "  translator", "CPU us", 1, None, True
    yield "memory", "pss", "memory", "MiB PSS", 1, None, True


def figures(raw, peers):
    table = [["", "unit", *peers]]
    for mode, quantity, label, unit, digits, _, _ in rows():
        if mode in raw:
            table.append([label, unit] + [
                spread(values_of(raw, mode, quantity, peer).values(), digits)
                for peer in peers])
    return aligned(table)


def comparison(raw, peers):
    """xlatd / TAYGA, round by round; with what is wanted."""
    table = [["", "xlatd / tayga", "wanted"]]
    for mode, quantity, label, _, _, goal, less in rows():
        ours = values_of(raw, mode, quantity, "xlatd")
        theirs = values_of(raw, mode, quantity, "tayga")
        ratios = [ours[i] / theirs[i] for i in ours if theirs.get(i)]
        if not ratios:
            continue
        wanted = ""
        if goal is not None:
            median = statistics.median(ratios)
            missed = median > goal if less else median < goal
            wanted = "%s %.2f%s" % ("<=" if less else ">=", goal,
                                    ", missed" if missed else "")
        table.append([label, spread(ratios, 2), wanted])
    return aligned(table)


# --- the run ------------------------------------------------------------------

def options(args):
    parser = argparse.ArgumentParser(prog="bench/run xlat",
                                     description=__doc__)
    turns.add_options(parser, "four", MODES, TRANSLATORS,
                      usual=["kernel", "tayga", "xlatd"])
    chosen = parser.parse_args(args)
    if chosen.rounds is None:
        chosen.rounds = 1 if chosen.quick else 5
    chosen.seconds = 1 if chosen.quick else 3
    return chosen


def warm_up(peer):
    """Sockets, and the kernel's memory for them, that are not used for the
    first time: that costs several times as much."""
    progress("warming up: " + peer.name)
    for way in "64", "46":
        with contextlib.suppress(Failed):
            tcp(4, way)(peer, argparse.Namespace(seconds=1))


def measure(tools, opts):
    return turns.in_turns(
        lambda name: TRANSLATORS[name](tools),
        {mode: MODES[mode] for mode in opts.modes}, opts,
        lambda i, mode, peer: mode not in ONCE or i == opts.rounds - 1,
        warm_up)


def versions(tools, peers):
    known = {}
    if "tayga" in peers:
        known["tayga"] = "tayga " + run(
            "dpkg-query", "-W", "-f", "${Version}", "tayga")
    known["xlatd"] = run(tools.xlatd, "-V").splitlines()[0]
    return known


def main(args, top):
    opts = options(args)
    turns.begin()
    install_packages(sorted({package for name in opts.peers
                             for package in TRANSLATORS[name].packages}))
    tools = Tools(os.path.join(top, "bench"), ["udp"])
    try:
        tools.xlatd = find_program(tools, top, "translate/xlatd")
        known = versions(tools, opts.peers)
        title = turns.title("%d rounds" % opts.rounds)
        say("%s\n%s\n" % (title, "; ".join(known.values())))
        raw = measure(tools, opts)
        say("Median (least-most):\n")
        say(figures(raw, opts.peers) + "\n")
        if {"xlatd", "tayga"} <= set(opts.peers):
            say(comparison(raw, opts.peers) + "\n")
        turns.save(opts.json, {"title": title, "versions": known,
                               "raw": raw})
    finally:
        shutil.rmtree(tools.folder, ignore_errors=True)
