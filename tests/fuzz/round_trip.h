/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * round_trip.h: fuzzing a codec of messages: the input's first byte is the
 * type, the rest its payload. What decodes must encode to the same bytes: there
 * is one encoding of a message.
 */
#ifndef ADIT_TESTS_FUZZ_ROUND_TRIP_H
#define ADIT_TESTS_FUZZ_ROUND_TRIP_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/rd.h"
#include "base/wr.h"

#define ROUND_TRIP_MAX 4096 /* bytes of a payload, at least */

/* type_codec: decodes r into its own message and encodes that into w; false
 * with r fine: it decoded and did not encode. */
static inline int
fuzz_round_trip(const uint8_t *data, size_t size,
    bool (*type_codec)(uint8_t type, struct rd *r, struct wr *w))
{
	uint8_t again[ROUND_TRIP_MAX];
	struct wr w = wr_init(again, sizeof(again));
	struct rd r = rd_init(data, size);
	uint8_t type;

	if (!rd_u8(&r, &type))
		return 0;
	if (!type_codec(type, &r, &w)) {
		if (rd_ok(&r)) /* it decoded, so it must encode */
			abort();
		return 0;
	}
	if (w.len != size - 1 || memcmp(again, data + 1, w.len) != 0)
		abort();
	return 0;
}

#endif
