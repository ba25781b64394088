/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wr.c: the write cursor (contract in wr.h).
 */
#include "base/wr.h"

#include <string.h>

struct wr
wr_init(void *buf, size_t cap)
{
	return (struct wr){.buf = buf, .cap = cap};
}

bool
wr_ok(const struct wr *w)
{
	return !w->failed;
}

bool
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

bool
wr_bytes(struct wr *w, const void *src, size_t n)
{
	uint8_t *p;

	if (!wr_space(w, n, &p))
		return false;
	if (n > 0)
		memcpy(p, src, n);
	return true;
}

bool
wr_zero(struct wr *w, size_t n)
{
	uint8_t *p;

	if (!wr_space(w, n, &p))
		return false;
	if (n > 0)
		memset(p, 0, n);
	return true;
}

bool
wr_u8(struct wr *w, uint8_t v)
{
	return wr_bytes(w, &v, 1);
}

bool
wr_be16(struct wr *w, uint16_t v)
{
	const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	return wr_bytes(w, b, sizeof(b));
}

bool
wr_be32(struct wr *w, uint32_t v)
{
	const uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16),
	    (uint8_t)(v >> 8), (uint8_t)v};

	return wr_bytes(w, b, sizeof(b));
}

bool
wr_be64(struct wr *w, uint64_t v)
{
	const uint8_t b[8] = {(uint8_t)(v >> 56), (uint8_t)(v >> 48),
	    (uint8_t)(v >> 40), (uint8_t)(v >> 32), (uint8_t)(v >> 24),
	    (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	return wr_bytes(w, b, sizeof(b));
}

size_t
wr_mark(const struct wr *w)
{
	return w->len;
}

bool
wr_patch_u8(struct wr *w, size_t mark, uint8_t v)
{
	if (w->failed || mark >= w->len)
		return false;
	w->buf[mark] = v;
	return true;
}

bool
wr_patch_be16(struct wr *w, size_t mark, uint16_t v)
{
	return mark + 1 < w->len && wr_patch_u8(w, mark, (uint8_t)(v >> 8)) &&
	    wr_patch_u8(w, mark + 1, (uint8_t)v);
}

void
wr_rewind(struct wr *w, size_t mark)
{
	if (mark <= w->len) {
		w->len = mark;
		w->failed = false;
	}
}

struct rd
wr_rd(const struct wr *w)
{
	return rd_init(w->buf, w->failed ? 0 : w->len);
}
