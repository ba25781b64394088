/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * index.h: from 32-bit numbers (SPIs, associations) to pointers, by open
 * addressing: a look-up on the path of packets reads one cache line. A number
 * may be there more than once. Owns its slots, not what they point to.
 *
 * The numbers may be chosen by peers, so the hash has a random seed.
 */
#ifndef ADIT_ESP_INDEX_H
#define ADIT_ESP_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct index_slot {
	void *value; /* NULL: free */
	uint32_t number;
};

struct index {
	struct index_slot *slots; /* a power of two */
	size_t mask, n;
	uint64_t seed, factor;
};

/* 0, -ENOMEM. */
int index_init(struct index *x);
void index_fini(struct index *x);

/* value: not NULL. 0; -ENOMEM: nothing was added. */
int index_add(struct index *x, uint32_t number, void *value);
/* The pair must be there. */
void index_del(struct index *x, uint32_t number, const void *value);

static inline size_t
index_home(const struct index *x, uint32_t number)
{
	uint64_t h = (number ^ x->seed) * 0x9e3779b97f4a7c15u;

	h = (h ^ h >> 32) * x->factor;
	return (size_t)(h >> 32) & x->mask;
}

/* The values of a number, one after the other: *pos is index_home() at first.
 * NULL: no more. Do not add or delete between two calls. */
static inline void *
index_next(const struct index *x, uint32_t number, size_t *pos)
{
	const struct index_slot *s;

	while ((s = &x->slots[*pos])->value != NULL) {
		*pos = (*pos + 1) & x->mask;
		if (s->number == number)
			return s->value;
	}
	return NULL;
}

/* One value of the number, or NULL. */
static inline void *
index_find(const struct index *x, uint32_t number)
{
	size_t pos = index_home(x, number);

	return index_next(x, number, &pos);
}

#endif
