# SPDX-License-Identifier: GPL-2.0-or-later
"""What every peer has. A file in peers/ makes a list TUNNELS of these; to add
a peer is to add a file.

A tunnel has an address inside at each end. up() starts it in a world and
leaves server_pids and client_pids: the processes that carry packets, whose
children count as well. down() is for what is not a process of the world.
"""
from .world import Failed


class Skip(Exception):
    """This peer cannot be had here; the text is the reason."""


class Tunnel:
    name = ""          # --peers, and "peer" in the results
    peer = ""          # versions of one peer share it
    packages = ()      # Debian packages that are needed
    services = ()      # units of theirs that must not start
    suite = None       # set for tunnels of this tree
    ours = False
    encrypted = True   # nothing inside may be readable on the link
    crosses_link = True
    client_ip = server_ip = ""
    client_dev = server_dev = ""

    def __init__(self):
        self.server_pids, self.client_pids = [], []

    def prepare(self, context):
        """Once, before the first pass: Skip when it cannot be had."""

    def version(self):
        return ""

    def up(self, world):
        raise NotImplementedError

    def down(self, world):
        """Whatever is outside of the world's namespaces and processes."""

    def pids(self, side):
        return self.server_pids if side == "server" else self.client_pids

    def inner(self, side):
        return self.server_ip if side == "server" else self.client_ip

    def dev(self, side):
        return self.server_dev if side == "server" else self.client_dev

    def wait_path(self, world, seconds=15):
        """Until the other end answers through the tunnel."""
        for _ in range(seconds):
            if " 0% packet loss" in world.on(
                    "client", ["ping", "-n", "-c", "2", "-i", "0.2", "-W", "1",
                               self.server_ip], check=False):
                return
        raise Failed(f"{self.name}: nobody answers at {self.server_ip}")
