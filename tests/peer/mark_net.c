/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mark_net.c: a namespace and marked sockets (contract in mark_net.h).
 */
#include "tests/peer/mark_net.h"

#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/endpoint.h"

bool
mark_net_enter(void)
{
	struct ifreq ifr = {.ifr_name = "lo"};
	bool ok;
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		return false;
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	ok = ioctl(fd, SIOCSIFFLAGS, &ifr) == 0;
	close(fd);
	return ok;
}

int
mark_net_socket(uint32_t mark)
{
	const int on = 1;
	int fd;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_RCVMARK, &on, sizeof(on)), 0);
	return fd;
}

int
mark_net_bound(const char *address, uint16_t port, uint32_t mark)
{
	int fd = mark_net_socket(mark);
	struct sockaddr_storage ss;
	struct endpoint e;
	socklen_t n;

	assert_true(endpoint_parse(address, port, &e));
	n = endpoint_to_sockaddr(&e, &ss);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, n), 0);
	return fd;
}
