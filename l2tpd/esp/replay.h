/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.h: the anti-replay window of one inbound SA (RFC 4303 3.4.3). Plain
 * data inside the SA. Check before the crypto, mark after the ICV was good:
 * between the two another packet of the same batch may have taken the number,
 * therefore replay_mark() checks again.
 */
#ifndef ADIT_ESP_REPLAY_H
#define ADIT_ESP_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "l2tpd/esp/esp.h"

/* A ring of words, twice the window: advancing clears whole words, and a word
 * is always outside the window before its turn comes (as in RFC 6479). */
#define REPLAY_RING_BITS  (2 * ESP_REPLAY_WINDOW)
#define REPLAY_RING_WORDS (REPLAY_RING_BITS / 64)

struct replay {
	uint64_t top; /* highest number accepted; 0: none */
	uint64_t ring[REPLAY_RING_WORDS];
};

/* May a packet with this number still be accepted? Number 0 never is. */
bool replay_check(const struct replay *r, uint64_t seq);

/* Accept the number. False: it was taken since replay_check().
 * *ret_newest: it moved the right edge. */
bool replay_mark(struct replay *r, uint64_t seq, bool *ret_newest);

#endif
