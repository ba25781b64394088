/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * index.c: hash of numbers to pointers (contract in index.h): linear probing
 * at most half full, deletion by moving the followers up.
 */
#include "l2tpd/esp/index.h"

#include <errno.h>
#include <stdlib.h>

#include "base/secret.h"

#define SLOTS_MIN 64 /* a power of two */

int
index_init(struct index *x)
{
	*x = (struct index){.mask = SLOTS_MIN - 1};
	random_bytes(&x->seed, sizeof(x->seed));
	random_bytes(&x->factor, sizeof(x->factor));
	x->factor |= 1;
	x->slots = calloc(SLOTS_MIN, sizeof(*x->slots));
	return x->slots != NULL ? 0 : -ENOMEM;
}

void
index_fini(struct index *x)
{
	free(x->slots);
	*x = (struct index){0};
}

static void
put(struct index *x, uint32_t number, void *value)
{
	size_t pos = index_home(x, number);

	while (x->slots[pos].value != NULL)
		pos = (pos + 1) & x->mask;
	x->slots[pos] = (struct index_slot){value, number};
}

static int
grow(struct index *x)
{
	struct index bigger = *x;
	size_t i;

	bigger.mask = x->mask * 2 + 1;
	bigger.slots = calloc(bigger.mask + 1, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return -ENOMEM;
	for (i = 0; i <= x->mask; i++)
		if (x->slots[i].value != NULL)
			put(&bigger, x->slots[i].number, x->slots[i].value);
	free(x->slots);
	*x = bigger;
	return 0;
}

int
index_add(struct index *x, uint32_t number, void *value)
{
	/* when it cannot grow the probes get longer; one slot stays free */
	if (x->n >= (x->mask + 1) / 2 && grow(x) < 0 && x->n >= x->mask)
		return -ENOMEM;
	put(x, number, value);
	x->n++;
	return 0;
}

void
index_del(struct index *x, uint32_t number, const void *value)
{
	size_t hole = index_home(x, number), pos, home;

	while (x->slots[hole].value != value || x->slots[hole].number != number)
		hole = (hole + 1) & x->mask;
	x->n--;
	/* move up every follower that may stand in the hole */
	for (pos = hole;;) {
		x->slots[hole] = (struct index_slot){0};
		do {
			pos = (pos + 1) & x->mask;
			if (x->slots[pos].value == NULL)
				return;
			home = index_home(x, x->slots[pos].number);
		} while (((pos - home) & x->mask) < ((pos - hole) & x->mask));
		x->slots[hole] = x->slots[pos];
		hole = pos;
	}
}
