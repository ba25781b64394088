/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_l2tp_clients.c: the exchanges of clients that nobody can run here,
 * played packet by packet against a responder: Apple, Windows, Android 11 and
 * older, xl2tpd, kl2tpd. Each ends with a session up and then taken down the
 * client's way. Every datagram of ours must pass the strictest parser among
 * them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "l2tpd/proto/hide.h"
#include "tests/peer/l2tp_play.h"

/* ---- Apple ------------------------------------------------------------- */

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
	play_apple_up(&p);
	/* a late one of these does not hurt the tunnel */
	assert_false(
	    tunnel_input(p.t, rd_init(hello0, sizeof(hello0)), p.now_ms, &why));
	assert_string_equal(why, "HELLO on tunnel 0");
	p.log[0] = '\0';
	play_drain(&p);
	assert_string_equal(p.log, "");
	/* it answers our HELLO, and sends none */
	play_pass(&p, 61000, "HELLO HELLO");
	play_zlb(&p);
	/* CDN and StopCCN: little-endian, 6 bytes of garbage */
	play_begin(&p, MSG_CDN);
	play_raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\3\0garbag", 8);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 0x1a2b);
	play_say(&p, p.server_session, "ZLB session-down");
	play_check_end(&p, 3);
	assert_int_equal(p.close.message_bytes, 0);
	play_begin(&p, MSG_STOPCCN);
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, p.tunnel_id);
	play_raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\1\0garbag", 8);
	play_say(&p, 0, "ZLB down");
	play_check_end(&p, 1);
	play_again(&p, 0, "ZLB"); /* our acknowledgement got lost */
	play_pass(&p, 32000, "");
	play_end(&p);
}

/* It closes at once when we end the tunnel, and never answers. */
static void
test_apple_closed_by_us(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, 78);
	play_apple_up(&p);
	p.log[0] = '\0';
	tunnel_close(p.t, 6, 0, NULL, p.now_ms);
	play_drain(&p);
	assert_string_equal(p.log, "StopCCN session-down down");
	assert_false(tunnel_is_dead(p.t));
	play_pass(&p, 31000, "StopCCN StopCCN StopCCN StopCCN StopCCN");
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
	play_begin(&p, MSG_SCCRQ);
	avp_put_u16(&p.body, AVP_PROTOCOL_VERSION, 0x0100);
	avp_put_u32(&p.body, AVP_FRAMING_CAPABILITIES, 1);
	avp_put_u32(&p.body, AVP_BEARER_CAPABILITIES, 0);
	avp_put_u16(&p.body, AVP_FIRMWARE_REVISION, 0x0a00);
	avp_put_bytes(&p.body, AVP_HOST_NAME, rd_init("DESKTOP-7", 9));
	avp_put_bytes(&p.body, AVP_VENDOR_NAME, rd_init("Microsoft", 9));
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, 1);
	avp_put_u16(&p.body, AVP_RECEIVE_WINDOW_SIZE, 8);
	play_raw(&p, 0, 311, 1, correlation, sizeof(correlation));
	play_say(&p, 0, "SCCRP");
	play_check_sccrp(false);
	/* our answer got lost: it asks again, we answer both ways */
	p.nr = 0;
	play_again(&p, 0, "ZLB");
	play_pass(&p, 1000, "SCCRP");
	play_begin(&p, MSG_SCCCN);
	play_say(&p, 0, "ZLB up");
	play_check_host(&p, "DESKTOP-7");
	vendor = tunnel_peer_vendor_name(p.t);
	assert_int_equal(vendor.left, 9);
	assert_memory_equal(vendor.p, "Microsoft", 9);
	play_begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 1);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 0);
	avp_put_u32(&p.body, AVP_BEARER_TYPE, 2);
	play_raw(&p, 0, 311, 1, correlation, sizeof(correlation));
	play_say(&p, 0, "new ICRP");
	play_begin(&p, MSG_ICCN);
	avp_put_u32(&p.body, AVP_TX_CONNECT_SPEED, 1000000000);
	avp_put_u32(&p.body, AVP_FRAMING_TYPE, 1);
	play_raw(&p, 0, 0, AVP_PROXY_AUTHEN_TYPE, "\0\4", 2);
	play_say(&p, p.server_session, "ZLB session-up");
	play_begin(&p, MSG_CDN);
	play_raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\0\3\0\0", 4);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 1);
	play_raw(&p, 0, 0, 46, "\0\5\0\0", 4); /* RFC 3145, not mandatory */
	play_say(&p, p.server_session, "ZLB session-down");
	play_check_end(&p, 3);
	play_begin(&p, MSG_STOPCCN);
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, 1);
	play_raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\0\6\0\0", 4);
	play_say(&p, 0, "ZLB down");
	play_check_end(&p, 6);
	play_pass(&p, 32000, "");
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
	play_begin(&p, MSG_SCCRQ);
	avp_put_u16(&p.body, AVP_PROTOCOL_VERSION, 0x0100);
	avp_put_bytes(&p.body, AVP_HOST_NAME, rd_init("anonymous", 9));
	avp_put_u32(&p.body, AVP_FRAMING_CAPABILITIES, 3);
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, p.tunnel_id);
	avp_put_u16(&p.body, AVP_RECEIVE_WINDOW_SIZE, 1);
	if (secret != NULL)
		avp_put_bytes(&p.body, AVP_CHALLENGE, rd_init(challenge, 32));
	play_say(&p, 0, "SCCRP");
	play_check_sccrp(secret != NULL);
	if (secret != NULL)
		assert_true(hide_check_response(2, sec, rd_init(challenge, 32),
		    play_msg.value[AVP_CHALLENGE_RESPONSE].bytes));
	play_begin(&p, MSG_SCCCN);
	play_say(&p, 0, "ZLB up"); /* ICRQ comes only after this ZLB */
	play_again(&p, 0, "ZLB");  /* 2 s later, had the ZLB been lost */
	play_begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 0x7777);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 123456);
	play_say(&p, 0, "new ICRP");
	assert_int_equal(p.in_flight, 1);
	play_begin(&p, MSG_ICCN);
	avp_put_u32(&p.body, AVP_TX_CONNECT_SPEED, 100000000);
	avp_put_u32(&p.body, AVP_FRAMING_TYPE, 3);
	play_say(&p, p.server_session, "ZLB session-up"); /* in this order */
	/* window 1: HELLO waits for its answer before anything else goes */
	play_pass(&p, 60000, "HELLO");
	p.log[0] = '\0';
	assert_int_equal(
	    tunnel_session_close(p.t, p.session.local_id, 3, 0, NULL, p.now_ms),
	    0);
	play_drain(&p);
	assert_string_equal(p.log, "session-down"); /* no CDN yet */
	assert_true(play_deliver(&p, 0, p.ns, true));
	assert_string_equal(p.log, "CDN");
	play_zlb(&p);
	/* its own exit: StopCCN alone */
	play_begin(&p, MSG_STOPCCN);
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, p.tunnel_id);
	play_raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\0\6", 2);
	play_say(&p, 0, "ZLB down");
	play_check_end(&p, 6);
	play_pass(&p, 32000, "");
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
	play_begin(&p, MSG_SCCRQ);
	avp_put_u16(&p.body, AVP_PROTOCOL_VERSION, 0x0100);
	avp_put_u32(&p.body, AVP_FRAMING_CAPABILITIES, 3);
	avp_put_u32(&p.body, AVP_BEARER_CAPABILITIES, 0);
	avp_put_u16(&p.body, AVP_FIRMWARE_REVISION, 0x0690);
	avp_put_bytes(&p.body, AVP_HOST_NAME, rd_init("chromebook", 10));
	avp_put_bytes(&p.body, AVP_VENDOR_NAME, rd_init("xelerance.com", 13));
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, p.tunnel_id);
	avp_put_u16(&p.body, AVP_RECEIVE_WINDOW_SIZE, 4);
	play_say(&p, 0, "SCCRP");
	play_zlb(&p); /* it acknowledges first, then goes on */
	play_begin(&p, MSG_SCCCN);
	play_say(&p, 0, "ZLB up");
	play_begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 12345);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 1);
	avp_put_u32(&p.body, AVP_BEARER_TYPE, 0);
	play_say(&p, 0, "new ICRP");
	play_zlb(&p);
	play_begin(&p, MSG_ICCN);
	avp_put_u32(&p.body, AVP_TX_CONNECT_SPEED, 10000000);
	avp_put_u32(&p.body, AVP_FRAMING_TYPE, 1);
	avp_put_u32(&p.body, AVP_RX_CONNECT_SPEED, 10000000);
	play_say(&p, p.server_session, "ZLB session-up");
	play_pass(&p, 59000, "");
	play_begin(&p, MSG_HELLO); /* every 60 s */
	play_say(&p, 0, "ZLB");
	play_pass(&p, 59000, ""); /* which spares us ours */
	play_begin(&p, MSG_STOPCCN);
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, p.tunnel_id);
	play_raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\0\1\0\0Goodbye!", 12);
	play_say(&p, 0, "ZLB session-down down");
	play_check_end(&p, 1);
	assert_int_equal(p.close.message_bytes, 8);
	assert_memory_equal(p.close.message, "Goodbye!", 8);
	play_pass(&p, 32000, "");
	play_end(&p);
}

/* ---- kl2tpd ------------------------------------------------------------ */

static void
test_kl2tpd(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, 555);
	play_begin(&p, MSG_SCCRQ); /* no Receive Window Size: 4 */
	avp_put_u16(&p.body, AVP_PROTOCOL_VERSION, 0x0100);
	avp_put_bytes(&p.body, AVP_HOST_NAME, rd_init("laptop", 6));
	avp_put_u32(&p.body, AVP_FRAMING_CAPABILITIES, 3);
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, p.tunnel_id);
	play_say(&p, 0, "SCCRP");
	play_check_sccrp(false);
	play_begin(&p, MSG_SCCCN);
	play_say(&p, 0, "ZLB up");
	play_begin(&p, MSG_ICRQ);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 99);
	avp_put_u32(&p.body, AVP_CALL_SERIAL_NUMBER, 7);
	play_say(&p, 0, "new ICRP");
	play_begin(&p, MSG_ICCN);
	avp_put_u32(&p.body, AVP_TX_CONNECT_SPEED, 0);
	avp_put_u32(&p.body, AVP_FRAMING_TYPE, 0);
	play_say(&p, p.server_session, "ZLB session-up");
	play_begin(&p, MSG_CDN);
	play_raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\0\3", 2);
	avp_put_u16(&p.body, AVP_ASSIGNED_SESSION_ID, 99);
	play_say(&p, p.server_session, "ZLB session-down");
	play_begin(&p, MSG_STOPCCN);
	play_raw(&p, 0x8000, 0, AVP_RESULT_CODE, "\0\1", 2);
	avp_put_u16(&p.body, AVP_ASSIGNED_TUNNEL_ID, p.tunnel_id);
	play_say(&p, 0, "ZLB down");
	play_pass(&p, 32000, "");
	play_end(&p);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
