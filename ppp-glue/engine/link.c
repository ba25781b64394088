/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link.c: what the protocols of one link share: building packets, the queue of
 * effects, and the phases of RFC 1661 section 3. Owns the arena: frames and
 * the contents of an ask live there until the caller has fetched them; then
 * it is wiped (an ask may hold a PAP password) and freed: of ten thousand links
 * hardly one has something to say at any moment.
 *
 * When the arena is full a frame is dropped as if the network had lost it:
 * the automaton's timer repairs that. Other effects have room of their own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "ppp-glue/engine/link.h"

enum {
	FRAME_HEADER_BYTES = 4,  /* FF 03 and the protocol. RFC 1662 3.1 */
	PACKET_HEADER_BYTES = 4, /* Code, Identifier, Length */
	LENGTH_AT = 6,           /* in a frame */
	MRU_MIN = 128,           /* we cannot send less, whatever it says */
	NO_NCP_MS = 30000,       /* authenticated, but no NCP opens */
	ASKS_MAX = 5,            /* without an accepting verdict */
};

size_t
link_packet_room(const struct ppp *p)
{
	size_t mru = LINK_PACKET_MAX;

	/* RFC 1661 6.1: 1500 until something else is agreed */
	if (p->lcp.fsm.state == FSM_OPENED && p->lcp.peer_mru != 0)
		mru = p->lcp.peer_mru;
	if (mru > LINK_PACKET_MAX)
		mru = LINK_PACKET_MAX;
	if (mru < MRU_MIN)
		mru = MRU_MIN;
	return mru - PACKET_HEADER_BYTES;
}

/* Room that is left; 0 also when there is no memory: as if lost. */
static size_t
arena_room(struct ppp *p)
{
	if (p->arena == NULL)
		p->arena = malloc(LINK_ARENA_BYTES);
	return p->arena != NULL ? LINK_ARENA_BYTES - p->arena_bytes : 0;
}

void
link_arena_drop(struct ppp *p)
{
	if (p->arena == NULL)
		return;
	wipe(p->arena, p->arena_bytes);
	free(p->arena);
	p->arena = NULL;
	p->arena_bytes = 0;
}

bool
link_packet_begin(
    struct ppp *p, uint16_t protocol, uint8_t code, uint8_t id, struct wr *ret)
{
	size_t left = arena_room(p);
	size_t want =
	    FRAME_HEADER_BYTES + PACKET_HEADER_BYTES + link_packet_room(p);

	if (p->phase == LINK_OVER ||
	    p->effect_count >= LINK_EFFECTS - LINK_EFFECTS_KEPT ||
	    left < FRAME_HEADER_BYTES + PACKET_HEADER_BYTES)
		return false;
	*ret = wr_init(p->arena + p->arena_bytes, left < want ? left : want);
	wr_be16(ret, 0xff03);
	wr_be16(ret, protocol);
	wr_u8(ret, code);
	wr_u8(ret, id);
	return wr_be16(ret, 0);
}

static void
push(struct ppp *p, enum ppp_effect_type type, size_t at, size_t bytes)
{
	size_t i;

	if (p->effect_count >= LINK_EFFECTS)
		return;
	i = ((size_t)p->effect_head + p->effect_count) % LINK_EFFECTS;
	p->effect[i] = (struct link_effect){.type = (uint8_t)type,
	    .at = (uint16_t)at,
	    .bytes = (uint16_t)bytes};
	p->effect_count++;
}

void
link_packet_end(struct ppp *p, struct wr *w)
{
	if (!wr_ok(w))
		return; /* did not fit: lost */
	wr_patch_be16(w, LENGTH_AT, (uint16_t)(w->len - FRAME_HEADER_BYTES));
	push(p, PPP_EFFECT_SEND, p->arena_bytes, w->len);
	p->arena_bytes += w->len;
}

void
link_effect(struct ppp *p, enum ppp_effect_type type)
{
	push(p, type, 0, 0);
}

void
link_ask(struct ppp *p, uint8_t chap_id, struct rd name, struct rd response)
{
	size_t left = arena_room(p);
	struct wr w;

	if (++p->auth.asks > ASKS_MAX) {
		link_fail(p, "too-many-attempts", true);
		return;
	}
	if (left == 0)
		return;
	w = wr_init(p->arena + p->arena_bytes, left);
	wr_bytes(&w, name.p, name.left);
	if (!wr_bytes(&w, response.p, response.left))
		return; /* no room: the peer repeats itself */
	p->ask = (struct link_ask){.chap_id = chap_id,
	    .name_at = (uint16_t)p->arena_bytes,
	    .name_bytes = (uint16_t)name.left,
	    .response_at = (uint16_t)(p->arena_bytes + name.left),
	    .response_bytes = (uint16_t)response.left};
	p->arena_bytes += w.len;
	p->auth.state = AUTH_ASKED;
	p->auth.id = chap_id;
	p->auth.serial++;
	p->auth.resend_ms = UINT64_MAX;
	push(p, PPP_EFFECT_ASK, 0, 0);
}

bool
link_may_reject(struct ppp *p)
{
	return ratelimit_take(&p->rejects, p->now_ms);
}

void
link_random(struct ppp *p, void *ret, size_t n)
{
	if (p->cfg->random != NULL)
		p->cfg->random(p->cfg->random_ctx, ret, n);
	else
		random_bytes(ret, n);
}

void
link_note_life(struct ppp *p)
{
	p->lcp.echo_open = 0;
	if (p->lcp.echo_deadline_ms != UINT64_MAX)
		p->lcp.echo_deadline_ms = p->now_ms + p->cfg->echo_interval_ms;
}

void
link_fail(struct ppp *p, const char *why, bool by_peer)
{
	if (p->phase == LINK_OVER)
		return;
	if (p->why == NULL) {
		p->why = why;
		p->by_peer = by_peer;
	}
	if (p->phase == LINK_DEAD) {
		link_over(p);
		return;
	}
	p->phase = LINK_TERMINATE;
	fsm_close(&p->lcp.fsm);
}

/* RFC 1661 3.5: LCP is open, authentication comes before any NCP. A client
 * whose server asks for none goes on: IPsec has told who the server is. */
void
link_established(struct ppp *p)
{
	if (p->phase == LINK_TERMINATE)
		return;
	p->phase = LINK_AUTHENTICATE;
	if (p->cfg->server)
		auth_start(p, p->lcp.auth);
	else if (p->lcp.peer_auth != PPP_AUTH_NONE)
		auth_start(p, p->lcp.peer_auth);
	else
		link_authenticated(p);
}

/* LCP left Opened: everything above it starts anew, authentication too */
void
link_lost(struct ppp *p)
{
	auth_stop(p);
	fsm_down(&p->ipcp.ncp.fsm);
	fsm_down(&p->ipv6cp.ncp.fsm);
	p->ipcp.ncp.wanted = p->ipv6cp.ncp.wanted = false;
	p->no_ncp_ms = UINT64_MAX;
	if (p->phase == LINK_TERMINATE)
		return;
	if (p->lcp.fsm.state == FSM_STOPPING) {
		p->phase = LINK_TERMINATE;
		return;
	}
	p->phase = LINK_ESTABLISH;
	/* one limit for all attempts: opening LCP anew is no way to stay half
	 * open for ever */
	if (p->setup_limit_ms == UINT64_MAX)
		p->setup_limit_ms = p->now_ms + LINK_SETUP_MS;
}

void
link_over(struct ppp *p)
{
	if (p->phase == LINK_OVER)
		return;
	if (p->why == NULL && p->lcp.fsm.terminated) {
		p->why = "peer-terminated";
		p->by_peer = true;
	}
	if (p->why == NULL && p->lcp.fsm.refused) {
		p->why = "lcp-rejected";
		p->by_peer = true;
	}
	if (p->why == NULL)
		p->why = "lcp-timeout";
	p->phase = LINK_OVER;
	push(p, PPP_EFFECT_DOWN, 0, 0);
}

void
link_authenticated(struct ppp *p)
{
	p->phase = LINK_NETWORK;
	p->setup_limit_ms = UINT64_MAX;
	p->no_ncp_ms = p->now_ms + NO_NCP_MS;
	ipcp_start(p);
	ipv6cp_start(p);
}

void
link_ncp_start(
    struct ppp *p, struct ncp *n, const struct fsm_ops *ops, bool wanted)
{
	n->wanted = wanted;
	n->finished = false;
	fsm_init(&n->fsm, ops, p);
	if (!wanted)
		return;
	fsm_open(&n->fsm);
	fsm_up(&n->fsm);
}

void
link_ncp_up(struct ppp *p, enum ppp_effect_type effect)
{
	p->no_ncp_ms = UINT64_MAX;
	link_effect(p, effect);
}

void
link_ncp_down(struct ppp *p, enum ppp_effect_type effect)
{
	link_effect(p, effect);
	if (p->phase == LINK_NETWORK && p->ipcp.ncp.fsm.state != FSM_OPENED &&
	    p->ipv6cp.ncp.fsm.state != FSM_OPENED)
		p->no_ncp_ms = p->now_ms + NO_NCP_MS;
}

void
link_ncp_finished(struct ppp *p, struct ncp *n)
{
	const struct ncp *v4 = &p->ipcp.ncp, *v6 = &p->ipv6cp.ncp;

	n->finished = true;
	if (p->phase == LINK_NETWORK && (!v4->wanted || v4->finished) &&
	    (!v6->wanted || v6->finished))
		link_fail(p, "no-ncp", true);
}
