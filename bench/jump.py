# SPDX-License-Identifier: ISC
"""bench/run jump: jumpd beside Debian's sshd as a jump host."""
import argparse
import os
import shutil

import jump_modes
import jump_report
import turns
from jumpers import JUMPERS, make_keys
from world import Tools, find_program, install_packages, run, say


def options(args):
    parser = argparse.ArgumentParser(prog="bench/run jump",
                                     description=__doc__)
    turns.add_options(parser, "two", jump_modes.MODES, JUMPERS)
    chosen = parser.parse_args(args)
    if chosen.rounds is None:
        chosen.rounds = 2 if chosen.quick else 5
    return chosen


def measure(tools, opts):
    def wanted(i, mode, peer):
        if i > 0 and mode in jump_modes.ONCE:
            return False
        return peer.jumps or mode in jump_modes.DIRECT
    return turns.in_turns(
        lambda name: JUMPERS[name](tools),
        {mode: jump_modes.MODES[mode] for mode in opts.modes}, opts, wanted)


def versions(tools):
    return {"jumpd": ", ".join(run(tools.jumpd, "-V").splitlines()),
            "sshd": "openssh-server " + run(
                "dpkg-query", "-W", "-f", "${Version}", "openssh-server")}


def main(args, top):
    opts = options(args)
    turns.begin()
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
        title = turns.title("%d rounds" % opts.rounds)
        say("%s\n%s\n" % (title, "; ".join(known.values())))
        if "sshd" in opts.peers and os.path.isdir("/run/systemd/system"):
            say("logind takes sessions with PAM out of our control group: "
                "sshd's figures are too low here; see sshd-nopam.\n")
        raw = measure(tools, opts)
        say("Median (least-most):\n")
        say(jump_report.figures(raw, opts.peers) + "\n")
        say(jump_report.comparison(raw, opts.peers) + "\n")
        turns.save(opts.json, {"title": title, "versions": known,
                               "raw": raw})
    finally:
        shutil.rmtree(tools.folder, ignore_errors=True)
