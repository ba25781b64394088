# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# refuse.sh: who must not get in, and that the log says who, from where and
# why; after each refusal another client is served.

scenario_wrong_psk() {
	begin c3 c1
	user carol
	client c3 carol psk pw-carol this-is-not-the-shared-secret
	ike_refused c3 8
	logged "the wrong PSK" 'ike-refused.*192\.0\.2\.3.*reason=wrong-psk'
	others_work alice c1
	wire_clean
	pass "a client with a wrong PSK is refused and logged with its address; another one works"
}

scenario_untrusted_cert() {
	local d
	begin c3 c1
	user carol
	# a certificate of another CA, in the hands of a client that trusts ours
	d=$(server_cert good)
	ca_make "$OUT/other-ca" "somebody else's CA"
	cert_make "$OUT/other-ca/ca.pem" "$OUT/other-ca/ca.key" "$OUT/other" mallory \
		"$(date_in '-1 day')" "$(date_in '+9 days')"
	cp "$d/ca.pem" "$OUT/other/ca.pem"
	client c3 carol "$OUT/other"
	ike_refused c3 8
	logged "the untrusted certificate" 'ike-refused.*192\.0\.2\.3.*reason=[a-z-]*cert'
	others_work alice c1
	wire_clean
	pass "a certificate of another CA is refused and logged; another client works"
}

scenario_expired_cert() {
	begin c3 c1
	user carol
	client c3 carol "$(server_cert_expired carol-old)"
	ike_refused c3 8
	logged "the expired certificate" 'ike-refused.*192\.0\.2\.3.*reason=[a-z-]*(cert|expired)'
	others_work alice c1
	wire_clean
	pass "an expired certificate is refused and logged; another client works"
}

scenario_revoked_cert() {
	begin c3 c1
	user carol
	client c3 carol "$(server_cert carol-laptop)"
	connected c3
	on c3 hangup
	server_cert_revoke carol-laptop
	wait_for 15 "revocation list loaded by the running server" loaded_again
	ike_refused c3 8
	logged "the revoked certificate" 'ike-refused.*192\.0\.2\.3.*reason=[a-z-]*(cert|revoked)'
	others_work alice c1
	wire_clean
	pass "a certificate that worked is refused and logged once it is revoked; another client works"
}

loaded_again() {
	[ "$(server_log | grep -c charon-loaded)" -ge 2 ]
}

scenario_wrong_password() {
	begin c3 c1
	user carol
	client c3 carol psk not-her-password
	ppp_refused c3 'authentication failed|Authentication failure|MS-CHAP authentication failed'
	logged "the wrong password" 'auth-refused.*user=carol.*192\.0\.2\.3.*reason=wrong-password'
	others_work alice c1
	wire_clean
	pass "a wrong password is refused and logged with user and address; another client works"
}

scenario_unknown_user() {
	begin c3 c1
	client c3 nobody-here psk
	ppp_refused c3 'authentication failed|Authentication failure'
	logged "the unknown user" 'auth-refused.*user=nobody-here.*192\.0\.2\.3.*reason=unknown-user'
	others_work alice c1
	wire_clean
	pass "an unknown user is refused and logged with name and address; another client works"
}

scenario_disabled_user() {
	begin c3 c1
	user carol
	client c3 carol psk
	connected c3
	server_user_disable carol
	wait_for 20 "end of the disabled user's session" on c3 'ppp_gone'
	on c3 'hangup; rm -f /run/pppd.log'
	ppp_refused c3 'authentication failed|Authentication failure'
	logged "the disabled user" 'auth-refused.*user=carol.*192\.0\.2\.3.*reason=[a-z-]*disabled'
	others_work alice c1
	wire_clean
	pass "disabling a user ends the live session, the next try is refused and logged; another client works"
}

scenario_session_limit() {
	begin c3 c1
	server_user carol pw-carol '--max-sessions 1'
	client c3 carol psk
	connected c3
	client c1 carol psk
	ppp_refused c1 'authentication failed|Authentication failure'
	logged "the session over the limit" 'auth-refused.*user=carol.*192\.0\.2\.100.*reason=[a-z-]*(session|limit)'
	traffic c3
	on c3 hangup
	wait_for 10 "end of the first session" no_sessions
	on c1 'hangup; rm -f /run/pppd.log'
	connected c1
	works c1
	wire_clean
	pass "a second session over the limit is refused and logged, the first goes on; after its end the second device gets in"
}

no_sessions() {
	[ "$(session_count)" = 0 ]
}

scenario_plain_l2tp() {
	local n
	begin c3 c1
	srv_on "
		tcpdump -Z root -i eth0 -n -U -w $OUT/c3.pcap 'host 192.0.2.3 and not arp' >/dev/null 2>$OUT/c3.log &
		echo \$! >/run/c3.pid"
	wait_for 20 "capture of c3's packets" srv_on "grep -qs 'listening on' $OUT/c3.log"
	# SCCRQ: Message Type, Protocol Version, Framing Capabilities, Host Name,
	# Assigned Tunnel ID, Receive Window Size
	on c3 '
		iptables-legacy -F
		for i in 1 2 3; do
			printf "\310\002\000\104\000\000\000\000\000\000\000\000\200\010\000\000\000\000\000\001\200\010\000\000\000\002\001\000\200\012\000\000\000\003\000\000\000\003\200\012\000\000\000\007plain\041\200\010\000\000\000\011\022\064\200\010\000\000\000\012\000\004" |
				socat -u - UDP:192.0.2.1:1701,sourceport=1701,reuseaddr
		done' || fail "cannot send"
	wait_for 10 "plain SCCRQ on the server's wire" sccrq_seen 3
	# an answer, if there were one, would be older than a session of another client
	others_work alice c1
	srv_on "kill -INT \$(cat /run/c3.pid)"
	n=$(tcpdump -nr "$OUT/c3.pcap" 'src 192.0.2.1' 2>/dev/null | wc -l)
	same "number of packets that the server sent to c3" "$n" 0
	pass "three SCCRQ without IPsec reached the server; it sent nothing at all; another client works"
}

sccrq_seen() {
	[ "$(tcpdump -nr "$OUT/c3.pcap" 'udp dst port 1701' 2>/dev/null | wc -l)" -ge "$1" ]
}

scenario_spoofed_source() {
	local n
	begin c1 c3
	user alice
	user carol
	client c1 alice psk
	connected c1
	client c3 carol psk
	connected c3
	in_on "
		tcpdump -Z root -i eth0 -n -U -w $OUT/in.pcap icmp >/dev/null 2>$OUT/in.log &
		echo \$! >/run/in.pid"
	wait_for 20 "capture at the inside host" in_on "grep -qs 'listening on' $OUT/in.log"
	# a stranger's address, the inside host's neighbour, and the other client's
	on c3 "
		for a in 10.66.6.6 10.99.0.9 $(addr c1); do
			ip addr add \$a/32 dev lo
			pings 5 $INSIDE -I \$a
		done" >"$OUT/reply" || true
	say "c3 with foreign addresses: $(tr '\n' ' ' <"$OUT/reply")"
	traffic c3
	traffic c1
	wait_for 10 "c1's and c3's honest pings in the capture" honest_pings
	n=$(tcpdump -nr "$OUT/in.pcap" "icmp[0] = 8 and not src $(addr c3) and not src $(addr c1)" 2>/dev/null | wc -l)
	same "number of packets with a stranger's source at the inside host" "$n" 0
	n=$(tcpdump -nr "$OUT/in.pcap" "icmp[0] = 8 and src $(addr c1)" 2>/dev/null | wc -l)
	same "number of pings in the name of c1 (its own: 5)" "$n" 5
	wire_clean
	pass "packets from three foreign inner addresses never reached the inside host; honest ones did"
}

honest_pings() {
	[ "$(tcpdump -nr "$OUT/in.pcap" "icmp[0] = 8 and src $(addr c3)" 2>/dev/null | wc -l)" -ge 5 ] &&
		[ "$(tcpdump -nr "$OUT/in.pcap" "icmp[0] = 8 and src $(addr c1)" 2>/dev/null | wc -l)" -ge 5 ]
}
