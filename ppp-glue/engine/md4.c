/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * md4.c: RFC 1320, done as specified (bytes only, no partial bytes). Owns
 * nothing, trusts its caller; the state is wiped at the end because it is made
 * from a password.
 */
#include <string.h>

#include "base/secret.h"
#include "ppp-glue/engine/md4.h"

static uint32_t
rotl(uint32_t x, unsigned s)
{
	return x << s | x >> (32 - s);
}

static uint32_t
le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

/* RFC 1320 3.4: three rounds of 16 steps */
static void
transform(uint32_t abcd[4], const uint8_t *block)
{
	static const uint8_t word[3][16] = {
	    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	    {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15},
	    {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15},
	};
	static const uint8_t shift[3][4] = {
	    {3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
	static const uint32_t add[3] = {0, 0x5a827999, 0x6ed9eba1};
	uint32_t a = abcd[0], b = abcd[1], c = abcd[2], d = abcd[3], f;
	unsigned round, i;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 16; i++) {
			if (round == 0)
				f = (b & c) | (~b & d);
			else if (round == 1)
				f = (b & c) | (b & d) | (c & d);
			else
				f = b ^ c ^ d;
			f += a + add[round] +
			    le32(block + (size_t)4 * word[round][i]);
			a = d;
			d = c;
			c = b;
			b = rotl(f, shift[round][i % 4]);
		}
	}
	abcd[0] += a;
	abcd[1] += b;
	abcd[2] += c;
	abcd[3] += d;
}

void
md4_init(struct md4 *m)
{
	/* RFC 1320 3.3 */
	*m = (struct md4){
	    .abcd = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

void
md4_update(struct md4 *m, const void *p, size_t n)
{
	const uint8_t *b = p;
	size_t have, take;

	while (n > 0) {
		have = (size_t)(m->total_bytes % 64);
		take = 64 - have < n ? 64 - have : n;
		memcpy(m->block + have, b, take);
		m->total_bytes += take;
		b += take;
		n -= take;
		if (have + take == 64)
			transform(m->abcd, m->block);
	}
}

void
md4_final(struct md4 *m, uint8_t ret[MD4_BYTES])
{
	static const uint8_t pad[64] = {0x80};
	uint64_t bits = m->total_bytes * 8;
	size_t have = (size_t)(m->total_bytes % 64);
	uint8_t length[8];
	unsigned i;

	/* RFC 1320 3.1 and 3.2 */
	for (i = 0; i < 8; i++)
		length[i] = (uint8_t)(bits >> (8 * i));
	md4_update(m, pad, have < 56 ? 56 - have : 120 - have);
	md4_update(m, length, 8);
	for (i = 0; i < MD4_BYTES; i++)
		ret[i] = (uint8_t)(m->abcd[i / 4] >> (8 * (i % 4)));
	wipe(m, sizeof(*m));
}
