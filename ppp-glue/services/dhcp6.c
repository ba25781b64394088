/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dhcp6.c: the Information-Request of DHCPv6 and its Reply (contract in
 * dhcp6.h). Owns nothing, trusts no byte of a client.
 *
 * RFC 8415 18.3.6 and RFC 3646, done as specified, with these exceptions:
 * relays, authentication and leases are not there: such messages get no answer.
 */
#include "ppp-glue/services/dhcp6.h"

#include <string.h>

#include "ppp-glue/services/names.h"

enum {
	TYPE_REPLY = 7,
	TYPE_INFORMATION_REQUEST = 11,
	OPT_CLIENT = 1,
	OPT_SERVER = 2,
	OPT_IA_NA = 3,
	OPT_IA_TA = 4,
	OPT_LIST = 6,
	OPT_DNS = 23,     /* RFC 3646 3 */
	OPT_DOMAINS = 24, /* RFC 3646 4 */
	OPT_IA_PD = 25,
};

#define HOP_LIMIT 64
#define NAMES_MAX 512

/* RFC 8415 11.4: by link-layer address; that of every link here is EUI-64 (27)
 * and 1, as in fe80::1. */
static const uint8_t duid[] = {0, 3, 0, 27, 0, 0, 0, 0, 0, 0, 0, 1};
/* RFC 8415 7.1 */
static const uint8_t all_servers[16] = {0xff, 2, [13] = 1, [15] = 2};

/* False: the message is not for us to answer (RFC 8415 16.12). */
static bool
take_option(uint16_t code, struct rd value, struct dhcp6_question *q)
{
	uint16_t wanted;

	switch (code) {
	case OPT_CLIENT:
		if (value.left == 0 || value.left > sizeof(q->client))
			return false;
		q->client_bytes = value.left;
		return rd_bytes(&value, q->client, value.left);
	case OPT_SERVER:
		return value.left == sizeof(duid) &&
		    memcmp(value.p, duid, sizeof(duid)) == 0;
	case OPT_LIST:
		while (rd_be16(&value, &wanted)) {
			q->wants_dns |= wanted == OPT_DNS;
			q->wants_domains |= wanted == OPT_DOMAINS;
		}
		return true;
	case OPT_IA_NA:
	case OPT_IA_TA:
	case OPT_IA_PD:
		return false;
	default:
		return true;
	}
}

bool
dhcp6_parse(
    const struct packet *p, const uint8_t us[16], struct dhcp6_question *ret)
{
	struct dhcp6_question q;
	struct rd r = p->payload, value;
	uint16_t code, len;
	uint8_t type = 0;

	memset(&q, 0, sizeof(q));
	if (p->version != 6 || p->protocol != PACKET_UDP ||
	    p->dport != DHCP6_SERVER_PORT ||
	    (memcmp(p->dst, all_servers, 16) != 0 &&
		memcmp(p->dst, us, 16) != 0))
		return false;
	rd_u8(&r, &type);
	if (!rd_bytes(&r, q.transaction, sizeof(q.transaction)) ||
	    type != TYPE_INFORMATION_REQUEST)
		return false;
	while (r.left > 0)
		if (!rd_be16(&r, &code) || !rd_be16(&r, &len) ||
		    !rd_sub(&r, len, &value) || !take_option(code, value, &q))
			return false;
	memcpy(q.from, p->src, sizeof(q.from));
	q.port = p->sport;
	*ret = q;
	return true;
}

static void
put_dns(struct wr *w, const struct dhcp6_answer *a)
{
	static const uint8_t none[16];
	size_t mark;
	uint16_t n = 0;

	wr_be16(w, OPT_DNS);
	mark = wr_mark(w);
	wr_be16(w, 0);
	for (size_t i = 0; i < 2; i++)
		if (memcmp(a->dns[i], none, 16) != 0) {
			wr_bytes(w, a->dns[i], 16);
			n++;
		}
	if (n > 0)
		wr_patch_be16(w, mark, (uint16_t)(16 * n));
	else
		wr_rewind(w, mark - 2);
}

static void
put_domains(struct wr *w, const struct dhcp6_answer *a)
{
	uint8_t buf[NAMES_MAX];
	size_t count = a->domain_count;
	struct wr names;

	do { /* as many as fit */
		names = wr_init(buf, sizeof(buf));
		names_put(&names, a->domains, count);
	} while (!wr_ok(&names) && count-- > 0);
	if (count == 0)
		return;
	wr_be16(w, OPT_DOMAINS);
	wr_be16(w, (uint16_t)wr_rd(&names).left);
	wr_bytes(w, buf, wr_rd(&names).left);
}

void
dhcp6_build(
    struct wr *w, const struct dhcp6_question *q, const struct dhcp6_answer *a)
{
	struct packet p = {.version = 6,
	    .protocol = PACKET_UDP,
	    .hop_limit = HOP_LIMIT,
	    .sport = DHCP6_SERVER_PORT,
	    .dport = q->port};
	size_t at;

	memcpy(p.src, a->from, 16);
	memcpy(p.dst, q->from, 16);
	at = packet_begin(w, &p);
	wr_u8(w, TYPE_REPLY);
	wr_bytes(w, q->transaction, sizeof(q->transaction));
	if (q->client_bytes > 0) {
		wr_be16(w, OPT_CLIENT);
		wr_be16(w, (uint16_t)q->client_bytes);
		wr_bytes(w, q->client, q->client_bytes);
	}
	wr_be16(w, OPT_SERVER);
	wr_be16(w, sizeof(duid));
	wr_bytes(w, duid, sizeof(duid));
	if (q->wants_dns)
		put_dns(w, a);
	if (q->wants_domains)
		put_domains(w, a);
	packet_end(w, at);
}
