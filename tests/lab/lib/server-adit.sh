# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# server-adit.sh: the server of this tree, as an administrator would run it:
# adit setup, adit user add, adit run. It runs on this machine in a node of its
# own, or (IN_GUEST) in the guest's; the build is installed into a directory
# that lies over the node's root, so that every path (configuration, plugin of
# charon) is the one built in.

# shellcheck disable=SC2034 # read by steps.sh
POOL=''
# shellcheck disable=SC2034
DNS=10.99.0.2

# The two places. The guest's kernel has no nf_tables for IP: no firewall there.
if [ "$IN_GUEST" = 1 ]; then
	RUN_OPTIONS='' START_S=90
	srv_on() { on srv "$1"; }
	in_on() { on in "$1"; }
	server_nodes() { echo srv in; }
	nodes_start() { :; }
else
	RUN_OPTIONS=--firewall START_S=40
	srv_on() { hon srv "$1"; }
	in_on() { hon in "$1"; }
	server_nodes() { :; }
	nodes_start() {
		hnode srv "$STAGE"
		hnode in -
		hwire
	}
fi

# made VARIABLE: what configure decided, e.g. made sysconfdir
made() {
	sed -n "s,^$1 = ,,p" "$BUILD/Makefile" | head -n 1 |
		sed "s,\${prefix},$(sed -n 's,^prefix = ,,p' "$BUILD/Makefile" | head -n 1),g"
}

server_prepare() {
	[ -x "$BUILD/l2tpd/l2tpd" ] || die "nothing built in $BUILD: give --build DIR, or run ./check lab"
	[ "$IN_GUEST" = 0 ] || [ -z "$(made SAN_CFLAGS)" ] ||
		die "$BUILD has sanitizers, which cannot run in the guest (their address space is not there): give --build DIR of a build without them"
	ADIT=$(made prefix)/sbin/adit
	STAGE=-
	if [ -z "$PREFIX" ]; then
		make -s -C "$BUILD" install DESTDIR="$RUN/stage" >"$RUN/install.log" 2>&1 ||
			die "make install: $(tail -n 3 "$RUN/install.log")"
		STAGE=$RUN/stage
	fi
	pppd_stage
	# a plugin with sanitizers needs their library before all others
	SANITIZER=$(ldd "$BUILD/charon-plugin/.libs/libstrongswan-adit.so" |
		sed -n 's/.*libasan[^ ]* => \([^ ]*\) .*/\1/p')
}

# pppd_stage: --pppd: another pppd than the machine's in its usual place, with
# our plugin for it. The guest's server finds both in the stage.
pppd_stage() {
	local have dir=$TOP/build/pppd-$PPPD release lib=$RUN/stage/usr/lib/pppd/$PPPD
	have=$(pppd --version 2>&1 | sed -n 's/^pppd version //p')
	if [ -z "$PPPD" ] || [ "$PPPD" = "$have" ]; then
		return 0
	fi
	[ "$PLANE" = kernel ] || die "--pppd: only the server of --plane kernel has a pppd"
	case $PPPD in
	2.4.9) release=bookworm ;;
	2.5.2) release=trixie ;;
	*) die "no pppd $PPPD: 2.4.9 or 2.5.2" ;;
	esac
	[ -x "$TOP/tools/pppd-fetch" ] || die "there is no tools/pppd-fetch to get pppd $PPPD"
	"$TOP/tools/pppd-fetch" --release "$release" "$dir" >&2 || die "cannot have pppd $PPPD"
	mkdir -p "$RUN/stage/usr/sbin" "$lib"
	printf '#!/bin/sh\nexec %s "$@"\n' "$dir/pppd" >"$RUN/stage/usr/sbin/pppd"
	chmod 755 "$RUN/stage/usr/sbin/pppd"
	if [ -d "$dir/usr/lib/pppd/$PPPD" ]; then # the plugins that come with it
		cp -a "$dir/usr/lib/pppd/$PPPD/." "$lib/"
	fi
	PPPD_PLUGIN=${PPPD_PLUGIN:-$TOP/build/lab-pppd-$PPPD/ppp-glue/pppd-plugin/.libs/adit.so}
	[ -f "$PPPD_PLUGIN" ] || die "no plugin for pppd $PPPD: $PPPD_PLUGIN"
	# where this pppd looks, and where make install has put the other one's
	cp "$PPPD_PLUGIN" "$lib/adit.so"
	find "$RUN/stage" -path '*/pppd/*/adit.so' -exec cp "$PPPD_PLUGIN" {} ';'
}

# shellcheck disable=SC2016 # expanded in the node
SERVER_INSTALL='
	rm -rf /etc/adit /var/lib/adit "$STATE/lib/adit" "$CONF/adit"
	[ "$PLUGINS" = /usr/lib/ipsec/plugins ] ||
		cp "$PLUGINS/libstrongswan-adit.so" /usr/lib/ipsec/plugins/
	if [ -n "$SANITIZER" ]; then
		mv /usr/sbin/charon-systemd /usr/sbin/charon-systemd.bin
		printf "#!/bin/sh\nexec env LD_PRELOAD=%s ASAN_OPTIONS=detect_leaks=0 %s \"\$@\"\n" \
			"$SANITIZER" /usr/sbin/charon-systemd.bin >/usr/sbin/charon-systemd
		chmod 755 /usr/sbin/charon-systemd
	fi
	"$ADIT" setup --address 192.0.2.1 --unattended --no-masquerade --dns 10.99.0.2 $PLANE
'

server_start() {
	local plane=''
	[ "$PLANE" = user ] || plane="--plane $PLANE"
	nodes_start
	srv_on "ADIT='$ADIT' SANITIZER='$SANITIZER' STATE='$(made localstatedir)' CONF='$(made sysconfdir)'
		PLUGINS='$(made charonplugindir)' PLANE='$plane'
		$SERVER_INSTALL" || fail "adit setup fails: $(tail -n 2 "$LOG" | tr '\n' ' ')"
	POOL=$(adit_conf network)
	daemon_start
}

# adit_conf WORD: the first value of that name in adit.conf
adit_conf() {
	srv_on "sed -n 's/^[[:space:]]*$1 = \"\(.*\)\"/\1/p' $(made sysconfdir)/adit/adit.conf" | head -n 1
}

# server_option SECTION LINE: before server_start's daemon or with server_restart
server_option() {
	srv_on "sed -i 's/^$1 {/&\n\t$2/' $(made sysconfdir)/adit/adit.conf"
}

daemon_start() {
	srv_on "$ADIT run $RUN_OPTIONS >>$OUT/server.log 2>&1 & echo \$! >/run/adit-run.pid" ||
		fail "adit run does not start"
	wait_for "$START_S" "server that is up" server_up
}

# server_up: the kernel plane has no plugin in charon
server_up() {
	local status
	status=$(srv_on "$ADIT status --json" 2>/dev/null) || return 1
	[ "$PLANE" = kernel ] || grep -q '"charon_plugin": *true' <<<"$status" || return 1
	server_logged 'charon-loaded'
}

STOP="kill \$(cat /run/adit-run.pid)"
STOPPED="! kill -0 \$(cat /run/adit-run.pid) 2>/dev/null"

server_restart() {
	srv_on "$STOP"
	wait_for 20 "end of the server" srv_on "$STOPPED"
	server_log_cut server-1.log
	daemon_start
}

# server_stop: SIGTERM, as an administrator does; then the node goes
server_stop() {
	if srv_on "$STOP" 2>/dev/null; then
		poll 20 srv_on "$STOPPED" || true
	fi
	hnode_end
}

server_user() {
	srv_on "printf '%s\n' '$2' | $ADIT user add '$1' --password-stdin ${3:-}" >/dev/null
}

server_user_disable() {
	srv_on "$ADIT user disable '$1'"
}

server_psk() {
	srv_on "cat $(adit_conf psk-file)" | tr -d '\n'
}

# NetworkManager-l2tp takes any identity that a trusted certificate proves
server_id() {
	echo %any
}

# server_cert NAME [OPTION...]: prints a directory with ca.pem, cert.pem, key.pem
server_cert() {
	local d=$OUT/cert-$1 n=$1
	srv_on "$ADIT client add ${*} --out $d" >/dev/null
	cp "$d/$n.crt" "$d/cert.pem"
	cp "$d/$n.key" "$d/key.pem"
	cp "$d/ca.crt" "$d/ca.pem"
	echo "$d"
}

server_cert_expired() {
	server_cert "$1" --days -1
}

server_cert_revoke() {
	srv_on "$ADIT client revoke '$1'"
}

server_log() {
	cat "$OUT/server.log"
}

# server_log_cut NAME: what it says up to now goes to the file NAME. Cut by the
# kernel that writes it: another would not know the new length.
server_log_cut() {
	srv_on "cp $OUT/server.log $OUT/$1; : >$OUT/server.log"
}

sessions() {
	srv_on "$ADIT sessions --json"
}

session_count() {
	sessions | grep -o '"id":' | wc -l
}

# session_field FIELD: of all sessions, one a line
session_field() {
	sessions | tr -s ',{}' '\n' | sed -n "s/.*\"$1\": *\"\{0,1\}\([^\"]*\)\"\{0,1\}.*/\1/p"
}

server_collect() {
	mkdir -p "$1"
	srv_on "
		$ADIT status >$1/status 2>&1
		$ADIT sessions --json >$1/sessions 2>&1
		{ ip addr; ip route; ps -ef; nft list ruleset; } >$1/state 2>&1 || true"
}
