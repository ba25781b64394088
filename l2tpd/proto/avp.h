/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * avp.h: one Attribute Value Pair (RFC 2661 4.1): the frame around a value,
 * the table of all attributes of 4.4 (avp.def), and writing one.
 * Pure. Nothing here owns memory: values are borrowed from the datagram.
 */
#ifndef ADIT_PROTO_AVP_H
#define ADIT_PROTO_AVP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/wr.h"

#define AVP_HEAD_BYTES  6
#define AVP_LENGTH_MAX  1023 /* 10 bits, head included */
#define AVP_VALUE_MAX   (AVP_LENGTH_MAX - AVP_HEAD_BYTES)
#define AVP_TYPE_COUNT  40 /* types are 0 .. 39; 20 is not assigned */
#define AVP_VENDOR_IETF 0

/* clang-format off */
enum avp_type {
#define AVP(number, symbol, name, m, h, kind, min, max, section) \
	AVP_##symbol = number,
#include "l2tpd/proto/avp.def"
#undef AVP
};
/* clang-format on */

enum avp_kind { AVP_KIND_NONE, AVP_KIND_NUMBER, AVP_KIND_BYTES };

/* One row of avp.def. */
struct avp_spec {
	const char *name; /* NULL: this type is not defined */
	bool mandatory;   /* M bit when we send it */
	bool may_hide;    /* RFC 2661 4.3 */
	enum avp_kind kind;
	uint16_t min_bytes, max_bytes; /* of the value */
	const char *section;           /* of RFC 2661 */
};

/* Row of an IETF attribute; NULL when RFC 2661 does not define it. */
const struct avp_spec *avp_spec(uint16_t type);

/* The frame as it was received; value not looked at yet. */
struct avp {
	bool mandatory, hidden;
	bool reserved_bits; /* treat as unrecognised, RFC 2661 4.1 */
	uint16_t vendor_id, type;
	struct rd value; /* borrowed from the message */
};

/* Next AVP of a message body. False at the end (rd_end() is true) or when the
 * frame is malformed (r->err tells): length below 6 or over the end. */
bool avp_next(struct rd *r, struct avp *ret);

/* Write one AVP of the IETF, M bit by the table. False: does not fit. */
bool avp_put_u16(struct wr *w, enum avp_type type, uint16_t v);
bool avp_put_u32(struct wr *w, enum avp_type type, uint32_t v);
bool avp_put_u64(struct wr *w, enum avp_type type, uint64_t v);
/* value: borrowed, at most AVP_VALUE_MAX bytes (else false). */
bool avp_put_bytes(struct wr *w, enum avp_type type, struct rd value);
/* The same with the H bit; cipher: hide_encode()'s output. */
bool avp_put_hidden(struct wr *w, enum avp_type type, struct rd cipher);

/* The value without trailing NULs (Apple sends one in Host Name). */
struct rd avp_trim_nul(struct rd value);

#endif
