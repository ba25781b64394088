# SPDX-License-Identifier: GPL-2.0-or-later
"""Two namespaces and a link: the client's end on CPU 0, the server's on CPU 1.

Owns everything in namespaces adbench-c and adbench-s, and takes it all away
again. The link is a veth pair. "wire" has segmentation offload off and GRO on,
so that the kernel cuts super-packets before the link and merges after it, as
with a network card that cannot; "offload" lets them pass whole.
"""
import json
import os
import signal
import subprocess
import time

from . import proc

SIDES = {"client": ("adbench-c", "abc0", "198.51.100.1", 0),
         "server": ("adbench-s", "abs0", "198.51.100.2", 1)}
PREFIX = 24


class Failed(Exception):
    """Something that should work did not; the text says what."""


def command(argv, timeout=60, stdin=None, check=True):
    """Output of a command; Failed with the end of it when it fails."""
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, input=stdin,
                              stderr=subprocess.STDOUT, timeout=timeout,
                              errors="replace", check=False)
    except subprocess.TimeoutExpired:
        raise Failed("%s: not over after %d s" % (" ".join(argv), timeout)) from None
    if check and done.returncode:
        raise Failed("%s: %s" % (" ".join(argv), done.stdout.strip()[-300:]))
    return done.stdout


def wait_for(what, seconds, test):
    """Polls until test() is true."""
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise Failed(f"no {what} within {seconds} s")
        time.sleep(0.05)


class World:
    """One link between two namespaces; used for one tunnel, then thrown away."""

    def __init__(self, link, scratch, flood):
        self.link, self.scratch, self.flood = link, scratch, flood
        self.children = []

    # ---- namespaces ----

    def up(self):
        self.down()
        (cns, cdev, _, _), (sns, sdev, _, _) = SIDES["client"], SIDES["server"]
        for ns, _, _, _ in SIDES.values():
            command(["ip", "netns", "add", ns])
        command(["ip", "link", "add", cdev, "netns", cns, "type", "veth",
                 "peer", "name", sdev, "netns", sns])
        for side, (ns, dev, address, _) in SIDES.items():
            command(["ip", "-n", ns, "address", "add", f"{address}/{PREFIX}", "dev", dev])
            for name in ("lo", dev):
                command(["ip", "-n", ns, "link", "set", name, "up"])
            self.on(side, ["sysctl", "-qw", "net.ipv4.ip_forward=1",
                           "net.ipv4.conf.all.rp_filter=0",
                           "net.ipv4.conf.default.rp_filter=0"])
            if self.link == "wire":
                self.on(side, ["ethtool", "-K", dev, "tso", "off", "gro", "on",
                               "tx-udp-segmentation", "off"])

    def down(self):
        """All processes of the namespaces end, then the namespaces."""
        for child in self.children:
            child.poll()
        for sig in (signal.SIGTERM, signal.SIGKILL):
            pids = self.pids()
            for pid in pids:
                try:
                    os.kill(pid, sig)
                except ProcessLookupError:
                    pass
            end = time.monotonic() + 8
            while self.pids() and time.monotonic() < end:
                for child in self.children:
                    child.poll()
                time.sleep(0.05)
        for child in self.children:
            child.wait()
        self.children = []
        for ns, _, _, _ in SIDES.values():
            command(["ip", "netns", "delete", ns], check=False)

    def pids(self):
        out = []
        for ns, _, _, _ in SIDES.values():
            if os.path.exists(f"/run/netns/{ns}"):
                out += [int(p) for p in command(["ip", "netns", "pids", ns]).split()]
        return out

    # ---- processes ----

    @staticmethod
    def inside(side, argv, pinned=True):
        ns, _, _, cpu = SIDES[side]
        pin = ["taskset", "-c", str(cpu)] if pinned else []
        return ["ip", "netns", "exec", ns] + pin + argv

    def on(self, side, argv, **more):
        return command(self.inside(side, argv), **more)

    def spawn(self, side, argv, log=None, env=None, pipe=False):
        """A process that lives as long as the world; log is a file's name.
        The process is argv itself: namespace and pinning execute it."""
        out = subprocess.PIPE if pipe else open(self.path(log), "w", encoding="utf-8")
        child = subprocess.Popen(
            self.inside(side, argv), stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT if not pipe else subprocess.DEVNULL, text=True,
            env={**os.environ, **(env or {})}, start_new_session=True)
        if not pipe:
            out.close()
        self.children.append(child)
        return child

    def path(self, name):
        return os.path.join(self.scratch, name)

    def log_end(self, name):
        return " / ".join(proc.read(self.path(name)).strip().splitlines()[-3:])[-400:]

    def wait_log(self, name, text, seconds, child):
        """Waits until the log of child has the text."""
        def seen():
            if child.poll() is not None:
                raise Failed(f"{name} ended: {self.log_end(name)}")
            return text in proc.read(self.path(name))
        try:
            wait_for(f"'{text}' in {name}", seconds, seen)
        except Failed as why:
            raise Failed(f"{why}: {self.log_end(name)}") from None

    # ---- addresses, devices, counters ----

    @staticmethod
    def outer(side):
        return SIDES[side][2]

    @staticmethod
    def outer_dev(side):
        return SIDES[side][1]

    @staticmethod
    def cpu(side):
        return SIDES[side][3]

    def address(self, side, dev, address, mtu=None, peer=None):
        ns = SIDES[side][0]
        add = [address] + (["peer", peer] if peer else [])
        command(["ip", "-n", ns, "address", "add"] + add + ["dev", dev])
        command(["ip", "-n", ns, "link", "set", dev, "up"] +
                (["mtu", str(mtu)] if mtu else []))

    def route(self, side, to, *how):
        command(["ip", "-n", SIDES[side][0], "route", "replace", to] + list(how))

    def has_dev(self, side, dev):
        return bool(command(["ip", "-n", SIDES[side][0], "-br", "link", "show",
                             "dev", dev], check=False).startswith(dev))

    def route_dev(self, side, address):
        """The device on which packets to this address leave."""
        words = command(["ip", "-n", SIDES[side][0], "route", "get", address]).split()
        return words[words.index("dev") + 1]

    def bytes_of(self, side, dev):
        """(received, sent) of a device."""
        link = json.loads(command(["ip", "-n", SIDES[side][0], "-s", "-j", "link",
                                   "show", "dev", dev]))[0]["stats64"]
        return link["rx"]["bytes"], link["tx"]["bytes"]
