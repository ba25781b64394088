/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_conf.c: adit.conf: defaults, every key, and that every complaint names
 * the file, the line and the remedy.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "l2tpd/conf/conf.h"

static struct adit_conf conf;
static const char *why;

static int
load(const char *text)
{
	char path[] = "/tmp/adit-conf-XXXXXX";
	int fd = mkstemp(path), err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	why = "";
	err = conf_load(path, &conf, &why);
	unlink(path);
	return err;
}

static void
refused(const char *text, const char *line, const char *word)
{
	struct adit_conf before = conf;

	if (load(text) != -EINVAL)
		fail_msg("accepted: %s", text);
	if (!strstr(why, line) || !strstr(why, word))
		fail_msg("want \"%s\" and \"%s\" in: %s", line, word, why);
	assert_memory_equal(&before, &conf, sizeof(conf));
}

static void
ip_equal(const uint8_t *ip, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t want[4] = {a, b, c, d};

	assert_memory_equal(ip, want, 4);
}

static void
test_defaults(void **state)
{
	(void)state;
	assert_int_equal(load("# nothing\n"), 0);
	assert_int_equal(conf.mru, 1400);
	assert_int_equal(conf.pool_prefix_bits, 20);
	ip_equal(conf.pool_net, 10, 77, 0, 0);
	ip_equal(conf.gateway, 10, 77, 0, 1);
	ip_equal(conf.pool_first, 10, 77, 0, 2);
	ip_equal(conf.pool_last, 10, 77, 15, 254);
	assert_false(conf.allow_pap);
	assert_false(conf.legacy_clients);
	assert_true(conf.tun_tcp_offload && conf.tun_udp_offload &&
	    conf.udp_gso && conf.udp_gro);
	assert_false(conf.copy_dscp);
	assert_int_equal(conf.workers, 0);
	assert_string_equal(conf.run_dir, "/run/adit");
	assert_string_equal(conf.tun_name, "adit0");
	conf_defaults(&conf);
	assert_int_equal(conf_validate(&conf, &why), 0);
}

static void
test_every_key(void **state)
{
	uint8_t prefix[8];

	(void)state;
	assert_int_equal(
	    load(
		"server { address = vpn.example.org listen = 192.0.2.1\n"
		" outer-mtu = 1492 }\n"
		"ipsec { legacy-clients = yes dpd-delay = 0\n"
		" psk-file = \"/a/psk\" ca-file = /a/ca crl-file = /a/crl\n"
		" certificate-file = /a/crt key-file = /a/key }\n"
		"l2tp { hello-interval = 45 max-tunnels = 7\n"
		" max-tunnels-per-association = 2 }\n"
		"ppp { allow-pap = true allow-chap-md5 = on\n"
		" mru = 1280 echo-interval = 10 echo-failures = 3\n"
		" dns = {\"9.9.9.9\", 1.1.1.1} nbns = {10.0.0.5}\n"
		" dns6 = {\"2001:db8::53\"} }\n"
		"pool { network = 192.168.100.0/24\n"
		" network6 = \"2001:db8:1::/48\" gateway = 192.168.100.9\n"
		" first = 192.168.100.10 last = 192.168.100.20\n"
		" sessions-per-user = 3 }\n"
		"plane { workers = 3 tun-tcp-offload = no tun-udp-offload = no\n"
		" udp-gso = no udp-gro = no copy-dscp = yes }\n"
		"process { run-dir = /r state-dir = /s tun-name = t0\n"
		" engine-user = e authority-user = a }\n"),
	    0);
	assert_string_equal(conf.address, "vpn.example.org");
	ip_equal(conf.listen_ipv4, 192, 0, 2, 1);
	assert_int_equal(conf.outer_mtu, 1492);
	assert_true(conf.legacy_clients);
	assert_int_equal(conf.dpd_delay_s, 0);
	assert_string_equal(conf.psk_file, "/a/psk");
	assert_string_equal(conf.key_file, "/a/key");
	assert_int_equal(conf.hello_interval_s, 45);
	assert_int_equal(conf.max_tunnels, 7);
	assert_int_equal(conf.max_tunnels_per_association, 2);
	assert_true(conf.allow_pap && conf.allow_chap_md5);
	assert_int_equal(conf.mru, 1280);
	assert_int_equal(conf.echo_interval_s, 10);
	assert_int_equal(conf.echo_failures, 3);
	ip_equal(conf.groups[0].ipv4_dns[0], 9, 9, 9, 9);
	ip_equal(conf.groups[0].ipv4_dns[1], 1, 1, 1, 1);
	ip_equal(conf.ipv4_nbns[0], 10, 0, 0, 5);
	ip_equal(conf.ipv4_nbns[1], 0, 0, 0, 0);
	assert_int_equal(conf.pool_prefix_bits, 24);
	assert_int_equal(conf.pool_bits6, 48);
	assert_memory_equal(conf.pool_net6, "\x20\x01\x0d\xb8\0\1\0\0", 8);
	assert_memory_equal(conf.ipv6_dns[0] + 14, "\0\x53", 2);
	assert_true(conf_prefix_of(
	    &conf, (const uint8_t[]){192, 168, 100, 20}, prefix));
	assert_memory_equal(prefix, "\x20\x01\x0d\xb8\0\1\0\x14", 8);
	assert_false(conf_prefix_of(
	    &conf, (const uint8_t[]){192, 168, 101, 20}, prefix));
	ip_equal(conf.gateway, 192, 168, 100, 9);
	ip_equal(conf.pool_first, 192, 168, 100, 10);
	ip_equal(conf.pool_last, 192, 168, 100, 20);
	assert_int_equal(conf.sessions_per_user, 3);
	assert_false(conf.tun_tcp_offload || conf.tun_udp_offload ||
	    conf.udp_gso || conf.udp_gro);
	assert_true(conf.copy_dscp);
	assert_int_equal(conf.workers, 3);
	assert_string_equal(conf.run_dir, "/r");
	assert_string_equal(conf.state_dir, "/s");
	assert_string_equal(conf.tun_name, "t0");
	assert_string_equal(conf.engine_user, "e");
	assert_string_equal(conf.authority_user, "a");
}

static void
test_pool_follows_network(void **state)
{
	(void)state;
	assert_int_equal(load("pool { network = 172.16.8.0/22 }"), 0);
	ip_equal(conf.gateway, 172, 16, 8, 1);
	ip_equal(conf.pool_first, 172, 16, 8, 2);
	ip_equal(conf.pool_last, 172, 16, 11, 254);
	assert_int_equal(
	    load("pool { network = 10.0.0.0/24 gateway = 10.0.0.254 }"), 0);
	ip_equal(conf.pool_first, 10, 0, 0, 1);
}

static const char *
domain(const struct conf_group *g, size_t i)
{
	const char *d = conf.domain_texts + g->domain_first;

	assert_true(i < g->domain_count);
	for (; i > 0; i--)
		d += strlen(d) + 1;
	return d;
}

static void
test_groups(void **state)
{
	const struct conf_group *g = conf.groups;

	(void)state;
	assert_int_equal(
	    load("group staff { routes = {192.168.1.0/24} }\n"
		 "ppp { dns = {9.9.9.9} routes = {10.1.0.0/16,\n"
		 " 172.16.0.0/12} domains = {corp.test} }\n"
		 "group \"the guests\" { dns = {1.1.1.1, 8.8.8.8}\n"
		 " routes = {} domains = {a.test, _b.c-d.test}\n"
		 " plane = kernel }\n"),
	    0);
	assert_int_equal(conf.group_count, 3);
	assert_string_equal(g[0].name, "");
	assert_int_equal(g[0].route_count, 2);
	ip_equal(conf.group_routes[g[0].route_first + 1].net, 172, 16, 0, 0);
	assert_int_equal(conf.group_routes[g[0].route_first + 1].bits, 12);
	/* what a group does not say comes from ppp, wherever that stands */
	assert_string_equal(g[1].name, "staff");
	assert_int_equal(g[1].route_count, 1);
	ip_equal(conf.group_routes[g[1].route_first].net, 192, 168, 1, 0);
	ip_equal(g[1].ipv4_dns[0], 9, 9, 9, 9);
	assert_string_equal(domain(&g[1], 0), "corp.test");
	assert_int_equal(g[1].plane, CONF_PLANE_AUTO);
	assert_string_equal(g[2].name, "the guests");
	assert_int_equal(g[2].route_count, 0);
	ip_equal(g[2].ipv4_dns[1], 8, 8, 8, 8);
	assert_int_equal(g[2].domain_count, 2);
	assert_string_equal(domain(&g[2], 1), "_b.c-d.test");
	assert_int_equal(g[2].plane, CONF_PLANE_KERNEL);
	/* the first of the user's groups that has a section */
	assert_int_equal(conf_group_of(&conf, ""), 0);
	assert_int_equal(conf_group_of(&conf, "staf,staffs"), 0);
	assert_int_equal(conf_group_of(&conf, "staff"), 1);
	assert_int_equal(conf_group_of(&conf, "x, the guests,staff"), 2);
	assert_int_equal(conf_group_of(&conf, "x,,staff,the guests"), 1);
}

/* Each list may have its longest, but not all of them together. */
static void
test_groups_are_bounded(void **state)
{
	static char text[128 * 1024];
	size_t n = 0, groups, i;

	(void)state;
#define SAY(...) n += (size_t)snprintf(text + n, sizeof(text) - n, __VA_ARGS__)
	for (groups = 0; groups < 32; groups++) {
		SAY("group g%zu { routes = {", groups);
		for (i = 0; i < (groups < 8 ? 64 : 0); i++)
			SAY("%s10.%zu.%zu.0/24", i > 0 ? "," : "", groups, i);
		SAY("} }\n");
	}
	assert_int_equal(load(text), 0);
	assert_int_equal(conf.group_count, 33);
	assert_int_equal(conf.group_route_count, 512);
	assert_int_equal(conf.groups[8].route_count, 64);
	assert_int_equal(conf.groups[32].route_count, 0);
	SAY("ppp { routes = {10.0.0.0/8} }\n");
	refused(text, ":8:", "join");
	n = 0;
	for (groups = 0; groups < 33; groups++)
		SAY("group g%zu { }\n", groups);
	refused(text, ":33:", "at most 32");
	n = 0;
	SAY("ppp { routes = {10.0.0.0/8");
	for (i = 0; i < 64; i++)
		SAY(",10.0.%zu.0/24", i);
	SAY("} }");
	refused(text, ":1:", "at most 64");
	n = 0;
	for (groups = 0; groups < 3; groups++) {
		SAY("group g%zu { domains = {", groups);
		for (i = 0; i < 8; i++)
			SAY("%s%060zu.%060zu.%060zu.%060zu", i > 0 ? "," : "",
			    i, i, i, i);
		SAY("} }\n");
	}
	refused(text, ":3:", "4096");
#undef SAY
}

static void
test_missing_file(void **state)
{
	(void)state;
	assert_int_equal(conf_load("/nonexistent/x", &conf, &why), -ENOENT);
	assert_non_null(strstr(why, "adit setup"));
}

static void
test_refused(void **state)
{
	char long_path[300];

	(void)state;
	conf_defaults(&conf);
	refused("\n\nppp { mru = 99 }\n", ":3:", "576 to 1500");
	refused("ppp {\n mru = 70000\n}\n", ":2:", "576 to 1500");
	refused("ppp {\n mru = big\n}\n", ":2:", "mru");
	refused("ppp {\n mtu = 1400\n}\n", ":2:", "adit.conf(5)");
	refused("\npp { mru = 1400 }\n", ":2:", "adit.conf(5)");
	refused("ppp { allow-pap = maybe }\n", ":1:", "allow-pap");
	refused("ppp { dns = {1.1.1.1, 2.2.2.2, 3.3.3.3} }", ":1:", "two");
	refused("ppp { dns = {dns.google} }", ":1:", "IPv4");
	refused("ppp { dns = {127.0.0.53} }", "", "client itself");
	refused("server { listen = 1.2.3 }", ":1:", "IPv4");
	refused("server { address = \"a b\" }", ":1:", "blanks");
	refused("ipsec { psk-file = psk }", ":1:", "absolute");
	refused("pool { network = 10.0.0.1/24 }", ":1:", "host bits");
	refused("pool { network = 10.0.0.0 }", ":1:", "10.77.0.0/20");
	refused("pool { network = 10.0.0.0/31 }", ":1:", "8 to 30");
	refused("pool { network = 10.0.0.0/x }", ":1:", "8 to 30");
	refused("pool { network = 127.0.0.0/24 }", "", "private");
	refused("pool { gateway = 10.1.1.1 }", "", "gateway");
	refused("pool { gateway = 10.77.0.0 }", "", "gateway");
	refused("pool { first = 10.1.1.1 }", "", "first");
	refused("pool { first = 10.77.0.9 last = 10.77.0.8 }", "", "exchange");
	refused("pool { first = 10.77.0.1 last = 10.77.0.1 }", "", "only one");
	refused("server { outer-mtu = 1300 }", "", "outer-mtu");
	refused("process { engine-user = x authority-user = x }", "",
	    "must differ");
	refused("process { tun-name = \"a/b\" }", "", "interface");
	refused("process { tun-name = \"abcdefghijklmnopq\" }", ":1:", "15");
	refused("process { run-dir = \"\" }", ":1:", "absolute");
	refused("ppp { mru =\n", ":", "");
	refused("ppp } mru", ":1:", "");
	refused(
	    "ppp { routes = {10.0.0.0/8, 10.0.0.1/24} }", ":1:", "host bits");
	refused("ppp { routes = {0.0.0.0/0} }", ":1:", "not a network");
	refused("ppp {\ndomains = {a..b} }", ":2:", "not a domain");
	refused("ppp { domains = {a,b,c,d,e,f,g,h,i} }", ":1:", "at most 8");
	refused("ppp { domains = {\"a b\"} }", ":1:", "not a domain");
	refused("ppp { domains = {b.} }", ":1:", "not a domain");
	refused("pool { network6 = \"2001:db8::/64\" }", ":1:", "16 to 62");
	refused("pool { network6 = \"2001:db8::1/48\" }", ":1:", "host bits");
	refused("pool { network6 = \"2001:db8::\" }", ":1:", "/48");
	refused("pool { network6 = \"fe80::/48\" }", ":1:", "2000::/3");
	refused("pool { network6 = \"2001:db8::/53\" }", "", "52 bits");
	refused("pool { network6 = \"2001:db8::/48\" }\nppp { mru = 1000 }", "",
	    "1280");
	refused("ppp { dns6 = {1.1.1.1} }", ":1:", "IPv6");
	refused("group a { }\ngroup a { }", ":2:", "a");
	refused("group \"a,b\" { }", ":1:", "commas");
	refused("group \"\" { }", ":1:", "name");
	refused("group { }", ":1:", "");
	refused("group a {\nplane = none }", ":2:", "auto, user or kernel");
	refused("group a {\nroute = {} }", ":2:", "adit.conf(5)");
	refused("group a { dns = {127.0.0.1} }", "", "group a dns");
	snprintf(long_path, sizeof(long_path),
	    "ipsec { psk-file = \"/%0200d\" }", 0);
	refused(long_path, ":1:", "too long");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_every_key),
	    cmocka_unit_test(test_pool_follows_network),
	    cmocka_unit_test(test_groups),
	    cmocka_unit_test(test_groups_are_bounded),
	    cmocka_unit_test(test_missing_file),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
