# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# guest.sh: the clients' side of the world, inside the lab's kernel:
#
#   wire (br0) --+-- c3   192.0.2.3                     no NAT: raw ESP
#                +-- nat  192.0.2.100 / 10.1.0.1 --+-- c1 10.1.0.11
#                |                                 +-- c2 10.1.0.12
#                |                                 +-- c5 10.1.0.15
#                +-- nat2 192.0.2.101 / 10.1.0.1 ---- c4 10.1.0.11 (as c1)
#
# With a server in the guest also srv 192.0.2.1 and, behind it, in 10.99.0.2.
set -eu

# node NAME: a machine of its own (see node-init); what the runner has staged
# is the server's
node() {
	local ready=/nodes/$1.ready parent stage=-
	[ "$1" != srv ] || [ ! -d "$RUN/stage" ] || stage=$RUN/stage
	ip netns add "$1"
	rm -f "$ready"
	mkfifo "$ready"
	setsid nsenter --net="/run/netns/$1" unshare -m -p -f --kill-child=KILL --mount-proc \
		--propagation private -- "$LAB/lib/node-init" "$ready" "$stage" "$RUN" "$LAB" \
		</dev/null >"/nodes/$1.log" 2>&1 &
	parent=$!
	if ! read -r -t 20 _ <"$ready"; then
		cat "/nodes/$1.log"
		echo "node $1 did not start"
		return 1
	fi
	pgrep -P "$parent" >"/nodes/$1"
}

wan() { # wan NAME ADDRESS: a foot on the wire
	ip link add "w-$1" netns net type veth peer name eth0 netns "$1"
	ip -n net link set "w-$1" master br0 up
	ip -n "$1" addr add "$2/24" dev eth0
	ip -n "$1" link set eth0 up
}

lan() { # lan NAME NAT ADDRESS: a machine behind a NAT
	ip link add "l-$1" netns "$2" type veth peer name eth0 netns "$1"
	ip -n "$2" link set "l-$1" master lan0 up
	ip -n "$1" addr add "$3/24" dev eth0
	ip -n "$1" link set eth0 up
	ip -n "$1" route add default via 10.1.0.1
}

nat() { # nat NAME ADDRESS
	node "$1"
	wan "$1" "$2"
	ip -n "$1" link add name lan0 type bridge
	ip -n "$1" addr add 10.1.0.1/24 dev lan0
	ip -n "$1" link set lan0 up
	ip netns exec "$1" sysctl -qw net.ipv4.ip_forward=1
	ip netns exec "$1" iptables-legacy -t nat -A POSTROUTING -o eth0 -j MASQUERADE
}

# guard NAME: a stock xl2tpd talks L2TP in the clear when no IPsec policy
# matches; that must never make a test pass.
guard() {
	ip netns exec "$1" iptables-legacy -A OUTPUT -p udp --dport 1701 \
		-m policy --dir out --pol none -j DROP
	ip netns exec "$1" iptables-legacy -A INPUT -p udp --dport 1701 \
		-m policy --dir in --pol none -j DROP
}

client() {
	node "$1"
	case $1 in
	c3) wan c3 192.0.2.3 ;;
	c1) lan c1 nat 10.1.0.11 ;;
	c2) lan c2 nat 10.1.0.12 ;;
	c5) lan c5 nat 10.1.0.15 ;;
	c4) lan c4 nat2 10.1.0.11 ;;
	esac
	guard "$1"
}

# topo NAME...: these nodes as if freshly booted. A node is made once (two
# seconds of this slow kernel) and reset for the next scenario; the server's
# are always new ones, like those outside of the guest.
topo() {
	local n
	for n in "$@"; do
		case $n in
		c1 | c2 | c5) up nat nat 192.0.2.100 ;;
		c4) up nat2 nat 192.0.2.101 ;;
		esac
		case $n in
		srv | in) up "$n" "host_$n" ;;
		*) up "$n" client ;;
		esac
	done
}

# up NODE KIND [ARG]: made, or reset once in a scenario
up() {
	[ ! -e "/nodes/$1.fresh" ] || return 0
	if [ -e "/nodes/$1" ]; then
		reset "$1"
	else
		"$2" "$1" "${@:3}"
	fi
	: >"/nodes/$1.fresh"
}

host_srv() {
	node srv
	wan srv 192.0.2.1
	ip netns exec srv sysctl -qw net.ipv4.ip_forward=1
}

host_in() {
	node in
	ip link add eth1 netns srv type veth peer name eth0 netns in
	ip -n srv addr add 10.99.0.1/24 dev eth1
	ip -n srv link set eth1 up
	ip -n in addr add 10.99.0.2/24 dev eth0
	ip -n in link set eth0 up
	ip -n in route add default via 10.99.0.1
}

# reset NODE: kill(-1) reaches all processes of its namespace but the first
reset() {
	nsenter -t "$(cat "/nodes/$1")" -m -n -p -r -w -- bash -c '
		kill -KILL -1 2>/dev/null
		rm -rf /run/*.log /run/ppp-up /run/*.pid /run/*.vici /run/xl2tpd /etc/swanctl/x509* /etc/swanctl/private
		ip xfrm state flush
		ip xfrm policy flush
		ip neigh flush all
		if [ -e /sys/class/net/lan0 ]; then
			iptables-legacy -t nat -F
			iptables-legacy -t nat -A POSTROUTING -o eth0 -j MASQUERADE
			conntrack -F 2>/dev/null
		fi
		ip addr flush dev lo scope global
	' || true
}

# drop NODE: with all that it holds
drop() {
	local init end=$((SECONDS + 10))
	[ -e "/nodes/$1" ] || return 0
	init=$(cat "/nodes/$1")
	kill -KILL "$init" || true
	while kill -0 "$init" 2>/dev/null && [ "$SECONDS" -lt "$end" ]; do
		sleep 0.1
	done
	ip -n net link del "w-$1" 2>/dev/null || true
	ip netns del "$1"
	rm -f "/nodes/$1" "/nodes/$1.log"
}

# topo_end: nobody is fresh any more, and nothing runs on
topo_end() {
	local n
	for n in /nodes/*.fresh; do
		[ -e "$n" ] || continue
		rm -f "$n"
		n=${n%.fresh}
		nsenter -t "$(cat "$n")" -p -- bash -c 'kill -KILL -1' 2>/dev/null || true
	done
	drop srv
	drop in
}
