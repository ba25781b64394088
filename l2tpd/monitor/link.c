/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link.c: address, routes and name servers of a client (contract in link.h).
 *
 * A default route is two halves, more specific than the one that is there: that
 * one stays as it is. Routes into the TUN device go with its address, and the
 * device goes with the engine; only the host route to the server has to be
 * taken back by hand.
 */
#include "l2tpd/monitor/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "l2tpd/monitor/dns.h"
#include "l2tpd/monitor/route.h"

#define STATE_NAME "link.state"

struct link {
	const struct adit_conf *conf;
	bool up, around; /* around: the host route is ours */
	struct ipv4_network server;
	struct route_hop hop; /* of the host route */
};

static const uint8_t no_address[4];

static int
failed(const char *step, int rc)
{
	log_msg(MSG_LINK_FAILED, "step=%s why=\"%s\"", step, strerror(-rc));
	return rc;
}

/* ---- the host route, and its memory ---- */

static void
state_path(const struct link *l, char *buf, size_t n)
{
	snprintf(buf, n, "%s/%s", l->conf->run_dir, STATE_NAME);
}

static int
remember(const struct link *l)
{
	const uint8_t *s = l->server.net, *g = l->hop.gateway;
	char path[CONF_PATH_MAX];
	FILE *f;

	state_path(l, path, sizeof(path));
	f = fopen(path, "we");
	if (f == NULL)
		return -errno;
	fprintf(f, "%u.%u.%u.%u %u.%u.%u.%u %s\n", s[0], s[1], s[2], s[3], g[0],
	    g[1], g[2], g[3], l->hop.dev);
	return fclose(f) != 0 ? -errno : 0;
}

static void
forget(const struct link *l)
{
	char path[CONF_PATH_MAX];

	state_path(l, path, sizeof(path));
	unlink(path);
}

/* A predecessor was killed: its host route is still there. */
static void
recover(struct link *l)
{
	unsigned int s[4], g[4];
	struct ipv4_network to = {.bits = 32};
	struct route_hop by = {{0}, ""};
	char path[CONF_PATH_MAX];
	FILE *f;
	int n;

	state_path(l, path, sizeof(path));
	f = fopen(path, "re");
	if (f == NULL)
		return;
	n = fscanf(f, "%3u.%3u.%3u.%3u %3u.%3u.%3u.%3u %15s", &s[0], &s[1],
	    &s[2], &s[3], &g[0], &g[1], &g[2], &g[3], by.dev);
	fclose(f);
	for (int i = 0; i < 4 && n == 9; i++) {
		to.net[i] = (uint8_t)s[i];
		by.gateway[i] = (uint8_t)g[i];
	}
	if (n == 9)
		(void)route_del(&to, &by);
	forget(l);
}

static bool
needs_way_around(const struct link *l)
{
	const struct conf_client *c = &l->conf->client;
	bool any = false;

	for (uint16_t i = 0; i < c->route_count; i++)
		any = any || ipv4_network_contains(&c->routes[i], c->server);
	return any;
}

static int
go_around(struct link *l)
{
	int rc;

	if (!needs_way_around(l))
		return 0;
	l->server.bits = 32;
	memcpy(l->server.net, l->conf->client.server, 4);
	rc = route_find(l->server.net, &l->hop);
	if (rc < 0)
		return failed("find-server", rc);
	rc = remember(l);
	if (rc < 0)
		return failed("remember", rc);
	rc = route_add(&l->server, &l->hop);
	if (rc == -EEXIST) { /* somebody else's, and it leads there */
		forget(l);
		return 0;
	}
	if (rc < 0)
		return failed("server-route", rc);
	l->around = true;
	return 0;
}

/* ---- into the tunnel ---- */

static int
add_into(struct link *l, const struct ipv4_network *to)
{
	struct route_hop by = {{0}, ""};
	int rc;

	memcpy(by.dev, l->conf->tun_name, sizeof(by.dev));
	rc = route_add(to, &by);
	return rc == -EEXIST ? 0 : rc;
}

static int
add_halves(struct link *l)
{
	static const struct ipv4_network halves[2] = {
	    {{0, 0, 0, 0}, 1}, {{128, 0, 0, 0}, 1}};
	int rc = add_into(l, &halves[0]);

	return rc == 0 ? add_into(l, &halves[1]) : rc;
}

/* A name server that the tunnel's routes do not reach is given its own. */
static int
add_dns(struct link *l, const uint8_t address[4])
{
	struct ipv4_network to = {.bits = 32};

	if (memcmp(address, no_address, 4) == 0 ||
	    memcmp(address, l->conf->client.server, 4) == 0)
		return 0;
	memcpy(to.net, address, 4);
	return add_into(l, &to);
}

static int
add_routes(struct link *l, const struct priv_link *p)
{
	const struct conf_client *c = &l->conf->client;
	int rc = 0;

	for (uint16_t i = 0; rc == 0 && i < c->route_count; i++)
		rc = c->routes[i].bits == 0 ? add_halves(l)
					    : add_into(l, &c->routes[i]);
	for (int i = 0; rc == 0 && !c->no_dns && i < 2; i++)
		rc = add_dns(l, p->dns[i]);
	return rc;
}

/* ---- all ---- */

int
link_up(struct link *l, const struct priv_link *p)
{
	const struct conf_client *c = &l->conf->client;
	/* a peer address that is the server's own would lead the tunnel into
	 * itself */
	const uint8_t *peer =
	    memcmp(p->peer, c->server, 4) == 0 ? no_address : p->peer;
	int rc;

	if (l->up)
		link_down(l);
	if (memcmp(p->local, c->server, 4) == 0)
		return failed("address", -EADDRNOTAVAIL);
	l->up = true;
	rc = go_around(l);
	if (rc < 0)
		goto out;
	rc = address_set(l->conf->tun_name, p->local, peer);
	if (rc < 0) {
		failed("address", rc);
		goto out;
	}
	rc = add_routes(l, p);
	if (rc < 0) {
		failed("routes", rc);
		goto out;
	}
	if (!c->no_dns && dns_set(l->conf, p->dns) < 0)
		goto out; /* logged; a tunnel without names is still one */
	log_msg(MSG_LINK_UP, "tun=%s address=%u.%u.%u.%u", l->conf->tun_name,
	    p->local[0], p->local[1], p->local[2], p->local[3]);
out:
	if (rc < 0)
		link_down(l);
	return rc;
}

void
link_down(struct link *l)
{
	int rc;

	if (!l->up)
		return;
	l->up = false;
	if (!l->conf->client.no_dns)
		dns_restore(l->conf, false);
	(void)address_set(l->conf->tun_name, no_address, no_address);
	if (l->around) {
		rc = route_del(&l->server, &l->hop);
		if (rc < 0 && rc != -ESRCH)
			failed("server-route", rc);
		forget(l);
	}
	l->around = false;
	log_msg(MSG_LINK_DOWN, "tun=%s", l->conf->tun_name);
}

struct link *
link_new(const struct adit_conf *conf)
{
	struct link *l;

	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	l->conf = conf;
	recover(l);
	if (!conf->client.no_dns)
		dns_restore(conf, true);
	return l;
}

void
link_free(struct link *l)
{
	if (l == NULL)
		return;
	link_down(l);
	free(l);
}
