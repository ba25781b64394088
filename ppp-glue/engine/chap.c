/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chap.c: CHAP (RFC 1994) with MD5 and with MS-CHAPv2 (RFC 2759), both roles.
 * The server challenges, copies the response into an ask, and sends the
 * verdict's message verbatim. The client answers, and with MS-CHAPv2 checks
 * that the server knows the password too.
 *
 * Trusts nothing: names are raw bytes, every length is checked. A server
 * ignores challenges, Success and Failure: nobody can make it answer with a
 * secret. Not done: repeated challenges in mid-session (RFC 1994 2, optional)
 * by the server; change of password (RFC 2759 7).
 */
#include <string.h>

#include "base/secret.h"
#include "ppp-glue/engine/link.h"

enum {
	CODE_CHALLENGE = 1, /* RFC 1994 4 */
	CODE_RESPONSE = 2,
	CODE_SUCCESS = 3,
	CODE_FAILURE = 4,
	MD5_RESPONSE_BYTES = 16, /* RFC 1994 4.1 */
};

static size_t
response_bytes(enum ppp_auth_method m)
{
	return m == PPP_AUTH_MSCHAPV2 ? MSCHAPV2_RESPONSE_BYTES
				      : MD5_RESPONSE_BYTES;
}

/* RFC 1994 4.1: Value-Size, Value, Name */
static void
send_value(struct ppp *p, uint8_t code, uint8_t id, const void *value,
    size_t value_bytes, const char *name)
{
	struct wr w;

	if (!link_packet_begin(p, LINK_PROTO_CHAP, code, id, &w))
		return;
	wr_u8(&w, (uint8_t)value_bytes);
	wr_bytes(&w, value, value_bytes);
	wr_bytes(&w, name, strlen(name));
	link_packet_end(p, &w);
}

void
chap_send_challenge(struct ppp *p)
{
	send_value(p, CODE_CHALLENGE, p->auth.id, p->auth.challenge,
	    sizeof(p->auth.challenge), p->cfg->name ? p->cfg->name : "");
}

/* Client: also by timer, because Success may be lost. RFC 1994 4.2 */
void
chap_send_response(struct ppp *p)
{
	send_value(p, CODE_RESPONSE, p->auth.id, p->auth.response,
	    p->auth.response_bytes, p->cfg->user);
}

/* RFC 1994 4.2: the Message is not interpreted */
void
chap_send_answer(struct ppp *p)
{
	const struct auth *a = &p->auth;
	struct wr w;

	if (!link_packet_begin(p, LINK_PROTO_CHAP,
		a->state == AUTH_ACCEPTED ? CODE_SUCCESS : CODE_FAILURE, a->id,
		&w))
		return;
	wr_bytes(&w, a->message, a->message_bytes);
	link_packet_end(p, &w);
}

/* Server. RFC 1994 4.1 */
static bool
receive_response(struct ppp *p, uint8_t id, struct rd r)
{
	struct auth *a = &p->auth;
	struct rd value;
	uint8_t size;

	if (id != a->id)
		return false;
	if (a->state == AUTH_ACCEPTED || a->state == AUTH_REFUSED) {
		chap_send_answer(p); /* it was lost. RFC 1994 4.2 */
		return true;
	}
	if (a->state != AUTH_WAITING)
		return true; /* the verdict is awaited: the first one counts */
	if (!rd_u8(&r, &size) || size != response_bytes(a->method) ||
	    !rd_sub(&r, size, &value) || r.left > PPP_NAME_MAX)
		return false;
	link_ask(p, id, r, value);
	return true;
}

/* Client: MS-CHAPv2. A repeated challenge gets the same response, because the
 * server may have heard the first one. RFC 2759 4 */
static bool
respond_mschapv2(struct ppp *p, uint8_t id, struct rd challenge)
{
	struct auth *a = &p->auth;
	uint8_t hash[MSCHAP_HASH_BYTES], peer[LINK_CHALLENGE_BYTES];
	uint8_t given[LINK_CHALLENGE_BYTES];
	bool ok = true;

	rd_bytes(&challenge, given, sizeof(given));
	if (!a->responded || id != a->id ||
	    memcmp(given, a->challenge, sizeof(given)) != 0) {
		memcpy(a->challenge, given, sizeof(given));
		link_random(p, peer, sizeof(peer));
		ok = mschap_nt_hash(p->cfg->password->data,
			 p->cfg->password->len, hash) == 0 &&
		    mschapv2_respond(hash, p->cfg->user, strlen(p->cfg->user),
			a->challenge, peer, a->response) == 0;
		wipe(hash, sizeof(hash));
	}
	a->response_bytes = MSCHAPV2_RESPONSE_BYTES;
	return ok;
}

static bool
receive_challenge(struct ppp *p, uint8_t id, struct rd r)
{
	struct auth *a = &p->auth;
	struct rd challenge;
	uint8_t size;
	bool ok;

	if (p->cfg->user == NULL || p->cfg->password == NULL ||
	    !rd_u8(&r, &size) || size == 0 || !rd_sub(&r, size, &challenge))
		return false;
	if (a->method == PPP_AUTH_MSCHAPV2) {
		if (size != LINK_CHALLENGE_BYTES)
			return false;
		ok = respond_mschapv2(p, id, challenge);
	} else {
		ok = chap_md5_response(id, p->cfg->password->data,
			 p->cfg->password->len, challenge.p, challenge.left,
			 a->response) == 0;
		a->response_bytes = MD5_RESPONSE_BYTES;
	}
	if (!ok) {
		link_fail(p, "bad-password-encoding", false);
		return true;
	}
	a->id = id;
	a->responded = true;
	if (a->state == AUTH_WAITING)
		auth_resend_later(p);
	chap_send_response(p);
	return true;
}

/* Client: RFC 2759 5: "S=" must be right, or the server is not ours */
static bool
server_is_genuine(struct ppp *p, struct rd message)
{
	uint8_t hash[MSCHAP_HASH_BYTES];
	bool ok;

	if (p->auth.method != PPP_AUTH_MSCHAPV2)
		return true;
	ok = mschap_nt_hash(
		 p->cfg->password->data, p->cfg->password->len, hash) == 0 &&
	    mschapv2_check_authenticator(hash, p->cfg->user,
		strlen(p->cfg->user), p->auth.challenge, p->auth.response,
		message.p, message.left);
	wipe(hash, sizeof(hash));
	return ok;
}

static bool
receive_result(struct ppp *p, uint8_t code, uint8_t id, struct rd message)
{
	struct auth *a = &p->auth;

	if (!a->responded || id != a->id)
		return false;
	if (a->state != AUTH_WAITING && code == CODE_SUCCESS)
		return server_is_genuine(p, message);
	if (code == CODE_SUCCESS && !server_is_genuine(p, message)) {
		link_fail(p, "server-not-genuine", true);
		return true;
	}
	auth_answered(p, code == CODE_SUCCESS, message);
	return true;
}

bool
chap_input(struct ppp *p, struct rd packet)
{
	struct auth *a = &p->auth;
	struct rd body;
	uint8_t code, id;
	uint16_t length;

	if (a->state == AUTH_IDLE || a->method == PPP_AUTH_PAP ||
	    !rd_u8(&packet, &code) || !rd_u8(&packet, &id) ||
	    !rd_be16(&packet, &length) || length < 4 ||
	    !rd_sub(&packet, (size_t)length - 4, &body))
		return false;
	if (p->cfg->server)
		return code == CODE_RESPONSE && receive_response(p, id, body);
	if (code == CODE_CHALLENGE)
		return receive_challenge(p, id, body);
	if (code == CODE_SUCCESS || code == CODE_FAILURE)
		return receive_result(p, code, id, body);
	return false;
}
