/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shuttle.c: the floor of every tunnel that uses TUN: two TUN devices, one in
 * each of two network namespaces, and a copy between them. No link, no cipher,
 * no header; super-packets pass whole.
 *
 *   shuttle NAMESPACE-FILE DEVICE NAMESPACE-FILE DEVICE
 *
 * Prints "ready" and runs until it is killed. Trusts the kernel only.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PACKET_BYTES (65536 + 64) /* the largest, with its vnet header */
#define TURN         64           /* packets of one side before the other's */

static void
die(const char *what)
{
	fprintf(stderr, "shuttle: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int
open_tun(const char *namespace_file, const char *device)
{
	struct ifreq ifr;
	int ns = open(namespace_file, O_RDONLY | O_CLOEXEC);
	int fd;

	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		die(namespace_file);
	close(ns);
	/* the device is made where its file was opened */
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	memset(&ifr, 0, sizeof(ifr));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", device);
	ifr.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		die(device);
	if (ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0)
		die("TUNSETOFFLOAD");
	return fd;
}

/* Copies what waits, at most a turn's worth. */
static void
copy(int from, int to)
{
	static char packet[PACKET_BYTES];
	ssize_t n;

	for (int i = 0; i < TURN; i++) {
		n = read(from, packet, sizeof(packet));
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			die("read");
		/* a device that is not up yet refuses packets: as a link would
		 */
		if (write(to, packet, (size_t)n) < 0 && errno != EIO)
			die("write");
	}
}

int
main(int argc, char **argv)
{
	struct pollfd ends[2] = {{.events = POLLIN}, {.events = POLLIN}};

	if (argc != 5) {
		fputs("usage: shuttle NAMESPACE-FILE DEVICE "
		      "NAMESPACE-FILE DEVICE\n",
		    stderr);
		return 2;
	}
	ends[0].fd = open_tun(argv[1], argv[2]);
	ends[1].fd = open_tun(argv[3], argv[4]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(ends, 2, -1) < 0)
			die("poll");
		copy(ends[0].fd, ends[1].fd);
		copy(ends[1].fd, ends[0].fd);
	}
}
