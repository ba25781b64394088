# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases setup, memory and voice: many sessions on one server. Those of the
first two are made by tests/bench/load in tests/bench/world, pinned as everything else
is. Only setup with charon has a peer: IKE and SAs alone, in a charon with our plugin
and l2tpd, and in one without, with the same settings (charon) and with openssl's
Diffie-Hellman (charon-openssl). The others have our own figures only, and "peer" says
how the sessions were made."""
import json
import os
import subprocess

from . import debs, stats, voice
from .cases import LOAD_CASES
from .peer import Skip
from .stats import spread, summary
from .world import Failed

PROGRAM, WORLD = "tests/bench/load", "tests/bench/world"
SUITE = "aes256-sha1"
SETUP_SESSIONS = 2000
# fewer than l2tpd/ike/filter.h lets come at once
IKE_SESSIONS = 500
# each lasts a second or two: their sum is steadier than one of them
IKE_TURNS = 3
IKE_PACKAGES = ("charon-systemd", "strongswan-swanctl", "libcharon-extra-plugins")
IKE_SERVICES = ("strongswan",)
IKE_PEERS = {"charon": "--charon-alone", "charon-openssl": "--charon-openssl"}
SETUP_S = 600
# sessions: packets a second of each, so that the server has as much to do
MEMORY = {10: 1000, 1000: 10, 10000: 1}
MEMORY_S = 5
VOICE_S = 10


def load(run, sessions, *options, how=()):
    """The report of one round of the load generator; how: of the world."""
    argv = [os.path.join(run.context.build.top, WORLD), "--pin", "--build",
            run.context.build.folder, *how, "--", "--clients", str(sessions), "--suite", SUITE,
            "--json", *options]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=SETUP_S, check=False)
    if done.returncode == 77:
        raise Failed(done.stdout.strip()[-200:])
    lines = [x for x in done.stdout.splitlines() if x.startswith("[")]
    try:
        report = json.loads(lines[-1])[0]
    except (IndexError, ValueError, KeyError):
        raise Failed("load: " + (done.stderr or done.stdout).strip()[-300:]) from None
    if done.returncode or report["failed"]:
        raise Failed("load: %d of %d sessions failed, %s %% of the packets lost: %s" % (
            report["failed"], sessions, report["lost_percent"], done.stderr.strip()[-200:]))
    return report


def row(run, case, how, samples, peer_version):
    """A row without ratios; samples are {pass: sample}."""
    sizes = [s.get("throughput", s.get("bytes_per_session")) for s in samples.values()]
    return {"case": case, "suite": SUITE, "peer": how, "peer_version": peer_version,
            "throughput_ratio": None, "server_cpu_ratio": None, "spread": spread(sizes),
            "passes": len(samples), "ours": summary(samples), "theirs": {}, "tunnel": how,
            "base": "adit", "link": run.args.link, "quick": run.args.quick,
            "unit": "session/s" if case == "setup" else "byte"}


def setup_sample(got):
    return {"throughput": got["setups_per_s"], "setups_per_cpu_s": got["setups_per_cpu_s"],
            "seconds": got["setup_s"]}


def ike_sample(reports):
    """Set-ups a second of the server's processor: the generator, or another
    who wants the machine, does not count."""
    count = sum(got["clients"] for got in reports)
    out = {"throughput": count / sum(got["setup_cpu_s"] for got in reports),
           "setups_per_s": count / sum(got["setup_s"] for got in reports)}
    for name in reports[0]["processes"]:
        out[name + "_cpu_ms"] = 1000 / count * sum(
            got["processes"][name]["setup_cpu_s"] for got in reports)
    return out


def ike_pass(run):
    """Ours and each peer's sample, all in turn."""
    ours, theirs = [], {p: [] for p in IKE_PEERS}
    for _ in range(IKE_TURNS):
        ours.append(load(run, IKE_SESSIONS, "--sas-only", how=["--ike"]))
        for peer, how in IKE_PEERS.items():
            theirs[peer].append(load(run, IKE_SESSIONS, how=[how]))
    return ike_sample(ours), {p: ike_sample(got) for p, got in theirs.items()}


def setup(run, passes, version):
    """Whole sessions without and with IKE; and IKE alone, ours and charon's in
    turn."""
    debs.install(IKE_PACKAGES, IKE_SERVICES)
    bare, whole, ours, theirs = {}, {}, {}, {p: {} for p in IKE_PEERS}
    for number in range(passes):
        bare[number] = setup_sample(load(run, SETUP_SESSIONS))
        whole[number] = setup_sample(load(run, IKE_SESSIONS, how=["--ike"]))
        ours[number], samples = ike_pass(run)
        for peer, sample in samples.items():
            theirs[peer][number] = sample
    return [row(run, "setup", "no-ike", bare, version),
            row(run, "setup", "ike", whole, version),
            *(charon_row(run, p, ours, theirs[p]) for p in IKE_PEERS)]


def charon_row(run, peer, ours, theirs):
    out = stats.row("setup", SUITE, peer, debs.version("charon-systemd"), ours, theirs)
    out.update(tunnel=peer, base="adit", link=run.args.link, quick=run.args.quick,
               unit="session/CPU-s")
    return out


def memory(run, passes, version):
    by_count = {n: {} for n in MEMORY}
    for number in range(passes):
        for sessions, rate in MEMORY.items():
            got = load(run, sessions, "--seconds", str(MEMORY_S), "--traffic", str(rate),
                       "--loss-max", "100")
            by_count[sessions][number] = {
                "bytes_per_session": got["bytes_per_session"],
                "total_mb": got["pss_up_kib"] * 1024 / 1e6,
                "lost_percent": got["lost_percent"],
                "cpu_us_per_packet": got["cpu_us_per_packet"]}
    for sessions, samples in by_count.items():
        for number, sample in samples.items():
            few = by_count[min(MEMORY)][number]["cpu_us_per_packet"]
            if few > 0:
                sample["packet_cost_ratio"] = sample["cpu_us_per_packet"] / few
    return [row(run, "memory", f"{n}-sessions", samples, version)
            for n, samples in by_count.items()]


def calls(run, passes, version):
    samples = {n: voice.measure(run, VOICE_S) for n in range(passes)}
    return [row(run, "voice", "adit", samples, version)]


MEASURES = {"setup": (setup, 5), "memory": (memory, 1), "voice": (calls, 3)}


def rows(run, say):
    """Rows of the cases that were asked for."""
    wanted = [c for c in run.args.cases if c in LOAD_CASES]
    build, out = run.context.build, []
    if not wanted:
        return out
    if not build.has_target(PROGRAM):
        say(f"skipped: {', '.join(wanted)}: this tree has no {PROGRAM}")
        return out
    if run.args.quick:
        say(f"skipped: {', '.join(wanted)}: --quick")
        return out
    try:
        build.make("all", PROGRAM)
    except Failed as why:
        run.error(f"{PROGRAM}: {why}")
        return out
    for case in wanted:
        try:
            measure, most = MEASURES[case]
            out += measure(run, min(run.args.passes, most), build.version())
        except (Failed, Skip, subprocess.SubprocessError) as why:
            run.error(f"{case}: {why}")
    return out


def text(load_rows):
    """Lines for people."""
    out = []
    for r in load_rows:
        ours = r["ours"]
        if r["peer"] in IKE_PEERS:
            out.append("setup, IKE and SAs alone: %.0f a CPU second of the server, %s "
                       "without us %.0f" % (ours["throughput"], r["peer"],
                                            r["theirs"]["throughput"]))
        elif r["case"] == "setup":
            out.append("setup, %s: %.0f sessions/s, %.0f a CPU second of the server" % (
                r["peer"], ours["throughput"], ours["setups_per_cpu_s"]))
        elif r["case"] == "voice":
            out.append(voice.text(r))
        else:
            out.append("memory, %s: %.0f bytes a session, %.1f MB in all, %.2f us a packet" % (
                r["peer"], ours["bytes_per_session"], ours["total_mb"],
                ours["cpu_us_per_packet"]))
    return "\n".join(out)
