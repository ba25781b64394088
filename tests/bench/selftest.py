# SPDX-License-Identifier: GPL-2.0-or-later
"""Medians, ratios pass by pass, spread, what is refused as implausible, the
form of the JSON, bars, tables and plot. Measures nothing."""
import importlib.machinery
import importlib.util
import json
import os
import sys
import types
import unittest
import xml.dom.minidom

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

from bench import bars, cases, loads, plot, report, stats  # noqa: E402
from bench.peer import Tunnel  # noqa: E402


def load_run():
    loader = importlib.machinery.SourceFileLoader("bench_run", os.path.join(HERE, "run"))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("bench_run", loader))
    loader.exec_module(module)
    return module


def tcp(gbit, server, client=1.0):
    return {"throughput": gbit * 1e9, "server_cpu_s_per_gb": server,
            "client_cpu_s_per_gb": client, "peak_rss_mib": 10.0}


class Arithmetic(unittest.TestCase):
    def test_median(self):
        self.assertEqual(stats.median([3, 1, 2]), 2)
        self.assertEqual(stats.median([4, 1, 2, 3]), 2.5)
        with self.assertRaises(ValueError):
            stats.median([])

    def test_percentile(self):
        self.assertEqual(stats.percentile(range(1, 101), 0.99), 99)
        self.assertEqual(stats.percentile([5], 0.99), 5)
        self.assertEqual(stats.percentile([1, 2, 3, 4], 0.5), 2)

    def test_ratios_are_of_one_pass(self):
        # a machine that gets 10 times slower in pass 1: the ratio stays 2
        ours = {0: tcp(10, 1), 1: tcp(1, 10)}
        theirs = {0: tcp(5, 2), 1: tcp(0.5, 20), 2: tcp(99, 99)}
        self.assertEqual(stats.ratios(ours, theirs, "throughput"), [2, 2])
        self.assertEqual(stats.ratios(ours, theirs, "server_cpu_s_per_gb"), [0.5, 0.5])

    def test_ratio_of_nothing_is_refused(self):
        for bad in (0, -1.0):
            with self.assertRaises(stats.Implausible):
                stats.ratios({0: {"x": 1}}, {0: {"x": bad}}, "x")
            with self.assertRaises(stats.Implausible):
                stats.ratios({0: {"x": bad}}, {0: {"x": 1}}, "x")

    def test_above_the_floor_is_refused(self):
        samples = {("tcp1-up", "floor-veth"): {0: tcp(5, 0.1), 1: tcp(10, 0.1)},
                   ("tcp1-up", "fast"): {0: tcp(9, 1), 1: tcp(12, 1)},
                   ("tcp1-up", "no-link"): {0: tcp(20, 1)},
                   ("tcp1-up", "other"): {0: tcp(3, 1), 1: tcp(3, 1)}}
        reasons = stats.drop_implausible(samples, "floor-veth", {"no-link"})
        self.assertEqual(len(reasons), 1)
        self.assertIn("pass 1 tcp1-up fast", reasons[0])
        self.assertEqual(list(samples["tcp1-up", "fast"]), [0])
        self.assertEqual(len(samples["tcp1-up", "other"]), 2)
        self.assertEqual(len(samples["tcp1-up", "no-link"]), 1)
        self.assertEqual(len(samples["tcp1-up", "floor-veth"]), 2)

    def test_summary(self):
        got = stats.summary({0: tcp(1, 3), 1: tcp(3, 1), 4: tcp(2, 2)})
        self.assertEqual(got["throughput"], 2e9)
        self.assertEqual(got["server_cpu_s_per_gb_spread"], [1, 3])

    def test_better_version_first(self):
        samples = {("tcp1-up", "p@12"): {0: tcp(1, 1)}, ("tcp1-up", "p@13"): {0: tcp(2, 9)},
                   ("ping-idle", "p@12"): {0: {"median_ms": 1.0}},
                   ("ping-idle", "p@13"): {0: {"median_ms": 2.0}}}
        names = ["p@12", "p@13", "p@14"]
        self.assertEqual(stats.hardest_first(names, samples, "tcp1-up")[0], "p@13")
        self.assertEqual(stats.hardest_first(names, samples, "ping-idle")[0], "p@12")


class Fake(Tunnel):
    def __init__(self, name, peer, suite=None):
        super().__init__()
        self.name, self.peer, self.suite, self.ours = name, peer, suite, bool(suite)

    def version(self):
        return "1.0"


class Results(unittest.TestCase):
    def setUp(self):
        run = load_run()
        args = types.SimpleNamespace(base=None, link="wire", quick=False,
                                     cases=["tcp1-up", "ping-loaded"])
        context = types.SimpleNamespace()
        self.run_ = run.Run.__new__(run.Run)
        self.run_.args, self.run_.context = args, context
        self.run_.cases = args.cases
        self.run_.tunnels = [Fake("floor-veth", "floor-veth"), Fake("adit", "adit", "aes256-sha1"),
                             Fake("adit-gcm", "adit", "aes256-gcm16"),
                             Fake("wireguard-go@12", "wireguard-go"),
                             Fake("wireguard-go@13", "wireguard-go")]
        self.run_.samples = {
            ("tcp1-up", "floor-veth"): {n: {"throughput": 10e9} for n in range(3)},
            ("tcp1-up", "adit"): {0: tcp(4, .5), 1: tcp(4.2, .6), 2: tcp(4.4, .5)},
            ("tcp1-up", "adit-gcm"): {n: tcp(5, .4) for n in range(3)},
            ("tcp1-up", "wireguard-go@13"): {0: tcp(1, 2), 1: tcp(1, 2), 2: tcp(1, 2)},
            ("tcp1-up", "wireguard-go@12"): {0: tcp(.5, 4), 1: tcp(.5, 4)},
            ("ping-loaded", "adit"): {0: {"median_ms": 3.0, "p99_ms": 12.0, "above_idle_ms": 2.5}},
            ("ping-loaded", "floor-veth"): {0: {"median_ms": .1, "p99_ms": .2}}}

    def rows(self, **want):
        return [r for r in json.loads(json.dumps(self.run_.rows()))
                if all(r[k] == v for k, v in want.items())]

    def test_form(self):
        for row in self.rows():
            for key in ("case", "suite", "peer", "peer_version", "throughput_ratio",
                        "server_cpu_ratio", "spread", "ours", "theirs"):
                self.assertIn(key, row)
            self.assertIn(row["case"], cases.CASES)
            self.assertIsInstance(row["ours"], dict)
            self.assertEqual(len(row["spread"]), 2)

    def test_better_version_has_the_name(self):
        row, = self.rows(case="tcp1-up", suite="aes256-sha1", peer="wireguard-go")
        self.assertEqual(row["tunnel"], "wireguard-go@13")
        self.assertAlmostEqual(row["throughput_ratio"], 4.2)
        self.assertEqual(row["spread"], [4.0, 4.4])
        self.assertAlmostEqual(row["server_cpu_ratio"], 0.25)
        self.assertEqual(row["passes"], 3)
        other, = self.rows(case="tcp1-up", suite="aes256-sha1", peer="wireguard-go@12")
        self.assertEqual(other["passes"], 2)

    def test_floor_has_no_cpu(self):
        row, = self.rows(case="tcp1-up", suite="aes256-sha1", peer="floor-veth")
        self.assertIsNone(row["server_cpu_ratio"])
        self.assertAlmostEqual(row["throughput_ratio"], 0.42)

    def test_suites_are_compared(self):
        row, = self.rows(case="tcp1-up", suite="aes256-gcm16", peer="adit")
        self.assertLess(row["server_cpu_ratio"], 1)
        self.assertTrue(all(b["met"] for b in row["bars"]))
        self.assertEqual(len(row["bars"]), 2)

    def test_bars(self):
        row, = self.rows(case="tcp1-up", suite="aes256-sha1", peer="wireguard-go")
        self.assertEqual({b["metric"]: (round(b["figure"], 3), b["met"]) for b in row["bars"]},
                         {"server_cpu_less": (4.0, True), "throughput_more": (4.2, True)})
        row, = self.rows(case="ping-loaded", peer="floor-veth")
        self.assertEqual({b["metric"]: b["met"] for b in row["bars"]},
                         {"above_idle_ms_max": False, "p99_ms_max": False})

    def test_other_link_other_bars(self):
        self.run_.args.link = "offload"
        row, = self.rows(case="tcp1-up", suite="aes256-sha1", peer="wireguard-go")
        self.assertEqual({b["metric"]: b["met"] for b in row["bars"]},
                         {"server_cpu_less": False, "throughput_more": True})

    def test_text(self):
        text = report.ratios(self.run_.rows())
        self.assertIn("4.2 [4..4.4]", text)
        self.assertIn("MISSED: 12 p99_ms, bar at most 10", text)
        self.assertIn("met: 4 times less server CPU, bar 3", text)
        self.assertIn("4.2 [4..4.4]", report.figures(
            self.run_.summaries(), self.run_.cases, ["adit"]))

    def test_short(self):
        text = report.short(self.run_.rows(), "aes256-sha1")
        self.assertIn("| server CPU, upload: times less   | 4            | -", text)
        self.assertIn("| one TCP flow, upload: times more | 4.2          | -", text)
        self.assertEqual(report.short([], "aes256-sha1"), "Not measured yet.")

    def test_plot(self):
        names = [t.name for t in self.run_.tunnels]
        text = plot.draw(self.run_.summaries(), names, "caption <&>")
        picture = xml.dom.minidom.parseString(text)
        self.assertEqual(len(picture.getElementsByTagName("rect")), 1 + 5 + 4)
        self.assertIn("caption &lt;&amp;&gt;", text)


class Loads(unittest.TestCase):
    """Rows of the load generator's reports, and the bars of charon."""

    def setUp(self):
        self.asked = []
        self.real = loads.load, loads.debs
        loads.load = self.fake
        loads.debs = types.SimpleNamespace(install=lambda *_: None, version=lambda _: "5.9.8")
        self.run_ = types.SimpleNamespace(
            args=types.SimpleNamespace(link="wire", quick=False))

    def tearDown(self):
        loads.load, loads.debs = self.real

    def fake(self, _, sessions, *options, how=()):
        self.asked.append((sessions, *how, *options))
        rate = {(): 2500, ("--ike",): 150, ("--charon-alone",): 200,
                ("--charon-openssl",): 100}[tuple(how)]
        rate *= 2 if "--sas-only" in options else 1
        return {"setups_per_s": rate / 2, "setups_per_cpu_s": rate, "setup_s": 1.0,
                "setup_cpu_s": sessions / rate,
                "clients": sessions, "processes": {"charon": {"setup_cpu_s": 1.0}}}

    def test_setup(self):
        rows = load_run().Run.judged(loads.setup(self.run_, 2, "adit 0"))
        self.assertEqual([r["peer"] for r in rows], ["no-ike", "ike", "charon", "charon-openssl"])
        no_ike, ike, charon, openssl = rows
        self.assertEqual(no_ike["ours"]["setups_per_cpu_s"], 2500)
        self.assertTrue(no_ike["bars"][0]["met"])
        self.assertEqual(ike["ours"]["throughput"], 75)
        self.assertEqual(ike["bars"], [])
        self.assertAlmostEqual(charon["throughput_ratio"], 1.5)
        self.assertEqual(charon["ours"]["charon_cpu_ms"], 2)
        self.assertEqual([b["met"] for b in charon["bars"]], [True])
        self.assertAlmostEqual(openssl["throughput_ratio"], 3)
        self.assertEqual(openssl["bars"], [])
        self.assertIn("300 a CPU second of the server, charon without us 200", loads.text(rows))
        self.assertEqual(len(report.ratios(rows).splitlines()), 2 + 4)
        # one after the other, not all of one and then all of the other
        self.assertEqual(self.asked[:len(self.asked) // 2], self.asked[len(self.asked) // 2:])
        self.assertEqual(self.asked[2:5], self.asked[5:8])


class Files(unittest.TestCase):
    def test_bars_name_what_there_is(self):
        known = bars.load(os.path.join(HERE, "bars.tsv"))
        self.assertGreater(len(known), 30)
        for bar in known:
            self.assertIn(bar["case"], cases.CASES)
            self.assertIn(bar["link"], ("wire", "offload", "any"))
            self.assertGreaterEqual(bar["limit"], 0)

    def test_peers_are_complete(self):
        tunnels = load_run().all_tunnels()
        self.assertEqual(len(tunnels), len({t.name for t in tunnels}))
        for t in tunnels:
            self.assertTrue(t.name and t.peer, t)
            self.assertTrue(t.client_ip and t.server_ip, t.name)
            self.assertTrue(t.client_dev and t.server_dev, t.name)
        peers = {t.peer for t in tunnels} | {"no-ike", "ike", "charon", "10000-sessions"}
        for bar in bars.load(os.path.join(HERE, "bars.tsv")):
            self.assertIn(bar["peer"], peers)

    def test_chosen(self):
        run = load_run()

        def names(base=None, quick=False, peers=None):
            args = types.SimpleNamespace(base=base, quick=quick, peers=peers)
            out, stand_ins = run.chosen(args, run.all_tunnels())
            return [t.name for t in out], {t.name for t in stand_ins}
        got, stand_ins = names(peers="openvpn")
        self.assertEqual(got[0], "floor-veth")
        self.assertLess({"adit", "adit-gcm", "openvpn", "openvpn-cbc", "adit-plane"}, set(got))
        self.assertNotIn("wireguard-go@13", got)
        self.assertEqual(stand_ins, {"adit-plane", "adit-plane-gcm"})
        got, _ = names(peers="openvpn,-openvpn-cbc")
        self.assertIn("openvpn", got)
        self.assertNotIn("openvpn-cbc", got)
        got, _ = names(peers="-wireguard-go@12")
        self.assertIn("wireguard-go@13", got)
        self.assertNotIn("wireguard-go@12", got)
        got, stand_ins = names(base="openvpn", peers="softether")
        self.assertEqual(set(got), {"floor-veth", "openvpn", "openvpn-cbc", "softether"})
        got, _ = names(quick=True)
        self.assertNotIn("wireguard-go@12", got)
        self.assertLess(got.index("adit"), got.index("wireguard-go@13"))
        self.assertLess(got.index("wireguard-go@13"), got.index("softether"))
        self.assertLess(got.index("softether"), got.index("softether-l2tp"))
        with self.assertRaises(SystemExit):
            names(peers="no-such-peer")

    def test_block(self):
        old = "a\n<!-- x begin -->\nold\n<!-- x end -->\nb\n"
        self.assertEqual(report.between(old, "x", "new"),
                         "a\n<!-- x begin -->\nnew\n<!-- x end -->\nb\n")
        for bad in ("", "<!-- x begin -->", "<!-- x end --><!-- x begin -->"):
            with self.assertRaises(ValueError):
                report.between(bad, "x", "new")


if __name__ == "__main__":
    unittest.main()
