# SPDX-License-Identifier: GPL-2.0-or-later
"""The floor: the link itself, without a tunnel."""
import platform

from bench.peer import Tunnel
from bench.world import SIDES


class Veth(Tunnel):
    name = peer = "floor-veth"
    encrypted = False
    client_ip, server_ip = SIDES["client"][2], SIDES["server"][2]
    client_dev, server_dev = SIDES["client"][1], SIDES["server"][1]

    def version(self):
        return "Linux " + platform.release()

    def up(self, world):
        self.wait_path(world)


TUNNELS = [Veth()]
