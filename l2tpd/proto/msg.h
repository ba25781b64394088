/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * msg.h: a whole control message (RFC 2661 6): its AVPs decoded into one plain
 * struct in host order, checked against avp.def and msg.def; and the beginning
 * of one that we write. Pure; values are borrowed from the datagram, or, when
 * they were hidden, from the scratch space inside the struct.
 */
#ifndef ADIT_PROTO_MSG_H
#define ADIT_PROTO_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rd.h"
#include "base/wr.h"
#include "l2tpd/proto/avp.h"

#define MSG_SCRATCH_BYTES 2048 /* deciphered AVPs of one message */
#define MSG_TYPE_COUNT    17   /* types are 1 .. 16; 5 and 13 not assigned */
#define MSG_AVP(type)     (UINT64_C(1) << (type))

/* clang-format off */
enum msg_type {
#define MSG(number, symbol, name, scope, must, may, section) \
	MSG_##symbol = number,
#include "l2tpd/proto/msg.def"
#undef MSG
};
/* clang-format on */

enum msg_scope { MSG_SCOPE_TUNNEL, MSG_SCOPE_SESSION };

/* One row of msg.def. must, may: sets of MSG_AVP(). */
struct msg_spec {
	const char *name; /* NULL: not defined */
	enum msg_scope scope;
	uint64_t must, may;
	const char *section; /* of RFC 2661 */
};
const struct msg_spec *msg_spec(uint16_t type); /* NULL: unknown */

/* Result and Error Codes that we use, RFC 2661 4.4.2. */
enum {
	L2TP_STOP_GENERAL_REQUEST = 1,
	L2TP_STOP_GENERAL_ERROR = 2,
	L2TP_STOP_NOT_AUTHORIZED = 4,
	L2TP_STOP_BAD_VERSION = 5,
	L2TP_STOP_SHUTTING_DOWN = 6,
	L2TP_STOP_FSM_ERROR = 7,
	L2TP_CDN_LOST_CARRIER = 1,
	L2TP_CDN_GENERAL_ERROR = 2,
	L2TP_CDN_ADMINISTRATIVE = 3,
	L2TP_CDN_NO_FACILITIES_NOW = 4,
	L2TP_CDN_TIMEOUT = 10,
	L2TP_ERROR_NONE = 0,
	L2TP_ERROR_LENGTH = 2,
	L2TP_ERROR_VALUE = 3,
	L2TP_ERROR_RESOURCES = 4,
	L2TP_ERROR_SESSION_ID = 5,
	L2TP_ERROR_VENDOR = 6,
	L2TP_ERROR_UNKNOWN_AVP = 8,
};

struct msg_value {
	uint64_t number; /* AVP_KIND_NUMBER: host order */
	struct rd bytes; /* the value's bytes, deciphered */
};

struct l2tp_msg {
	uint16_t type;
	bool type_mandatory; /* M bit of the Message Type, RFC 2661 4.4.1 */
	const struct msg_spec *spec; /* NULL: unknown message */
	uint64_t have;               /* set of MSG_AVP() */
	struct msg_value value[AVP_TYPE_COUNT];
	/* The first fault, when msg_decode() returned false. */
	const char *why;      /* string literal */
	uint16_t fault_error; /* Error Code, RFC 2661 4.4.2 */
	bool fault_in_avp;    /* the next two tell which */
	uint16_t fault_vendor_id, fault_type;
	struct wr scratch; /* over scratch_bytes */
	uint8_t scratch_bytes[MSG_SCRATCH_BYTES];
};

/* Decode a message body (after the header, not empty). secret: of the tunnel,
 * borrowed, may be empty. True: well-formed, all required AVPs there (or an
 * unknown message: spec is NULL). False: ret->why and ret->fault_* tell; what
 * could be read is in *ret all the same (an Assigned ID is needed to answer).
 * ret must not be moved or copied: its cursors point into it. */
bool msg_decode(struct rd body, struct rd secret, struct l2tp_msg *ret);

/* After a fault: text for the Error Message (4.4.2): which AVP it was, or "".
 * The cursor is over buf. */
#define MSG_FAULT_TEXT_BYTES 64
struct rd msg_fault_text(
    const struct l2tp_msg *m, char buf[MSG_FAULT_TEXT_BYTES]);

/* The message type alone: true when the first AVP is a proper Message Type. */
bool msg_peek_type(struct rd body, uint16_t *ret_type);

bool msg_has(const struct l2tp_msg *m, enum avp_type type);
uint16_t msg_u16(const struct l2tp_msg *m, enum avp_type type); /* 0: absent */
uint32_t msg_u32(const struct l2tp_msg *m, enum avp_type type);

/* Result Code AVP (4.4.2), Apple's swapped and padded one included. Untouched
 * and false when absent. message: borrowed. */
struct msg_result {
	uint16_t result, error;
	struct rd message;
};
bool msg_result(const struct l2tp_msg *m, struct msg_result *ret);

/* Begin a message of ours: the Message Type AVP. */
bool msg_begin(struct wr *w, enum msg_type type);
/* Result Code AVP; message may be NULL. error and message are left out when
 * there is nothing to say. */
bool msg_put_result(
    struct wr *w, uint16_t result, uint16_t error, const char *message);

#endif
