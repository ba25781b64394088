/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rd.h: the read cursor. With wr.h it is the only code that touches packet
 * bytes. A value on the stack, nothing to free. The error is sticky: after the
 * first failure every call fails and leaves its output untouched, so a parser
 * may read a whole structure and test once. Small functions are inline: they
 * run a dozen times for every packet.
 *
 * Trusts nothing: every read is checked against what is left.
 * All integers come out in host byte order; the wire is big-endian.
 */
#ifndef ADIT_BASE_RD_H
#define ADIT_BASE_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rd {
	const uint8_t *p; /* next byte; borrowed from whoever owns the packet */
	size_t left;      /* bytes */
	const char *err;  /* NULL, or why the first failing read failed */
};

/* A cursor over n bytes at p (borrowed; p may be NULL when n is 0). */
static inline struct rd
rd_init(const void *p, size_t n)
{
	return (struct rd){.p = (const uint8_t *)p, .left = n, .err = NULL};
}

/* True as long as no read has failed. */
static inline bool
rd_ok(const struct rd *r)
{
	return r->err == NULL;
}

/* Mark the cursor as failed (first reason wins). Always returns false, so that
 * a parser can write `return rd_fail(r, "reason");`. why: a string literal. */
bool rd_fail(struct rd *r, const char *why) __attribute__((cold));

/* Borrow n bytes in place: *ret points into the packet. */
static inline bool
rd_take(struct rd *r, size_t n, const uint8_t **ret)
{
	if (r->err != NULL)
		return false;
	if (n > r->left) {
		r->err =
		    "packet too short"; /* inline: gcc sees that it is set */
		return false;
	}
	*ret = r->p;
	if (n > 0)
		r->p += n;
	r->left -= n;
	return true;
}

static inline bool
rd_skip(struct rd *r, size_t n)
{
	const uint8_t *unused;

	return rd_take(r, n, &unused);
}

/* Copy n bytes to dst. */
static inline bool
rd_bytes(struct rd *r, void *dst, size_t n)
{
	const uint8_t *p;

	if (!rd_take(r, n, &p))
		return false;
	if (n > 0)
		memcpy(dst, p, n);
	return true;
}

/* Fixed-size reads. False (output untouched) when too few bytes are left. */
static inline bool
rd_u8(struct rd *r, uint8_t *ret)
{
	const uint8_t *p;

	if (!rd_take(r, 1, &p))
		return false;
	*ret = p[0];
	return true;
}

static inline bool
rd_be16(struct rd *r, uint16_t *ret)
{
	const uint8_t *p;

	if (!rd_take(r, 2, &p))
		return false;
	*ret = (uint16_t)(p[0] << 8 | p[1]);
	return true;
}

static inline bool
rd_be32(struct rd *r, uint32_t *ret)
{
	const uint8_t *p;

	if (!rd_take(r, 4, &p))
		return false;
	*ret = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | (uint32_t)p[3];
	return true;
}

bool rd_be64(struct rd *r, uint64_t *ret);

/* A sub-cursor over the next n bytes; the outer cursor moves behind them. */
static inline bool
rd_sub(struct rd *r, size_t n, struct rd *ret)
{
	const uint8_t *p;

	if (!rd_take(r, n, &p))
		return false;
	*ret = rd_init(p, n);
	return true;
}

/* The same from the end of the packet (ESP trailers). */
static inline bool
rd_sub_end(struct rd *r, size_t n, struct rd *ret)
{
	if (r->err != NULL)
		return false;
	if (n > r->left) {
		r->err = "packet too short for its trailer";
		return false;
	}
	r->left -= n;
	*ret = rd_init(n > 0 ? r->p + r->left : r->p, n);
	return true;
}

static inline bool
rd_u8_end(struct rd *r, uint8_t *ret)
{
	struct rd last;

	return rd_sub_end(r, 1, &last) && rd_u8(&last, ret);
}

/* Look at the next byte(s) without moving. */
bool rd_peek_u8(const struct rd *r, uint8_t *ret);
bool rd_peek_be32(const struct rd *r, uint32_t *ret);

/* True when nothing failed and nothing is left. */
static inline bool
rd_end(const struct rd *r)
{
	return r->err == NULL && r->left == 0;
}

#endif
