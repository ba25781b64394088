# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# many.sh: many clients, and what the server holds of them afterwards: in the
# kernel plane a session is a process, an interface, sockets and SAs of the
# kernel, which no end of a daemon clears away.

# pppds: the server's pppd processes; ppp_links: its PPP interfaces
pppds() {
	# shellcheck disable=SC2016
	srv_on 'pgrep -f "(^|[/])[p]ppd( |\$)" || true' | tr '\n' ' '
}

ppp_links() {
	srv_on 'ls /sys/class/net | grep "^adit0s" || true' | tr '\n' ' '
}

count() {
	wc -w <<<"$1"
}

user_has_left() {
	! session_field user | grep -qx "$1"
}

# holds WHAT FUNCTION COUNT
holds() {
	same "number of $1" "$(count "$("$2")")" "$3"
}

scenario_pppd_killed() { # only: kernel plane
	local victim was got
	[ "$PLANE" = kernel ] || fail "the user plane has no pppd: --plane kernel"
	begin c1 c3
	user alice
	user carol
	client c1 alice psk
	connected c1
	victim=$(pppds)
	[ -n "$victim" ] || fail "the server has a session and no pppd"
	was=$(addr c1)
	client c3 carol psk
	connected c3
	holds "ppp interfaces of two sessions" ppp_links 2
	on c3 "ping_start $INSIDE" || fail "c3 gets no answer"
	srv_on "kill -KILL $victim"
	say "killed: c1's pppd, process $victim"
	wait_for 10 "end of the session whose pppd was killed" user_has_left alice
	wait_for 10 "end of its interface" one_ppp_link
	wait_for 20 "hang-up in c1" on c1 ppp_gone
	on c1 hangup
	connected c1
	# a user gets the address of the last time, if it is free
	same "address of c1 when it is back" "$(addr c1)" "$was"
	works c1
	got=$(on c3 ping_stop)
	[ "${got%/*}" = "${got#*/}" ] || fail "c3 lost pings while c1's pppd was killed: $got answered"
	holds "ppp interfaces" ppp_links 2
	same "number of sessions" "$(session_count)" 2
	wire_clean
	pass "a pppd killed with SIGKILL: its session, interface and address are free, its client is back; its neighbour lost no ping"
}

one_ppp_link() {
	[ "$(count "$(ppp_links)")" = 1 ]
}

# Runs in the user plane too; there l2tpd-restart shows the same.
scenario_server_holds_nothing() { # only: kernel plane
	begin c1 c2 c3
	local n
	for n in 'c1 alice' 'c2 bob' 'c3 carol'; do
		user "${n#* }"
		client "${n% *}" "${n#* }" psk
	done
	holdings >"$OUT/before"
	for n in c1 c2 c3; do
		connected "$n"
		works "$n"
	done
	# one leaves as it should, one comes back after a crash before it leaves,
	# one ends its call only and keeps its SAs
	on c1 hangup
	on c2 'crash; daemons_start' || fail "c2 cannot start again"
	connected c2
	on c2 hangup
	on c3 'echo "d vpn" >/run/xl2tpd/l2tp-control; until_true 20 ppp_gone' ||
		fail "c3 cannot end its call"
	emptied
	wire_clean
	pass "after a good end, a crash and a half end of three clients: descriptors, interfaces, addresses, routes, processes, SAs and policies as before"
}

# emptied: the server holds what it held before ($OUT/before)
emptied() {
	wait_for 180 "idle server" quiet
	holds "pppd processes" pppds 0
	holds "ppp interfaces" ppp_links 0
	holdings >"$OUT/after"
	cmp -s "$OUT/before" "$OUT/after" ||
		fail "the idle server holds other things than before: $(diff "$OUT/before" "$OUT/after" | grep '^[<>]' | tr '\n' ' ')"
}

# crowd NODE SCRIPT: in a node, with the words of lib/crowd.sh
crowd() {
	on "$1" ". $LAB/lib/crowd.sh; $2"
}

one_to_200() {
	[ "$1" -ge 1 ] && [ "$1" -le 200 ]
}

# LAB_SESSIONS clients (20, at most 200) behind one NAT
scenario_many_sessions() { # only: by name
	local n=${LAB_SESSIONS:-20} t got
	expect "LAB_SESSIONS is 1 to 200" one_to_200 "$n"
	begin c1
	srv_on "for i in \$(seq $n); do
			printf 'pw-crowd-%d\n' \$i | $ADIT user add crowd-\$i --password-stdin
		done" >/dev/null || fail "cannot add users"
	holdings >"$OUT/before"
	t=$SECONDS
	crowd c1 "crowd_conf $n '$(server_psk)'; crowd_ike $n $((60 + n))" >"$OUT/reply" ||
		fail "c1: $(tail -n 1 "$OUT/reply")"
	say "$n IKE SAs after $((SECONDS - t)) s"
	crowd c1 "crowd_dial $n $((60 + 2 * n))" >"$OUT/reply" || fail "c1: $(tail -n 1 "$OUT/reply")"
	t=$((SECONDS - t))
	say "$n sessions after $t s"
	same "number of sessions" "$(session_count)" "$n"
	same "number of different addresses" "$(crowd c1 crowd_addresses | sort -u | wc -l)" "$n"
	got=$(crowd c1 "crowd_pings $INSIDE")
	same "number of clients with all their answers, all at once" "$got" "$n"
	crowd c1 crowd_leave >"$OUT/reply" || fail "c1: $(tail -n 1 "$OUT/reply")"
	emptied
	wire_clean
	pass "$n stock clients behind one NAT, up in $t s, all pinging at once without loss; then the server holds what it held before"
}
