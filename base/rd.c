/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rd.c: the read cursor (contract in rd.h). Owns nothing, trusts nothing.
 */
#include "base/rd.h"

bool
rd_fail(struct rd *r, const char *why)
{
	if (r->err == NULL)
		r->err = why;
	return false;
}

bool
rd_be64(struct rd *r, uint64_t *ret)
{
	struct rd both;
	uint32_t high, low;

	if (!rd_sub(r, 8, &both))
		return false;
	rd_be32(&both, &high);
	rd_be32(&both, &low);
	*ret = (uint64_t)high << 32 | low;
	return true;
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
