/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * header.c: the L2TP header (RFC 2661 3.1), data and control. Trusts nothing
 * but the length of the datagram that it was given.
 *
 * Done as specified, with these choices where the RFC leaves one: reserved
 * bits are ignored on receipt; bytes after Length are cut off (UDP padding); a
 * control message with an Offset Size is refused, because the RFC forbids to
 * send one and it would move the first AVP; a P bit in a control message is
 * reported, not refused.
 */
#include "l2tpd/proto/header.h"

#include "l2tpd/proto/tunnel.h"

#define LENGTH_AT 2 /* offset of the Length field, bytes */

static bool
parse_length(struct rd *r, size_t whole, uint16_t *ret_length)
{
	uint16_t length;
	struct rd kept;
	size_t done;

	if (!rd_be16(r, &length))
		return false;
	done = whole - r->left;
	if (length < done)
		return rd_fail(r, "Length shorter than the header");
	if (length > whole)
		return rd_fail(r, "Length beyond the datagram");
	if (!rd_sub(r, length - done, &kept))
		return false;
	*r = kept; /* what follows the message is not part of it */
	*ret_length = length;
	return true;
}

static bool
parse_fields(struct rd *r, uint16_t word, struct l2tp_packet_head *h)
{
	size_t whole = r->left + sizeof(word);
	uint16_t offset;

	h->is_control = word & L2TP_FLAG_T;
	h->has_length = word & L2TP_FLAG_L;
	h->has_sequence = word & L2TP_FLAG_S;
	h->has_offset = word & L2TP_FLAG_O;
	h->priority = word & L2TP_FLAG_P;
	/* RFC 2661 3.1: L and S MUST be set, O MUST be clear in control */
	if (h->is_control && (!h->has_length || !h->has_sequence))
		return rd_fail(r, "control message without Length or Ns");
	if (h->is_control && h->has_offset)
		return rd_fail(r, "control message with Offset");
	if (h->has_length && !parse_length(r, whole, &h->length))
		return false;
	if (!rd_be16(r, &h->tunnel_id) || !rd_be16(r, &h->session_id))
		return false;
	if (h->has_sequence && (!rd_be16(r, &h->ns) || !rd_be16(r, &h->nr)))
		return false;
	if (h->has_offset && (!rd_be16(r, &offset) || !rd_skip(r, offset)))
		return false;
	return rd_sub(r, r->left, &h->payload);
}

bool
l2tp_parse_head(struct rd *datagram, struct l2tp_packet_head *ret)
{
	struct l2tp_packet_head h = {0};
	uint16_t word;

	if (!rd_be16(datagram, &word))
		return false;
	/* RFC 2661 3.1: 1 is L2F, anything but 2 MUST be discarded */
	if ((word & L2TP_VERSION_MASK) != L2TP_VERSION)
		return rd_fail(datagram, "not L2TP version 2");
	if (!parse_fields(datagram, word, &h))
		return false;
	*ret = h;
	return true;
}

bool
l2tp_put_control_head(struct wr *w, uint16_t tunnel_id, uint16_t session_id,
    uint16_t ns, uint16_t nr)
{
	return wr_be16(w, L2TP_CONTROL_WORD) && wr_be16(w, 0) &&
	    wr_be16(w, tunnel_id) && wr_be16(w, session_id) && wr_be16(w, ns) &&
	    wr_be16(w, nr);
}

bool
l2tp_finish_control(struct wr *w)
{
	return wr_ok(w) && w->len <= UINT16_MAX &&
	    wr_patch_be16(w, LENGTH_AT, (uint16_t)w->len);
}
