/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ppp.c: the public face of one link (contract in ppp.h): takes a frame apart
 * (RFC 1661 2, RFC 1662 3.1), gives it to its protocol if the phase allows it,
 * runs the timers and hands out effects. Trusts nothing in a frame.
 *
 * Before authentication only LCP and the authentication protocol exist: every
 * other packet is dropped without an answer (RFC 1661 3.5). Later, a protocol
 * that we do not speak gets a Protocol-Reject (RFC 1661 5.7), rate-limited.
 * Protocol-Field-Compression is never agreed to, so an odd first byte is not
 * a protocol.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "ppp-glue/engine/link.h"

enum {
	REJECT_BURST = 8,
	REJECT_PER_SECOND = 1,
	ECHO_BURST = 10,
	ECHO_PER_SECOND = 10,
	MRU_MOST = LINK_PACKET_MAX,
};

struct ppp *
ppp_new(const struct ppp_config *cfg, uint64_t now_ms)
{
	struct ppp *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->cfg = cfg;
	p->now_ms = now_ms;
	p->phase = LINK_DEAD;
	p->setup_limit_ms = p->no_ncp_ms = UINT64_MAX;
	p->auth.resend_ms = p->auth.limit_ms = UINT64_MAX;
	ratelimit_init(&p->rejects, REJECT_BURST, REJECT_PER_SECOND, now_ms);
	ratelimit_init(&p->echoes, ECHO_BURST, ECHO_PER_SECOND, now_ms);
	link_random(p, &p->auth.id, sizeof(p->auth.id));
	lcp_init(p);
	ipcp_init(p);
	ipv6cp_init(p);
	return p;
}

void
ppp_free(struct ppp *p)
{
	if (p == NULL)
		return;
	link_arena_drop(p);
	auth_forget_message(p);
	wipe(p, sizeof(*p));
	free(p);
}

/* Every public call: the clock, and what was fetched is forgotten. */
static bool
enter(struct ppp *p, uint64_t now_ms)
{
	if (p->phase == LINK_OVER)
		return false;
	p->now_ms = now_ms;
	if (p->effect_count == 0)
		link_arena_drop(p);
	return true;
}

void
ppp_start(struct ppp *p, uint64_t now_ms)
{
	if (!enter(p, now_ms) || p->phase != LINK_DEAD)
		return;
	if (p->cfg->server && p->cfg->methods[0] == PPP_AUTH_NONE) {
		link_fail(p, "no-auth-method", false);
		return;
	}
	p->phase = LINK_ESTABLISH;
	p->setup_limit_ms = now_ms + LINK_SETUP_MS;
	fsm_open(&p->lcp.fsm);
	fsm_up(&p->lcp.fsm);
}

static void
input_network(struct ppp *p, uint16_t protocol, struct rd info)
{
	switch (protocol) {
	case LINK_PROTO_IPCP:
		if (p->ipcp.ncp.wanted) {
			fsm_input(&p->ipcp.ncp.fsm, info);
			return;
		}
		break;
	case LINK_PROTO_IPV6CP:
		if (p->ipv6cp.ncp.wanted) {
			fsm_input(&p->ipv6cp.ncp.fsm, info);
			return;
		}
		break;
	case PPP_PROTO_IPV4:
		return; /* data is the plane's affair */
	case PPP_PROTO_IPV6:
		if (p->ipv6cp.ncp.wanted)
			return;
		break;
	default:
		break;
	}
	lcp_protocol_reject(p, protocol, info);
}

static void
input(struct ppp *p, uint16_t protocol, struct rd info)
{
	bool authenticating =
	    p->phase == LINK_AUTHENTICATE || p->phase == LINK_NETWORK;

	switch (protocol) {
	case LINK_PROTO_LCP:
		fsm_input(&p->lcp.fsm, info);
		return;
	case LINK_PROTO_CHAP:
		if (authenticating)
			chap_input(p, info);
		return;
	case LINK_PROTO_PAP:
		if (authenticating)
			pap_input(p, info);
		return;
	default:
		if (p->phase != LINK_NETWORK)
			return; /* RFC 1661 3.5 */
		link_note_life(p);
		input_network(p, protocol, info);
	}
}

void
ppp_input(struct ppp *p, struct rd frame, uint64_t now_ms)
{
	uint16_t protocol;

	if (!enter(p, now_ms) || p->phase == LINK_DEAD)
		return;
	if (!rd_be16(&frame, &protocol))
		return;
	if (protocol == 0xff03 && !rd_be16(&frame, &protocol))
		return; /* RFC 1662 3.1: address and control may be there */
	/* RFC 1661 2: first byte even, last byte odd */
	if ((protocol & 0x0101) != 0x0001)
		return;
	input(p, protocol, frame);
}

void
ppp_note_data(struct ppp *p, uint64_t now_ms)
{
	if (enter(p, now_ms))
		link_note_life(p);
}

int
ppp_verdict(struct ppp *p, const struct ppp_verdict *verdict, uint64_t now_ms)
{
	if (!enter(p, now_ms) || p->auth.state != AUTH_ASKED ||
	    (verdict->serial != 0 && verdict->serial != p->auth.serial))
		return -ENOENT;
	if (verdict->accept) {
		ipcp_grant(p, verdict);
		ipv6cp_grant(p, verdict);
	}
	auth_answered(p, verdict->accept, verdict->message);
	return 0;
}

void
ppp_close(struct ppp *p, const char *why, uint64_t now_ms)
{
	if (enter(p, now_ms))
		link_fail(p, why, false);
}

void
ppp_tick(struct ppp *p, uint64_t now_ms)
{
	if (!enter(p, now_ms))
		return;
	lcp_tick(p);
	auth_tick(p);
	fsm_tick(&p->ipcp.ncp.fsm, now_ms);
	fsm_tick(&p->ipv6cp.ncp.fsm, now_ms);
	if (now_ms >= p->setup_limit_ms) {
		p->setup_limit_ms = UINT64_MAX;
		link_fail(p, "setup-timeout", true);
	}
	if (now_ms >= p->no_ncp_ms) {
		p->no_ncp_ms = UINT64_MAX;
		link_fail(p, "no-ncp", true);
	}
}

uint64_t
ppp_deadline(const struct ppp *p)
{
	const uint64_t all[] = {p->lcp.fsm.deadline_ms, p->lcp.echo_deadline_ms,
	    p->auth.resend_ms, p->auth.limit_ms, p->ipcp.ncp.fsm.deadline_ms,
	    p->ipv6cp.ncp.fsm.deadline_ms, p->setup_limit_ms, p->no_ncp_ms};
	uint64_t first = UINT64_MAX;
	size_t i;

	if (p->phase == LINK_OVER)
		return UINT64_MAX;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] < first)
			first = all[i];
	return first;
}

static void
fill_ask(const struct ppp *p, struct ppp_ask *ret)
{
	const struct link_ask *k = &p->ask;
	bool chap = p->auth.method != PPP_AUTH_PAP;

	*ret = (struct ppp_ask){.method = p->auth.method,
	    .chap_id = k->chap_id,
	    .serial = p->auth.serial,
	    .name = rd_init(p->arena + k->name_at, k->name_bytes),
	    .challenge = rd_init(
		p->auth.challenge, chap ? sizeof(p->auth.challenge) : 0),
	    .response = rd_init(p->arena + k->response_at, k->response_bytes)};
}

bool
ppp_next_effect(struct ppp *p, struct ppp_effect *ret)
{
	const struct link_effect *e = &p->effect[p->effect_head];

	if (p->effect_count == 0) {
		link_arena_drop(p);
		return false;
	}
	*ret = (struct ppp_effect){.type = e->type};
	switch (ret->type) {
	case PPP_EFFECT_SEND:
		ret->data = rd_init(p->arena + e->at, e->bytes);
		break;
	case PPP_EFFECT_ASK:
		fill_ask(p, &ret->ask);
		break;
	case PPP_EFFECT_IPV4_UP:
		memcpy(ret->ipv4_local, p->ipcp.local, 4);
		memcpy(ret->ipv4_peer, p->ipcp.peer, 4);
		memcpy(ret->ipv4_dns, p->ipcp.dns, sizeof(ret->ipv4_dns));
		break;
	case PPP_EFFECT_IPV6_UP:
		memcpy(ret->ifid_local, p->ipv6cp.local, 8);
		memcpy(ret->ifid_peer, p->ipv6cp.peer, 8);
		break;
	case PPP_EFFECT_DOWN:
		ret->why = p->why;
		ret->by_peer = p->by_peer;
		break;
	default:
		break;
	}
	p->effect_head = (uint8_t)((p->effect_head + 1u) % LINK_EFFECTS);
	p->effect_count--;
	return true;
}

/* RFC 1661 6.1: 1500 when the peer says nothing. A larger one than ours is of
 * no use on this path. */
uint16_t
ppp_peer_mru(const struct ppp *p)
{
	uint16_t mru = p->lcp.peer_mru;

	if (mru == 0)
		return MRU_MOST;
	return mru < LINK_MRU_LEAST || mru > MRU_MOST ? p->cfg->mru : mru;
}

bool
ppp_ipv4_is_up(const struct ppp *p)
{
	return p->ipcp.ncp.fsm.state == FSM_OPENED;
}

bool
ppp_ipv6_is_up(const struct ppp *p)
{
	return p->ipv6cp.ncp.fsm.state == FSM_OPENED;
}

const char *
ppp_state_name(const struct ppp *p)
{
	return fsm_state_name(p->lcp.fsm.state);
}
