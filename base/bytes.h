/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bytes.h: integers from and to a block of bytes that a cursor has handed out
 * (rd_take(), wr_space()): for packets by the million, where a checked call per
 * field is too much. Unchecked: the caller got as many bytes as it touches.
 */
#ifndef ADIT_BASE_BYTES_H
#define ADIT_BASE_BYTES_H

#include <stdint.h>

static inline uint16_t
load_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
load_be32(const uint8_t *p)
{
	return (uint32_t)load_be16(p) << 16 | load_be16(p + 2);
}

static inline void
store_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
store_be32(uint8_t *p, uint32_t v)
{
	store_be16(p, (uint16_t)(v >> 16));
	store_be16(p + 2, (uint16_t)v);
}

#endif
