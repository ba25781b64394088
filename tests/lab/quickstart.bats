#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# quickstart.bats: README's first command, as on a machine of its own: in a
# network namespace without a way out, with an /etc, /usr, /var and /run that
# are this test's. Twice: the second run changes nothing. Packages are
# there already (check installed them), so nothing has to be fetched.

setup_file() {
	TOP=$(readlink -f "$BATS_TEST_DIRNAME/../..")
	NS=adl-$$-qs
	export TOP NS
	ip netns add "$NS"
	ip -n "$NS" link set lo up
	ip -n "$NS" link add eth0 type veth peer name eth1
	ip -n "$NS" addr add 192.0.2.9/24 dev eth0
	ip -n "$NS" link set eth0 up
	ip -n "$NS" link set eth1 up
	export OUT=$BATS_FILE_TMPDIR/out
	export REPORT=$BATS_FILE_TMPDIR/report
	mkdir -p "$BATS_FILE_TMPDIR/over"
	mount -t tmpfs tmpfs "$BATS_FILE_TMPDIR/over"
	ip netns exec "$NS" unshare -m -p -f --kill-child=KILL --mount-proc \
		--propagation private "$BATS_TEST_DIRNAME/lib/own-machine" \
		"$BATS_FILE_TMPDIR/over" "$BATS_TEST_DIRNAME/lib/quickstart-twice" \
		"$TOP" "$REPORT" >"$OUT" 2>&1 </dev/null 3>&- 4>&- || true
	umount "$BATS_FILE_TMPDIR/over"
}

teardown_file() {
	ip netns del "$NS" || true
	if [ "${BATS_SUITE_FAILED:-0}" != 0 ] || ! grep -qx 'second ok' "$REPORT"; then
		sed 's/^/# /' "$OUT" >&3
	fi
}

reported() {
	grep -x -- "$1" "$REPORT" || {
		tail -n 30 "$OUT"
		return 1
	}
}

@test "quickstart: the server runs" {
	reported "first ok"
	reported "running"
}

@test "quickstart: a client passes a packet through the tunnel" {
	reported "self-test ok"
}

@test "quickstart: it says what to do next for each system" {
	for system in Windows macOS Android ChromeOS Linux; do
		grep -q "^$system" "$OUT"
	done
}

@test "quickstart: less than five minutes" {
	[ "$(sed -n 's/^first run: \([0-9]*\) s/\1/p' "$REPORT")" -lt 300 ]
}

@test "quickstart: the second run changes nothing" {
	reported "second ok"
	reported "nothing changed"
}
