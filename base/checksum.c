/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checksum.c: the Internet checksum (contracts in checksum.h). Owns nothing.
 *
 * RFC 1071 and 1624, done as specified. One's complement addition does not care
 * for byte order (RFC 1071 2 (B)), so the inner loops add words as this machine
 * loads them, 32 bits at a time into 64 (RFC 1071 2 (C), no carry to look
 * after), and the folded result is swapped once. On x86 with AVX2 the long part
 * goes 128 bytes a turn; the processor is asked at run time.
 */
#include "base/checksum.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define LONG_BYTES 32 /* from here on AVX2 wins */

static inline uint64_t
halves(uint64_t v)
{
	return (v & 0xffffffff) + (v >> 32);
}

/* The last 0 to 7 bytes, as if zero bytes followed. Integers only: a load of
 * bytes that were just stored one by one would wait for them. */
static inline uint64_t
add_tail(uint64_t sum, uint8_t *dst, const uint8_t *src, size_t n, bool copy)
{
	uint32_t v4;
	uint16_t v2;
	uint8_t v1[2] = {0, 0};

	if (n & 4) {
		memcpy(&v4, src, 4);
		if (copy)
			memcpy(dst, &v4, 4);
		sum += v4;
	}
	if (n & 2) {
		memcpy(&v2, src + (n & 4), 2);
		if (copy)
			memcpy(dst + (n & 4), &v2, 2);
		sum += v2;
	}
	if (n & 1) {
		v1[0] = src[n - 1];
		if (copy)
			dst[n - 1] = v1[0];
		memcpy(&v2, v1, 2);
		sum += v2;
	}
	return sum;
}

/* copy is a constant wherever this is inlined. */
static inline uint64_t
add_short(uint64_t sum, uint8_t *dst, const uint8_t *src, size_t n, bool copy)
{
	uint64_t v;

	for (; n >= 8; n -= 8, src += 8) {
		memcpy(&v, src, 8);
		if (copy) {
			memcpy(dst, &v, 8);
			dst += 8;
		}
		sum += halves(v);
	}
	return add_tail(sum, dst, src, n, copy);
}

static inline uint16_t
finish(uint64_t sum)
{
	return htobe16(checksum_fold((uint32_t)halves(halves(sum))));
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i
load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

AVX2 static inline void
store(uint8_t *p, __m256i v)
{
	_mm256_storeu_si256((__m256i *)(void *)p, v);
}

AVX2 static inline __m256i
add_halves(__m256i sum, __m256i v, __m256i low)
{
	sum = _mm256_add_epi64(sum, _mm256_and_si256(v, low));
	return _mm256_add_epi64(sum, _mm256_srli_epi64(v, 32));
}

AVX2 static inline uint64_t
add_lanes(__m256i v)
{
	__m128i half = _mm_add_epi64(
	    _mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	return (uint64_t)_mm_cvtsi128_si64(half) +
	    (uint64_t)_mm_extract_epi64(half, 1);
}

AVX2 static inline uint64_t
add_long(uint8_t *dst, const uint8_t *src, size_t n, bool copy)
{
	const __m256i low = _mm256_set1_epi64x(0xffffffff);
	__m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
	__m256i v, w, x, y;

	for (; n >= 128; n -= 128, src += 128) {
		v = load(src);
		w = load(src + 32);
		x = load(src + 64);
		y = load(src + 96);
		if (copy) {
			store(dst, v);
			store(dst + 32, w);
			store(dst + 64, x);
			store(dst + 96, y);
			dst += 128;
		}
		a = add_halves(a, v, low);
		b = add_halves(b, w, low);
		c = add_halves(c, x, low);
		d = add_halves(d, y, low);
	}
	for (; n >= 32; n -= 32, src += 32) {
		v = load(src);
		if (copy) {
			store(dst, v);
			dst += 32;
		}
		a = add_halves(a, v, low);
	}
	a = _mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(c, d));
	return add_short(add_lanes(a), dst, src, n, copy);
}

AVX2 static uint64_t
sum_long(const uint8_t *src, size_t n)
{
	return add_long(NULL, src, n, false);
}

AVX2 static uint64_t
copy_long(uint8_t *dst, const uint8_t *src, size_t n)
{
	return add_long(dst, src, n, true);
}

static inline bool
is_for_avx2(size_t n)
{
	return n >= LONG_BYTES && __builtin_cpu_supports("avx2");
}
#else
static inline bool
is_for_avx2(size_t n)
{
	(void)n;
	return false;
}
#define sum_long(src, n)       add_short(0, NULL, src, n, false)
#define copy_long(dst, src, n) add_short(0, dst, src, n, true)
#endif

uint16_t
checksum_sum(const void *p, size_t n)
{
	if (n == 0)
		return 0;
	return finish(
	    is_for_avx2(n) ? sum_long(p, n) : add_short(0, NULL, p, n, false));
}

uint16_t
checksum_copy(void *dst, const void *src, size_t n)
{
	if (n == 0)
		return 0;
	return finish(is_for_avx2(n) ? copy_long(dst, src, n)
				     : add_short(0, dst, src, n, true));
}
