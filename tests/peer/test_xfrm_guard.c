/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_xfrm_guard.c: the policies of the kernel plane's monitor, against the
 * kernel of this machine: they block UDP 1701 that has no IPsec, in and out,
 * and those of a killed charon go, and only those. Skipped without the right to
 * make a network namespace, or without XFRM.
 */
#include "l2tpd/monitor/xfrm_guard.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/peer/mark_net.h"

/* Does a datagram from one get to the other? */
static bool
passes(int from, int to)
{
	struct sockaddr_in sin;
	socklen_t n = sizeof(sin);
	char byte;

	assert_int_equal(getsockname(to, (struct sockaddr *)&sin, &n), 0);
	if (sendto(from, "x", 1, 0, (struct sockaddr *)&sin, n) != 1)
		return false;
	return recv(to, &byte, 1, 0) == 1;
}

static void
test_plain_l2tp_is_blocked(void **state)
{
	int l2tp = mark_net_bound("127.0.0.1", 1701, 0),
	    other = mark_net_bound("127.0.0.1", 1702, 0);

	(void)state;
	assert_true(passes(other, l2tp));
	assert_true(passes(l2tp, other));
	assert_int_equal(xfrm_guard_set(), 0);
	assert_int_equal(xfrm_guard_set(), 0); /* as after a kill */
	assert_false(passes(other, l2tp));
	assert_false(passes(l2tp, other));
	assert_true(passes(other, other));
	xfrm_guard_remove();
	assert_true(passes(other, l2tp));
	assert_true(passes(l2tp, other));
	close(l2tp);
	close(other);
}

/* How many policies `ip xfrm policy` knows whose text has `words`. */
static int
policies(const char *words)
{
	char command[256], line[64] = "";
	FILE *f;

	snprintf(command, sizeof(command),
	    "ip xfrm policy | tr '\\n' ' ' | sed 's/src /\\nsrc /g' | "
	    "grep -c '%s'",
	    words);
	f = popen(command, "r");
	assert_non_null(f);
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	pclose(f);
	return atoi(line);
}

static void
add_policy(const char *device, unsigned int mark, const char *dir)
{
	char command[512];
	bool in = strcmp(dir, "in") == 0;

	snprintf(command, sizeof(command),
	    "ip xfrm policy add src %s dst %s proto udp %s 1701 dir %s "
	    "mark %u mask 0xffffffff priority 1000 "
	    "tmpl proto esp mode transport",
	    in ? device : "192.0.2.1/32", in ? "192.0.2.1/32" : device,
	    in ? "dport" : "sport", dir, mark);
	assert_int_equal(system(command), 0);
}

static void
test_forget(void **state)
{
	const struct priv_forget f = {.mark = 7,
	    .local = {192, 0, 2, 1},
	    .peer = {192, 0, 2, 3},
	    .spi_in = 1,
	    .spi_out = 2,
	    .policies = true};

	(void)state;
	add_policy("192.0.2.3/32", 7, "in");
	add_policy("192.0.2.3/32", 7, "out");
	add_policy("192.0.2.4/32", 7, "in"); /* another device */
	add_policy("192.0.2.4/32", 7, "out");
	add_policy("192.0.2.3/32", 8, "out"); /* another client of it */
	assert_int_equal(policies("192.0.2.3/32.*dir .*mark 0x7"), 2);
	xfrm_forget(&f);
	assert_int_equal(policies("192.0.2.3/32.*dir .*mark 0x7"), 0);
	assert_int_equal(policies("192.0.2.4/32.*dir .*mark 0x7"), 2);
	assert_int_equal(policies("192.0.2.3/32.*dir .*mark 0x8"), 1);
	xfrm_forget(&f); /* nothing is left: nothing happens */
	assert_int_equal(policies("192.0.2.4/32.*dir .*mark 0x7"), 2);
}

/* The loopback device has no policies unless it is told to. */
static bool
switch_on(const char *name)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/lo/%s", name);
	f = fopen(path, "w");
	if (f == NULL)
		return false;
	fputs("0", f);
	return fclose(f) == 0;
}

static bool
own_network(void)
{
	return mark_net_enter() && switch_on("disable_policy") &&
	    switch_on("disable_xfrm");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain_l2tp_is_blocked),
	    cmocka_unit_test(test_forget),
	};

	if (!own_network() || xfrm_guard_set() < 0) {
		fputs("skipped: no right to make a network namespace, or no "
		      "XFRM\n",
		    stderr);
		return SKIPPED;
	}
	xfrm_guard_remove();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
