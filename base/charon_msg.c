/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * charon_msg.c: codec of the messages between charon's plugin and the engine
 * (contract in charon_msg.h). Owns nothing, trusts nothing that it reads. A
 * get decodes into a local value first: what it returns is whole or untouched,
 * and copies of keys are wiped.
 */
#include "base/charon_msg.h"

#include <string.h>

#include "base/field.h"
#include "base/secret.h"

bool
charon_msg_put_endpoint(struct wr *w, const struct endpoint *e)
{
	return field_put_endpoint(w, e);
}

bool
charon_msg_get_endpoint(struct rd *r, struct endpoint *ret)
{
	return field_get_endpoint(r, ret);
}

static bool
put_key(struct wr *w, const uint8_t *key, uint8_t n)
{
	if (n > CHARON_MSG_KEY_MAX) {
		w->failed = true;
		return false;
	}
	wr_u8(w, n);
	return wr_bytes(w, key, n);
}

static bool
get_key(struct rd *r, uint8_t *ret, uint8_t *ret_bytes)
{
	uint8_t n;

	if (!rd_u8(r, &n))
		return false;
	if (n > CHARON_MSG_KEY_MAX)
		return rd_fail(r, "key too long");
	if (!rd_bytes(r, ret, n))
		return false;
	*ret_bytes = n;
	return true;
}

static bool
get_spi(struct rd *r, uint32_t *ret)
{
	uint32_t spi;

	if (!rd_be32(r, &spi))
		return false;
	if (spi == 0) /* RFC 4303 2.1: never on the wire */
		return rd_fail(r, "SPI is zero");
	*ret = spi;
	return true;
}

bool
charon_msg_put_sa(struct wr *w, const struct charon_sa *sa)
{
	wr_be32(w, sa->spi);
	field_put_bool(w, sa->inbound);
	field_put_bool(w, sa->encap);
	wr_be32(w, sa->mark);
	wr_be32(w, sa->reqid);
	field_put_endpoint(w, &sa->local);
	field_put_endpoint(w, &sa->peer);
	wr_be16(w, sa->enc_alg);
	wr_be16(w, sa->int_alg);
	put_key(w, sa->enc_key, sa->enc_key_bytes);
	put_key(w, sa->int_key, sa->int_key_bytes);
	wr_be64(w, sa->hard_time_s);
	wr_be64(w, sa->hard_bytes);
	wr_be64(w, sa->hard_packets);
	return wr_be16(w, sa->peer_port);
}

bool
charon_msg_get_sa(struct rd *r, struct charon_sa *ret)
{
	struct charon_sa sa = {.spi = 0};
	bool ok;

	get_spi(r, &sa.spi);
	field_get_bool(r, &sa.inbound);
	field_get_bool(r, &sa.encap);
	rd_be32(r, &sa.mark);
	rd_be32(r, &sa.reqid);
	field_get_endpoint(r, &sa.local);
	field_get_endpoint(r, &sa.peer);
	rd_be16(r, &sa.enc_alg);
	rd_be16(r, &sa.int_alg);
	get_key(r, sa.enc_key, &sa.enc_key_bytes);
	get_key(r, sa.int_key, &sa.int_key_bytes);
	rd_be64(r, &sa.hard_time_s);
	rd_be64(r, &sa.hard_bytes);
	rd_be64(r, &sa.hard_packets);
	rd_be16(r, &sa.peer_port);
	ok = field_get_end(r);
	if (ok)
		*ret = sa;
	wipe(&sa, sizeof(sa));
	return ok;
}

bool
charon_msg_put_sa_update(struct wr *w, const struct charon_sa_update *u)
{
	wr_be32(w, u->spi);
	field_put_bool(w, u->inbound);
	field_put_bool(w, u->encap);
	field_put_endpoint(w, &u->old_peer);
	field_put_endpoint(w, &u->local);
	return field_put_endpoint(w, &u->peer);
}

bool
charon_msg_get_sa_update(struct rd *r, struct charon_sa_update *ret)
{
	struct charon_sa_update u = {.spi = 0};

	get_spi(r, &u.spi);
	field_get_bool(r, &u.inbound);
	field_get_bool(r, &u.encap);
	field_get_endpoint(r, &u.old_peer);
	field_get_endpoint(r, &u.local);
	field_get_endpoint(r, &u.peer);
	if (!field_get_end(r))
		return false;
	*ret = u;
	return true;
}

bool
charon_msg_put_sa_del(struct wr *w, const struct charon_sa_del *d)
{
	wr_be32(w, d->spi);
	field_put_bool(w, d->inbound);
	return field_put_endpoint(w, &d->peer);
}

bool
charon_msg_get_sa_del(struct rd *r, struct charon_sa_del *ret)
{
	struct charon_sa_del d = {.spi = 0};

	get_spi(r, &d.spi);
	field_get_bool(r, &d.inbound);
	field_get_endpoint(r, &d.peer);
	if (!field_get_end(r))
		return false;
	*ret = d;
	return true;
}

bool
charon_msg_put_ike(struct wr *w, const struct charon_ike *i)
{
	if (i->data.left > CHARON_MSG_IKE_MAX) {
		w->failed = true;
		return false;
	}
	field_put_endpoint(w, &i->local);
	field_put_endpoint(w, &i->peer);
	return wr_bytes(w, i->data.p, i->data.left);
}

bool
charon_msg_get_ike(struct rd *r, struct charon_ike *ret)
{
	struct charon_ike i = {.local.family = 0};

	field_get_endpoint(r, &i.local);
	if (!field_get_endpoint(r, &i.peer))
		return false;
	if (r->left > CHARON_MSG_IKE_MAX)
		return rd_fail(r, "IKE message too long");
	if (!rd_sub(r, r->left, &i.data))
		return false;
	*ret = i;
	return true;
}

bool
charon_msg_put_child(struct wr *w, const struct charon_child *c)
{
	wr_be32(w, c->mark);
	wr_be32(w, c->ike_id);
	field_put_text(w, c->identity, sizeof(c->identity));
	return field_put_text(w, c->connection, sizeof(c->connection));
}

bool
charon_msg_get_child(struct rd *r, struct charon_child *ret)
{
	struct charon_child c = {.mark = 0};

	rd_be32(r, &c.mark);
	rd_be32(r, &c.ike_id);
	field_get_text(r, c.identity, sizeof(c.identity));
	field_get_text(r, c.connection, sizeof(c.connection));
	if (!field_get_end(r))
		return false;
	*ret = c;
	return true;
}

bool
charon_msg_put_alert(struct wr *w, const struct charon_alert *a)
{
	wr_u8(w, a->kind);
	field_put_endpoint(w, &a->peer);
	field_put_text(w, a->identity, sizeof(a->identity));
	return field_put_text(w, a->detail, sizeof(a->detail));
}

bool
charon_msg_get_alert(struct rd *r, struct charon_alert *ret)
{
	struct charon_alert a = {.kind = 0};

	if (!rd_u8(r, &a.kind))
		return false;
	if (a.kind < CHARON_ALERT_WRONG_PSK || a.kind > CHARON_ALERT_OTHER)
		return rd_fail(r, "unknown kind of alert");
	field_get_endpoint(r, &a.peer);
	field_get_text(r, a.identity, sizeof(a.identity));
	field_get_text(r, a.detail, sizeof(a.detail));
	if (!field_get_end(r))
		return false;
	*ret = a;
	return true;
}
