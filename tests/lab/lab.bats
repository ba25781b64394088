#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lab.bats: every scenario of the lab as a test. The clients' kernel is booted
# once for all of them; a person runs one with `tests/lab/run SCENARIO`.
# LAB_BUILD names the build tree of the server (default: build/check).

setup_file() {
	export RESULTS=$BATS_FILE_TMPDIR/results
	local build=${LAB_BUILD:-$BATS_TEST_DIRNAME/../../build/check}
	"$BATS_TEST_DIRNAME/run" --build "$build" --results "$RESULTS" all 2>&1 3>&- |
		sed -u 's/^/# /' >&3 || true
}

verdict() {
	local line
	line=$(grep -m 1 -E "^(ok|FAIL) $1: " "$RESULTS") || {
		echo "the lab did not come to this scenario"
		return 1
	}
	echo "$line"
	[[ $line = "ok "* ]]
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
