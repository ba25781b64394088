#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_cli.sh: adit as an administrator uses it, without root, below a directory
# of its own. Each step says its name; the first that fails ends the test.
set -eu

command -v openssl >/dev/null || exit 77 # skipped
adit=${ADIT:-./adit}
templates=$ADIT_SRCDIR/config-templates
dir=$(mktemp -d)
etc=$dir/etc/adit
conf=$etc/adit.conf
out=$dir/out
runner=

cleanup()
{
	[ -z "$runner" ] || kill "$runner" 2>/dev/null || true
	rm -rf "$dir"
}
trap cleanup EXIT

step()
{
	echo "# $1"
}

die()
{
	echo "FAILED: $1"
	[ ! -f "$out" ] || cat "$out"
	exit 1
}

# run STATUS COMMAND...: output goes to $out
run()
{
	want=$1
	shift
	status=0
	"$@" >"$out" 2>&1 </dev/null || status=$?
	[ "$status" = "$want" ] || die "status $status, not $want: $*"
}

says()
{
	grep -q -- "$1" "$out" || die "does not say \"$1\""
}

setup()
{
	want=$1
	shift
	run "$want" "$adit" setup --unattended --prefix "$dir" \
		--templates "$templates" "$@"
}

a()
{
	want=$1
	shift
	run "$want" "$adit" "$@" --config "$conf"
}

step "setup needs a usable address"
setup 2
says "needs --address"
setup 2 --address 'no host'
setup 2 --address 1.2.3
setup 2 --address -x.example.org

step "a weak shared secret is refused, and nothing is made"
weak()
{
	printf '%s\n' "$1" >"$dir/weak"
	setup 1 --address vpn.example.org --psk-file "$dir/weak"
	says "too weak"
	says "$2"
	[ ! -e "$etc" ] || die "something was made"
}
weak vpn short
weak 12345678 short
weak 1234567890123456789012345 repeats
weak aaaaaaaaaaaaaaaaaaaaaaaaaaaa repeats
weak secretvpnpasswordipsecadmin sequences
weak abcdefghijklmnopqrstuvwxyz sequences
weak k3Xq9k3Xq9k3Xq9k3Xq9 repeats
weak "correct horse battery staple" blanks
setup 1 --address vpn.example.org --psk-file "$dir/missing"

step "a dry run changes nothing"
setup 0 --address vpn.example.org --dry-run
says "would have made .*server.key"
[ ! -e "$etc" ] || die "something was made"

step "setup"
setup 0 --address vpn.example.org --ip 192.0.2.9 --dns 9.9.9.9
says "adit user add"
for f in psk server.key ca/ca.key; do
	[ "$(stat -c %a "$etc/$f")" = 600 ] || die "mode of $f"
done
[ "$(stat -c %a "$dir/var/lib/adit")" = 700 ] || die "mode of state-dir"
[ "$(wc -c <"$etc/psk")" = 44 ] || die "psk is not 256 bits"
grep -q 'dns = {9.9.9.9}' "$conf" || die dns
grep -q "$dir/run/adit/charon.vici" "$etc/strongswan.conf" || die strongswan
if grep -rn '@[a-z_]*@' "$etc"/*.conf; then
	die "a template was not filled"
fi

step "setup again changes nothing"
find "$dir" -type f -exec cksum {} + | sort >"$dir.before"
setup 0 --address vpn.example.org
says "nothing was changed"
setup 0
says "nothing was changed"
find "$dir" -type f ! -path "$out" -exec cksum {} + | sort >"$dir.after"
grep -v " $out\$" "$dir.before" | cmp - "$dir.after" || die "files differ"
rm -f "$dir.before" "$dir.after"

step "the server certificate is what clients want"
run 0 openssl verify -x509_strict -purpose sslserver -CAfile "$etc/ca.crt" \
	-verify_hostname vpn.example.org "$etc/server.crt"
run 0 openssl verify -CAfile "$etc/ca.crt" -verify_ip 192.0.2.9 \
	"$etc/server.crt"
run 0 openssl x509 -in "$etc/server.crt" -noout -text
says "CN *= *vpn.example.org"
says "1.3.6.1.5.5.8.2.2"
says "TLS Web Server Authentication"
says "3072 bit"
says sha256WithRSAEncryption
run 0 openssl verify -x509_strict -crl_check -CAfile "$etc/ca.crt" \
	-CRLfile "$etc/ca.crl" "$etc/server.crt"

step "a new address changes certificate and configuration, not the secrets"
cp "$etc/psk" "$dir/psk.old"
cp "$etc/ca.crt" "$dir/ca.old"
sed -i 's/# mru = 1400/mru = 1300/' "$conf"
setup 0 --address 192.0.2.77
says "changed .*server.crt"
cmp "$etc/psk" "$dir/psk.old"
cmp "$etc/ca.crt" "$dir/ca.old"
grep -q 'mru = 1300' "$conf" || die "an edit was lost"
run 0 openssl verify -CAfile "$etc/ca.crt" -verify_ip 192.0.2.77 \
	"$etc/server.crt"
setup 0
says "nothing was changed"

step "a file that somebody changed is put right"
chmod 644 "$etc/psk"
echo >>"$etc/nftables.conf"
setup 0
says "changed .*psk"
says "changed .*nftables.conf"
setup 0 --no-masquerade
setup 0
says "nothing was changed"
if grep -q "oifname.*masquerade" "$etc/nftables.conf"; then
	die "masquerade came back"
fi

step "a strong shared secret can be given"
printf 'Kq7-vT2x_9LmZ4pW8rYc3NbH6\n' >"$dir/strong"
setup 0 --psk-file "$dir/strong"
cmp "$etc/psk" "$dir/strong"

step "a configuration with an error is refused with its line"
cp "$conf" "$dir/conf.good"
echo 'ppp { mru = 9 }' >>"$conf"
a 1 user list
says "adit.conf:[0-9]*: mru"
setup 1
cp "$dir/conf.good" "$conf"

step "users"
a 0 user list
printf 'first-password\n' | "$adit" user add alice --password-stdin \
	--ip 10.77.0.9 --groups staff,admins --config "$conf" >"$out"
says "alice: added"
run 1 "$adit" user add alice --generate "--config=$conf"
says "there already"
a 1 user add ALICE --generate
a 1 user add bob --generate --ip 10.77.0.9
says "static address"
a 1 user add bob --generate --ip 10.1.2.3
a 1 user add bob --generate --ip 10.77.0.1
a 1 user add bob --generate --valid-until tomorrow
a 1 user add bob --generate --max-sessions -1
a 1 user add 'a\b' --generate
says backslash
a 1 user add bob
says password-stdin
a 2 user add bob secret
says "never an argument"
a 2 user add
a 0 user add bob --generate --max-sessions 1 --valid-until 2027-12-31
says "^password: [a-z2-9-]\{19\}$"
a 0 user disable bob
a 0 user list --json
says '"name": "bob"'
says '"disabled": true'
says '"max_sessions": 1'
says '"ipv4": "10.77.0.9"'
a 0 user enable Bob
a 0 user set bob --ip 10.77.0.10 --groups x
a 0 user passwd bob --generate
a 0 user list
says "bob .*enabled .*10.77.0.10 .*x *-$"
a 0 user set bob --route 10.1.0.0/16,192.168.3.0/24 --route 192.168.4.1/32
a 0 user list
says "bob .*x *10.1.0.0/16,192.168.3.0/24,192.168.4.1/32$"
a 0 user set bob --groups y
a 0 user list --json
says '"10.1.0.0/16",'
a 1 user set bob --route 10.77.0.0/16
says "overlaps the pool"
a 1 user set bob --route 0.0.0.0/0
a 1 user set bob --route 10.1.0.0/16,10.1.2.0/24
says "one network is in another"
a 1 user set bob --route 10.1.0.1/16
says "host bits"
a 0 user list
says "bob .*y *10.1.0.0/16,192.168.3.0/24,192.168.4.1/32$"
a 0 user set bob --route 10.2.0.0/16
a 0 user list
says "bob .*y *10.2.0.0/16$"
a 0 user set bob --route none
a 0 user list
says "bob .*y *-$"
a 1 user passwd nobody --generate
a 1 user disable nobody
a 0 user del bob
a 1 user del bob
if grep -rqa first-password "$dir/var"; then
	die "a clear password is in the database"
fi
[ "$(stat -c %a "$dir/var/lib/adit/adit.db")" = 600 ] || die "mode of adit.db"

step "import"
printf '%s\n' 'name,password,groups,ip,max-sessions,valid-until' \
	'carol,"with, comma and ""quote"""' \
	'' \
	'dave,pass-word-9,staff,10.77.0.20,2,2027-01-01' >"$dir/good.csv"
a 0 user import "$dir/good.csv"
says "2 imported, 0 bad"
printf 'erin,long-password\n,empty\nfrank\ncarol,again\ngrace,p,,10.77.0.20\nheidi,p,,300.1.1.1\n"ivan,p\n' \
	>"$dir/bad.csv"
a 1 user import "$dir/bad.csv"
says "bad.csv:2: a name must not be empty"
says "bad.csv:3: a line needs"
says "bad.csv:4: this user is there"
says "bad.csv:5: another user has this static"
says "bad.csv:6: the static address is not"
says "bad.csv:7: a quote is not closed"
says "nothing changed"
a 0 user list
if grep -q erin "$out"; then die "erin was imported"; fi
a 1 user import "$dir/bad.csv" --skip-bad
says "1 imported, 6 bad"
a 1 user import "$dir/missing.csv"
head -c 100 /dev/zero >"$dir/zero.csv"
a 1 user import "$dir/zero.csv"

step "device certificates"
a 1 client add ../x
a 0 client add laptop-1 --out "$dir/devices"
says "password is"
a 1 client add laptop-1 --out "$dir/devices"
says "revoke"
pw=$("$adit" client add phone --json --out "$dir/devices" --config "$conf" |
	sed -n 's/.*"password": "\(.*\)".*/\1/p')
run 0 openssl pkcs12 -in "$dir/devices/phone.p12" -passin "pass:$pw" -nodes
says "CN *= *phone"
says "BEGIN PRIVATE KEY"
says "Adit CA"
run 0 openssl verify -x509_strict -purpose sslclient -crl_check \
	-CAfile "$etc/ca.crt" -CRLfile "$etc/ca.crl" "$dir/devices/phone.crt"
a 0 client add old --days -1 --out "$dir/devices"
run 2 openssl verify -CAfile "$etc/ca.crt" "$dir/devices/old.crt"
says expired
inode=$(stat -c %i "$etc/ca.crl")
a 0 client revoke phone
[ "$inode" = "$(stat -c %i "$etc/ca.crl")" ] || die "the CRL is a new file"
run 2 openssl verify -crl_check -CAfile "$etc/ca.crt" \
	-CRLfile "$etc/ca.crl" "$dir/devices/phone.crt"
says revoked
run 0 openssl crl -in "$etc/ca.crl" -noout -crlnumber
says "=0x02"
a 1 client revoke phone
a 1 client revoke nobody
a 0 client list --json
says '"name": "laptop-1"'
setup 0
says "nothing was changed"

step "without l2tpd"
a 1 status
says "l2tpd does not run"
a 1 sessions --json
a 1 disconnect alice
a 2 disconnect
a 0 history
a 2 sessions --wrong
a 2 nonsense
run 0 "$adit" --help
says "disconnect"
run 0 "$adit" --version

step "run: supervises, restarts, refuses a second, stops in order"
events=$dir/events
: >"$events"
for name in charon l2tpd; do
	cat >"$dir/$name" <<END
#!/bin/sh
trap 'echo "$name stopped" >>"$events"; exit 0' TERM
echo "$name started \$* \$STRONGSWAN_CONF" >>"$events"
echo "hello from $name"
while :; do sleep 0.1; done
END
	chmod 755 "$dir/$name"
done
"$adit" run --config "$conf" --charon "$dir/charon" --l2tpd "$dir/l2tpd" \
	>"$dir/run.log" 2>&1 &
runner=$!
# until PATTERN FILE: an event, at most 20 s
until_says()
{
	n=0
	until grep -q -- "$1" "$2"; do
		n=$((n + 1))
		[ "$n" -lt 200 ] || { cat "$dir/run.log"; die "no \"$1\""; }
		sleep 0.1
	done
}
until_says "l2tpd started --config $conf --foreground" "$events"
until_says "charon started  *$etc/strongswan.conf" "$events"
until_says "^l2tpd: hello from l2tpd" "$dir/run.log"
until_says "^charon: hello from charon" "$dir/run.log"
run 1 "$adit" run --config "$conf" --charon "$dir/charon" \
	--l2tpd "$dir/l2tpd"
says "running already, as process $runner"
pid=$(sed -n 's/adit: l2tpd started, pid //p' "$dir/run.log" | head -1)
: >"$events"
kill -9 "$pid"
until_says "l2tpd died of signal 9" "$dir/run.log"
until_says "l2tpd started" "$events"
if grep -q charon "$events"; then die "charon was touched"; fi
: >"$events"
kill "$runner"
wait "$runner" || die "adit run ended with $?"
runner=
[ "$(cat "$events")" = "l2tpd stopped
charon stopped" ] || die "order of stopping: $(cat "$events")"
[ ! -e "$dir/run/adit/adit.pid" ] || die "adit.pid is still there"

echo "all passed"
