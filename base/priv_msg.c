/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * priv_msg.c: the records between the monitor and its children that have
 * fields (contract in priv_msg.h). The addresses are what a server told its
 * client: get refuses those that no host has.
 */
#include "base/priv_msg.h"

#include <string.h>

#include "base/field.h"

static bool
is_none(const uint8_t a[4])
{
	static const uint8_t none[4];

	return memcmp(a, none, 4) == 0;
}

/* RFC 6890: this network, loopback, link local; multicast and above. */
static bool
is_host(const uint8_t a[4])
{
	return a[0] != 0 && a[0] != 127 && a[0] < 224 &&
	    !(a[0] == 169 && a[1] == 254);
}

bool
priv_msg_put_link(struct wr *w, const struct priv_link *l)
{
	return wr_bytes(w, l->local, 4) && wr_bytes(w, l->peer, 4) &&
	    wr_bytes(w, l->dns, sizeof(l->dns));
}

bool
priv_link_is_sane(const struct priv_link *l)
{
	bool ok = is_host(l->local) && (is_none(l->peer) || is_host(l->peer));

	for (int i = 0; i < 2; i++)
		ok = ok && (is_none(l->dns[i]) || is_host(l->dns[i]));
	return ok;
}

bool
priv_msg_get_link(struct rd *r, struct priv_link *ret)
{
	struct priv_link l;

	if (!rd_bytes(r, l.local, 4) || !rd_bytes(r, l.peer, 4) ||
	    !rd_bytes(r, l.dns, sizeof(l.dns)))
		return false;
	if (!rd_end(r))
		return rd_fail(r, "bytes behind the link");
	if (!priv_link_is_sane(&l))
		return rd_fail(r, "an address that no host has");
	*ret = l;
	return true;
}

bool
priv_msg_put_routes(struct wr *w, const struct priv_routes *p)
{
	wr_be32(w, p->session);
	return field_put_networks(w, &p->nets);
}

bool
priv_msg_get_routes(struct rd *r, struct priv_routes *ret)
{
	struct priv_routes p;

	if (!rd_be32(r, &p.session) || !field_get_networks(r, &p.nets) ||
	    !field_get_end(r))
		return false;
	*ret = p;
	return true;
}

bool
priv_msg_put_forget(struct wr *w, const struct priv_forget *f)
{
	wr_be32(w, f->mark);
	wr_bytes(w, f->local, 4);
	wr_bytes(w, f->peer, 4);
	wr_be32(w, f->spi_in);
	wr_be32(w, f->spi_out);
	return field_put_bool(w, f->policies);
}

bool
priv_msg_get_forget(struct rd *r, struct priv_forget *ret)
{
	struct priv_forget f = {.mark = 0};

	rd_be32(r, &f.mark);
	rd_bytes(r, f.local, 4);
	rd_bytes(r, f.peer, 4);
	rd_be32(r, &f.spi_in);
	rd_be32(r, &f.spi_out);
	field_get_bool(r, &f.policies);
	if (!field_get_end(r))
		return false;
	if (f.mark == 0)
		return rd_fail(r, "no mark");
	*ret = f;
	return true;
}

bool
priv_msg_get_end(struct rd *r, enum priv_end *ret)
{
	uint32_t v;

	if (!rd_be32(r, &v) || !rd_end(r) || v >= PRIV_END_COUNT_)
		return rd_fail(r, "no such reason");
	*ret = (enum priv_end)v;
	return true;
}
