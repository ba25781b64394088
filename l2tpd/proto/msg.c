/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * msg.c: control messages (RFC 2661 4.1, 4.3, 4.4, 6, 7.1): from a hostile
 * body to a checked struct.
 *
 * Rules of decoding: the vendor id is looked at before the type. An AVP that
 * we do not know, or with a reserved bit, or malformed, is skipped when its M
 * bit is clear and is the message's fault when it is set. An AVP that we know
 * but that does not belong to this message is ignored. Of two equal AVPs the
 * first counts. A deciphered value is checked like a plain one.
 *
 * Done as specified, with these exceptions: a Result Code whose code is above
 * 255 with a zero low byte is read little-endian and its rest is ignored
 * (Apple, l2tp.c prepare_CDN: 6 bytes of garbage).
 */
#include "l2tpd/proto/msg.h"

#include <stdio.h>
#include <string.h>

#include "l2tpd/proto/hide.h"

#define A(symbol) MSG_AVP(AVP_##symbol)

/* clang-format off */
static const struct msg_spec specs[MSG_TYPE_COUNT] = {
#define MSG(number_, symbol_, name_, scope_, must_, may_, section_) \
	[number_] = { .name = (name_), .scope = MSG_SCOPE_##scope_, \
	    .must = (must_), .may = (may_), .section = (section_) },
#include "l2tpd/proto/msg.def"
#undef MSG
};
/* clang-format on */

#undef A

const struct msg_spec *
msg_spec(uint16_t type)
{
	if (type >= MSG_TYPE_COUNT || specs[type].name == NULL)
		return NULL;
	return &specs[type];
}

static void
set_fault(
    struct l2tp_msg *m, uint16_t error, const char *why, const struct avp *a)
{
	if (m->why != NULL)
		return; /* the first one counts */
	m->why = why;
	m->fault_error = error;
	if (a != NULL) {
		m->fault_in_avp = true;
		m->fault_vendor_id = a->vendor_id;
		m->fault_type = a->type;
	}
}

/* A recoverable fault in one AVP: the M bit decides, RFC 2661 7.1. */
static void
avp_fault(
    struct l2tp_msg *m, uint16_t error, const char *why, const struct avp *a)
{
	if (a->mandatory)
		set_fault(m, error, why, a);
}

/* Decipher a hidden AVP's value in place of the received one. */
static bool
reveal(struct l2tp_msg *m, const struct avp_spec *spec, struct rd secret,
    struct avp *a)
{
	const char *why = NULL;

	if (!spec->may_hide)
		why = "hidden AVP that must not be hidden";
	else if (!msg_has(m, AVP_RANDOM_VECTOR)) /* RFC 2661 4.3 */
		why = "hidden AVP without a Random Vector";
	else if (secret.left == 0)
		why = "hidden AVP, but no shared secret";
	else if (!hide_decode(a->type, secret,
		     m->value[AVP_RANDOM_VECTOR].bytes, a->value, &m->scratch,
		     &a->value))
		why = "hidden AVP deciphers to nonsense";
	if (why == NULL)
		return true;
	avp_fault(m, L2TP_ERROR_VALUE, why, a);
	return false;
}

static uint64_t
number_of(struct rd value)
{
	uint64_t n = 0;
	uint8_t b;

	while (rd_u8(&value, &b))
		n = n << 8 | b;
	return n;
}

static void
store(struct l2tp_msg *m, const struct avp_spec *spec, const struct avp *a)
{
	struct msg_value *v = &m->value[a->type];

	/* the nearest Random Vector before a hidden AVP counts, 4.3 */
	if ((m->have & MSG_AVP(a->type)) != 0 && a->type != AVP_RANDOM_VECTOR)
		return;
	v->bytes = a->value;
	if (spec->kind == AVP_KIND_NUMBER)
		v->number = number_of(a->value);
	m->have |= MSG_AVP(a->type);
}

static void
decode_avp(struct l2tp_msg *m, struct avp *a, struct rd secret)
{
	const struct avp_spec *spec;

	if (a->reserved_bits) { /* RFC 2661 4.1 */
		avp_fault(
		    m, L2TP_ERROR_UNKNOWN_AVP, "AVP with reserved bits", a);
		return;
	}
	spec = a->vendor_id == AVP_VENDOR_IETF ? avp_spec(a->type) : NULL;
	if (spec == NULL) {
		avp_fault(
		    m, L2TP_ERROR_UNKNOWN_AVP, "unknown mandatory AVP", a);
		return;
	}
	if (a->hidden && !reveal(m, spec, secret, a))
		return;
	if (a->value.left < spec->min_bytes ||
	    a->value.left > spec->max_bytes) {
		avp_fault(m, L2TP_ERROR_LENGTH, "AVP of wrong length", a);
		return;
	}
	store(m, spec, a);
}

/* Message Type MUST be the first AVP (RFC 2661 4.4.1), not hidden, 2 bytes. */
static bool
take_type(struct rd *body, struct avp *ret, uint16_t *ret_type)
{
	if (!avp_next(body, ret))
		return false;
	if (ret->vendor_id != AVP_VENDOR_IETF ||
	    ret->type != AVP_MESSAGE_TYPE || ret->hidden ||
	    ret->reserved_bits || ret->value.left != 2)
		return rd_fail(body, "first AVP is no Message Type");
	*ret_type = (uint16_t)number_of(ret->value);
	return true;
}

bool
msg_peek_type(struct rd body, uint16_t *ret_type)
{
	struct avp a;

	return take_type(&body, &a, ret_type);
}

bool
msg_decode(struct rd body, struct rd secret, struct l2tp_msg *ret)
{
	struct avp a;

	memset(ret, 0, sizeof(*ret));
	ret->scratch = wr_init(ret->scratch_bytes, sizeof(ret->scratch_bytes));
	if (!take_type(&body, &a, &ret->type)) {
		set_fault(ret, L2TP_ERROR_LENGTH,
		    body.err != NULL ? body.err : "empty message", NULL);
		return false;
	}
	ret->type_mandatory = a.mandatory;
	ret->spec = msg_spec(ret->type);
	ret->have = MSG_AVP(AVP_MESSAGE_TYPE);
	if (ret->spec == NULL) /* nothing in it means anything to us */
		return true;
	while (avp_next(&body, &a))
		decode_avp(ret, &a, secret);
	if (!rd_end(&body)) /* lengths lie: not recoverable, 7.1 */
		set_fault(ret, L2TP_ERROR_LENGTH, body.err, NULL);
	if ((ret->spec->must & ~ret->have) != 0)
		set_fault(ret, L2TP_ERROR_VALUE, "required AVP missing", NULL);
	return ret->why == NULL;
}

struct rd
msg_fault_text(const struct l2tp_msg *m, char buf[MSG_FAULT_TEXT_BYTES])
{
	if (m->why == NULL || !m->fault_in_avp)
		return rd_init(NULL, 0);
	snprintf(buf, MSG_FAULT_TEXT_BYTES, "AVP %u of vendor %u",
	    m->fault_type, m->fault_vendor_id);
	return rd_init(buf, strlen(buf));
}

bool
msg_has(const struct l2tp_msg *m, enum avp_type type)
{
	return (m->have & MSG_AVP(type)) != 0;
}

uint16_t
msg_u16(const struct l2tp_msg *m, enum avp_type type)
{
	return (uint16_t)m->value[type].number;
}

uint32_t
msg_u32(const struct l2tp_msg *m, enum avp_type type)
{
	return (uint32_t)m->value[type].number;
}

bool
msg_result(const struct l2tp_msg *m, struct msg_result *ret)
{
	struct rd r = m->value[AVP_RESULT_CODE].bytes;
	struct msg_result res = {0};

	if (!msg_has(m, AVP_RESULT_CODE) || !rd_be16(&r, &res.result))
		return false;
	if (res.result > UINT8_MAX && (res.result & UINT8_MAX) == 0)
		res.result = (uint16_t)(res.result >> 8); /* Apple */
	else if (r.left >= 2 && rd_be16(&r, &res.error))
		res.message = r;
	*ret = res;
	return true;
}

bool
msg_begin(struct wr *w, enum msg_type type)
{
	return avp_put_u16(w, AVP_MESSAGE_TYPE, (uint16_t)type);
}

bool
msg_put_result(
    struct wr *w, uint16_t result, uint16_t error, const char *message)
{
	uint8_t bytes[4 + 128];
	struct wr v = wr_init(bytes, sizeof(bytes));
	size_t n = message != NULL ? strlen(message) : 0;

	if (n > sizeof(bytes) - 4)
		n = sizeof(bytes) - 4;
	wr_be16(&v, result);
	if (error != L2TP_ERROR_NONE || n > 0)
		wr_be16(&v, error);
	wr_bytes(&v, message, n);
	return avp_put_bytes(w, AVP_RESULT_CODE, wr_rd(&v));
}
