/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * psk.c: random keys as text, and an estimate of what a given one is worth.
 * The estimate is kind to nobody: known words, sequences and repetitions count
 * nothing, every other character counts as its alphabet. Owns nothing.
 */
#include "cli/psk.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"

#define PSK_MIN_BYTES    20
#define PSK_MIN_BITS     80.0
#define PSK_MIN_DISTINCT 10

void
psk_make(char ret[PSK_TEXT_BYTES])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t raw[33] = {0}; /* 32 and a pad */
	uint32_t v;
	size_t n = 0;

	random_bytes(raw, 32);
	for (size_t i = 0; i < 33; i += 3) {
		v = (uint32_t)raw[i] << 16 | (uint32_t)raw[i + 1] << 8 |
		    raw[i + 2];
		for (int shift = 18; shift >= 0 && n < 43; shift -= 6)
			ret[n++] = digits[v >> shift & 63];
	}
	ret[n] = '\0';
	wipe(raw, sizeof(raw));
}

void
password_make(char ret[PASSWORD_TEXT_BYTES])
{
	/* 29 characters: no 0 o 1 l i u v */
	static const char letters[] = "abcdefghjkmnpqrstwxyz23456789";
	const uint8_t base = sizeof(letters) - 1;
	size_t n = 0;
	uint8_t b;

	while (n < PASSWORD_TEXT_BYTES - 1) {
		if (n % 5 == 4) {
			ret[n++] = '-';
			continue;
		}
		random_bytes(&b, 1);
		if (b < 256 / base * base) /* no bias */
			ret[n++] = letters[b % base];
	}
	ret[n] = '\0';
}

static const char *const words[] = {"password", "passwort", "passw0rd",
    "secret", "geheim", "vpn", "ipsec", "l2tp", "adit", "welcome", "letmein",
    "admin", "administrator", "qwerty", "qwertz", "asdf", "yxcv", "zxcv",
    "server", "company", "firma", "office", "test", "demo", "example",
    "changeme", "default", "shared", "preshared", "psk", "key", "login", "user",
    "root", "strongswan", "openswan", "libreswan", "cisco", "windows", "monkey",
    "dragon", "iloveyou", "summer", "winter", "spring", "autumn"};

/* Length of the known word at s; 0: none. */
static size_t
word_at(const char *s, size_t left)
{
	size_t best = 0, len;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		len = strlen(words[i]);
		if (len <= left && len > best &&
		    strncasecmp(s, words[i], len) == 0)
			best = len;
	}
	return best;
}

/* Does it consist of one part again and again? */
static bool
repeats(const char *s, size_t n)
{
	size_t i;

	for (size_t period = 1; period <= n / 2; period++) {
		for (i = period; i < n && s[i] == s[i - period]; i++)
			;
		if (i == n)
			return true;
	}
	return false;
}

static double
alphabet_bits(const char *s, size_t n)
{
	bool lower = false, upper = false, digit = false, other = false;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		lower |= islower(c) != 0;
		upper |= isupper(c) != 0;
		digit |= isdigit(c) != 0;
		other |= !isalnum(c);
	}
	return log2(26 * lower + 26 * upper + 10 * digit + 32 * other);
}

static double
estimate_bits(const char *s, size_t n)
{
	double each = alphabet_bits(s, n), bits = 0;
	size_t word;
	int step;

	for (size_t i = 0; i < n;) {
		word = word_at(s + i, n - i);
		if (word) {
			bits += 6; /* which word */
			i += word;
			continue;
		}
		step = i > 0 ? s[i] - s[i - 1] : 99;
		if (step < -1 || step > 1) /* 1234, dcba, aaaa */
			bits += each;
		i++;
	}
	return bits;
}

const char *
psk_problem(const char *psk, size_t n)
{
	bool seen[256] = {false};
	int distinct = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)psk[i];

		if (c <= ' ' || c >= 0x7f)
			return "it has characters that not every client can "
			       "enter: use printable ASCII without blanks";
		distinct += !seen[c];
		seen[c] = true;
	}
	if (n < PSK_MIN_BYTES)
		return "it is too short: at least 20 characters";
	if (n > 255)
		return "it is too long: at most 255 characters";
	if (repeats(psk, n))
		return "it repeats itself";
	if (distinct < PSK_MIN_DISTINCT)
		return "it has too few different characters";
	if (estimate_bits(psk, n) < PSK_MIN_BITS)
		return "it is made of words or sequences that are tried first "
		       "(such as vpn, secret, 12345678)";
	return NULL;
}
