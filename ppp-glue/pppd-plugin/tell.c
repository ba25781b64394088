/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tell.c: pppd's notifiers, as records to the engine (contract in tell.h).
 * Trusts pppd. Counters come from the kernel's 64-bit ones of the interface
 * (stats.h); pppd 2.4.9 has 32-bit ones only.
 *
 * pppd waits for packets, signals and its own timers, so the line is looked at
 * by a timer; it ends pppd by the signal that an administrator would use.
 */
#include "ppp-glue/pppd-plugin/pppd_compat.h"

#include "ppp-glue/pppd-plugin/tell.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/link_msg.h"
#include "ppp-glue/pppd-plugin/ask.h"
#include "ppp-glue/pppd-plugin/guard.h"
#include "ppp-glue/pppd-plugin/line.h"
#include "ppp-glue/pppd-plugin/stats.h"

#define LOOK_S 2 /* between two looks at the line */

/* pppd(8), EXIT STATUS: the same numbers in all versions */
#define STATUS_OK                 0
#define STATUS_USER_REQUEST       5
#define STATUS_NEGOTIATION_FAILED 10
#define STATUS_PEER_AUTH_FAILED   11
#define STATUS_IDLE_TIMEOUT       12
#define STATUS_CONNECT_TIME       13
#define STATUS_PEER_DEAD          15
#define STATUS_HANGUP             16

static int interface_mtu;
static int final_status = -1; /* -1: the link has not ended */
static bool ipv4_is_up, ipv6_is_up;
static unsigned looks;

/* The interface may be gone by now: then what was read last counts. */
static void
tell_use(enum link_msg_type type)
{
	static struct link_use use;
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	stats_read(ppp_ifname(), &use);
	link_msg_put_use(&w, &use);
	line_send(type, &w);
}

static void
look(void *unused)
{
	(void)unused;
	line_look();
	if (!line_is_up()) {
		error("adit: the engine has left");
		raise(SIGTERM);
		return;
	}
	if (++looks % (LINK_MSG_USE_S / LOOK_S) == 0)
		tell_use(LINK_MSG_USE);
	ppp_timeout(look, NULL, LOOK_S, 0);
}

void
tell_hello(void)
{
	struct link_hello m = {.version = LINK_MSG_VERSION};
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	snprintf(m.ppp, sizeof(m.ppp), "pppd-%s", PPPD_VERSION);
	link_msg_put_hello(&w, &m);
	line_send(LINK_MSG_HELLO, &w);
	ppp_timeout(look, NULL, LOOK_S, 0);
}

void
tell_mtu(int mtu)
{
	interface_mtu = mtu;
}

/* Nothing but the peer's own address may come out of its interface. */
static void
filter_sources(const char *interface)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter",
	    interface);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		warn("adit: cannot write %s: %m", path);
	if (fd >= 0)
		close(fd);
}

/* The interface is there and not up yet. A pap-secrets file with an empty name
 * would let in a peer that refuses to authenticate; we do not. */
static void
enter_network(void)
{
	if (!ask_is_granted()) {
		error("adit: the peer did not authenticate");
		raise(SIGTERM);
		return;
	}
	filter_sources(ppp_ifname());
}

/* When a timer has ended the link, pppd reads from it once more, and takes that
 * for a hang-up: what it says at first counts. */
static void
on_phase(void *unused, int phase)
{
	(void)unused;
	if (phase == PHASE_NETWORK)
		enter_network();
	else if (phase == PHASE_DISCONNECT && final_status < 0)
		final_status = ppp_status();
}

static void
put_interface(char *ret, size_t cap)
{
	snprintf(ret, cap, "%s", ppp_ifname());
}

static void
on_ipv4_up(void *unused, int arg)
{
	struct link_ipv4 m = {.mtu = (uint16_t)interface_mtu};
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	(void)unused;
	(void)arg;
	ipv4_is_up = true;
	memcpy(m.local, &ipcp_gotoptions[0].ouraddr, 4);
	memcpy(m.peer, &ipcp_hisoptions[0].hisaddr, 4);
	put_interface(m.interface, sizeof(m.interface));
	link_msg_put_ipv4(&w, &m);
	line_send(LINK_MSG_IPV4_UP, &w);
}

static void
on_ipv4_down(void *unused, int arg)
{
	(void)unused;
	(void)arg;
	if (ipv4_is_up)
		tell_use(LINK_MSG_IPV4_DOWN);
	ipv4_is_up = false;
}

static void
on_ipv6_up(void *unused, int arg)
{
	struct link_ipv6 m = {.ifid_local = {0}};
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	(void)unused;
	(void)arg;
	memcpy(m.ifid_local, &ipv6cp_gotoptions[0].ourid, 8);
	memcpy(m.ifid_peer, &ipv6cp_hisoptions[0].hisid, 8);
	if (!ask_may_have_ifid(m.ifid_peer)) {
		ipv6cp_protent.close(0, "Interface identifier not granted");
		return;
	}
	ipv6_is_up = true;
	put_interface(m.interface, sizeof(m.interface));
	link_msg_put_ipv6(&w, &m);
	line_send(LINK_MSG_IPV6_UP, &w);
}

static void
on_ipv6_down(void *unused, int arg)
{
	struct wr nothing = wr_init(NULL, 0);

	(void)unused;
	(void)arg;
	if (ipv6_is_up)
		line_send(LINK_MSG_IPV6_DOWN, &nothing);
	ipv6_is_up = false;
}

/* A word of link_msg.h for the status that pppd exits with. */
static const char *
why(int code)
{
	switch (code) {
	case STATUS_USER_REQUEST:
	case STATUS_IDLE_TIMEOUT:
	case STATUS_CONNECT_TIME:
		return "terminated";
	case STATUS_PEER_AUTH_FAILED:
		return "auth-failed";
	case STATUS_PEER_DEAD:
		return "echo-timeout";
	case STATUS_HANGUP:
		return "hangup";
	default:
		break;
	}
	if (guard_peer_terminated())
		return "peer-terminated";
	if (code == STATUS_OK ||
	    (code == STATUS_NEGOTIATION_FAILED && ask_is_granted()))
		return "no-ncp";
	return "failed";
}

static void
on_exit_of_pppd(void *unused, int code)
{
	struct link_end m = {.by_peer = false};
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	(void)unused;
	on_ipv4_down(NULL, 0); /* it may not have come that far */
	on_ipv6_down(NULL, 0);
	if (final_status >= 0)
		code = final_status;
	snprintf(m.why, sizeof(m.why), "%s", why(code));
	m.by_peer = strcmp(m.why, "peer-terminated") == 0;
	link_msg_put_end(&w, &m);
	line_send(LINK_MSG_END, &w);
	line_close();
}

void
tell_init(void)
{
	ppp_add_notify(NF_PHASE_CHANGE, on_phase, NULL);
	ppp_add_notify(NF_IP_UP, on_ipv4_up, NULL);
	ppp_add_notify(NF_IP_DOWN, on_ipv4_down, NULL);
	ppp_add_notify(NF_IPV6_UP, on_ipv6_up, NULL);
	ppp_add_notify(NF_IPV6_DOWN, on_ipv6_down, NULL);
	ppp_add_notify(NF_EXIT, on_exit_of_pppd, NULL);
}
