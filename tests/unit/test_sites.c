/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_sites.c: networks behind clients: what is in them, lists as text and
 * back, and which ones a server refuses.
 */
#include "l2tpd/conf/sites.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct ipv4_network
network(const char *text)
{
	struct ipv4_network n;

	assert_null(conf_parse_network(text, 0, 32, &n));
	return n;
}

static bool
overlap(const char *a, const char *b)
{
	const struct ipv4_network one = network(a), other = network(b);

	assert_int_equal(ipv4_network_overlaps(&one, &other),
	    ipv4_network_overlaps(&other, &one));
	return ipv4_network_overlaps(&one, &other);
}

static void
test_inside(void **state)
{
	const struct ipv4_network n = network("10.1.0.0/16"),
				  all = network("0.0.0.0/0"),
				  host = network("192.0.2.1/32");

	(void)state;
	assert_true(ipv4_network_contains(&n, (uint8_t[4]){10, 1, 0, 0}));
	assert_true(ipv4_network_contains(&n, (uint8_t[4]){10, 1, 255, 255}));
	assert_false(ipv4_network_contains(&n, (uint8_t[4]){10, 2, 0, 0}));
	assert_false(ipv4_network_contains(&n, (uint8_t[4]){10, 0, 255, 255}));
	assert_true(ipv4_network_contains(&all, (uint8_t[4]){255, 1, 1, 1}));
	assert_true(ipv4_network_contains(&host, (uint8_t[4]){192, 0, 2, 1}));
	assert_false(ipv4_network_contains(&host, (uint8_t[4]){192, 0, 2, 2}));
	assert_true(overlap("10.0.0.0/8", "10.1.2.0/24"));
	assert_true(overlap("10.1.2.0/24", "10.1.2.0/24"));
	assert_true(overlap("0.0.0.0/0", "10.1.2.0/24"));
	assert_false(overlap("10.1.2.0/24", "10.1.3.0/24"));
	assert_false(overlap("10.1.2.1/32", "10.1.2.0/32"));
}

static void
test_sane(void **state)
{
	static const char *const good[] = {"10.0.0.0/8", "192.168.3.0/24",
	    "192.0.2.1/32", "126.0.0.0/8", "223.255.255.0/24",
	    "169.253.0.0/16"};
	static const char *const bad[] = {"0.0.0.0/0", "128.0.0.0/1",
	    "10.0.0.0/7", "0.0.0.0/8", "127.0.0.0/8", "127.0.0.1/32",
	    "224.0.0.0/8", "255.255.255.255/32", "169.0.0.0/8",
	    "169.254.1.0/24"};
	struct ipv4_network n = {{10, 0, 0, 1}, 24}; /* host bits */

	(void)state;
	assert_false(ipv4_network_is_sane(&n));
	n = (struct ipv4_network){{10, 0, 0, 0}, 33};
	assert_false(ipv4_network_is_sane(&n));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		n = network(good[i]);
		assert_true(ipv4_network_is_sane(&n));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (conf_parse_network(bad[i], 0, 32, &n) == NULL)
			assert_false(ipv4_network_is_sane(&n));
	}
}

static void
test_text(void **state)
{
	char text[IPV4_NETWORKS_TEXT], small[16];
	struct ipv4_networks nets = {.count = 0}, before;

	(void)state;
	assert_null(sites_parse("", &nets));
	assert_int_equal(nets.count, 0);
	assert_string_equal(
	    ipv4_networks_format(&nets, text, sizeof(text)), "");
	assert_null(sites_parse("10.1.0.0/16,192.168.3.0/24", &nets));
	assert_null(sites_parse("192.0.2.1/32", &nets));
	assert_int_equal(nets.count, 3);
	assert_string_equal(ipv4_networks_format(&nets, text, sizeof(text)),
	    "10.1.0.0/16,192.168.3.0/24,192.0.2.1/32");
	assert_string_equal(ipv4_networks_format(&nets, small, sizeof(small)),
	    "10.1.0.0/16,192");
	before = nets;
	assert_non_null(sites_parse("10.2.0.0/16,10.1.2.0/24", &nets));
	assert_non_null(sites_parse("10.2.0.0/16,", &nets));
	assert_non_null(sites_parse(",10.2.0.0/16", &nets));
	assert_non_null(sites_parse("10.2.0.1/16", &nets));
	assert_non_null(sites_parse("10.2.0.0", &nets));
	assert_non_null(sites_parse("10.2.0.0/16 ", &nets));
	assert_non_null(sites_parse("255.255.255.255/0032000000000", &nets));
	assert_memory_equal(&before, &nets, sizeof(nets));
}

static void
test_at_most_16(void **state)
{
	char text[IPV4_NETWORKS_TEXT], one[32];
	struct ipv4_networks nets = {.count = 0};

	(void)state;
	for (int i = 0; i < IPV4_NETWORKS_MAX; i++) {
		snprintf(one, sizeof(one), "223.255.255.%d/32", 200 + i);
		assert_null(sites_parse(one, &nets));
	}
	ipv4_networks_format(&nets, text, sizeof(text));
	assert_int_equal(strlen(text), 16 * 19 - 1);
	assert_non_null(sites_parse("10.0.0.0/8", &nets));
	nets.count = 0;
	assert_null(sites_parse(text, &nets));
	assert_int_equal(nets.count, IPV4_NETWORKS_MAX);
}

static void
test_not_ours(void **state)
{
	static const char *const bad[] = {"10.77.0.0/16", "10.77.0.0/24",
	    "10.0.0.0/8", "192.0.2.0/24", "198.51.100.7/32", "0.0.0.0/0"};
	struct ipv4_network n = network("10.78.0.0/16");
	struct adit_conf c;

	(void)state;
	conf_defaults(&c);
	memcpy(c.pool_net, (uint8_t[4]){10, 77, 0, 0}, 4);
	c.pool_prefix_bits = 20;
	memcpy(c.gateway, (uint8_t[4]){10, 77, 0, 1}, 4);
	assert_null(sites_problem(&c, &n));
	n = network("192.0.2.0/24");
	assert_null(sites_problem(&c, &n));
	memcpy(c.listen_ipv4, (uint8_t[4]){192, 0, 2, 1}, 4);
	strcpy(c.address, "198.51.100.7");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		n = network(bad[i]);
		assert_non_null(sites_problem(&c, &n));
	}
	strcpy(c.address, "vpn.example.org");
	n = network("198.51.100.7/32");
	assert_null(sites_problem(&c, &n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_inside),
	    cmocka_unit_test(test_sane),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_at_most_16),
	    cmocka_unit_test(test_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
