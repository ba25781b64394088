/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_l2tp_hostile.c: what a responder does with peers that are wrong, odd or
 * hostile: bad SCCRQs, messages out of sequence or for nobody, unknown AVPs,
 * early messages, floods; and what a half-open client costs.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/peer/l2tp_net.h"
#include "tests/peer/l2tp_play.h"

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
	play_apple_up(&p);
	play_begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 0x2b2b);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 2);
	play_say(&p, 0, "CDN");
	assert_true(msg_result(&play_msg, &r));
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
	play_apple_up(&p);
	play_begin(&p, MSG_WEN);
	play_raw(&p, 0x8000, 0, 200, "x", 1);
	play_say(&p, p.server_session, "CDN session-down");
	assert_true(msg_result(&play_msg, &r));
	assert_int_equal(r.result, 2);
	assert_int_equal(r.error, 8);
	assert_true(tunnel_is_up(p.t));
	play_begin(&p, MSG_HELLO);
	play_raw(&p, 0x8000, 9, 1, "x", 1);
	play_say(&p, 0, "StopCCN down");
	assert_true(msg_result(&play_msg, &r));
	assert_int_equal(r.result, 2);
	assert_int_equal(r.error, 8);
	assert_int_equal(p.close.error, 8);
	assert_int_equal(r.message.left, 17);
	assert_memory_equal(r.message.p, "AVP 1 of vendor 9", 17);
	play_zlb(&p);
	play_end(&p);
}

/* ICCN after the session was refused or ended; messages for no session. */
static void
test_iccn_after_failure(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, 82);
	play_apple_up(&p);
	p.log[0] = '\0';
	tunnel_session_close(
	    p.t, p.session.local_id, 2, 6, "no address", p.now_ms);
	play_drain(&p);
	assert_string_equal(p.log, "CDN session-down");
	play_begin(&p, MSG_ICCN);
	avp_put_u32(&p.body, AVP_TX_CONNECT_SPEED, 1);
	avp_put_u32(&p.body, AVP_FRAMING_TYPE, 1);
	play_say(&p, p.server_session, "ZLB");
	play_say(&p, 0x7fff, "ZLB");
	play_begin(&p, MSG_SLI);
	play_raw(&p, 0x8000, 0, AVP_ACCM, "\0\0\0\0\0\0\0\0\0\0", 10);
	play_say(&p, 0x7fff, "ZLB");
	play_begin(&p, MSG_ICRP); /* a stray reply: RFC 2661 7.4.2 */
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 5);
	play_say(&p, 0, "CDN");
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
	play_apple_up(&p);
	play_begin(&p, MSG_SLI);
	play_raw(&p, 0x8000, 0, AVP_ACCM, "\0\0\0\12\0\0\377\377\377\377", 10);
	play_say(&p, p.server_session, "ZLB sli");
	play_begin(&p, MSG_WEN);
	play_raw(&p, 0x8000, 0, AVP_CALL_ERRORS, errors, sizeof(errors));
	play_say(&p, p.server_session, "ZLB wen");
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
		play_begin(&p, MSG_SCCRQ);
		avp_put_u16(&p.body, AVP_PROTOCOL_VERSION, bad[i].version);
		if (bad[i].host)
			avp_put_bytes(&p.body, AVP_HOST_NAME, rd_init("h", 1));
		avp_put_u32(&p.body, AVP_FRAMING_CAPABILITIES, 3);
		avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, 90);
		if (bad[i].unknown)
			play_raw(&p, 0x8000, 0, 77, NULL, 0);
		if (bad[i].challenge)
			avp_put_bytes(&p.body, AVP_CHALLENGE, rd_init("c", 1));
		play_say(&p, 0, bad[i].expected);
		if (bad[i].result != 0) {
			assert_true(msg_result(&play_msg, &r));
			assert_int_equal(r.result, bad[i].result);
			assert_int_equal(r.error, bad[i].error);
			assert_false(p.close.by_peer);
			play_zlb(&p);
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
		play_apple_sccrq(&p);
		play_say(&p, 0, "SCCRP");
		play_begin(&p, wrong[i]);
		play_say(&p, 0, "StopCCN down");
		assert_int_equal(p.close.result, 7);
		play_zlb(&p);
		play_end(&p);
	}
	play_init(&p, 92); /* unknown types: M clear, then M set */
	play_apple_up(&p);
	p.body = wr_init(p.body_bytes, sizeof(p.body_bytes));
	play_raw(&p, 0, 0, AVP_MESSAGE_TYPE, "\0\144", 2);
	play_say(&p, 0, "ZLB");
	p.body = wr_init(p.body_bytes, sizeof(p.body_bytes));
	play_raw(&p, 0x8000, 0, AVP_MESSAGE_TYPE, "\0\144", 2);
	play_say(&p, 0, "StopCCN session-down down");
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
	play_apple_sccrq(&p);
	play_say(&p, 0, "SCCRP");
	play_begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 3);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 1);
	p.ns++;
	play_say(&p, 0, "");
	play_begin(&p, MSG_SCCCN);
	p.ns = 1;
	play_say(&p, 0, "up new ZLB ICRP");
	tunnel_free(p.t);
}

/* The peer has forgotten its session and uses the id again. */
static void
test_session_id_again(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, 94);
	play_apple_up(&p);
	play_begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 0x1a2b);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 2);
	play_say(&p, 0, "new ICRP session-down");
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
	play_apple_up(&p);
	play_begin(&p, MSG_CDN);
	play_raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\0\1", 2);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 0x1a2b);
	play_say(&p, 0, "ZLB session-down");
	play_check_end(&p, 1);
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
	play_apple_up(&p);
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
	play_apple_sccrq(&p);
	assert_false(play_deliver(&p, 0, 0, false));
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
	play_apple_sccrq(&p);
	play_say(&p, 0, "SCCRP");
	for (i = 2; i < 1000; i++) { /* early ones, small and large */
		play_begin(&p, MSG_HELLO);
		if (i > 50)
			play_raw(&p, 0, 0, 99, zeros, sizeof(zeros));
		p.ns = (uint16_t)i;
		play_say(&p, 0, "");
	}
	cost = heap_bytes() - before;
	assert_in_range(cost, 1000, 16384);
	tunnel_free(p.t);
}

/* Junk, ZLBs and repetitions without end: no answer to what needs none, at
 * most one small answer to the rest, no memory. */
static void
test_floods(void **state)
{
	uint8_t junk[64];
	struct play p;
	size_t before;
	const char *why;
	int i;

	(void)state;
	play_init(&p, 98);
	play_apple_up(&p);
	before = heap_bytes();
	for (i = 0; i < 5000; i++) {
		play_zlb(&p);
		play_again(&p, p.server_session, "ZLB");
		net_fill_random(&p.seed, junk, sizeof(junk));
		(void)tunnel_input(
		    p.t, rd_init(junk, sizeof(junk)), p.now_ms, &why);
		p.log[0] = '\0';
		play_drain(&p);
		assert_string_equal(p.log, "");
	}
	assert_int_equal(heap_bytes(), before);
	assert_true(tunnel_is_up(p.t));
	tunnel_free(p.t);
}

/* The engine refuses a session while it fetches the effects. */
static void
test_refused_at_once(void **state)
{
	struct tunnel_effect e;
	struct play p;

	(void)state;
	play_init(&p, 99);
	p.cfg.max_sessions = 2;
	play_apple_up(&p);
	play_zlb(&p);
	play_begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 7);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 1);
	p.hold = true;
	play_say(&p, 0, "");
	p.hold = false;
	assert_true(tunnel_next_effect(p.t, &e));
	assert_int_equal(e.type, TUNNEL_EFFECT_SESSION_NEW);
	assert_int_equal(
	    tunnel_session_close(p.t, e.session.local_id, 4, 0, NULL, p.now_ms),
	    0);
	play_drain(&p);
	assert_string_equal(p.log, "ICRP CDN session-down");
	assert_true(tunnel_is_up(p.t) && !tunnel_is_closing(p.t));
	tunnel_close(p.t, 1, 0, NULL, p.now_ms);
	assert_true(tunnel_is_closing(p.t));
	tunnel_free(p.t); /* with effects not fetched */
}

static bool
is_odd(void *ctx, uint16_t id)
{
	(*(unsigned int *)ctx)++;
	return id % 2 != 0;
}

static bool
is_taken(void *ctx, uint16_t id)
{
	(void)ctx, (void)id;
	return true;
}

/* Other tunnels have session ids that this one may not. */
static void
test_ids_of_other_tunnels(void **state)
{
	struct tunnel_effect e;
	unsigned int asked = 0;
	struct play p;

	(void)state;
	play_init(&p, 100);
	p.cfg.max_sessions = 40;
	p.cfg.session_id_taken = is_odd;
	p.cfg.taken_ctx = &asked;
	play_apple_up(&p);
	play_zlb(&p);
	for (uint16_t i = 1; i <= 16; i++) {
		play_begin(&p, MSG_ICRQ);
		avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, i);
		avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, i);
		p.hold = true;
		play_say(&p, 0, "");
		p.hold = false;
		assert_true(tunnel_next_effect(p.t, &e));
		assert_int_equal(e.type, TUNNEL_EFFECT_SESSION_NEW);
		assert_int_equal(e.session.local_id % 2, 0);
		play_drain(&p);
		play_zlb(&p);
	}
	assert_true(asked > 16);
	p.cfg.session_id_taken = is_taken;
	play_begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 99);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 99);
	play_say(&p, 0, "ZLB"); /* none is free */
	tunnel_free(p.t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_too_many_sessions),
	    cmocka_unit_test(test_unknown_mandatory),
	    cmocka_unit_test(test_iccn_after_failure),
	    cmocka_unit_test(test_wen_and_sli),
	    cmocka_unit_test(test_bad_sccrq),
	    cmocka_unit_test(test_out_of_sequence),
	    cmocka_unit_test(test_early_icrq),
	    cmocka_unit_test(test_session_id_again),
	    cmocka_unit_test(test_ids_of_other_tunnels),
	    cmocka_unit_test(test_cdn_without_our_id),
	    cmocka_unit_test(test_not_for_us),
	    cmocka_unit_test(test_half_open_is_cheap),
	    cmocka_unit_test(test_floods),
	    cmocka_unit_test(test_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
