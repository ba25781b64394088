# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenVPN over UDP, in user space (no kernel offload), with certificates."""
import os

from bench import debs
from bench.peer import Tunnel
from bench.world import command

SUBJECTS = ("ca", "server", "client")


def make_keys(folder):
    """A CA and a certificate for each end; once."""
    if os.path.exists(os.path.join(folder, "client.crt")):
        return
    os.makedirs(folder, mode=0o700, exist_ok=True)

    def of(name, end):
        return os.path.join(folder, name + end)
    for name in SUBJECTS:
        signed = [] if name == "ca" else ["-CA", of("ca", ".crt"), "-CAkey", of("ca", ".key")]
        command(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
                 "-subj", f"/CN={name}", "-keyout", of(name, ".key"),
                 "-out", of(name, ".crt"), *signed])


class OpenVpn(Tunnel):
    peer = "openvpn"
    packages = ("openvpn", "openssl")
    services = ("openvpn",)
    client_ip, server_ip = "10.90.0.1", "10.90.0.2"
    client_dev, server_dev = "abovc", "abovs"

    def __init__(self, name, cipher):
        super().__init__()
        self.name, self.cipher, self.keys = name, cipher, ""

    def prepare(self, context):
        debs.install(self.packages, self.services)
        self.keys = os.path.join(context.scratch, "openvpn")
        make_keys(self.keys)

    def version(self):
        return debs.version("openvpn")

    def start(self, world, side, other, *options):
        log = f"{self.name}-{side}.log"
        child = world.spawn(side, [
            "openvpn", "--dev", self.dev(side), "--dev-type", "tun", "--proto", "udp",
            "--disable-dco", "--data-ciphers", self.cipher, "--data-ciphers-fallback",
            self.cipher, "--auth", "SHA1", "--tun-mtu", "1400", "--mssfix", "0",
            "--sndbuf", "4194304", "--rcvbuf", "4194304", "--txqueuelen", "1000",
            "--ca", f"{self.keys}/ca.crt", "--cert", f"{self.keys}/{side}.crt",
            "--key", f"{self.keys}/{side}.key", "--verb", "3", "--ping", "10",
            "--ifconfig", self.inner(side), self.inner(other), *options], log)
        self.pids(side)[:] = [child.pid]
        return child, log

    def up(self, world):
        child, log = self.start(world, "server", "client", "--tls-server", "--dh", "none",
                                "--local", world.outer("server"), "--port", "1194")
        world.wait_log(log, "UDPv4 link remote", 10, child)
        child, log = self.start(world, "client", "server", "--tls-client", "--nobind",
                                "--remote", world.outer("server"), "1194")
        world.wait_log(log, "Initialization Sequence Completed", 20, child)
        self.wait_path(world)


TUNNELS = [OpenVpn("openvpn", "AES-256-GCM"), OpenVpn("openvpn-cbc", "AES-256-CBC")]
