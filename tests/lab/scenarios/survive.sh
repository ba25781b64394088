# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# survive.sh: rekeys, crashes, moved NAT mappings and killed daemons.

# rekey_under_load NODE KIND WORD: a transfer runs while the client rekeys; WORD
# names what must be another one afterwards
rekey_under_load() {
	local n=$1 before after got
	before=$(on "$n" "$3")
	on "$n" "(download $INSIDE >/run/sum.new; mv /run/sum.new /run/sum) >/dev/null 2>&1 </dev/null & ping_start $INSIDE"
	on "$n" "swanctl --rekey --$2 l2tp >/run/rekey.log 2>&1" ||
		fail "$n cannot rekey: $(on "$n" 'tail -n 1 /run/rekey.log')"
	wait_for 30 "new $2 SA" rekeyed "$n" "$3" "$before"
	wait_for 180 "end of the transfer that ran during the rekey" on "$n" 'test -e /run/sum'
	got=$(on "$n" 'cat /run/sum; rm -f /run/sum')
	same "sha256 of what arrived during the rekey" "$got" "$BLOB_SHA"
	got=$(on "$n" ping_stop)
	say "continuous ping: $got"
	after=$(on "$n" "$3")
	say "$2 SA: $before -> $after"
}

rekeyed() {
	local now
	now=$(on "$1" "$2")
	[ -n "$now" ] && [ "$now" != "$3" ]
}

scenario_ike_rekey() {
	begin c1
	user alice
	client c1 alice psk
	connected c1
	rekey_under_load c1 ike ike_id
	traffic c1
	transfer c1 up
	wire_clean
	pass "the client made a new IKE SA under a running transfer; it arrived intact and the session goes on"
}

scenario_child_rekey() {
	begin c1
	user alice
	client c1 alice psk
	connected c1
	rekey_under_load c1 child spi_out
	rekey_under_load c1 child spi_out
	traffic c1
	transfer c1 up
	wire_clean
	pass "the client made new ESP SAs twice under running transfers; they arrived intact"
}

scenario_client_crash() {
	local mapping
	begin c1 c2
	user alice
	user bob
	client c1 alice psk
	connected c1
	client c2 bob psk
	connected c2
	on c2 "ping_start $INSIDE"
	mapping=$(nat_port 10.1.0.11)
	on c1 'crash; daemons_start' || fail "c1 cannot start again"
	connected c1
	same "NAT mapping of c1 after the crash" "$(nat_port 10.1.0.11)" "$mapping"
	traffic c1
	transfer c1 down
	mapping=$(on c2 ping_stop)
	[ "${mapping%/*}" = "${mapping#*/}" ] || fail "c2 lost pings while c1 crashed: $mapping answered"
	wire_clean
	pass "killed with SIGKILL and back through the same NAT mapping at once; its neighbour noticed nothing"
}

# nat_port ADDRESS [NAT]: the port that the NAT gives to its UDP 4500
nat_port() {
	on "${2:-nat}" "conntrack -L -p udp -s $1 --dport 4500 2>/dev/null" |
		sed -n 's/.*src=192\.0\.2\.1 .*dport=\([0-9]*\) .*/\1/p' | sort | tr '\n' ' '
}

scenario_nat_rebind() {
	local before after
	begin c1
	user alice
	client c1 alice psk
	connected c1
	traffic c1
	before=$(nat_port 10.1.0.11)
	on c1 "ping_start $INSIDE"
	on nat '
		iptables-legacy -t nat -F
		iptables-legacy -t nat -A POSTROUTING -o eth0 -p udp -j MASQUERADE --to-ports 30000-30999
		conntrack -F 2>/dev/null'
	wait_for 30 "another NAT mapping" moved "$before"
	after=$(nat_port 10.1.0.11)
	say "port at the NAT: $before -> $after"
	wait_for 30 "service after the NAT mapping changed" on c1 "[ \"\$(pings 1 $INSIDE)\" = 1/1 ]"
	say "continuous ping: $(on c1 ping_stop)"
	same "port that the server shows" "$(session_field device_port)" "${after% }"
	traffic c1
	transfer c1
	wire_clean
	pass "the NAT gave port ${after% } instead of ${before% } in mid-session; service came back by itself"
}

moved() {
	local now
	now=$(nat_port 10.1.0.11)
	[ -n "$now" ] && [ "$now" != "$1" ]
}

# ---- restarts: what the server holds when nobody is connected ----

# pids_of NAME: of the server's node; charon and l2tpd give themselves names.
# The brackets keep the shell that asks out of the answer.
pids_of() {
	srv_on "pgrep -f '[${1:0:1}]${1:1}'" | tr '\n' ' '
}

# holdings: descriptors of each daemon, every pppd, interfaces, addresses,
# routes, SAs and policies of the kernel
# shellcheck disable=SC2016
HOLDINGS='
	for p in /proc/[0-9]*; do
		case $(readlink $p/exe) in
		*/l2tpd | */charon-systemd*)
			echo "$(tr "\0" " " <$p/cmdline | sed "s/ [0-9][0-9]*//g"): $(ls $p/fd | wc -l) descriptors" ;;
		esac
	done | sort
	pgrep -fc "(^|[/])[p]ppd( |\$)" | sed "s/$/ processes of pppd/"
	ip -o link | sed "s/^[0-9]*: \([^:]*\):.*/interface \1/" | sort
	ip -o addr | sed "s/^[0-9]*: //; s/ valid_lft.*//" | sort
	ip route | sort
	ip xfrm state 2>/dev/null | sed -n "s/^src/SA src/p" | sort || true
	ip xfrm policy 2>/dev/null | sed -n "s/^src/policy src/p" | sort || true'

holdings() {
	srv_on "$HOLDINGS"
}

# restarted NAME PIDS: other processes than PIDS, and service
restarted() {
	local now
	now=$(pids_of "$1")
	[ -n "$now" ] && [ "$now" != "$2" ] && server_up
}

# quiet: no session, no SA
quiet() {
	no_sessions && [ "$(status_number associations)" = 0 ] && [ "$(status_number tunnels)" = 0 ]
}

status_number() {
	srv_on "$ADIT status --json" | tr -s ',{}' '\n' | sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p"
}

# before_kill: two clients, one connected, and what the idle server held before
# that in $OUT/before
before_kill() {
	begin c1 c3
	user alice
	user carol
	client c1 alice psk
	client c3 carol psk
	holdings >"$OUT/before"
	connected c1
	works c1
}

# killed PATTERN: SIGKILL to these daemons, and they are back
killed() {
	local pids
	pids=$(pids_of "$1")
	server_log_cut server-before.log
	srv_on "kill -KILL $pids"
	say "killed: $1, process $pids"
	wait_for 40 "$1 that was restarted" restarted "$1" "$pids"
}

# same_holdings: at last the idle server holds what it held before
same_holdings() {
	same "number of sessions" "$(session_count)" 2
	on c3 hangup
	on c1 hangup
	wait_for 120 "idle server" quiet
	holdings >"$OUT/after"
	cmp -s "$OUT/before" "$OUT/after" ||
		fail "the idle server holds other things than before: $(diff "$OUT/before" "$OUT/after" | grep '^[<>]' | tr '\n' ' ')"
	wire_clean
}

scenario_l2tpd_restart() {
	before_kill
	killed 'sbin/l2tpd'
	connected c3
	works c3
	on c1 'crash; daemons_start' || fail "c1 cannot start again"
	connected c1
	works c1
	same_holdings
	pass "l2tpd killed with SIGKILL: clients connect at once; addresses, routes, descriptors, SAs as before"
}

scenario_charon_restart() {
	before_kill
	on c1 "ping_start $INSIDE"
	killed 'sbin/charon-systemd'
	connected c3
	works c3
	local got
	got=$(on c1 ping_stop)
	[ "${got%/*}" = "${got#*/}" ] || fail "c1 lost pings while charon was away: $got answered"
	on c1 hangup
	connected c1
	works c1
	same_holdings
	pass "charon killed with SIGKILL: the session goes on, clients connect at once; addresses, routes, descriptors, SAs as before"
}

# ---- quickstart's last step ----
scenario_self_test() { # only: by name
	begin c1
	user selftest
	client c1 selftest psk
	connected c1
	traffic c1
	wire_clean
	pass "a stock client connected through NAT, got $(addr c1), and reaches a host behind the server"
}
