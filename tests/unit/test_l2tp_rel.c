/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_l2tp_rel.c: reliable delivery (RFC 2661 5.8, Appendix A): numbers,
 * acknowledgements, window, slow start, the retransmission schedule, early
 * messages, wrap-around.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "l2tpd/proto/rel.h"
#include "l2tpd/proto/tunnel.h"

#define BODY rd_init("body", 4)

static struct l2tp_packet_head head;
static uint8_t out[2048];

/* Take one datagram out. False: none. */
static bool
fetch(struct rel *rel, uint64_t now_ms)
{
	struct wr w = wr_init(out, sizeof(out));
	bool promised = rel_has_output(rel);
	struct rd r;

	assert_int_equal(rel_output(rel, 9, now_ms, &w), promised);
	if (!promised)
		return false;
	r = wr_rd(&w);
	assert_true(l2tp_parse_head(&r, &head));
	assert_int_equal(head.tunnel_id, 9);
	return true;
}

static unsigned
fetch_all(struct rel *rel, uint64_t now_ms)
{
	unsigned n = 0;

	while (fetch(rel, now_ms))
		n++;
	return n;
}

static void
test_schedule(void **state)
{
	static const uint64_t at_ms[] = {1000, 3000, 7000, 15000, 23000};
	struct rel rel;
	size_t i;

	(void)state;
	rel_init(&rel, 4);
	assert_int_equal(rel_deadline(&rel), UINT64_MAX);
	assert_int_equal(rel_send(&rel, 3, BODY), 0);
	assert_int_equal(fetch_all(&rel, 0), 1);
	for (i = 0; i < sizeof(at_ms) / sizeof(at_ms[0]); i++) {
		assert_int_equal(rel_deadline(&rel), at_ms[i]);
		assert_true(rel_tick(&rel, at_ms[i] - 1));
		assert_false(fetch(&rel, at_ms[i] - 1));
		assert_true(rel_tick(&rel, at_ms[i]));
		assert_true(fetch(&rel, at_ms[i]));
		assert_int_equal(head.ns, 0);
		assert_int_equal(head.session_id, 3);
		assert_int_equal(head.payload.left, 4);
		assert_false(fetch(&rel, at_ms[i]));
	}
	assert_int_equal(rel_deadline(&rel), REL_FULL_CYCLE_MS);
	assert_int_equal(REL_FULL_CYCLE_MS, 31000);
	assert_false(rel_tick(&rel, REL_FULL_CYCLE_MS));
	rel_clear(&rel);
}

static void
test_nr_is_fresh_when_sent_again(void **state)
{
	struct rel rel;

	(void)state;
	rel_init(&rel, 4);
	rel_send(&rel, 0, BODY);
	assert_true(fetch(&rel, 0));
	assert_int_equal(head.nr, 0);
	assert_int_equal(rel_input(&rel, 0, 0, false, 10), REL_DELIVER);
	assert_true(fetch(&rel, 10)); /* ZLB */
	assert_int_equal(head.payload.left, 0);
	assert_int_equal(head.ns, 1);
	assert_true(rel_tick(&rel, 1000));
	assert_true(fetch(&rel, 1000));
	assert_int_equal(head.ns, 0);
	assert_int_equal(head.nr, 1);
	rel_clear(&rel);
}

static void
test_slow_start_and_window(void **state)
{
	struct rel rel;
	int i;

	(void)state;
	rel_init(&rel, 4);
	rel_set_peer_window(&rel, 3);
	for (i = 0; i < 20; i++)
		assert_int_equal(rel_send(&rel, 0, BODY), 0);
	assert_int_equal(fetch_all(&rel, 0), 1);
	rel_input(&rel, 0, 1, true, 1);
	assert_int_equal(fetch_all(&rel, 1), 2);
	rel_input(&rel, 0, 3, true, 2);
	assert_int_equal(fetch_all(&rel, 2), 3); /* the peer's window */
	rel_input(&rel, 0, 4, true, 3);
	assert_int_equal(fetch_all(&rel, 3), 1);
	/* a loss: start again with one, grow to half, then one a round */
	assert_true(rel_tick(&rel, rel_deadline(&rel)));
	assert_int_equal(fetch_all(&rel, 5000), 1);
	assert_int_equal(head.ns, 4);
	assert_int_equal(rel.ssthresh, 1);
	rel_input(&rel, 0, 5, true, 5001);
	assert_int_equal(fetch_all(&rel, 5001), 2);
	assert_int_equal(head.ns, 6);
	rel_clear(&rel);
}

static void
test_window_one(void **state)
{
	struct rel rel;
	uint16_t i;

	(void)state;
	rel_init(&rel, 4);
	rel_set_peer_window(&rel, 1); /* old Android */
	for (i = 0; i < 5; i++)
		rel_send(&rel, 0, BODY);
	for (i = 0; i < 5; i++) {
		assert_int_equal(fetch_all(&rel, 0), 1);
		assert_int_equal(head.ns, i);
		rel_input(&rel, 0, (uint16_t)(i + 1), true, 0);
	}
	assert_true(rel_all_acked(&rel));
	assert_int_equal(rel_deadline(&rel), UINT64_MAX);
	rel_set_peer_window(&rel, 0); /* counts as 1 */
	assert_int_equal(rel.peer_window, 1);
	rel_clear(&rel);
}

static void
test_bad_acks(void **state)
{
	struct rel rel;

	(void)state;
	rel_init(&rel, 4);
	rel_send(&rel, 0, BODY);
	/* never sent yet: nobody can have it */
	assert_int_equal(rel_input(&rel, 0, 1, true, 0), REL_DROP);
	assert_true(fetch(&rel, 0));
	assert_int_equal(rel_input(&rel, 0, 2, true, 0), REL_DROP);
	assert_int_equal(rel_input(&rel, 0, 2, false, 0), REL_DROP);
	assert_int_equal(rel.nr, 0);
	assert_int_equal(rel_input(&rel, 0, 0xffff, true, 0), REL_ACK_ONLY);
	assert_false(rel_all_acked(&rel));
	assert_int_equal(rel_input(&rel, 0, 1, true, 0), REL_ACK_ONLY);
	assert_true(rel_all_acked(&rel));
	rel_clear(&rel);
}

static void
test_late_ack_after_timeout(void **state)
{
	struct rel rel;

	(void)state;
	rel_init(&rel, 4);
	rel_send(&rel, 0, BODY);
	rel_send(&rel, 0, BODY);
	assert_int_equal(fetch_all(&rel, 0), 1);
	rel_input(&rel, 0, 1, true, 0);
	assert_int_equal(fetch_all(&rel, 0), 1);
	assert_true(rel_tick(&rel, 1000)); /* to be sent again ... */
	rel_input(&rel, 0, 2, true, 1000); /* ... but here it is */
	assert_true(rel_all_acked(&rel));
	assert_false(fetch(&rel, 1000));
	assert_int_equal(rel_deadline(&rel), UINT64_MAX);
	rel_clear(&rel);
}

static void
test_duplicates(void **state)
{
	struct rel rel;

	(void)state;
	rel_init(&rel, 4);
	assert_int_equal(rel_input(&rel, 0, 0, false, 0), REL_DELIVER);
	assert_int_equal(fetch_all(&rel, 0), 1);
	assert_int_equal(head.nr, 1);
	assert_int_equal(rel_input(&rel, 0, 0, false, 0), REL_DUPLICATE);
	assert_int_equal(fetch_all(&rel, 0), 1); /* acknowledged again */
	assert_int_equal(head.nr, 1);
	/* 32767 behind is a duplicate, 32768 is not */
	assert_int_equal(
	    rel_input(&rel, (uint16_t)(1 - 32767), 0, false, 0), REL_DUPLICATE);
	/* a ZLB is never answered */
	fetch_all(&rel, 0);
	assert_int_equal(rel_input(&rel, 1, 0, true, 0), REL_ACK_ONLY);
	assert_false(fetch(&rel, 0));
	rel_clear(&rel);
}

static void
take(struct rel *rel, uint16_t session_id)
{
	struct rel_msg *m = rel_take_early(rel);

	assert_non_null(m);
	assert_int_equal(rel_msg_session_id(m), session_id);
	assert_int_equal(rel_msg_body(m).left, 4);
	rel_msg_free(m);
}

static void
test_early(void **state)
{
	struct rel rel;

	(void)state;
	rel_init(&rel, 4);
	assert_int_equal(rel_input(&rel, 3, 0, false, 0), REL_EARLY);
	assert_true(rel_keep(&rel, 3, 33, BODY));
	assert_int_equal(rel_input(&rel, 1, 0, false, 0), REL_EARLY);
	assert_true(rel_keep(&rel, 1, 11, BODY));
	assert_true(rel_keep(&rel, 1, 11, BODY)); /* twice is once */
	assert_int_equal(rel_input(&rel, 4, 0, false, 0), REL_DROP);
	assert_null(rel_take_early(&rel));
	assert_false(fetch(&rel, 0)); /* nothing to acknowledge */
	assert_int_equal(rel_input(&rel, 0, 0, false, 0), REL_DELIVER);
	take(&rel, 11);
	assert_null(rel_take_early(&rel));
	assert_int_equal(rel_input(&rel, 2, 0, false, 0), REL_DELIVER);
	take(&rel, 33);
	assert_int_equal(rel.nr, 4);
	assert_int_equal(rel.early_bytes, 0);
	/* one that arrived again in order meanwhile is dropped */
	assert_true(rel_keep(&rel, 5, 55, BODY));
	rel_input(&rel, 4, 0, false, 0);
	rel_input(&rel, 5, 0, false, 0);
	assert_null(rel_take_early(&rel));
	assert_int_equal(rel.early_bytes, 0);
	rel_clear(&rel);
}

static void
test_early_is_bounded(void **state)
{
	static const uint8_t big[1400];
	struct rel rel;
	uint16_t ns, kept = 0;

	(void)state;
	rel_init(&rel, 1000);
	for (ns = 1; ns < 1000; ns++)
		kept = (uint16_t)(kept +
		    rel_keep(&rel, ns, 0, rd_init(big, sizeof(big))));
	assert_int_equal(kept, 2);
	assert_true(rel.early_bytes <= REL_EARLY_BYTES);
	rel_clear(&rel);
}

static void
test_wrap_around(void **state)
{
	struct rel rel;
	unsigned i;

	(void)state;
	rel_init(&rel, 4);
	for (i = 0; i < 200000; i++) {
		assert_int_equal(rel_send(&rel, 0, BODY), 0);
		assert_true(fetch(&rel, i));
		assert_int_equal(head.ns, (uint16_t)i);
		assert_int_equal(
		    rel_input(&rel, (uint16_t)i, (uint16_t)(i + 1), false, i),
		    REL_DELIVER);
		assert_true(fetch(&rel, i));
		assert_int_equal(head.nr, (uint16_t)(i + 1));
	}
	assert_true(rel_all_acked(&rel));
	rel_clear(&rel);
}

static void
test_limits(void **state)
{
	static const uint8_t big[REL_BODY_MAX + 1];
	struct rel rel;
	int i;

	(void)state;
	rel_init(&rel, 4);
	assert_int_equal(
	    rel_send(&rel, 0, rd_init(big, sizeof(big))), -EMSGSIZE);
	assert_int_equal(rel_send(&rel, 0, rd_init(NULL, 0)), -EMSGSIZE);
	for (i = 0; i < REL_QUEUE_MAX; i++)
		assert_int_equal(rel_send(&rel, 0, BODY), 0);
	assert_int_equal(rel_send(&rel, 0, BODY), -ENOBUFS);
	assert_int_equal(fetch_all(&rel, 0), 1);
	rel_drop_unsent(&rel);
	assert_int_equal(rel.out_count, 1);
	rel_stop_sending(&rel);
	assert_true(rel_all_acked(&rel));
	assert_int_equal(rel.una, 1);
	rel_clear(&rel);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_schedule),
	    cmocka_unit_test(test_nr_is_fresh_when_sent_again),
	    cmocka_unit_test(test_slow_start_and_window),
	    cmocka_unit_test(test_window_one),
	    cmocka_unit_test(test_bad_acks),
	    cmocka_unit_test(test_late_ack_after_timeout),
	    cmocka_unit_test(test_duplicates),
	    cmocka_unit_test(test_early),
	    cmocka_unit_test(test_early_is_bounded),
	    cmocka_unit_test(test_wrap_around),
	    cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
