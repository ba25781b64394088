# SPDX-License-Identifier: GPL-2.0-or-later
"""wireguard-go: Debian 13's, which has segmentation offload, and Debian 12's.
The one that this machine does not have is unpacked from the other release."""
import os

from bench import debs
from bench.peer import Tunnel
from bench.world import command, wait_for

DEVS = {"client": "abwgc", "server": "abwgs"}


class WireGuardGo(Tunnel):
    peer = "wireguard-go"
    client_ip, server_ip = "10.89.0.1", "10.89.0.2"
    client_dev, server_dev = DEVS["client"], DEVS["server"]
    packages = ("wireguard-tools",)

    def __init__(self, name, release):
        super().__init__()
        self.name, self.release = name, release
        self.program = self.found = ""

    def prepare(self, context):
        debs.install(self.packages)
        folder, self.found = debs.unpack(self.release, "wireguard-go", context.scratch)
        self.program = os.path.join(folder, "usr/bin/wireguard-go")
        command([self.program, "--version"])

    def version(self):
        return self.found

    def up(self, world):
        keys = {}
        for side, dev in DEVS.items():
            private = command(["wg", "genkey"])
            with open(os.open(world.path(f"wg-{side}"), os.O_WRONLY | os.O_CREAT, 0o600),
                      "w", encoding="ascii") as file:
                file.write(private)
            keys[side] = command(["wg", "pubkey"], stdin=private).strip()
            child = world.spawn(side, [self.program, "-f", dev], f"{self.name}-{side}.log",
                                {"WG_PROCESS_FOREGROUND": "1", "LOG_LEVEL": "error"})
            self.pids(side)[:] = [child.pid]
            wait_for(dev, 5, lambda s=side, d=dev: world.has_dev(s, d))
        for side, dev in DEVS.items():
            other = "server" if side == "client" else "client"
            wait_for("wireguard-go's socket", 5,
                     lambda d=dev: os.path.exists(f"/var/run/wireguard/{d}.sock"))
            world.on(side, ["wg", "set", dev, "private-key", world.path(f"wg-{side}"),
                            "listen-port", "51820", "peer", keys[other], "endpoint",
                            f"{world.outer(other)}:51820", "allowed-ips", "0.0.0.0/0"])
            world.address(side, dev, f"{self.inner(side)}/24", mtu=1420)
        self.wait_path(world)


TUNNELS = [WireGuardGo("wireguard-go@13", "trixie"),
           WireGuardGo("wireguard-go@12", "bookworm")]
