/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wr.c: the write cursor (contract in wr.h).
 */
#include "base/wr.h"

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
