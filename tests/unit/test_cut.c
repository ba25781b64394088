/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_cut.c: the vnet header, and super-segments cut into what packet.c builds
 * for the same segments; every lie of a header.
 */
#include "l2tpd/plane/user/cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/packet.h"

static uint8_t whole[PACKET_MAX], out[PACKET_MAX], want[PACKET_MAX];

/* The header that a kernel would make for the packet. */
static struct vnet
header_of(const struct packet *s, size_t gso_size)
{
	struct vnet h = {.needs_csum = true};

	h.csum_start = (uint16_t)(packet_headers(s) -
	    (s->protocol == PACKET_TCP ? 20 + s->options_bytes : 8));
	h.csum_offset = s->protocol == PACKET_TCP ? 16 : 6;
	if (gso_size == 0)
		return h;
	h.gso = s->protocol == PACKET_UDP ? VNET_GSO_UDP_L4
	    : s->version == 4             ? VNET_GSO_TCPV4
					  : VNET_GSO_TCPV6;
	h.gso_size = (uint16_t)gso_size;
	h.hdr_len = (uint16_t)packet_headers(s);
	h.ecn = s->protocol == PACKET_TCP && (s->flags & PACKET_CWR) != 0;
	return h;
}

/* Segment k of s, as it must be. */
static struct packet
segment_of(const struct packet *s, size_t gso_size, size_t k)
{
	struct packet part = *s;
	size_t from = k * gso_size;

	part.payload_from = from;
	part.payload_bytes = s->payload_bytes - from;
	part.id = (uint16_t)(s->id + k);
	part.seq = s->seq + (uint32_t)from;
	if (k > 0)
		part.flags &= (uint8_t)~PACKET_CWR;
	if (part.payload_bytes > gso_size) {
		part.payload_bytes = gso_size;
		part.flags &= (uint8_t) ~(PACKET_FIN | PACKET_PSH);
	}
	return part;
}

static void
check_cut(const struct packet *s, size_t gso_size)
{
	struct vnet h = header_of(s, gso_size);
	size_t len = packet_build(whole, s), n, k, expect;
	struct packet part;
	struct cut c;

	packet_partial(whole, len);
	if (!cut_begin(&c, &h, whole, len))
		fail_msg("%s", c.why);
	assert_int_equal(
	    c.n_segments, (s->payload_bytes + gso_size - 1) / gso_size);
	assert_int_equal(c.segment_bytes, packet_headers(s) + gso_size);
	assert_int_equal(c.ip.version, s->version);
	assert_int_equal(c.ip.dst[s->version == 4 ? 3 : 15], s->dst);
	for (k = 0; k < c.n_segments; k++) {
		part = segment_of(s, gso_size, k);
		expect = packet_build(want, &part);
		memset(out, 0x5a, expect + 2);
		n = cut_next(&c, out + 1, c.segment_bytes);
		assert_int_equal(n, expect);
		assert_memory_equal(out + 1, want, n);
		assert_null(packet_wrong(out + 1, n));
		assert_int_equal(out[0], 0x5a);
		assert_int_equal(out[n + 1], 0x5a);
	}
	assert_int_equal(cut_next(&c, out, sizeof(out)), 0);
	assert_null(c.why);
}

static void
check_sizes(struct packet s)
{
	static const size_t payloads[] = {
	    1, 2, 999, 1000, 1001, 1999, 2000, 2001, 9000, 64000};
	size_t i;

	for (i = 0; i < sizeof(payloads) / sizeof(*payloads); i++) {
		s.payload_bytes = payloads[i];
		if (s.payload_bytes >= 1000)
			check_cut(&s, 1000);
		check_cut(&s, (s.payload_bytes + 1) / 2);
		check_cut(&s, s.payload_bytes);
	}
	s.payload_bytes = 37;
	check_cut(&s, 1);
	check_cut(&s, 3);
}

static void
test_families(void **state)
{
	static const uint8_t stamps[12] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
	struct packet s;
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		s = packet_default(
		    i & 1 ? 4 : 6, i & 2 ? PACKET_TCP : PACKET_UDP);
		check_sizes(s);
		s.tos = 0xb9;
		s.flow_label = 0x12345;
		s.fragment = 0;
		if (s.protocol == PACKET_TCP) {
			memcpy(s.options, stamps, 12);
			s.options_bytes = 12;
		}
		check_sizes(s);
		if (s.version == 4)
			s.ip_options = 8;
		else
			s.extension = 2;
		check_sizes(s);
	}
}

/* 65535 in all; sequence numbers and IDs that turn over */
static void
test_largest(void **state)
{
	struct packet s = packet_default(4, PACKET_TCP);

	(void)state;
	s.payload_bytes = 65535 - 40;
	s.id = 0xfffe;
	s.seq = 0xfffffff0;
	check_cut(&s, 1348);
	s = packet_default(6, PACKET_TCP);
	s.payload_bytes = 65535 - 60;
	check_cut(&s, 1328);
	s = packet_default(4, PACKET_UDP);
	s.payload_bytes = 65535 - 28;
	check_cut(&s, 1372);
}

static void
test_flags(void **state)
{
	struct packet s = packet_default(4, PACKET_TCP);
	unsigned int flags;

	(void)state;
	s.payload_bytes = 3500;
	for (flags = 0; flags < 256; flags++) {
		if (flags & (PACKET_SYN | PACKET_RST))
			continue;
		s.flags = (uint8_t)flags;
		check_cut(&s, 1000);
	}
}

/* A datagram whose sum is zero says so with ffff (RFC 768). */
static void
test_udp_zero_sum(void **state)
{
	struct packet s = packet_default(4, PACKET_UDP);
	struct vnet h;
	struct cut c;
	size_t len, k, n;

	(void)state;
	s.payload_bytes = 4;
	len = packet_build(whole, &s);
	/* the sum of the first datagram of two bytes becomes zero */
	s.payload_bytes = 2;
	packet_build(want, &s);
	n = (size_t)(want[26] << 8 | want[27]) +
	    (size_t)(want[28] << 8 | want[29]);
	n = (n & 0xffff) + (n >> 16);
	whole[28] = (uint8_t)(n >> 8);
	whole[29] = (uint8_t)n;
	s.payload_bytes = 4;
	h = header_of(&s, 2);
	packet_partial(whole, len);
	assert_true(cut_begin(&c, &h, whole, len));
	for (k = 0; k < 2; k++) {
		n = cut_next(&c, out, sizeof(out));
		assert_null(packet_wrong(out, n));
		if (k == 0)
			assert_int_equal(out[26] << 8 | out[27], 0xffff);
	}
	/* the same of a packet that is whole */
	h = header_of(&s, 0);
	memcpy(want, out, 30);
	want[28] = whole[28];
	want[29] = whole[29];
	packet_partial(want, 30);
	assert_true(cut_begin(&c, &h, want, 30));
	assert_int_equal(cut_next(&c, out, sizeof(out)), 30);
	assert_int_equal(out[26] << 8 | out[27], 0xffff);
}

static void
test_single(void **state)
{
	struct vnet plain = {0}, h;
	struct packet s;
	struct cut c;
	size_t len;
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		s = packet_default(
		    i & 1 ? 4 : 6, i & 2 ? PACKET_TCP : PACKET_UDP);
		s.flags = PACKET_SYN; /* in ordinary packets all goes */
		s.payload_bytes = 333;
		len = packet_build(want, &s);
		memcpy(whole, want, len);
		/* padding behind it is cut off */
		assert_true(cut_begin(&c, &plain, whole, len + 7));
		assert_int_equal(c.n_segments, 1);
		assert_int_equal(c.segment_bytes, len);
		assert_int_equal(cut_next(&c, out, len), len);
		assert_memory_equal(out, want, len);
		assert_int_equal(cut_next(&c, out, len), 0);

		h = header_of(&s, 0);
		packet_partial(whole, len);
		assert_true(cut_begin(&c, &h, whole, len));
		assert_int_equal(cut_next(&c, out, len - 1), 0);
		assert_non_null(c.why);
		assert_int_equal(cut_next(&c, out, len), len);
		assert_memory_equal(out, want, len);
		assert_null(c.why);

		assert_true(cut_begin(&c, &h, whole, len));
		assert_int_equal(cut_in_place(&c, whole), len);
		assert_memory_equal(whole, want, len);
		assert_int_equal(cut_in_place(&c, whole), 0);
		assert_int_equal(cut_next(&c, out, len), 0);
	}
}

static void
test_no_room(void **state)
{
	struct packet s = packet_default(4, PACKET_TCP);
	struct vnet h = header_of(&s, 600);
	size_t len = packet_build(whole, &s), room;
	struct cut c;

	(void)state;
	packet_partial(whole, len);
	assert_true(cut_begin(&c, &h, whole, len));
	assert_int_equal(cut_in_place(&c, whole), 0);
	for (room = 0; room < c.segment_bytes; room++) {
		assert_int_equal(cut_next(&c, out, room), 0);
		assert_non_null(c.why);
	}
	assert_int_equal(cut_next(&c, out, room), 640);
	assert_null(packet_wrong(out, 640));
	assert_int_equal(cut_next(&c, out, room), 440);
	assert_null(packet_wrong(out, 440));
}

/* Everything that can lie about a super-segment. */
enum lie {
	NO_LIE,
	GSO_SIZE_ZERO,
	GSO_SIZE_BEHIND,
	OTHER_VERSION,
	OTHER_PROTOCOL,
	CSUM_START_LOW,
	CSUM_START_HIGH,
	CSUM_OFFSET,
	HDR_LEN,
	NO_CHECKSUM,
	TOTAL_SHORT,
	TOTAL_LONG,
	PADDING,
	MORE_FRAGMENTS,
	FRAGMENT_OFFSET,
	HEADER_LENGTH,
	DATA_OFFSET_LOW,
	DATA_OFFSET_HIGH,
	WITH_SYN,
	WITH_RST,
	UDP_LENGTH,
	IP_VERSION_FIELD,
	N_LIES,
};

static void
bump16(uint8_t *p, int by)
{
	int v = (p[0] << 8 | p[1]) + by;

	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* False: does not apply to the packet. */
static bool
tell_of_ip(enum lie lie, const struct packet *s, size_t *len)
{
	bool ipv4 = s->version == 4;

	switch (lie) {
	case TOTAL_SHORT:
		bump16(whole + (ipv4 ? 2 : 4), -1);
		return true;
	case TOTAL_LONG:
		bump16(whole + (ipv4 ? 2 : 4), 1);
		return true;
	case PADDING:
		(*len)++;
		return true;
	case MORE_FRAGMENTS:
		whole[6] = 0x20;
		return ipv4;
	case FRAGMENT_OFFSET:
		whole[7] = 1;
		return ipv4;
	case HEADER_LENGTH:
		whole[0] = 0x44;
		return ipv4;
	case IP_VERSION_FIELD:
		whole[0] = (uint8_t)((whole[0] & 15) | 0x50);
		return true;
	default:
		return false;
	}
}

static bool
tell(enum lie lie, const struct packet *s, struct vnet *h, size_t *len)
{
	size_t at = h->csum_start;
	bool tcp = s->protocol == PACKET_TCP;

	switch (lie) {
	case GSO_SIZE_ZERO:
		h->gso_size = 0;
		return true;
	case GSO_SIZE_BEHIND:
		h->gso_size = (uint16_t)(s->payload_bytes + 1);
		return true;
	case OTHER_VERSION:
		h->gso =
		    h->gso == VNET_GSO_TCPV4 ? VNET_GSO_TCPV6 : VNET_GSO_TCPV4;
		return tcp;
	case OTHER_PROTOCOL:
		h->gso = !tcp
		    ? (s->version == 4 ? VNET_GSO_TCPV4 : VNET_GSO_TCPV6)
		    : VNET_GSO_UDP_L4;
		return true;
	case CSUM_START_LOW:
		h->csum_start--;
		return true;
	case CSUM_START_HIGH:
		h->csum_start = 0xffff;
		return true;
	case CSUM_OFFSET:
		h->csum_offset = (uint16_t)(h->csum_offset + 2);
		return true;
	case HDR_LEN:
		h->hdr_len = (uint16_t)(*len + 1);
		return true;
	case NO_CHECKSUM:
		h->needs_csum = false;
		return true;
	case DATA_OFFSET_LOW:
		whole[at + 12] = 0x40;
		return tcp;
	case DATA_OFFSET_HIGH:
		whole[at + 12] = 0xf0;
		*len = at + 59;
		bump16(whole + (s->version == 4 ? 2 : 4),
		    (int)(*len - packet_headers(s) - s->payload_bytes));
		return tcp;
	case WITH_SYN:
		whole[at + 13] |= PACKET_SYN;
		return tcp;
	case WITH_RST:
		whole[at + 13] |= PACKET_RST;
		return tcp;
	case UDP_LENGTH:
		bump16(whole + at + 4, -1);
		return !tcp;
	default:
		return tell_of_ip(lie, s, len);
	}
}

static void
test_lies(void **state)
{
	enum lie lie;
	struct packet s;
	struct vnet h;
	struct cut c;
	size_t len;
	int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		s = packet_default(
		    i & 1 ? 4 : 6, i & 2 ? PACKET_TCP : PACKET_UDP);
		for (lie = NO_LIE; lie < N_LIES; lie++) {
			h = header_of(&s, 500);
			len = packet_build(whole, &s);
			packet_partial(whole, len);
			if (lie != NO_LIE && !tell(lie, &s, &h, &len))
				continue;
			if (cut_begin(&c, &h, whole, len) != (lie == NO_LIE))
				fail_msg("lie %d of kind %d", lie, i);
			assert_true((c.why == NULL) == (lie == NO_LIE));
		}
	}
}

static void
test_single_lies(void **state)
{
	struct packet s = packet_default(4, PACKET_TCP);
	size_t len = packet_build(whole, &s);
	struct vnet h = header_of(&s, 0), bad;
	struct cut c;

	(void)state;
	assert_true(cut_begin(&c, &h, whole, len));
	bad = h;
	bad.csum_start = 19; /* into the IP header */
	assert_false(cut_begin(&c, &bad, whole, len));
	bad.csum_start = (uint16_t)(len - 16);
	assert_false(cut_begin(&c, &bad, whole, len));
	bad.csum_offset = 14; /* the last two bytes are in range */
	assert_true(cut_begin(&c, &bad, whole, len));
	bad = h;
	bad.csum_offset = 0xffff;
	assert_false(cut_begin(&c, &bad, whole, len));
	bad.csum_offset = 15;
	assert_false(cut_begin(&c, &bad, whole, len));
	whole[6] = 0x20;
	assert_false(cut_begin(&c, &h, whole, len));
	s = packet_default(6, PACKET_UDP);
	len = packet_build(whole, &s);
	whole[6] = 44;
	assert_false(cut_begin(&c, &h, whole, len));
	/* no packet, or more than one can be */
	memset(&h, 0, sizeof(h));
	assert_false(cut_begin(&c, &h, NULL, 0));
	assert_false(cut_begin(&c, &h, whole, 65536));
	assert_true(cut_begin(&c, &h, whole, 65535));
}

static void
test_truncated(void **state)
{
	struct packet s;
	struct vnet h;
	struct cut c;
	uint8_t *copy;
	size_t len, n;
	int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		s = packet_default(
		    i & 1 ? 4 : 6, i & 2 ? PACKET_TCP : PACKET_UDP);
		s.payload_bytes = 20;
		if (i & 4)
			s.extension = 1;
		h = header_of(&s, 9);
		len = packet_build(whole, &s);
		packet_partial(whole, len);
		for (n = 0; n <= len; n++) {
			copy = malloc(n + 1);
			assert_non_null(copy);
			memcpy(copy + 1, whole, n); /* ends exactly */
			assert_int_equal(
			    cut_begin(&c, &h, copy + 1, n), n == len);
			/* and with a length that tells the same */
			if (n >= 40) {
				bump16(copy + (s.version == 4 ? 3 : 5),
				    -(int)(len - n));
				if (cut_begin(&c, &h, copy + 1, n))
					while (cut_next(&c, out, sizeof(out)))
						;
			}
			free(copy);
		}
	}
}

/* With other addresses in the pseudo-header than those of the header. */
static void
test_extension_headers(void **state)
{
	struct packet s = packet_default(6, PACKET_TCP);
	struct vnet h;
	struct cut c;
	size_t len;

	(void)state;
	s.extension = 1;
	h = header_of(&s, 500);
	len = packet_build(whole, &s);
	packet_partial(whole, len);
	assert_true(cut_begin(&c, &h, whole, len));
	whole[39]++;
	assert_false(cut_begin(&c, &h, whole, len));
	whole[39]--;
	h.needs_csum = false;
	h.data_valid = true;
	assert_false(cut_begin(&c, &h, whole, len));
	h = header_of(&s, 500);
	whole[6] = 43; /* routing header */
	assert_false(cut_begin(&c, &h, whole, len));
	whole[6] = 0; /* hop by hop */
	assert_true(cut_begin(&c, &h, whole, len));
	whole[41] = 255; /* its length */
	assert_false(cut_begin(&c, &h, whole, len));
}

/* A checksum that the kernel has verified already. */
static void
test_data_valid(void **state)
{
	struct packet s = packet_default(4, PACKET_TCP);
	size_t len = packet_build(whole, &s);
	struct vnet h = header_of(&s, 600);
	struct cut c;

	(void)state;
	h.needs_csum = false;
	h.data_valid = true;
	h.csum_start = h.csum_offset = 0;
	assert_true(cut_begin(&c, &h, whole, len));
	assert_int_equal(cut_next(&c, out, sizeof(out)), 640);
	assert_null(packet_wrong(out, 640));
}

static void
test_vnet(void **state)
{
	static const uint8_t types[] = {0, 1, 4, 5, 0x81, 0x84};
	struct vnet h = {0}, again;
	uint8_t bytes[VNET_BYTES + 1], encoded[VNET_BYTES];
	uint16_t v = 0x0102;
	struct rd r;
	struct wr w;
	size_t n;
	unsigned int type;

	(void)state;
	for (type = 0; type < 256; type++) {
		memset(bytes, 0, sizeof(bytes));
		bytes[0] = 1;
		bytes[1] = (uint8_t)type;
		bytes[4] = type == 0 ? 0 : 7;
		r = rd_init(bytes, VNET_BYTES);
		if (memchr(types, (int)type, sizeof(types)) == NULL &&
		    type != 0x85) {
			assert_false(vnet_decode(&r, &h));
			assert_non_null(r.err);
			continue;
		}
		memcpy(bytes + 6, &v, 2); /* in this machine's order */
		r = rd_init(bytes, VNET_BYTES);
		assert_true(vnet_decode(&r, &h));
		assert_int_equal(h.csum_start, 0x0102);
		assert_int_equal(h.ecn, type >> 7);
		assert_true(h.needs_csum && !h.data_valid);
		w = wr_init(bytes, sizeof(bytes));
		assert_true(vnet_encode(&w, &h));
		assert_int_equal(w.len, VNET_BYTES);
		r = wr_rd(&w);
		assert_true(vnet_decode(&r, &again));
		w = wr_init(encoded, sizeof(encoded));
		assert_true(vnet_encode(&w, &again)); /* all fields are there */
		assert_memory_equal(encoded, bytes, VNET_BYTES);
	}
	for (n = 0; n < VNET_BYTES; n++) {
		r = rd_init(bytes, n);
		assert_false(vnet_decode(&r, &h));
		w = wr_init(bytes, n);
		assert_false(vnet_encode(&w, &h));
	}
	memset(bytes, 0, sizeof(bytes));
	bytes[0] = 4;
	r = rd_init(bytes, VNET_BYTES);
	assert_false(vnet_decode(&r, &h));
	bytes[0] = 2;
	bytes[4] = 1; /* a size, but no segmentation */
	r = rd_init(bytes, VNET_BYTES);
	assert_false(vnet_decode(&r, &h));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vnet),
	    cmocka_unit_test(test_families),
	    cmocka_unit_test(test_largest),
	    cmocka_unit_test(test_flags),
	    cmocka_unit_test(test_udp_zero_sum),
	    cmocka_unit_test(test_single),
	    cmocka_unit_test(test_no_room),
	    cmocka_unit_test(test_lies),
	    cmocka_unit_test(test_single_lies),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_extension_headers),
	    cmocka_unit_test(test_data_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
