/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ike_filter.c: which IKE datagrams pass (l2tpd/ike/filter.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/wr.h"
#include "l2tpd/ike/filter.h"

struct packet {
	uint64_t initiator, responder;
	uint8_t next, version, exchange;
	uint32_t message_id;
	uint32_t length; /* of the header's field */
	size_t bytes;    /* of the datagram */
};

/* main mode's first message */
static const struct packet main_first = {
    .initiator = 0x1122334455667788,
    .next = 1,
    .version = 0x10,
    .exchange = 2,
    .length = 100,
    .bytes = 100,
};
static const struct endpoint office = {
    .family = 4, .addr = {192, 0, 2, 1}, .port = 500};

static int
setup(void **state)
{
	*state = ike_filter_new(0);
	return *state != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	ike_filter_free(*state);
	return 0;
}

static enum ike_verdict
check_from(struct ike_filter *f, const struct packet *p,
    const struct endpoint *from, uint64_t now_ms)
{
	enum ike_verdict v;
	uint8_t *exact = malloc(p->bytes + 1), buf[256];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be64(&w, p->initiator);
	wr_be64(&w, p->responder);
	wr_u8(&w, p->next);
	wr_u8(&w, p->version);
	wr_u8(&w, p->exchange);
	wr_u8(&w, 0);
	wr_be32(&w, p->message_id);
	wr_be32(&w, p->length);
	wr_zero(&w, sizeof(buf) - w.len);
	assert_non_null(exact);
	memcpy(exact, buf, p->bytes); /* ASan sees one byte too many */
	v = ike_filter_check(f, rd_init(exact, p->bytes), from, now_ms);
	free(exact);
	return v;
}

static enum ike_verdict
check(struct ike_filter *f, const struct packet *p)
{
	return check_from(f, p, &office, 0);
}

static void
test_exchanges(void **state)
{
	static const struct {
		uint8_t exchange;
		uint32_t message_id;
		enum ike_verdict want;
	} rows[] = {
	    {0, 0, IKE_DROP_EXCHANGE}, /* none */
	    {1, 0, IKE_DROP_EXCHANGE}, /* base */
	    {2, 0, IKE_PASS},          /* main */
	    {2, 7, IKE_DROP_MESSAGE_ID},
	    {3, 0, IKE_DROP_EXCHANGE}, /* authentication only */
	    {4, 0, IKE_DROP_AGGRESSIVE},
	    {5, 7, IKE_PASS}, /* informational */
	    {5, 0, IKE_PASS},
	    {6, 7, IKE_DROP_TRANSACTION},
	    {32, 7, IKE_PASS}, /* quick */
	    {32, 0, IKE_DROP_MESSAGE_ID},
	    {33, 7, IKE_DROP_EXCHANGE}, /* new group */
	    {34, 0, IKE_DROP_EXCHANGE}, /* IKE_SA_INIT in v1 clothes */
	    {255, 0, IKE_DROP_EXCHANGE},
	};
	struct packet p = main_first;
	size_t i;

	p.responder = 1;
	p.next = 8;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p.exchange = rows[i].exchange;
		p.message_id = rows[i].message_id;
		assert_int_equal(check(*state, &p), rows[i].want);
	}
	ike_filter_allow_aggressive(*state, true);
	ike_filter_allow_transaction(*state, true);
	p.exchange = 4;
	p.message_id = 0;
	assert_int_equal(check(*state, &p), IKE_PASS);
	p.exchange = 6;
	assert_int_equal(check(*state, &p), IKE_DROP_MESSAGE_ID);
	p.message_id = 9;
	assert_int_equal(check(*state, &p), IKE_PASS);
}

static void
test_versions(void **state)
{
	struct packet p = main_first;
	unsigned int version;

	for (version = 0; version < 256; version++) {
		p.version = (uint8_t)version;
		p.responder = 1;
		assert_int_equal(check(*state, &p),
		    version >> 4 == 1 ? IKE_PASS : IKE_DROP_VERSION);
	}
	/* charon 5.9.8's leak: IKE_SA_INIT with message id 1 */
	p = (struct packet){.initiator = 1,
	    .next = 0,
	    .version = 0x20,
	    .exchange = 34,
	    .message_id = 1,
	    .length = 28,
	    .bytes = 28};
	assert_int_equal(check(*state, &p), IKE_DROP_VERSION);
	assert_int_equal(ike_filter_count(*state, IKE_PASS), 16);
}

static void
test_lengths(void **state)
{
	struct packet p = main_first;

	for (p.bytes = 0; p.bytes < 28; p.bytes++)
		assert_int_equal(check(*state, &p), IKE_DROP_SHORT);
	for (p.bytes = 28; p.bytes < 100; p.bytes++)
		assert_int_equal(check(*state, &p), IKE_DROP_LENGTH);
	p.bytes = 101;
	assert_int_equal(check(*state, &p), IKE_DROP_LENGTH);
	p.bytes = 100;
	p.length = 0xffffffff;
	assert_int_equal(check(*state, &p), IKE_DROP_LENGTH);
	p.length = 0;
	assert_int_equal(check(*state, &p), IKE_DROP_LENGTH);
}

static void
test_cookies_and_payloads(void **state)
{
	struct packet p = main_first;

	p.initiator = 0;
	assert_int_equal(check(*state, &p), IKE_DROP_COOKIE);
	p = main_first;
	p.next = 0;
	assert_int_equal(check(*state, &p), IKE_DROP_PAYLOAD);
	p.next = 33; /* IKEv2's SA */
	assert_int_equal(check(*state, &p), IKE_DROP_PAYLOAD);
	p.next = 5; /* an ID does not begin main mode */
	assert_int_equal(check(*state, &p), IKE_DROP_PAYLOAD);
	p.next = 132; /* but a fragment may */
	assert_int_equal(check(*state, &p), IKE_PASS);
	p.responder = 1;
	assert_int_equal(check(*state, &p), IKE_PASS);
	p.next = 130; /* NAT-D of the drafts */
	assert_int_equal(check(*state, &p), IKE_PASS);
	p.responder = 0;
	p.exchange = 32;
	p.message_id = 1;
	p.next = 8;
	assert_int_equal(check(*state, &p), IKE_DROP_COOKIE);
	p.exchange = 5;
	assert_int_equal(check(*state, &p), IKE_DROP_COOKIE);
}

static void
test_rate_of_a_source(void **state)
{
	struct endpoint other = office, port = office;
	struct packet p = main_first, later = main_first;
	unsigned int i;

	later.responder = 1;
	port.port = 40000;
	other.addr[3] = 9;
	for (i = 0; i < IKE_FILTER_SOURCE_BURST; i++)
		assert_int_equal(check(*state, &p), IKE_PASS);
	assert_int_equal(check(*state, &p), IKE_DROP_SOURCE_RATE);
	assert_int_equal(
	    check_from(*state, &p, &port, 0), IKE_DROP_SOURCE_RATE);
	/* others, and what belongs to an exchange, do not notice */
	assert_int_equal(check_from(*state, &p, &other, 0), IKE_PASS);
	assert_int_equal(check(*state, &later), IKE_PASS);
	/* one second later: as many as a second gives */
	for (i = 0; i < IKE_FILTER_SOURCE_PER_S; i++)
		assert_int_equal(
		    check_from(*state, &p, &office, 1000), IKE_PASS);
	assert_int_equal(
	    check_from(*state, &p, &office, 1000), IKE_DROP_SOURCE_RATE);
	assert_int_equal(ike_filter_count(*state, IKE_DROP_SOURCE_RATE), 3);
}

static void
test_rate_of_all(void **state)
{
	struct endpoint from = office;
	struct packet later = main_first;
	unsigned int i, passed = 0;

	for (i = 0; i < 4 * IKE_FILTER_GLOBAL_BURST; i++) {
		from.addr[2] = (uint8_t)(i >> 8);
		from.addr[3] = (uint8_t)i;
		if (check_from(*state, &main_first, &from, 0) == IKE_PASS)
			passed++;
	}
	assert_int_equal(passed, IKE_FILTER_GLOBAL_BURST);
	assert_int_equal(ike_filter_count(*state, IKE_DROP_GLOBAL_RATE),
	    3 * IKE_FILTER_GLOBAL_BURST);
	later.responder = 1;
	assert_int_equal(check(*state, &later), IKE_PASS);
}

static void
test_names(void **state)
{
	unsigned int v;

	(void)state;
	for (v = 0; v < IKE_VERDICT_COUNT_; v++)
		assert_non_null(ike_verdict_name((enum ike_verdict)v));
	assert_string_equal(ike_verdict_name(IKE_VERDICT_COUNT_), "unknown");
	ike_filter_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_exchanges, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_versions, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_lengths, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_cookies_and_payloads, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_rate_of_a_source, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_rate_of_all, setup, teardown),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
