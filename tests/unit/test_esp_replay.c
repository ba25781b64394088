/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_esp_replay.c: the numbered facts of the anti-replay window (RFC 4303
 * 3.4.3), each a row: numbers in order, and what has to become of each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "l2tpd/esp/replay.h"

#define W ESP_REPLAY_WINDOW

enum want { END, NEW, OLD, NO }; /* new right edge, inside, refused */
struct step {
	uint64_t seq;
	enum want want;
};
struct fact {
	int number;
	const char *text;
	struct step steps[8];
};

/* clang-format off */
static const struct fact facts[] = {
	{ 1, "number 0 is never accepted", { { 0, NO }, { 1, NEW }, { 0, NO } } },
	{ 2, "the first packet may have any other number",
	  { { 70000, NEW }, { 70000, NO } } },
	{ 3, "a number is accepted once", { { 1, NEW }, { 1, NO }, { 2, NEW },
	  { 1, NO }, { 2, NO } } },
	{ 4, "reordering inside the window", { { 5, NEW }, { 3, OLD }, { 4, OLD },
	  { 3, NO }, { 6, NEW }, { 1, OLD } } },
	{ 5, "the window's left edge is top - W + 1", { { W + 10, NEW },
	  { 11, OLD }, { 10, NO }, { 11, NO } } },
	{ 6, "one step right pushes one number out", { { W, NEW }, { 1, OLD },
	  { 2, OLD }, { W + 1, NEW }, { 1, NO }, { 2, NO }, { 3, OLD } } },
	{ 7, "a jump of exactly W empties the window", { { 1, NEW },
	  { 1 + W, NEW }, { 1, NO }, { 2, OLD }, { W, OLD } } },
	{ 8, "a jump of a ring's length leaves no old bits", { { 7, NEW },
	  { 7 + REPLAY_RING_BITS, NEW }, { 6 + REPLAY_RING_BITS, OLD },
	  { 7 + W, NO }, { 8 + W, OLD } } },
	{ 9, "a jump of many rings leaves no old bits", { { 100, NEW },
	  { 99, OLD }, { 100 + 50 * REPLAY_RING_BITS, NEW },
	  { 99 + 50 * REPLAY_RING_BITS, OLD },
	  { 99 + 50 * REPLAY_RING_BITS, NO } } },
	{ 10, "word borders (63, 64, 65)", { { 64, NEW }, { 63, OLD },
	  { 65, NEW }, { 64, NO }, { 63, NO }, { 128, NEW }, { 127, OLD } } },
	{ 11, "the last 32-bit number works, once", { { UINT32_MAX - 1, NEW },
	  { UINT32_MAX, NEW }, { UINT32_MAX, NO },
	  { UINT32_MAX - W, NO }, { UINT32_MAX - W + 1, OLD } } },
	{ 12, "nothing wraps: after the last number small ones stay refused",
	  { { UINT32_MAX, NEW }, { 1, NO }, { 2, NO }, { 0, NO } } },
};
/* clang-format on */

static void
facts_hold(void **state)
{
	const struct step *s;
	struct replay r;
	bool newest, marked;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		memset(&r, 0, sizeof(r));
		for (s = facts[i].steps; s->want != END; s++) {
			newest = false;
			assert_int_equal(
			    replay_check(&r, s->seq), s->want != NO);
			marked = replay_mark(&r, s->seq, &newest);
			if (marked != (s->want != NO) ||
			    newest != (s->want == NEW))
				fail_msg("fact %d (%s): number %llu",
				    facts[i].number, facts[i].text,
				    (unsigned long long)s->seq);
		}
	}
}

/* Against a plain model that remembers everything. */
static void
agrees_with_a_model(void **state)
{
	static uint8_t seen[1 << 16];
	struct replay r = {0};
	uint64_t top = 0, seq, rnd = 12345;
	bool newest, want;
	unsigned int i;

	(void)state;
	for (i = 0; i < 300000; i++) {
		rnd = rnd * 6364136223846793005u + 1442695040888963407u;
		seq = top + (rnd >> 33) % (i % 1000 == 0 ? 3000 : 8) + 1;
		if ((rnd >> 60) & 1)
			seq = top - (rnd >> 33) % (W + 50);
		if (seq == 0 || seq >= sizeof(seen))
			continue;
		want = seq > top || (top - seq < W && !seen[seq]);
		assert_int_equal(replay_mark(&r, seq, &newest), want);
		if (want)
			seen[seq] = 1;
		if (seq > top)
			top = seq;
	}
	assert_true(top > sizeof(seen) / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(facts_hold),
	    cmocka_unit_test(agrees_with_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
