/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link_msg.c: codec of the messages between a PPP process and the engine
 * (contract in link_msg.h). Owns nothing, trusts nothing that it reads. It is
 * linked into pppd's plugin as well, so it uses cursors and fields only.
 */
#include "base/link_msg.h"

#include <string.h>

#include "base/field.h"
#include "base/secret.h"

/* What goes into logs must not hold anything that is not a plain letter. */
static bool
get_word(struct rd *r, char *ret, size_t cap)
{
	const char *p;

	if (!field_get_text(r, ret, cap))
		return false;
	for (p = ret; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			return rd_fail(r, "not a plain word");
	return true;
}

bool
link_msg_put_hello(struct wr *w, const struct link_hello *m)
{
	wr_be32(w, m->version);
	return field_put_text(w, m->ppp, sizeof(m->ppp));
}

bool
link_msg_get_hello(struct rd *r, struct link_hello *ret)
{
	struct link_hello m = {.version = 0};

	rd_be32(r, &m.version);
	get_word(r, m.ppp, sizeof(m.ppp));
	if (!field_get_end(r))
		return false;
	*ret = m;
	return true;
}

bool
link_msg_put_ask(struct wr *w, const struct link_ask *m)
{
	wr_be32(w, m->serial);
	wr_u8(w, m->method);
	wr_u8(w, m->chap_id);
	field_put_blob_max(w, m->name, m->name_bytes, sizeof(m->name));
	field_put_blob_max(
	    w, m->challenge, m->challenge_bytes, sizeof(m->challenge));
	return field_put_blob_max(
	    w, m->response, m->response_bytes, sizeof(m->response));
}

bool
link_msg_get_ask(struct rd *r, struct link_ask *ret)
{
	struct link_ask m = {.serial = 0};
	bool ok;

	rd_be32(r, &m.serial);
	rd_u8(r, &m.method);
	rd_u8(r, &m.chap_id);
	if (rd_ok(r) && m.serial == 0)
		return rd_fail(r, "serial 0");
	if (rd_ok(r) &&
	    (m.method < LINK_METHOD_MSCHAPV2 || m.method > LINK_METHOD_EAP))
		return rd_fail(r, "unknown method");
	field_get_blob(r, m.name, sizeof(m.name), &m.name_bytes);
	field_get_blob(r, m.challenge, sizeof(m.challenge), &m.challenge_bytes);
	field_get_blob(r, m.response, sizeof(m.response), &m.response_bytes);
	ok = field_get_end(r);
	if (ok)
		*ret = m;
	wipe(&m, sizeof(m));
	return ok;
}

bool
link_msg_put_verdict(struct wr *w, const struct link_verdict *m)
{
	wr_be32(w, m->serial);
	wr_u8(w, m->decision);
	field_put_blob_max(w, m->message, m->message_bytes, sizeof(m->message));
	wr_bytes(w, m->ipv4_local, sizeof(m->ipv4_local));
	wr_bytes(w, m->ipv4_peer, sizeof(m->ipv4_peer));
	wr_bytes(w, m->ipv4_dns, sizeof(m->ipv4_dns));
	wr_bytes(w, m->ipv4_nbns, sizeof(m->ipv4_nbns));
	wr_bytes(w, m->ifid_local, sizeof(m->ifid_local));
	return wr_bytes(w, m->ifid_peer, sizeof(m->ifid_peer));
}

bool
link_msg_get_verdict(struct rd *r, struct link_verdict *ret)
{
	struct link_verdict m = {.serial = 0};

	rd_be32(r, &m.serial);
	rd_u8(r, &m.decision);
	if (rd_ok(r) && m.decision > LINK_MORE)
		return rd_fail(r, "unknown decision");
	field_get_blob(r, m.message, sizeof(m.message), &m.message_bytes);
	rd_bytes(r, m.ipv4_local, sizeof(m.ipv4_local));
	rd_bytes(r, m.ipv4_peer, sizeof(m.ipv4_peer));
	rd_bytes(r, m.ipv4_dns, sizeof(m.ipv4_dns));
	rd_bytes(r, m.ipv4_nbns, sizeof(m.ipv4_nbns));
	rd_bytes(r, m.ifid_local, sizeof(m.ifid_local));
	rd_bytes(r, m.ifid_peer, sizeof(m.ifid_peer));
	if (!field_get_end(r))
		return false;
	*ret = m;
	return true;
}

bool
link_msg_put_ipv4(struct wr *w, const struct link_ipv4 *m)
{
	wr_bytes(w, m->local, sizeof(m->local));
	wr_bytes(w, m->peer, sizeof(m->peer));
	wr_be16(w, m->mtu);
	return field_put_text(w, m->interface, sizeof(m->interface));
}

bool
link_msg_get_ipv4(struct rd *r, struct link_ipv4 *ret)
{
	struct link_ipv4 m = {.mtu = 0};

	rd_bytes(r, m.local, sizeof(m.local));
	rd_bytes(r, m.peer, sizeof(m.peer));
	rd_be16(r, &m.mtu);
	get_word(r, m.interface, sizeof(m.interface));
	if (!field_get_end(r))
		return false;
	*ret = m;
	return true;
}

bool
link_msg_put_ipv6(struct wr *w, const struct link_ipv6 *m)
{
	wr_bytes(w, m->ifid_local, sizeof(m->ifid_local));
	wr_bytes(w, m->ifid_peer, sizeof(m->ifid_peer));
	return field_put_text(w, m->interface, sizeof(m->interface));
}

bool
link_msg_get_ipv6(struct rd *r, struct link_ipv6 *ret)
{
	struct link_ipv6 m = {.ifid_local = {0}};

	rd_bytes(r, m.ifid_local, sizeof(m.ifid_local));
	rd_bytes(r, m.ifid_peer, sizeof(m.ifid_peer));
	get_word(r, m.interface, sizeof(m.interface));
	if (!field_get_end(r))
		return false;
	*ret = m;
	return true;
}

bool
link_msg_put_use(struct wr *w, const struct link_use *m)
{
	wr_be64(w, m->bytes_in);
	wr_be64(w, m->bytes_out);
	wr_be64(w, m->packets_in);
	return wr_be64(w, m->packets_out);
}

bool
link_msg_get_use(struct rd *r, struct link_use *ret)
{
	struct link_use m = {.bytes_in = 0};

	rd_be64(r, &m.bytes_in);
	rd_be64(r, &m.bytes_out);
	rd_be64(r, &m.packets_in);
	rd_be64(r, &m.packets_out);
	if (!field_get_end(r))
		return false;
	*ret = m;
	return true;
}

bool
link_msg_put_end(struct wr *w, const struct link_end *m)
{
	field_put_text(w, m->why, sizeof(m->why));
	return field_put_bool(w, m->by_peer);
}

bool
link_msg_get_end(struct rd *r, struct link_end *ret)
{
	struct link_end m = {.by_peer = false};

	get_word(r, m.why, sizeof(m.why));
	field_get_bool(r, &m.by_peer);
	if (!field_get_end(r))
		return false;
	*ret = m;
	return true;
}
