/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipcp.c: the IP Control Protocol (RFC 1332) with the name server options of
 * RFC 1877, on fsm.c. The server gives the one address of the verdict and
 * insists on it; the client asks for an address and two DNS servers.
 *
 * Options: IP-Address (3), DNS (129, 131), NBNS (130, 132). IP-Addresses (1)
 * is deprecated and Van Jacobson compression (2) useless here: rejected, like
 * all others. A peer that will not take its address gets no IPCP.
 */
#include <string.h>

#include "ppp-glue/engine/link.h"

enum {
	OPT_ADDRESS = 3, /* RFC 1332 3.3 */
	OPT_DNS1 = 129,  /* RFC 1877 1.1 */
	OPT_NBNS1 = 130, /* RFC 1877 1.2 */
	OPT_DNS2 = 131,  /* RFC 1877 1.3 */
	OPT_NBNS2 = 132, /* RFC 1877 1.4 */
};

static const uint8_t none[4];

static bool
is_none(const uint8_t a[4])
{
	return memcmp(a, none, sizeof(none)) == 0;
}

static void
write_request(struct ppp *p, struct wr *w)
{
	const struct ipcp *c = &p->ipcp;

	if (c->ask_address)
		fsm_write_option(w, OPT_ADDRESS, c->local, 4);
	if (c->ask_dns[0])
		fsm_write_option(w, OPT_DNS1, c->dns[0], 4);
	if (c->ask_dns[1])
		fsm_write_option(w, OPT_DNS2, c->dns[1], 4);
}

static void
judge_begin(struct ppp *p)
{
	p->ipcp.judged_address = false;
	memset(p->ipcp.judged, 0, sizeof(p->ipcp.judged));
}

/* The peer must ask for exactly this; none: we have nothing to give. */
static enum fsm_opinion
judge_given(
    uint8_t type, struct rd value, const uint8_t give[4], struct wr *nak)
{
	uint8_t a[4];

	if (is_none(give))
		return FSM_REJECT_IT;
	if (value.left == 4 && rd_bytes(&value, a, 4) &&
	    memcmp(a, give, 4) == 0)
		return FSM_OK;
	fsm_write_option(nak, type, give, 4);
	return FSM_NAK_IT;
}

static enum fsm_opinion
judge_address(struct ppp *p, struct rd value, struct wr *nak)
{
	struct ipcp *c = &p->ipcp;
	enum fsm_opinion o;
	uint8_t a[4];

	if (p->cfg->server) {
		o = judge_given(OPT_ADDRESS, value, c->peer, nak);
		if (o == FSM_OK)
			memcpy(c->judged, c->peer, 4);
		/* a wrong address is still an attempt: it is Naked already */
		c->judged_address = true;
		return o;
	}
	/* a client has no address to give. RFC 1332 3.3 */
	if (value.left != 4 || !rd_bytes(&value, a, 4) || is_none(a))
		return FSM_REJECT_IT;
	memcpy(c->judged, a, 4);
	c->judged_address = true;
	return FSM_OK;
}

static enum fsm_opinion
judge(struct ppp *p, uint8_t type, struct rd value, struct wr *nak)
{
	struct ipcp *c = &p->ipcp;

	if (type == OPT_ADDRESS)
		return judge_address(p, value, nak);
	if (!p->cfg->server)
		return FSM_REJECT_IT;
	switch (type) {
	case OPT_DNS1:
		return judge_given(type, value, c->dns[0], nak);
	case OPT_DNS2:
		return judge_given(type, value, c->dns[1], nak);
	case OPT_NBNS1:
		return judge_given(type, value, c->nbns[0], nak);
	case OPT_NBNS2:
		return judge_given(type, value, c->nbns[1], nak);
	default:
		return FSM_REJECT_IT;
	}
}

/* RFC 1332 3.3: "a prompt for the value": the option is added to the Nak. A
 * peer that has been prompted often enough is stubborn. */
static void
judge_missing(struct ppp *p, struct wr *nak)
{
	if (!p->cfg->server || p->ipcp.judged_address)
		return;
	if (nak != NULL)
		fsm_write_option(nak, OPT_ADDRESS, p->ipcp.peer, 4);
	else
		fsm_close(&p->ipcp.ncp.fsm);
}

static void
agreed(struct ppp *p)
{
	if (!p->cfg->server)
		memcpy(p->ipcp.peer, p->ipcp.judged, 4);
}

static void
naked(struct ppp *p, uint8_t type, struct rd value)
{
	struct ipcp *c = &p->ipcp;
	uint8_t a[4];

	if (p->cfg->server || value.left != 4 || !rd_bytes(&value, a, 4))
		return; /* a server's address is not the peer's affair */
	if (type == OPT_ADDRESS && c->ask_address)
		memcpy(c->local, a, 4);
	else if (type == OPT_DNS1 && c->ask_dns[0])
		memcpy(c->dns[0], a, 4);
	else if (type == OPT_DNS2 && c->ask_dns[1])
		memcpy(c->dns[1], a, 4);
}

static void
rejected(struct ppp *p, uint8_t type)
{
	struct ipcp *c = &p->ipcp;
	int i;

	if (type == OPT_ADDRESS)
		c->ask_address = false;
	if (type != OPT_DNS1 && type != OPT_DNS2)
		return;
	i = type == OPT_DNS2;
	c->ask_dns[i] = false;
	if (!p->cfg->server)
		memset(c->dns[i], 0, 4);
}

static void
ipcp_is_up(struct ppp *p)
{
	/* A client without an address has nothing to talk with. */
	if (is_none(p->ipcp.local)) {
		fsm_close(&p->ipcp.ncp.fsm);
		return;
	}
	link_ncp_up(p, PPP_EFFECT_IPV4_UP);
}

static void
ipcp_is_down(struct ppp *p)
{
	if (!is_none(p->ipcp.local))
		link_ncp_down(p, PPP_EFFECT_IPV4_DOWN);
}

static void
ipcp_is_finished(struct ppp *p)
{
	link_ncp_finished(p, &p->ipcp.ncp);
}

static const struct fsm_ops ipcp_ops = {
    .protocol = LINK_PROTO_IPCP,
    .write_request = write_request,
    .judge_begin = judge_begin,
    .judge = judge,
    .judge_missing = judge_missing,
    .agreed = agreed,
    .naked = naked,
    .rejected = rejected,
    .up = ipcp_is_up,
    .down = ipcp_is_down,
    .finished = ipcp_is_finished,
};

void
ipcp_init(struct ppp *p)
{
	fsm_init(&p->ipcp.ncp.fsm, &ipcp_ops, p);
}

void
ipcp_start(struct ppp *p)
{
	struct ipcp *c = &p->ipcp;

	if (!p->cfg->server) {
		memset(c->local, 0, 4);
		memset(c->peer, 0, 4);
		memset(c->dns, 0, sizeof(c->dns));
		c->ask_dns[0] = c->ask_dns[1] = true;
	}
	c->ask_address = true;
	link_ncp_start(
	    p, &c->ncp, &ipcp_ops, !p->cfg->server || !is_none(c->peer));
}

void
ipcp_grant(struct ppp *p, const struct ppp_verdict *v)
{
	struct ipcp *c = &p->ipcp;

	memcpy(c->local, v->ipv4_local, 4);
	memcpy(c->peer, v->ipv4_peer, 4);
	memcpy(c->dns, v->ipv4_dns, sizeof(c->dns));
	memcpy(c->nbns, v->ipv4_nbns, sizeof(c->nbns));
}
