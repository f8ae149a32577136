# SPDX-License-Identifier: ISC
"""What every part of bench/run does: options, rounds in which the peers take
turns, and what is kept of them."""
import argparse
import json
import os
import platform
import signal
import sys
import time

from world import Failed, progress, say


def choice(known):
    """For argparse: names with commas between them, each one of these."""
    def parse(names):
        chosen = names.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError("%s: one of %s" % (
                    name, ",".join(known)))
        return chosen
    return parse


def add_options(parser, quick, modes, peers, usual=None):
    """What is common; `quick` is how long --quick may take, `usual` the peers
    without --peers."""
    parser.epilog = "modes: %s; peers: %s" % (",".join(modes),
                                              ",".join(peers))
    parser.add_argument("--quick", action="store_true",
                        help="less of everything; under %s minutes" % quick)
    parser.add_argument("--modes", type=choice(modes), default=list(modes))
    parser.add_argument("--peers", type=choice(peers),
                        default=list(usual or peers))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--json", metavar="FILE")


def begin():
    if os.geteuid() != 0:
        sys.exit("bench/run: network namespaces need root")
    # A kill from outside still ends what the run began.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def title(*more):
    """The day, the machine and the rest."""
    return ", ".join((time.strftime("%Y-%m-%d"), "Linux " +
                      platform.release(), "%d CPUs" % os.cpu_count(), *more))


def measure_once(measure, peer, mode, opts):
    try:
        peer.check()
        return measure(peer, opts)
    except Failed as error:
        say("FAILED: %s %s: %s" % (peer.name, mode, error))
        return None


def in_turns(make, modes, opts, wanted, ready=lambda peer: None):
    """Start what make(name) gives for each peer, measure in turns and stop
    them.  Modes are {name: measure(peer, opts)}; wanted(round, mode, peer)
    says whether it is measured then; ready(peer) is called before the first.
    Returns {mode: {peer: {round: result}}}."""
    raw = {mode: {} for mode in modes}
    running = []
    try:
        for name in opts.peers if modes else ():
            running.append(make(name))
            running[-1].start()
            ready(running[-1])
        for i in range(opts.rounds):
            for mode, measure in modes.items():
                first = i % len(running)
                for peer in running[first:] + running[:first]:
                    if not wanted(i, mode, peer):
                        continue
                    progress("round %d of %d: %s %s" % (
                        i + 1, opts.rounds, mode, peer.name))
                    raw[mode].setdefault(peer.name, {})[i] = measure_once(
                        measure, peer, mode, opts)
    finally:
        for peer in running:
            peer.stop()
        progress("")
    return raw


def save(path, results):
    """As JSON, if there is a path."""
    if path:
        with open(path, "w") as file:
            json.dump(results, file, indent=1)
