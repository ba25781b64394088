/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * codec_ends.h: what every codec of our messages has to do at both ends: refuse
 * a message truncated at any byte and leave the value alone, refuse a byte too
 * many, and fail to write where there is no room. Assertions of cmocka.
 */
#ifndef ADIT_TESTS_UNIT_CODEC_ENDS_H
#define ADIT_TESTS_UNIT_CODEC_ENDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rd.h"
#include "base/wr.h"

#define CODEC_MESSAGE_MAX 4096 /* bytes of a sample, encoded */
#define CODEC_VALUE_MAX   4096 /* bytes of its struct */

struct codec {
	bool (*put)(struct wr *w, const void *m);
	bool (*get)(struct rd *r, void *ret);
	const void *sample;
	size_t bytes; /* of the struct */
};

static inline void
codec_check_ends(const struct codec *c)
{
	static uint8_t out[CODEC_VALUE_MAX], untouched[CODEC_VALUE_MAX];
	uint8_t buf[CODEC_MESSAGE_MAX], *exact;
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;
	size_t n;

	assert_true(c->bytes <= sizeof(out));
	memset(untouched, 0x5a, sizeof(untouched));
	assert_true(c->put(&w, c->sample));
	for (n = 0; n < w.len; n++) {
		exact = malloc(n + 1);
		memcpy(exact, buf, n);
		memset(out, 0x5a, sizeof(out));
		r = rd_init(exact, n);
		assert_false(c->get(&r, out));
		assert_non_null(r.err);
		assert_memory_equal(out, untouched, c->bytes);
		free(exact);
	}
	r = wr_rd(&w);
	assert_true(c->get(&r, out));
	wr_u8(&w, 0);
	r = wr_rd(&w);
	assert_false(c->get(&r, out));
	assert_string_equal(r.err, "bytes after the message");
	for (n = 0; n < w.len - 1; n++) {
		struct wr small = wr_init(buf, n);

		assert_false(c->put(&small, c->sample));
	}
}

#endif
