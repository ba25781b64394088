/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dhcp.c: DHCPINFORM and its DHCPACK (contract in dhcp.h). Owns nothing, trusts
 * no byte of a client.
 *
 * RFC 2131 and 2132, as far as a DHCPINFORM goes, and RFC 3442; with these
 * exceptions, for the clients that ask over PPP:
 *  - macOS reads an answer only if option 53 comes first, and knows routes as
 *    option 249 (MS-DHCPE 2.2.8) only; it splits several domains of option 15;
 *  - Windows takes option 15 as one domain: it gets the first one;
 *  - what is longer than an option is cut: neither puts parts together (RFC
 *    3396);
 *  - options in the fields sname and file (RFC 2132 9.3) are not looked for.
 */
#include "ppp-glue/services/dhcp.h"

#include <string.h>

enum {
	OP_REQUEST = 1,
	OP_REPLY = 2,
	OPT_PAD = 0,
	OPT_DNS = 6,
	OPT_DOMAIN = 15,
	OPT_TYPE = 53,
	OPT_SERVER = 54,
	OPT_LIST = 55,
	OPT_MAX_BYTES = 57,
	OPT_VENDOR_CLASS = 60,
	OPT_ROUTES = 121,
	OPT_MS_ROUTES = 249,
	OPT_END = 255,
	TYPE_ACK = 5,
	TYPE_INFORM = 8,
};

#define COOKIE        0x63825363u /* RFC 2131 3 */
#define NAMES_BYTES   192         /* sname and file */
#define SMALLEST      576 /* what any client takes, RFC 2131 2; IP and all */
#define OPTION_MAX    255 /* bytes */
#define MESSAGE_BYTES 300 /* RFC 1542 2.1: no smaller */
#define HEADERS_BYTES 28  /* IP and UDP */
#define TTL           64

static void
take_list(struct rd list, struct dhcp_inform *q)
{
	uint8_t code;

	while (rd_u8(&list, &code)) {
		q->wants_dns |= code == OPT_DNS;
		q->wants_domain |= code == OPT_DOMAIN;
		q->wants_routes |= code == OPT_ROUTES;
		q->wants_ms_routes |= code == OPT_MS_ROUTES;
	}
}

static void
take_option(uint8_t code, struct rd value, struct dhcp_inform *q, uint8_t *type)
{
	static const char microsoft[4] = {'M', 'S', 'F', 'T'};
	uint8_t vendor[sizeof(microsoft)];

	switch (code) {
	case OPT_TYPE:
		if (value.left == 1)
			rd_u8(&value, type);
		break;
	case OPT_LIST:
		take_list(value, q);
		break;
	case OPT_MAX_BYTES:
		if (value.left == 2)
			rd_be16(&value, &q->max_bytes);
		break;
	case OPT_VENDOR_CLASS:
		if (rd_bytes(&value, vendor, sizeof(vendor)))
			q->microsoft |=
			    memcmp(vendor, microsoft, sizeof(vendor)) == 0;
		break;
	default:
		break;
	}
}

/* RFC 2132 2. A client may leave out the end. */
static const char *
parse_options(struct rd *r, struct dhcp_inform *q)
{
	uint8_t code = OPT_PAD, len, type = 0;
	struct rd value;

	while (r->left > 0 && rd_u8(r, &code) && code != OPT_END) {
		if (code == OPT_PAD)
			continue;
		if (!rd_u8(r, &len) || !rd_sub(r, len, &value))
			return "an option is longer than the message";
		take_option(code, value, q, &type);
	}
	return type == TYPE_INFORM ? NULL : "not a DHCPINFORM";
}

static const char *
parse_message(struct rd r, const uint8_t address[4], struct dhcp_inform *q)
{
	static const uint8_t none[4];
	uint8_t op = 0, relay[4];
	uint32_t cookie = 0;

	rd_u8(&r, &op);
	rd_u8(&r, &q->htype);
	rd_u8(&r, &q->hlen);
	rd_skip(&r, 1); /* hops */
	rd_be32(&r, &q->xid);
	rd_skip(&r, 2); /* secs */
	rd_be16(&r, &q->flags);
	rd_bytes(&r, q->ciaddr, 4);
	rd_skip(&r, 8); /* yiaddr, siaddr */
	rd_bytes(&r, relay, 4);
	rd_bytes(&r, q->chaddr, sizeof(q->chaddr));
	rd_skip(&r, NAMES_BYTES);
	if (!rd_be32(&r, &cookie) || cookie != COOKIE)
		return "not DHCP";
	if (op != OP_REQUEST || q->hlen > sizeof(q->chaddr))
		return "not a request";
	if (memcmp(q->ciaddr, address, 4) != 0)
		return "about another address";
	if (memcmp(relay, none, 4) != 0)
		return "from a relay";
	return parse_options(&r, q);
}

bool
dhcp_parse_inform(const struct packet *p, const uint8_t address[4],
    const uint8_t server[4], struct dhcp_inform *ret, const char **ret_why)
{
	static const uint8_t all[4] = {255, 255, 255, 255};
	struct dhcp_inform q;
	const char *why;

	memset(&q, 0, sizeof(q));
	if (p->version != 4 || p->protocol != PACKET_UDP ||
	    p->dport != DHCP_SERVER_PORT)
		why = "not to the DHCP port";
	else if (memcmp(p->dst, all, 4) != 0 && memcmp(p->dst, server, 4) != 0)
		why = "to somebody else";
	else if (memcmp(p->src, address, 4) != 0)
		why = "from another address";
	else
		why = parse_message(p->payload, address, &q);
	if (why != NULL) {
		*ret_why = why;
		return false;
	}
	*ret = q;
	return true;
}

/* ---- the answer ---- */

static void
put_dns(struct wr *w, const struct dhcp_answer *a)
{
	static const uint8_t none[4];
	size_t mark;
	uint8_t n = 0;

	wr_u8(w, OPT_DNS);
	mark = wr_mark(w);
	wr_u8(w, 0);
	for (size_t i = 0; i < 2; i++)
		if (memcmp(a->dns[i], none, 4) != 0) {
			wr_bytes(w, a->dns[i], 4);
			n++;
		}
	if (n > 0)
		wr_patch_u8(w, mark, (uint8_t)(4 * n));
	else
		wr_rewind(w, mark - 1);
}

/* The first, or all that fit with commas in between. */
static void
put_domains(struct wr *w, const struct dhcp_answer *a, size_t count)
{
	const char *d = a->domains;
	size_t mark, n = 0, len;

	if (count == 0)
		return;
	wr_u8(w, OPT_DOMAIN);
	mark = wr_mark(w);
	wr_u8(w, 0);
	for (size_t i = 0; i < count; i++, d += len + 1) {
		len = strlen(d);
		if (n + len + 1 > OPTION_MAX)
			break;
		if (i > 0)
			wr_u8(w, ',');
		wr_bytes(w, d, len);
		n += len + (i > 0);
	}
	wr_patch_u8(w, mark, (uint8_t)n);
}

/* RFC 3442: the bits that count, then the next hop. Returns how many routes do
 * not fit into max bytes of value. */
static size_t
put_routes(struct wr *w, uint8_t code, const struct dhcp_answer *a, size_t max)
{
	size_t mark, n = 0, len, i;

	wr_u8(w, code);
	mark = wr_mark(w);
	wr_u8(w, 0);
	for (i = 0; i < a->route_count; i++) {
		const struct ipv4_network *r = &a->routes[i];

		len = (size_t)(r->bits + 7) / 8;
		if (n + len + 5 > max)
			break;
		wr_u8(w, r->bits);
		wr_bytes(w, r->net, len);
		wr_bytes(w, a->server, 4);
		n += len + 5;
	}
	if (n > 0)
		wr_patch_u8(w, mark, (uint8_t)n);
	else
		wr_rewind(w, mark - 1);
	return a->route_count - i;
}

/* Largest IP packet that the client takes. */
static size_t
limit_of(const struct dhcp_inform *q, const struct dhcp_answer *a)
{
	size_t limit =
	    a->max_bytes < DHCP_ACK_MAX ? a->max_bytes : DHCP_ACK_MAX;

	if (q->max_bytes >= SMALLEST && q->max_bytes < limit)
		limit = q->max_bytes;
	return limit > SMALLEST ? limit : SMALLEST;
}

/* Both route options say the same, so that it does not matter which one the
 * client reads. */
static size_t
put_all_routes(struct wr *w, const struct dhcp_inform *q,
    const struct dhcp_answer *a, size_t room)
{
	size_t options = (size_t)q->wants_routes + q->wants_ms_routes, max;
	size_t cut = 0;

	if (options == 0 || a->route_count == 0)
		return 0;
	max = room / options > 2 ? room / options - 2 : 0;
	if (max > OPTION_MAX)
		max = OPTION_MAX;
	if (q->wants_routes)
		cut = put_routes(w, OPT_ROUTES, a, max);
	if (q->wants_ms_routes)
		cut = put_routes(w, OPT_MS_ROUTES, a, max);
	return cut;
}

size_t
dhcp_build_ack(
    struct wr *w, const struct dhcp_inform *q, const struct dhcp_answer *a)
{
	struct packet p = {.version = 4,
	    .protocol = PACKET_UDP,
	    .hop_limit = TTL,
	    .sport = DHCP_SERVER_PORT,
	    .dport = DHCP_CLIENT_PORT};
	size_t begin, used, cut, limit = limit_of(q, a);

	memcpy(p.src, a->server, 4);
	memcpy(p.dst, q->ciaddr, 4);
	begin = packet_begin(w, &p);
	wr_u8(w, OP_REPLY);
	wr_u8(w, q->htype);
	wr_u8(w, q->hlen);
	wr_u8(w, 0);
	wr_be32(w, q->xid);
	wr_be16(w, 0);
	wr_be16(w, q->flags);
	wr_bytes(w, q->ciaddr, 4);
	wr_zero(w, 12); /* yiaddr: RFC 2131 4.3.5; siaddr, giaddr */
	wr_bytes(w, q->chaddr, sizeof(q->chaddr));
	wr_zero(w, NAMES_BYTES);
	wr_be32(w, COOKIE);
	wr_be16(w, OPT_TYPE << 8 | 1);
	wr_u8(w, TYPE_ACK);
	wr_be16(w, OPT_SERVER << 8 | 4);
	wr_bytes(w, a->server, 4);
	if (q->wants_dns)
		put_dns(w, a);
	if (q->wants_domain)
		put_domains(w, a,
		    q->microsoft && a->domain_count > 1 ? 1 : a->domain_count);
	used = wr_mark(w) - begin + 1;
	cut = put_all_routes(w, q, a, limit > used ? limit - used : 0);
	wr_u8(w, OPT_END);
	used = wr_mark(w) - begin;
	if (used < HEADERS_BYTES + MESSAGE_BYTES)
		wr_zero(w, HEADERS_BYTES + MESSAGE_BYTES - used);
	packet_end(w, begin);
	return cut;
}
