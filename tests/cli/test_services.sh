#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_services.sh: adit setup and the services that would take Adit's ports:
# disabled once, never when they have an administrator's settings. On a machine
# of its own (namespaces, overlays) with a systemctl that remembers; needs root.
set -eu

if [ "${1:-}" != inside ]; then
	command -v openssl >/dev/null || exit 77
	if [ "$(id -u)" -ne 0 ]; then
		echo "needs root"
		exit 77
	fi
	space=$(mktemp -d)
	trap 'rmdir "$space"' EXIT
	# shellcheck disable=SC2016 # expanded by that sh
	ADIT=$PWD/adit unshare -n -m --propagation private sh -euc '
		mount -t tmpfs tmpfs "$1"
		exec "$2/tests/lab/lib/own-machine" "$1" "$3" inside' \
		- "$space" "$ADIT_SRCDIR" "$(readlink -f "$0")"
	exit 0
fi

# from here on /etc, /usr, /var and /run are this test's own
units=/run/units
out=/run/out
mkdir -p $units /run/systemd/system /etc/swanctl/conf.d /etc/xl2tpd
rm -f /etc/swanctl/conf.d/*
printf '# connections {\n# }\n\n# more\ninclude conf.d/*.conf\n' \
	>/etc/swanctl/swanctl.conf
printf '# basic\n\nconfig setup\n\t# uniqueids = no\n\n' >/etc/ipsec.conf
printf '; [global]\n;\n' >/etc/xl2tpd/xl2tpd.conf
rm -f /usr/bin/systemctl
cat >/usr/bin/systemctl <<'EOF'
#!/bin/sh
# systemctl --quiet VERB UNIT [--now]: a file is an enabled unit; its contents
# are what happened
[ "$1" = --quiet ] || exit 9
file=/run/units/$3
[ -e "$file" ] || exit 4
case $2 in
is-enabled) grep -qx enabled "$file" ;;
is-active) grep -qx active "$file" ;;
disable) echo "disabled ${4:-later}" >"$file" ;;
*) exit 9 ;;
esac
EOF
chmod 755 /usr/bin/systemctl

die()
{
	echo "FAILED: $1"
	cat $out
	exit 1
}

setup()
{
	"$ADIT" setup --unattended --address 192.0.2.9 --config \
		/etc/adit-test/adit.conf --templates \
		"$ADIT_SRCDIR/config-templates" "$@" >$out 2>&1 ||
		die "setup $*"
}

says()
{
	grep -q -- "$1" $out || die "does not say \"$1\""
}

silent()
{
	! grep -q -- "$1" $out || die "says \"$1\""
}

is()
{
	[ "$(cat "$units/$1")" = "$2" ] || die "$1 is $(cat "$units/$1"), not $2"
}

echo "# services that are not there, or not enabled, are not spoken of"
setup
silent "\.service"
echo off >$units/strongswan.service
setup
silent "\.service"
says "nothing was changed"

echo "# an enabled one, and one that runs, are disabled, once"
echo enabled >$units/strongswan.service
echo enabled >$units/strongswan-starter.service
echo active >$units/xl2tpd.service
setup --dry-run
says "would have disabled strongswan.service"
is strongswan.service enabled
setup
says "^disabled strongswan.service: it would take UDP 500 and 4500"
says "^disabled strongswan-starter.service: it would take UDP 500 and 4500"
says "^disabled xl2tpd.service: it would take UDP 1701"
is strongswan.service "disabled --now"
is strongswan-starter.service "disabled --now"
is xl2tpd.service "disabled --now"
setup
says "nothing was changed"

echo "# without a running systemd: for the next start"
rmdir /run/systemd/system
echo enabled >$units/strongswan.service
setup
is strongswan.service "disabled later"
mkdir /run/systemd/system

echo "# an administrator's settings are respected"
echo enabled >$units/strongswan.service
echo enabled >$units/strongswan-starter.service
echo enabled >$units/xl2tpd.service
echo '# connections { }' >/etc/swanctl/conf.d/comment.conf
printf 'connections {\n}\n' >/etc/swanctl/conf.d/office.conf.dpkg-old
printf '# mine\nconnections {\n}\n' >/etc/swanctl/conf.d/office.conf
printf 'config setup\nconn office\n' >/etc/ipsec.conf
printf ';\n[lac office]\n' >/etc/xl2tpd/xl2tpd.conf
setup
says "warning: strongswan.service .*/etc/swanctl/conf.d/office.conf"
says "warning: strongswan-starter.service .*/etc/ipsec.conf"
says "warning: xl2tpd.service .*/etc/xl2tpd/xl2tpd.conf"
says "systemctl disable --now strongswan.service"
is strongswan.service enabled
is strongswan-starter.service enabled
is xl2tpd.service enabled
rm /etc/swanctl/conf.d/office.conf
printf 'connections {\n}\ninclude conf.d/*.conf\n' >/etc/swanctl/swanctl.conf
setup
says "warning: strongswan.service .*/etc/swanctl/swanctl.conf"
is strongswan.service enabled

echo "# one that cannot be disabled is an error that says so"
rm /etc/swanctl/swanctl.conf
sed -i 's/^disable.*/disable) exit 1 ;;/' /usr/bin/systemctl
if "$ADIT" setup --unattended --address 192.0.2.9 --config \
	/etc/adit-test/adit.conf --templates \
	"$ADIT_SRCDIR/config-templates" >$out 2>&1; then
	die "setup succeeds"
fi
says "strongswan.service would take UDP 500 and 4500, and cannot be disabled"
