/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pppd_world.c: see pppd_world.h. Owns the process, the sockets and the
 * client's PPP link. Test code: it may exit.
 */
#include "tests/peer/pppd_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_pppol2tp.h>
#include <linux/if_pppox.h>

#include "base/checksum.h"
#include "base/imsg.h"
#include "ppp-glue/engine/mschap.h"

#define TICK_MS 100

static const char *const addresses[2] = {"127.0.0.1", "127.0.0.2"};

/* The kernel takes its time to forget a tunnel: each world has numbers, and
 * ports, of its own. */
static uint16_t worlds;

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct sockaddr_in
address_of(int end)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)(1701 + worlds))};

	inet_pton(AF_INET, addresses[end], &a.sin_addr);
	return a;
}

static int
udp_open(int end)
{
	struct sockaddr_in local = address_of(end), peer = address_of(!end);
	int one = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0 ||
	    connect(fd, (struct sockaddr *)&peer, sizeof(peer)) < 0) {
		perror("pppd_world: UDP socket");
		return -1;
	}
	return fd;
}

/* session 0: the socket that manages the tunnel */
static int
l2tp_open(int udp, int end, bool session)
{
	uint16_t ours = (uint16_t)(2 * worlds + end);
	uint16_t theirs = (uint16_t)(2 * worlds + !end);
	struct sockaddr_pppol2tp a = {.sa_family = AF_PPPOX,
	    .sa_protocol = PX_PROTO_OL2TP,
	    .pppol2tp = {.fd = udp,
		.addr = address_of(!end),
		.s_tunnel = ours,
		.d_tunnel = theirs,
		.s_session = session ? ours : 0,
		.d_session = session ? theirs : 0}};
	int fd = socket(AF_PPPOX, SOCK_DGRAM | SOCK_CLOEXEC, PX_PROTO_OL2TP);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		perror("pppd_world: PPPoL2TP socket");
		return -1;
	}
	return fd;
}

/* In the child: the two descriptors are inherited. */
static void
exec_pppd(const struct world *w, int channel, int line)
{
	static const char *const rest[] = {"nodetach", "auth", "name", "adit",
	    "refuse-pap", "refuse-chap", "refuse-mschap", "refuse-mschap-v2",
	    "refuse-eap", "noccp", "10.77.0.254:", "noipdefault",
	    "nodefaultroute", "noproxyarp", "novj", "mtu", "1400", "mru",
	    "1400", "lcp-echo-interval", "30", "lcp-echo-failure", "4",
	    "ip-up-script", "/bin/true", "ip-down-script", "/bin/true",
	    "noipv6"};
	const char *argv[64];
	char n[2][16];
	size_t argc = 0, i;

	fcntl(channel, F_SETFD, 0);
	fcntl(line, F_SETFD, 0);
	snprintf(n[0], sizeof(n[0]), "%d", channel);
	snprintf(n[1], sizeof(n[1]), "%d", line);
	argv[argc++] = w->pppd;
	argv[argc++] = "plugin";
	argv[argc++] = w->plugin;
	argv[argc++] = "adit-channel";
	argv[argc++] = n[0];
	argv[argc++] = "adit-line";
	argv[argc++] = n[1];
	for (i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		if (!w->lax || strncmp(rest[i], "refuse-", 7) != 0)
			argv[argc++] = rest[i];
	argv[argc++] = w->require;
	argv[argc++] = getenv("PPPD_DEBUG") != NULL ? "debug" : "nolog";
	argv[argc] = NULL;
	execv(w->pppd, (char *const *)argv);
	perror(w->pppd);
	_exit(127);
}

static bool
start_pppd(struct world *w, int channel)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	w->line = pair[0];
	w->pid = fork();
	if (w->pid == 0)
		exec_pppd(w, channel, pair[1]);
	close(pair[1]);
	return w->pid > 0;
}

static void drain(struct world *w);

static void
start_client(struct world *w)
{
	secret_set(&w->secret, w->password, strlen(w->password));
	w->config = (struct ppp_config){.methods = {w->method},
	    .name = "client",
	    .mru = w->mru,
	    .user = w->user,
	    .password = &w->secret};
	w->ppp = ppp_new(&w->config, now_ms());
	ppp_start(w->ppp, now_ms());
	drain(w);
}

bool
world_start(struct world *w)
{
	int end, channel[2];

	w->line = w->channel = -1;
	worlds++;
	for (end = 0; end < 2; end++) {
		w->udp[end] = udp_open(end);
		w->tunnel[end] = l2tp_open(w->udp[end], end, false);
		channel[end] = l2tp_open(w->udp[end], end, true);
		if (channel[end] < 0)
			return false;
	}
	w->channel = channel[1];
	if (!start_pppd(w, channel[0]))
		return false;
	close(channel[0]);
	if (!w->bare)
		start_client(w);
	return true;
}

static void
close_line(struct world *w)
{
	if (w->line >= 0)
		close(w->line);
	w->line = -1;
}

void
world_stop(struct world *w)
{
	int end;

	close_line(w);
	if (w->pid > 0) {
		kill(w->pid, SIGKILL);
		waitpid(w->pid, NULL, 0);
	}
	ppp_free(w->ppp);
	close(w->channel);
	for (end = 0; end < 2; end++) {
		close(w->tunnel[end]);
		close(w->udp[end]);
	}
}

/* The client's frames */

static void
send_frame(struct world *w, struct rd frame)
{
	/* the kernel puts FF 03 before it; a full socket loses it */
	if (send(w->channel, frame.p, frame.left, MSG_DONTWAIT) < 0 &&
	    errno != EAGAIN && errno != ENOTCONN)
		perror("pppd_world: frame");
}

static void
drain(struct world *w)
{
	struct ppp_effect e;

	while (ppp_next_effect(w->ppp, &e)) {
		switch (e.type) {
		case PPP_EFFECT_SEND:
			rd_skip(&e.data, 2); /* FF 03 */
			send_frame(w, e.data);
			break;
		case PPP_EFFECT_AUTHENTICATED:
			w->authenticated++;
			break;
		case PPP_EFFECT_IPV4_UP:
			w->client_ups++;
			w->client_up = e;
			break;
		case PPP_EFFECT_DOWN:
			w->client_downs++;
			snprintf(
			    w->client_why, sizeof(w->client_why), "%s", e.why);
			break;
		default:
			break;
		}
	}
}

static void
hear(struct world_heard *h, struct rd packet)
{
	struct rd r = packet;
	uint8_t code;

	if (!rd_u8(&r, &code) || code >= 16 || packet.left > sizeof(h->last))
		return;
	h->codes[code]++;
	h->last_bytes = packet.left;
	rd_bytes(&packet, h->last, packet.left);
}

/* An echo reply: protocol 1 in a header of 20 bytes, type 0 */
static void
hear_ipv4(struct world *w, struct rd packet)
{
	uint8_t protocol = 0, type = 0xff;

	rd_skip(&packet, 9);
	rd_u8(&packet, &protocol);
	rd_skip(&packet, 10);
	rd_u8(&packet, &type);
	if (protocol == 1 && type == 0)
		w->pongs++;
}

static void
read_channel(struct world *w)
{
	uint8_t buf[2048];
	struct rd frame, r;
	uint16_t protocol;
	ssize_t n = recv(w->channel, buf, sizeof(buf), MSG_DONTWAIT);

	if (n <= 0)
		return;
	frame = r = rd_init(buf, (size_t)n); /* the kernel has cut off FF 03 */
	if (!rd_be16(&r, &protocol))
		return;
	if (protocol == WORLD_LCP)
		hear(&w->lcp, r);
	else if (protocol == WORLD_CHAP || protocol == WORLD_PAP)
		hear(&w->auth, r);
	else if (protocol == WORLD_IPCP)
		hear(&w->ipcp, r);
	else if (protocol == PPP_PROTO_IPV4)
		hear_ipv4(w, r);
	if (w->ppp != NULL) {
		ppp_input(w->ppp, frame, now_ms());
		drain(w);
	}
}

void
world_send(struct world *w, enum world_protocol protocol, uint8_t code,
    uint8_t id, const void *body, size_t body_bytes)
{
	uint8_t buf[2048];
	struct wr p = wr_init(buf, sizeof(buf));

	wr_be16(&p, (uint16_t)protocol);
	wr_u8(&p, code);
	wr_u8(&p, id);
	wr_be16(&p, (uint16_t)(4 + body_bytes));
	wr_bytes(&p, body, body_bytes);
	send_frame(w, wr_rd(&p));
}

void
world_ping(struct world *w, const uint8_t from[4])
{
	static const uint8_t icmp[] = {8, 0, 0xf7, 0xfd, 0, 1, 0, 1};
	uint8_t buf[64];
	struct wr p = wr_init(buf, sizeof(buf));
	uint16_t sum;

	wr_be16(&p, PPP_PROTO_IPV4);
	wr_be16(&p, 0x4500);
	wr_be16(&p, 20 + sizeof(icmp));
	wr_be32(&p, 0);
	wr_be16(&p, 0x4001); /* 64 hops, ICMP */
	wr_be16(&p, 0);
	wr_bytes(&p, from, 4);
	wr_bytes(&p, w->up.local, 4);
	sum = checksum_end(checksum_sum(buf + 2, 20));
	wr_patch_be16(&p, 2 + 10, sum);
	wr_bytes(&p, icmp, sizeof(icmp));
	send_frame(w, wr_rd(&p));
}

/* The engine */

static bool
is_right(const struct link_ask *a, struct link_verdict *v)
{
	char s[MSCHAPV2_AUTHENTICATOR_BYTES] = "", *text = (char *)v->message;
	uint8_t hash[16], md5[16];
	size_t n = strlen(WORLD_PASSWORD), cap = sizeof(v->message);
	bool ok = false;

	switch (a->method) {
	case LINK_METHOD_MSCHAPV2:
		mschap_nt_hash(WORLD_PASSWORD, n, hash);
		ok = a->challenge_bytes == 16 && a->response_bytes == 49 &&
		    mschapv2_verify(hash, a->name, a->name_bytes, a->challenge,
			a->response, s);
		snprintf(text, cap, "%s",
		    "E=691 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=no");
		if (ok)
			snprintf(text, cap, "%s M=welcome", s);
		break;
	case LINK_METHOD_CHAP_MD5:
		chap_md5_response(a->chap_id, WORLD_PASSWORD, n, a->challenge,
		    a->challenge_bytes, md5);
		ok = a->response_bytes == 16 &&
		    memcmp(md5, a->response, 16) == 0;
		snprintf(text, cap, "%s", ok ? "welcome" : "no");
		break;
	case LINK_METHOD_PAP:
		ok = a->response_bytes == n &&
		    memcmp(a->response, WORLD_PASSWORD, n) == 0;
		snprintf(text, cap, "%s", ok ? "welcome" : "no");
		break;
	default:
		break;
	}
	v->message_bytes = (uint16_t)strlen(text);
	return ok;
}

static void
send_verdict(struct world *w, const struct link_verdict *v)
{
	uint8_t buf[IMSG_HEADER_BYTES + LINK_MSG_BYTES_MAX];
	struct wr r = wr_init(buf, sizeof(buf));

	wr_be32(&r, LINK_MSG_VERDICT);
	wr_be32(&r, 0);
	link_msg_put_verdict(&r, v);
	if (!wr_ok(&r) || send(w->line, buf, r.len, MSG_NOSIGNAL) < 0)
		perror("pppd_world: verdict");
}

static void
answer(struct world *w)
{
	struct link_verdict v = {.serial = w->ask.serial,
	    .ipv4_local = {10, 77, 0, 1},
	    .ipv4_peer = {10, 77, 0, 21},
	    .ipv4_dns = {{9, 9, 9, 9}, {1, 1, 1, 1}}};
	struct link_verdict foreign;

	if (w->policy == WORLD_LEAVE) {
		close_line(w);
		return;
	}
	v.decision = is_right(&w->ask, &v) ? LINK_ACCEPTED : LINK_REFUSED;
	if (w->policy == WORLD_NO_ADDRESS) {
		memset(v.ipv4_local, 0, 4);
		memset(v.ipv4_peer, 0, 4);
	} else if (w->policy == WORLD_FOREIGN) {
		foreign = v;
		foreign.serial++;
		foreign.decision = LINK_ACCEPTED;
		send_verdict(w, &foreign);
	}
	send_verdict(w, &v);
}

static bool
take(struct world *w, uint32_t type, struct rd *r)
{
	switch (type) {
	case LINK_MSG_HELLO:
		w->hellos++;
		return link_msg_get_hello(r, &w->hello);
	case LINK_MSG_ASK:
		w->asks++;
		if (!link_msg_get_ask(r, &w->ask))
			return false;
		answer(w);
		return true;
	case LINK_MSG_IPV4_UP:
		w->ups++;
		return link_msg_get_ipv4(r, &w->up);
	case LINK_MSG_IPV4_DOWN:
		w->downs++;
		return link_msg_get_use(r, &w->down);
	case LINK_MSG_USE:
		w->uses++;
		return link_msg_get_use(r, &w->use);
	case LINK_MSG_END:
		w->ends++;
		return link_msg_get_end(r, &w->end);
	default:
		return false;
	}
}

static void
read_line(struct world *w)
{
	uint8_t buf[IMSG_HEADER_BYTES + LINK_MSG_BYTES_MAX];
	uint32_t type = 0, id = 1;
	struct rd r;
	ssize_t n = recv(w->line, buf, sizeof(buf), MSG_DONTWAIT);

	if (n <= 0) {
		w->line_ended = true;
		close_line(w);
		return;
	}
	r = rd_init(buf, (size_t)n);
	rd_be32(&r, &type);
	rd_be32(&r, &id);
	if (id != 0 || w->ends > 0 || !take(w, type, &r))
		w->strange++;
}

bool
world_run(
    struct world *w, bool (*until)(const struct world *w), unsigned limit_ms)
{
	uint64_t end_ms = now_ms() + limit_ms;

	while (!until(w)) {
		struct pollfd p[2] = {{.fd = w->channel, .events = POLLIN},
		    {.fd = w->line, .events = POLLIN}};

		if (now_ms() >= end_ms)
			return false;
		poll(p, 2, TICK_MS);
		if (p[0].revents != 0)
			read_channel(w);
		if (p[1].revents != 0)
			read_line(w);
		if (w->ppp != NULL && ppp_deadline(w->ppp) <= now_ms()) {
			ppp_tick(w->ppp, now_ms());
			drain(w);
		}
		/* its last words are in the line before it is gone */
		if (w->pid > 0 && w->line < 0 &&
		    waitpid(w->pid, &w->status, WNOHANG) == w->pid)
			w->pid = 0;
	}
	return true;
}
