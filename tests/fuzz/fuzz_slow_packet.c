/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_slow_packet.c: sessions of the kernel plane that are ours: what a client
 * with valid keys can put into UDP 1701, and what the TUN device can give.
 * First byte of the input:
 *   bit 0     1: a packet of the TUN device
 *   bit 3     in a callback, delete the session
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "l2tpd/plane/kernel/kernel_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop *loop;
static struct kernel_plane *p;
static int device; /* the other end of what the plane takes for TUN */
static bool want_delete;
static volatile uint8_t sink;

static void
touch(struct rd r)
{
	uint8_t byte;

	while (rd_u8(&r, &byte))
		sink ^= byte;
	if (want_delete)
		slow_del(p, 1);
}

static void
on_ppp(void *ctx, uint32_t session, struct rd frame)
{
	(void)ctx;
	if (session != 1) /* the other one is another association's */
		abort();
	touch(frame);
}

static void
on_service(void *ctx, uint32_t session, struct rd packet)
{
	(void)ctx;
	if (session != 1)
		abort();
	touch(packet);
}

static void
want_socket(void *ctx, uint32_t mark)
{
	(void)ctx, (void)mark;
}

static void
add_association(uint32_t id)
{
	struct esp_sa_params sa = {.association = id, .mark = id, .spi = id};
	struct kernel_assoc *a;

	if (!endpoint_parse("127.0.0.1", 9, &sa.peer) ||
	    plane_sa_add(&p->plane, &sa) < 0)
		abort();
	a = kernel_assoc_find(p, id);
	a->control.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
}

static void
add_sessions(void)
{
	const struct plane_session ps = {
	    1, 1, 0x0102, 0x0304, 0x0506, 0x0708, 9};
	const struct plane_session foreign = {
	    2, 2, 0x0102, 0x0305, 0x0506, 0x0709, 9};
	const uint8_t address[4] = {10, 0, 0, 1};
	struct user_session *s;

	slow_add(p, &ps);
	slow_add(p, &foreign);
	s = slow_find(p, 1);
	if (s == NULL ||
	    session_table_open_ipv4(&p->slow.sessions, s, address, 1200) < 0)
		abort();
}

static void
start(void)
{
	static const struct plane_events events = {
	    .ppp = on_ppp, .service = on_service};
	struct plane_kernel_config cfg = {.mark_mask = 0xff,
	    .inner_mtu = 1400,
	    .gateway = {10, 0, 0, 99},
	    .want_socket = want_socket};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) < 0)
		abort();
	cfg.udp_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	cfg.tun_fd = pair[0];
	device = pair[1];
	loop = loop_new();
	p = (struct kernel_plane *)plane_kernel_new(loop, &cfg, &events, NULL);
	if (p == NULL)
		abort();
	add_association(1);
	add_association(2);
}

static void
from_peer(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1); /* not a byte too much */

	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	slow_input(p, kernel_assoc_find(p, 1), copy, size);
	free(copy);
}

static void
from_device(const uint8_t *data, size_t size)
{
	int i;

	if (size > 0 && write(device, data, size) < 0 && errno != EAGAIN)
		abort();
	for (i = 0; i < 2; i++)
		loop_run_once(loop, false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[4096];

	if (p == NULL)
		start();
	if (size == 0 || size > 4096)
		return 0;
	add_sessions();
	want_delete = (data[0] & 8) != 0;
	if (data[0] & 1)
		from_device(data + 1, size - 1);
	else
		from_peer(data + 1, size - 1);
	while (read(device, out, sizeof(out)) > 0)
		;
	return 0;
}
