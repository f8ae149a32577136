# SPDX-License-Identifier: ISC
"""From measurements of jump hosts to tables."""
import statistics

from report import aligned, spread, values_of

# (mode, quantity, what a reader calls it, unit, digits, goal of jumpd / sshd
# or None); goals above 2 are the least, others the most.
ROWS = (
    ("session", "cpu", "ssh -J session", "CPU ms", 2, .2),
    ("session", "ms", "  time to the first answer", "ms", 1, None),
    ("session", "added", "  of which the jump host adds", "ms", 1, .15),
    ("setups", "rate", "logins, 20 at a time", "a second", 0, 5),
    ("setups", "p50", "  time of one, p50", "ms", 0, None),
    ("setups", "p99", "  p99", "ms", 0, None),
    ("ssh-setups", "rate", "the same by ssh(1)", "a second", 0, None),
    ("ssh-setups", "p50", "  time of one, p50", "ms", 0, None),
    ("idle", "pss", "idle session", "MiB PSS", 2, .25),
    ("idle", "base", "no session", "MiB PSS", 2, None),
    ("after-bulk", "pss", "session after bulk", "MiB PSS", 2, .35),
    ("down", "cpu", "chacha20-poly1305 down", "CPU s/GiB", 2, .8),
    ("down", "rate", "  speed", "MiB/s", 0, None),
    ("up", "cpu", "chacha20-poly1305 up", "CPU s/GiB", 2, .8),
    ("up", "rate", "  speed", "MiB/s", 0, None),
    ("gcm-down", "cpu", "AES-GCM down", "CPU s/GiB", 2, 1.3),
    ("gcm-down", "rate", "  speed", "MiB/s", 0, None),
    ("gcm-up", "cpu", "AES-GCM up", "CPU s/GiB", 2, 1.3),
    ("gcm-up", "rate", "  speed", "MiB/s", 0, None),
    ("half-open", "one", "logins beside 200 half-open, 1 source", "of 20", 0,
     None),
    ("half-open", "one_ms", "  time of one, p50", "ms", 0, None),
    ("half-open", "many", "logins beside 200 of 200 sources", "of 20", 0,
     None),
    ("half-open", "many_ms", "  time of one, p50", "ms", 0, None),
)


def values(raw, mode, quantity, peer):
    """{round: value}; what is added is over a session without jump host in
    the same round."""
    if quantity != "added":
        return values_of(raw, mode, quantity, peer)
    direct = values_of(raw, mode, "ms", "direct")
    return {i: ms - direct[i]
            for i, ms in values_of(raw, mode, "ms", peer).items()
            if i in direct and peer != "direct"}


def figures(raw, peers):
    rows = [["", "unit", *peers]]
    for mode, quantity, label, unit, digits, _ in ROWS:
        if mode in raw:
            rows.append([label, unit] + [
                spread(values(raw, mode, quantity, peer).values(), digits)
                if peer != "direct" or quantity == "ms" else ""
                for peer in peers])
    return aligned(rows)


def comparison(raw, peers):
    """jumpd / peer, round by round; with what is wanted of jumpd beside
    sshd as Debian has it, and ! where it is not reached."""
    others = [peer for peer in peers if peer not in ("jumpd", "direct")]
    rows = [["jumpd / peer", *others, "wanted"]]
    for mode, quantity, label, _, _, goal in ROWS:
        if mode not in raw or quantity.startswith(("one", "many")):
            continue
        cells, least = [], goal is not None and goal > 2
        ours = values(raw, mode, quantity, "jumpd")
        for peer in others:
            theirs = values(raw, mode, quantity, peer)
            ratios = [ours[i] / theirs[i] for i in ours if theirs.get(i)]
            cells.append(spread(ratios, 2))
            if goal is not None and ratios:
                median = statistics.median(ratios)
                if median < goal if least else median > goal:
                    cells[-1] += " !"
        rows.append([label, *cells, "" if goal is None else "%s %.2f" % (
            ">=" if least else "<=", goal)])
    return aligned(rows)
