/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipv6cp.c: the IPv6 Control Protocol (RFC 5072 4) on fsm.c, done as
 * specified, both roles. Only Interface-Identifier (1) is known; compression
 * (RFC 5172) is rejected. Addresses come later, by router advertisement.
 */
#include <string.h>

#include "ppp-glue/engine/link.h"

enum {
	OPT_IFID = 1, /* RFC 5072 4.1 */
	IFID_BYTES = 8,
};

static bool
is_zero(const uint8_t id[IFID_BYTES])
{
	static const uint8_t zero[IFID_BYTES];

	return memcmp(id, zero, IFID_BYTES) == 0;
}

/* RFC 5072 4.1: a random identifier has the "u" bit cleared, is not zero, and
 * differs from the other side's */
static void
new_ifid(
    struct ppp *p, const uint8_t other[IFID_BYTES], uint8_t ret[IFID_BYTES])
{
	link_random(p, ret, IFID_BYTES);
	ret[0] &= (uint8_t)~2u;
	if (is_zero(ret))
		ret[7] = 1;
	if (memcmp(ret, other, IFID_BYTES) == 0)
		ret[7] ^= 2;
}

static void
write_request(struct ppp *p, struct wr *w)
{
	if (p->ipv6cp.ask_ifid)
		fsm_write_option(w, OPT_IFID, p->ipv6cp.local, IFID_BYTES);
}

static void
judge_begin(struct ppp *p)
{
	p->ipv6cp.judged_ifid = false;
}

static void
suggest(struct ppp *p, struct wr *nak)
{
	uint8_t id[IFID_BYTES];

	if (is_zero(p->ipv6cp.assigned))
		new_ifid(p, p->ipv6cp.local, id);
	else
		memcpy(id, p->ipv6cp.assigned, IFID_BYTES);
	fsm_write_option(nak, OPT_IFID, id, IFID_BYTES);
}

static enum fsm_opinion
judge(struct ppp *p, uint8_t type, struct rd value, struct wr *nak)
{
	struct ipv6cp *c = &p->ipv6cp;
	uint8_t id[IFID_BYTES];

	if (type != OPT_IFID)
		return FSM_REJECT_IT;
	c->judged_ifid = true;
	if (value.left == IFID_BYTES && rd_bytes(&value, id, IFID_BYTES) &&
	    !is_zero(id) && memcmp(id, c->local, IFID_BYTES) != 0 &&
	    (is_zero(c->assigned) ||
		memcmp(id, c->assigned, IFID_BYTES) == 0)) {
		memcpy(c->judged, id, IFID_BYTES);
		return FSM_OK;
	}
	suggest(p, nak);
	return FSM_NAK_IT;
}

static void
judge_missing(struct ppp *p, struct wr *nak)
{
	if (p->ipv6cp.judged_ifid)
		return;
	if (nak != NULL)
		suggest(p, nak);
	else
		fsm_close(&p->ipv6cp.ncp.fsm);
}

static void
agreed(struct ppp *p)
{
	memcpy(p->ipv6cp.peer, p->ipv6cp.judged, IFID_BYTES);
}

static void
naked(struct ppp *p, uint8_t type, struct rd value)
{
	struct ipv6cp *c = &p->ipv6cp;
	uint8_t id[IFID_BYTES];

	if (type != OPT_IFID)
		return;
	/* RFC 5072 4.1: take a usable suggestion, which the peer's own is
	 * not; a server makes its own */
	if (!p->cfg->server && value.left == IFID_BYTES &&
	    rd_bytes(&value, id, IFID_BYTES) && !is_zero(id) &&
	    memcmp(id, c->peer, IFID_BYTES) != 0)
		memcpy(c->local, id, IFID_BYTES);
	else
		new_ifid(
		    p, is_zero(c->assigned) ? c->peer : c->assigned, c->local);
}

static void
rejected(struct ppp *p, uint8_t type)
{
	if (type == OPT_IFID)
		p->ipv6cp.ask_ifid = false;
}

static void
ipv6cp_is_up(struct ppp *p)
{
	link_ncp_up(p, PPP_EFFECT_IPV6_UP);
}

static void
ipv6cp_is_down(struct ppp *p)
{
	link_ncp_down(p, PPP_EFFECT_IPV6_DOWN);
}

static void
ipv6cp_is_finished(struct ppp *p)
{
	link_ncp_finished(p, &p->ipv6cp.ncp);
}

static const struct fsm_ops ipv6cp_ops = {
    .protocol = LINK_PROTO_IPV6CP,
    .write_request = write_request,
    .judge_begin = judge_begin,
    .judge = judge,
    .judge_missing = judge_missing,
    .agreed = agreed,
    .naked = naked,
    .rejected = rejected,
    .up = ipv6cp_is_up,
    .down = ipv6cp_is_down,
    .finished = ipv6cp_is_finished,
};

void
ipv6cp_init(struct ppp *p)
{
	fsm_init(&p->ipv6cp.ncp.fsm, &ipv6cp_ops, p);
}

void
ipv6cp_start(struct ppp *p)
{
	struct ipv6cp *c = &p->ipv6cp;

	c->ask_ifid = true;
	memset(c->peer, 0, IFID_BYTES);
	if (!is_zero(p->cfg->ifid))
		memcpy(c->local, p->cfg->ifid, IFID_BYTES);
	else if (p->cfg->ipv6)
		new_ifid(p, c->assigned, c->local);
	link_ncp_start(p, &c->ncp, &ipv6cp_ops, p->cfg->ipv6);
}

void
ipv6cp_grant(struct ppp *p, const struct ppp_verdict *v)
{
	memcpy(p->ipv6cp.assigned, v->ifid_peer, IFID_BYTES);
}
