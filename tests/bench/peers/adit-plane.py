# SPDX-License-Identifier: GPL-2.0-or-later
"""This tree's user plane alone, at both ends, with fixed keys (tests/bench/end):
what IKE, L2TP and PPP negotiate is given. With the null cipher it is the floor
of the ciphers."""
import os

from bench.peer import Skip, Tunnel
from bench.world import Failed

PROGRAM = "tests/bench/end"
END_SUITES = {"aes256-sha1": "aes256-sha1", "aes256-gcm16": "aes256gcm16", "null": "null"}


class Plane(Tunnel):
    client_ip, server_ip = "10.88.0.1", "10.88.0.2"
    client_dev, server_dev = "abpc", "abps"

    def __init__(self, name, peer, suite):
        super().__init__()
        self.name, self.peer, self.cipher = name, peer, suite
        self.program = self.found = ""
        if suite == "null":
            self.encrypted = False
        else:
            self.suite, self.ours = suite, True

    def prepare(self, context):
        if not context.build.has_target(PROGRAM):
            raise Skip(f"this tree has no {PROGRAM}")
        try:
            self.program = context.build.program(PROGRAM)
        except Failed as why:
            raise Skip(f"{PROGRAM} cannot be built: {why}") from None
        self.found = context.build.version()

    def version(self):
        return self.found

    def up(self, world):
        for side, other in (("server", "client"), ("client", "server")):
            log = f"{self.name}-{side}.log"
            child = world.spawn(side, [
                self.program, "--role", side, "--local", world.outer(side),
                "--peer", world.outer(other), "--tun", self.dev(side),
                "--inner", f"{self.inner(side)},{self.inner(other)}",
                "--suite", END_SUITES[self.cipher], *self.options()], log)
            self.pids(side)[:] = [child.pid]
            world.wait_log(log, "ready", 10, child)
            # the kernel routes the other end's address only with an address here
            world.route(side, f"{self.inner(other)}/32", "dev", self.dev(side))
        self.wait_path(world)

    @staticmethod
    def options():
        """ADIT_BENCH_END: more options of end, e.g. to switch offloads off."""
        return os.environ.get("ADIT_BENCH_END", "").split()


TUNNELS = [Plane("floor-null", "floor-null", "null"),
           Plane("adit-plane", "adit-plane", "aes256-sha1"),
           Plane("adit-plane-gcm", "adit-plane", "aes256-gcm16")]
