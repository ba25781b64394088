/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * secret.c: key material that is wiped, compared in constant time and drawn
 * from the kernel (contract in secret.h). Owns nothing but what the caller's
 * struct holds; has no printer, on purpose.
 */
#include "base/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int
secret_set(struct secret *s, const void *src, size_t n)
{
	uint8_t copy[SECRET_MAX];

	if (n > SECRET_MAX)
		return -EMSGSIZE;
	if (n > 0) /* src may point into s */
		memcpy(copy, src, n);
	secret_wipe(s);
	if (n > 0)
		memcpy(s->data, copy, n);
	s->len = n;
	wipe(copy, n);
	return 0;
}

void
secret_wipe(struct secret *s)
{
	wipe(s, sizeof(*s));
}

void
wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

bool
equal_ct(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t differ = 0;
	size_t i;

	for (i = 0; i < n; i++)
		differ = (uint8_t)(differ | (x[i] ^ y[i]));
	return differ == 0;
}

void
random_bytes(void *p, size_t n)
{
	uint8_t *dst = p;
	ssize_t got;

	while (n > 0) {
		got = getrandom(dst, n, 0);
		if (got < 0) {
			if (errno == EINTR)
				continue;
			abort(); /* no entropy source: nothing is safe */
		}
		dst += got;
		n -= (size_t)got;
	}
}
