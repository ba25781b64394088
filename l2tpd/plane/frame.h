/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame.h: what is in front of an IP packet in an L2TP data message: L2TP as we
 * send it (RFC 2661 3.1: no Length, sequence or offset) and PPP (RFC 1661 2).
 * Pure.
 */
#ifndef ADIT_PLANE_FRAME_H
#define ADIT_PLANE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/wr.h"

#define PPP_IPV4  0x0021
#define PPP_IPV6  0x0057
#define PPP_AC    0xff03 /* address and control, RFC 1662 3.1 */
#define L2TP_DATA 0x0002 /* T, L, S, O clear; version 2 */

#define FRAME_L2TP_BYTES 6
#define FRAME_PPP_BYTES  4

/* RFC 1661 6.5 and 6.6, RFC 1662 3.1: what a frame carries; r is behind it
 * then. Address, control and the first protocol byte may be left out, whatever
 * was negotiated. */
static inline bool
frame_protocol(struct rd *r, uint16_t *ret)
{
	uint32_t head;
	uint8_t byte, low;

	if (rd_peek_be32(r, &head) && head >> 16 == PPP_AC)
		rd_skip(r, 2);
	if (!rd_u8(r, &byte))
		return false;
	if (byte & 1) { /* compressed: the last byte is the odd one */
		*ret = byte;
		return true;
	}
	if (!rd_u8(r, &low))
		return false;
	*ret = (uint16_t)(byte << 8 | low);
	return true;
}

static inline void
frame_put_l2tp(struct wr *w, uint16_t peer_tunnel_id, uint16_t peer_session_id)
{
	wr_be16(w, L2TP_DATA);
	wr_be16(w, peer_tunnel_id);
	wr_be16(w, peer_session_id);
}

static inline void
frame_put_ppp(struct wr *w, uint16_t protocol)
{
	wr_be16(w, PPP_AC);
	wr_be16(w, protocol);
}

#endif
