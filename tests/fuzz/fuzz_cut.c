/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_cut.c: a vnet header and a packet. Whatever is not refused gives whole
 * IP packets with right lengths and checksums, whose payloads are the
 * packet's.
 */
#include <stdlib.h>
#include <string.h>

#include "l2tpd/plane/user/cut.h"
#include "tests/unit/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t out[PACKET_MAX], again[PACKET_MAX];

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* Ordinary packets go as they are, but for the checksum field. */
static void
check_single(const struct cut *begun, const struct vnet *h, const uint8_t *p)
{
	size_t total = begun->ip.total_bytes, field;
	struct cut c = *begun;

	must(c.n_segments == 1 && c.segment_bytes == total);
	must(cut_next(&c, out, total - 1) == 0 && c.why != NULL);
	must(cut_next(&c, out, total) == total && c.why == NULL);
	must(cut_next(&c, out, total) == 0);
	c = *begun;
	memcpy(again, p, total);
	must(cut_in_place(&c, again) == total);
	must(memcmp(out, again, total) == 0);
	if (h->needs_csum) {
		field = (size_t)h->csum_start + h->csum_offset;
		must(field + 2 <= total);
		memcpy(again + field, p + field, 2);
	}
	must(memcmp(again, p, total) == 0);
}

static void
check_super(struct cut *c, const struct vnet *h, const uint8_t *p, size_t len)
{
	size_t done = 0, segments = 0, n, headers;

	must(cut_in_place(c, again) == 0);
	headers = c->segment_bytes - h->gso_size;
	while ((n = cut_next(c, out, c->segment_bytes)) > 0) {
		must(n > headers && n <= c->segment_bytes);
		must(n == c->segment_bytes || segments + 1 == c->n_segments);
		must(packet_wrong(out, n) == NULL);
		must(headers + done + n - headers <= len);
		must(memcmp(out + headers, p + headers + done, n - headers) ==
		    0);
		done += n - headers;
		segments++;
	}
	must(c->why == NULL && segments == c->n_segments);
	must(headers + done == len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	struct vnet h;
	struct cut c;

	if (!vnet_decode(&r, &h))
		return 0;
	if (!cut_begin(&c, &h, r.p, r.left)) {
		must(c.why != NULL);
		return 0;
	}
	if (h.gso == VNET_GSO_NONE)
		check_single(&c, &h, r.p);
	else
		check_super(&c, &h, r.p, r.left);
	return 0;
}
