/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_service_socket.c: the filter of the socket for questions to the link, in
 * this machine's kernel: in a network namespace of its own, on the loopback
 * device in the place of a pppd's. Needs root; else it is skipped (exit status
 * 77) and says why.
 */
#include <net/if.h>
#include <net/if_arp.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/endpoint.h"
#include "l2tpd/monitor/service_socket.h"

static void
send_to(uint16_t port, const char *text)
{
	struct sockaddr_storage name;
	struct endpoint to;
	socklen_t len;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(endpoint_parse("127.0.0.1", port, &to));
	len = endpoint_to_sockaddr(&to, &name);
	assert_int_equal(
	    sendto(fd, text, strlen(text), 0, (struct sockaddr *)&name, len),
	    strlen(text));
	close(fd);
}

/* The payload of the next packet that came in; "" for none. */
static const char *
next(int fd)
{
	static char buf[200];
	struct sockaddr_ll from;
	socklen_t len;
	ssize_t n;

	do {
		len = sizeof(from);
		n = recvfrom(fd, buf, sizeof(buf) - 1, 0,
		    (struct sockaddr *)&from, &len);
		if (n < 0)
			return "";
	} while (from.sll_pkttype == PACKET_OUTGOING);
	assert_int_equal(from.sll_ifindex, if_nametoindex("lo"));
	assert_true(n > 28);
	assert_int_equal(buf[0], 0x45);
	buf[n] = '\0';
	return buf + 28;
}

static void
test_port_and_type(void **state)
{
	int fd = service_socket_open(ARPHRD_LOOPBACK);
	int ppp = service_socket_open(ARPHRD_PPP);

	(void)state;
	assert_true(fd >= 0 && ppp >= 0);
	send_to(68, "to a client");
	send_to(67, "to the server");
	send_to(53, "to another");
	send_to(67, "again");
	assert_string_equal(next(fd), "to the server");
	assert_string_equal(next(fd), "again");
	assert_string_equal(next(fd), "");
	assert_string_equal(next(ppp), "");
	close(fd);
	close(ppp);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_port_and_type),
	};

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0 ||
	    system("ip link set lo up") != 0) {
		fprintf(stderr,
		    "test_service_socket: skipped: needs root, for "
		    "a network namespace, and ip(8)\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
