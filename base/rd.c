/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rd.c: the read cursor (contract in rd.h). Owns nothing, trusts nothing.
 */
#include "base/rd.h"

#include <string.h>

struct rd
rd_init(const void *p, size_t n)
{
	return (struct rd){.p = p, .left = n, .err = NULL};
}

bool
rd_ok(const struct rd *r)
{
	return r->err == NULL;
}

bool
rd_fail(struct rd *r, const char *why)
{
	if (r->err == NULL)
		r->err = why;
	return false;
}

bool
rd_take(struct rd *r, size_t n, const uint8_t **ret)
{
	if (r->err != NULL)
		return false;
	if (n > r->left)
		return rd_fail(r, "packet too short");
	*ret = r->p;
	if (n > 0)
		r->p += n;
	r->left -= n;
	return true;
}

bool
rd_skip(struct rd *r, size_t n)
{
	const uint8_t *unused;

	return rd_take(r, n, &unused);
}

bool
rd_bytes(struct rd *r, void *dst, size_t n)
{
	const uint8_t *p;

	if (!rd_take(r, n, &p))
		return false;
	if (n > 0)
		memcpy(dst, p, n);
	return true;
}

bool
rd_u8(struct rd *r, uint8_t *ret)
{
	const uint8_t *p;

	if (!rd_take(r, 1, &p))
		return false;
	*ret = p[0];
	return true;
}

bool
rd_be16(struct rd *r, uint16_t *ret)
{
	const uint8_t *p;

	if (!rd_take(r, 2, &p))
		return false;
	*ret = (uint16_t)(p[0] << 8 | p[1]);
	return true;
}

static uint32_t
be32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

bool
rd_be32(struct rd *r, uint32_t *ret)
{
	const uint8_t *p;

	if (!rd_take(r, 4, &p))
		return false;
	*ret = be32_at(p);
	return true;
}

bool
rd_be64(struct rd *r, uint64_t *ret)
{
	const uint8_t *p;

	if (!rd_take(r, 8, &p))
		return false;
	*ret = (uint64_t)be32_at(p) << 32 | be32_at(p + 4);
	return true;
}

bool
rd_sub(struct rd *r, size_t n, struct rd *ret)
{
	const uint8_t *p;

	if (!rd_take(r, n, &p))
		return false;
	*ret = rd_init(p, n);
	return true;
}

bool
rd_sub_end(struct rd *r, size_t n, struct rd *ret)
{
	if (r->err != NULL)
		return false;
	if (n > r->left)
		return rd_fail(r, "packet too short for its trailer");
	r->left -= n;
	*ret = rd_init(n > 0 ? r->p + r->left : r->p, n);
	return true;
}

bool
rd_u8_end(struct rd *r, uint8_t *ret)
{
	struct rd last;

	return rd_sub_end(r, 1, &last) && rd_u8(&last, ret);
}

bool
rd_peek_u8(const struct rd *r, uint8_t *ret)
{
	struct rd copy = *r;

	return rd_u8(&copy, ret);
}

bool
rd_peek_be32(const struct rd *r, uint32_t *ret)
{
	struct rd copy = *r;

	return rd_be32(&copy, ret);
}

bool
rd_end(const struct rd *r)
{
	return r->err == NULL && r->left == 0;
}
