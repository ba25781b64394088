/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lcp.c: the Link Control Protocol (RFC 1661 5 and 6, RFC 1570 2) on fsm.c.
 * Owns magic numbers, the peer's MRU, the choice of the authentication
 * protocol, and echoes. Everything in here comes before authentication.
 *
 * We ask for MRU, Authentication-Protocol (server) and Magic-Number. All else
 * that a peer offers is rejected: ACCM (2) means nothing without HDLC; PFC (7)
 * and ACFC (8) would save 3 bytes for a second data format; callback (13) and
 * multilink (17, 18, 19, 23) are not for a tunnel. Identification and
 * Time-Remaining (RFC 1570 2.1, 2.2) are accepted in silence: Windows sends
 * them.
 */
#include <string.h>

#include "ppp-glue/engine/link.h"

enum {
	OPT_MRU = 1,   /* RFC 1661 6.1 */
	OPT_AUTH = 3,  /* RFC 1661 6.2 */
	OPT_MAGIC = 5, /* RFC 1661 6.4 */

	CODE_PROTOCOL_REJECT = 8,  /* RFC 1661 5.7 */
	CODE_ECHO_REQUEST = 9,     /* RFC 1661 5.8 */
	CODE_ECHO_REPLY = 10,      /* RFC 1661 5.8 */
	CODE_DISCARD_REQUEST = 11, /* RFC 1661 5.9 */
	CODE_IDENTIFICATION = 12,  /* RFC 1570 2.1 */
	CODE_TIME_REMAINING = 13,  /* RFC 1570 2.2 */

	MRU_DEFAULT = 1500, /* RFC 1661 6.1 */
	LOOPS_MAX = 5,
};

/* The value of the Authentication-Protocol option. RFC 1661 6.2 */
static const struct {
	enum ppp_auth_method method;
	uint16_t protocol;
	int algorithm; /* RFC 1994 3, RFC 2759 3; -1: none */
} auth_value[] = {
    {PPP_AUTH_MSCHAPV2, LINK_PROTO_CHAP, 0x81},
    {PPP_AUTH_CHAP_MD5, LINK_PROTO_CHAP, 5},
    {PPP_AUTH_PAP, LINK_PROTO_PAP, -1},
};
#define AUTH_VALUES (sizeof(auth_value) / sizeof(auth_value[0]))

static void
write_auth(struct wr *w, enum ppp_auth_method method)
{
	uint8_t buf[3];
	struct wr v = wr_init(buf, sizeof(buf));
	size_t i;

	for (i = 0; i < AUTH_VALUES; i++) {
		if (auth_value[i].method != method)
			continue;
		wr_be16(&v, auth_value[i].protocol);
		if (auth_value[i].algorithm >= 0)
			wr_u8(&v, (uint8_t)auth_value[i].algorithm);
		fsm_write_option(w, OPT_AUTH, buf, v.len);
	}
}

static enum ppp_auth_method
read_auth(struct rd value)
{
	uint16_t protocol;
	uint8_t algorithm;
	int alg = -1;
	size_t i;

	if (!rd_be16(&value, &protocol))
		return PPP_AUTH_NONE;
	if (rd_u8(&value, &algorithm))
		alg = algorithm;
	for (i = 0; i < AUTH_VALUES; i++)
		if (auth_value[i].protocol == protocol &&
		    auth_value[i].algorithm == alg && value.left == 0)
			return auth_value[i].method;
	return PPP_AUTH_NONE;
}

static void
write_u16_option(struct wr *w, uint8_t type, uint16_t v)
{
	uint8_t buf[2];
	struct wr b = wr_init(buf, sizeof(buf));

	wr_be16(&b, v);
	fsm_write_option(w, type, buf, sizeof(buf));
}

static void
write_u32_option(struct wr *w, uint8_t type, uint32_t v)
{
	uint8_t buf[4];
	struct wr b = wr_init(buf, sizeof(buf));

	wr_be32(&b, v);
	fsm_write_option(w, type, buf, sizeof(buf));
}

/* RFC 1661 6.4: never zero, hard to guess */
static uint32_t
new_magic(struct ppp *p)
{
	uint32_t v;

	do
		link_random(p, &v, sizeof(v));
	while (v == 0 && p->cfg->random == NULL);
	return v != 0 ? v : 1;
}

static void
write_request(struct ppp *p, struct wr *w)
{
	if (p->lcp.ask_mru)
		write_u16_option(w, OPT_MRU, p->cfg->mru);
	if (p->cfg->server)
		write_auth(w, p->lcp.auth);
	if (p->lcp.ask_magic)
		write_u32_option(w, OPT_MAGIC, p->lcp.magic);
}

static void
judge_begin(struct ppp *p)
{
	p->lcp.judged_mru = 0;
	p->lcp.judged_magic = 0;
	p->lcp.judged_auth = PPP_AUTH_NONE;
}

static enum fsm_opinion
judge_mru(struct ppp *p, struct rd value, struct wr *nak)
{
	uint16_t mru;

	if (!rd_be16(&value, &mru) || value.left > 0 || mru < LINK_MRU_LEAST) {
		write_u16_option(nak, OPT_MRU, p->cfg->mru);
		return FSM_NAK_IT;
	}
	p->lcp.judged_mru = mru;
	return FSM_OK;
}

/* RFC 1661 6.4: our own number coming back means a loop (or bad luck) */
static enum fsm_opinion
judge_magic(struct ppp *p, struct rd value, struct wr *nak)
{
	uint32_t magic;

	if (rd_be32(&value, &magic) && value.left == 0 && magic != 0) {
		if (!p->lcp.ask_magic || magic != p->lcp.magic) {
			p->lcp.judged_magic = magic;
			return FSM_OK;
		}
		if (++p->lcp.loops >= LOOPS_MAX)
			link_fail(p, "looped-back", true);
	}
	write_u32_option(nak, OPT_MAGIC, new_magic(p));
	return FSM_NAK_IT;
}

/* A server never authenticates itself: it rejects. A client accepts what its
 * configuration lists. */
static enum fsm_opinion
judge_auth(struct ppp *p, struct rd value, struct wr *nak)
{
	enum ppp_auth_method m = read_auth(value);

	if (p->cfg->server || p->cfg->methods[0] == PPP_AUTH_NONE)
		return FSM_REJECT_IT;
	if (m != PPP_AUTH_NONE && auth_allowed(p->cfg, m)) {
		p->lcp.judged_auth = m;
		return FSM_OK;
	}
	write_auth(nak, p->cfg->methods[0]);
	return FSM_NAK_IT;
}

static enum fsm_opinion
judge(struct ppp *p, uint8_t type, struct rd value, struct wr *nak)
{
	switch (type) {
	case OPT_MRU:
		return judge_mru(p, value, nak);
	case OPT_AUTH:
		return judge_auth(p, value, nak);
	case OPT_MAGIC:
		return judge_magic(p, value, nak);
	default:
		return FSM_REJECT_IT;
	}
}

static void
agreed(struct ppp *p)
{
	p->lcp.peer_mru = p->lcp.judged_mru;
	p->lcp.peer_magic = p->lcp.judged_magic;
	p->lcp.peer_auth = p->lcp.judged_auth;
	p->lcp.loops = 0;
}

static void
rejected(struct ppp *p, uint8_t type)
{
	switch (type) {
	case OPT_MRU:
		p->lcp.ask_mru = false;
		break;
	case OPT_MAGIC:
		p->lcp.ask_magic = false;
		break;
	case OPT_AUTH: /* never go on without. RFC 1661 6.2 */
		if (p->cfg->server)
			link_fail(p,
			    p->lcp.loops > 0 ? "looped-back" : "auth-rejected",
			    true);
		break;
	default:
		break;
	}
}

/* RFC 1661 5.3. Another MRU than ours is of no use: it says what we can
 * receive, and the peer may always send less. */
static void
naked(struct ppp *p, uint8_t type, struct rd value)
{
	enum ppp_auth_method m;

	switch (type) {
	case OPT_MAGIC:
		p->lcp.magic = new_magic(p);
		break;
	case OPT_AUTH:
		if (!p->cfg->server)
			break;
		m = read_auth(value);
		if (m != PPP_AUTH_NONE && auth_allowed(p->cfg, m))
			p->lcp.auth = m;
		else
			link_fail(p, "auth-rejected", true);
		break;
	default:
		break;
	}
}

static void
lcp_is_up(struct ppp *p)
{
	p->lcp.echo_open = 0;
	p->lcp.echo_deadline_ms = UINT64_MAX;
	if (p->cfg->echo_interval_ms > 0 && p->lcp.echo_works)
		p->lcp.echo_deadline_ms = p->now_ms + p->cfg->echo_interval_ms;
	link_established(p);
}

static void
lcp_is_down(struct ppp *p)
{
	p->lcp.echo_deadline_ms = UINT64_MAX;
	link_lost(p);
}

/* A magic number that is ours came back to us by a loop. RFC 1661 5.8 */
static bool
foreign_magic(const struct ppp *p, struct rd *r)
{
	uint32_t magic;

	return rd_be32(r, &magic) &&
	    (!p->lcp.ask_magic || magic != p->lcp.magic);
}

static uint32_t
echo_magic(const struct ppp *p)
{
	return p->lcp.ask_magic ? p->lcp.magic : 0;
}

/* ser: only in Opened. RFC 1661 5.8 */
static void
echo(struct ppp *p, const struct fsm_packet *pkt)
{
	struct rd r = pkt->body;
	struct wr w;
	size_t n;

	if (!foreign_magic(p, &r))
		return;
	link_note_life(p);
	if (pkt->code != CODE_ECHO_REQUEST ||
	    !ratelimit_take(&p->echoes, p->now_ms) ||
	    !link_packet_begin(p, LINK_PROTO_LCP, CODE_ECHO_REPLY, pkt->id, &w))
		return;
	wr_be32(&w, echo_magic(p));
	n = r.left < w.cap - w.len ? r.left : w.cap - w.len;
	wr_bytes(&w, r.p, n);
	link_packet_end(p, &w);
}

/* RFC 1661 5.7: the peer does not speak a protocol */
static void
receive_protocol_reject(struct ppp *p, struct rd r)
{
	uint16_t protocol;

	if (p->lcp.fsm.state != FSM_OPENED || !rd_be16(&r, &protocol))
		return;
	switch (protocol) {
	case LINK_PROTO_LCP:
		link_fail(p, "lcp-rejected", true);
		break;
	case LINK_PROTO_CHAP:
	case LINK_PROTO_PAP:
		if (p->phase == LINK_AUTHENTICATE)
			link_fail(p, "auth-rejected", true);
		break;
	case LINK_PROTO_IPCP:
	case PPP_PROTO_IPV4:
		fsm_protocol_rejected(&p->ipcp.ncp.fsm);
		break;
	case LINK_PROTO_IPV6CP:
	case PPP_PROTO_IPV6:
		fsm_protocol_rejected(&p->ipv6cp.ncp.fsm);
		break;
	default:
		break;
	}
}

static bool
other_code(struct ppp *p, const struct fsm_packet *pkt)
{
	switch (pkt->code) {
	case CODE_PROTOCOL_REJECT:
		receive_protocol_reject(p, pkt->body);
		return true;
	case CODE_ECHO_REQUEST:
	case CODE_ECHO_REPLY:
	case CODE_DISCARD_REQUEST:
		fsm_receive_rxr(&p->lcp.fsm, pkt);
		return true;
	case CODE_IDENTIFICATION:
	case CODE_TIME_REMAINING:
		return true;
	default:
		return false;
	}
}

static void
code_rejected(struct ppp *p, uint8_t code)
{
	if (code != CODE_ECHO_REQUEST)
		return;
	p->lcp.echo_works = false;
	p->lcp.echo_deadline_ms = UINT64_MAX;
}

static const struct fsm_ops lcp_ops = {
    .protocol = LINK_PROTO_LCP,
    .write_request = write_request,
    .judge_begin = judge_begin,
    .judge = judge,
    .agreed = agreed,
    .naked = naked,
    .rejected = rejected,
    .up = lcp_is_up,
    .down = lcp_is_down,
    .finished = link_over,
    .other_code = other_code,
    .echo = echo,
    .code_rejected = code_rejected,
};

void
lcp_init(struct ppp *p)
{
	fsm_init(&p->lcp.fsm, &lcp_ops, p);
	p->lcp.magic = new_magic(p);
	p->lcp.ask_mru = p->cfg->mru != MRU_DEFAULT;
	p->lcp.ask_magic = true;
	p->lcp.auth = p->cfg->server ? p->cfg->methods[0] : PPP_AUTH_NONE;
	p->lcp.echo_works = true;
	p->lcp.echo_deadline_ms = UINT64_MAX;
}

void
lcp_protocol_reject(struct ppp *p, uint16_t protocol, struct rd info)
{
	struct wr w;
	size_t n;

	if (!link_may_reject(p) ||
	    !link_packet_begin(
		p, LINK_PROTO_LCP, CODE_PROTOCOL_REJECT, ++p->lcp.fsm.id, &w))
		return;
	wr_be16(&w, protocol);
	n = info.left < w.cap - w.len ? info.left : w.cap - w.len;
	wr_bytes(&w, info.p, n);
	link_packet_end(p, &w);
}

void
lcp_tick(struct ppp *p)
{
	struct wr w;

	fsm_tick(&p->lcp.fsm, p->now_ms);
	if (p->now_ms < p->lcp.echo_deadline_ms)
		return;
	if (p->lcp.echo_open > 0 && p->lcp.echo_open >= p->cfg->echo_failures) {
		link_fail(p, "echo-timeout", true);
		return;
	}
	p->lcp.echo_open++;
	p->lcp.echo_deadline_ms = p->now_ms + p->cfg->echo_interval_ms;
	if (!link_packet_begin(
		p, LINK_PROTO_LCP, CODE_ECHO_REQUEST, ++p->lcp.fsm.id, &w))
		return;
	wr_be32(&w, echo_magic(p));
	link_packet_end(p, &w);
}
