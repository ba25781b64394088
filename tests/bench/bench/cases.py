# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases: one measurement of one tunnel that is up. Each returns a sample
(bench/stats.py), or raises Failed when the traffic did not really go through
the tunnel.

CPU is that of the tunnel's own processes. On a veth the receiver's packet
processing runs in the sender's context, so a server that sends also pays for
what the client's kernel does: downloads look dearer than on a real link, for
every tunnel alike.
"""
import json
import re
import signal
import time

from . import proc, stats
from .world import Failed, wait_for

FLOOD_PORT = "7000"
IPERF_PORT = 5201
OTHER = {"client": "server", "server": "client"}
STREAMS = {"tcp1-up": [], "tcp1-down": ["-R"], "tcp4-up": ["-P", "4"],
           "tcp4-down": ["-P", "4", "-R"]}
TUNNEL_CASES = [*STREAMS, "udp200-up", "udp200-down", "ping-idle", "ping-loaded"]
LOAD_CASES = ["setup", "memory", "voice"]
CASES = TUNNEL_CASES + LOAD_CASES
UNITS = {"udp200-up": "packet/s", "udp200-down": "packet/s", "setup": "session/s",
         "voice": "packet/s"}


class Meter:
    """What the tunnel's processes and devices did in between."""

    def __init__(self, world, tunnel):
        self.world, self.tunnel = world, tunnel
        for side in OTHER:
            proc.forget_peak(tunnel.pids(side))
        self.before = self.now()

    def now(self):
        world, tunnel = self.world, self.tunnel
        out = {"softirq": proc.ksoftirqd_s(world.cpu("server"))}
        for side in OTHER:
            out[side] = proc.cpu_s(tunnel.pids(side))
            out[side, "dev"] = sum(world.bytes_of(side, tunnel.dev(side)))
            out[side, "link"] = sum(world.bytes_of(side, world.outer_dev(side)))
        return out

    def sample(self, payload_bytes, seconds):
        """The sample without throughput; payload_bytes is what an application
        received."""
        tunnel, gb = self.tunnel, payload_bytes / 1e9
        for side in OTHER:
            for pid in tunnel.pids(side):
                if not proc.alive(pid):
                    raise Failed(f"the {side}'s process {pid} has died")
        after = self.now()
        used = {key: after[key] - self.before[key] for key in after}
        for side in OTHER:
            for where in ("dev", "link"):
                if where == "link" and not tunnel.crosses_link:
                    continue
                if used[side, where] < payload_bytes * 0.95:
                    raise Failed("%d bytes arrived, but only %d passed the %s's %s" % (
                        payload_bytes, used[side, where], side,
                        tunnel.dev(side) if where == "dev" else "link"))
            if tunnel.pids(side) and used[side] <= 0:
                raise Failed(f"the {side}'s tunnel used no CPU: it carried nothing")
        out = {"seconds": seconds, "bytes": payload_bytes,
               "server_softirq_s_per_gb": used["softirq"] / gb}
        for side, key in (("client", "client_peak_rss_mib"), ("server", "peak_rss_mib")):
            if tunnel.pids(side):
                out[side + "_cpu_s_per_gb"] = used[side] / gb
                out[key] = proc.peak_rss_mib(tunnel.pids(side))
        return out


# ---- the traffic ----

def iperf_server(world, tunnel):
    child = world.spawn("server", ["iperf3", "-s", "-1", "-B", tunnel.server_ip,
                                   "--forceflush"], "iperf3-server.log")
    world.wait_log("iperf3-server.log", "Server listening", 5, child)
    return child


def iperf_client(tunnel, seconds, *options):
    return ["iperf3", "-c", tunnel.server_ip, "-t", str(seconds), "-J",
            "--connect-timeout", "3000", *options]


def tcp(world, tunnel, case, seconds):
    server = iperf_server(world, tunnel)
    meter = Meter(world, tunnel)
    text = world.on("client", iperf_client(tunnel, seconds, *STREAMS[case]),
                    timeout=seconds + 30, check=False)
    try:
        end = json.loads(text)["end"]["sum_received"]
    except (ValueError, KeyError):
        raise Failed("iperf3: " + text.strip()[-200:]) from None
    out = meter.sample(end["bytes"], end["seconds"])
    out["throughput"] = end["bits_per_second"]
    stop(server)
    return out


def stop(child):
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    out = child.communicate(timeout=10)[0]
    return out or ""


def listener(world, side, argv):
    """flood sink or watch, ready to count; its JSON comes with counted()."""
    child = world.spawn(side, [world.flood, *argv], pipe=True)
    if child.stdout.readline().strip() != "ready":
        raise Failed("flood %s does not start" % " ".join(argv))
    return child


def counted(child):
    return json.loads(stop(child))


def settle(world, side, dev):
    """Until nothing more arrives."""
    state = {"bytes": -1}

    def quiet():
        before, state["bytes"] = state["bytes"], world.bytes_of(side, dev)[0]
        time.sleep(0.1)  # two looks at a counter, this far apart
        return before == state["bytes"]
    wait_for(f"end of traffic on {dev}", 10, quiet)


def flood(world, tunnel, sender, size, seconds, *rate):
    """(what was sent, what arrived)"""
    to = OTHER[sender]
    sink = listener(world, to, ["sink", tunnel.inner(to), FLOOD_PORT])
    sent = json.loads(world.on(sender, [
        world.flood, "send", tunnel.inner(to), FLOOD_PORT, str(size),
        str(seconds), *rate], timeout=seconds + 30))
    settle(world, to, tunnel.dev(to))
    return sent, counted(sink)


def udp200(world, tunnel, case, seconds):
    meter = Meter(world, tunnel)
    sent, got = flood(world, tunnel, "client" if case.endswith("up") else "server",
                      200, seconds)
    if not got["got"] or got["got"] > sent["sent"]:
        raise Failed(f"{sent['sent']} datagrams sent, {got['got']} received")
    out = meter.sample(got["bytes"], sent["seconds"])
    out["throughput"] = got["got"] / sent["seconds"]
    out["loss"] = 1 - got["got"] / sent["sent"]
    out["twice"], out["late"] = got["twice"], got["late"]
    for side in OTHER:
        if side + "_cpu_s_per_gb" in out:
            out[side + "_cpu_us_per_packet"] = out[side + "_cpu_s_per_gb"] * 200 / 1e3
    return out


def ping(world, tunnel, seconds):
    text = world.on("client", ["ping", "-n", "-i", "0.01", "-c", str(int(seconds * 100)),
                               "-w", str(int(seconds) * 3 + 5), tunnel.server_ip],
                    timeout=seconds * 3 + 30, check=False)
    times = [float(x) for x in re.findall(r"time=([\d.]+)", text)]
    if len(times) < seconds * 10:
        raise Failed(f"ping: {len(times)} answers: {text.strip()[-150:]}")
    return {"median_ms": stats.median(times), "p99_ms": stats.percentile(times, 0.99),
            "ping_loss": 1 - len(times) / int(seconds * 100)}


def ping_idle(world, tunnel, _case, seconds):
    return ping(world, tunnel, seconds)


def ping_loaded(world, tunnel, _case, seconds):
    """Beside one TCP upload that takes all it can get."""
    iperf_server(world, tunnel)
    start = sum(world.bytes_of("client", tunnel.client_dev))
    load = world.spawn("client", iperf_client(tunnel, seconds * 4 + 30), "iperf3-load.log")
    wait_for("load", 10, lambda: sum(
        world.bytes_of("client", tunnel.client_dev)) > start + 10_000_000)
    out = ping(world, tunnel, seconds)
    if load.poll() is not None:
        raise Failed("the load ended early: " + world.log_end("iperf3-load.log"))
    stop(load)
    return out


# ---- what the run calls ----

def verify(world, tunnel):
    """The inner addresses are reached through the tunnel only, and what goes
    through it cannot be read on the link."""
    for side in OTHER:
        dev = world.route_dev(side, tunnel.inner(OTHER[side]))
        if dev != tunnel.dev(side):
            raise Failed("the %s reaches %s through %s, not %s" % (
                side, tunnel.inner(OTHER[side]), dev, tunnel.dev(side)))
    for sender in OTHER:
        watch = listener(world, OTHER[sender], ["watch", world.outer_dev(OTHER[sender])])
        _, got = flood(world, tunnel, sender, 200, 0.2, "500")
        seen = counted(watch)
        if not got["got"]:
            raise Failed(f"no datagram of the {sender} arrives")
        if tunnel.crosses_link and seen["frames"] < got["got"] / 64:
            raise Failed(f"{got['got']} datagrams arrived, the link saw {seen['frames']} frames")
        if tunnel.encrypted and seen["marked"]:
            raise Failed(f"{seen['marked']} datagrams could be read on the link")


def measure(world, tunnel, case, seconds):
    if case in STREAMS:
        return tcp(world, tunnel, case, seconds)
    return {"udp200-up": udp200, "udp200-down": udp200, "ping-idle": ping_idle,
            "ping-loaded": ping_loaded}[case](world, tunnel, case, seconds)
