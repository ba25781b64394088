# SPDX-License-Identifier: GPL-2.0-or-later
"""The case voice: eight sessions that take all they can get, and one that
sends 50 packets a second each way, as a call does. Nine clients (adit connect)
on CPU 0, the server on CPU 1. What counts is the call: packets lost, packets
late, and its round trip. No peer is measured beside it."""
import time

from .cases import IPERF_PORT, counted, listener, ping, stop
from .product import USER, Product
from .world import Failed, World, wait_for

BULK = 8
CALL_RATE, CALL_BYTES, CALL_PORT = 50, 200, 7000
ESP = "aes256-sha1"
UP_S = 30


class Caller:
    """What ping() wants to know of a tunnel."""

    def __init__(self, server_ip):
        self.server_ip = server_ip


def service(i):
    """An address behind the server, for client i alone."""
    return f"10.99.0.{i + 1}"


def connect_all(world, product):
    """Addresses inside of all clients, the caller last."""
    out = []
    for i in range(BULK + 1):
        world.on("server", ["ip", "address", "add", service(i) + "/32", "dev", "lo"])
        _, address = product.connect(
            world, f"voice-client-{i}.log", product.psk_file(), USER,
            product.own + "/password", service(i) + "/32", ESP, f"abadv{i}")
        out.append(address)
    return out


def bulk(world, direction, seconds):
    """Eight flows under way; the processes."""
    load = []
    before = world.bytes_of("server", "adit0")
    for i in range(BULK):
        log = f"voice-iperf3-{i}.log"
        server = world.spawn("server", ["iperf3", "-s", "-1", "-B", service(i),
                                        "--forceflush"], log)
        world.wait_log(log, "Server listening", 5, server)
        load.append(server)
        load.append(world.spawn("client", [
            "iperf3", "-c", service(i), "-p", str(IPERF_PORT), "-t", str(seconds),
            *(["-R"] if direction == "down" else [])], f"voice-load-{i}.log"))
    wait_for("load", UP_S, lambda: sum(world.bytes_of("server", "adit0")) >
             sum(before) + BULK * 10_000_000)
    return load


def call(world, addresses, seconds):
    """(sent, arrived, out of order) of both directions together."""
    ends = {"client": addresses[BULK], "server": service(BULK)}
    sinks = {side: listener(world, side, ["sink", address, str(CALL_PORT)])
             for side, address in ends.items()}
    senders = [world.spawn(sender, [world.flood, "send", ends[to], str(CALL_PORT),
                                    str(CALL_BYTES), str(seconds), str(CALL_RATE)], pipe=True)
               for sender, to in (("client", "server"), ("server", "client"))]
    sent = 0
    for sender in senders:
        text = sender.communicate(timeout=seconds + 30)[0]
        sent += int(text.split('"sent": ')[1].split(",")[0])
    time.sleep(1)  # the last ones are on their way for less
    got = [counted(sink) for sink in sinks.values()]
    return sent, sum(g["got"] for g in got), sum(g["late"] for g in got)


def measure(run, seconds):
    """One sample."""
    product = Product(run.context)
    world = World(run.args.link, run.context.scratch, run.context.flood)
    sample = {"sent": 0, "lost": 0, "late": 0}
    try:
        world.up()
        product.serve(world, "voice-server.log")
        addresses = connect_all(world, product)
        for direction in ("up", "down"):
            load = bulk(world, direction, 3 * seconds + 60)
            begin = sum(world.bytes_of("server", "adit0")), time.monotonic()
            sent, got, late = call(world, addresses, seconds)
            moved = sum(world.bytes_of("server", "adit0")) - begin[0]
            sample["gbit_s_" + direction] = moved * 8e-9 / (time.monotonic() - begin[1])
            trip = ping(world, Caller(service(BULK)), seconds)
            if any(p.poll() is not None for p in load):
                raise Failed("a load ended early")
            for p in load:
                stop(p)
            sample["sent"] += sent
            sample["lost"] += sent - got
            sample["late"] += late
            sample["median_ms_" + direction] = trip["median_ms"]
            sample["p99_ms_" + direction] = trip["p99_ms"]
    finally:
        world.down()
    sample["throughput"] = CALL_RATE
    return sample


def text(row):
    """A line for people."""
    s = row["ours"]
    return ("voice, beside %d sessions of bulk: %.0f of %.0f packets lost, %.0f late; "
            "round trip %.1f ms (p99 %.1f) beside uploads of %.1f Gbit/s, "
            "%.1f ms (p99 %.1f) beside downloads of %.1f Gbit/s" % (
                BULK, s["lost"], s["sent"], s["late"],
                s["median_ms_up"], s["p99_ms_up"], s["gbit_s_up"],
                s["median_ms_down"], s["p99_ms_down"], s["gbit_s_down"]))
