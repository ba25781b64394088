# SPDX-License-Identifier: GPL-2.0-or-later
"""This tree, built as a release is: no sanitizers, default flags; installed
below the build folder's stage/, for a prefix that only the bench's processes
see (bench/product.py)."""
import os
import re

from .peer import Skip
from .world import Failed, command

PREFIX = "/opt/adit-bench"
SLOW_S = 3600  # a busy machine builds for long; a bench that hangs should end


class Build:
    def __init__(self, top, folder):
        self.top, self.folder = top, folder
        self.stage = os.path.join(folder, "stage")
        self.problem = None
        self.installed = False

    def make(self, *targets):
        if not os.path.exists(os.path.join(self.folder, "Makefile")):
            self.configure()
        command(["make", "-s", "-C", self.folder, f"-j{os.cpu_count()}", *targets],
                timeout=SLOW_S)

    def configure(self):
        if not os.path.exists(os.path.join(self.top, "configure")):
            command(["sh", "-c", 'cd "$1" && autoreconf -fi', "sh", self.top], timeout=SLOW_S)
        headers = os.path.join(self.top, "build/strongswan")
        command([os.path.join(self.top, "tools/strongswan-headers"), headers], timeout=SLOW_S)
        os.makedirs(self.folder, exist_ok=True)
        command(["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", self.folder,
                 os.path.join(self.top, "configure"), "-q", f"--prefix={PREFIX}",
                 f"--sysconfdir={PREFIX}/etc", f"--localstatedir={PREFIX}/var",
                 f"--with-charon-plugindir={PREFIX}/plugins",
                 f"--with-strongswan-src={headers}"], timeout=SLOW_S)

    def program(self, target):
        """The path of a built helper, e.g. tests/bench/flood."""
        self.make(target)
        return os.path.join(self.folder, target)

    def has_target(self, target):
        return re.search(rf"^{re.escape(target)}\$\(EXEEXT\):", self.makefile(), re.M)

    def makefile(self):
        with open(os.path.join(self.folder, "Makefile"), encoding="utf-8") as file:
            return file.read()

    def version(self):
        found = re.search(r"^PACKAGE_VERSION = (.*)", self.makefile(), re.M)
        return "adit " + found[1].strip()

    def install(self):
        """Everything, once; Skip when it cannot be built."""
        if self.installed:
            return
        text = self.makefile()
        if f"\nprefix = {PREFIX}\n" not in text:
            raise Skip(f"{self.folder} is not configured with --prefix={PREFIX}")
        if "-fsanitize" in "".join(re.findall(r"^SAN_CFLAGS = .*", text, re.M)):
            raise Skip(f"{self.folder} is built with sanitizers")
        if self.problem:
            raise Skip(self.problem)
        try:
            self.make("all")
            self.make("install", f"DESTDIR={self.stage}")
        except Failed as why:
            self.problem = f"this tree cannot be built: {why}"
            raise Skip(self.problem) from None
        self.installed = True
