# SPDX-License-Identifier: GPL-2.0-or-later
"""Medians, ratios pass by pass, spread. Pure: nothing is read or written.

A *sample* is what one case measured with one tunnel in one pass: a dict of
numbers. Samples of one pass were taken minutes apart on a machine that others
may use; so two tunnels are compared within each pass and the ratios' median
counts, never the ratio of medians.
"""

# More than the same traffic without a tunnel is a broken measurement. The two
# are taken at different times, therefore some slack.
FLOOR_SLACK = 1.10


class Implausible(Exception):
    """A figure that cannot be: nothing may be derived from it."""


def median(values):
    ordered = sorted(values)
    if not ordered:
        raise ValueError("median of nothing")
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def percentile(values, part):
    """The smallest value that at least `part` of all do not exceed."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("percentile of nothing")
    rank = -(-len(ordered) * part // 1)  # ceiling
    return ordered[min(len(ordered), max(1, int(rank))) - 1]


def spread(values):
    return [min(values), max(values)]


def ratios(ours, theirs, key):
    """[ours/theirs] of the passes that both have; {pass: sample} each."""
    out = []
    for number in sorted(set(ours) & set(theirs)):
        a, b = ours[number].get(key), theirs[number].get(key)
        if a is None or b is None:
            continue
        if not b > 0 or not a > 0:
            raise Implausible(f"pass {number}: {key} is {a} and {b}")
        out.append(a / b)
    return out


def summary(samples):
    """Of {pass: sample}: {key: median} and {key_spread: [min, max]}."""
    out = {}
    keys = sorted({k for s in samples.values() for k in s})
    for key in keys:
        values = [s[key] for s in samples.values() if s.get(key) is not None]
        if not values or not all(isinstance(v, (int, float)) for v in values):
            continue
        out[key] = median(values)
        out[key + "_spread"] = spread(values)
    return out


def check_against_floor(sample, floors):
    """Raises when a tunnel moved more than the link ever did without it. The
    best pass of the link counts: the others were disturbed."""
    best = max((f["throughput"] for f in floors.values() if "throughput" in f), default=None)
    if best is None or "throughput" not in sample:
        return
    if sample["throughput"] > best * FLOOR_SLACK:
        raise Implausible(
            "throughput %.4g is above the %.4g that the link has without a tunnel"
            % (sample["throughput"], best))


def drop_implausible(samples, floor_name, linkless=()):
    """Takes what cannot be out of {(case, tunnel): {pass: sample}}; returns
    the reasons. Tunnels of `linkless` do not cross the link."""
    reasons = []
    for (case, tunnel), passes in samples.items():
        if tunnel in linkless:
            continue
        floors = samples.get((case, floor_name), {})
        for number in sorted(passes):
            try:
                if tunnel != floor_name:
                    check_against_floor(passes[number], floors)
            except Implausible as why:
                reasons.append(f"pass {number} {case} {tunnel}: {why}")
                del passes[number]
    return reasons


def row(case, suite, peer, version, ours, theirs):
    """One element of the JSON list, or None when no pass has both."""
    out = {"case": case, "suite": suite, "peer": peer, "peer_version": version,
           "throughput_ratio": None, "server_cpu_ratio": None, "spread": None}
    used = sorted(set(ours) & set(theirs))
    if not used:
        return None
    for key, name in (("throughput", "throughput"),
                      ("server_cpu_s_per_gb", "server_cpu"),
                      ("client_cpu_s_per_gb", "client_cpu"),
                      ("peak_rss_mib", "peak_rss"),
                      ("median_ms", "median_ms"), ("p99_ms", "p99_ms"),
                      ("bytes_per_session", "bytes_per_session")):
        found = ratios(ours, theirs, key)
        if found:
            out[name + "_ratio"] = median(found)
            out[name + "_spread"] = spread(found)
    for name in ("throughput", "median_ms", "bytes_per_session"):
        if out["spread"] is None:
            out["spread"] = out.get(name + "_spread")
    out["passes"] = len(used)
    out["ours"] = summary({n: ours[n] for n in used})
    out["theirs"] = summary({n: theirs[n] for n in used})
    return out


def hardest_first(names, samples, case):
    """Tunnels of one peer (two versions of it): the best of them first, for
    that is the one to be compared with."""
    def strength(name):
        got = summary(samples.get((case, name), {}))
        if "throughput" in got:
            return -got["throughput"]
        return got.get("median_ms", got.get("bytes_per_session", float("inf")))
    return sorted(names, key=strength)
