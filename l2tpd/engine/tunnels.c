/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnels.c: L2TP tunnels on associations. Finds the tunnel of a datagram,
 * makes one for a first SCCRQ, carries out the effects that the protocol
 * (l2tpd/proto) asks for, arms its timer.
 *
 * A datagram reaches a tunnel only over the association that the tunnel
 * belongs to: ids alone open nothing (RFC 2661 9.1). Exception: an association
 * that lost all its SAs hands its tunnels to its successor, the same device at
 * the same address with the same IKE identity.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "l2tpd/engine/internal.h"

static struct tunnel_box *
box_find(struct engine *e, uint16_t local_id)
{
	struct tunnel_box *b;

	HASH_FIND(hh, e->tunnels, &local_id, sizeof(local_id), b);
	return b;
}

static void
box_bury(struct tunnel_box *b)
{
	struct engine *e = b->engine;

	if (b->dead)
		return;
	b->dead = true;
	if (b->assoc != NULL) {
		LIST_REMOVE(b, next);
		if (LIST_EMPTY(&b->assoc->tunnels))
			b->assoc->idle_since_ms = loop_now_ms(e->loop);
		b->assoc = NULL;
	}
	HASH_DEL(e->tunnels, b);
	LIST_INSERT_HEAD(&e->dead_tunnels, b, next);
	loop_timer_free(b->timer);
	b->timer = NULL;
	engine_reap_later(e);
	e->role->tunnel_down(b);
}

static void
bury_sessions(struct tunnel_box *b, const char *why, bool by_peer)
{
	struct session *s;

	while ((s = LIST_FIRST(&b->sessions)) != NULL)
		sessions_bury(s, why, by_peer);
}

void
tunnels_drop(struct tunnel_box *b, const char *why)
{
	if (b->dead)
		return;
	log_msg(MSG_TUNNEL_DOWN, "tunnel=%u assoc=%u why=%s by=us", b->local_id,
	    b->assoc != NULL ? b->assoc->id : 0, why);
	bury_sessions(b, why, false);
	box_bury(b);
}

static void
box_timer(void *ctx)
{
	struct tunnel_box *b = ctx;

	tunnel_tick(b->tunnel, loop_now_ms(b->engine->loop));
	tunnels_drain(b);
}

static void
box_rearm(struct tunnel_box *b)
{
	uint64_t now = loop_now_ms(b->engine->loop), at;

	at = tunnel_deadline(b->tunnel);
	if (at == UINT64_MAX)
		loop_timer_cancel(b->timer);
	else
		loop_timer_set(b->timer, at > now ? at - now : 0);
}

/* The newest tunnel of a device is the living one: a client that was killed
 * and came back through the same NAT mapping is on the same association. */
static void
supersede(struct tunnel_box *b)
{
	struct tunnel_box *old, *after;

	for (old = LIST_FIRST(&b->assoc->tunnels); old != NULL; old = after) {
		after = LIST_NEXT(old, next);
		if (old != b && old->up)
			tunnels_drop(old, "superseded");
	}
}

static void
on_up(struct tunnel_box *b)
{
	struct rd host = tunnel_peer_host_name(b->tunnel);
	struct rd vendor = tunnel_peer_vendor_name(b->tunnel);
	char h[L2TP_NAME_MAX * 2], v[L2TP_NAME_MAX * 2], dev[ENDPOINT_TEXT];

	b->up = true;
	b->empty_since_ms = loop_now_ms(b->engine->loop);
	if (b->assoc == NULL)
		return;
	log_msg(MSG_TUNNEL_UP,
	    "tunnel=%u peer-tunnel=%u assoc=%u device=%s host=%s vendor=%s",
	    b->local_id, tunnel_peer_id(b->tunnel), b->assoc->id,
	    endpoint_format(&b->assoc->peer, dev, sizeof(dev)),
	    log_clean(host.p, host.left, h, sizeof(h)),
	    log_clean(vendor.p, vendor.left, v, sizeof(v)));
	supersede(b);
	b->engine->role->tunnel_up(b);
}

static void
on_down(struct tunnel_box *b, const struct tunnel_close *close)
{
	char text[L2TP_MESSAGE_MAX * 2];

	log_msg(MSG_TUNNEL_DOWN,
	    "tunnel=%u assoc=%u why=%s by=%s result=%u error=%u message=%s",
	    b->local_id, b->assoc != NULL ? b->assoc->id : 0,
	    close->why != NULL ? close->why : "-",
	    close->by_peer ? "peer" : "us", close->result, close->error,
	    log_clean(
		close->message, close->message_bytes, text, sizeof(text)));
	bury_sessions(
	    b, close->why != NULL ? close->why : "tunnel-down", close->by_peer);
}

static void
effect(struct tunnel_box *b, const struct tunnel_effect *fx)
{
	struct engine *e = b->engine;

	switch (fx->type) {
	case TUNNEL_EFFECT_SEND:
		if (b->assoc != NULL)
			plane_l2tp_send(
			    e->plane, b->assoc->id, b->peer_port, fx->data);
		break;
	case TUNNEL_EFFECT_UP:
		on_up(b);
		break;
	case TUNNEL_EFFECT_DOWN:
		on_down(b, &fx->close);
		break;
	case TUNNEL_EFFECT_SESSION_NEW:
		sessions_new(b, &fx->session);
		break;
	case TUNNEL_EFFECT_SESSION_UP:
		sessions_up(b, &fx->session);
		break;
	case TUNNEL_EFFECT_SESSION_DOWN:
		sessions_down(b, &fx->session, &fx->close);
		break;
	case TUNNEL_EFFECT_SESSION_INFO:
		break; /* WEN and SLI speak of serial lines: nothing to do */
	}
}

void
tunnels_drain(struct tunnel_box *b)
{
	struct tunnel_effect fx;

	if (b->dead || b->draining)
		return; /* the outer loop goes on with what was added */
	b->draining = true;
	while (!b->dead && tunnel_next_effect(b->tunnel, &fx))
		effect(b, &fx);
	b->draining = false;
	if (b->dead)
		return;
	if (tunnel_is_dead(b->tunnel)) {
		bury_sessions(b, "tunnel-down", false);
		box_bury(b);
		return;
	}
	box_rearm(b);
}

static uint16_t
draw_id(struct engine *e)
{
	uint16_t id;
	unsigned int tries;

	for (tries = 0; tries < 1000; tries++) {
		random_bytes(&id, sizeof(id));
		if (id != 0 && box_find(e, id) == NULL)
			return id;
	}
	return 0;
}

static struct tunnel_box *
box_new(struct engine *e, struct association *a, uint16_t peer_port,
    struct tunnel *(*tunnel_new)(
	const struct tunnel_config *cfg, uint16_t local_id, uint64_t now_ms))
{
	struct tunnel_box *b;

	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return NULL;
	b->engine = e;
	b->assoc = a;
	b->peer_port = peer_port;
	b->local_id = draw_id(e);
	LIST_INIT(&b->sessions);
	b->timer = loop_timer_new(e->loop, box_timer, b);
	if (b->local_id != 0 && b->timer != NULL)
		b->tunnel = tunnel_new(
		    &e->tunnel_config, b->local_id, loop_now_ms(e->loop));
	if (b->tunnel == NULL) {
		loop_timer_free(b->timer);
		free(b);
		return NULL;
	}
	LIST_INSERT_HEAD(&a->tunnels, b, next);
	HASH_ADD(hh, e->tunnels, local_id, sizeof(b->local_id), b);
	a->had_tunnel = true;
	a->idle_since_ms = 0;
	return b;
}

static bool
may_open(struct engine *e, struct association *a)
{
	struct tunnel_box *b;
	unsigned int n = 0;

	LIST_FOREACH (b, &a->tunnels, next)
		n++;
	if (n < e->conf.max_tunnels_per_association &&
	    HASH_COUNT(e->tunnels) < e->conf.max_tunnels && !e->stopping)
		return true;
	log_msg(MSG_TUNNEL_LIMIT, "assoc=%u tunnels=%u all=%u", a->id, n,
	    HASH_COUNT(e->tunnels));
	return false;
}

/* Tunnel id 0: a SCCRQ, new or again, or nothing that concerns us. */
static struct tunnel_box *
first_contact(struct engine *e, struct association *a, uint16_t peer_port,
    struct rd datagram)
{
	struct tunnel_box *b;
	uint16_t peer_id = 0;

	if (tunnel_classify_first(datagram, &peer_id) != TUNNEL_FIRST_SCCRQ)
		return NULL;
	LIST_FOREACH (b, &a->tunnels, next)
		if (!b->up && !tunnel_is_closing(b->tunnel) &&
		    b->peer_port == peer_port &&
		    tunnel_peer_id(b->tunnel) == peer_id)
			return b; /* our SCCRP was lost */
	if (e->role->dials || !may_open(e, a))
		return NULL;
	return box_new(e, a, peer_port, tunnel_new_responder);
}

struct tunnel_box *
tunnels_dial(struct engine *e, struct association *a)
{
	struct tunnel_box *b;

	b = box_new(e, a, L2TP_PORT, tunnel_new_initiator);
	if (b != NULL)
		tunnels_drain(b);
	return b;
}

static void
rebind(struct tunnel_box *b, struct association *a, uint16_t peer_port)
{
	struct session *s;

	log_msg(MSG_TUNNEL_REBOUND, "tunnel=%u from-assoc=%u to-assoc=%u",
	    b->local_id, b->assoc->id, a->id);
	LIST_REMOVE(b, next);
	b->assoc = a;
	b->peer_port = peer_port;
	LIST_INSERT_HEAD(&a->tunnels, b, next);
	a->had_tunnel = true;
	a->idle_since_ms = 0;
	LIST_FOREACH (s, &b->sessions, next)
		sessions_rebind(s, a);
}

void
tunnels_input(struct engine *e, struct association *a, uint16_t peer_port,
    struct rd datagram)
{
	struct l2tp_packet_head head;
	struct rd copy = datagram;
	struct tunnel_box *b;
	const char *why = "-";

	if (!l2tp_parse_head(&copy, &head)) {
		log_msg(MSG_L2TP_DROPPED, "assoc=%u why=\"%s\"", a->id,
		    copy.err != NULL ? copy.err : "not L2TP version 2");
		return;
	}
	b = head.tunnel_id == 0 && head.is_control
	    ? first_contact(e, a, peer_port, datagram)
	    : box_find(e, head.tunnel_id);
	if (b == NULL || b->dead)
		return;
	if (b->assoc != a) {
		if (b->assoc == NULL || !assoc_is_successor(b->assoc, a))
			return;
		rebind(b, a, peer_port);
	}
	if (!head.is_control)
		return; /* data of a session that is not in the plane */
	if (!tunnel_input(b->tunnel, datagram, loop_now_ms(e->loop), &why))
		log_msg(MSG_L2TP_DROPPED, "assoc=%u tunnel=%u why=\"%s\"",
		    a->id, b->local_id, why);
	tunnels_drain(b);
}

void
tunnels_close_box(struct tunnel_box *b, uint16_t result, const char *message)
{
	if (b->dead)
		return;
	tunnel_close(
	    b->tunnel, result, 0, message, loop_now_ms(b->engine->loop));
	tunnels_drain(b);
}

void
tunnels_housekeeping(struct engine *e, struct association *a)
{
	uint64_t now = loop_now_ms(e->loop);
	struct tunnel_box *b, *after;

	for (b = LIST_FIRST(&a->tunnels); b != NULL; b = after) {
		after = LIST_NEXT(b, next);
		if (!b->up || b->empty_since_ms == 0 ||
		    now - b->empty_since_ms < T_TUNNEL_IDLE_MS)
			continue;
		b->empty_since_ms = 0; /* once */
		/* RFC 2661 4.4.2 result 1: general request to clear */
		tunnels_close_box(b, 1, "no session");
	}
}

void
tunnels_reap(struct engine *e)
{
	struct tunnel_box *b;

	while ((b = LIST_FIRST(&e->dead_tunnels)) != NULL) {
		LIST_REMOVE(b, next);
		tunnel_free(b->tunnel);
		free(b);
	}
}
