/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_dhcp.c: an IP packet of a client to the DHCP port. Checksums are made
 * right first when the first byte is odd, else nothing would get past them.
 * Each answer must be a whole packet again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "ppp-glue/services/dhcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t address[4] = {10, 77, 0, 2}, server[4] = {10, 77, 0, 1};

/* An IPv4 header without options, no UDP checksum. */
static void
repair(uint8_t *p, size_t n)
{
	uint16_t sum;

	if (n < 28)
		return;
	memset(p + 10, 0, 2);
	sum = checksum_end(checksum_sum(p, 20));
	p[10] = (uint8_t)(sum >> 8);
	p[11] = (uint8_t)sum;
	memset(p + 26, 0, 2);
}

static void
answer(const struct dhcp_inform *q)
{
	static struct ipv4_network routes[64];
	uint8_t buf[DHCP_ACK_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	const struct dhcp_answer a = {
	    .server = {10, 77, 0, 1},
	    .dns = {{10, 77, 0, 1}, {9, 9, 9, 9}},
	    .routes = routes,
	    .route_count = 64,
	    .domains = "corp.example.com\0lab.example.com",
	    .domain_count = 2,
	    .max_bytes = 1400,
	};
	struct packet p;
	struct rd r;

	for (size_t i = 0; i < 64; i++)
		routes[i] = (struct ipv4_network){{10, (uint8_t)i, 0, 0}, 16};
	(void)dhcp_build_ack(&w, q, &a);
	r = wr_rd(&w);
	if (!wr_ok(&w) || !packet_parse(&r, &p) || p.payload.left < 300)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why = NULL;
	struct dhcp_inform q;
	struct packet p;
	uint8_t *copy;
	struct rd r;

	if (size == 0)
		return 0;
	copy = malloc(size); /* not a byte too much */
	if (copy == NULL)
		abort();
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 1)
		repair(copy, size - 1);
	r = rd_init(copy, size - 1);
	if (!packet_parse(&r, &p)) {
		if (r.err == NULL)
			abort();
	} else if (dhcp_parse_inform(&p, address, server, &q, &why)) {
		answer(&q);
	} else if (why == NULL) {
		abort();
	}
	free(copy);
	return 0;
}
