/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wr.h: the write cursor. Builds packets in a buffer of fixed size. The error
 * is sticky: what does not fit is not written, and wr_ok() tells at the end.
 * Lengths that are known only later are patched: m = wr_mark(w), write a
 * placeholder, ..., wr_patch_be16(w, m, value). Small functions are inline, as
 * in rd.h.
 */
#ifndef ADIT_BASE_WR_H
#define ADIT_BASE_WR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/rd.h"

struct wr {
	uint8_t *buf; /* borrowed */
	size_t cap;   /* bytes */
	size_t len;   /* bytes written so far */
	bool failed;  /* something did not fit */
};

/* A cursor that writes to buf (borrowed), at most cap bytes. */
static inline struct wr
wr_init(void *buf, size_t cap)
{
	return (struct wr){.buf = (uint8_t *)buf, .cap = cap};
}

static inline bool
wr_ok(const struct wr *w)
{
	return !w->failed;
}

/* n bytes to be filled in place: *ret points into the buffer. */
static inline bool
wr_space(struct wr *w, size_t n, uint8_t **ret)
{
	if (w->failed || n > w->cap - w->len) {
		w->failed = true;
		return false;
	}
	*ret = n > 0 ? w->buf + w->len : w->buf;
	w->len += n;
	return true;
}

/* All return false, and write nothing, when the bytes do not fit. */
static inline bool
wr_bytes(struct wr *w, const void *src, size_t n)
{
	uint8_t *p;

	if (!wr_space(w, n, &p))
		return false;
	if (n > 0)
		memcpy(p, src, n);
	return true;
}

static inline bool
wr_u8(struct wr *w, uint8_t v)
{
	return wr_bytes(w, &v, 1);
}

static inline bool
wr_be16(struct wr *w, uint16_t v)
{
	const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	return wr_bytes(w, b, sizeof(b));
}

static inline bool
wr_be32(struct wr *w, uint32_t v)
{
	const uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16),
	    (uint8_t)(v >> 8), (uint8_t)v};

	return wr_bytes(w, b, sizeof(b));
}

static inline bool
wr_be64(struct wr *w, uint64_t v)
{
	const uint8_t b[8] = {(uint8_t)(v >> 56), (uint8_t)(v >> 48),
	    (uint8_t)(v >> 40), (uint8_t)(v >> 32), (uint8_t)(v >> 24),
	    (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	return wr_bytes(w, b, sizeof(b));
}

bool wr_zero(struct wr *w, size_t n);

/* Position for a later patch; patches outside what was written fail. */
size_t wr_mark(const struct wr *w);
bool wr_patch_u8(struct wr *w, size_t mark, uint8_t v);
bool wr_patch_be16(struct wr *w, size_t mark, uint16_t v);

/* Forget everything after mark (and an error that happened after it). */
void wr_rewind(struct wr *w, size_t mark);

/* What was written, as a read cursor; empty when something did not fit. */
struct rd wr_rd(const struct wr *w);

#endif
