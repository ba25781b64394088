# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian packages of the peers: installed without starting a service, or
fetched from another release and only unpacked. Everything of another release
stays below the scratch folder: apt gets lists and a cache of its own."""
import glob
import os
import re
import subprocess

from .peer import Skip
from .world import Failed, command

QUIET = ["-qq", "-y", "-o", "Dpkg::Use-Pty=0"]


def version(package):
    """The installed version, or ''."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}",
                           package], capture_output=True, text=True, check=False)
    words = done.stdout.split()
    return words[1] if words[:1] == ["installed"] else ""


def install(packages, services=()):
    """Installs what is missing; none of its services starts. Skip when apt
    cannot."""
    missing = [p for p in packages if not version(p)]
    if not missing:
        return
    if os.geteuid() != 0:
        raise Skip("not installed: " + " ".join(missing))
    systemd = os.path.isdir("/run/systemd/system")
    units = [s + ".service" for s in services]
    try:
        if systemd and units:
            command(["systemctl", "mask", "--runtime", *units])
        command(["apt-get", "-qq", "update"], timeout=300, check=False)
        command(["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get",
                 *QUIET, "--no-install-recommends", "install", *missing], timeout=600)
    except Failed as why:
        raise Skip(f"apt-get: {why}") from None
    finally:
        if systemd and units:
            command(["systemctl", "disable", *units], check=False)
            command(["systemctl", "unmask", "--runtime", *units], check=False)


def mirror():
    """The first mirror of Debian itself that this machine's apt knows."""
    text = ""
    for path in sorted(glob.glob("/etc/apt/sources.list") + glob.glob("/etc/apt/sources.list.d/*")):
        with open(path, encoding="utf-8", errors="replace") as file:
            text += "".join(x for x in file if not x.lstrip().startswith("#")) + "\n"
    for uri in re.findall(r"\b(?:https?|file|mirror\+\S+?):\S+", text):
        if re.search(r"/debian/?$", uri):
            return uri
    raise Skip("this machine's apt knows no mirror of Debian")


def apt_of(release, scratch):
    """Options that make apt work for another release, below scratch only."""
    root = os.path.join(scratch, "apt-" + release)
    for part in ("lists/partial", "cache/archives/partial", "empty"):
        os.makedirs(os.path.join(root, part), exist_ok=True)
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    for name, text in (("status", ""),
                       ("sources.list", f"deb [signed-by={keyring}] {mirror()} {release} main\n")):
        with open(os.path.join(root, name), "w", encoding="ascii") as file:
            file.write(text)
    return ["-o", f"Dir::Etc::sourcelist={root}/sources.list",
            "-o", f"Dir::Etc::sourceparts={root}/empty",
            "-o", f"Dir::State::lists={root}/lists",
            "-o", f"Dir::State::status={root}/status",
            "-o", f"Dir::Cache={root}/cache", "-o", "APT::Sandbox::User=root",
            "-o", "Acquire::Languages=none"]


def unpack(release, package, scratch):
    """(folder, version) of a package of another release, unpacked; nothing is
    installed. Done once."""
    folder = os.path.join(scratch, f"{release}-{package}")
    if not os.path.isdir(folder):
        try:
            options = apt_of(release, scratch)
            command(["apt-get", "-qq", *options, "update"], timeout=300)
            word = command(["apt-cache", *options, "policy", package])
            uris = command(["apt-get", "-qq", *options, "--print-uris", "download", package])
        except (Failed, OSError) as why:
            raise Skip(f"{package} of {release}: {why}") from None
        found = re.search(r"Candidate: (\S+)", word)
        quoted = re.search(r"'([^']+)' (\S+)", uris)
        if not found or not quoted:
            raise Skip(f"{release} has no {package}")
        command(["sh", "-c", 'cd "$1" && shift && exec apt-get -qq "$@"', "sh", scratch,
                 *options, "download", package], timeout=300)
        deb = os.path.join(scratch, quoted[2])
        command(["dpkg-deb", "-x", deb, folder + ".new"])
        with open(folder + ".new/version", "w", encoding="ascii") as file:
            file.write(found[1])
        os.rename(folder + ".new", folder)
    with open(folder + "/version", encoding="ascii") as file:
        return folder, file.read().strip()
