/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_mschap.c: MD4 (RFC 1320 A.5), NT hashes of non-ASCII passwords,
 * MS-CHAPv2 (RFC 2759 9.2) and CHAP-MD5 (RFC 1994 4.1).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"
#include "ppp-glue/engine/md4.h"
#include "ppp-glue/engine/mschap.h"

static const uint8_t CHALLENGE[16] = {0x5b, 0x5d, 0x7c, 0x7d, 0x7b, 0x3f, 0x2f,
    0x3e, 0x3c, 0x2c, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28};
static const uint8_t PEER[16] = {0x21, 0x40, 0x23, 0x24, 0x25, 0x5e, 0x26, 0x2a,
    0x28, 0x29, 0x5f, 0x2b, 0x3a, 0x33, 0x7c, 0x7e};

static void
to_hex(const uint8_t *p, size_t n, char *ret)
{
	size_t i;

	for (i = 0; i < n; i++)
		snprintf(ret + 2 * i, 3, "%02x", p[i]);
}

static void
md4_vectors(void **state)
{
	static const char *const v[][2] = {
	    {"", "31d6cfe0d16ae931b73c59d7e0c089c0"},
	    {"a", "bde52cb31de33e46245e05fbdbd6fb24"},
	    {"abc", "a448017aaf21d8525fc10ae87aa6729d"},
	    {"message digest", "d9130a8164549fe818874806e1c7014b"},
	    {"abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"},
	    {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
		"043f8582f241db351ce627e153e7f0e4"},
	    {"1234567890123456789012345678901234567890123456789012345678901234"
	     "5678901234567890",
		"e33b4ddc9c38f2199c3e7b164fcc0536"},
	};
	struct md4 m;
	uint8_t d[MD4_BYTES];
	char hex[2 * MD4_BYTES + 1];
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		md4_init(&m);
		md4_update(&m, v[i][0], strlen(v[i][0]));
		md4_final(&m, d);
		to_hex(d, sizeof(d), hex);
		assert_string_equal(hex, v[i][1]);
		md4_init(&m); /* byte by byte is the same */
		for (k = 0; k < strlen(v[i][0]); k++)
			md4_update(&m, v[i][0] + k, 1);
		md4_final(&m, d);
		to_hex(d, sizeof(d), hex);
		assert_string_equal(hex, v[i][1]);
	}
}

/* the digest of UTF-16LE text that the test wrote by hand */
static void
assert_nt_hash(
    const char *utf8, size_t utf8_bytes, const char *utf16le, size_t n)
{
	uint8_t got[MSCHAP_HASH_BYTES], want[MD4_BYTES];
	struct md4 m;

	md4_init(&m);
	md4_update(&m, utf16le, n);
	md4_final(&m, want);
	assert_int_equal(mschap_nt_hash(utf8, utf8_bytes, got), 0);
	assert_memory_equal(got, want, sizeof(want));
}
#define NT(utf8, utf16le)                                                      \
	assert_nt_hash(utf8, sizeof(utf8) - 1, utf16le, sizeof(utf16le) - 1)

static void
nt_hash_utf8(void **state)
{
	static const char *const bad[] = {"\x80", "a\xff", "\xc3", "\xc0\x80",
	    "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80",
	    "\xf0\x8f\xbf\xbf", "\xe2\x82", "\xc3(", "\xf0\x9f\x98"};
	uint8_t h[MSCHAP_HASH_BYTES];
	size_t i;

	(void)state;
	NT("", "");
	NT("j\xc3\xbcrgen", "j\0\xfc\0r\0g\0e\0n\0");
	NT("\xe2\x82\xac", "\xac\x20");
	NT("\xf0\x9f\x98\x80", "\x3d\xd8\x00\xde"); /* U+1F600 */
	NT("\xf4\x8f\xbf\xbf", "\xff\xdb\xff\xdf"); /* U+10FFFF */
	NT("a\0b", "a\0\0\0b\0");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(h, 0xee, sizeof(h));
		assert_int_equal(
		    mschap_nt_hash(bad[i], strlen(bad[i]), h), -EINVAL);
		assert_int_equal(h[0], 0xee);
	}
}

static void
rfc2759_vectors(void **state)
{
	uint8_t hash[16], r[MSCHAPV2_RESPONSE_BYTES];
	char s[MSCHAPV2_AUTHENTICATOR_BYTES], hex[99];

	(void)state;
	assert_true(mschap_selftest());
	assert_int_equal(mschap_nt_hash("clientPass", 10, hash), 0);
	assert_int_equal(
	    mschapv2_respond(hash, "User", 4, CHALLENGE, PEER, r), 0);
	to_hex(r, sizeof(r), hex);
	assert_string_equal(hex,
	    "21402324255e262a28295f2b3a337c7e0000000000000000"
	    "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df00");
	assert_true(mschapv2_verify(hash, "User", 4, CHALLENGE, r, s));
	assert_string_equal(s, "S=407A5589115FD0D6209F510FE9C04566932CDA56");
}

static void
mschapv2_refuses(void **state)
{
	static const char ok[] = "S=407A5589115FD0D6209F510FE9C04566932CDA56";
	char s[MSCHAPV2_AUTHENTICATOR_BYTES] = "untouched", m[64];
	uint8_t hash[16], other[16], r[MSCHAPV2_RESPONSE_BYTES];
	uint8_t ch[16];
	size_t i;

	(void)state;
	mschap_nt_hash("clientPass", 10, hash);
	mschap_nt_hash("clientpass", 10, other);
	mschapv2_respond(hash, "User", 4, CHALLENGE, PEER, r);
	assert_false(mschapv2_verify(other, "User", 4, CHALLENGE, r, s));
	assert_false(mschapv2_verify(hash, "user", 4, CHALLENGE, r, s));
	assert_false(mschapv2_verify(hash, "", 0, CHALLENGE, r, s));
	assert_true(mschapv2_verify(hash, "D\\User", 6, CHALLENGE, r, m));
	memcpy(ch, CHALLENGE, sizeof(ch));
	ch[15] ^= 1;
	assert_false(mschapv2_verify(hash, "User", 4, ch, r, s));
	for (i = 0; i < 48; i++) {
		if (i >= 16 && i < 24)
			continue; /* reserved */
		r[i] ^= 0x40;
		assert_false(mschapv2_verify(hash, "User", 4, CHALLENGE, r, s));
		r[i] ^= 0x40;
	}
	assert_string_equal(s, "untouched");

	/* the client's check of the server */
	for (i = 0; i < sizeof(ok) - 1; i++) {
		assert_false(mschapv2_check_authenticator(
		    hash, "User", 4, CHALLENGE, r, ok, i));
		memcpy(m, ok, sizeof(ok));
		m[i] ^= 1;
		assert_false(mschapv2_check_authenticator(
		    hash, "User", 4, CHALLENGE, r, m, sizeof(ok) - 1));
	}
	snprintf(m, sizeof(m), "%s M=hello", ok);
	assert_true(mschapv2_check_authenticator(
	    hash, "User", 4, CHALLENGE, r, m, strlen(m)));
}

static void
chap_md5(void **state)
{
	/* MD5("\x01" "secret" "challenge") */
	uint8_t d[16];
	char hex[33];

	(void)state;
	assert_int_equal(
	    chap_md5_response(1, "secret", 6, "challenge", 9, d), 0);
	to_hex(d, sizeof(d), hex);
	assert_string_equal(hex, "46e47770030e2b4e26a0db72a7efec00");
	assert_int_equal(chap_md5_response(1, NULL, 0, "challenge", 9, d), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(md4_vectors),
	    cmocka_unit_test(nt_hash_utf8),
	    cmocka_unit_test(rfc2759_vectors),
	    cmocka_unit_test(mschapv2_refuses),
	    cmocka_unit_test(chap_md5),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
