/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vnet.h: the header in front of each packet of a TUN device that was opened
 * with IFF_VNET_HDR: struct virtio_net_hdr, 10 bytes, integers in the byte
 * order of this machine (neither TUNSETVNETLE nor TUNSETVNETBE set). Pure.
 * Source: virtio 1.2, 5.1.6; linux/virtio_net.h.
 */
#ifndef ADIT_PLANE_USER_VNET_H
#define ADIT_PLANE_USER_VNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/wr.h"

#define VNET_BYTES 10

enum vnet_gso {
	VNET_GSO_NONE = 0,
	VNET_GSO_TCPV4 = 1,
	VNET_GSO_TCPV6 = 4,
	VNET_GSO_UDP_L4 = 5, /* segments are datagrams ("USO"), not fragments */
};

struct vnet {
	bool needs_csum; /* the checksum is to be completed */
	bool data_valid; /* the checksum was verified */
	bool ecn;        /* CWR may be set in a TCP super-segment */
	enum vnet_gso gso;
	uint16_t hdr_len;     /* bytes of all headers; a hint */
	uint16_t gso_size;    /* payload bytes of a full segment */
	uint16_t csum_start;  /* from the IP header on */
	uint16_t csum_offset; /* from csum_start on */
};

/* False (ret untouched; r->err tells): too short, a flag or a kind of
 * segmentation that nobody asked the kernel for, or a size without a kind. */
bool vnet_decode(struct rd *r, struct vnet *ret);

/* False: does not fit. */
bool vnet_encode(struct wr *w, const struct vnet *h);

#endif
