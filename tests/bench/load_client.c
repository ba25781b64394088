/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_client.c: one client: gets its SAs (load_ike.c, or wire_sas_add()),
 * opens a tunnel (l2tpd/proto, as a LAC), places a call, runs PPP
 * (ppp-glue/engine, client role) until it has an address; closes in the same
 * order as a person who disconnects. Owns its tunnel and its PPP link. Whatever
 * ends before it was asked to is a failure with the reason that the libraries
 * give.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/load.h"

/* StopCCN result 6: the requester is being shut down, RFC 2661 4.4.2 */
#define STOP_SHUT_DOWN 6
/* CDN result 3: administrative reasons, RFC 2661 4.4.2 */
#define CDN_ADMINISTRATIVE 3

static void drain(struct load_client *c);

static void
count_reason(struct load *l, const char *why)
{
	struct load_reason *r;

	for (r = l->reasons; r < l->reasons + LOAD_REASONS - 1; r++) {
		if (r->why == NULL)
			r->why = why;
		if (strcmp(r->why, why) == 0)
			break;
	}
	if (r->why == NULL)
		r->why = "other";
	r->count++;
}

void
client_end(struct load_client *c, enum load_state state, const char *why)
{
	struct load *l = c->load;

	if (c->state == CLIENT_GONE || c->state == CLIENT_FAILED ||
	    c->state == CLIENT_IDLE)
		return;
	if (c->state == CLIENT_UP)
		l->up--;
	else
		l->busy--;
	c->state = state;
	if (state == CLIENT_FAILED) {
		l->failed++;
		l->all_failed++;
		count_reason(l, why);
	} else {
		l->gone++;
	}
	l->deadlines[c->number] = UINT64_MAX;
}

/* Frees the parts of a client that ended; never inside its own callbacks. */
void
client_reset(struct load_client *c)
{
	load_ike_end(c);
	wire_sas_del(c);
	ppp_free(c->ppp);
	c->ppp = NULL;
	tunnel_free(c->tunnel);
	c->tunnel = NULL;
	c->call_up = false;
	c->draining = false;
	c->session_id = c->peer_session_id = 0;
	c->sent = c->received = 0;
}

static bool
is_over(const struct load_client *c)
{
	return c->tunnel == NULL || c->state == CLIENT_FAILED ||
	    c->state == CLIENT_GONE;
}

static void
is_up(struct load_client *c)
{
	c->state = CLIENT_UP;
	c->load->busy--;
	c->load->up++;
}

void
client_start(struct load_client *c)
{
	struct load *l = c->load;

	c->state = CLIENT_STARTING;
	c->started_ms = loop_now_ms(l->loop);
	l->started++;
	l->busy++;
	if (l->opt.psk != NULL) {
		load_ike_start(c);
		return;
	}
	if (wire_sas_add(c) < 0) {
		client_end(c, CLIENT_FAILED, "sa-not-told");
		return;
	}
	client_secured(c);
}

void
client_secured(struct load_client *c)
{
	struct load *l = c->load;
	uint64_t now = loop_now_ms(l->loop);
	uint16_t id = (uint16_t)(c->number + 1);

	if (l->opt.sas_only) {
		is_up(c);
		l->deadlines[c->number] = UINT64_MAX;
		return;
	}
	c->tunnel = tunnel_new_initiator(&l->tunnel_config, id, now);
	c->ppp = ppp_new(c->ppp_config, now);
	if (c->tunnel == NULL || c->ppp == NULL) {
		client_end(c, CLIENT_FAILED, "no-memory");
		return;
	}
	drain(c);
}

void
client_stop(struct load_client *c)
{
	struct load *l = c->load;

	if (c->state != CLIENT_UP)
		return;
	c->state = CLIENT_CLOSING;
	l->up--;
	l->busy++;
	if (l->opt.sas_only) {
		client_end(c, CLIENT_GONE, "");
		return;
	}
	ppp_close(c->ppp, "user", loop_now_ms(l->loop));
	drain(c);
}

static void
ppp_effects(struct load_client *c)
{
	struct load *l = c->load;
	struct ppp_effect fx;
	struct wr w;

	while (!is_over(c) && ppp_next_effect(c->ppp, &fx)) {
		switch (fx.type) {
		case PPP_EFFECT_SEND:
			w = wire_begin(l);
			client_data_head(c, &w, 0, fx.data.left);
			wr_bytes(&w, fx.data.p, fx.data.left);
			wire_end(c, &w);
			break;
		case PPP_EFFECT_IPV4_UP:
			if (c->state != CLIENT_STARTING)
				break;
			memcpy(c->ipv4, fx.ipv4_local, 4);
			is_up(c);
			break;
		case PPP_EFFECT_DOWN:
			if (c->state != CLIENT_CLOSING) {
				client_end(c, CLIENT_FAILED, fx.why);
				break;
			}
			tunnel_session_close(c->tunnel, c->session_id,
			    CDN_ADMINISTRATIVE, 0, NULL, loop_now_ms(l->loop));
			tunnel_close(c->tunnel, STOP_SHUT_DOWN, 0, NULL,
			    loop_now_ms(l->loop));
			break;
		default:
			break;
		}
	}
}

static void
session_up(struct load_client *c, const struct tunnel_session_view *v)
{
	c->peer_session_id = v->peer_id;
	c->call_up = true;
	ppp_start(c->ppp, loop_now_ms(c->load->loop));
}

static void
tunnel_effects(struct load_client *c)
{
	struct tunnel_effect fx;

	while (!is_over(c) && tunnel_next_effect(c->tunnel, &fx)) {
		switch (fx.type) {
		case TUNNEL_EFFECT_SEND:
			wire_l2tp(c, fx.data);
			break;
		case TUNNEL_EFFECT_UP:
			if (tunnel_call_incoming(c->tunnel,
				loop_now_ms(c->load->loop), &c->session_id) < 0)
				client_end(c, CLIENT_FAILED, "no-call");
			break;
		case TUNNEL_EFFECT_SESSION_UP:
			session_up(c, &fx.session);
			break;
		case TUNNEL_EFFECT_SESSION_DOWN:
			c->call_up = false;
			if (c->state != CLIENT_CLOSING)
				client_end(c, CLIENT_FAILED, fx.close.why);
			break;
		case TUNNEL_EFFECT_DOWN:
			if (c->state != CLIENT_CLOSING)
				client_end(c, CLIENT_FAILED, fx.close.why);
			break;
		default:
			break;
		}
	}
	/* closing: our StopCCN was acknowledged, or nobody answered */
	if (!is_over(c) && tunnel_is_dead(c->tunnel))
		client_end(c,
		    c->state == CLIENT_CLOSING ? CLIENT_GONE : CLIENT_FAILED,
		    "tunnel-dead");
}

static void
drain(struct load_client *c)
{
	uint64_t a, b;

	if (c->draining)
		return;
	c->draining = true;
	ppp_effects(c);
	tunnel_effects(c);
	ppp_effects(c); /* a call that came up began PPP */
	tunnel_effects(c);
	c->draining = false;
	if (is_over(c))
		return;
	a = tunnel_deadline(c->tunnel);
	b = ppp_deadline(c->ppp);
	c->load->deadlines[c->number] = a < b ? a : b;
}

void
client_tick(struct load_client *c)
{
	uint64_t now = loop_now_ms(c->load->loop);

	if (c->state == CLIENT_STARTING && c->ike != NULL &&
	    c->tunnel == NULL) {
		load_ike_tick(c);
		return;
	}
	if (is_over(c))
		return;
	tunnel_tick(c->tunnel, now);
	ppp_tick(c->ppp, now);
	drain(c);
}

static void
data_input(struct load_client *c, const struct l2tp_packet_head *head)
{
	struct rd frame = head->payload;
	uint32_t first;

	if (!c->call_up || head->session_id != c->session_id)
		return;
	if (rd_peek_be32(&frame, &first) && first == 0xff030021u) {
		rd_skip(&frame, 4);
		traffic_input(c, frame);
		return;
	}
	ppp_input(c->ppp, head->payload, loop_now_ms(c->load->loop));
	drain(c);
}

void
client_input(struct load_client *c, struct rd udp)
{
	struct l2tp_packet_head head;
	uint16_t from, to, bytes, sum;
	const char *why = "-";
	struct rd datagram;

	if (is_over(c))
		return;
	if (!rd_be16(&udp, &from) || !rd_be16(&udp, &to) ||
	    !rd_be16(&udp, &bytes) || !rd_be16(&udp, &sum) ||
	    from != L2TP_PORT || to != L2TP_PORT) {
		c->load->bad_packets++;
		return;
	}
	datagram = udp;
	if (!l2tp_parse_head(&udp, &head)) {
		c->load->bad_packets++;
		return;
	}
	if (!head.is_control) {
		data_input(c, &head);
		return;
	}
	if (!tunnel_input(
		c->tunnel, datagram, loop_now_ms(c->load->loop), &why))
		c->load->bad_packets++;
	drain(c);
}
