/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * services.c: what clients ask on the link itself, once IP flows: DHCPINFORM
 * (ppp-glue/services/dhcp.h). The plane hands their packets over and has
 * counted them against the session; what to say is the group's of the user, in
 * the configuration. Trusts no byte of a packet; what is not understood gets
 * no answer.
 */
#include <string.h>

#include "base/log.h"
#include "l2tpd/engine/internal.h"
#include "ppp-glue/services/dhcp.h"

#define FRAME_IPV4 0xff030021u /* RFC 1662 3.1, RFC 1332 2 */

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
	if (wr_ok(&w) &&
	    plane_ppp_send(s->engine->plane, s->id, wr_rd(&w)) == 0)
		log_answer(s, &a, cut);
}

void
services_input(struct session *s, struct rd packet)
{
	struct dhcp_inform inform;
	struct packet p;
	const char *why;

	if (s->ending || s->box == NULL || !s->ipv4_up ||
	    !packet_parse(&packet, &p))
		return;
	if (dhcp_parse_inform(
		&p, s->ipv4_inner, s->engine->conf.gateway, &inform, &why))
		answer_inform(s, &inform);
}
