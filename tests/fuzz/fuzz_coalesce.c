/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_coalesce.c: a batch of packets. What the cutter makes of all that comes
 * out is what went in, in the order of each flow.
 *
 * Input: a byte of features, then records. First byte of a record: bit 0: the
 * packet before, continued (sequence number and ID), else length and bytes of a
 * new one follow; bits 1 and 2: how many changes follow, each an offset and a
 * byte to exclude-or; bit 3: with the ID before; bit 4: checksums stay as they
 * are.
 */
#include <stdlib.h>
#include <string.h>

#include "l2tpd/plane/user/coalesce.h"
#include "l2tpd/plane/user/cut.h"
#include "tests/unit/packet.h"

#define MAX_PACKETS 80
#define MAX_BYTES   1600

#define RECORD_NEXT    0x01
#define RECORD_CHANGES 0x06
#define RECORD_SAME_ID 0x08
#define RECORD_NO_FIX  0x10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	uint8_t p[MAX_BYTES];
	size_t len;
};

static struct bytes in[MAX_PACKETS + 1], work[MAX_PACKETS];
static bool done[MAX_PACKETS];
static size_t n_in, n_done;
static uint8_t super[PACKET_MAX], segment[PACKET_MAX];

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* The same but for what RFC 6864 4.1 permits to change. */
static bool
equal(const uint8_t *p, size_t n, const struct bytes *b)
{
	if (n != b->len || memcmp(p, b->p, 4) != 0)
		return false;
	if (p[0] >> 4 != 4 || p[6] != 0x40 || p[7] != 0 || b->p[6] != 0x40)
		return memcmp(p, b->p, n) == 0;
	if (packet_wrong(b->p, n) != NULL)
		return memcmp(p, b->p, n) == 0;
	return memcmp(p + 6, b->p + 6, 4) == 0 &&
	    memcmp(p + 12, b->p + 12, n - 12) == 0 &&
	    packet_wrong(p, n) == NULL;
}

/* A packet came out. The first one left of its flow must be it. */
static void
take(const uint8_t *p, size_t n)
{
	size_t k;

	for (k = 0; k < n_in; k++) {
		if (done[k])
			continue;
		if (equal(p, n, &in[k]))
			break;
		must(!packet_same_flow(p, n, in[k].p, in[k].len));
	}
	must(k < n_in);
	done[k] = true;
	n_done++;
}

static void
on_emit(void *ctx, const struct vnet *h, struct iovec *iov, int n_iov)
{
	size_t len = 0, n;
	struct cut c;
	int i;

	(void)ctx;
	for (i = 1; i < n_iov; i++) {
		must(len + iov[i].iov_len <= COALESCE_BYTES);
		memcpy(super + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	must(!h->data_valid || packet_wrong(super, len) == NULL);
	must(h->needs_csum == (h->gso != VNET_GSO_NONE));
	must(cut_begin(&c, h, super, len));
	must(c.n_segments == (size_t)(n_iov - 1));
	must((c.n_segments > 1) == (h->gso != VNET_GSO_NONE));
	must(c.n_segments <= COALESCE_SEGMENTS);
	while ((n = cut_next(&c, segment, sizeof(segment))) > 0)
		take(segment, n);
	must(c.why == NULL);
}

static void
bump(uint8_t *p, size_t n, size_t by)
{
	while (n-- > 0 && by > 0) {
		by += p[n];
		p[n] = (uint8_t)by;
		by >>= 8;
	}
}

static void
continue_last(struct bytes *b, bool same_id)
{
	uint8_t protocol = 0;
	size_t at, headers;

	*b = in[n_in - 1];
	if (b->p[0] >> 4 == 4 && !same_id)
		bump(b->p + 4, 2, 1);
	at = packet_transport(b->p, b->len, &protocol);
	if (at == 0 || protocol != PACKET_TCP)
		return;
	headers = at + (size_t)(b->p[at + 12] >> 4) * 4;
	if (headers < b->len)
		bump(b->p + at + 4, 4, b->len - headers);
}

/* False: no further packet. */
static bool
read_record(struct rd *r, struct bytes *b, struct inet_packet *ret_ip)
{
	uint16_t len, at;
	uint8_t what, changes, value;

	if (n_in == MAX_PACKETS || !rd_u8(r, &what))
		return false;
	if (what & RECORD_NEXT) {
		if (n_in == 0)
			return false;
		continue_last(b, (what & RECORD_SAME_ID) != 0);
	} else {
		if (!rd_be16(r, &len) || len > MAX_BYTES ||
		    !rd_bytes(r, b->p, len))
			return false;
		b->len = len;
	}
	for (changes = (uint8_t)((what & RECORD_CHANGES) >> 1); changes > 0;
	     changes--) {
		if (!rd_be16(r, &at) || !rd_u8(r, &value))
			return false;
		if (at < b->len)
			b->p[at] ^= value;
	}
	if (!inet_parse(rd_init(b->p, b->len), ret_ip))
		return false;
	b->len = ret_ip->total_bytes;
	if (!(what & RECORD_NO_FIX))
		packet_fix(b->p, b->len);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct coalesce c;
	struct rd r = rd_init(data, size);
	struct inet_packet ip;
	uint8_t features;

	if (!rd_u8(&r, &features))
		return 0;
	n_in = n_done = 0;
	memset(done, 0, sizeof(done));
	coalesce_init(&c, features & 7, on_emit, NULL);
	while (read_record(&r, &in[n_in], &ip)) {
		work[n_in] = in[n_in];
		coalesce_add(&c, work[n_in++].p, &ip);
	}
	coalesce_flush(&c);
	must(n_done == n_in && c.totals.packets_in == n_in && c.used == 0);
	return 0;
}
