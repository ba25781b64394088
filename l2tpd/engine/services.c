/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * services.c: what clients ask on the link itself, once IP flows: DHCPINFORM
 * (ppp-glue/services/dhcp.h), routers and neighbors (ra.h), DHCPv6 (dhcp6.h);
 * and the router advertisements that nobody asked for. The plane hands their
 * packets over and has counted them against the session; what to say is the
 * group's of the user, in the configuration. Trusts no byte of a packet; what
 * is not understood gets no answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "l2tpd/engine/internal.h"
#include "ppp-glue/services/dhcp.h"
#include "ppp-glue/services/dhcp6.h"

#define FRAME_IPV4 0xff030021u /* RFC 1662 3.1, RFC 1332 2 */
#define FRAME_IPV6 0xff030057u /* RFC 5072 3 */

/* ---- IPv4 ---- */

/* w: a frame with an IPv4 packet. */
static int
send_ipv4(struct session *s, const struct wr *w)
{
	struct rd frame = wr_rd(w);

	if (!wr_ok(w))
		return -EMSGSIZE;
	if (!s->in_kernel)
		return plane_ppp_send(s->engine->plane, s->id, frame);
	rd_skip(&frame, 4); /* pppd's interface takes IP */
	return services_send(s, frame);
}

static void
log_answer(struct session *s, const struct dhcp_answer *a, size_t cut)
{
	const struct conf_group *g = &s->engine->conf.groups[s->group];

	if (s->dhcp_told)
		return;
	s->dhcp_told = true;
	log_msg(MSG_DHCP_ANSWERED,
	    "session=%u user=%s group=\"%s\" routes=%zu domains=%zu", s->id,
	    sessions_user(s), g->name, a->route_count - cut, a->domain_count);
	if (cut > 0)
		log_msg(MSG_DHCP_ROUTES_CUT,
		    "session=%u user=%s group=\"%s\" cut=%zu", s->id,
		    sessions_user(s), g->name, cut);
}

static void
answer_inform(struct session *s, const struct dhcp_inform *q)
{
	const struct adit_conf *c = &s->engine->conf;
	const struct conf_group *g = &c->groups[s->group];
	struct dhcp_answer a = {
	    .routes = c->group_routes + g->route_first,
	    .route_count = g->route_count,
	    .domains = c->domain_texts + g->domain_first,
	    .domain_count = g->domain_count,
	    .max_bytes = runner_peer_mru(s->ppp),
	};
	uint8_t buf[4 + DHCP_ACK_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	size_t cut;

	memcpy(a.server, c->gateway, 4);
	memcpy(a.dns, g->ipv4_dns, sizeof(a.dns));
	wr_be32(&w, FRAME_IPV4);
	cut = dhcp_build_ack(&w, q, &a);
	if (send_ipv4(s, &w) == 0)
		log_answer(s, &a, cut);
}

static void
input_ipv4(struct session *s, const struct packet *p)
{
	struct dhcp_inform inform;
	const char *why;

	if (s->ipv4_up &&
	    dhcp_parse_inform(
		p, s->ipv4_inner, s->engine->conf.gateway, &inform, &why))
		answer_inform(s, &inform);
}

/* ---- IPv6 ---- */

static void
link_local(const uint8_t ifid[8], uint8_t ret[16])
{
	memset(ret, 0, 8);
	ret[0] = 0xfe;
	ret[1] = 0x80;
	memcpy(ret + 8, ifid, 8);
}

static void
send_ipv6(struct session *s, const struct wr *w)
{
	if (wr_ok(w))
		(void)plane_ppp_send(s->engine->plane, s->id, wr_rd(w));
}

/* to: NULL for all. */
static void
advertise(struct session *s, const uint8_t *to, bool last)
{
	const struct adit_conf *c = &s->engine->conf;
	const struct conf_group *g = &c->groups[s->group];
	struct ra_values v = {
	    .mtu = c->mru,
	    .last = last,
	    .domains = c->domain_texts + g->domain_first,
	    .domain_count = g->domain_count,
	};
	uint8_t buf[4 + RA_PACKET_MAX];
	struct wr w = wr_init(buf, sizeof(buf));

	link_local(s->ifid_local, v.from);
	memcpy(v.prefix, s->ipv6_prefix, sizeof(v.prefix));
	memcpy(v.dns, c->ipv6_dns, sizeof(v.dns));
	wr_be32(&w, FRAME_IPV6);
	ra_build(&w, &v, to);
	send_ipv6(s, &w);
}

/* The client may ask whether our address is alive (RFC 4861 7.3), or free. */
static void
answer_neighbor(struct session *s, const struct ra_question *q)
{
	uint8_t buf[4 + RA_PACKET_MAX], us[16];
	struct wr w = wr_init(buf, sizeof(buf));

	link_local(s->ifid_local, us);
	if (memcmp(q->target, us, sizeof(us)) != 0)
		return;
	wr_be32(&w, FRAME_IPV6);
	ra_build_neighbor(&w, us, q);
	send_ipv6(s, &w);
}

static void
answer_dhcp6(struct session *s, const struct packet *p)
{
	const struct adit_conf *c = &s->engine->conf;
	const struct conf_group *g = &c->groups[s->group];
	struct dhcp6_answer a = {
	    .domains = c->domain_texts + g->domain_first,
	    .domain_count = g->domain_count,
	};
	uint8_t buf[4 + DHCP6_REPLY_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct dhcp6_question q;

	link_local(s->ifid_local, a.from);
	memcpy(a.dns, c->ipv6_dns, sizeof(a.dns));
	if (!dhcp6_parse(p, a.from, &q))
		return;
	wr_be32(&w, FRAME_IPV6);
	dhcp6_build(&w, &q, &a);
	send_ipv6(s, &w);
}

static void
input_ipv6(struct session *s, const struct packet *p)
{
	struct ra_question q;

	if (!s->ipv6_up)
		return;
	if (p->protocol == PACKET_UDP)
		answer_dhcp6(s, p);
	else if (!ra_parse(p, &q))
		return;
	else if (q.type == RA_ROUTER_SOLICITATION)
		advertise(s, q.anonymous ? NULL : q.from, false);
	else
		answer_neighbor(s, &q);
}

const char *
services_prefix(const struct session *s, char ret[INET6_ADDRSTRLEN])
{
	uint8_t a[16] = {0};

	memcpy(a, s->ipv6_prefix, sizeof(s->ipv6_prefix));
	return inet_ntop(AF_INET6, a, ret, INET6_ADDRSTRLEN);
}

void
services_ipv6_up(struct session *s)
{
	char text[INET6_ADDRSTRLEN];

	log_msg(MSG_IPV6_UP, "session=%u user=%s prefix=%s/64", s->id,
	    sessions_user(s), services_prefix(s, text));
	ra_timer_start(&s->ra, loop_now_ms(s->engine->loop));
}

void
services_ipv6_down(struct session *s)
{
	ra_timer_stop(&s->ra);
}

void
services_goodbye(struct session *s)
{
	if (!s->ipv6_up || s->box == NULL)
		return;
	advertise(s, NULL, true);
	ra_timer_stop(&s->ra);
}

void
services_tick(struct session *s, uint64_t now)
{
	uint32_t random;

	engine_random(NULL, &random, sizeof(random));
	if (ra_timer_fires(&s->ra, now, random))
		advertise(s, NULL, false);
}

uint64_t
services_deadline(const struct session *s)
{
	return s->ra.due_ms;
}

void
services_input(struct session *s, struct rd packet)
{
	struct packet p;

	if (s->ending || s->box == NULL || !packet_parse(&packet, &p))
		return;
	if (p.version == 4)
		input_ipv4(s, &p);
	else
		input_ipv6(s, &p);
}
