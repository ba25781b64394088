/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_inner_packet.c: what a client with valid keys can put inside ESP: UDP,
 * L2TP, PPP, IP. First byte of the input:
 *   bits 0-1  0, 1: an ESP payload; 2: an IP packet for the MSS clamp; 3: an IP
 *             packet that is too big
 *   bit 2     next header 50 instead of 17
 *   bit 3     in a callback, delete the session
 *   bits 4-7  for 2 and 3: the MTU
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "l2tpd/plane/user/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct user_plane *u;
static bool want_delete;
static volatile uint8_t sink;

static void
add_sessions(void)
{
	const struct plane_session ps = {
	    1, 1, 0x0102, 0x0304, 0x0506, 0x0708, 1701};
	const struct plane_session foreign = {
	    2, 2, 0x0102, 0x0305, 0x0506, 0x0709, 1701};
	const uint8_t address[4] = {10, 0, 0, 1};
	const uint8_t prefix[8] = {0x20, 1, 0x0d, 0xb8};
	const uint8_t ifid[8] = {0, 0, 0, 0, 0, 0, 0, 1};

	plane_session_add(&u->base, &ps);
	plane_session_add(&u->base, &foreign);
	plane_session_open_ipv4(&u->base, 1, address, 1400);
	plane_session_open_ipv6(&u->base, 1, prefix, ifid, 1400);
}

static void
touch(struct rd r)
{
	uint8_t byte;

	while (rd_u8(&r, &byte))
		sink ^= byte;
	if (want_delete)
		plane_session_del(&u->base, 1);
}

static void
on_l2tp(void *ctx, uint32_t association, const struct endpoint *peer,
    uint16_t peer_port, struct rd data)
{
	(void)ctx, (void)peer, (void)peer_port;
	if (association != 1)
		abort();
	touch(data);
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
start(void)
{
	const struct plane_config cfg = {
	    .udp500_fd = -1,
	    .udp4500_fd = -1,
	    .esp_fd = -1,
	    .tun_fd = -1,
	    .inner_mtu = 1400,
	    .outer_mtu = 1500,
	    .gateway = {10, 0, 0, 254},
	};
	const struct plane_events events = {
	    .l2tp = on_l2tp, .ppp = on_ppp, .service = on_ppp};

	u = (struct user_plane *)plane_user_new(
	    loop_new(), &cfg, &events, NULL);
	if (u == NULL)
		abort();
	/* write() reads every byte that goes to the TUN device */
	u->tun.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static void
one_ip_packet(uint8_t mode, uint8_t *p, size_t n)
{
	uint8_t answer[INET_TOO_BIG_MAX];
	uint16_t mtu = (uint16_t)((mode >> 4) * 100);
	struct inet_packet ip, again;
	size_t len;

	if (!inet_parse(rd_init(p, n), &ip))
		return;
	if ((mode & 3) == 2) {
		inet_clamp_mss(p, &ip, mtu);
		if (!inet_parse(rd_init(p, n), &again) ||
		    again.total_bytes != ip.total_bytes)
			abort();
		return;
	}
	len = inet_too_big(p, &ip, mtu, answer, sizeof(answer));
	if (len > 0 &&
	    (!inet_parse(rd_init(answer, len), &again) ||
		again.total_bytes != len))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct endpoint peer = {.family = 4};
	uint8_t *copy;

	if (u == NULL)
		start();
	if (size == 0 || size > 4096)
		return 0;
	add_sessions();
	want_delete = (data[0] & 8) != 0;
	copy = malloc(size > 1 ? size - 1 : 1); /* not a byte too much */
	if (copy == NULL)
		abort();
	memcpy(copy, data + 1, size - 1);
	if ((data[0] & 3) >= 2)
		one_ip_packet(data[0], copy, size - 1);
	else
		inner_input(
		    u, 1, &peer, (data[0] & 4) ? 50 : 17, copy, size - 1);
	inner_flush(u);
	free(copy);
	return 0;
}
