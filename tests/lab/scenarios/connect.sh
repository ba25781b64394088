# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# connect.sh: stock clients get in: PSK and certificate, raw ESP and through
# NAT, several behind one NAT, equal private addresses behind two.

# whole NODE: everything a session must do
whole() {
	connected "$1"
	dns "$1"
	traffic "$1"
	transfer "$1"
	wire_clean
	pass "$1 $2: address $(addr "$1") and DNS from the pool, ping, $BLOB_MB MB both ways intact, no plaintext"
}

scenario_psk_raw() {
	begin c3
	user carol
	client c3 carol psk
	whole c3 "with PSK over raw ESP"
}

scenario_psk_natt() {
	begin c1
	user alice
	client c1 alice psk
	whole c1 "with PSK through NAT"
}

scenario_cert_raw() {
	begin c3
	user carol
	client c3 carol "$(server_cert carol-laptop)"
	whole c3 "with a certificate over raw ESP"
}

scenario_cert_natt() {
	begin c1
	user alice
	client c1 alice "$(server_cert alice-laptop)"
	whole c1 "with a certificate through NAT"
}

scenario_three_behind_one_nat() {
	local n got
	begin c1 c2 c5
	for n in 'c1 alice' 'c2 bob' 'c5 eve'; do
		user "${n#* }"
		client "${n% *}" "${n#* }" psk
		connected "${n% *}"
	done
	same "number of different addresses" "$(sort -u "$OUT"/addr.* | wc -l)" 3
	transfer c1 down
	transfer c2 up
	transfer c5
	# without a load: what is lost now is lost by the server
	for n in c1 c2 c5; do
		on "$n" "ping_start $INSIDE" || fail "$n gets no answer to ping while all three are connected"
	done
	on c2 ping_stop >"$OUT/reply"
	on c2 hangup || fail "c2 cannot hang up"
	say "c2 has left"
	traffic c1
	traffic c5
	for n in c1 c5; do
		got=$(on "$n" ping_stop)
		say "$n: continuous ping $got"
		if [ "${got%/*}" != "${got#*/}" ] || [ "${got%/*}" -le 10 ]; then
			fail "$n lost pings while c2 left: $got answered"
		fi
	done
	transfer c1 up
	wire_clean
	pass "c1, c2, c5 behind one NAT from port 1701 at once; all transfers intact; c2 left, the others lost no ping"
}

scenario_same_private_address() {
	begin c1 c4
	user alice
	user dave
	client c1 alice psk
	connected c1
	on c1 "ping_start $INSIDE" || fail "c1 gets no answer"
	client c4 dave psk
	connected c4
	traffic c4
	transfer c4 down
	local got
	got=$(on c1 ping_stop)
	[ "${got%/*}" = "${got#*/}" ] || fail "c1 lost pings when c4 came: $got answered"
	traffic c1
	[ "$(addr c1)" != "$(addr c4)" ] || fail "both have $(addr c1)"
	wire_clean
	pass "two clients with the private address 10.1.0.11 behind two NATs work side by side"
}
