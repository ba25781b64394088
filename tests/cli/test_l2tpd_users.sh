#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# test_l2tpd_users.sh: l2tpd's children run as the users that adit.conf names,
# without any right; a user that is not there, or root, is refused with words
# that help. In namespaces of its own with a passwd of its own; needs root.
set -eu

l2tpd=$PWD/l2tpd/l2tpd
adit=$PWD/adit
# a child is not dumpable, so the leak check cannot look at it
ASAN_OPTIONS=detect_leaks=0
export ASAN_OPTIONS

die()
{
	echo "FAILED: $1"
	[ ! -s "$out" ] || cat "$out"
	exit 1
}

# says WORDS: in $out
says()
{
	grep -q -- "$1" "$out" || die "does not say \"$1\""
}

if [ "${1:-}" != inside ]; then
	command -v openssl >/dev/null || exit 77
	out=$(mktemp)
	trap 'rm -f "$out"' EXIT
	echo "# a child without a user does not start"
	! "$l2tpd" --role engine --foreground >"$out" 2>&1 </dev/null ||
		die "it ran"
	says "usage:"
	echo "# a child whose user is not there says which"
	! "$l2tpd" --role engine --user no-such-user --foreground \
		>"$out" 2>&1 </dev/null || die "it ran"
	says "child-failed step=drop-rights user=no-such-user"
	if [ "$(id -u)" -ne 0 ] || [ ! -c /dev/net/tun ]; then
		echo "the rest needs root and /dev/net/tun"
		exit 77
	fi
	unshare -n -m --propagation private "$0" inside
	exit 0
fi

dir=$(mktemp -d)
chmod 755 "$dir"
out=$dir/out
etc=$dir/etc/adit
pid=

cleanup()
{
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	umount /etc/passwd /etc/group 2>/dev/null || true
	rm -rf "$dir"
}
trap cleanup EXIT

cp /etc/passwd /etc/group "$dir"
printf '%s::/nonexistent:/usr/sbin/nologin\n' ate:x:64101:64201 \
	ata:x:64102:64202 atb:x:64102:64202 >>"$dir/passwd"
printf 'ate:x:64201:\nata:x:64202:\n' >>"$dir/group"
mount --bind "$dir/passwd" /etc/passwd
mount --bind "$dir/group" /etc/group
ip link set lo up
"$adit" setup --unattended --prefix "$dir" --address 192.0.2.9 \
	--templates "$ADIT_SRCDIR/config-templates" >/dev/null
mkdir -p "$dir/run"
cp "$etc/adit.conf" "$dir/made.conf"

# users ENGINE AUTHORITY: into adit.conf
users()
{
	sed "s/# engine-user = .*/engine-user = \"$1\"/
		s/# authority-user = .*/authority-user = \"$2\"/" \
		"$dir/made.conf" >"$etc/adit.conf"
}

refused()
{
	! timeout 60 "$l2tpd" --config "$etc/adit.conf" --foreground \
		>"$out" 2>&1 </dev/null || die "it ran"
	says "$1"
}

echo "# users that cannot be are refused"
users no-such-user ata
refused "no-such-user setting=engine-user user=no-such-user"
says "useradd --system"
users ate nobody-knows-him
refused "no-such-user setting=authority-user user=nobody-knows-him"
users root ata
refused "user-refused setting=engine-user user=root why=\"is root\""
users ate root
refused "user-refused setting=authority-user user=root why=\"is root\""
users ata atb
refused "user-refused setting=authority-user user=atb"

echo "# the children run as the users of adit.conf"
users ate ata
mkfifo "$dir/log"
timeout 60 "$l2tpd" --config "$etc/adit.conf" --foreground \
	>"$dir/log" 2>&1 </dev/null &
pid=$!
engine='' authority=''
while read -r line; do
	echo "$line" >>"$out"
	case $line in
	*"child-ready process=engine pid="*) engine=${line##*pid=} ;;
	*"child-ready process=authority pid="*) authority=${line##*pid=} ;;
	esac
	[ -z "$engine" ] || [ -z "$authority" ] || break
done <"$dir/log"
if [ -z "$engine" ] || [ -z "$authority" ]; then
	die "the children do not start"
fi

# runs_as PID UID GID
runs_as()
{
	tr '\t' ' ' <"/proc/$1/status" >"$out"
	says "^Uid: $2 $2 $2 $2$"
	says "^Gid: $3 $3 $3 $3$"
	says "^Groups: *$"
	says "^CapPrm: 0000000000000000$"
	says "^CapEff: 0000000000000000$"
	says "^CapBnd: 0000000000000000$"
	says "^NoNewPrivs: 1$"
}
runs_as "$engine" 64101 64201
runs_as "$authority" 64102 64202
[ "$(stat -c %u "$dir/var/lib/adit/adit.db")" = 64102 ] || die "owner of adit.db"
kill "$pid"
wait "$pid" || true
pid=
