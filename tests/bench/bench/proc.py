# SPDX-License-Identifier: GPL-2.0-or-later
"""CPU time and memory of processes with all their children, from /proc."""
import glob
import re
import time


def read(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def parents():
    """{pid: parent}"""
    out = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        text = read(path)
        if text:
            out[int(path.split("/")[2])] = int(text.rsplit(")", 1)[1].split()[1])
    return out


def family(pids):
    """These processes and all that descend from them."""
    parent, out = parents(), set(pids)
    grown = True
    while grown:
        more = {p for p, up in parent.items() if up in out} - out
        out |= more
        grown = bool(more)
    return sorted(out)


def process_clock_s(pid):
    """The scheduler's run time of all threads of a process, also of those that
    ended: the sum that /proc/PID/task/*/schedstat gives of the living."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def cpu_s(pids):
    return sum(process_clock_s(pid) for pid in family(pids))


def ksoftirqd_s(cpu):
    """Work for packets that the kernel did in nobody's name on this CPU."""
    for pid in parents():
        if read(f"/proc/{pid}/comm").strip() == f"ksoftirqd/{cpu}":
            return process_clock_s(pid)
    return 0.0


def forget_peak(pids):
    for pid in family(pids):
        try:
            with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
                file.write("5")
        except OSError:
            pass


def peak_rss_mib(pids):
    total = 0
    for pid in family(pids):
        found = re.search(r"VmHWM:\s+(\d+)", read(f"/proc/{pid}/status"))
        total += int(found[1]) if found else 0
    return total / 1024


def alive(pid):
    state = read(f"/proc/{pid}/stat").rsplit(")", 1)
    return len(state) == 2 and state[1].split()[0] not in "ZX"
