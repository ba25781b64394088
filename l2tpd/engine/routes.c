/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * routes.c: networks behind a session's device, while IP flows in it: the plane
 * lets their packets through and the monitor makes the kernel's routes to the
 * TUN device. Which they are is the authority's word; that they do not lead the
 * tunnel into itself, and that no two sessions have the same, is seen to here.
 *
 * Who comes second waits: a device that is back before its old session was
 * found dead gets its networks when that one ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "l2tpd/engine/internal.h"

void
routes_take(struct session *s, const struct ipv4_networks *nets)
{
	routes_down(s);
	free(s->routes);
	s->routes = NULL;
	if (nets->count == 0)
		return;
	s->routes = malloc(sizeof(*s->routes));
	if (s->routes == NULL)
		log_msg(MSG_ROUTE_REFUSED, "session=%u user=%s why=\"%s\"",
		    s->id, sessions_user(s), strerror(ENOMEM));
	else
		*s->routes = *nets;
}

/* Without those where the device itself is: its ESP would go into its own
 * tunnel. */
static void
leave_out_device(struct session *s)
{
	const struct association *a = s->box->assoc;
	struct ipv4_networks *nets = s->routes;
	char text[IPV4_NETWORK_TEXT];
	size_t i, kept = 0;

	if (a == NULL || a->peer.family != 4)
		return;
	for (i = 0; i < nets->count; i++) {
		if (!ipv4_network_contains(&nets->at[i], a->peer.addr)) {
			nets->at[kept++] = nets->at[i];
			continue;
		}
		log_msg(MSG_ROUTE_REFUSED,
		    "session=%u user=%s net=%s why=\"the device's outer "
		    "address is in it\"",
		    s->id, sessions_user(s),
		    ipv4_network_format(&nets->at[i], text, sizeof(text)));
	}
	nets->count = (uint8_t)kept;
}

static const char *
reason(int rc)
{
	return rc == -EEXIST ? "taken by another session" : strerror(-rc);
}

/* again: it waited; nothing is said when it goes on to wait. */
static void
set_up(struct session *s, bool again)
{
	struct engine *e = s->engine;
	char text[IPV4_NETWORKS_TEXT];
	int rc;

	rc = plane_session_routes(e->plane, s->id, s->routes);
	ipv4_networks_format(s->routes, text, sizeof(text));
	if (rc < 0) {
		if (!again)
			log_msg(MSG_ROUTE_REFUSED,
			    "session=%u user=%s nets=%s why=\"%s\"", s->id,
			    sessions_user(s), text, reason(rc));
		if (!again && rc == -EEXIST) {
			s->routes_wait = true;
			LIST_INSERT_HEAD(&e->routes_waiting, s, waiting);
		}
		return;
	}
	if (again)
		LIST_REMOVE(s, waiting);
	s->routes_wait = false;
	s->routes_up = true;
	e->start.routes(e->start.ctx, s->id, s->routes);
	log_msg(MSG_ROUTES_UP, "session=%u user=%s nets=%s", s->id,
	    sessions_user(s), text);
}

void
routes_up(struct session *s)
{
	if (s->routes == NULL || s->routes_up || s->routes_wait)
		return;
	leave_out_device(s);
	if (s->routes->count > 0)
		set_up(s, false);
}

void
routes_down(struct session *s)
{
	static const struct ipv4_networks none;
	struct engine *e = s->engine;
	struct session *other, *after;

	if (s->routes_wait)
		LIST_REMOVE(s, waiting);
	s->routes_wait = false;
	if (!s->routes_up)
		return;
	s->routes_up = false;
	plane_session_routes(e->plane, s->id, &none);
	e->start.routes(e->start.ctx, s->id, &none);
	for (other = LIST_FIRST(&e->routes_waiting);
	     other != NULL && !e->stopping; other = after) {
		after = LIST_NEXT(other, waiting);
		set_up(other, true);
	}
}
