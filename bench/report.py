# SPDX-License-Identifier: ISC
"""From measurements to tables, and to a picture."""
import html
import statistics

# (mode, quantity, what a reader calls it, unit, digits)
ROWS = (
    ("tls", "cpu", "short TLS connection", "µs CPU", 1),
    ("http", "cpu", "short HTTP connection", "µs CPU", 1),
    ("keep", "cpu", "HTTP request, kept alive", "µs CPU", 1),
    ("answers", "cpu", "TLS connection, 64 KiB answer", "µs CPU", 1),
    ("down", "cpu", "TLS bulk, down", "CPU s/GiB", 3),
    ("up", "cpu", "TLS bulk, up", "CPU s/GiB", 3),
    ("http-down", "cpu", "HTTP body, down", "CPU s/GiB", 3),
    ("http-up", "cpu", "HTTP body, up", "CPU s/GiB", 3),
    ("ping", "cpu", "64 octets there and back", "µs CPU", 1),
    ("ping", "p50", "  time, p50", "µs", 1),
    ("ping", "p99", "  time, p99", "µs", 1),
    ("ttfb", "p50", "first octet of a new connection, p50", "µs", 1),
    ("ttfb", "p99", "  p99", "µs", 1),
    ("idle", "slope", "idle TLS connection", "octets PSS", 0),
    ("idle", "base", "no connection", "MiB PSS", 1),
)
TABLE_ROWS = (
    ("load", "load", "s", 2),
    ("memory", "memory", "MiB", 0),
    ("peak", "peak during a reload", "MiB", 0),
    ("reload", "reload", "s", 2),
    ("reload_cpu", "reload", "CPU s", 2),
    ("cpu", "short TLS connection", "µs CPU", 1),
)
RELOAD_ROWS = (
    ("failures", "loads with a failed connection", "", 0),
    ("calm", "first octet, p99, without reloads", "µs", 0),
    ("busy", "first octet, p99, during 20 reloads", "µs", 0),
)
# Ratios of proxyd to a peer that the project wants to reach.
GOALS = {
    ("tls", "cpu", "haproxy"): .85, ("tls", "cpu", "nginx"): .95,
    ("http", "cpu", "haproxy"): .85, ("keep", "cpu", "haproxy"): .9,
    ("answers", "cpu", "haproxy"): .75, ("ping", "cpu", "nginx"): 1,
    ("ttfb", "p50", "nginx"): 1,
}
for _mode in ("down", "up", "http-down", "http-up"):
    GOALS[_mode, "cpu", "haproxy"] = .25
    GOALS[_mode, "cpu", "haproxy-64k"] = .35


def spread(values, digits):
    """The median, and the least and the most of several."""
    if not values:
        return "-"
    text = "%.*f" % (digits, statistics.median(values))
    if len(values) > 1:
        text += " (%.*f-%.*f)" % (digits, min(values), digits, max(values))
    return text


def values_of(raw, mode, quantity, peer):
    """{round: value}"""
    return {i: result[quantity]
            for i, result in raw.get(mode, {}).get(peer, {}).items()
            if result is not None and quantity in result}


def ratios_of(raw, mode, quantity, peer):
    """proxyd's share of what the peer took in the same round."""
    ours = values_of(raw, mode, quantity, "proxyd")
    theirs = values_of(raw, mode, quantity, peer)
    return [ours[i] / theirs[i] for i in ours if theirs.get(i)]


def aligned(rows):
    """Markdown that also reads well as it is."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in
                               zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths)
                 + "|")
    return "\n".join(lines)


def figures(raw, peers):
    rows = [["", "unit", *peers]]
    for mode, quantity, label, unit, digits in ROWS:
        if mode in raw:
            rows.append([label, unit] + [
                spread(values_of(raw, mode, quantity, peer).values(), digits)
                for peer in peers])
    return aligned(rows)


def comparison(raw, peers):
    """proxyd / peer; with what is wanted, and ! where it is not reached."""
    others = [peer for peer in peers if peer != "proxyd"]
    rows = [["proxyd / peer", *others]]
    for mode, quantity, label, _, _ in ROWS:
        cells = []
        for peer in others:
            ratios = ratios_of(raw, mode, quantity, peer)
            cell = spread(ratios, 2)
            goal = GOALS.get((mode, quantity, peer))
            if goal is not None and ratios:
                missed = statistics.median(ratios) > goal
                cell += " %s %.2f" % ("! >" if missed else "<=", goal)
            cells.append(cell)
        if mode in raw and "proxyd" in peers:
            rows.append([label, *cells])
    return aligned(rows)


def tables(maps, peers):
    """Maps of many names: {names: {peer: result}}"""
    rows = [["names", "", "unit", *peers]]
    for n, results in sorted(maps.items()):
        for quantity, label, unit, digits in TABLE_ROWS:
            rows.append(["{:,}".format(n), label, unit] + [
                "%.*f" % (digits, results[peer][quantity])
                if results.get(peer) else "-" for peer in peers])
    return aligned(rows)


def reload_table(results):
    rows = [["%d names" % results.pop("names"), "unit", *results]]
    for quantity, label, unit, digits in RELOAD_ROWS:
        rows.append([label, unit] + ["%.*f" % (digits, result[quantity])
                                     for result in results.values()])
    return aligned(rows)


# --- the picture --------------------------------------------------------------

COLOURS = {"proxyd": "#0b6e4f", "haproxy": "#4a7fb5", "haproxy-64k": "#9dbfdd",
           "nginx": "#c98a2b", "sniproxy": "#a8a29e"}
WIDTH, LEFT, BAR, GAP = 760, 150, 15, 30


def panel(raw, peers, row, y):
    mode, quantity, label, unit, digits = row
    medians = {}
    for peer in peers:
        values = values_of(raw, mode, quantity, peer).values()
        if values:
            medians[peer] = (statistics.median(values), min(values),
                             max(values))
    if not medians:
        return [], y
    scale = (WIDTH - LEFT - 110) / max(most for _, _, most in
                                       medians.values())
    out = ['<text x="8" y="%d" class="t">%s, %s</text>' % (
        y, html.escape(label), unit)]
    for peer, (median, least, most) in medians.items():
        y += BAR + 3
        out.append(
            '<text x="%d" y="%d" class="p">%s</text>'
            '<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>'
            '<path d="M%.1f %dH%.1f" class="w"/>'
            '<text x="%.1f" y="%d">%.*f</text>' % (
                LEFT - 8, y, peer, LEFT, y - BAR + 4, median * scale, BAR - 2,
                COLOURS.get(peer, "#888"), LEFT + least * scale, y - 3,
                LEFT + most * scale, LEFT + most * scale + 6, y, digits,
                median))
    return out, y + GAP


def svg(raw, peers, title):
    """Less is better everywhere; the line over a bar is the spread."""
    out, y = [], 62
    for row in ROWS:
        if not row[2].startswith(" "):
            panels, y = panel(raw, peers, row, y)
            out += panels
    return """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d">
<style>text{font:12px sans-serif;fill:#222}.t{font-weight:bold}
.p{text-anchor:end}.w{stroke:#222;stroke-opacity:.6}</style>
<rect width="100%%" height="100%%" fill="#fff"/>
<text x="8" y="22" class="t">Less is better</text>
<text x="8" y="40">%s</text>
%s
</svg>
""" % (WIDTH, y - GAP // 2, html.escape(title), "\n".join(out))
