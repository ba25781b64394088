/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.c: the anti-replay window (contract in replay.h). RFC 4303 3.4.3, done
 * as specified, with a window of exactly ESP_REPLAY_WINDOW packets. All
 * arithmetic is 64-bit, so neither edge can wrap; the wire has 32 bits.
 */
#include "l2tpd/esp/replay.h"

static uint64_t
word_of(uint64_t seq)
{
	return (seq / 64) % REPLAY_RING_WORDS;
}

static uint64_t
bit_of(uint64_t seq)
{
	return (uint64_t)1 << (seq % 64);
}

bool
replay_check(const struct replay *r, uint64_t seq)
{
	if (seq == 0) /* RFC 4303 3.3.3: the first packet has number 1 */
		return false;
	if (seq > r->top)
		return true;
	if (r->top - seq >= ESP_REPLAY_WINDOW)
		return false; /* left of the window */
	return (r->ring[word_of(seq)] & bit_of(seq)) == 0;
}

bool
replay_mark(struct replay *r, uint64_t seq, bool *ret_newest)
{
	uint64_t from, to, i;

	if (!replay_check(r, seq))
		return false;
	*ret_newest = seq > r->top;
	if (seq > r->top) {
		from = r->top / 64;
		to = seq / 64;
		if (to - from > REPLAY_RING_WORDS)
			from = to - REPLAY_RING_WORDS;
		for (i = from + 1; i <= to; i++)
			r->ring[i % REPLAY_RING_WORDS] = 0;
		r->top = seq;
	}
	r->ring[word_of(seq)] |= bit_of(seq);
	return true;
}
