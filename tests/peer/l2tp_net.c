/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * l2tp_net.c: fake network, clock and engine for two tunnels (see l2tp_net.h).
 */
#include "tests/peer/l2tp_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct flying {
	struct flying *next;
	uint64_t at_ms;
	struct end *to;
	size_t bytes;
	uint8_t data[];
};

uint64_t
net_random(uint64_t *seed)
{
	uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void
net_fill_random(void *ctx, void *p, size_t n)
{
	uint8_t *b = p;

	while (n-- > 0)
		*b++ = (uint8_t)net_random(ctx);
}

static void
end_init(struct end *e, struct net *n, const char *name, uint16_t local_id)
{
	*e = (struct end){
	    .net = n,
	    .local_id = local_id,
	    .seed = local_id + net_random(&n->seed),
	    .cfg =
		{
		    .host_name = name,
		    .receive_window = 8,
		    .max_sessions = 4,
		    .hello_interval_ms = 60000,
		    .setup_timeout_ms = 60000,
		    .random = net_fill_random,
		},
	};
	e->cfg.random_ctx = &e->seed;
}

void
net_init(struct net *n, uint64_t seed)
{
	memset(n, 0, sizeof(*n));
	n->seed = seed;
	n->now_ms = 1000000;
	n->delay_ms = 10;
	end_init(&n->a, n, "client", 0x1111);
	end_init(&n->b, n, "server", 0x2222);
}

void
net_free(struct net *n)
{
	struct flying *f;

	while ((f = n->flying) != NULL) {
		n->flying = f->next;
		free(f);
	}
	tunnel_free(n->a.tunnel);
	tunnel_free(n->b.tunnel);
	n->a.tunnel = n->b.tunnel = NULL;
}

static void
end_log(struct end *e, const char *word, const char *detail)
{
	size_t used = strlen(e->log);

	snprintf(e->log + used, sizeof(e->log) - used, "%s%s%s ", word,
	    detail != NULL ? ":" : "", detail != NULL ? detail : "");
}

static bool
chance(struct net *n, unsigned percent)
{
	return net_random(&n->seed) % 100 < percent;
}

static void
launch(struct net *n, struct end *to, struct rd data)
{
	struct flying *f, **at;
	size_t bytes = data.left;

	if (n->cut || chance(n, n->loss_percent))
		return;
	f = malloc(sizeof(*f) + bytes);
	if (f == NULL)
		abort();
	f->to = to;
	f->bytes = bytes;
	rd_bytes(&data, f->data, bytes);
	f->at_ms = n->now_ms + n->delay_ms +
	    (n->jitter_ms > 0 ? net_random(&n->seed) % n->jitter_ms : 0);
	for (at = &n->flying; *at != NULL && (*at)->at_ms <= f->at_ms;)
		at = &(*at)->next;
	f->next = *at;
	*at = f;
}

static void
end_effect(struct end *e, const struct tunnel_effect *fx)
{
	struct net *n = e->net;
	struct end *other = e == &n->a ? &n->b : &n->a;

	switch (fx->type) {
	case TUNNEL_EFFECT_SEND:
		e->sent++;
		launch(n, other, fx->data);
		if (chance(n, n->dup_percent))
			launch(n, other, fx->data);
		break;
	case TUNNEL_EFFECT_UP:
		end_log(e, "up", NULL);
		break;
	case TUNNEL_EFFECT_DOWN:
		e->close = fx->close;
		end_log(e, "down", fx->close.why);
		break;
	case TUNNEL_EFFECT_SESSION_NEW:
		e->session = fx->session;
		e->session_id = fx->session.local_id;
		end_log(e, "new", NULL);
		break;
	case TUNNEL_EFFECT_SESSION_UP:
		e->session = fx->session;
		end_log(e, "session-up", NULL);
		break;
	case TUNNEL_EFFECT_SESSION_DOWN:
		e->session = fx->session;
		e->session_close = fx->close;
		end_log(e, "session-down", fx->close.why);
		break;
	case TUNNEL_EFFECT_SESSION_INFO:
		end_log(e, fx->info_is_sli ? "sli" : "wen", NULL);
		break;
	}
}

static void
end_pump(struct end *e)
{
	struct tunnel_effect fx;

	while (e->tunnel != NULL && tunnel_next_effect(e->tunnel, &fx))
		end_effect(e, &fx);
	if (e->tunnel != NULL && tunnel_is_dead(e->tunnel)) {
		end_log(e, "dead", NULL);
		tunnel_free(e->tunnel);
		e->tunnel = NULL;
	}
}

void
net_pump(struct net *n)
{
	end_pump(&n->a);
	end_pump(&n->b);
}

void
net_connect(struct net *n, struct end *from)
{
	from->tunnel =
	    tunnel_new_initiator(&from->cfg, from->local_id, n->now_ms);
	net_pump(n);
}

static void
end_receive(struct end *e, struct rd data)
{
	uint64_t now_ms = e->net->now_ms;
	const char *why = NULL;
	uint16_t peer_id;

	if (e->tunnel == NULL) {
		if (tunnel_classify_first(data, &peer_id) != TUNNEL_FIRST_SCCRQ)
			return;
		e->tunnel = tunnel_new_responder(&e->cfg, e->local_id, now_ms);
	}
	if (!tunnel_input(e->tunnel, data, now_ms, &why))
		e->refused++;
}

static uint64_t
end_deadline(const struct end *e)
{
	return e->tunnel != NULL ? tunnel_deadline(e->tunnel) : UINT64_MAX;
}

static void
end_tick(struct end *e)
{
	if (end_deadline(e) <= e->net->now_ms)
		tunnel_tick(e->tunnel, e->net->now_ms);
}

void
net_run(struct net *n, uint64_t until_ms)
{
	struct flying *f;
	uint64_t next;

	for (;;) {
		net_pump(n);
		f = n->flying;
		next = f != NULL ? f->at_ms : UINT64_MAX;
		if (end_deadline(&n->a) < next)
			next = end_deadline(&n->a);
		if (end_deadline(&n->b) < next)
			next = end_deadline(&n->b);
		if (next > until_ms)
			break;
		if (next > n->now_ms)
			n->now_ms = next;
		if (f != NULL && f->at_ms <= n->now_ms) {
			n->flying = f->next;
			if (!n->cut)
				end_receive(f->to, rd_init(f->data, f->bytes));
			free(f);
		}
		end_tick(&n->a);
		net_pump(n);
		end_tick(&n->b);
	}
	n->now_ms = until_ms;
}

unsigned
end_count(const struct end *e, const char *word)
{
	size_t len = strlen(word);
	const char *p = e->log;
	unsigned count = 0;

	while ((p = strstr(p, word)) != NULL) {
		if ((p == e->log || p[-1] == ' ') &&
		    (p[len] == ' ' || p[len] == ':'))
			count++;
		p += len;
	}
	return count;
}

bool
end_saw(const struct end *e, const char *word)
{
	return end_count(e, word) > 0;
}
