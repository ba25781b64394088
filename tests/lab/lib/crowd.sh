# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# crowd.sh: many stock clients in one node: one charon with a connection from
# each of N addresses, and for each of these an xl2tpd and a pppd of its own. A
# node a client would cost two seconds of the slow kernel and 5 MB of it. Run
# in the node, after node.sh; the runner's crowd_* are in scenarios/many.sh.
CROWD=/run/crowd

crowd_address() { # crowd_address NUMBER: in the node's own network
	echo "10.1.0.$((20 + $1))"
}

# crowd_conf N PSK: users crowd-1 ... with the passwords pw-crowd-1 ...
crowd_conf() {
	local i a conns=''
	mkdir -p "$CROWD" /etc/xl2tpd /etc/ppp
	rm -rf /etc/ppp/ip-up.d /etc/ppp/ip-down.d "${CROWD:?}"/*
	conf_charon
	for ((i = 1; i <= $1; i++)); do
		a=$(crowd_address "$i")
		ip addr add "$a/24" dev eth0 2>/dev/null || true
		conns+="l$i {
			version = 1
			local_addrs = $a
			remote_addrs = $SERVER
			proposals = aes256-sha256-modp2048
			local { auth = psk }
			remote { auth = psk
				id = %any }
			children { l$i {
				mode = transport
				local_ts = dynamic[udp/1701]
				remote_ts = dynamic[udp/1701]
				esp_proposals = aes256-sha1
				start_action = start
			} }
		}
"
		printf '%s\n' '[global]' 'port = 1701' "listen-addr = $a" '[lac vpn]' \
			"lns = $SERVER" "pppoptfile = $CROWD/$i.ppp" 'length bit = yes' \
			'autodial = yes' >"$CROWD/$i.conf"
		printf '%s\n' ipcp-accept-local ipcp-accept-remote refuse-eap noccp noauth \
			'mtu 1400' 'mru 1400' noipdefault nodefaultroute "ipparam $i" \
			"logfile $CROWD/$i.log" "name crowd-$i" "password pw-crowd-$i" >"$CROWD/$i.ppp"
	done
	printf 'connections {\n%s}\nsecrets { ike { secret = "%s" } }\n' "$conns" "$2" \
		>/etc/swanctl/swanctl.conf
	cat >/etc/ppp/ip-up <<-X
		#!/bin/sh
		echo "\$4 \$1" >$CROWD/\$6.new
		mv $CROWD/\$6.new $CROWD/\$6.up
	X
	cat >/etc/ppp/ip-down <<-X
		#!/bin/sh
		rm -f $CROWD/\$6.up
	X
	chmod 755 /etc/ppp/ip-up /etc/ppp/ip-down
}

# crowd_ike N SECONDS: all SAs
crowd_ike() {
	charon-systemd >/run/charon.out 2>&1 </dev/null &
	until_true 20 test -S /run/charon.vici || why "the crowd's charon does not start"
	swanctl --load-all --noprompt >/run/load.log 2>&1 || why "swanctl: $(tail -n 1 /run/load.log)"
	until_true "$2" crowd_has_sas "$1" ||
		why "only $(crowd_sas) of $((2 * $1)) SAs after $2 s"
}

crowd_sas() {
	ip xfrm state count | sed -n 's/.*count \([0-9]*\).*/\1/p' | head -n 1
}

crowd_has_sas() {
	[ "$(crowd_sas)" -ge $((2 * $1)) ]
}

# crowd_dial N SECONDS: all sessions
crowd_dial() {
	local i
	for ((i = 1; i <= $1; i++)); do
		xl2tpd -D -c "$CROWD/$i.conf" -p "$CROWD/$i.pid" -C "$CROWD/$i.ctl" \
			>"$CROWD/$i.xl2tpd.log" 2>&1 </dev/null &
	done
	until_true "$2" crowd_is_up "$1" ||
		why "only $(crowd_up) of $1 sessions are up after $2 s: $(crowd_first_fault "$1")"
}

crowd_up() {
	find "$CROWD" -name '*.up' | wc -l
}

crowd_is_up() {
	[ "$(crowd_up)" -ge "$1" ]
}

crowd_first_fault() {
	local i
	for ((i = 1; i <= $1; i++)); do
		[ -e "$CROWD/$i.up" ] && continue
		echo "$i: $(tail -n 1 "$CROWD/$i.log" 2>/dev/null || tail -n 1 "$CROWD/$i.xl2tpd.log")"
		break
	done
}

crowd_addresses() {
	cat "$CROWD"/*.up | cut -d' ' -f1
}

# crowd_pings HOST: all at once, each by its own interface; prints how many
# had five answers of five
crowd_pings() {
	local f
	for f in "$CROWD"/*.up; do
		ping -n -q -i 0.5 -W 5 -c 5 -I "$(cut -d' ' -f2 "$f")" "$1" >"$f.ping" 2>&1 &
	done
	wait
	grep -l ' 5 received' "$CROWD"/*.up.ping | wc -l
}

# crowd_leave: every client says goodbye, in L2TP and in IKE
crowd_leave() {
	pkill -TERM -x xl2tpd || true
	until_true 60 crowd_has_gone || why "a pppd of the crowd does not end"
	pkill -TERM -x charon-systemd || true
	until_true 30 no_daemon || why "the crowd's charon does not end"
}

crowd_has_gone() {
	! pgrep -x 'xl2tpd|pppd' >/dev/null
}
