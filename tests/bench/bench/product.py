# SPDX-License-Identifier: GPL-2.0-or-later
"""This tree as it is installed: its server, and `adit connect`. Both run as
root would start them, each in a mount namespace of its own in which the staged
build lies where it was built for, /run is empty, and charon finds our plugin;
the machine's own files are not touched. Configuration and database are made
once, in the scratch folder, and used in every pass."""
import json
import os
import re

from . import proc
from .build import PREFIX
from .peer import Skip
from .world import Failed, command, wait_for

ADIT = PREFIX + "/sbin/adit"
USER, PASSWORD = "bench", "bench-of-adit"
POOL, GATEWAY = "10.87.0.0/20", "10.87.0.1"
CLIENT_TUN, SERVER_TUN = "abadc", "adit0"

# $1: staged build, $2: folder of configuration and state; then the command
OWN_ROOT = """
stage=$1 own=$2 prefix=%s plugins=/usr/lib/ipsec/plugins
shift 2
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs "${prefix%%/*}"
mkdir "$prefix" "${prefix%%/*}/plugins"
mount --bind "$stage$prefix" "$prefix"
mount --bind "$own/etc" "$prefix/etc"
mount --bind "$own/var" "$prefix/var"
cp -a "$plugins/." "$prefix/plugins/libstrongswan-adit.so" "${prefix%%/*}/plugins"
mount --bind "${prefix%%/*}/plugins" "$plugins"
exec "$@"
""" % PREFIX


class Product:
    """Made once; the tunnels share it."""

    def __init__(self, context):
        self.build = context.build
        self.own = os.path.join(context.scratch, "adit")
        self.build.install()
        self.chooses_esp = False
        if not os.path.exists(self.own + "/ready"):
            self.set_up(context)

    def argv(self, *words):
        return ["sh", "-euc", OWN_ROOT, "sh", self.build.stage, self.own, *words]

    def private(self, *words, **more):
        """A command in such a root, outside of the world's namespaces."""
        return command(["unshare", "-m", "--propagation", "private", *self.argv(*words)],
                       **more)

    def set_up(self, context):
        for part in ("etc", "var"):
            os.makedirs(os.path.join(self.own, part), exist_ok=True)
        for part in ("etc", "var", "plugins"):
            os.makedirs(self.build.stage + PREFIX + "/" + part, exist_ok=True)
        self.private(ADIT, "setup", "--address", context.server_address, "--unattended",
                     "--pool", POOL, timeout=120)
        self.private(ADIT, "user", "add", USER, "--password-stdin", stdin=PASSWORD + "\n")
        with open(self.own + "/password", "w", encoding="ascii") as file:
            file.write(PASSWORD + "\n")
        with open(self.own + "/ready", "w", encoding="ascii"):
            pass

    def psk_file(self):
        return PREFIX + "/etc/adit/psk"

    def psk(self):
        return proc.read(self.own + "/etc/adit/psk").strip()

    def can_connect(self):
        """Skip when this tree has no client mode."""
        if not re.search(r"^\s+connect\b", self.private(ADIT, "help", check=False), re.M):
            raise Skip("this tree has no adit connect")
        # older ones take what the server prefers
        said = self.private(ADIT, "connect", "--esp", "aes256-sha1", check=False)
        self.chooses_esp = "unrecognized option" not in said

    # ---- the server ----

    def serve(self, world, log):
        """Starts it; its process."""
        child = world.spawn("server", self.argv(ADIT, "run"), log)

        def up():
            if child.poll() is not None:
                raise Failed("adit run: " + world.log_end(log))
            return '"charon_plugin": true' in self.ask(child.pid, "status")
        wait_for("server: " + world.log_end(log), 30, up)
        return child

    @staticmethod
    def ask(pid, what):
        """adit WHAT --json of the server that this process is."""
        return command(["nsenter", "-t", str(pid), "-m", "-n", ADIT, what, "--json"],
                       check=False)

    def cipher(self, pid):
        """What the one session uses, as ESP names it."""
        text = self.ask(pid, "sessions")
        try:
            found = json.loads(text)
        except ValueError:
            raise Failed("adit sessions: " + text.strip()[-200:]) from None
        sessions = found["sessions"] if isinstance(found, dict) else found
        if len(sessions) != 1:
            raise Failed(f"{len(sessions)} sessions, expected one")
        return sessions[0]["cipher"]

    # ---- the client ----

    def connect(self, world, log, psk_file, user, password_file, route, esp, tun=CLIENT_TUN):
        """adit connect to the world's server: (process, its address inside)."""
        words = [ADIT, "connect", world.outer("server"), "--user", user, "--password-stdin",
                 "--psk-file", psk_file, "--route", route, "--tun", tun,
                 "--no-dns", "--once"] + (["--esp", esp] if self.chooses_esp else [])
        child = world.spawn("client", self.argv(
            "sh", "-euc", 'in=$1 && shift && exec "$@" <"$in"', "sh", password_file, *words), log)
        world.wait_log(log, "connected address=", 40, child)
        found = re.search(r"connected address=([0-9.]+)", proc.read(world.path(log)))
        return child, found[1]
