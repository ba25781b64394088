/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * field.c: fields of inter-process messages (contract in field.h). Owns
 * nothing, trusts nothing that it reads.
 */
#include "base/field.h"

#include <string.h>

bool
field_put_bool(struct wr *w, bool v)
{
	return wr_u8(w, v ? 1 : 0);
}

bool
field_get_bool(struct rd *r, bool *ret)
{
	uint8_t v;

	if (!rd_u8(r, &v))
		return false;
	if (v > 1)
		return rd_fail(r, "flag is neither 0 nor 1");
	*ret = v == 1;
	return true;
}

bool
field_put_endpoint(struct wr *w, const struct endpoint *e)
{
	size_t n = e->family == 4 ? 4 : e->family == 6 ? 16 : 0;

	wr_u8(w, n == 0 ? 0 : e->family);
	wr_bytes(w, e->addr, n);
	return wr_be16(w, e->port);
}

bool
field_get_endpoint(struct rd *r, struct endpoint *ret)
{
	struct endpoint e = {.family = 0};

	if (!rd_u8(r, &e.family))
		return false;
	if (e.family != 0 && e.family != 4 && e.family != 6)
		return rd_fail(r, "unknown address family");
	rd_bytes(r, e.addr, e.family == 4 ? 4 : e.family == 6 ? 16 : 0);
	if (!rd_be16(r, &e.port))
		return false;
	*ret = e;
	return true;
}

bool
field_put_blob(struct wr *w, const void *p, size_t n)
{
	if (n > UINT16_MAX) {
		w->failed = true;
		return false;
	}
	wr_be16(w, (uint16_t)n);
	return wr_bytes(w, p, n);
}

bool
field_put_blob_max(struct wr *w, const void *p, size_t n, size_t cap)
{
	if (n > cap) {
		w->failed = true;
		return false;
	}
	return field_put_blob(w, p, n);
}

bool
field_get_blob(struct rd *r, uint8_t *ret, size_t cap, uint16_t *ret_bytes)
{
	uint16_t n;

	if (!rd_be16(r, &n))
		return false;
	if (n > cap)
		return rd_fail(r, "field too long");
	if (!rd_bytes(r, ret, n))
		return false;
	*ret_bytes = n;
	return true;
}

bool
field_put_text(struct wr *w, const char *text, size_t cap)
{
	size_t n = strnlen(text, cap);

	if (n == cap) {
		w->failed = true;
		return false;
	}
	return field_put_blob(w, text, n);
}

bool
field_get_text(struct rd *r, char *ret, size_t cap)
{
	const uint8_t *p;
	uint16_t n;

	if (!rd_be16(r, &n))
		return false;
	if (n >= cap)
		return rd_fail(r, "text too long");
	if (!rd_take(r, n, &p))
		return false;
	if (n > 0 && memchr(p, 0, n) != NULL)
		return rd_fail(r, "zero byte in a text");
	if (n > 0)
		memcpy(ret, p, n);
	ret[n] = '\0';
	return true;
}

bool
field_put_networks(struct wr *w, const struct ipv4_networks *nets)
{
	if (nets->count > IPV4_NETWORKS_MAX) {
		w->failed = true;
		return false;
	}
	wr_u8(w, nets->count);
	for (size_t i = 0; i < nets->count; i++) {
		wr_bytes(w, nets->at[i].net, sizeof(nets->at[i].net));
		wr_u8(w, nets->at[i].bits);
	}
	return wr_ok(w);
}

bool
field_get_networks(struct rd *r, struct ipv4_networks *ret)
{
	struct ipv4_networks nets = {.count = 0};
	struct ipv4_network *n;
	uint8_t count;

	if (!rd_u8(r, &count))
		return false;
	if (count > IPV4_NETWORKS_MAX)
		return rd_fail(r, "too many networks");
	while (nets.count < count) {
		n = &nets.at[nets.count++];
		if (!rd_bytes(r, n->net, sizeof(n->net)) || !rd_u8(r, &n->bits))
			return false;
		if (!ipv4_network_is_sane(n))
			return rd_fail(r, "a network that no hosts are in");
	}
	*ret = nets;
	return true;
}

bool
field_get_end(struct rd *r)
{
	if (!rd_ok(r))
		return false;
	if (r->left != 0)
		return rd_fail(r, "bytes after the message");
	return true;
}
