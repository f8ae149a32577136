# SPDX-License-Identifier: ISC
"""bench/run jump: jumpd beside Debian's sshd as a jump host."""
import argparse
import json
import os
import platform
import shutil
import signal
import sys
import time

import jump_modes
import jump_report
from jumpers import JUMPERS, make_keys
from world import Failed, Tools, find_program, install_packages, progress, \
    run, say


def choice(known):
    def parse(names):
        chosen = names.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError("%s: one of %s" % (
                    name, ",".join(known)))
        return chosen
    return parse


def options(args):
    parser = argparse.ArgumentParser(
        prog="bench/run jump", description=__doc__,
        epilog="modes: %s; peers: %s" % (",".join(jump_modes.MODES),
                                         ",".join(JUMPERS)))
    parser.add_argument("--quick", action="store_true",
                        help="less of everything; under two minutes")
    parser.add_argument("--modes", type=choice(jump_modes.MODES),
                        default=list(jump_modes.MODES))
    parser.add_argument("--peers", type=choice(JUMPERS),
                        default=list(JUMPERS))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--json", metavar="FILE")
    chosen = parser.parse_args(args)
    if chosen.rounds is None:
        chosen.rounds = 2 if chosen.quick else 5
    return chosen


def measure_once(peer, mode, opts):
    try:
        peer.check()
        return jump_modes.MODES[mode](peer, opts)
    except Failed as error:
        say("FAILED: %s %s: %s" % (peer.name, mode, error))
        return None


def measure(tools, opts):
    """{mode: {peer: {round: result}}}"""
    raw = {mode: {} for mode in opts.modes}
    running = []
    try:
        for name in opts.peers:
            running.append(JUMPERS[name](tools))
            running[-1].start()
        for i in range(opts.rounds):
            for mode in opts.modes:
                if i > 0 and mode in jump_modes.ONCE:
                    continue
                first = i % len(running)
                for peer in running[first:] + running[:first]:
                    if not peer.jumps and mode not in jump_modes.DIRECT:
                        continue
                    progress("round %d of %d: %s %s" % (
                        i + 1, opts.rounds, mode, peer.name))
                    raw[mode].setdefault(peer.name, {})[i] = \
                        measure_once(peer, mode, opts)
    finally:
        for peer in running:
            peer.stop()
        progress("")
    return raw


def versions(tools):
    return {"jumpd": ", ".join(run(tools.jumpd, "-V").splitlines()),
            "sshd": "openssh-server " + run(
                "dpkg-query", "-W", "-f", "${Version}", "openssh-server")}


def main(args, top):
    opts = options(args)
    if os.geteuid() != 0:
        sys.exit("bench/run: network namespaces need root")
    # A kill from outside still ends what the run began.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    install_packages(sorted({package for name in opts.peers
                             for package in JUMPERS[name].packages} |
                            {"gcc", "libc6-dev", "libssh-dev"}))
    tools = Tools(os.path.join(top, "bench"),
                  ["jump_client", "jump_load", "jump_target"],
                  ["-Wl,--as-needed", "-lssh"])
    try:
        tools.jumpd = find_program(tools, top, "jumpd/jumpd")
        make_keys(tools)
        known = versions(tools)
        title = "%s, Linux %s, %d CPUs, %d rounds" % (
            time.strftime("%Y-%m-%d"), platform.release(), os.cpu_count(),
            opts.rounds)
        say("%s\n%s\n" % (title, "; ".join(known.values())))
        if "sshd" in opts.peers and os.path.isdir("/run/systemd/system"):
            say("logind takes sessions with PAM out of our control group: "
                "sshd's figures are too low here; see sshd-nopam.\n")
        raw = measure(tools, opts)
        say("Median (least-most):\n")
        say(jump_report.figures(raw, opts.peers) + "\n")
        say(jump_report.comparison(raw, opts.peers) + "\n")
        if opts.json:
            with open(opts.json, "w") as file:
                json.dump({"title": title, "versions": known, "raw": raw},
                          file, indent=1)
    finally:
        shutil.rmtree(tools.folder, ignore_errors=True)
