#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kernel.bats: what the server with the kernel plane must pass, in the kernels
# LAB_KERNELS (6.1 and 6.12): a test is one scenario, in all of them. A kernel
# is booted once for all scenarios; a person runs one with
# `tests/lab/run --plane kernel --kernel 6.12 SCENARIO`.
# LAB_BUILD names a build tree without sanitizers (default: build/lab),
# LAB_PPPD the pppd (default: the installed one).

KERNELS=${LAB_KERNELS:-6.1 6.12}

setup_file() {
	export RESULTS=$BATS_FILE_TMPDIR/results
	local build=${LAB_BUILD:-$BATS_TEST_DIRNAME/../../build/lab} k list
	mapfile -t list < <(sed -n 's/^@test "\(.*\)" {$/\1/p' "$BATS_TEST_FILENAME")
	for k in $KERNELS; do
		"$BATS_TEST_DIRNAME/run" --plane kernel --kernel "$k" --build "$build" \
			${LAB_PPPD:+--pppd "$LAB_PPPD"} --results "$RESULTS.$k" \
			"${list[@]}" 2>&1 3>&- | sed -u "s/^/# $k: /" >&3 || true
	done
}

verdict() {
	local k line bad=0
	for k in $KERNELS; do
		line=$(grep -m 1 -E "^(ok|FAIL) $1: " "$RESULTS.$k" ||
			echo "the lab did not come to $1")
		echo "Linux $k: $line"
		[[ $line = "ok "* ]] || bad=1
	done
	return "$bad"
}

@test "psk-raw" {
	verdict psk-raw
}

@test "psk-natt" {
	verdict psk-natt
}

@test "cert-raw" {
	verdict cert-raw
}

@test "cert-natt" {
	verdict cert-natt
}

@test "three-behind-one-nat" {
	verdict three-behind-one-nat
}

@test "same-private-address" {
	verdict same-private-address
}

@test "wrong-psk" {
	verdict wrong-psk
}

@test "untrusted-cert" {
	verdict untrusted-cert
}

@test "expired-cert" {
	verdict expired-cert
}

@test "revoked-cert" {
	verdict revoked-cert
}

@test "wrong-password" {
	verdict wrong-password
}

@test "unknown-user" {
	verdict unknown-user
}

@test "disabled-user" {
	verdict disabled-user
}

@test "session-limit" {
	verdict session-limit
}

@test "plain-l2tp" {
	verdict plain-l2tp
}

@test "spoofed-source" {
	verdict spoofed-source
}

@test "ike-rekey" {
	verdict ike-rekey
}

@test "child-rekey" {
	verdict child-rekey
}

@test "client-crash" {
	verdict client-crash
}

@test "nat-rebind" {
	verdict nat-rebind
}

@test "l2tpd-restart" {
	verdict l2tpd-restart
}

@test "charon-restart" {
	verdict charon-restart
}

@test "pppd-killed" {
	verdict pppd-killed
}

@test "server-holds-nothing" {
	verdict server-holds-nothing
}

@test "many-sessions" {
	verdict many-sessions
}
