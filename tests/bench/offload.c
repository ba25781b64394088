/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * offload.c: nanoseconds of CPU per segment for cutting super-segments and for
 * coalescing segments, as the user plane does it: 45 segments of 1348 bytes, 16
 * super-segments in turn, so that the data lies in the second-level cache as it
 * does behind a read or a decryption. Not a test: make tests/bench/offload.
 *
 * Usage: offload [ROUNDS]
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/checksum.h"
#include "l2tpd/plane/user/coalesce.h"
#include "l2tpd/plane/user/cut.h"
#include "tests/unit/packet.h"

#define SEGMENTS 45
#define MSS      1348
#define SUPERS   16
#define SLOT     2048
#define PASSES   7

static uint8_t supers[SUPERS][PACKET_MAX];
static uint8_t slots[SUPERS * SEGMENTS][SLOT], heads[SUPERS * SEGMENTS][64];
static struct inet_packet parsed[SUPERS * SEGMENTS];
static struct coalesce coalesce;
static unsigned long sink;

static double
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Run it PASSES times; median and spread of ns per unit. */
static void
measure(const char *name, size_t rounds, size_t units, void (*once)(void))
{
	double ns[PASSES], start;
	size_t i, k;

	once();
	for (i = 0; i < PASSES; i++) {
		start = cpu_ns();
		for (k = 0; k < rounds; k++)
			once();
		ns[i] = (cpu_ns() - start) / (double)(rounds * units);
	}
	qsort(ns, PASSES, sizeof(*ns), by_value);
	printf("%-34s %7.1f ns [%.1f..%.1f]\n", name, ns[PASSES / 2], ns[0],
	    ns[PASSES - 1]);
}

static void
sum_all(void)
{
	size_t i;

	for (i = 0; i < SUPERS * SEGMENTS; i++)
		sink += checksum_sum(slots[i] + 20, MSS + 32);
}

static void
copy_all(void)
{
	static uint8_t to[SLOT];
	size_t i;

	for (i = 0; i < SUPERS * SEGMENTS; i++)
		sink += checksum_copy(to, slots[i] + 20, MSS + 32);
}

static uint8_t version = 4, protocol = PACKET_TCP;

static struct packet
spec_of(unsigned int super)
{
	struct packet s = packet_default(version, protocol);

	s.sport = (uint16_t)(5000 + super);
	s.options_bytes = protocol == PACKET_TCP ? 12 : 0;
	memcpy(s.options, "\1\1\10\12abcdefgh", 12);
	s.payload_bytes = MSS;
	return s;
}

static void
make_supers(void)
{
	struct packet s;
	unsigned int i;

	for (i = 0; i < SUPERS; i++) {
		s = spec_of(i);
		s.payload_bytes = SEGMENTS * MSS;
		packet_partial(supers[i], packet_build(supers[i], &s));
	}
}

static void
cut_all(void)
{
	struct packet s = spec_of(0);
	size_t headers = packet_headers(&s), i, k = 0, n;
	struct vnet h = {
	    .needs_csum = true,
	    .gso = protocol == PACKET_UDP ? VNET_GSO_UDP_L4
		: version == 4            ? VNET_GSO_TCPV4
					  : VNET_GSO_TCPV6,
	    .gso_size = MSS,
	    .hdr_len = (uint16_t)headers,
	    .csum_start = version == 4 ? 20 : 40,
	    .csum_offset = protocol == PACKET_TCP ? 16 : 6,
	};
	struct cut c;

	for (i = 0; i < SUPERS; i++) {
		if (!cut_begin(&c, &h, supers[i], headers + SEGMENTS * MSS))
			abort();
		while ((n = cut_next(&c, slots[k] + 64, SLOT - 64)) > 0)
			k++;
	}
	if (k != SUPERS * SEGMENTS)
		abort();
}

/* The segments in slots, one flow behind the other or a lonely packet each. */
static void
make_segments(bool lonely)
{
	struct packet s;
	size_t i, len;

	for (i = 0; i < SUPERS * SEGMENTS; i++) {
		s = spec_of((unsigned int)(i / SEGMENTS));
		if (lonely)
			s.sport = (uint16_t)i;
		s.id = (uint16_t)i;
		s.seq += (uint32_t)(i % SEGMENTS * MSS);
		len = packet_build(slots[i], &s);
		memcpy(heads[i], slots[i], sizeof(heads[i]));
		if (!inet_parse(rd_init(slots[i], len), &parsed[i]))
			abort();
	}
}

static void
on_emit(void *ctx, const struct vnet *h, struct iovec *iov, int n_iov)
{
	(void)ctx;
	(void)iov;
	sink += h->gso_size + (unsigned int)n_iov;
}

static void
coalesce_all(void)
{
	size_t i;

	/* merging has changed the headers of the first ones */
	for (i = 0; i < SUPERS * SEGMENTS; i += SEGMENTS)
		memcpy(slots[i], heads[i], sizeof(heads[i]));
	for (i = 0; i < SUPERS * SEGMENTS; i++) {
		coalesce_add(&coalesce, slots[i], &parsed[i]);
		if (i % SEGMENTS == SEGMENTS - 1)
			coalesce_flush(&coalesce);
	}
}

static void
coalesce_lonely(void)
{
	size_t i;

	for (i = 0; i < SUPERS * SEGMENTS; i++) {
		coalesce_add(&coalesce, slots[i], &parsed[i]);
		coalesce_flush(&coalesce);
	}
}

static void
coalesce_lonely_batch(void)
{
	size_t i;

	for (i = 0; i < SUPERS * SEGMENTS; i++)
		coalesce_add(&coalesce, slots[i], &parsed[i]);
	coalesce_flush(&coalesce);
}

static void
kind(const char *name, uint8_t a_version, uint8_t a_protocol, size_t rounds)
{
	char text[64];

	version = a_version;
	protocol = a_protocol;
	make_supers();
	snprintf(text, sizeof(text), "cut %s, a segment", name);
	measure(text, rounds, SUPERS * SEGMENTS, cut_all);
	make_segments(false);
	coalesce.totals = (struct coalesce_totals){0};
	snprintf(text, sizeof(text), "coalesce %s, a segment", name);
	measure(text, rounds, SUPERS * SEGMENTS, coalesce_all);
	if (coalesce.totals.packets_out * SEGMENTS !=
	    coalesce.totals.packets_in)
		abort();
}

int
main(int argc, char **argv)
{
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;

	coalesce_init(&coalesce, COALESCE_TCP4 | COALESCE_TCP6 | COALESCE_UDP,
	    on_emit, NULL);
	make_segments(false);
	measure("checksum, 1380 bytes", rounds, SUPERS * SEGMENTS, sum_all);
	measure("checksum and copy, 1380 bytes", rounds, SUPERS * SEGMENTS,
	    copy_all);
	kind("TCP over IPv4", 4, PACKET_TCP, rounds);
	kind("TCP over IPv6", 6, PACKET_TCP, rounds);
	kind("UDP over IPv4", 4, PACKET_UDP, rounds);
	version = 4;
	protocol = PACKET_TCP;
	make_segments(true);
	measure("a lonely packet", rounds, SUPERS * SEGMENTS, coalesce_lonely);
	measure("720 lonely packets in a batch", rounds, SUPERS * SEGMENTS,
	    coalesce_lonely_batch);
	return sink == 0;
}
