# SPDX-License-Identifier: GPL-2.0-or-later
"""strongSwan with kernel-libipsec: ESP in charon's own threads, over a TUN
device. It has tunnel mode only. Each end is a charon with a configuration of
its own; the machine's /etc/strongswan.conf and swanctl.conf are not read."""
import os

from bench import debs
from bench.peer import Skip, Tunnel

PLUGINS = "/usr/lib/ipsec/plugins"

STRONGSWAN = """
charon-systemd {
	load = random nonce openssl kdf kernel-libipsec kernel-netlink socket-default vici
	install_virtual_ip = no
	journal {
		default = -1
	}
	filelog {
		stderr {
			default = 1
			flush_line = yes
		}
	}
	plugins {
		vici {
			socket = unix://%(socket)s
		}
		openssl {
			load_legacy = no
		}
	}
}
swanctl {
	load = random nonce openssl pem pkcs1
}
"""

SWANCTL = """
connections {
	bench {
		version = 2
		proposals = aes256-sha256-modp2048
		local_addrs = %(local)s
		remote_addrs = %(remote)s
		encap = yes
		local {
			auth = psk
			id = %(local)s
		}
		remote {
			auth = psk
			id = %(remote)s
		}
		children {
			bench {
				esp_proposals = %(suite)s
				local_ts = %(inner)s/32
				remote_ts = %(inner_other)s/32
			}
		}
	}
}
secrets {
	ike-bench {
		secret = bench-of-strongswan
	}
}
"""


class Libipsec(Tunnel):
    peer = "strongswan-libipsec"
    packages = ("charon-systemd", "strongswan-swanctl", "libcharon-extra-plugins")
    services = ("strongswan",)
    client_ip, server_ip = "10.91.0.1", "10.91.0.2"
    client_dev = server_dev = "ipsec0"

    def __init__(self, name, suite):
        super().__init__()
        self.name, self.proposal = name, suite

    def prepare(self, context):
        debs.install(self.packages, self.services)
        if not os.path.exists(f"{PLUGINS}/libstrongswan-kernel-libipsec.so"):
            raise Skip("this strongSwan has no kernel-libipsec")

    def version(self):
        return debs.version("charon-systemd")

    def write(self, world, side, other):
        words = {"socket": world.path(f"libipsec-{side}.vici"), "suite": self.proposal,
                 "local": world.outer(side), "remote": world.outer(other),
                 "inner": self.inner(side), "inner_other": self.inner(other)}
        for name, text in (("conf", STRONGSWAN), ("swanctl", SWANCTL)):
            with open(world.path(f"libipsec-{side}.{name}"), "w", encoding="ascii") as file:
                file.write(text % words)

    def swanctl(self, world, side, *words):
        return world.on(side, ["env", "STRONGSWAN_CONF=" + world.path(f"libipsec-{side}.conf"),
                               "swanctl", *words, "--uri",
                               "unix://" + world.path(f"libipsec-{side}.vici")])

    def up(self, world):
        for side, other in (("server", "client"), ("client", "server")):
            self.write(world, side, other)
            # the inner address must be there before charon looks for a source
            world.address(side, "lo", f"{self.inner(side)}/32")
            log = f"{self.name}-{side}.log"
            child = world.spawn(side, ["/usr/sbin/charon-systemd"], log, {
                "STRONGSWAN_CONF": world.path(f"libipsec-{side}.conf")})
            self.pids(side)[:] = [child.pid]
            world.wait_log(log, "spawning", 10, child)
            self.swanctl(world, side, "--load-all", "--file",
                         world.path(f"libipsec-{side}.swanctl"))
        self.swanctl(world, "client", "--initiate", "--child", "bench")
        self.wait_path(world)


TUNNELS = [Libipsec("strongswan-libipsec", "aes256-sha1"),
           Libipsec("strongswan-libipsec-gcm", "aes256gcm16")]
