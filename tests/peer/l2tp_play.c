/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * l2tp_play.c: a client made of bytes (see l2tp_play.h).
 */
#include "tests/peer/l2tp_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "l2tpd/proto/header.h"
#include "tests/peer/l2tp_net.h"

struct l2tp_msg play_msg;

void
play_init(struct play *p, uint16_t tunnel_id)
{
	memset(p, 0, sizeof(*p));
	p->cfg = (struct tunnel_config){
	    .host_name = "vpn.example",
	    .receive_window = 8,
	    .max_sessions = 1,
	    .hello_interval_ms = 60000,
	    .setup_timeout_ms = 60000,
	    .random = net_fill_random,
	};
	p->cfg.random_ctx = &p->seed;
	p->seed = tunnel_id;
	p->tunnel_id = tunnel_id;
	p->now_ms = 5000;
}

static void
play_note(struct play *p, const char *word)
{
	size_t used = strlen(p->log);

	snprintf(p->log + used, sizeof(p->log) - used, "%s%s",
	    used > 0 ? " " : "", word);
}

/* Android's parser takes these flags, this length, this first AVP and nothing
 * else; Apple's refuses reserved bits; neither knows a Challenge. */
static void
check_strictly(const struct play *p, struct rd data)
{
	struct rd r = data;
	uint16_t word = 0, length = 0, ids[4], first = 0, vendor = 1;
	struct avp a;
	int i;

	assert_true(rd_be16(&r, &word) && rd_be16(&r, &length));
	assert_int_equal(word, 0xc802);
	assert_int_equal(length, data.left);
	for (i = 0; i < 4; i++)
		assert_true(rd_be16(&r, &ids[i]));
	assert_int_equal(ids[0], p->tunnel_id);
	if (r.left == 0)
		return;
	data = r;
	assert_true(rd_be16(&r, &first) && rd_be16(&r, &vendor));
	assert_int_equal(first, 0x8008);
	assert_int_equal(vendor, 0);
	while (avp_next(&data, &a)) {
		assert_false(a.reserved_bits);
		assert_false(a.hidden);
		assert_int_equal(a.vendor_id, 0);
		assert_int_not_equal(a.type, AVP_CHALLENGE);
		assert_int_not_equal(a.type, AVP_SEQUENCING_REQUIRED);
		assert_non_null(avp_spec(a.type));
	}
	assert_true(rd_end(&data));
}

static void
play_receive(struct play *p, struct rd data)
{
	struct rd r = data;
	struct l2tp_packet_head h;

	check_strictly(p, data);
	assert_true(l2tp_parse_head(&r, &h));
	if (h.payload.left == 0) {
		play_note(p, "ZLB");
		return;
	}
	p->last_bytes = h.payload.left;
	assert_true(rd_bytes(&h.payload, p->last, p->last_bytes));
	assert_true(msg_decode(
	    rd_init(p->last, p->last_bytes), rd_init(NULL, 0), &play_msg));
	play_note(p, play_msg.spec->name);
	if (h.ns == p->nr) {
		p->nr++;
		p->in_flight++;
	}
	if (play_msg.type == MSG_ICRP)
		p->server_session = msg_u16(&play_msg, AVP_ASSIGNED_SESSION_ID);
}

void
play_drain(struct play *p)
{
	struct tunnel_effect e;

	while (!p->hold && tunnel_next_effect(p->t, &e)) {
		switch (e.type) {
		case TUNNEL_EFFECT_SEND:
			play_receive(p, e.data);
			break;
		case TUNNEL_EFFECT_UP:
			play_note(p, "up");
			break;
		case TUNNEL_EFFECT_DOWN:
			play_note(p, "down");
			p->close = e.close;
			break;
		case TUNNEL_EFFECT_SESSION_NEW:
			play_note(p, "new");
			break;
		case TUNNEL_EFFECT_SESSION_UP:
			play_note(p, "session-up");
			p->session = e.session;
			break;
		case TUNNEL_EFFECT_SESSION_DOWN:
			play_note(p, "session-down");
			p->close = e.close;
			break;
		case TUNNEL_EFFECT_SESSION_INFO:
			play_note(p, e.info_is_sli ? "sli" : "wen");
			break;
		}
	}
}

/* ---- the client's mouth ------------------------------------------------ */

void
play_raw(struct play *p, uint16_t word, uint16_t vendor, uint16_t type,
    const void *value, size_t n)
{
	wr_be16(&p->body, (uint16_t)(word | (n + AVP_HEAD_BYTES)));
	wr_be16(&p->body, vendor);
	wr_be16(&p->body, type);
	wr_bytes(&p->body, value, n);
}

void
play_begin(struct play *p, enum msg_type type)
{
	p->body = wr_init(p->body_bytes, sizeof(p->body_bytes));
	msg_begin(&p->body, type);
}

/* Hand a datagram to the server as its engine would. */
bool
play_deliver(struct play *p, uint16_t session_id, uint16_t ns, bool zlb)
{
	uint8_t buf[1200];
	struct wr w = wr_init(buf, sizeof(buf));
	uint16_t tunnel_id = ns == 0 && !zlb ? 0 : SERVER_TUNNEL, id;
	const char *why = NULL;

	p->log[0] = '\0';
	p->in_flight = 0;
	l2tp_put_control_head(&w, tunnel_id, session_id, ns, p->nr);
	if (!zlb)
		wr_bytes(&w, p->body.buf, p->body.len);
	assert_true(l2tp_finish_control(&w));
	if (p->t == NULL) {
		assert_int_equal(
		    tunnel_classify_first(wr_rd(&w), &id), TUNNEL_FIRST_SCCRQ);
		assert_int_equal(id, p->tunnel_id);
		p->t = tunnel_new_responder(&p->cfg, SERVER_TUNNEL, p->now_ms);
		assert_non_null(p->t);
	}
	if (!tunnel_input(p->t, wr_rd(&w), p->now_ms, &why))
		return false;
	play_drain(p);
	return true;
}

/* Say what was built; expect these effects in this order. */
void
play_say(struct play *p, uint16_t session_id, const char *expected)
{
	assert_true(play_deliver(p, session_id, p->ns++, false));
	assert_string_equal(p->log, expected);
}

void
play_again(struct play *p, uint16_t session_id, const char *expected)
{
	assert_true(play_deliver(p, session_id, (uint16_t)(p->ns - 1), false));
	assert_string_equal(p->log, expected);
}

void
play_zlb(struct play *p)
{
	assert_true(play_deliver(p, 0, p->ns, true));
	assert_string_equal(p->log, "");
}

void
play_pass(struct play *p, uint64_t ms, const char *expected)
{
	uint64_t until_ms = p->now_ms + ms;

	p->log[0] = '\0';
	while (tunnel_deadline(p->t) <= until_ms) {
		p->now_ms = tunnel_deadline(p->t);
		tunnel_tick(p->t, p->now_ms);
		play_drain(p);
	}
	p->now_ms = until_ms;
	assert_string_equal(p->log, expected);
}

/* The server's SCCRP has these AVPs and no other (Apple, kl2tpd). */
void
play_check_sccrp(bool response)
{
	uint64_t want = MSG_AVP(AVP_MESSAGE_TYPE) |
	    MSG_AVP(AVP_PROTOCOL_VERSION) | MSG_AVP(AVP_FRAMING_CAPABILITIES) |
	    MSG_AVP(AVP_HOST_NAME) | MSG_AVP(AVP_ASSIGNED_TUNNEL_ID) |
	    MSG_AVP(AVP_RECEIVE_WINDOW_SIZE);

	if (response)
		want |= MSG_AVP(AVP_CHALLENGE_RESPONSE);
	assert_int_equal(play_msg.type, MSG_SCCRP);
	assert_true(play_msg.have == want);
	assert_int_equal(msg_u16(&play_msg, AVP_PROTOCOL_VERSION), 0x0100);
	assert_int_equal(
	    msg_u16(&play_msg, AVP_ASSIGNED_TUNNEL_ID), SERVER_TUNNEL);
}

void
play_check_host(struct play *p, const char *name)
{
	struct rd host = tunnel_peer_host_name(p->t);

	assert_int_equal(host.left, strlen(name));
	assert_memory_equal(host.p, name, host.left);
}

void
play_check_end(struct play *p, uint16_t result)
{
	assert_true(p->close.by_peer);
	assert_int_equal(p->close.result, result);
}

void
play_end(struct play *p)
{
	assert_true(tunnel_is_dead(p->t));
	tunnel_free(p->t);
	p->t = NULL;
}

void
play_apple_sccrq(struct play *p)
{
	play_begin(p, MSG_SCCRQ);
	avp_put_u16(&p->body, AVP_PROTOCOL_VERSION, 0x0100);
	avp_put_u32(&p->body, AVP_FRAMING_CAPABILITIES, 3);
	avp_put_bytes(&p->body, AVP_HOST_NAME, rd_init("Mac.local", 10));
	avp_put_u16(&p->body, AVP_ASSIGNED_TUNNEL_ID, p->tunnel_id);
	avp_put_u16(&p->body, AVP_RECEIVE_WINDOW_SIZE, 4);
}

void
play_apple_up(struct play *p)
{
	play_apple_sccrq(p);
	play_say(p, 0, "SCCRP");
	play_check_sccrp(false);
	play_begin(p, MSG_SCCCN);
	play_say(p, 0, "ZLB up");
	play_check_host(p, "Mac.local"); /* without its NUL */
	play_begin(p, MSG_ICRQ);
	avp_put_u16(&p->body, AVP_ASSIGNED_SESSION_ID, 0x1a2b);
	avp_put_u32(&p->body, AVP_CALL_SERIAL_NUMBER, 1);
	play_say(p, 0, "new ICRP");
	play_begin(p, MSG_ICCN);
	avp_put_u32(&p->body, AVP_TX_CONNECT_SPEED, 1000000);
	avp_put_u32(&p->body, AVP_FRAMING_TYPE, 3);
	play_say(p, p->server_session, "ZLB session-up");
	assert_int_equal(p->session.peer_id, 0x1a2b);
	assert_int_equal(p->session.tx_speed_bps, 1000000);
	assert_true(p->session.incoming && !p->session.we_called);
}
