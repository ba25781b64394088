# SPDX-License-Identifier: GPL-2.0-or-later
"""Adit as it ships: the server (adit run) and its client mode (adit connect),
with IKE by charon, L2TP and PPP, at both ends."""
from bench.peer import Skip, Tunnel
from bench.product import CLIENT_TUN, GATEWAY, POOL, SERVER_TUN, USER, Product

# as charon and adit sessions name them
ESP = {"aes256-sha1": "aes256-sha1", "aes256-gcm16": "aes256gcm16"}


class Adit(Tunnel):
    peer, ours = "adit", True
    client_ip, server_ip = "10.87.0.2", GATEWAY
    client_dev, server_dev = CLIENT_TUN, SERVER_TUN
    packages = ("charon-systemd", "libstrongswan-extra-plugins")

    def __init__(self, name, suite):
        super().__init__()
        self.name, self.suite, self.product = name, suite, None

    def prepare(self, context):
        self.product = Product(context)
        self.product.can_connect()

    def version(self):
        return self.product.build.version()

    def up(self, world):
        product = self.product
        server = product.serve(world, f"{self.name}-server.log")
        self.server_pids = [server.pid]
        client, self.client_ip = product.connect(
            world, f"{self.name}-client.log", product.psk_file(), USER,
            product.own + "/password", POOL, ESP[self.suite])
        self.client_pids = [client.pid]
        self.wait_path(world)
        got = product.cipher(server.pid)
        if got != ESP[self.suite]:
            raise Skip(f"the session uses {got}, not {self.suite}")


TUNNELS = [Adit("adit", "aes256-sha1"), Adit("adit-gcm", "aes256-gcm16")]
