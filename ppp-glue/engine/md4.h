/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * md4.h: the MD4 digest (RFC 1320), for NT hashes only. It is broken as a
 * cryptographic hash; RFC 2759 leaves no choice. Own code, so that OpenSSL's
 * legacy provider is not needed.
 */
#ifndef ADIT_PPP_MD4_H
#define ADIT_PPP_MD4_H

#include <stddef.h>
#include <stdint.h>

#define MD4_BYTES 16

struct md4 {
	uint32_t abcd[4];
	uint64_t total_bytes;
	uint8_t block[64];
};

void md4_init(struct md4 *m);
/* p is borrowed for the call; any n. */
void md4_update(struct md4 *m, const void *p, size_t n);
/* Writes the digest and wipes *m. */
void md4_final(struct md4 *m, uint8_t ret[MD4_BYTES]);

#endif
