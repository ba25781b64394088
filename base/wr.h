/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wr.h: the write cursor. Builds packets in a buffer of fixed size. The error
 * is sticky: what does not fit is not written, and wr_ok() tells at the end.
 * Lengths that are known only later are patched: m = wr_mark(w), write a
 * placeholder, ..., wr_patch_be16(w, m, value).
 */
#ifndef ADIT_BASE_WR_H
#define ADIT_BASE_WR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"

struct wr {
	uint8_t *buf; /* borrowed */
	size_t cap;   /* bytes */
	size_t len;   /* bytes written so far */
	bool failed;  /* something did not fit */
};

/* A cursor that writes to buf (borrowed), at most cap bytes. */
struct wr wr_init(void *buf, size_t cap);
bool wr_ok(const struct wr *w);

/* All return false, and write nothing, when the bytes do not fit. */
bool wr_u8(struct wr *w, uint8_t v);
bool wr_be16(struct wr *w, uint16_t v);
bool wr_be32(struct wr *w, uint32_t v);
bool wr_be64(struct wr *w, uint64_t v);
bool wr_bytes(struct wr *w, const void *src, size_t n);
bool wr_zero(struct wr *w, size_t n);

/* n bytes to be filled in place: *ret points into the buffer. */
bool wr_space(struct wr *w, size_t n, uint8_t **ret);

/* Position for a later patch; patches outside what was written fail. */
size_t wr_mark(const struct wr *w);
bool wr_patch_u8(struct wr *w, size_t mark, uint8_t v);
bool wr_patch_be16(struct wr *w, size_t mark, uint16_t v);

/* Forget everything after mark (and an error that happened after it). */
void wr_rewind(struct wr *w, size_t mark);

/* What was written, as a read cursor; empty when something did not fit. */
struct rd wr_rd(const struct wr *w);

#endif
