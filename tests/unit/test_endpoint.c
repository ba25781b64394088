/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_endpoint.c: addresses as text, as socket addresses, compared.
 */
#include "base/endpoint.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

static void
test_text(void **state)
{
	static const char longest[] =
	    "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255";
	struct endpoint e, none = {.port = 7};
	char buf[ENDPOINT_TEXT];

	(void)state;
	assert_true(endpoint_parse("192.0.2.1", 4500, &e));
	assert_int_equal(e.family, 4);
	assert_memory_equal(e.addr, "\xc0\x00\x02\x01", 4);
	assert_string_equal(
	    endpoint_format(&e, buf, sizeof(buf)), "192.0.2.1:4500");
	assert_string_equal(
	    endpoint_format_address(&e, buf, sizeof(buf)), "192.0.2.1");
	assert_true(endpoint_parse("2001:db8::1", 65535, &e));
	assert_int_equal(e.family, 6);
	assert_string_equal(
	    endpoint_format(&e, buf, sizeof(buf)), "[2001:db8::1]:65535");
	assert_string_equal(
	    endpoint_format_address(&e, buf, sizeof(buf)), "2001:db8::1");
	assert_string_equal(endpoint_format(&none, buf, sizeof(buf)), "-");
	assert_string_equal(
	    endpoint_format_address(&none, buf, sizeof(buf)), "-");
	assert_true(endpoint_parse(longest, 65535, &e));
	assert_int_equal(
	    strlen(endpoint_format(&e, buf, sizeof(buf))), 39 + 2 + 6);
	/* too small a buffer: cut, never overrun */
	assert_string_equal(endpoint_format_address(&e, buf, 4), "-");
	assert_int_equal(strlen(endpoint_format(&e, buf, 10)), 9);
}

static void
test_not_an_address(void **state)
{
	static const char *const bad[] = {"", "localhost", "192.0.2",
	    "1.2.3.4.5", "192.0.2.256", "192.0.2.1:1", "::g", "[::1]",
	    " 192.0.2.1", "192.0.2.1 ", "1::2::3", "0x7f.1"};
	struct endpoint e = {.family = 4, .port = 99};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(endpoint_parse(bad[i], 1, &e));
	assert_int_equal(e.port, 99); /* untouched */
}

static void
test_compare(void **state)
{
	struct endpoint a, b, v6;

	(void)state;
	assert_true(endpoint_parse("192.0.2.1", 1, &a));
	b = a;
	assert_true(endpoint_equal(&a, &b));
	b.port = 2;
	assert_false(endpoint_equal(&a, &b));
	assert_true(endpoint_same_address(&a, &b));
	b.addr[3] = 2;
	assert_false(endpoint_same_address(&a, &b));
	assert_true(endpoint_parse("c000:201::", 1, &v6));
	assert_memory_equal(v6.addr, a.addr, 4);
	assert_false(endpoint_same_address(&a, &v6));
	assert_true(endpoint_parse("c000:201::1", 1, &b));
	assert_false(endpoint_same_address(&b, &v6)); /* all 16 bytes count */
}

static void
test_sockaddr(void **state)
{
	static const char *const texts[] = {
	    "192.0.2.1", "2001:db8::1", "255.255.255.255", "::"};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_storage ss;
	struct endpoint e, back, none = {.family = 0};
	struct sockaddr_in v4;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_true(endpoint_parse(texts[i], 0x1194, &e));
		assert_int_equal(endpoint_to_sockaddr(&e, &ss),
		    e.family == 4 ? sizeof(struct sockaddr_in)
				  : sizeof(struct sockaddr_in6));
		assert_true(
		    endpoint_from_sockaddr((struct sockaddr *)&ss, &back));
		assert_true(endpoint_equal(&e, &back));
	}
	assert_true(endpoint_parse("192.0.2.1", 0x1194, &e));
	assert_int_equal(endpoint_to_sockaddr(&e, &ss), sizeof(v4));
	memcpy(&v4, &ss, sizeof(v4));
	assert_int_equal(v4.sin_family, AF_INET);
	assert_memory_equal(&v4.sin_port, "\x11\x94", 2);
	assert_memory_equal(&v4.sin_addr, e.addr, 4);
	assert_int_equal(endpoint_to_sockaddr(&none, &ss), 0);
	assert_false(endpoint_from_sockaddr((struct sockaddr *)&un, &back));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_not_an_address),
	    cmocka_unit_test(test_compare),
	    cmocka_unit_test(test_sockaddr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
