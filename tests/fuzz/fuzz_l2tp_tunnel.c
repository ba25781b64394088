/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_l2tp_tunnel.c: the input is a script for a responder and an initiator:
 * raw datagrams, messages with a header that fits (so that they get past the
 * sequence numbers), what the other side sent (whole or with one byte
 * changed), passing time, orders. Looks for crashes, leaks, effects without
 * end, and effects in an impossible order.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/rd.h"
#include "l2tpd/proto/tunnel_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EFFECTS_MAX 100000
#define BOX_BYTES   2048

struct side {
	struct tunnel *t;
	uint8_t box[BOX_BYTES]; /* last datagram that it sent */
	size_t box_bytes;
	uint16_t session_id;
	bool down;
};

static uint64_t now_ms;
static uint8_t meddle; /* orders given while effects are fetched */

static void
not_random(void *ctx, void *p, size_t n)
{
	uint32_t *state = ctx;
	uint8_t *b = p;

	while (n-- > 0) {
		*state = *state * 1103515245u + 12345u;
		*b++ = (uint8_t)(*state >> 16);
	}
}

static void
drain(struct side *s)
{
	struct tunnel_effect e;
	unsigned count = 0;

	while (tunnel_next_effect(s->t, &e)) {
		if (++count > EFFECTS_MAX)
			abort();
		if (s->down && e.type != TUNNEL_EFFECT_SEND)
			abort(); /* nothing happens after the end */
		if (e.type == TUNNEL_EFFECT_SEND) {
			s->box_bytes = e.data.left;
			if (e.data.left > BOX_BYTES ||
			    !rd_bytes(&e.data, s->box, s->box_bytes))
				abort();
		} else if (e.type == TUNNEL_EFFECT_SESSION_NEW) {
			s->session_id = e.session.local_id;
			if (meddle & 1) /* as an engine that is full */
				(void)tunnel_session_close(
				    s->t, s->session_id, 4, 0, NULL, now_ms);
		} else if (e.type == TUNNEL_EFFECT_SESSION_UP) {
			if (meddle & 2)
				(void)tunnel_session_close(s->t,
				    e.session.local_id, 2, 6, "no", now_ms);
		} else if (e.type == TUNNEL_EFFECT_UP) {
			if (meddle & 4)
				tunnel_close(s->t, 4, 0, "no", now_ms);
		} else if (e.type == TUNNEL_EFFECT_DOWN) {
			s->down = true;
			if (e.close.why == NULL)
				abort();
		}
	}
	if (tunnel_is_dead(s->t) && tunnel_deadline(s->t) != UINT64_MAX)
		abort();
}

static void
receive(struct side *s, const uint8_t *p, size_t n)
{
	struct l2tp_packet_head h;
	struct rd r = rd_init(p, n);
	const char *why = NULL;
	uint16_t id;

	(void)l2tp_parse_head(&r, &h);
	(void)tunnel_classify_first(rd_init(p, n), &id);
	if (!tunnel_input(s->t, rd_init(p, n), now_ms, &why) && why == NULL)
		abort();
	drain(s);
}

/* A message with a body from the script and a header that fits. */
static void
receive_fitting(struct side *s, uint8_t how, struct rd body)
{
	uint8_t buf[BOX_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));
	uint16_t session_id = how & 0x10 ? s->session_id : 0;
	uint16_t tunnel_id = how & 0x20 ? 0 : s->t->local_id;
	uint16_t ns = (uint16_t)(s->t->rel.nr + (how & 0x40 ? 1 : 0));

	l2tp_put_control_head(
	    &w, tunnel_id, session_id, ns, s->t->rel.sent_end);
	wr_bytes(&w, body.p, body.left);
	if (l2tp_finish_control(&w))
		receive(s, buf, w.len);
}

static void
relay(struct side *from, struct side *to, uint8_t how, struct rd body)
{
	uint8_t copy[BOX_BYTES], at;

	memcpy(copy, from->box, from->box_bytes);
	if ((how & 0x10) && from->box_bytes > 0 && rd_u8(&body, &at))
		copy[at % from->box_bytes] ^= (uint8_t)(how | 1);
	receive(to, copy, from->box_bytes);
}

static void
order(struct side *s, uint8_t how)
{
	uint16_t id;

	switch (how >> 4) {
	case 0:
		(void)tunnel_call_incoming(s->t, now_ms, &id);
		break;
	case 1:
		(void)tunnel_call_outgoing(s->t, now_ms, &id);
		break;
	case 2:
		(void)tunnel_session_close(
		    s->t, s->session_id, 3, 0, "bye", now_ms);
		break;
	case 3:
		tunnel_close(s->t, 1, 0, NULL, now_ms);
		break;
	default:
		tunnel_note_data(s->t, now_ms);
	}
	drain(s);
}

static void
play(struct side side[2], struct rd script)
{
	uint8_t op, n;
	struct side *s;
	struct rd body;

	while (rd_u8(&script, &op) && rd_u8(&script, &n)) {
		if (!rd_sub(&script, n < script.left ? n : script.left, &body))
			abort();
		s = &side[op & 1];
		switch (op >> 1 & 7) {
		case 0:
			receive(s, body.p, body.left);
			break;
		case 1:
		case 2:
			receive_fitting(s, op, body);
			break;
		case 3:
		case 4:
		case 5:
			relay(&side[~op & 1], s, op, body);
			break;
		case 6:
			now_ms += (uint64_t)(op >> 4) * 1000;
			tunnel_tick(s->t, now_ms);
			drain(s);
			break;
		default:
			order(s, op);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd script = rd_init(data, size);
	struct side side[2] = {0};
	uint32_t seed = 1;
	uint8_t mode = 0;
	struct tunnel_config cfg = {
	    .host_name = "fuzz",
	    .receive_window = 4,
	    .max_sessions = 3,
	    .hello_interval_ms = 10000,
	    .setup_timeout_ms = 20000,
	    .random = not_random,
	    .random_ctx = &seed,
	};

	rd_u8(&script, &mode);
	if (mode & 1) {
		cfg.secret = (const uint8_t *)"geheim";
		cfg.secret_bytes = 6;
		cfg.challenge_peer = mode & 2;
	}
	meddle = mode >> 4;
	now_ms = 0;
	side[0].t = tunnel_new_responder(&cfg, 7, now_ms);
	side[1].t = tunnel_new_initiator(&cfg, 8, now_ms);
	drain(&side[1]);
	play(side, script);
	tunnel_free(side[0].t);
	tunnel_free(side[1].t);
	return 0;
}
