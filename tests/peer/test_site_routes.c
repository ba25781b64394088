/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_site_routes.c: routes to networks behind clients, in this machine's
 * kernel and a network namespace of its own: they are set and taken back, and
 * what the engine must not have is refused. Needs root and /dev/net/tun; else
 * it is skipped (exit status 77) and says why.
 */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "l2tpd/conf/sites.h"
#include "l2tpd/monitor/site_routes.h"

static struct adit_conf conf;
static struct site_routes *routes;
static int tun_fd;

/* NULL: done; else why not. */
static const char *
set_up(void)
{
	struct ifreq ifr = {.ifr_name = "adit0"};

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
		return "needs root, for a network namespace";
	tun_fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	ifr.ifr_flags = IFF_TUN | IFF_NO_PI;
	if (tun_fd < 0 || ioctl(tun_fd, TUNSETIFF, &ifr) < 0)
		return "needs /dev/net/tun";
	/* 10.5.0.0/16 is the machine's own network, others are behind a
	 * router in it, or nowhere */
	if (system("ip link set lo up && ip addr add 10.77.0.1/20 dev adit0 && "
		   "ip link set adit0 up && ip link add e0 type veth peer name "
		   "e1 && ip addr add 10.5.0.1/16 dev e0 && ip link set e1 up "
		   "&& ip link set e0 up && "
		   "ip route add 10.6.0.0/16 via 10.5.0.2 && "
		   "ip route add 10.8.0.0/16 via 10.5.0.2 metric 100 && "
		   "ip route add blackhole 10.10.0.0/16 && "
		   "ip route add 10.16.0.0/12 via 10.5.0.2") != 0)
		return "needs ip(8) and veth";
	conf_defaults(&conf);
	return conf_validate(&conf, &(const char *){""}) == 0
	    ? NULL
	    : "the defaults changed";
}

static void
set(uint32_t session, const char *nets)
{
	struct priv_routes p = {.session = session};

	assert_null(sites_parse(nets, &p.nets));
	site_routes_set(routes, &p);
}

/* All routes to the TUN device but the pool's, in the kernel's order. */
static void
assert_kernel(const char *want)
{
	char line[128], all[512] = "";
	FILE *f = popen("ip -4 route show dev adit0 | cut -d' ' -f1", "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "10.77.0.0/20") == 0)
			continue;
		if (all[0] != '\0')
			strcat(all, ",");
		strcat(all, line);
	}
	pclose(f);
	assert_string_equal(all, want);
}

static void
come_and_go(void **state)
{
	(void)state;
	routes = site_routes_new(&conf);
	assert_non_null(routes);
	set(1, "10.1.0.0/16,192.168.3.0/24");
	set(2, "10.2.0.0/16");
	assert_kernel("10.1.0.0/16,10.2.0.0/16,192.168.3.0/24");
	set(1, "10.1.0.0/24"); /* in place of the first two */
	assert_kernel("10.1.0.0/24,10.2.0.0/16");
	set(2, "");
	set(2, "");
	assert_kernel("10.1.0.0/24");
	set(3, "192.0.2.7/32");
	site_routes_free(routes);
	assert_kernel("");
}

static void
refused(void **state)
{
	(void)state;
	routes = site_routes_new(&conf);
	assert_non_null(routes);
	set(1, "10.77.0.0/24"); /* the pool's */
	set(2, "10.77.0.1/32");
	set(3, "10.5.7.0/24"); /* the machine's own */
	set(4, "10.0.0.0/8");
	set(5, "10.6.0.0/16"); /* there is a route */
	set(8, "10.8.0.0/16");
	set(9, "10.10.0.0/16");
	assert_kernel("");
	/* and the others of the same list are set */
	set(6, "10.5.0.1/32,10.9.0.0/16");
	assert_kernel("10.9.0.0/16");
	/* a part of what is routed elsewhere can be here */
	set(10, "10.17.0.0/16");
	assert_kernel("10.9.0.0/16,10.17.0.0/16");
	set(10, "");
	/* another session's stays that one's */
	set(7, "10.9.0.0/16");
	set(7, "");
	assert_kernel("10.9.0.0/16");
	/* so does what is not of ours */
	set(5, "");
	assert_int_equal(
	    system("ip route show 10.6.0.0/16 | grep -q 'via 10.5.0.2'"), 0);
	site_routes_free(routes);
	assert_kernel("");
}

/* As when the engine was killed. */
static void
without_the_device(void **state)
{
	(void)state;
	routes = site_routes_new(&conf);
	assert_non_null(routes);
	set(1, "10.1.0.0/16");
	assert_kernel("10.1.0.0/16");
	close(tun_fd);
	assert_int_not_equal(
	    system("ip route show 10.1.0.0/16 | grep -q ."), 0);
	set(2, "10.2.0.0/16");
	site_routes_free(routes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(come_and_go),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(without_the_device),
	};
	const char *why = set_up();

	if (why != NULL) {
		fprintf(stderr, "test_site_routes: skipped: %s\n", why);
		return 77;
	}
	log_open("test", true, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
