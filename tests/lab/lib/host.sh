# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# host.sh: the machine's side: nodes for the server and for the host behind it,
# the wire, and the kernel of the clients (User Mode Linux) at its other end.
#
#   adl-PID-net: bridge br0 -- tap adl0 ========= the guest's wire (guest.sh)
#                         \--- eth0 of adl-PID-srv 192.0.2.1
#   adl-PID-srv: eth1 10.99.0.1 -- eth0 10.99.0.2 of adl-PID-in ("inside host")
#   adl-PID-net: tap adl1 198.18.0.1 -- the guest's management link
#
# With a server in the guest (--plane kernel, --server stock) srv and in are
# there (guest.sh), and adl0 is the only port of the bridge.
#
# Every process started here dies with the runner (pdeathsig, and process
# namespaces below it); names carry the runner's pid.

NET=adl-$$-net

alive() {
	[ -z "${GUEST_PID:-}" ] || kill -0 "$GUEST_PID" 2>/dev/null
}

# lab_lock: one kernel at a time on a machine
lab_lock() {
	exec 9>/run/lock/adit-lab.lock
	if ! flock -n 9; then
		echo "waiting for another run of the lab" >&2
		flock -w 3600 9 || die "another run of the lab does not end"
	fi
}

# stale_remove: namespaces of runs that were killed
stale_remove() {
	local n p
	for n in $(ip netns list | awk '/^adl-/{print $1}'); do
		p=${n#adl-}
		kill -0 "${p%%-*}" 2>/dev/null || ip netns del "$n" || true
	done
}

# hnode NAME STAGE: a node on the host (see node-init)
hnode() {
	local ns=adl-$$-$1 ready=$RUN/$1.ready parent
	ip netns add "$ns"
	rm -f "$ready"
	mkfifo "$ready"
	setpriv --pdeathsig KILL nsenter --net="/run/netns/$ns" \
		unshare -m -p -f --kill-child=KILL --mount-proc --propagation private -- \
		"$LAB/lib/node-init" "$ready" "$2" "$RUN" "$LAB" </dev/null >"$RUN/$1.log" 2>&1 9>&- &
	parent=$!
	read -r -t 20 _ <>"$ready" || die "node $1 does not start: $(cat "$RUN/$1.log")"
	pgrep -P "$parent" >"$RUN/$1.pid"
	rm -f "$ready"
}

hnode_end() {
	local n
	for n in srv in; do
		[ ! -s "$RUN/$n.pid" ] || kill -KILL "$(cat "$RUN/$n.pid")" 2>/dev/null || true
		[ ! -e "/run/netns/adl-$$-$n" ] || ip netns del "adl-$$-$n" || true
		rm -f "$RUN/$n.pid" "$RUN/$n.ready"
	done
}

# hon NODE SCRIPT: run it in a host node
hon() {
	nsenter -t "$(cat "$RUN/$1.pid")" -m -n -p -r -w -- bash -euc "$2" </dev/null 9>&-
}

# on NODE SCRIPT: run it in a node of the guest ("-": the guest itself). The
# script lies in the shared directory, its name goes there by the management
# link, output and status come back as files (see guest-agent).
on() {
	local end=$((SECONDS + ${ON_LIMIT_S:-600})) rc f
	f=$(mktemp "$RUN/cmd/XXXXXXXX")
	printf '%s\n' "$2" >"$f.in"
	order "$f" "$1" || order "$f" "$1" || return 97
	until [ -s "$f.rc" ]; do
		alive || return 97
		[ "$SECONDS" -le "$end" ] || return 97
		read -r -t 0.02 <>"$RUN/never" || true
	done
	cat "$f.out"
	rc=$(<"$f.rc")
	rm -f "$f" "$f.in" "$f.go" "$f.out" "$f.rc"
	return "$rc"
}

# order FILE NODE: tell the agent; the line stays open until it has begun,
# because the agent dies with it
order() {
	{
		printf '%s %s\n' "${1##*/}" "$2"
		begun "$1"
	} | nsenter --net="/run/netns/$NET" \
		socat -u - TCP:198.18.0.2:7001,connect-timeout=5 9>&- || true
	[ -e "$1.go" ]
}

begun() {
	local end=$((SECONDS + 20))
	until [ -e "$1.go" ]; do
		alive || return 1
		[ "$SECONDS" -le "$end" ] || return 1
		read -r -t 0.02 <>"$RUN/never" || true
	done
}

# kernel_find: UML and MODULES of the kernel that is wanted: the one that is
# installed, or another Debian release's
kernel_find() {
	local have release dir
	have=$(linux.uml --version 2>/dev/null) || die "linux.uml does not start"
	KERNEL=${KERNEL:-${have%.*}}
	case $KERNEL in
	"${have%.*}")
		UML=$(command -v linux.uml) MODULES=/usr/lib/uml/modules
		return
		;;
	6.1) release=bookworm ;;
	6.12) release=trixie ;;
	*) die "no kernel $KERNEL: 6.1 or 6.12" ;;
	esac
	dir=$TOP/build/uml-$KERNEL
	"$TOP/tools/uml-fetch" --release "$release" "$dir" >&2 ||
		die "cannot have Linux $KERNEL"
	UML=$dir/linux.uml MODULES=$dir/modules
}

# guest_start: boots the clients' kernel; returns when it takes commands
guest_start() {
	ip netns add "$NET"
	ip -n "$NET" link set lo up
	ip netns exec "$NET" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
		net.ipv6.conf.default.disable_ipv6=1 || true
	ip -n "$NET" link add name br0 type bridge
	ip -n "$NET" link set br0 up
	ip -n "$NET" tuntap add adl0 mode tap
	ip -n "$NET" link set adl0 master br0 up
	ip -n "$NET" tuntap add adl1 mode tap
	ip -n "$NET" addr add 198.18.0.1/30 dev adl1
	ip -n "$NET" link set adl1 up
	setpriv --pdeathsig KILL nsenter --net="/run/netns/$NET" \
		unshare -m -p -f --kill-child=KILL --mount-proc -- \
		"$UML" "mem=${GUEST_MEM:-1G}" umid=adl uml_dir="$RUN/uml" \
		rootfstype=hostfs rootflags=/ ro init="$LAB/lib/guest-init" \
		con=null con0=null,fd:1 console=tty0 \
		vec0:transport=tap,ifname=adl0,depth=128,gro=1 \
		vec1:transport=tap,ifname=adl1,depth=128,gro=1 \
		"adit_run=$RUN" "adit_lab=$LAB" "adit_modules=$MODULES" \
		</dev/null >"$RUN/console.log" 2>&1 9>&- &
	GUEST_PID=$!
	# seconds on an idle machine; a busy one gets its time, a dead guest not
	local end=$((SECONDS + 300))
	until grep -qs 'guest-init: ready' "$RUN/console.log" &&
		ON_LIMIT_S=15 on - true >/dev/null 2>&1; do
		alive || die "the guest kernel ended: $(tail -n 3 "$RUN/console.log")"
		[ "$SECONDS" -lt "$end" ] || die "the guest kernel does not answer, see $RUN/console.log"
		pause
	done
}

guest_end() {
	if [ -n "${GUEST_PID:-}" ]; then
		# the only child of unshare is the first process of the guest
		kill -KILL "$(pgrep -P "$GUEST_PID")" 2>/dev/null || true
		kill -KILL "$GUEST_PID" 2>/dev/null || true
		wait "$GUEST_PID" 2>/dev/null || true
	fi
	GUEST_PID=''
	ip netns del "$NET" 2>/dev/null || true
}

# hwire: the server node and the inside host get their links
hwire() {
	local srv=adl-$$-srv in=adl-$$-in
	ip link add srv netns "$NET" type veth peer name eth0 netns "$srv" address 02:00:c0:00:02:01
	ip -n "$NET" link set srv master br0 up
	ip -n "$srv" addr add 192.0.2.1/24 dev eth0
	ip -n "$srv" link set eth0 up
	ip link add eth1 netns "$srv" address 02:00:0a:63:00:01 type veth peer name eth0 netns "$in"
	ip -n "$srv" addr add 10.99.0.1/24 dev eth1
	ip -n "$srv" link set eth1 up
	ip -n "$in" addr add 10.99.0.2/24 dev eth0
	ip -n "$in" link set eth0 up
	ip -n "$in" route add default via 10.99.0.1
}
