# SPDX-License-Identifier: GPL-2.0-or-later
"""The floor of TUN: two devices and a process that copies between them, whole
super-packets, without a link. It counts as the server's process, on its CPU."""
import platform

from bench.peer import Tunnel
from bench.world import SIDES


class Tun(Tunnel):
    name = peer = "floor-tun"
    encrypted = crosses_link = False
    client_ip, server_ip = "10.94.0.1", "10.94.0.2"
    client_dev, server_dev = "abtc", "abts"

    def __init__(self):
        super().__init__()
        self.program = ""

    def prepare(self, context):
        self.program = context.build.program("tests/bench/shuttle")

    def version(self):
        return "Linux " + platform.release()

    def up(self, world):
        words = [w for side in ("client", "server")
                 for w in ("/run/netns/" + SIDES[side][0], self.dev(side))]
        child = world.spawn("server", [self.program, *words], "floor-tun.log")
        self.server_pids = [child.pid]
        world.wait_log("floor-tun.log", "ready", 5, child)
        for side in ("client", "server"):
            world.address(side, self.dev(side), f"{self.inner(side)}/24", mtu=1400)
        self.wait_path(world)


TUNNELS = [Tun()]
