/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rd.h: the read cursor. With wr.h it is the only code that touches packet
 * bytes. A value on the stack, nothing to free. The error is sticky: after the
 * first failure every call fails and leaves its output untouched, so a parser
 * may read a whole structure and test once.
 *
 * Trusts nothing: every read is checked against what is left.
 * All integers come out in host byte order; the wire is big-endian.
 */
#ifndef ADIT_BASE_RD_H
#define ADIT_BASE_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rd {
	const uint8_t *p; /* next byte; borrowed from whoever owns the packet */
	size_t left;      /* bytes */
	const char *err;  /* NULL, or why the first failing read failed */
};

/* A cursor over n bytes at p (borrowed; p may be NULL when n is 0). */
struct rd rd_init(const void *p, size_t n);

/* True as long as no read has failed. */
bool rd_ok(const struct rd *r);

/* Mark the cursor as failed (first reason wins). Always returns false, so that
 * a parser can write `return rd_fail(r, "reason");`. why: a string literal. */
bool rd_fail(struct rd *r, const char *why);

/* Fixed-size reads. False (output untouched) when too few bytes are left. */
bool rd_u8(struct rd *r, uint8_t *ret);
bool rd_be16(struct rd *r, uint16_t *ret);
bool rd_be32(struct rd *r, uint32_t *ret);
bool rd_be64(struct rd *r, uint64_t *ret);

/* Copy n bytes to dst. */
bool rd_bytes(struct rd *r, void *dst, size_t n);
/* Borrow n bytes in place: *ret points into the packet. */
bool rd_take(struct rd *r, size_t n, const uint8_t **ret);
bool rd_skip(struct rd *r, size_t n);

/* A sub-cursor over the next n bytes; the outer cursor moves behind them. */
bool rd_sub(struct rd *r, size_t n, struct rd *ret);

/* The same from the end of the packet (ESP trailers). */
bool rd_u8_end(struct rd *r, uint8_t *ret);
bool rd_sub_end(struct rd *r, size_t n, struct rd *ret);

/* Look at the next byte(s) without moving. */
bool rd_peek_u8(const struct rd *r, uint8_t *ret);
bool rd_peek_be32(const struct rd *r, uint32_t *ret);

/* True when nothing failed and nothing is left. */
bool rd_end(const struct rd *r);

#endif
