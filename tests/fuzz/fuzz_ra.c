/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_ra.c: an IPv6 packet of a client that asks for routers, neighbors or
 * DHCPv6. The checksum is made right first, else nothing would get past it.
 * Each answer must be a whole packet again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "ppp-glue/services/dhcp6.h"
#include "ppp-glue/services/ra.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t us[16] = {0xfe, 0x80, [15] = 1};
static const char domains[] = "corp.example.com\0lab.example.com";

static void
repair(uint8_t *p, size_t n)
{
	size_t at = n > 6 && p[6] == 58 ? 42 : 46, bytes;
	uint16_t sum;

	if (n < 48)
		return;
	bytes = (size_t)(p[4] << 8 | p[5]);
	if (bytes > n - 40 || bytes < 8)
		return;
	memset(p + at, 0, 2);
	sum = checksum_end((uint32_t)checksum_sum(p + 8, 32) + (uint32_t)bytes +
	    p[6] + checksum_sum(p + 40, bytes));
	if (sum == 0)
		sum = 0xffff;
	p[at] = (uint8_t)(sum >> 8);
	p[at + 1] = (uint8_t)sum;
}

static void
check(const struct wr *w)
{
	struct rd r = wr_rd(w);
	struct packet p;

	if (!wr_ok(w) || !packet_parse(&r, &p) || p.version != 6)
		abort();
}

static void
answer(const struct packet *p)
{
	struct ra_values v = {.from = {0xfe, 0x80, [15] = 1},
	    .mtu = 1400,
	    .dns = {{0xfd}, {0xfd, 1}},
	    .domains = domains,
	    .domain_count = 2};
	struct dhcp6_answer a = {.from = {0xfe, 0x80, [15] = 1},
	    .dns = {{0xfd}, {0xfd, 1}},
	    .domains = domains,
	    .domain_count = 2};
	uint8_t buf[RA_PACKET_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	struct dhcp6_question d;
	struct ra_question q;

	if (ra_parse(p, &q)) {
		if (q.type == RA_ROUTER_SOLICITATION)
			ra_build(&w, &v, q.anonymous ? NULL : q.from);
		else
			ra_build_neighbor(&w, us, &q);
		check(&w);
	} else if (dhcp6_parse(p, us, &d)) {
		dhcp6_build(&w, &d, &a);
		check(&w);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1); /* not a byte too much */
	struct packet p;
	struct rd r;

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	repair(copy, size);
	r = rd_init(copy, size);
	if (packet_parse(&r, &p))
		answer(&p);
	else if (r.err == NULL)
		abort();
	free(copy);
	return 0;
}
