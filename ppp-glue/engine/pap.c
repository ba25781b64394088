/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pap.c: PAP (RFC 1334 2), both roles; used only where the configuration lists
 * it. Names and passwords are raw bytes; the password lives in the ask only.
 * Done as specified.
 */
#include <string.h>

#include "ppp-glue/engine/link.h"

enum {
	CODE_REQUEST = 1, /* RFC 1334 2.2 */
	CODE_ACK = 2,
	CODE_NAK = 3,
	FIELD_MAX = 255,
};

/* Server: RFC 1334 2.2.2: Msg-Length, Message */
void
pap_send_answer(struct ppp *p)
{
	const struct auth *a = &p->auth;
	size_t n = a->message_bytes < FIELD_MAX ? a->message_bytes : FIELD_MAX;
	struct wr w;

	if (!link_packet_begin(p, LINK_PROTO_PAP,
		a->state == AUTH_ACCEPTED ? CODE_ACK : CODE_NAK, a->id, &w))
		return;
	wr_u8(&w, (uint8_t)n);
	wr_bytes(&w, a->message, n);
	link_packet_end(p, &w);
}

/* Client: RFC 1334 2.2.1 */
void
pap_send_request(struct ppp *p)
{
	struct wr w;
	size_t n;

	if (p->cfg->user == NULL || p->cfg->password == NULL)
		return;
	n = strlen(p->cfg->user);
	if (n > FIELD_MAX || p->cfg->password->len > FIELD_MAX) {
		link_fail(p, "credentials-too-long", false);
		return;
	}
	if (!link_packet_begin(
		p, LINK_PROTO_PAP, CODE_REQUEST, ++p->auth.id, &w))
		return;
	wr_u8(&w, (uint8_t)n);
	wr_bytes(&w, p->cfg->user, n);
	wr_u8(&w, (uint8_t)p->cfg->password->len);
	wr_bytes(&w, p->cfg->password->data, p->cfg->password->len);
	link_packet_end(p, &w);
}

/* RFC 1334 2.2.1: a repeated request gets the same answer, under its own
 * Identifier, also after the phase is over. */
static bool
receive_request(struct ppp *p, uint8_t id, struct rd r)
{
	struct auth *a = &p->auth;
	struct rd name, password;
	uint8_t n;

	if (!rd_u8(&r, &n) || !rd_sub(&r, n, &name) || !rd_u8(&r, &n) ||
	    !rd_sub(&r, n, &password))
		return false;
	if (a->state == AUTH_WAITING) {
		link_ask(p, id, name, password);
		return true;
	}
	a->id = id;
	if (a->state == AUTH_ACCEPTED || a->state == AUTH_REFUSED)
		pap_send_answer(p);
	return true;
}

bool
pap_input(struct ppp *p, struct rd packet)
{
	struct auth *a = &p->auth;
	struct rd body;
	uint8_t code, id;
	uint16_t length;

	if (a->state == AUTH_IDLE || a->method != PPP_AUTH_PAP ||
	    !rd_u8(&packet, &code) || !rd_u8(&packet, &id) ||
	    !rd_be16(&packet, &length) || length < 4 ||
	    !rd_sub(&packet, (size_t)length - 4, &body))
		return false;
	if (p->cfg->server)
		return code == CODE_REQUEST && receive_request(p, id, body);
	if ((code != CODE_ACK && code != CODE_NAK) || id != a->id ||
	    a->state != AUTH_WAITING)
		return false;
	auth_answered(p, code == CODE_ACK, body);
	return true;
}
