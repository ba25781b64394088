# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# server-stock.sh: a stock strongSwan + xl2tpd + pppd server in the guest, so
# that the lab can be checked without the product (and the product be compared
# with what it replaces). It cannot pass everything: see --list against the
# product's README.

# shellcheck disable=SC2034 # read by steps.sh
POOL=192.168.42.0/24
# shellcheck disable=SC2034
DNS=10.99.0.2
STOCK_PSK=lab-psk-of-the-stock-server

server_prepare() {
	ca_make "$RUN/ca" 'lab CA'
	cert_make "$RUN/ca/ca.pem" "$RUN/ca/ca.key" "$RUN/cert-server" vpn.example \
		"$(date_in '-1 day')" "$(date_in '+9 days')" \
		'subjectAltName=IP:192.0.2.1'
}

server_nodes() {
	echo srv in
}

server_start() {
	on srv "
		conf_charon
		mkdir -p /etc/swanctl/x509 /etc/swanctl/x509ca /etc/swanctl/private /etc/xl2tpd /etc/ppp /run/xl2tpd
		cp $RUN/cert-server/cert.pem /etc/swanctl/x509/
		cp $RUN/cert-server/ca.pem /etc/swanctl/x509ca/
		cp $RUN/cert-server/key.pem /etc/swanctl/private/
		child='children { l2tp {
			mode = transport
			local_ts = dynamic[udp/1701]
			remote_ts = dynamic[udp]
			esp_proposals = aes256-sha1,aes128-sha1
		} }'
		all='version = 1
			local_addrs = 192.0.2.1
			proposals = aes256-sha256-modp2048
			unique = never'
		cat >/etc/swanctl/swanctl.conf <<X
connections {
	psk { \$all
		local { auth = psk
			id = 192.0.2.1 }
		remote { auth = psk }
		\$child }
	cert { \$all
		local { auth = pubkey
			certs = cert.pem
			id = 192.0.2.1 }
		remote { auth = pubkey }
		\$child }
}
secrets { ike { secret = \"$STOCK_PSK\" } }
X
		printf '%s\n' '[global]' 'port = 1701' '[lns default]' \
			'ip range = 192.168.42.10-192.168.42.250' 'local ip = 192.168.42.1' \
			'require chap = yes' 'refuse pap = yes' 'require authentication = yes' \
			'name = l2tpd' 'pppoptfile = /etc/ppp/options.srv' 'length bit = yes' >/etc/xl2tpd/xl2tpd.conf
		printf '%s\n' debug 'logfile /run/pppd.log' require-mschap-v2 noccp auth 'mtu 1400' 'mru 1400' \
			'connect-delay 100' 'ms-dns $DNS' >/etc/ppp/options.srv
		: >/etc/ppp/chap-secrets
		daemons_start" || fail "the stock server does not start"
}

server_stop() {
	:
}

srv_on() {
	on srv "$1"
}

in_on() {
	on in "$1"
}

server_user() {
	on srv "printf '\"%s\" l2tpd \"%s\" *\n' '$1' '$2' >>/etc/ppp/chap-secrets"
}

server_user_disable() {
	on srv "sed -i '/^\"$1\"/d' /etc/ppp/chap-secrets"
}

server_psk() {
	echo "$STOCK_PSK"
}

server_id() {
	echo 192.0.2.1
}

# server_cert NAME: prints a directory with ca.pem, cert.pem, key.pem
server_cert() {
	cert_make "$RUN/ca/ca.pem" "$RUN/ca/ca.key" "$OUT/cert-$1" "$1" \
		"$(date_in '-1 day')" "$(date_in '+9 days')"
	echo "$OUT/cert-$1"
}

server_ca() {
	echo "$RUN/ca/ca.pem $RUN/ca/ca.key"
}

server_log() {
	on srv 'cat /run/charon.log /run/xl2tpd.log /run/pppd.log 2>/dev/null; true'
}

server_collect() {
	:
}
