# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# certs.sh: a small certificate authority for what the product must refuse
# (another CA, an expired certificate) and for the stock server.

# ca_make DIR NAME: DIR/ca.pem, DIR/ca.key
ca_make() {
	mkdir -p "$1"
	openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=$2" \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
		-keyout "$1/ca.key" -out "$1/ca.pem" 2>/dev/null
}

# cert_make CA-CERT CA-KEY DIR NAME FROM TO [EXTENSION]: DIR/{ca,cert,key}.pem,
# valid between the dates (YYYYMMDDHHMMSSZ)
cert_make() {
	local d=$3
	mkdir -p "$d/db"
	: >"$d/db/index"
	od -An -N8 -tx1 /dev/urandom | tr -d ' \n' | sed 's/^./4/' >"$d/db/serial"
	{
		printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s\nserial=%s\nnew_certs_dir=%s\n' \
			"$d/db/index" "$d/db/serial" "$d/db"
		printf 'default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n'
		printf '[x]\nbasicConstraints=CA:FALSE\n%s\n' "${7:-extendedKeyUsage=clientAuth}"
	} >"$d/db/conf"
	openssl req -new -newkey rsa:2048 -nodes -subj "/CN=$4" -keyout "$d/key.pem" \
		-out "$d/db/csr" 2>/dev/null
	openssl ca -batch -notext -config "$d/db/conf" -extensions x -cert "$1" -keyfile "$2" \
		-startdate "$5" -enddate "$6" -in "$d/db/csr" -out "$d/cert.pem" 2>"$d/db/log"
	cp "$1" "$d/ca.pem"
}

date_in() { # date_in WORDS: for cert_make, e.g. date_in '-2 days'
	date -u -d "$1" +%Y%m%d%H%M%SZ
}
