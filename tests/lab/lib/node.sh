# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# node.sh: a stock Linux client in its node: Debian's strongSwan, xl2tpd and
# pppd, with the configuration that NetworkManager-l2tp would write. The node's
# root is private, so every daemon has its usual paths.
set -eu
SERVER=192.0.2.1

# until SECONDS COMMAND...: polls without a fork per turn
until_true() {
	local end=$((SECONDS + $1))
	shift
	[ -e /run/never ] || mkfifo /run/never
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		read -r -t 0.05 <>/run/never || true
	done
}

why() {
	echo "$*"
	exit 1
}

conf_charon() {
	cat >/etc/strongswan.conf <<-X
		charon-systemd {
		  load = aes des sha1 sha2 md5 random nonce pem pkcs1 pkcs8 pubkey x509 hmac kdf gmp openssl kernel-netlink socket-default vici updown
		  install_routes = no
		  threads = 8
		  retransmit_tries = 3
		  filelog {
		    l {
		      path = /run/charon.log
		      time_format = %T
		      flush_line = yes
		      default = 1
		    }
		  }
		}
	X
}

# conf_ike psk SECRET | conf_ike cert DIR SERVER-ID: DIR has ca.pem, cert.pem, key.pem
conf_ike() {
	local auth=psk certs='' secrets='' id=%any
	conf_charon
	if [ "$1" = psk ]; then
		secrets="secrets { ike { secret = \"$2\" } }"
	else
		auth=pubkey certs='certs = cert.pem' id=$3
		mkdir -p /etc/swanctl/x509 /etc/swanctl/x509ca /etc/swanctl/private
		cp "$2/cert.pem" /etc/swanctl/x509/cert.pem
		cp "$2/ca.pem" /etc/swanctl/x509ca/ca.pem
		cp "$2/key.pem" /etc/swanctl/private/key.pem
	fi
	cat >/etc/swanctl/swanctl.conf <<-X
		connections {
		  l2tp {
		    version = 1
		    remote_addrs = $SERVER
		    proposals = ${IKE_PROPOSALS:-aes256-sha256-modp2048,aes256-sha1-modp2048}
		    local {
		      auth = $auth
		      $certs
		    }
		    remote {
		      auth = $auth
		      id = $id
		    }
		    children {
		      l2tp {
		        mode = transport
		        local_ts = dynamic[udp/1701]
		        remote_ts = dynamic[udp/1701]
		        esp_proposals = ${ESP_PROPOSALS:-aes256-sha1,aes128-sha1}
		      }
		    }
		  }
		}
		$secrets
	X
}

# conf_l2tp USER PASSWORD
conf_l2tp() {
	mkdir -p /etc/xl2tpd /etc/ppp /run/xl2tpd
	rm -rf /etc/ppp/ip-up.d /etc/ppp/ip-down.d
	cat >/etc/xl2tpd/xl2tpd.conf <<-X
		[global]
		port = 1701
		[lac vpn]
		lns = $SERVER
		pppoptfile = /etc/ppp/options.vpn
		length bit = yes
	X
	cat >/etc/ppp/options.vpn <<-X
		debug
		logfile /run/pppd.log
		ipcp-accept-local
		ipcp-accept-remote
		refuse-eap
		noccp
		noauth
		mtu 1400
		mru 1400
		noipdefault
		nodefaultroute
		usepeerdns
		connect-delay 100
		lcp-echo-interval ${ECHO_INTERVAL:-30}
		lcp-echo-failure 4
		name "$1"
		password "$2"
	X
	cat >/etc/ppp/ip-up <<-'X'
		#!/bin/sh
		/usr/sbin/ip route add 10.99.0.0/24 dev "$1"
		echo "$4 $5 ${DNS1:--} ${DNS2:--} $1" >/run/ppp-up.new
		mv /run/ppp-up.new /run/ppp-up
	X
	printf '#!/bin/sh\nrm -f /run/ppp-up\n' >/etc/ppp/ip-down
	chmod 755 /etc/ppp/ip-up /etc/ppp/ip-down
}

daemons_start() {
	local s
	rm -f /run/charon.vici /run/xl2tpd.pid /run/xl2tpd/l2tp-control
	charon-systemd >/run/charon.out 2>&1 </dev/null &
	xl2tpd -D -c /etc/xl2tpd/xl2tpd.conf -p /run/xl2tpd.pid \
		-C /run/xl2tpd/l2tp-control >>/run/xl2tpd.log 2>&1 </dev/null &
	until_true 20 test -S /run/charon.vici || why "client's charon does not start"
	s=$(swanctl --load-all --noprompt 2>&1) || why "swanctl --load-all: $s"
	until_true 10 test -p /run/xl2tpd/l2tp-control || why "client's xl2tpd does not start"
}

# ike_up [SECONDS]: main mode and quick mode
ike_up() {
	if ! swanctl --initiate --child l2tp --timeout "${1:-15}" >/run/initiate.log 2>&1; then
		why "IKE: $(tail -n 1 /run/initiate.log)"
	fi
}

dial() {
	echo "c vpn" >/run/xl2tpd/l2tp-control
}

# ppp_up [SECONDS]: prints ADDRESS PEER DNS1 DNS2 INTERFACE
ppp_up() {
	if ! until_true "${1:-20}" test -e /run/ppp-up; then
		why "PPP does not come up: $(tail -n 3 /run/pppd.log 2>/dev/null | tr '\n' '|')"
	fi
	cat /run/ppp-up
}

# ppp_down [SECONDS]: waits until pppd has gone
ppp_gone() {
	[ ! -e /run/ppp-up ] && ! pgrep -x pppd >/dev/null
}

connect() {
	ike_up "${1:-15}"
	dial
	ppp_up "${2:-20}"
}

hangup() {
	echo "d vpn" >/run/xl2tpd/l2tp-control
	until_true 10 ppp_gone || why "pppd does not end"
	swanctl --terminate --ike l2tp --timeout 5 >/run/terminate.log 2>&1 || true
}

# crash: what a power failure leaves: nothing
crash() {
	pkill -KILL -x charon-systemd || true
	pkill -KILL -x xl2tpd || true
	pkill -KILL -x pppd || true
	until_true 5 no_daemon || why "a client daemon survives SIGKILL"
	ip xfrm state flush
	ip xfrm policy flush
	rm -f /run/ppp-up
}

no_daemon() {
	! pgrep -x 'charon-systemd|xl2tpd|pppd' >/dev/null
}

# pings COUNT ADDRESS [ARG...]: prints received/sent
pings() {
	local n=$1 to=$2
	shift 2
	ping -n -q -i 0.2 -W 1 -c "$n" "$@" "$to" | sed -n 's,^\([0-9]*\) packets transmitted\, \([0-9]*\) received.*,\2/\1,p'
}

# ping_start ADDRESS / ping_stop: a continuous ping; stop prints received/sent
ping_start() {
	setsid ping -n -i 0.2 "$1" >/run/ping.log 2>&1 </dev/null &
	echo $! >/run/ping.pid
	until_true 5 grep -q ttl= /run/ping.log || why "no first answer to ping"
}

ping_stop() {
	local n
	# right after an answer, so that none is under way
	n=$(grep -c ttl= /run/ping.log) || true
	until_true 5 more_pings "$n" || true
	kill -INT "$(cat /run/ping.pid)"
	until_true 5 grep -q transmitted /run/ping.log
	sed -n 's,^\([0-9]*\) packets transmitted\, \([0-9]*\) received.*,\2/\1,p' /run/ping.log
}

more_pings() {
	[ "$(grep -c ttl= /run/ping.log)" -gt "$1" ]
}

# download HOST / upload HOST FILE: print the sha256 of what arrived
download() {
	timeout 180 socat -u -b 65536 "TCP:$1:9000" - | sha256sum | cut -d' ' -f1
}

upload() {
	timeout 180 socat -t 120 -b 65536 - "TCP:$1:9001" <"$2" | cut -d' ' -f1
}

ike_id() { # the cookies of the newest IKE SA
	swanctl --list-sas --ike l2tp --raw | grep -o 'initiator-spi=[0-9a-f]*' | tail -n 1
}

spi_out() { # SPIs of the outbound ESP SAs
	ip xfrm state list src "$(ip -4 -o addr show dev eth0 | awk '{split($4, a, "/"); print a[1]; exit}')" |
		sed -n 's/.*proto esp spi \(0x[0-9a-f]*\).*/\1/p' | sort | tr '\n' ' '
}

# save DIR: what a person wants to see after a failure
save() {
	mkdir -p "$1"
	cp /run/*.log /run/ppp-up /etc/ppp/resolv.conf "$1/" 2>/dev/null || true
	ip -s xfrm state | sed 's/\(enc\|auth-trunc\|aead\) \([^ ]*\) 0x[0-9a-f]*/\1 \2 (key)/' >"$1/xfrm-state" 2>&1 || true
	ip xfrm policy >"$1/xfrm-policy" 2>&1 || true
	grep -v '	0$' /proc/net/xfrm_stat >"$1/xfrm-stat" 2>/dev/null || true
	{
		ip addr
		ip route
		ps -ef
	} >"$1/state" 2>&1 || true
	[ ! -e /proc/net/nf_conntrack ] || cat /proc/net/nf_conntrack >"$1/conntrack"
}
