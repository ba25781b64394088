# SPDX-License-Identifier: GPL-2.0-or-later
"""SoftEther's own L2TP/IPsec server, with this tree's client. The hub's DHCP
gives the client its address; the server is reached at its TAP."""
import importlib.util
import os

from bench.product import CLIENT_TUN, Product

SPEC = importlib.util.spec_from_file_location(
    "peers.softether", os.path.join(os.path.dirname(os.path.realpath(__file__)), "softether.py"))
SOFTETHER = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(SOFTETHER)

PSK = "of-bench"  # SoftEther advises at most nine characters


class L2tp(SOFTETHER.SoftEther):
    name = peer = "softether-l2tp"
    client_dev = CLIENT_TUN

    def __init__(self):
        super().__init__()
        self.product = None

    def prepare(self, context):
        super().prepare(context)
        self.product = Product(context)
        self.product.can_connect()
        for name, text in (("psk", PSK), ("password", SOFTETHER.PASSWORD)):
            with open(os.path.join(context.scratch, "softether-" + name), "w",
                      encoding="ascii") as file:
                file.write(text + "\n")

    def up(self, world):
        self.start_server(world)
        hub = ["vpncmd", "localhost", "/SERVER", "/HUB:DEFAULT", "/CMD"]
        for words in (["DhcpSet", "/START:10.92.0.10", "/END:10.92.0.20", "/MASK:255.255.255.0",
                       "/EXPIRE:7200", "/GW:none", "/DNS:none", "/DNS2:none", "/DOMAIN:none",
                       "/LOG:no"], ["NatDisable"], ["DhcpEnable"], ["SecureNatEnable"]):
            world.on("server", hub + words)
        SOFTETHER.vpncmd(world, "server", "/SERVER", "IPsecEnable", "/L2TP:yes",
                         "/L2TPRAW:no", "/ETHERIP:no", "/PSK:" + PSK, "/DEFAULTHUB:DEFAULT")
        client, self.client_ip = self.product.connect(
            world, "softether-l2tp-client.log", world.path("softether-psk"), SOFTETHER.USER,
            world.path("softether-password"), "10.92.0.0/24", "aes256-sha1")
        self.client_pids = [client.pid]
        self.wait_path(world)


TUNNELS = [L2tp()]
