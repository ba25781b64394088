# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# steps.sh: what scenarios are made of. A step asserts what it did, and ends
# the scenario with a reason when it could not. The server is reached only
# through the words of server-adit.sh or server-stock.sh.

# shellcheck source=/dev/null
. "$LAB/lib/certs.sh"

INSIDE=10.99.0.2
BLOB_MB=${LAB_BLOB_MB:-100}

# blob_make: what is transferred, and its sha256
blob_make() {
	head -c "${BLOB_MB}M" /dev/urandom >"$RUN/blob"
	BLOB_SHA=$(sha256sum "$RUN/blob" | cut -d' ' -f1)
}

# begin NODE...: fresh clients, fresh server, captures running
begin() {
	say "nodes: $*"
	# shellcheck disable=SC2046
	on - "topo $(server_nodes) $*" || fail "the clients' nodes do not start"
	server_start
	wire_start
	in_on "
		socat -U -b 65536 TCP-LISTEN:9000,reuseaddr,fork OPEN:$RUN/blob,rdonly >/dev/null 2>$OUT/in-down.log &
		socat -t 300 -b 65536 TCP-LISTEN:9001,reuseaddr,fork EXEC:sha256sum >/dev/null 2>$OUT/in-up.log &
	" || fail "the inside host does not start"
	CLIENTS="$*"
}

# wire_start: captures on the server's wire: plain.pcap must stay empty,
# wire.pcap has all but bulk data
wire_start() {
	srv_on "
		tcpdump -Z root -i eth0 -n -U -w $OUT/plain.pcap udp port 1701 >/dev/null 2>$OUT/plain.log &
		echo \$! >/run/plain.pid
		tcpdump -Z root -i eth0 -n -U -c 20000 -w $OUT/wire.pcap \
			'udp port 500 or icmp or arp or ((udp port 4500 or esp) and less 400)' >/dev/null 2>$OUT/wire.log &
		echo \$! >/run/wire.pid
	" || fail "tcpdump does not start"
	wait_for 20 "capture on the server's wire" \
		srv_on "grep -qs 'listening on' $OUT/plain.log"
}

# wire_clean: not one L2TP packet outside of IPsec; no bug in the server's log
wire_clean() {
	local n
	wait_for 10 "end of the capture" wire_stop
	n=$(tcpdump -nr "$OUT/plain.pcap" 2>/dev/null | wc -l)
	same "number of plaintext L2TP packets on the server's wire" "$n" 0
	n=$(server_log | grep -cE 'ERROR: [A-Za-z]*Sanitizer|runtime error: |internal-error') || true
	same "number of bugs that the server's log tells of" "$n" 0
}

wire_stop() {
	# shellcheck disable=SC2016
	srv_on 'kill -INT $(cat /run/plain.pid) 2>/dev/null || true; ! kill -0 $(cat /run/plain.pid) 2>/dev/null' >/dev/null
}

# user NAME: a user with the password pw-NAME, once
user() {
	server_user "$1" "pw-$1" || fail "cannot add user $1"
}

# client NODE USER psk|CERTDIR [PASSWORD] [PSK]: configures and starts the
# stock client of NODE
client() {
	local pw=${4:-pw-$2} ike
	if [ "$3" = psk ]; then
		ike="conf_ike psk '${5:-$(server_psk)}'"
	else
		ike="conf_ike cert '$3' '$(server_id)'"
	fi
	on "$1" "$ike; conf_l2tp '$2' '$pw'; daemons_start" >"$OUT/reply" ||
		fail "client $1: $(tail -n 1 "$OUT/reply")"
}

# connected NODE: IKE, L2TP, PPP; leaves its address in $OUT/addr.NODE
connected() {
	on "$1" connect >"$OUT/reply" || fail "$1 does not connect: $(tail -n 1 "$OUT/reply")"
	cut -d' ' -f1 "$OUT/reply" >"$OUT/addr.$1"
	say "$1 is up: $(cat "$OUT/reply")"
	in_net "$(addr "$1")" "$POOL" || fail "address $(addr "$1") of $1 is not from the pool $POOL"
}

# in_net ADDRESS NETWORK/BITS
in_net() {
	local a b c d n=$((32 - ${2#*/})) x
	IFS=. read -r a b c d <<<"$1"
	x=$(((a << 24 | b << 16 | c << 8 | d) >> n))
	IFS=. read -r a b c d <<<"${2%/*}"
	[ "$x" = $(((a << 24 | b << 16 | c << 8 | d) >> n)) ]
}

addr() {
	cat "$OUT/addr.$1"
}

# dns NODE: the client was told a name server
dns() {
	local got
	got=$(on "$1" 'cat /etc/ppp/resolv.conf | sed -n "s/^nameserver *//p" | tr "\n" " "')
	[ "${got%% *}" = "$DNS" ] || fail "$1 was told name servers '$got', expected $DNS"
}

# traffic NODE [COUNT]: ping to the host behind the server
traffic() {
	local n=${2:-5} got
	got=$(on "$1" "pings $n $INSIDE")
	[ "$got" = "$n/$n" ] || fail "$1 pings the inside host: $got answers"
	say "$1 pings: $got"
}

# transfer NODE [down|up]: a TCP transfer, both ways if not said, intact
transfer() {
	local got
	if [ "${2:-down}" = down ]; then
		got=$(on "$1" "download $INSIDE") || true
		[ "$got" = "$BLOB_SHA" ] || fail "$1: $BLOB_MB MB from the inside host arrive damaged or not at all"
		say "$1: $BLOB_MB MB down intact"
	fi
	if [ "${2:-up}" = up ]; then
		got=$(on "$1" "upload $INSIDE $RUN/blob") || true
		[ "$got" = "$BLOB_SHA" ] || fail "$1: $BLOB_MB MB to the inside host arrive damaged or not at all"
		say "$1: $BLOB_MB MB up intact"
	fi
}

# works NODE: the least that shows service
works() {
	traffic "$1" 3
}

# others_work USER NODE: the server goes on: another client connects after
others_work() {
	user "$1"
	client "$2" "$1" psk
	connected "$2"
	works "$2"
}

# ike_refused NODE SECONDS: main mode must not succeed
ike_refused() {
	if on "$1" "ike_up $2" >"$OUT/reply"; then
		fail "$1 gets an IKE SA"
	fi
	say "$1 is refused: $(tail -n 1 "$OUT/reply")"
}

# ppp_refused NODE REGEX: IKE succeeds, PPP ends with REGEX in pppd's log
ppp_refused() {
	on "$1" 'ike_up; dial' >"$OUT/reply" || fail "$1: $(tail -n 1 "$OUT/reply")"
	wait_for 40 "refusal by the server in $1" on "$1" "
		[ ! -e /run/ppp-up ] || exit 0
		grep -Eq '$2' /run/pppd.log /run/xl2tpd.log"
	if on "$1" 'test -e /run/ppp-up'; then
		fail "$1 is let in"
	fi
}

# logged WHAT REGEX: the server's log says so
logged() {
	local what=$1 re=$2
	wait_for 10 "line in the server's log about $what (/$re/)" server_logged "$re"
	say "log: $(server_log | grep -E -- "$re" | tail -n 1)"
}

server_logged() {
	server_log | grep -Eq -- "$1"
}

# collect: logs and states of all nodes into $OUT
collect() {
	local n
	for n in ${CLIENTS:-} $(on - 'cd /nodes; ls *.log' | sed 's/\.log$//'); do
		on "$n" "save $OUT/$n" >/dev/null 2>&1 || true
	done
	server_collect "$OUT/server" >/dev/null 2>&1 || true
	cp "$RUN/console.log" "$OUT/" 2>/dev/null || true
}
