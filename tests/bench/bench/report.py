# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables for people. Rows and samples come in, text goes out."""
from .cases import STREAMS, UNITS

NO_FIGURE = "-"
METRIC_WORDS = {"throughput_more": "times more throughput, bar {:g}",
                "server_cpu_less": "times less server CPU, bar {:g}",
                "server_cpu_most": "times the server CPU, bar at most {:g}",
                "median_most": "times the median latency, bar at most {:g}"}


def number(value, digits=3):
    if value is None:
        return NO_FIGURE
    return f"{value:.{digits}g}" if abs(value) < 1000 else f"{value:.0f}"


def with_spread(value, spread):
    if value is None:
        return NO_FIGURE
    return f"{number(value)} [{number(spread[0])}..{number(spread[1])}]"


def table(header, rows):
    """Columns of text, aligned; also a table of Markdown."""
    width = [max(len(r[i]) for r in [header, *rows]) for i in range(len(header))]
    lines = ["| " + " | ".join(x.ljust(w) for x, w in zip(r, width)) + " |"
             for r in [header, *rows]]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in width) + "|",
                      *lines[1:]])


def of(summary, key, scale=1.0):
    if key not in summary:
        return NO_FIGURE
    low, high = summary[key + "_spread"]
    return with_spread(summary[key] * scale, [low * scale, high * scale])


def figures(summaries, cases, names):
    """What each tunnel did by itself: {(case, name): summary}."""
    parts = []
    for case in cases:
        rows = []
        for name in names:
            s = summaries.get((case, name))
            if not s:
                continue
            if case.startswith("ping"):
                rows.append([name, of(s, "median_ms"), of(s, "p99_ms")])
            elif case in STREAMS:
                rows.append([name, of(s, "throughput", 1e-9),
                             of(s, "server_cpu_s_per_gb"), of(s, "client_cpu_s_per_gb"),
                             of(s, "peak_rss_mib")])
            else:
                rows.append([name, of(s, "throughput", 1e-3),
                             of(s, "server_cpu_us_per_packet"),
                             of(s, "client_cpu_us_per_packet"), of(s, "peak_rss_mib")])
        if not rows:
            continue
        if case.startswith("ping"):
            header = [case, "median ms", "p99 ms"]
        elif case in STREAMS:
            header = [case, "Gbit/s", "server CPU s/GB", "client CPU s/GB", "server MiB"]
        elif UNITS.get(case) == "packet/s":
            header = [case, "1000 packets/s", "server CPU us/packet",
                      "client CPU us/packet", "server MiB"]
        else:
            continue
        parts.append(table(header, rows))
    return "\n\n".join(parts)


def verdict(bar):
    words = METRIC_WORDS.get(bar["metric"])
    if words is None:
        kind = "at least" if bar["metric"].endswith("_min") else "at most"
        words = f"{bar['metric'][:-4]}, bar {kind} {{:g}}"
    return "%s: %s %s" % ("met" if bar["met"] else "MISSED", number(bar["figure"]),
                          words.format(bar["limit"]))


def ratios(rows):
    """Rows as in the JSON, ours to theirs."""
    out = []
    for row in rows:
        out.append([row["case"], row["suite"], row["tunnel"],
                    with_spread(row["throughput_ratio"], row.get("throughput_spread")),
                    with_spread(row["server_cpu_ratio"], row.get("server_cpu_spread")),
                    with_spread(row.get("median_ms_ratio"), row.get("median_ms_spread")),
                    "; ".join(verdict(b) for b in row["bars"]) or NO_FIGURE])
    if not out:
        return "no ratios: nothing to compare with"
    return table(["case", "suite", "ours to", "throughput", "server CPU", "median latency",
                  "bar"], out)


SHORT_PEERS = ["wireguard-go", "softether", "openvpn", "strongswan-libipsec"]
SHORT_LINES = [("server CPU, upload: times less", "tcp1-up", "server_cpu_ratio", True),
               ("server CPU, download: times less", "tcp1-down", "server_cpu_ratio", True),
               ("one TCP flow, upload: times more", "tcp1-up", "throughput_ratio", False),
               ("one TCP flow, download: times more", "tcp1-down", "throughput_ratio", False),
               ("200-byte UDP, upload: times more", "udp200-up", "throughput_ratio", False),
               ("200-byte UDP, download: times more", "udp200-down", "throughput_ratio", False)]


def short(rows, suite):
    """The ratios of one suite to the four peers; the README's table."""
    found = {(r["case"], r["peer"]): r for r in rows if r["suite"] == suite}
    lines = []
    for title, case, key, less in SHORT_LINES:
        values = [found.get((case, peer), {}).get(key) for peer in SHORT_PEERS]
        if any(values):
            lines.append([title] + [number(v and (1 / v if less else v), 2) for v in values])
    return table(["against", *SHORT_PEERS], lines) if lines else "Not measured yet."


def between(text, name, block):
    """The text with what stands between the markers of that name replaced."""
    begin, end = f"<!-- {name} begin -->", f"<!-- {name} end -->"
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"no '{begin}' and '{end}'")
    return f"{head}{begin}\n{block.strip()}\n{end}{tail}"
