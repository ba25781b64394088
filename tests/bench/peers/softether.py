# SPDX-License-Identifier: GPL-2.0-or-later
"""SoftEther by its own protocol (TLS over TCP), with default settings: a TAP of
the server on its hub, a virtual adapter of the client. State is on a tmpfs of
the processes' own; the machine's /var is not touched."""
from bench import debs
from bench.peer import Tunnel
from bench.world import Failed, wait_for

PROGRAM = "/usr/libexec/softether/vpn%s/vpn%s"
USER, PASSWORD = "bench", "bench-of-softether"
OWN_VAR = """
for d in /var/lib /var/log /run; do
	mount -t tmpfs tmpfs "$d"
	mkdir "$d/softether"
done
exec "$@"
"""


def spawn(world, kind, side):
    """vpnserver or vpnclient in the foreground; the log tells little."""
    return world.spawn(side, ["sh", "-euc", OWN_VAR, "sh", PROGRAM % (kind, kind), "execsvc"],
                       f"softether-{kind}.log")


def vpncmd(world, side, where, *words):
    return world.on(side, ["vpncmd", "localhost", where, "/CMD", *words])


def answers(world, side, where):
    """Waits until vpncmd reaches its service."""
    def reached():
        try:
            return "completed successfully" in vpncmd(world, side, where, "About")
        except Failed:
            return False
    wait_for("SoftEther's " + side, 20, reached)


class SoftEther(Tunnel):
    name = peer = "softether"
    packages = ("softether-vpnserver", "softether-vpnclient", "softether-vpncmd")
    services = ("softether-vpnserver", "softether-vpnclient")
    client_ip, server_ip = "10.92.0.1", "10.92.0.2"
    client_dev, server_dev = "vpn_abse", "tap_abse"

    def prepare(self, context):
        debs.install(self.packages, self.services)

    def version(self):
        return debs.version("softether-vpnserver")

    def start_server(self, world):
        """The server, its default hub with a TAP, one user."""
        child = spawn(world, "server", "server")
        self.server_pids = [child.pid]
        answers(world, "server", "/SERVER")
        vpncmd(world, "server", "/SERVER", "BridgeCreate", "DEFAULT", "/DEVICE:abse", "/TAP:yes")
        for words in (("UserCreate", USER, "/GROUP:none", "/REALNAME:none", "/NOTE:none"),
                      ("UserPasswordSet", USER, "/PASSWORD:" + PASSWORD)):
            world.on("server", ["vpncmd", "localhost", "/SERVER", "/HUB:DEFAULT", "/CMD", *words])
        wait_for(self.server_dev, 10, lambda: world.has_dev("server", self.server_dev))
        world.address("server", self.server_dev, f"{self.server_ip}/24")

    def up(self, world):
        self.start_server(world)
        child = spawn(world, "client", "client")
        self.client_pids = [child.pid]
        answers(world, "client", "/CLIENT")
        for words in (("NicCreate", "abse"),
                      ("AccountCreate", "bench", f"/SERVER:{world.outer('server')}:443",
                       "/HUB:DEFAULT", "/USERNAME:" + USER, "/NICNAME:abse"),
                      ("AccountPasswordSet", "bench", "/PASSWORD:" + PASSWORD,
                       "/TYPE:standard"),
                      ("AccountConnect", "bench")):
            vpncmd(world, "client", "/CLIENT", *words)
        wait_for(self.client_dev, 10, lambda: world.has_dev("client", self.client_dev))
        world.address("client", self.client_dev, f"{self.client_ip}/24")
        self.wait_path(world, 20)


TUNNELS = [SoftEther()]
