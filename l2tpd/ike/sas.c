/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sas.c: reads what charon tells about SAs (contract in sas.h), pure.
 *
 * Shape (vici/README.md, "list-sa event", "ike-updown event" and following):
 *   [up = yes] [new hosts and ports of ike-update]
 *   IKE-NAME { keys  child-sas { CHILD-NAME { keys  [old {..} new {..}] } } }
 * Children may stand before keys of their IKE_SA: its section is read twice.
 */
#include "l2tpd/ike/sas.h"

#include <string.h>

#include "l2tpd/ike/vici.h"

/* What a section contains, from behind its start to before its end; the
 * reader moves behind the end. */
static bool
section_body(struct vici_reader *r, struct rd *ret)
{
	const uint8_t depth = r->depth;
	struct rd before = r->rd;
	struct vici_token t;
	size_t left = r->rd.left;

	while (vici_next(r, &t)) {
		if (r->depth < depth)
			return rd_sub(&before, before.left - left, ret);
		left = r->rd.left;
	}
	return false;
}

struct hosts {
	char local[64], remote[64];
	uint32_t local_port, remote_port;
};

static void
host_key(struct hosts *h, const struct vici_token *t)
{
	if (strcmp(t->name, "local-host") == 0)
		vici_text(t->value, h->local, sizeof(h->local));
	else if (strcmp(t->name, "remote-host") == 0)
		vici_text(t->value, h->remote, sizeof(h->remote));
	else if (strcmp(t->name, "local-port") == 0)
		vici_number(t->value, 10, &h->local_port);
	else if (strcmp(t->name, "remote-port") == 0)
		vici_number(t->value, 10, &h->remote_port);
}

static void
set_hosts(struct ike_sa_info *info, const struct hosts *h)
{
	if (h->local_port <= UINT16_MAX)
		endpoint_parse(h->local, (uint16_t)h->local_port, &info->local);
	if (h->remote_port <= UINT16_MAX)
		endpoint_parse(
		    h->remote, (uint16_t)h->remote_port, &info->remote);
}

/* The values of an IKE_SA's own keys, into info. */
static bool
read_ike(struct rd body, struct ike_sa_info *info)
{
	struct vici_reader r = vici_reader_init(body);
	struct hosts h = {{0}};
	struct vici_token t;

	while (vici_next(&r, &t)) {
		if (t.element != VICI_KEY_VALUE || r.depth > 0)
			continue;
		host_key(&h, &t);
		if (strcmp(t.name, "uniqueid") == 0)
			vici_number(t.value, 10, &info->unique_id);
		else if (strcmp(t.name, "state") == 0)
			info->established = vici_equals(t.value, "ESTABLISHED");
		else if (strcmp(t.name, "remote-id") == 0)
			vici_text(
			    t.value, info->remote_id, sizeof(info->remote_id));
	}
	set_hosts(info, &h);
	return rd_ok(&r.rd);
}

static void
child_key(struct child_sa_info *child, const struct vici_token *t)
{
	if (strcmp(t->name, "uniqueid") == 0)
		vici_number(t->value, 10, &child->unique_id);
	else if (strcmp(t->name, "reqid") == 0)
		vici_number(t->value, 10, &child->reqid);
	else if (strcmp(t->name, "spi-in") == 0)
		vici_number(t->value, 16, &child->spi_in);
	else if (strcmp(t->name, "spi-out") == 0)
		vici_number(t->value, 16, &child->spi_out);
	else if (strcmp(t->name, "mark-in") == 0)
		vici_number(t->value, 16, &child->mark_in);
	else if (strcmp(t->name, "encap") == 0)
		child->encap = vici_equals(t->value, "yes");
	else if (strcmp(t->name, "state") == 0)
		child->installed = vici_equals(t->value, "INSTALLED");
}

static bool
read_child(struct rd body, struct child_sa_info *child)
{
	struct child_sa_info old = {0};
	struct vici_reader r = vici_reader_init(body);
	struct vici_token t;
	struct rd inner;

	while (vici_next(&r, &t)) {
		if (t.element == VICI_KEY_VALUE) {
			child_key(child, &t);
		} else if (t.element == VICI_SECTION_START) {
			if (!section_body(&r, &inner))
				return false;
			if (strcmp(t.name, "new") == 0 &&
			    !read_child(inner, child))
				return false;
			if (strcmp(t.name, "old") == 0) {
				if (!read_child(inner, &old))
					return false;
				child->old_spi_in = old.spi_in;
			}
		}
	}
	return rd_ok(&r.rd);
}

static bool
visit_children(struct rd body, const struct ike_sa_info *ike,
    const struct ike_sas_visitor *visitor, void *ctx)
{
	struct vici_reader r = vici_reader_init(body);
	struct child_sa_info child;
	struct vici_token t;
	struct rd inner;

	while (vici_next(&r, &t)) {
		if (t.element != VICI_SECTION_START)
			continue;
		child = (struct child_sa_info){.installed = true};
		if (!section_body(&r, &inner) || !read_child(inner, &child))
			return false;
		if (visitor->child != NULL)
			visitor->child(ctx, ike, &child);
	}
	return rd_ok(&r.rd);
}

static bool
visit_ike(struct rd body, const struct ike_sa_info *ike,
    const struct ike_sas_visitor *visitor, void *ctx)
{
	struct vici_reader r = vici_reader_init(body);
	struct vici_token t;
	struct rd inner;

	if (visitor->ike != NULL)
		visitor->ike(ctx, ike);
	while (vici_next(&r, &t)) {
		if (t.element != VICI_SECTION_START)
			continue;
		if (!section_body(&r, &inner))
			return false;
		if (strcmp(t.name, "child-sas") == 0 &&
		    !visit_children(inner, ike, visitor, ctx))
			return false;
	}
	return rd_ok(&r.rd);
}

bool
ike_sas_read(
    struct rd message, const struct ike_sas_visitor *visitor, void *ctx)
{
	struct vici_reader r = vici_reader_init(message);
	struct hosts updated = {{0}};
	struct ike_sa_info ike;
	struct vici_token t;
	bool up = false;
	struct rd inner;

	while (vici_next(&r, &t)) {
		if (t.element == VICI_KEY_VALUE) {
			host_key(&updated, &t);
			if (strcmp(t.name, "up") == 0)
				up = vici_equals(t.value, "yes");
		}
		if (t.element != VICI_SECTION_START)
			continue;
		ike = (struct ike_sa_info){.up = up};
		vici_text(rd_init(t.name, strlen(t.name)), ike.connection,
		    sizeof(ike.connection));
		if (!section_body(&r, &inner) || !read_ike(inner, &ike))
			return false;
		set_hosts(&ike, &updated);
		if (!visit_ike(inner, &ike, visitor, ctx))
			return false;
	}
	return rd_ok(&r.rd);
}
