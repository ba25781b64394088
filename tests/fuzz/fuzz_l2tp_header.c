/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_l2tp_header.c: any bytes as a datagram: the header parser, and what the
 * engine asks before there is a tunnel.
 */
#include <stdint.h>
#include <stdlib.h>

#include "l2tpd/proto/tunnel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	struct l2tp_packet_head h;
	uint16_t id = 0;

	if (l2tp_parse_head(&r, &h)) {
		if (h.payload.left > size)
			abort();
		if (h.has_length && h.length > size)
			abort();
		if (h.is_control && (!h.has_sequence || !h.has_length))
			abort();
	} else if (r.err == NULL) {
		abort();
	}
	if (tunnel_classify_first(rd_init(data, size), &id) !=
	    TUNNEL_FIRST_SCCRQ)
		id = 0;
	(void)id;
	return 0;
}
