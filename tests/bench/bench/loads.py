# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases setup and memory: many sessions, made by tests/bench/load."""
from .cases import LOAD_CASES

PROGRAM = "tests/bench/load"


def rows(run, say):
    wanted = [c for c in run.args.cases if c in LOAD_CASES]
    if not wanted:
        return []
    if not run.context.build.has_target(PROGRAM):
        say(f"skipped: {', '.join(wanted)}: this tree has no {PROGRAM}")
        return []
    return []
