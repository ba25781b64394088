/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ra.c: router advertisements on a PPP link (contract in ra.h). Owns nothing,
 * trusts no byte of a client.
 *
 * RFC 4861, 4862 and 8106, as a router on a link with one client does them,
 * with these exceptions: there are no link-layer addresses; the prefix is not
 * on-link (L=0), so that the client makes an address of it and sends everything
 * to us; lifetimes are hours, not weeks, because the prefix is the session's.
 * DHCPv6 has name servers, too (O=1), for those who read no RDNSS.
 */
#include "ppp-glue/services/ra.h"

#include <string.h>

#include "ppp-glue/services/names.h"

enum {
	TYPE_ROUTER_ADVERTISEMENT = 134,
	TYPE_NEIGHBOR_ADVERTISEMENT = 136,
	OPT_PREFIX = 3,
	OPT_MTU = 5,
	OPT_RDNSS = 25, /* RFC 8106 5.1 */
	OPT_DNSSL = 31, /* RFC 8106 5.2 */
	FLAG_OTHER = 0x40,
	FLAG_AUTONOMOUS = 0x40,
};

#define HOP_LIMIT          255 /* RFC 4861 6.1.1: nobody has forwarded it */
#define INITIAL            3   /* RFC 4861 10: MAX_INITIAL_RTR_ADVERTISEMENTS */
#define INITIAL_MS         3000
#define INTERVAL_MIN_MS    450000
#define INTERVAL_MS        600000 /* RFC 4861 6.2.1: MaxRtrAdvInterval */
#define ROUTER_LIFETIME_S  1800   /* three of them */
#define VALID_S            7200   /* RFC 4862 5.5.3 (e): no less is believed */
#define PREFERRED_S        3600
#define NEIGHBOR_FLAGS     0xa0000000u /* router, override; RFC 4861 4.4 */
#define NEIGHBOR_SOLICITED 0x40000000u
#define NAMES_MAX          256 /* bytes of a DNSSL option */

static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};
static const uint8_t unspecified[16];

void
ra_timer_stop(struct ra_timer *t)
{
	*t = (struct ra_timer){.due_ms = UINT64_MAX};
}

void
ra_timer_start(struct ra_timer *t, uint64_t now_ms)
{
	*t = (struct ra_timer){.due_ms = now_ms, .initial = INITIAL};
}

bool
ra_timer_fires(struct ra_timer *t, uint64_t now_ms, uint32_t random)
{
	if (now_ms < t->due_ms)
		return false;
	if (t->initial > 0)
		t->initial--;
	t->due_ms = now_ms +
	    (t->initial > 0 ? INITIAL_MS
			    : INTERVAL_MIN_MS +
			random % (INTERVAL_MS - INTERVAL_MIN_MS + 1));
	return true;
}

/* RFC 4861 4.6: none has length zero. */
static bool
options_are_sane(struct rd r)
{
	uint8_t type, len;

	while (r.left > 0)
		if (!rd_u8(&r, &type) || !rd_u8(&r, &len) || len == 0 ||
		    !rd_skip(&r, (size_t)len * 8 - 2))
			return false;
	return true;
}

bool
ra_parse(const struct packet *p, struct ra_question *ret)
{
	struct ra_question q = {.type = RA_ROUTER_SOLICITATION};
	struct rd r = p->payload;
	uint8_t type = 0, code = 1;

	if (p->version != 6 || p->protocol != PACKET_ICMPV6 ||
	    p->hop_limit != HOP_LIMIT)
		return false;
	rd_u8(&r, &type);
	rd_u8(&r, &code);
	rd_skip(&r, 6); /* checksum, reserved */
	q.type = (enum ra_question_type)type;
	if (type == RA_NEIGHBOR_SOLICITATION)
		rd_bytes(&r, q.target, sizeof(q.target));
	else if (type != RA_ROUTER_SOLICITATION)
		return false;
	if (!rd_ok(&r) || code != 0 || q.target[0] == 0xff ||
	    !options_are_sane(r))
		return false;
	memcpy(q.from, p->src, sizeof(q.from));
	q.anonymous = memcmp(q.from, unspecified, sizeof(q.from)) == 0;
	*ret = q;
	return true;
}

static size_t
begin(struct wr *w, const uint8_t from[16], const uint8_t *to, uint8_t type)
{
	struct packet p = {
	    .version = 6, .protocol = PACKET_ICMPV6, .hop_limit = HOP_LIMIT};
	size_t at;

	memcpy(p.src, from, 16);
	memcpy(p.dst, to != NULL ? to : all_nodes, 16);
	at = packet_begin(w, &p);
	wr_u8(w, type);
	wr_u8(w, 0);
	wr_be16(w, 0);
	return at;
}

static void
put_dns(struct wr *w, const struct ra_values *v)
{
	size_t mark;
	uint8_t n = 0;

	wr_u8(w, OPT_RDNSS);
	mark = wr_mark(w);
	wr_u8(w, 0);
	wr_be16(w, 0);
	wr_be32(w, v->last ? 0 : ROUTER_LIFETIME_S);
	for (size_t i = 0; i < 2; i++)
		if (memcmp(v->dns[i], unspecified, 16) != 0) {
			wr_bytes(w, v->dns[i], 16);
			n++;
		}
	if (n > 0)
		wr_patch_u8(w, mark, (uint8_t)(1 + 2 * n));
	else
		wr_rewind(w, mark - 1);
}

static void
put_domains(struct wr *w, const struct ra_values *v)
{
	uint8_t buf[NAMES_MAX];
	size_t count = v->domain_count, bytes;
	struct wr names;

	do { /* as many as fit */
		names = wr_init(buf, sizeof(buf));
		names_put(&names, v->domains, count);
	} while (!wr_ok(&names) && count-- > 0);
	if (count == 0)
		return;
	bytes = wr_rd(&names).left;
	wr_u8(w, OPT_DNSSL);
	wr_u8(w, (uint8_t)(1 + (bytes + 7) / 8));
	wr_be16(w, 0);
	wr_be32(w, v->last ? 0 : ROUTER_LIFETIME_S);
	wr_bytes(w, buf, bytes);
	wr_zero(w, (8 - bytes % 8) % 8);
}

void
ra_build(struct wr *w, const struct ra_values *v, const uint8_t *to)
{
	size_t at = begin(w, v->from, to, TYPE_ROUTER_ADVERTISEMENT);

	wr_u8(w, 64); /* hop limit for the client's packets */
	wr_u8(w, FLAG_OTHER);
	wr_be16(w, v->last ? 0 : ROUTER_LIFETIME_S);
	wr_zero(w, 8); /* reachable time, retransmission: the client's own */
	wr_u8(w, OPT_PREFIX);
	wr_u8(w, 4);
	wr_u8(w, 64);
	wr_u8(w, FLAG_AUTONOMOUS);
	wr_be32(w, v->last ? 0 : VALID_S);
	wr_be32(w, v->last ? 0 : PREFERRED_S);
	wr_zero(w, 4);
	wr_bytes(w, v->prefix, 8);
	wr_zero(w, 8);
	wr_u8(w, OPT_MTU);
	wr_u8(w, 1);
	wr_be16(w, 0);
	wr_be32(w, v->mtu);
	put_dns(w, v);
	put_domains(w, v);
	packet_end(w, at);
}

void
ra_build_neighbor(
    struct wr *w, const uint8_t from[16], const struct ra_question *q)
{
	size_t at = begin(w, from, q->anonymous ? NULL : q->from,
	    TYPE_NEIGHBOR_ADVERTISEMENT);

	wr_be32(w, NEIGHBOR_FLAGS | (q->anonymous ? 0 : NEIGHBOR_SOLICITED));
	wr_bytes(w, from, 16);
	packet_end(w, at);
}
