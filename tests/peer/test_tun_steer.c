/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tun_steer.c: the program at the TUN device, in this machine's kernel: in
 * a network namespace of its own, packets come to the queue that the map names.
 * Needs root, /dev/net/tun and BPF; else it is skipped (exit status 77) and
 * says why.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/endpoint.h"
#include "l2tpd/monitor/tun_steer.h"
#include "l2tpd/plane/user/steer.h"

#define QUEUES  3
#define NOBODY  65534
#define WAIT_MS 10000

static int queue[QUEUES];
static struct tun_maps maps;

static int
open_queue(void)
{
	struct ifreq ifr = {.ifr_name = "steer0"};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	ifr.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE;
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &ifr) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* NULL: done; else why not. */
static const char *
set_up(void)
{
	size_t i;

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
		return "needs root, for a network namespace";
	for (i = 0; i < QUEUES; i++)
		if ((queue[i] = open_queue()) < 0)
			return "needs /dev/net/tun";
	if (tun_steer(queue[0], &maps) < 0)
		return "this kernel has no BPF for TUN devices";
	if (system("ip link set steer0 up && ip addr add 10.9.0.1/24 "
		   "dev steer0 && ip -6 addr add 2001:db8::1/32 "
		   "dev steer0 nodad") != 0)
		return "needs ip(8) and IPv6";
	return NULL;
}

/* From port 5009 to port 5009. */
static void
send_to(const char *address)
{
	struct sockaddr_storage name;
	struct endpoint to, any;
	socklen_t len;
	int fd;

	assert_true(endpoint_parse(address, 5009, &to));
	any = (struct endpoint){.family = to.family, .port = 5009};
	len = endpoint_to_sockaddr(&any, &name);
	fd = socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, len), 0);
	len = endpoint_to_sockaddr(&to, &name);
	assert_int_equal(
	    sendto(fd, "steer me", 8, 0, (struct sockaddr *)&name, len), 8);
	close(fd);
}

/* Where the packet comes out; others (router solicitations) are read over. */
static size_t
queue_of(const char *address)
{
	struct pollfd p[QUEUES];
	uint8_t packet[2048];
	ssize_t n;
	size_t i;

	send_to(address);
	for (;;) {
		for (i = 0; i < QUEUES; i++)
			p[i] = (struct pollfd){queue[i], POLLIN, 0};
		assert_true(poll(p, QUEUES, WAIT_MS) > 0);
		for (i = 0; i < QUEUES; i++) {
			if (p[i].revents == 0)
				continue;
			n = read(queue[i], packet, sizeof(packet));
			if (n > 8 && memcmp(packet + n - 8, "steer me", 8) == 0)
				return i;
		}
	}
}

static void
by_destination(void **state)
{
	const uint8_t a[4] = {10, 9, 0, 5}, b[4] = {10, 9, 0, 6};
	const uint8_t p[8] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 7};
	const uint8_t q[8] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 8};
	uid_t uid = geteuid();

	(void)state;
	/* the engine has no rights at all */
	assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(
	    steer_tun_set(maps.addresses, steer_key_ipv4(a), 2), 0);
	assert_int_equal(
	    steer_tun_set(maps.addresses, steer_key_ipv4(b), 1), 0);
	assert_int_equal(
	    steer_tun_set(maps.addresses, steer_key_ipv6(p), 1), 0);
	assert_int_equal(
	    steer_tun_set(maps.addresses, steer_key_ipv6(q), 2), 0);
	assert_int_equal(queue_of("10.9.0.5"), 2);
	assert_int_equal(queue_of("10.9.0.6"), 1);
	assert_int_equal(queue_of("2001:db8:0:7::99"), 1);
	assert_int_equal(queue_of("2001:db8:0:8:1:2:3:4"), 2);
	assert_int_equal(queue_of("10.9.0.77"), 0); /* nobody's */
	assert_int_equal(queue_of("2001:db8:0:9::1"), 0);
	/* it moves, and goes */
	assert_int_equal(
	    steer_tun_set(maps.addresses, steer_key_ipv4(a), 1), 0);
	assert_int_equal(queue_of("10.9.0.5"), 1);
	assert_int_equal(steer_tun_unset(maps.addresses, steer_key_ipv4(a)), 0);
	assert_int_equal(queue_of("10.9.0.5"), 0);
	assert_int_equal(
	    steer_tun_unset(maps.addresses, steer_key_ipv4(a)), -ENOENT);
	assert_int_equal(seteuid(uid), 0);
}

/* What is for no address that is known goes where its network does. */
static void
by_network(void **state)
{
	const struct ipv4_network net = {{10, 9, 0, 128}, 25},
				  host = {{10, 9, 0, 9}, 32};
	const uint8_t a[4] = {10, 9, 0, 130};
	uid_t uid = geteuid();

	(void)state;
	assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(steer_tun_set_network(maps.networks, &net, 2), 0);
	assert_int_equal(steer_tun_set_network(maps.networks, &host, 1), 0);
	assert_int_equal(
	    steer_tun_set(maps.addresses, steer_key_ipv4(a), 1), 0);
	assert_int_equal(queue_of("10.9.0.129"), 2);
	assert_int_equal(queue_of("10.9.0.254"), 2);
	assert_int_equal(queue_of("10.9.0.127"), 0);
	assert_int_equal(queue_of("10.9.0.130"), 1);
	assert_int_equal(queue_of("10.9.0.9"), 1);
	assert_int_equal(queue_of("2001:db8:0:9::1"), 0);
	assert_int_equal(steer_tun_set_network(maps.networks, &net, 1), 0);
	assert_int_equal(queue_of("10.9.0.129"), 1);
	assert_int_equal(steer_tun_unset_network(maps.networks, &net), 0);
	assert_int_equal(queue_of("10.9.0.129"), 0);
	assert_int_equal(steer_tun_unset_network(maps.networks, &net), -ENOENT);
	assert_int_equal(steer_tun_unset_network(maps.networks, &host), 0);
	assert_int_equal(seteuid(uid), 0);
}

/* Without the program the kernel knows what a queue has written. */
static void
switched_off(void **state)
{
	/* UDP from 10.9.0.9 to 10.9.0.1, ports 5009 */
	static const uint8_t packet[] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17,
	    0x66, 0xb3, 10, 9, 0, 9, 10, 9, 0, 1, 0x13, 0x91, 0x13, 0x91, 0, 8,
	    0, 0};
	size_t i;

	(void)state;
	steer_tun_off(queue[1]);
	for (i = 0; i < QUEUES; i++) {
		assert_int_equal(
		    write(queue[i], packet, sizeof(packet)), sizeof(packet));
		assert_int_equal(queue_of("10.9.0.9"), i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(by_destination),
	    cmocka_unit_test(by_network),
	    cmocka_unit_test(switched_off),
	};
	const char *why = set_up();

	if (why != NULL) {
		fprintf(stderr, "test_tun_steer: skipped: %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
