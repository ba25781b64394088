/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * services_kernel.c: questions to the link in the kernel plane, where IP does
 * not come by us: a packet socket of the monitor (service_socket.h) copies
 * those to the DHCP port from the interfaces of all pppds, ours or not. The
 * interface tells the session; the answer goes out by the same socket.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "l2tpd/engine/internal.h"

#define PACKET_BYTES 2048
#define TURNS        16 /* packets a wake-up */

static struct session *
session_of(struct engine *e, unsigned int interface)
{
	char name[IF_NAMESIZE];
	struct session *s, *tmp;

	if (if_indextoname(interface, name) == NULL)
		return NULL;
	HASH_ITER (hh, e->sessions, s, tmp)
		if (strcmp(runner_interface(s->ppp), name) == 0)
			return s;
	return NULL;
}

static void
on_packets(void *ctx, int events)
{
	struct engine *e = ctx;
	struct sockaddr_ll from;
	uint8_t buf[PACKET_BYTES];
	socklen_t len;
	struct session *s;
	ssize_t n;

	(void)events;
	for (int turn = 0; turn < TURNS; turn++) {
		len = sizeof(from);
		n = recvfrom(e->services_fd, buf, sizeof(buf), 0,
		    (struct sockaddr *)&from, &len);
		if (n < 0)
			return;
		if (from.sll_pkttype == PACKET_OUTGOING)
			continue;
		s = session_of(e, (unsigned int)from.sll_ifindex);
		if (s != NULL &&
		    ratelimit_take(&s->questions, loop_now_ms(e->loop)))
			services_input(s, rd_init(buf, (size_t)n));
	}
}

int
services_listen(struct engine *e, int fd)
{
	e->services_fd = fd;
	e->services_watch = loop_fd_new(e->loop, fd, LOOP_READ, on_packets, e);
	return e->services_watch != NULL ? 0 : -ENOMEM;
}

void
services_free(struct engine *e)
{
	loop_fd_free(e->services_watch);
	e->services_watch = NULL;
	if (e->services_fd >= 0)
		close(e->services_fd);
	e->services_fd = -1;
}

int
services_send(struct session *s, struct rd packet)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	int fd = s->engine->services_fd;

	to.sll_ifindex = (int)if_nametoindex(runner_interface(s->ppp));
	/* EXCEPTION(rule 6): a field of an address of the kernel */
	to.sll_protocol = htons(ETHERTYPE_IP);
	if (fd < 0 || to.sll_ifindex == 0)
		return -ENOENT;
	return sendto(fd, packet.p, packet.left, 0, (struct sockaddr *)&to,
		   sizeof(to)) < 0
	    ? -errno
	    : 0;
}
