/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * avp.c: AVP frames and the attribute table (RFC 2661 4.1, 4.4). Input is a
 * hostile message body; the cursor keeps every access inside it.
 */
#include "l2tpd/proto/avp.h"

#define AVP_FLAG_M        0x8000
#define AVP_FLAG_H        0x4000
#define AVP_RESERVED_MASK 0x3c00
#define AVP_LENGTH_MASK   0x03ff

/* clang-format off */
static const struct avp_spec specs[AVP_TYPE_COUNT] = {
#define AVP(number_, symbol_, name_, m_, h_, kind_, min_, max_, section_) \
	[number_] = { .name = (name_), .mandatory = (m_), .may_hide = (h_), \
	    .kind = AVP_KIND_##kind_, .min_bytes = (min_), \
	    .max_bytes = (max_), .section = (section_) },
#include "l2tpd/proto/avp.def"
#undef AVP
};
/* clang-format on */

const struct avp_spec *
avp_spec(uint16_t type)
{
	if (type >= AVP_TYPE_COUNT || specs[type].name == NULL)
		return NULL;
	return &specs[type];
}

bool
avp_next(struct rd *r, struct avp *ret)
{
	struct avp a = {0};
	uint16_t word, length;

	if (!rd_ok(r) || r->left == 0)
		return false;
	if (!rd_be16(r, &word))
		return false;
	length = word & AVP_LENGTH_MASK;
	if (length < AVP_HEAD_BYTES)
		return rd_fail(r, "AVP length below 6");
	a.mandatory = word & AVP_FLAG_M;
	a.hidden = word & AVP_FLAG_H;
	a.reserved_bits = word & AVP_RESERVED_MASK;
	if (!rd_be16(r, &a.vendor_id) || !rd_be16(r, &a.type))
		return false;
	if (length - (size_t)AVP_HEAD_BYTES > r->left)
		return rd_fail(r, "AVP length beyond the message");
	if (!rd_sub(r, length - (size_t)AVP_HEAD_BYTES, &a.value))
		return false;
	*ret = a;
	return true;
}

static bool
put_head(struct wr *w, enum avp_type type, uint16_t flags, size_t value_bytes)
{
	const struct avp_spec *spec = avp_spec((uint16_t)type);

	if (spec == NULL || value_bytes > AVP_VALUE_MAX) {
		w->failed = true; /* our own bug: the message must not go out */
		return false;
	}
	if (spec->mandatory)
		flags |= AVP_FLAG_M;
	return wr_be16(w, (uint16_t)(flags | (value_bytes + AVP_HEAD_BYTES))) &&
	    wr_be16(w, AVP_VENDOR_IETF) && wr_be16(w, (uint16_t)type);
}

bool
avp_put_u16(struct wr *w, enum avp_type type, uint16_t v)
{
	return put_head(w, type, 0, 2) && wr_be16(w, v);
}

bool
avp_put_u32(struct wr *w, enum avp_type type, uint32_t v)
{
	return put_head(w, type, 0, 4) && wr_be32(w, v);
}

bool
avp_put_u64(struct wr *w, enum avp_type type, uint64_t v)
{
	return put_head(w, type, 0, 8) && wr_be64(w, v);
}

bool
avp_put_bytes(struct wr *w, enum avp_type type, struct rd value)
{
	return put_head(w, type, 0, value.left) &&
	    wr_bytes(w, value.p, value.left);
}

bool
avp_put_hidden(struct wr *w, enum avp_type type, struct rd cipher)
{
	return put_head(w, type, AVP_FLAG_H, cipher.left) &&
	    wr_bytes(w, cipher.p, cipher.left);
}

struct rd
avp_trim_nul(struct rd value)
{
	struct rd shorter = value;
	uint8_t last;

	while (rd_u8_end(&shorter, &last) && last == 0)
		value = shorter;
	return value;
}
