/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * site_routes.c: routes to networks behind clients (contract in site_routes.h).
 * Remembers which routes are ours, and takes back no other. Treats the engine
 * as hostile: it can have the packets for networks that are not the machine's
 * own sent to the TUN device, and no others.
 */
#include "l2tpd/monitor/site_routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/log.h"
#include "l2tpd/conf/sites.h"
#include "l2tpd/monitor/route.h"

struct site {
	uint32_t session;          /* key */
	struct ipv4_networks nets; /* whose routes are set */
	UT_hash_handle hh;
};

struct site_routes {
	const struct adit_conf *conf;
	struct site *sites;
	size_t count; /* routes */
};

static struct route_hop
hop_of(const struct site_routes *t)
{
	struct route_hop by = {{0}, ""};

	memcpy(by.dev, t->conf->tun_name, sizeof(by.dev));
	return by;
}

static void
refused(uint32_t session, const struct ipv4_network *n, const char *why)
{
	char text[IPV4_NETWORK_TEXT];

	log_msg(MSG_ROUTE_REFUSED, "session=%u net=%s why=\"%s\"", session,
	    ipv4_network_format(n, text, sizeof(text)), why);
}

/* NULL, or why not. */
static const char *
add(struct site_routes *t, const struct ipv4_network *n)
{
	static char why[64];
	char dev[ROUTE_DEV_MAX];
	const char *problem = sites_problem(t->conf, n);
	int rc;

	if (problem != NULL)
		return problem;
	if (t->count == SITE_ROUTES_MAX)
		return "too many routes";
	rc = route_find_link(n, t->conf->tun_name, dev);
	if (rc == 0) {
		snprintf(why, sizeof(why),
		    "it overlaps the machine's own network at %s", dev);
		return why;
	}
	if (rc == -ENOENT)
		rc = route_add_new(n, t->conf->tun_name);
	if (rc == -EEXIST)
		return "the machine has another route to it";
	return rc < 0 ? strerror(-rc) : NULL;
}

static void
take_back(struct site_routes *t, struct site *s)
{
	const struct route_hop by = hop_of(t);
	size_t i;

	/* errors: it went with the device, or by another's hand */
	for (i = 0; i < s->nets.count; i++)
		(void)route_del(&s->nets.at[i], &by);
	t->count -= s->nets.count;
	HASH_DEL(t->sites, s);
	free(s);
}

void
site_routes_set(struct site_routes *t, const struct priv_routes *p)
{
	const char *why;
	struct site *s;
	size_t i;

	HASH_FIND(hh, t->sites, &p->session, sizeof(p->session), s);
	if (s != NULL)
		take_back(t, s);
	if (p->nets.count == 0)
		return;
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		refused(p->session, &p->nets.at[0], strerror(ENOMEM));
		return;
	}
	s->session = p->session;
	HASH_ADD(hh, t->sites, session, sizeof(s->session), s);
	for (i = 0; i < p->nets.count; i++) {
		why = add(t, &p->nets.at[i]);
		if (why != NULL) {
			refused(p->session, &p->nets.at[i], why);
			continue;
		}
		s->nets.at[s->nets.count++] = p->nets.at[i];
		t->count++;
	}
	if (s->nets.count == 0)
		take_back(t, s);
}

struct site_routes *
site_routes_new(const struct adit_conf *conf)
{
	struct site_routes *t = calloc(1, sizeof(*t));

	if (t != NULL)
		t->conf = conf;
	return t;
}

void
site_routes_free(struct site_routes *t)
{
	struct site *s, *next;

	if (t == NULL)
		return;
	HASH_ITER (hh, t->sites, s, next)
		take_back(t, s);
	free(t);
}
