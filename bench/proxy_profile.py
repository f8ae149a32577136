# SPDX-License-Identifier: ISC
"""What a connection's processor time is spent on, beside the peers.

Loads that nothing disturbs tell the time, in turns, and the segments; one
under strace -c the system calls; one under perf where the time goes (a sample
belongs to the system call it was taken in, or to the program and its
libraries).
"""
import argparse
import collections
import os
import shutil
import signal
import statistics
import subprocess
import time

import modes
import turns
from peers import PEERS, WORKERS
from world import Tools, find_program, install_packages, progress, say

KINDS = {"tls": ("short.tls", 1024), "http": ("short.http", 1024),
         "answers": ("answer.tls", 65536)}
DEFAULT_PEERS = ["proxyd", "haproxy", "nginx", "bare"]
PARALLEL, ROUNDS, SHOWN_US = 32, 9, 0.5


def options(args):
    parser = argparse.ArgumentParser(prog="bench/run profile",
                                     description=__doc__.split("\n")[0])
    parser.add_argument("--kind", choices=KINDS, default="tls",
                        help="short TLS or HTTP connections, or 64 KiB "
                        "answers")
    parser.add_argument("--peers", type=turns.choice(PEERS),
                        default=DEFAULT_PEERS, help=",".join(PEERS))
    parser.add_argument("--connections", type=int, default=8000)
    chosen = parser.parse_args(args)
    for name in chosen.peers:
        if modes.protocol(chosen.kind) not in PEERS[name].protocols:
            parser.error("--peers: %s has no %s" % (name, chosen.kind))
    return chosen


def segments(peer):
    """TCP segments sent so far in the namespace, by everyone in it."""
    text = subprocess.run(
        ["nsenter", "--net=/proc/%d/ns/net" % peer.process.pid, "cat",
         "/proc/net/snmp"], capture_output=True, text=True, check=True).stdout
    names, values = (line.split() for line in text.splitlines()
                     if line.startswith("Tcp:"))
    return int(values[names.index("OutSegs")])


def observed(peer, opts, command):
    """Run the load while a command watches the peer's processes."""
    opening, octets = KINDS[opts.kind]
    watcher = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    time.sleep(1)                       # until it is attached
    try:
        return modes.load(peer, opening, "-c", PARALLEL, "-n",
                          opts.connections, "-d", octets)["connections"]
    finally:
        watcher.send_signal(signal.SIGINT)
        watcher.wait()


def system_calls(peer, opts):
    """{name: how many a connection}, by strace."""
    output = peer.path("strace")
    pids = [arg for pid in peer.group.pids() for arg in ("-p", str(pid))]
    n = observed(peer, opts, ["strace", "-f", "-c", "-o", output, *pids])
    calls = {}
    with open(output) as file:
        for line in file:
            fields = line.split()
            if len(fields) >= 5 and fields[3].isdigit() and \
                    fields[-1] != "total":
                calls[fields[-1]] = int(fields[3]) / n
    return calls


def place(stack):
    """What a sample, from the innermost frame, is counted for."""
    for symbol, _ in stack:
        if symbol.startswith("__x64_sys_"):
            return symbol[len("__x64_sys_"):]
        if symbol == "do_writev":       # a tail call hides its entry
            return "writev"
    if any(symbol in ("do_syscall_64", "entry_SYSCALL_64_after_hwframe")
           for symbol, _ in stack):
        return "entering and leaving the kernel"
    shared = os.path.basename(stack[0][1])
    if shared.startswith(("libssl", "libcrypto")):
        return "OpenSSL"
    if shared.startswith("libc."):
        return "libc"
    return "kernel, other" if "kernel" in shared else "the program"


def samples(peer, opts):
    """{place: share of all samples}, by perf."""
    data = peer.path("perf.data")
    pids = ",".join(map(str, peer.group.pids()))
    observed(peer, opts, ["perf", "record", "-q", "-g", "-F", "4000", "-o",
                          data, "-p", pids])
    script = subprocess.run(["perf", "script", "-i", data, "-F",
                             "ip,sym,dso"], capture_output=True, text=True)
    counts = collections.Counter()
    stack = []
    for line in script.stdout.splitlines() + [""]:
        fields = line.split()
        if fields:
            stack.append((fields[1] if len(fields) > 2 else "",
                          fields[-1].strip("()")))
        elif stack:
            counts[place(stack)] += 1
            stack = []
    total = sum(counts.values())
    return {where: n / total for where, n in counts.items()}


def undisturbed(peers, opts):
    """{name: (µs, segments) a connection}, medians of rounds in turns."""
    opening, octets = KINDS[opts.kind]
    seen = {peer.name: [] for peer in peers}
    for i in range(ROUNDS + 1):         # the first warms up
        for peer in peers[i % len(peers):] + peers[:i % len(peers)]:
            before = segments(peer)
            numbers, us = modes.cpu_of(
                peer, opening, "-c", PARALLEL, "-n", opts.connections // 4,
                "-d", octets)
            n = numbers["connections"]
            if i > 0:
                seen[peer.name].append((us / n,
                                        (segments(peer) - before) / n))
    return {name: [statistics.median(values) for values in zip(*rounds)]
            for name, rounds in seen.items()}


def profile(tools, opts):
    peers, results = [], {}
    try:
        for name in opts.peers:
            peers.append(PEERS[name](tools))
            peers[-1].start()
        progress("profile: undisturbed")
        for name, (cpu, sent) in undisturbed(peers, opts).items():
            results[name] = {"cpu": cpu, "segments": sent}
        for peer in peers:
            progress("profile: " + peer.name)
            results[peer.name]["calls"] = system_calls(peer, opts)
            results[peer.name]["shares"] = samples(peer, opts)
    finally:
        for peer in peers:
            peer.stop()
        progress("")
    return results


def table(results, first, rows):
    lines = ["| %s | %s |" % (first, " | ".join(results)),
             "|---|" + "---|" * len(results)]
    lines += ["| %s | %s |" % (row, " | ".join(
        "%.1f" % value if value else "-" for value in values))
        for row, values in rows]
    return "\n".join(lines)


def by_weight(results, kind, scale, least):
    """Rows of what any peer has at least so much of, the heaviest first."""
    rows = {}
    for name, result in results.items():
        for key, value in result[kind].items():
            rows.setdefault(key, {})[name] = value * scale(result)
    rows = sorted(rows.items(), key=lambda row: -max(row[1].values()))
    return [(key, [values.get(name) for name in results])
            for key, values in rows if max(values.values()) >= least]


def main(args, top):
    opts = options(args)
    turns.begin()
    install_packages(["strace", "linux-perf"] + [
        package for name in opts.peers for package in PEERS[name].packages])
    tools = Tools(os.path.dirname(os.path.abspath(__file__)))
    try:
        tools.proxyd = find_program(tools, top, "proxyd/proxyd")
        modes.write_openings(tools, os.path.join(top, "tests"), "curl")
        say("%s: %s, a connection\n" % (
            turns.title("%d workers" % WORKERS), opts.kind))
        results = profile(tools, opts)
        everyone = list(results.values())
        say(table(results, "µs of processor time", [
            ("all", [result["cpu"] for result in everyone]),
            *by_weight(results, "shares", lambda result: result["cpu"],
                       SHOWN_US)]) + "\n")
        say(table(results, "system calls", [
            ("all", [sum(result["calls"].values()) for result in everyone]),
            *by_weight(results, "calls", lambda _: 1, .1)]) + "\n")
        say(table(results, "TCP segments, all four ends", [
            ("all", [result["segments"] for result in everyone])]))
    finally:
        shutil.rmtree(tools.folder, ignore_errors=True)
