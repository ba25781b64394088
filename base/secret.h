/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * secret.h: a holder for key material that is wiped when it is dropped and has
 * no printer. Also the two primitives that secrets need: wiping, and comparing
 * in constant time; and the system's random numbers.
 */
#ifndef ADIT_BASE_SECRET_H
#define ADIT_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECRET_MAX 512 /* bytes */

struct secret {
	size_t len; /* bytes */
	uint8_t data[SECRET_MAX];
};

/* Copies n bytes. -EMSGSIZE when n > SECRET_MAX (nothing is stored). */
int secret_set(struct secret *s, const void *src, size_t n);
void secret_wipe(struct secret *s);

void wipe(void *p, size_t n);                          /* not optimised away */
bool equal_ct(const void *a, const void *b, size_t n); /* constant time */

/* n bytes from the kernel's CSPRNG. Cannot fail (aborts: no entropy source). */
void random_bytes(void *p, size_t n);

#endif
