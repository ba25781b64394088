/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_psk.c: made secrets are good and differ, known kinds of weak ones are
 * refused; and which name servers of a resolv.conf are of use to clients.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/psk.h"
#include "cli/resolvers.h"

static void
test_made(void **state)
{
	char psk[PSK_TEXT_BYTES], before[PSK_TEXT_BYTES] = "";
	char password[PASSWORD_TEXT_BYTES];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		psk_make(psk);
		assert_int_equal(strlen(psk), 43);
		assert_null(psk_problem(psk, 43));
		assert_string_not_equal(psk, before);
		memcpy(before, psk, sizeof(psk));
		password_make(password);
		assert_int_equal(strlen(password), 19);
		assert_int_equal(
		    strspn(password, "abcdefghjkmnpqrstwxyz23456789-"), 19);
	}
}

/* Each of the 64 digits is used, each bit of the first place. */
static void
test_even(void **state)
{
	int seen[256] = {0}, kinds = 0;
	char psk[PSK_TEXT_BYTES];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		psk_make(psk);
		seen[(unsigned char)psk[0]]++;
	}
	for (int i = 0; i < 256; i++)
		kinds += seen[i] > 0;
	assert_int_equal(kinds, 64);
}

static void
refused(const char *psk)
{
	if (!psk_problem(psk, strlen(psk)))
		fail_msg("taken: %s", psk);
}

static void
test_weak(void **state)
{
	(void)state;
	refused("");
	refused("vpn");
	refused("secret");
	refused("12345678");
	refused("Tr0ub4dor&3");
	refused("passwordpasswordpassword");
	refused("MyCompanyVpnSecretKey");
	refused("qwertyuiopasdfghjklzxcvbnm1234"
		"qwertyuiopasdfghjklzxcvbnm1234");
	refused("98765432109876543210987654321");
	refused("zyxwvutsrqponmlkjihgfedcba");
	refused("aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd");
	refused("vpn-ipsec-l2tp-secret-password-admin");
	refused("with a blank in the middle of it 9xQ");
	refused("K\xc3\xbc"
		"7vT2x9LmZ4pW8rYc3NbH6q");
	assert_null(psk_problem("Kq7-vT2x_9LmZ4pW8rYc3NbH6", 25));
	assert_null(psk_problem("8d5f1c0b9e72a6430d1f8b7c2e9a5064", 32));
}

static void
resolv(const char *text, const char *want)
{
	char got[64];

	resolvers_parse(text, got, sizeof(got));
	assert_string_equal(got, want);
}

static void
test_resolvers(void **state)
{
	(void)state;
	resolv("", "");
	resolv("nameserver 9.9.9.9", "9.9.9.9");
	resolv("# x\nsearch a\nnameserver 127.0.0.53\n", "");
	resolv("nameserver 127.0.0.1\nnameserver\t10.0.0.1\n"
	       "nameserver ::1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n",
	    "10.0.0.1, 10.0.0.2");
	resolv("nameserver fe80::1%eth0\nnameserver 0.0.0.0\n", "");
	resolv("nameserver 1.2.3\nnameserver x\n\n\n", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_made),
	    cmocka_unit_test(test_even),
	    cmocka_unit_test(test_weak),
	    cmocka_unit_test(test_resolvers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
