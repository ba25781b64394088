/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vnet.c: the vnet header (contracts in vnet.h). Owns nothing. The header comes
 * from the kernel, which is trusted with more than this; still nothing in it is
 * believed here or in cut.c, because kernels had bugs in these paths.
 */
#include "l2tpd/plane/user/vnet.h"

#define FLAG_NEEDS_CSUM 1u
#define FLAG_DATA_VALID 2u
#define GSO_ECN         0x80u

/* Native byte order: not what the cursors' integers are for. */
static bool
get_native16(struct rd *r, uint16_t *ret)
{
	return rd_bytes(r, ret, sizeof(*ret));
}

static bool
is_gso(unsigned int type)
{
	return type == VNET_GSO_NONE || type == VNET_GSO_TCPV4 ||
	    type == VNET_GSO_TCPV6 || type == VNET_GSO_UDP_L4;
}

bool
vnet_decode(struct rd *r, struct vnet *ret)
{
	struct vnet h = {0};
	uint8_t flags = 0, type = 0;

	rd_u8(r, &flags);
	rd_u8(r, &type);
	get_native16(r, &h.hdr_len);
	get_native16(r, &h.gso_size);
	get_native16(r, &h.csum_start);
	get_native16(r, &h.csum_offset);
	if (!rd_ok(r))
		return false;
	if ((flags & ~(FLAG_NEEDS_CSUM | FLAG_DATA_VALID)) != 0)
		return rd_fail(r, "unknown vnet flag");
	if (!is_gso(type & ~GSO_ECN))
		return rd_fail(r, "unknown kind of segmentation");
	h.needs_csum = (flags & FLAG_NEEDS_CSUM) != 0;
	h.data_valid = (flags & FLAG_DATA_VALID) != 0;
	h.ecn = (type & GSO_ECN) != 0;
	h.gso = (enum vnet_gso)(type & ~GSO_ECN);
	if (h.gso == VNET_GSO_NONE && (h.gso_size != 0 || h.ecn))
		return rd_fail(r, "segment size without segmentation");
	*ret = h;
	return true;
}

bool
vnet_encode(struct wr *w, const struct vnet *h)
{
	wr_u8(w,
	    (uint8_t)((h->needs_csum ? FLAG_NEEDS_CSUM : 0) |
		(h->data_valid ? FLAG_DATA_VALID : 0)));
	wr_u8(w, (uint8_t)((unsigned int)h->gso | (h->ecn ? GSO_ECN : 0)));
	wr_bytes(w, &h->hdr_len, 2);
	wr_bytes(w, &h->gso_size, 2);
	wr_bytes(w, &h->csum_start, 2);
	wr_bytes(w, &h->csum_offset, 2);
	return wr_ok(w);
}
