# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# common.sh: words that every scenario uses: verdicts, waiting for an event,
# one line a step. Sourced by tests/lab/run; LOG and OUT are its variables.

# say TEXT: one line with the time in the scenario's log (and on the terminal
# with --verbose).
say() {
	printf '%(%H:%M:%S)T %s\n' -1 "$*" >>"$LOG"
	[ "${VERBOSE:-0}" = 0 ] || printf '%(%H:%M:%S)T   %s\n' -1 "$*" >&2
}

# pass TEXT / fail TEXT: the verdict of a scenario, once, with its reason. They
# write the reason first: it must survive a subshell.
pass() {
	printf '%s\n' "$*" >"$OUT/verdict"
	exit 0
}

fail() {
	[ -e "$OUT/verdict" ] || printf '%s\n' "$*" >"$OUT/verdict"
	say "FAIL: $*"
	exit 1
}

# wait_for SECONDS WHAT COMMAND...: polls until COMMAND succeeds. When the time
# is over the scenario fails with WHAT in its verdict.
wait_for() {
	local limit=$1 what=$2
	shift 2
	poll "$limit" "$@" || fail "no $what within $limit s"
	say "seen: $what"
}

# poll SECONDS COMMAND...: the same, but tells the caller.
poll() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		alive || fail "the lab's kernel died, see console.log"
		pause
	done
}

# pause: the step of a polling loop; never a means of synchronisation.
pause() {
	read -r -t 0.1 <>"$RUN/never" || true
}

# expect WHAT COMMAND...: an assertion on the present state.
expect() {
	local what=$1
	shift
	"$@" || fail "$what"
	say "true: $what"
}

# same WHAT GOT WANTED
same() {
	[ "$2" = "$3" ] || fail "$1 is '$2', expected '$3'"
	say "same: $1 = $3"
}
