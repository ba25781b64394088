/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.c: domain names as DNS writes them, without compression, as RFC 8106
 * 5.2 and RFC 8415 10 want them. Trusts its caller for what a name is.
 */
#include "ppp-glue/services/names.h"

#include <string.h>

void
names_put(struct wr *w, const char *names, size_t count)
{
	size_t n;

	for (; count > 0; count--, names++) {
		for (; *names != '\0'; names += n + (names[n] == '.')) {
			n = strcspn(names, ".");
			wr_u8(w, (uint8_t)n);
			wr_bytes(w, names, n);
		}
		wr_u8(w, 0);
	}
}
