/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * counter.h: a counter that one thread writes and others may read. On the
 * machines that we know this is a plain addition.
 */
#ifndef ADIT_BASE_COUNTER_H
#define ADIT_BASE_COUNTER_H

#include <stdint.h>

static inline uint64_t
counter_read(const uint64_t *c)
{
	return __atomic_load_n(c, __ATOMIC_RELAXED);
}

static inline void
counter_set(uint64_t *c, uint64_t value)
{
	__atomic_store_n(c, value, __ATOMIC_RELAXED);
}

static inline void
counter_add(uint64_t *c, uint64_t n)
{
	counter_set(c, counter_read(c) + n);
}

#endif
