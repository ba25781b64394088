/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runner_pppd.c: PPP by a pppd (contract in runner.h). The monitor starts it;
 * its plugin speaks base/link_msg.h with us; what it says becomes the effects
 * that our own PPP would have. It reads what a peer sends, so it is treated as
 * hostile: wrong messages end it, and it may say that nobody is there only.
 *
 * A pppd that falls silent (it says LINK_MSG_USE every 10 s) or does not end
 * when it is told is killed. What it had in the kernel goes with it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/link_msg.h"
#include "base/log.h"
#include "base/secret.h"
#include "l2tpd/engine/internal.h"

/* Timers, milliseconds. */
#define T_LINE_MS   10000 /* from start to its first word */
#define T_SILENT_MS (4 * LINK_MSG_USE_S * 1000)
#define T_CLOSE_MS  5000 /* to say goodbye to the peer */

#define EFFECTS_MAX 8

struct pppd {
	struct runner runner; /* first */
	struct engine *engine;
	uint32_t session;
	void (*ready)(void *ctx);
	void *ready_ctx;
	struct imsg_channel *line; /* NULL: not yet, or over */
	bool started, over;
	uint64_t deadline_ms; /* until then it has to say something */
	struct link_ask *ask; /* the one that is open; owned */
	struct link_ipv4 ipv4;
	const char *why; /* string literal; the first reason to end */
	bool by_peer;
	unsigned int head, count;
	enum ppp_effect_type effects[EFFECTS_MAX];
};

static struct pppd *
pppd_of(struct runner *r)
{
	return (struct pppd *)r;
}

static void
push(struct pppd *d, enum ppp_effect_type type)
{
	if (d->count < EFFECTS_MAX)
		d->effects[(d->head + d->count++) % EFFECTS_MAX] = type;
}

static void
forget_ask(struct pppd *d)
{
	if (d->ask != NULL)
		wipe(d->ask, sizeof(*d->ask));
	free(d->ask);
	d->ask = NULL;
}

static void
end(struct pppd *d, const char *why, bool by_peer)
{
	if (d->over)
		return;
	d->over = true;
	d->deadline_ms = UINT64_MAX;
	if (d->why == NULL) {
		d->why = why;
		d->by_peer = by_peer;
	}
	push(d, PPP_EFFECT_IPV4_DOWN);
	push(d, PPP_EFFECT_DOWN);
}

static void
kill_it(struct pppd *d, const char *why)
{
	if (d->over)
		return;
	log_msg(MSG_PPPD_FAILED, "session=%u why=%s", d->session, why);
	d->engine->start.pppd_end(d->engine->start.ctx, d->session, true);
	end(d, why, false);
}

/* ---- what it says ---- */

/* Words of struct link_end as string literals. */
static const char *
reason(const char *word)
{
	static const char *const words[] = {"peer-terminated", "auth-failed",
	    "echo-timeout", "no-ncp", "hangup", "terminated", "failed"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0)
			return words[i];
	return "failed";
}

static bool
on_ask(struct pppd *d, struct rd *r)
{
	if (d->ask != NULL)
		return false; /* it has to wait for the verdict */
	d->ask = malloc(sizeof(*d->ask));
	if (d->ask == NULL)
		return false;
	if (!link_msg_get_ask(r, d->ask) || d->ask->method == LINK_METHOD_EAP) {
		forget_ask(d);
		return false;
	}
	push(d, PPP_EFFECT_ASK);
	return true;
}

static bool
on_end(struct pppd *d, struct rd *r)
{
	struct link_end m;

	if (!link_msg_get_end(r, &m))
		return false;
	end(d, reason(m.why), m.by_peer);
	return true;
}

static bool
take(struct pppd *d, struct imsg *m)
{
	struct link_hello hello;
	struct link_use use;

	switch (m->type) {
	case LINK_MSG_HELLO:
		return link_msg_get_hello(&m->payload, &hello) &&
		    hello.version == LINK_MSG_VERSION;
	case LINK_MSG_ASK:
		return on_ask(d, &m->payload);
	case LINK_MSG_IPV4_UP:
		if (!link_msg_get_ipv4(&m->payload, &d->ipv4))
			return false;
		push(d, PPP_EFFECT_IPV4_UP);
		return true;
	case LINK_MSG_IPV4_DOWN:
		push(d, PPP_EFFECT_IPV4_DOWN);
		return link_msg_get_use(&m->payload, &use);
	case LINK_MSG_USE:
		return link_msg_get_use(&m->payload, &use);
	case LINK_MSG_END:
		return on_end(d, &m->payload);
	default: /* IPv6 is not offered yet */
		return true;
	}
}

static void
on_message(void *ctx, struct imsg *m)
{
	struct pppd *d = ctx;

	if (d->over)
		return;
	d->deadline_ms = loop_now_ms(d->engine->loop) + T_SILENT_MS;
	if (!take(d, m))
		kill_it(d, "pppd-nonsense");
	d->ready(d->ready_ctx);
}

static void
on_closed(void *ctx, const char *why)
{
	struct pppd *d = ctx;

	imsg_free(d->line);
	d->line = NULL;
	if (d->over)
		return;
	if (d->why == NULL)
		log_msg(MSG_PPPD_FAILED, "session=%u why=\"%s\"", d->session,
		    why != NULL ? why : "it ended without a word");
	d->engine->start.pppd_end(d->engine->start.ctx, d->session, true);
	end(d, "pppd-died", false);
	d->ready(d->ready_ctx);
}

static const struct imsg_rule rules[] = {
    {LINK_MSG_HELLO, "hello", 6, LINK_MSG_BYTES_MAX, true},
    {LINK_MSG_ASK, "ask", 12, LINK_MSG_BYTES_MAX, true},
    {LINK_MSG_IPV4_UP, "ipv4-up", 12, LINK_MSG_BYTES_MAX, true},
    {LINK_MSG_IPV4_DOWN, "ipv4-down", 32, 32, true},
    {LINK_MSG_IPV6_UP, "ipv6-up", 18, LINK_MSG_BYTES_MAX, true},
    {LINK_MSG_IPV6_DOWN, "ipv6-down", 0, 0, true},
    {LINK_MSG_USE, "use", 32, 32, true},
    {LINK_MSG_END, "end", 3, LINK_MSG_BYTES_MAX, true},
    {0, NULL, 0, 0, true},
};

static const struct imsg_ops line_ops = {
    .rules = rules,
    .message = on_message,
    .closed = on_closed,
};

/* ---- what it is told ---- */

static void
pppd_free(struct runner *r)
{
	struct pppd *d = pppd_of(r);

	/* the call is gone: there is nobody to say goodbye to */
	if (d->started && !d->over)
		d->engine->start.pppd_end(
		    d->engine->start.ctx, d->session, true);
	imsg_free(d->line);
	forget_ask(d);
	free(d);
}

static int
pppd_start(struct runner *r, uint64_t now_ms)
{
	struct pppd *d = pppd_of(r);
	int fd = plane_session_channel(d->engine->plane, d->session);

	if (fd < 0)
		return fd;
	d->started = true;
	d->deadline_ms = now_ms + T_LINE_MS;
	d->engine->start.pppd_start(d->engine->start.ctx, d->session, fd);
	close(fd);
	return 0;
}

static void
pppd_input(struct runner *r, struct rd frame, uint64_t now_ms)
{
	(void)r, (void)frame, (void)now_ms; /* the kernel's affair */
}

static void
pppd_note_data(struct runner *r, uint64_t now_ms)
{
	(void)r, (void)now_ms;
}

static int
pppd_verdict(struct runner *r, const struct ppp_verdict *v, uint64_t now_ms)
{
	struct pppd *d = pppd_of(r);
	uint8_t buf[LINK_MSG_BYTES_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct link_verdict m;
	struct rd message = v->message;

	(void)now_ms;
	if (d->line == NULL || d->ask == NULL || d->ask->serial != v->serial)
		return -ENOENT;
	memset(&m, 0, sizeof(m));
	m.serial = v->serial;
	m.decision = v->accept ? LINK_ACCEPTED : LINK_REFUSED;
	if (message.left <= sizeof(m.message)) {
		m.message_bytes = (uint16_t)message.left;
		rd_bytes(&message, m.message, message.left);
	}
	memcpy(m.ipv4_local, v->ipv4_local, sizeof(m.ipv4_local));
	memcpy(m.ipv4_peer, v->ipv4_peer, sizeof(m.ipv4_peer));
	memcpy(m.ipv4_dns, v->ipv4_dns, sizeof(m.ipv4_dns));
	memcpy(m.ipv4_nbns, v->ipv4_nbns, sizeof(m.ipv4_nbns));
	memcpy(m.ifid_peer, v->ifid_peer, sizeof(m.ifid_peer));
	forget_ask(d);
	if (!link_msg_put_verdict(&w, &m))
		return -EMSGSIZE;
	return imsg_send(d->line, LINK_MSG_VERDICT, 0, buf, wr_rd(&w).left, -1);
}

static void
pppd_close(struct runner *r, const char *why, uint64_t now_ms)
{
	struct pppd *d = pppd_of(r);

	if (d->over)
		return;
	if (d->why == NULL)
		d->why = why;
	if (!d->started) {
		end(d, why, false);
		return;
	}
	d->deadline_ms = now_ms + T_CLOSE_MS;
	d->engine->start.pppd_end(d->engine->start.ctx, d->session, false);
}

static void
pppd_tick(struct runner *r, uint64_t now_ms)
{
	struct pppd *d = pppd_of(r);

	if (now_ms >= d->deadline_ms)
		kill_it(d, "pppd-silent");
}

static uint64_t
pppd_deadline(const struct runner *r)
{
	return ((const struct pppd *)r)->deadline_ms;
}

/* Borrowed until the next call, as the effects of ppp.h are. */
static void
fill_ask(const struct pppd *d, struct ppp_ask *ret)
{
	const struct link_ask *a = d->ask;

	ret->method = a->method == LINK_METHOD_MSCHAPV2 ? PPP_AUTH_MSCHAPV2
	    : a->method == LINK_METHOD_CHAP_MD5         ? PPP_AUTH_CHAP_MD5
							: PPP_AUTH_PAP;
	ret->chap_id = a->chap_id;
	ret->serial = a->serial;
	ret->name = rd_init(a->name, a->name_bytes);
	ret->challenge = rd_init(a->challenge, a->challenge_bytes);
	ret->response = rd_init(a->response, a->response_bytes);
}

static bool
pppd_next_effect(struct runner *r, struct ppp_effect *ret)
{
	struct pppd *d = pppd_of(r);

	if (d->count == 0)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->type = d->effects[d->head];
	d->head = (d->head + 1) % EFFECTS_MAX;
	d->count--;
	if (ret->type == PPP_EFFECT_ASK && d->ask == NULL)
		return pppd_next_effect(r, ret); /* it ended meanwhile */
	if (ret->type == PPP_EFFECT_ASK)
		fill_ask(d, &ret->ask);
	memcpy(ret->ipv4_local, d->ipv4.local, sizeof(ret->ipv4_local));
	memcpy(ret->ipv4_peer, d->ipv4.peer, sizeof(ret->ipv4_peer));
	ret->by_peer = d->by_peer;
	ret->why = d->why;
	return true;
}

static uint16_t
pppd_peer_mru(const struct runner *r)
{
	return ((const struct pppd *)r)->ipv4.mtu;
}

static const char *
pppd_interface(const struct runner *r)
{
	return ((const struct pppd *)r)->ipv4.interface;
}

static const char *
pppd_state_name(const struct runner *r)
{
	const struct pppd *d = (const struct pppd *)r;

	return d->over         ? "closed"
	    : d->line == NULL  ? "starting"
	    : d->ipv4.mtu == 0 ? "negotiating"
			       : "opened";
}

static const struct runner_ops ops = {
    .free = pppd_free,
    .start = pppd_start,
    .input = pppd_input,
    .note_data = pppd_note_data,
    .verdict = pppd_verdict,
    .close = pppd_close,
    .tick = pppd_tick,
    .deadline = pppd_deadline,
    .next_effect = pppd_next_effect,
    .peer_mru = pppd_peer_mru,
    .interface = pppd_interface,
    .state_name = pppd_state_name,
};

struct runner *
runner_pppd_new(
    struct engine *e, uint32_t session, void (*ready)(void *ctx), void *ctx)
{
	struct pppd *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->runner.ops = &ops;
	d->engine = e;
	d->session = session;
	d->ready = ready;
	d->ready_ctx = ctx;
	d->deadline_ms = UINT64_MAX;
	return &d->runner;
}

void
runner_pppd_line(struct runner *r, int fd)
{
	struct pppd *d = pppd_of(r);

	if (r->ops != &ops || d->line != NULL || d->over) {
		close(fd);
		return;
	}
	d->line = imsg_new(d->engine->loop, fd, &line_ops, d);
	if (d->line == NULL)
		kill_it(d, "no-memory");
}
