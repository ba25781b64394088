/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auth_msg.c: codec of the messages between a packet process and the authority
 * (contract in auth_msg.h). Owns nothing, trusts nothing that it reads: the
 * authority decodes what the engine says as if the engine were hostile. A get
 * returns a whole value or leaves it untouched; copies of passwords are wiped.
 */
#include "base/auth_msg.h"

#include <string.h>

#include "base/field.h"
#include "base/secret.h"

/* By enum auth_reason. */
static const char *const reason_names[] = {
    [AUTH_ACCEPTED] = "accepted",
    [AUTH_UNKNOWN_USER] = "unknown-user",
    [AUTH_WRONG_PASSWORD] = "wrong-password",
    [AUTH_DISABLED] = "disabled",
    [AUTH_EXPIRED] = "expired",
    [AUTH_TOO_MANY_SESSIONS] = "too-many-sessions",
    [AUTH_POOL_EMPTY] = "pool-empty",
    [AUTH_ADDRESS_IN_USE] = "address-in-use",
    [AUTH_METHOD_NOT_POSSIBLE] = "method-not-possible",
    [AUTH_INTERNAL] = "internal-error",
};

#define REASONS (sizeof(reason_names) / sizeof(reason_names[0]))

const char *
auth_reason_name(uint8_t reason)
{
	return reason < REASONS ? reason_names[reason] : "unknown-reason";
}

bool
auth_msg_put_ask(struct wr *w, const struct auth_ask *a)
{
	wr_be64(w, a->ref);
	wr_u8(w, a->method);
	wr_u8(w, a->chap_id);
	wr_be32(w, a->association);
	field_put_endpoint(w, &a->device);
	field_put_blob_max(w, a->name, a->name_bytes, sizeof(a->name));
	field_put_blob_max(
	    w, a->challenge, a->challenge_bytes, sizeof(a->challenge));
	return field_put_blob_max(
	    w, a->response, a->response_bytes, sizeof(a->response));
}

bool
auth_msg_get_ask(struct rd *r, struct auth_ask *ret)
{
	struct auth_ask a = {.ref = 0};
	bool ok;

	rd_be64(r, &a.ref);
	rd_u8(r, &a.method);
	rd_u8(r, &a.chap_id);
	rd_be32(r, &a.association);
	field_get_endpoint(r, &a.device);
	field_get_blob(r, a.name, sizeof(a.name), &a.name_bytes);
	field_get_blob(r, a.challenge, sizeof(a.challenge), &a.challenge_bytes);
	field_get_blob(r, a.response, sizeof(a.response), &a.response_bytes);
	ok = field_get_end(r);
	if (ok)
		*ret = a;
	wipe(&a, sizeof(a));
	return ok;
}

bool
auth_msg_put_verdict(struct wr *w, const struct auth_verdict *v)
{
	wr_be64(w, v->ref);
	wr_u8(w, v->reason);
	field_put_blob_max(w, v->message, v->message_bytes, sizeof(v->message));
	wr_bytes(w, v->ipv4_local, sizeof(v->ipv4_local));
	wr_bytes(w, v->ipv4_peer, sizeof(v->ipv4_peer));
	wr_bytes(w, v->ipv4_dns, sizeof(v->ipv4_dns));
	wr_bytes(w, v->ipv4_nbns, sizeof(v->ipv4_nbns));
	wr_bytes(w, v->ifid_peer, sizeof(v->ifid_peer));
	wr_be32(w, v->session_limit_s);
	wr_be32(w, v->idle_limit_s);
	field_put_text(w, v->user, sizeof(v->user));
	wr_u8(w, v->group);
	wr_bytes(w, v->ipv6_prefix, sizeof(v->ipv6_prefix));
	return field_put_networks(w, &v->routes);
}

bool
auth_msg_get_verdict(struct rd *r, struct auth_verdict *ret)
{
	struct auth_verdict v = {.ref = 0};

	rd_be64(r, &v.ref);
	if (!rd_u8(r, &v.reason))
		return false;
	if (v.reason >= REASONS)
		return rd_fail(r, "unknown reason");
	field_get_blob(r, v.message, sizeof(v.message), &v.message_bytes);
	rd_bytes(r, v.ipv4_local, sizeof(v.ipv4_local));
	rd_bytes(r, v.ipv4_peer, sizeof(v.ipv4_peer));
	rd_bytes(r, v.ipv4_dns, sizeof(v.ipv4_dns));
	rd_bytes(r, v.ipv4_nbns, sizeof(v.ipv4_nbns));
	rd_bytes(r, v.ifid_peer, sizeof(v.ifid_peer));
	rd_be32(r, &v.session_limit_s);
	rd_be32(r, &v.idle_limit_s);
	field_get_text(r, v.user, sizeof(v.user));
	rd_u8(r, &v.group);
	rd_bytes(r, v.ipv6_prefix, sizeof(v.ipv6_prefix));
	field_get_networks(r, &v.routes);
	if (!field_get_end(r))
		return false;
	*ret = v;
	return true;
}

bool
auth_msg_put_use(struct wr *w, const struct auth_use *u)
{
	wr_be64(w, u->ref);
	wr_be64(w, u->bytes_in);
	wr_be64(w, u->bytes_out);
	wr_be64(w, u->packets_in);
	wr_be64(w, u->packets_out);
	return field_put_text(w, u->reason, sizeof(u->reason));
}

bool
auth_msg_get_use(struct rd *r, struct auth_use *ret)
{
	struct auth_use u = {.ref = 0};

	rd_be64(r, &u.ref);
	rd_be64(r, &u.bytes_in);
	rd_be64(r, &u.bytes_out);
	rd_be64(r, &u.packets_in);
	rd_be64(r, &u.packets_out);
	field_get_text(r, u.reason, sizeof(u.reason));
	if (!field_get_end(r))
		return false;
	*ret = u;
	return true;
}
