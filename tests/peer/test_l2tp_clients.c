/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_l2tp_clients.c: the exchanges of clients that nobody can run here,
 * played packet by packet against a responder: Apple, Windows, Android 11 and
 * older, xl2tpd, kl2tpd. Each ends with a session up and then taken down the
 * client's way. Every datagram of ours must pass the strictest parser among
 * them.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "l2tpd/proto/header.h"
#include "l2tpd/proto/hide.h"
#include "l2tpd/proto/msg.h"
#include "l2tpd/proto/tunnel.h"
#include "tests/peer/l2tp_net.h"

#define SERVER_TUNNEL 0x4242

/* A client made of bytes. */
struct play {
	struct tunnel_config cfg;
	struct tunnel *t;
	uint64_t now_ms;
	uint64_t seed;
	uint16_t tunnel_id;       /* the client's */
	uint16_t ns, nr;          /* the client's */
	uint16_t server_session;  /* learnt from ICRP */
	uint16_t in_flight;       /* messages of ours not acknowledged */
	uint8_t body_bytes[1024]; /* of the message being built */
	struct wr body;
	uint8_t last[1024]; /* last message of ours with a body */
	size_t last_bytes;
	char log[1024];            /* effects since it was cleared */
	struct tunnel_close close; /* of the last thing that went down */
	struct tunnel_session_view session;
};

static struct l2tp_msg msg;

static void
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
note(struct play *p, const char *word)
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
		note(p, "ZLB");
		return;
	}
	p->last_bytes = h.payload.left;
	assert_true(rd_bytes(&h.payload, p->last, p->last_bytes));
	assert_true(msg_decode(
	    rd_init(p->last, p->last_bytes), rd_init(NULL, 0), &msg));
	note(p, msg.spec->name);
	if (h.ns == p->nr) {
		p->nr++;
		p->in_flight++;
	}
	if (msg.type == MSG_ICRP)
		p->server_session = msg_u16(&msg, AVP_ASSIGNED_SESSION_ID);
}

static void
play_drain(struct play *p)
{
	struct tunnel_effect e;

	while (tunnel_next_effect(p->t, &e)) {
		switch (e.type) {
		case TUNNEL_EFFECT_SEND:
			play_receive(p, e.data);
			break;
		case TUNNEL_EFFECT_UP:
			note(p, "up");
			break;
		case TUNNEL_EFFECT_DOWN:
			note(p, "down");
			p->close = e.close;
			break;
		case TUNNEL_EFFECT_SESSION_NEW:
			note(p, "new");
			break;
		case TUNNEL_EFFECT_SESSION_UP:
			note(p, "session-up");
			p->session = e.session;
			break;
		case TUNNEL_EFFECT_SESSION_DOWN:
			note(p, "session-down");
			p->close = e.close;
			break;
		case TUNNEL_EFFECT_SESSION_INFO:
			note(p, e.info_is_sli ? "sli" : "wen");
			break;
		}
	}
}

/* ---- the client's mouth ------------------------------------------------ */

static void
raw(struct play *p, uint16_t word, uint16_t vendor, uint16_t type,
    const void *value, size_t n)
{
	wr_be16(&p->body, (uint16_t)(word | (n + AVP_HEAD_BYTES)));
	wr_be16(&p->body, vendor);
	wr_be16(&p->body, type);
	wr_bytes(&p->body, value, n);
}

static void
begin(struct play *p, enum msg_type type)
{
	p->body = wr_init(p->body_bytes, sizeof(p->body_bytes));
	msg_begin(&p->body, type);
}

/* Hand a datagram to the server as its engine would. */
static bool
deliver(struct play *p, uint16_t session_id, uint16_t ns, bool zlb)
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
static void
say(struct play *p, uint16_t session_id, const char *expected)
{
	assert_true(deliver(p, session_id, p->ns++, false));
	assert_string_equal(p->log, expected);
}

static void
again(struct play *p, uint16_t session_id, const char *expected)
{
	assert_true(deliver(p, session_id, (uint16_t)(p->ns - 1), false));
	assert_string_equal(p->log, expected);
}

static void
zlb(struct play *p)
{
	assert_true(deliver(p, 0, p->ns, true));
	assert_string_equal(p->log, "");
}

static void
pass(struct play *p, uint64_t ms, const char *expected)
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
static void
check_sccrp(bool response)
{
	uint64_t want = MSG_AVP(AVP_MESSAGE_TYPE) |
	    MSG_AVP(AVP_PROTOCOL_VERSION) | MSG_AVP(AVP_FRAMING_CAPABILITIES) |
	    MSG_AVP(AVP_HOST_NAME) | MSG_AVP(AVP_ASSIGNED_TUNNEL_ID) |
	    MSG_AVP(AVP_RECEIVE_WINDOW_SIZE);

	if (response)
		want |= MSG_AVP(AVP_CHALLENGE_RESPONSE);
	assert_int_equal(msg.type, MSG_SCCRP);
	assert_true(msg.have == want);
	assert_int_equal(msg_u16(&msg, AVP_PROTOCOL_VERSION), 0x0100);
	assert_int_equal(msg_u16(&msg, AVP_ASSIGNED_TUNNEL_ID), SERVER_TUNNEL);
}

static void
check_host(struct play *p, const char *name)
{
	struct rd host = tunnel_peer_host_name(p->t);

	assert_int_equal(host.left, strlen(name));
	assert_memory_equal(host.p, name, host.left);
}

static void
check_end(struct play *p, uint16_t result)
{
	assert_true(p->close.by_peer);
	assert_int_equal(p->close.result, result);
}

static void
play_end(struct play *p)
{
	assert_true(tunnel_is_dead(p->t));
	tunnel_free(p->t);
	p->t = NULL;
}

/* ---- Apple ------------------------------------------------------------- */

static void
apple_sccrq(struct play *p)
{
	begin(p, MSG_SCCRQ);
	avp_put_u16(&p->body, AVP_PROTOCOL_VERSION, 0x0100);
	avp_put_u32(&p->body, AVP_FRAMING_CAPABILITIES, 3);
	avp_put_bytes(&p->body, AVP_HOST_NAME, rd_init("Mac.local", 10));
	avp_put_u16(&p->body, AVP_ASSIGNED_TUNNEL_ID, p->tunnel_id);
	avp_put_u16(&p->body, AVP_RECEIVE_WINDOW_SIZE, 4);
}

static void
apple_up(struct play *p)
{
	apple_sccrq(p);
	say(p, 0, "SCCRP");
	check_sccrp(false);
	begin(p, MSG_SCCCN);
	say(p, 0, "ZLB up");
	check_host(p, "Mac.local"); /* without its NUL */
	begin(p, MSG_ICRQ);
	avp_put_u16(&p->body, AVP_ASSIGNED_SESSION_ID, 0x1a2b);
	avp_put_u32(&p->body, AVP_CALL_SERIAL_NUMBER, 1);
	say(p, 0, "new ICRP");
	begin(p, MSG_ICCN);
	avp_put_u32(&p->body, AVP_TX_CONNECT_SPEED, 1000000);
	avp_put_u32(&p->body, AVP_FRAMING_TYPE, 3);
	say(p, p->server_session, "ZLB session-up");
	assert_int_equal(p->session.peer_id, 0x1a2b);
	assert_int_equal(p->session.tx_speed_bps, 1000000);
	assert_true(p->session.incoming && !p->session.we_called);
}

static void
test_apple(void **state)
{
	static const uint8_t hello0[] = {
	    0xc8, 2, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 0, 0, 6};
	struct play p;
	const char *why;
	uint16_t id;

	(void)state;
	play_init(&p, 77);
	/* while IKE comes up */
	assert_int_equal(
	    tunnel_classify_first(rd_init(hello0, sizeof(hello0)), &id),
	    TUNNEL_FIRST_HELLO_ZERO);
	apple_up(&p);
	/* a late one of these does not hurt the tunnel */
	assert_false(
	    tunnel_input(p.t, rd_init(hello0, sizeof(hello0)), p.now_ms, &why));
	assert_string_equal(why, "HELLO on tunnel 0");
	p.log[0] = '\0';
	play_drain(&p);
	assert_string_equal(p.log, "");
	/* it answers our HELLO, and sends none */
	pass(&p, 61000, "HELLO HELLO");
	zlb(&p);
	/* CDN and StopCCN: little-endian, 6 bytes of garbage */
	begin(&p, MSG_CDN);
	raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\3\0garbag", 8);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 0x1a2b);
	say(&p, p.server_session, "ZLB session-down");
	check_end(&p, 3);
	assert_int_equal(p.close.message_bytes, 0);
	begin(&p, MSG_STOPCCN);
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, p.tunnel_id);
	raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\1\0garbag", 8);
	say(&p, 0, "ZLB down");
	check_end(&p, 1);
	again(&p, 0, "ZLB"); /* our acknowledgement got lost */
	pass(&p, 32000, "");
	play_end(&p);
}

/* It closes at once when we end the tunnel, and never answers. */
static void
test_apple_closed_by_us(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, 78);
	apple_up(&p);
	p.log[0] = '\0';
	tunnel_close(p.t, 6, 0, NULL, p.now_ms);
	play_drain(&p);
	assert_string_equal(p.log, "StopCCN session-down down");
	assert_false(tunnel_is_dead(p.t));
	pass(&p, 31000, "StopCCN StopCCN StopCCN StopCCN StopCCN");
	play_end(&p);
}

/* ---- Windows ----------------------------------------------------------- */

static void
test_windows(void **state)
{
	static const uint8_t correlation[16] = {1, 2, 3};
	struct rd vendor;
	struct play p;

	(void)state;
	play_init(&p, 1);
	begin(&p, MSG_SCCRQ);
	avp_put_u16(&p.body, AVP_PROTOCOL_VERSION, 0x0100);
	avp_put_u32(&p.body, AVP_FRAMING_CAPABILITIES, 1);
	avp_put_u32(&p.body, AVP_BEARER_CAPABILITIES, 0);
	avp_put_u16(&p.body, AVP_FIRMWARE_REVISION, 0x0a00);
	avp_put_bytes(&p.body, AVP_HOST_NAME, rd_init("DESKTOP-7", 9));
	avp_put_bytes(&p.body, AVP_VENDOR_NAME, rd_init("Microsoft", 9));
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, 1);
	avp_put_u16(&p.body, AVP_RECEIVE_WINDOW_SIZE, 8);
	raw(&p, 0, 311, 1, correlation, sizeof(correlation));
	say(&p, 0, "SCCRP");
	check_sccrp(false);
	/* our answer got lost: it asks again, we answer both ways */
	p.nr = 0;
	again(&p, 0, "ZLB");
	pass(&p, 1000, "SCCRP");
	begin(&p, MSG_SCCCN);
	say(&p, 0, "ZLB up");
	check_host(&p, "DESKTOP-7");
	vendor = tunnel_peer_vendor_name(p.t);
	assert_int_equal(vendor.left, 9);
	assert_memory_equal(vendor.p, "Microsoft", 9);
	begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 1);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 0);
	avp_put_u32(&p.body, AVP_BEARER_TYPE, 2);
	raw(&p, 0, 311, 1, correlation, sizeof(correlation));
	say(&p, 0, "new ICRP");
	begin(&p, MSG_ICCN);
	avp_put_u32(&p.body, AVP_TX_CONNECT_SPEED, 1000000000);
	avp_put_u32(&p.body, AVP_FRAMING_TYPE, 1);
	raw(&p, 0, 0, AVP_PROXY_AUTHEN_TYPE, "\0\4", 2);
	say(&p, p.server_session, "ZLB session-up");
	begin(&p, MSG_CDN);
	raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\0\3\0\0", 4);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 1);
	raw(&p, 0, 0, 46, "\0\5\0\0", 4); /* RFC 3145, not mandatory */
	say(&p, p.server_session, "ZLB session-down");
	check_end(&p, 3);
	begin(&p, MSG_STOPCCN);
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, 1);
	raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\0\6\0\0", 4);
	say(&p, 0, "ZLB down");
	check_end(&p, 6);
	pass(&p, 32000, "");
	play_end(&p);
}

/* ---- Android 11 and older ---------------------------------------------- */

static void
android(const char *secret)
{
	static const uint8_t challenge[32] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
	struct rd sec = rd_init(secret, secret != NULL ? strlen(secret) : 0);
	struct play p;

	play_init(&p, 0x9999);
	p.cfg.secret = (const uint8_t *)secret;
	p.cfg.secret_bytes = sec.left;
	begin(&p, MSG_SCCRQ);
	avp_put_u16(&p.body, AVP_PROTOCOL_VERSION, 0x0100);
	avp_put_bytes(&p.body, AVP_HOST_NAME, rd_init("anonymous", 9));
	avp_put_u32(&p.body, AVP_FRAMING_CAPABILITIES, 3);
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, p.tunnel_id);
	avp_put_u16(&p.body, AVP_RECEIVE_WINDOW_SIZE, 1);
	if (secret != NULL)
		avp_put_bytes(&p.body, AVP_CHALLENGE, rd_init(challenge, 32));
	say(&p, 0, "SCCRP");
	check_sccrp(secret != NULL);
	if (secret != NULL)
		assert_true(hide_check_response(2, sec, rd_init(challenge, 32),
		    msg.value[AVP_CHALLENGE_RESPONSE].bytes));
	begin(&p, MSG_SCCCN);
	say(&p, 0, "ZLB up"); /* ICRQ comes only after this ZLB */
	again(&p, 0, "ZLB");  /* 2 s later, had the ZLB been lost */
	begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 0x7777);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 123456);
	say(&p, 0, "new ICRP");
	assert_int_equal(p.in_flight, 1);
	begin(&p, MSG_ICCN);
	avp_put_u32(&p.body, AVP_TX_CONNECT_SPEED, 100000000);
	avp_put_u32(&p.body, AVP_FRAMING_TYPE, 3);
	say(&p, p.server_session, "ZLB session-up"); /* in this order */
	/* window 1: HELLO waits for its answer before anything else goes */
	pass(&p, 60000, "HELLO");
	p.log[0] = '\0';
	assert_int_equal(
	    tunnel_session_close(p.t, p.session.local_id, 3, 0, NULL, p.now_ms),
	    0);
	play_drain(&p);
	assert_string_equal(p.log, "session-down"); /* no CDN yet */
	assert_true(deliver(&p, 0, p.ns, true));
	assert_string_equal(p.log, "CDN");
	zlb(&p);
	/* its own exit: StopCCN alone */
	begin(&p, MSG_STOPCCN);
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, p.tunnel_id);
	raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\0\6", 2);
	say(&p, 0, "ZLB down");
	check_end(&p, 6);
	pass(&p, 32000, "");
	play_end(&p);
}

static void
test_android(void **state)
{
	(void)state;
	android(NULL);
}

static void
test_android_with_secret(void **state)
{
	(void)state;
	android("tunnel secret");
}

/* ---- xl2tpd (ChromeOS, NetworkManager-l2tp) ---------------------------- */

static void
test_xl2tpd(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, 40000);
	begin(&p, MSG_SCCRQ);
	avp_put_u16(&p.body, AVP_PROTOCOL_VERSION, 0x0100);
	avp_put_u32(&p.body, AVP_FRAMING_CAPABILITIES, 3);
	avp_put_u32(&p.body, AVP_BEARER_CAPABILITIES, 0);
	avp_put_u16(&p.body, AVP_FIRMWARE_REVISION, 0x0690);
	avp_put_bytes(&p.body, AVP_HOST_NAME, rd_init("chromebook", 10));
	avp_put_bytes(&p.body, AVP_VENDOR_NAME, rd_init("xelerance.com", 13));
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, p.tunnel_id);
	avp_put_u16(&p.body, AVP_RECEIVE_WINDOW_SIZE, 4);
	say(&p, 0, "SCCRP");
	zlb(&p); /* it acknowledges first, then goes on */
	begin(&p, MSG_SCCCN);
	say(&p, 0, "ZLB up");
	begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 12345);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 1);
	avp_put_u32(&p.body, AVP_BEARER_TYPE, 0);
	say(&p, 0, "new ICRP");
	zlb(&p);
	begin(&p, MSG_ICCN);
	avp_put_u32(&p.body, AVP_TX_CONNECT_SPEED, 10000000);
	avp_put_u32(&p.body, AVP_FRAMING_TYPE, 1);
	avp_put_u32(&p.body, AVP_RX_CONNECT_SPEED, 10000000);
	say(&p, p.server_session, "ZLB session-up");
	pass(&p, 59000, "");
	begin(&p, MSG_HELLO); /* every 60 s */
	say(&p, 0, "ZLB");
	pass(&p, 59000, ""); /* which spares us ours */
	begin(&p, MSG_STOPCCN);
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, p.tunnel_id);
	raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\0\1\0\0Goodbye!", 12);
	say(&p, 0, "ZLB session-down down");
	check_end(&p, 1);
	assert_int_equal(p.close.message_bytes, 8);
	assert_memory_equal(p.close.message, "Goodbye!", 8);
	pass(&p, 32000, "");
	play_end(&p);
}

/* ---- kl2tpd ------------------------------------------------------------ */

static void
test_kl2tpd(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, 555);
	begin(&p, MSG_SCCRQ); /* no Receive Window Size: 4 */
	avp_put_u16(&p.body, AVP_PROTOCOL_VERSION, 0x0100);
	avp_put_bytes(&p.body, AVP_HOST_NAME, rd_init("laptop", 6));
	avp_put_u32(&p.body, AVP_FRAMING_CAPABILITIES, 3);
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, p.tunnel_id);
	say(&p, 0, "SCCRP");
	check_sccrp(false);
	begin(&p, MSG_SCCCN);
	say(&p, 0, "ZLB up");
	begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 99);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 7);
	say(&p, 0, "new ICRP");
	begin(&p, MSG_ICCN);
	avp_put_u32(&p.body, AVP_TX_CONNECT_SPEED, 0);
	avp_put_u32(&p.body, AVP_FRAMING_TYPE, 0);
	say(&p, p.server_session, "ZLB session-up");
	begin(&p, MSG_CDN);
	raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\0\3", 2);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 99);
	say(&p, p.server_session, "ZLB session-down");
	begin(&p, MSG_STOPCCN);
	raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\0\1", 2);
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, p.tunnel_id);
	say(&p, 0, "ZLB down");
	pass(&p, 32000, "");
	play_end(&p);
}

/* ---- what no client should be hurt by ---------------------------------- */

/* A second session on a tunnel that may have one: CDN 4, and the first lives.
 */
static void
test_too_many_sessions(void **state)
{
	struct msg_result r;
	struct play p;

	(void)state;
	play_init(&p, 80);
	apple_up(&p);
	begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 0x2b2b);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 2);
	say(&p, 0, "CDN");
	assert_true(msg_result(&msg, &r));
	assert_int_equal(r.result, 4);
	assert_true(tunnel_is_up(p.t));
	tunnel_free(p.t);
}

/* An unknown mandatory AVP costs the session, or the tunnel, and says so. */
static void
test_unknown_mandatory(void **state)
{
	struct msg_result r;
	struct play p;

	(void)state;
	play_init(&p, 81);
	apple_up(&p);
	begin(&p, MSG_WEN);
	raw(&p, 0x8000, 0, 200, "x", 1);
	say(&p, p.server_session, "CDN session-down");
	assert_true(msg_result(&msg, &r));
	assert_int_equal(r.result, 2);
	assert_int_equal(r.error, 8);
	assert_true(tunnel_is_up(p.t));
	begin(&p, MSG_HELLO);
	raw(&p, 0x8000, 9, 1, "x", 1);
	say(&p, 0, "StopCCN down");
	assert_true(msg_result(&msg, &r));
	assert_int_equal(r.result, 2);
	assert_int_equal(r.error, 8);
	assert_int_equal(p.close.error, 8);
	assert_int_equal(r.message.left, 17);
	assert_memory_equal(r.message.p, "AVP 1 of vendor 9", 17);
	zlb(&p);
	play_end(&p);
}

/* ICCN after the session was refused or ended; messages for no session. */
static void
test_iccn_after_failure(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, 82);
	apple_up(&p);
	p.log[0] = '\0';
	tunnel_session_close(
	    p.t, p.session.local_id, 2, 6, "no address", p.now_ms);
	play_drain(&p);
	assert_string_equal(p.log, "CDN session-down");
	begin(&p, MSG_ICCN);
	avp_put_u32(&p.body, AVP_TX_CONNECT_SPEED, 1);
	avp_put_u32(&p.body, AVP_FRAMING_TYPE, 1);
	say(&p, p.server_session, "ZLB");
	say(&p, 0x7fff, "ZLB");
	begin(&p, MSG_SLI);
	raw(&p, 0x8000, 0, AVP_ACCM, "\0\0\0\0\0\0\0\0\0\0", 10);
	say(&p, 0x7fff, "ZLB");
	begin(&p, MSG_ICRP); /* a stray reply: RFC 2661 7.4.2 */
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 5);
	say(&p, 0, "CDN");
	assert_true(tunnel_is_up(p.t));
	tunnel_free(p.t);
}

static void
test_wen_and_sli(void **state)
{
	static const uint8_t errors[26];
	struct play p;

	(void)state;
	play_init(&p, 83);
	apple_up(&p);
	begin(&p, MSG_SLI);
	raw(&p, 0x8000, 0, AVP_ACCM, "\0\0\0\12\0\0\377\377\377\377", 10);
	say(&p, p.server_session, "ZLB sli");
	begin(&p, MSG_WEN);
	raw(&p, 0x8000, 0, AVP_CALL_ERRORS, errors, sizeof(errors));
	say(&p, p.server_session, "ZLB wen");
	tunnel_free(p.t);
}

/* ---- refused before there is a tunnel ----------------------------------- */

struct bad_sccrq {
	const char *expected;
	uint16_t version, result, error;
	bool host, unknown, challenge;
};

static void
test_bad_sccrq(void **state)
{
	static const struct bad_sccrq bad[] = {
	    {"StopCCN down", 0x0200, 5, 0x0100, .host = true},
	    {"StopCCN down", 0x0000, 5, 0x0100, .host = true},
	    {"StopCCN down", 0x0100, 2, 3, .host = false},
	    {"StopCCN down", 0x0100, 2, 8, .host = true, .unknown = true},
	    {"StopCCN down", 0x0100, 4, 0, .host = true, .challenge = true},
	    {"SCCRP", 0x0100, 0, 0, .host = true},
	};
	struct msg_result r = {0};
	struct play p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		play_init(&p, 90);
		begin(&p, MSG_SCCRQ);
		avp_put_u16(&p.body, AVP_PROTOCOL_VERSION, bad[i].version);
		if (bad[i].host)
			avp_put_bytes(&p.body, AVP_HOST_NAME, rd_init("h", 1));
		avp_put_u32(&p.body, AVP_FRAMING_CAPABILITIES, 3);
		avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, 90);
		if (bad[i].unknown)
			raw(&p, 0x8000, 0, 77, NULL, 0);
		if (bad[i].challenge)
			avp_put_bytes(&p.body, AVP_CHALLENGE, rd_init("c", 1));
		say(&p, 0, bad[i].expected);
		if (bad[i].result != 0) {
			assert_true(msg_result(&msg, &r));
			assert_int_equal(r.result, bad[i].result);
			assert_int_equal(r.error, bad[i].error);
			assert_false(p.close.by_peer);
			zlb(&p);
			play_end(&p);
		}
		tunnel_free(p.t); /* NULL is fine */
	}
}

/* Messages at the wrong time: the tunnel ends as RFC 2661 7.1 and 7.2.1 say. */
static void
test_out_of_sequence(void **state)
{
	static const enum msg_type wrong[] = {MSG_SCCRP, MSG_ICRQ, MSG_CDN};
	struct play p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		play_init(&p, 91);
		apple_sccrq(&p);
		say(&p, 0, "SCCRP");
		begin(&p, wrong[i]);
		say(&p, 0, "StopCCN down");
		assert_int_equal(p.close.result, 7);
		zlb(&p);
		play_end(&p);
	}
	play_init(&p, 92); /* unknown types: M clear, then M set */
	apple_up(&p);
	p.body = wr_init(p.body_bytes, sizeof(p.body_bytes));
	raw(&p, 0, 0, AVP_MESSAGE_TYPE, "\0\144", 2);
	say(&p, 0, "ZLB");
	p.body = wr_init(p.body_bytes, sizeof(p.body_bytes));
	raw(&p, 0x8000, 0, AVP_MESSAGE_TYPE, "\0\144", 2);
	say(&p, 0, "StopCCN session-down down");
	assert_int_equal(p.close.error, 8);
	tunnel_free(p.t);
}

/* The network swaps SCCCN and ICRQ: kept, and told in the right order. */
static void
test_early_icrq(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, 93);
	apple_sccrq(&p);
	say(&p, 0, "SCCRP");
	begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 3);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 1);
	p.ns++;
	say(&p, 0, "");
	begin(&p, MSG_SCCCN);
	p.ns = 1;
	say(&p, 0, "up new ZLB ICRP");
	tunnel_free(p.t);
}

/* The peer has forgotten its session and uses the id again. */
static void
test_session_id_again(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, 94);
	apple_up(&p);
	begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 0x1a2b);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 2);
	say(&p, 0, "new ICRP session-down");
	assert_false(p.close.by_peer);
	tunnel_free(p.t);
}

/* CDN before the peer knows our id: by the Assigned Session ID. */
static void
test_cdn_without_our_id(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, 95);
	apple_up(&p);
	begin(&p, MSG_CDN);
	raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\0\1", 2);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 0x1a2b);
	say(&p, 0, "ZLB session-down");
	check_end(&p, 1);
	tunnel_free(p.t);
}

/* Datagrams that are not for this tunnel leave it as it was. */
static void
test_not_for_us(void **state)
{
	static const uint8_t stop0[] = {
	    0xc8, 2, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 0, 0, 4};
	uint8_t other[12] = {0xc8, 2, 0, 12, 0x13, 0x13, 0, 0, 0, 0, 0, 0};
	uint8_t data[10] = {0, 2, 0x42, 0x42, 0, 0, 0xff, 3, 0xc0, 0x21};
	const char *why = NULL;
	struct play p;

	(void)state;
	play_init(&p, 96);
	apple_up(&p);
	assert_false(
	    tunnel_input(p.t, rd_init(stop0, sizeof(stop0)), p.now_ms, &why));
	assert_false(
	    tunnel_input(p.t, rd_init(other, sizeof(other)), p.now_ms, &why));
	assert_string_equal(why, "another tunnel's id");
	assert_false(
	    tunnel_input(p.t, rd_init(data, sizeof(data)), p.now_ms, &why));
	assert_string_equal(why, "data packet");
	assert_false(tunnel_input(p.t, rd_init(data, 1), p.now_ms, &why));
	p.log[0] = '\0';
	play_drain(&p);
	assert_string_equal(p.log, "");
	/* a new SCCRQ of the same peer id (Windows counts from 1 again) */
	apple_sccrq(&p);
	assert_false(deliver(&p, 0, 0, false));
	assert_true(tunnel_is_up(p.t));
	tunnel_free(p.t);
}

/* ---- what a half-open client costs -------------------------------------- */

/* Bytes on the heap: exact under ASan, near enough without. */
extern size_t __sanitizer_get_current_allocated_bytes(void)
    __attribute__((weak));

static size_t
heap_bytes(void)
{
	if (__sanitizer_get_current_allocated_bytes != NULL)
		return __sanitizer_get_current_allocated_bytes();
	return mallinfo2().uordblks;
}

static void
test_half_open_is_cheap(void **state)
{
	static const uint8_t zeros[1000];
	size_t before, cost;
	struct play p;
	int i;

	(void)state;
	play_init(&p, 97);
	p.cfg.receive_window = 1000; /* the worst that one could configure */
	before = heap_bytes();
	apple_sccrq(&p);
	say(&p, 0, "SCCRP");
	for (i = 2; i < 1000; i++) { /* early ones, small and large */
		begin(&p, MSG_HELLO);
		if (i > 50)
			raw(&p, 0, 0, 99, zeros, sizeof(zeros));
		p.ns = (uint16_t)i;
		say(&p, 0, "");
	}
	cost = heap_bytes() - before;
	assert_in_range(cost, 1000, 16384);
	tunnel_free(p.t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_apple),
	    cmocka_unit_test(test_apple_closed_by_us),
	    cmocka_unit_test(test_windows),
	    cmocka_unit_test(test_android),
	    cmocka_unit_test(test_android_with_secret),
	    cmocka_unit_test(test_xl2tpd),
	    cmocka_unit_test(test_kl2tpd),
	    cmocka_unit_test(test_too_many_sessions),
	    cmocka_unit_test(test_unknown_mandatory),
	    cmocka_unit_test(test_iccn_after_failure),
	    cmocka_unit_test(test_wen_and_sli),
	    cmocka_unit_test(test_bad_sccrq),
	    cmocka_unit_test(test_out_of_sequence),
	    cmocka_unit_test(test_early_icrq),
	    cmocka_unit_test(test_session_id_again),
	    cmocka_unit_test(test_cdn_without_our_id),
	    cmocka_unit_test(test_not_for_us),
	    cmocka_unit_test(test_half_open_is_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
