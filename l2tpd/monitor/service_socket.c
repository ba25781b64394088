/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service_socket.c: opens the socket for questions to the link (contract in
 * service_socket.h). Runs in the monitor, as root; reads no packet.
 *
 * A packet socket and not UDP port 67: that may be a DHCP server's of this
 * machine, and it would not say which interface a broadcast came from.
 */
#include "l2tpd/monitor/service_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT_DHCP 67 /* RFC 2131 4.1 */
#define LOAD(size, mode, at)                                                   \
	{                                                                      \
		BPF_LD | (size) | (mode), 0, 0, (uint32_t)(at)                 \
	}
/* n: how many steps to the end that drops */
#define ONLY(value, n)                                                         \
	{                                                                      \
		BPF_JMP | BPF_JEQ | BPF_K, 0, (n), (value)                     \
	}

/* Nothing must be in the socket's queue before its filter is there: it is bound
 * to a protocol only afterwards. */
static int
set_up(int fd, uint16_t hardware_type)
{
	struct sock_filter steps[] = {
	    LOAD(BPF_W, BPF_ABS, SKF_AD_OFF + SKF_AD_HATYPE),
	    ONLY(hardware_type, 8),
	    LOAD(BPF_B, BPF_ABS, 9), /* protocol, RFC 791 3.1 */
	    ONLY(IPPROTO_UDP, 6),
	    LOAD(BPF_H, BPF_ABS, 6), /* fragments later than the first */
	    {BPF_JMP | BPF_JSET | BPF_K, 4, 0, 0x1fff},
	    {BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0},
	    LOAD(BPF_H, BPF_IND, 2), /* destination port, RFC 768 */
	    ONLY(PORT_DHCP, 1),
	    {BPF_RET | BPF_K, 0, 0, UINT16_MAX},
	    {BPF_RET | BPF_K, 0, 0, 0},
	};
	const struct sock_fprog filter = {
	    sizeof(steps) / sizeof(steps[0]), steps};
	struct sockaddr_ll all = {.sll_family = AF_PACKET};

	/* EXCEPTION(rule 6): a field of an address of the kernel */
	all.sll_protocol = htons(ETHERTYPE_IP);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
		sizeof(filter)) < 0 ||
	    bind(fd, (struct sockaddr *)&all, sizeof(all)) < 0)
		return -errno;
	return 0;
}

int
service_socket_open(uint16_t hardware_type)
{
	int fd =
	    socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0)
		return -errno;
	rc = set_up(fd, hardware_type);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}
