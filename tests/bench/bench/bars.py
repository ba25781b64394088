# SPDX-License-Identifier: GPL-2.0-or-later
"""The bars of bars.tsv and whether a row of results is over them.

Columns: link, case, suite, peer, metric, limit. The metrics:
  throughput_more  throughput is at least so many times the peer's
  server_cpu_less  server CPU seconds a GB are at least so many times less
  server_cpu_most  server CPU seconds a GB are at most so many times the peer's
  median_most      the median latency is at most so many times the peer's
  NAME_max, NAME_min  our own figure NAME (of "ours"), whatever the peer does
"""


def load(path):
    bars = []
    with open(path, encoding="ascii") as lines:
        for line in lines:
            fields = line.split()
            if not fields or fields[0].startswith("#"):
                continue
            link, case, suite, peer, metric, limit = fields
            bars.append({"link": link, "case": case, "suite": suite,
                         "peer": peer, "metric": metric,
                         "limit": float(limit)})
    return bars


def applies(bar, row):
    return (bar["case"] == row["case"] and bar["suite"] == row["suite"]
            and bar["link"] in ("any", row["link"])
            and bar["peer"] == row["peer"].split("@")[0])


def value(bar, row):
    """(figure in the bar's words, over the bar), or None when the row has no
    such figure."""
    metric, limit = bar["metric"], bar["limit"]
    times, less = row.get("throughput_ratio"), row.get("server_cpu_ratio")
    if metric == "throughput_more":
        return times and (times, times >= limit)
    if metric == "server_cpu_less":
        return less and (1 / less, 1 / less >= limit)
    if metric == "server_cpu_most":
        return less and (less, less <= limit)
    if metric == "median_most":
        latency = row.get("median_ms_ratio")
        return latency and (latency, latency <= limit)
    figure = row["ours"].get(metric[:-4])
    if figure is None:
        return None
    return (figure, figure <= limit if metric.endswith("_max") else figure >= limit)


def judge(bars, row):
    """[{metric, limit, figure, met}] of every bar that speaks of this row."""
    out = []
    for bar in bars:
        got = value(bar, row) if applies(bar, row) else None
        if got:
            out.append({"metric": bar["metric"], "limit": bar["limit"],
                        "figure": got[0], "met": bool(got[1])})
    return out
