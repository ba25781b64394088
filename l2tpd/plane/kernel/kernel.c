/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.c: the operations of the kernel plane (contract in plane.h and
 * kernel.h): which associations, tunnels and sessions there are. SAs are
 * charon's and the kernel's; here they only say that an association lives.
 *
 * Trusts the engine. Runs without rights.
 */
#include "l2tpd/plane/kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "l2tpd/plane/kernel/kernel_int.h"

static const struct plane_ops ops;

static struct kernel_plane *
kernel_of(struct plane *p)
{
	return (struct kernel_plane *)p;
}

struct kernel_assoc *
kernel_assoc_find(struct kernel_plane *p, uint32_t id)
{
	struct kernel_assoc *a;

	HASH_FIND(hh, p->assocs, &id, sizeof(id), a);
	return a;
}

static struct kernel_session *
find_session(struct kernel_plane *p, uint32_t id)
{
	struct kernel_session *s;

	HASH_FIND(hh, p->sessions, &id, sizeof(id), s);
	return s;
}

/* ---- associations ---- */

static struct kernel_assoc *
assoc_new(struct kernel_plane *p, const struct esp_sa_params *sa)
{
	struct kernel_assoc *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->id = sa->association;
	a->mark = sa->mark;
	a->control.fd = a->spare_fd = -1;
	STAILQ_INIT(&a->waiting);
	LIST_INIT(&a->tunnels);
	HASH_ADD(hh, p->assocs, id, sizeof(a->id), a);
	HASH_FIND(hh_mark, p->by_mark, &a->mark, sizeof(a->mark), a->older);
	if (a->older != NULL)
		HASH_DELETE(hh_mark, p->by_mark, a->older);
	HASH_ADD(hh_mark, p->by_mark, mark, sizeof(a->mark), a);
	return a;
}

static void
mark_unlink(struct kernel_plane *p, struct kernel_assoc *a)
{
	struct kernel_assoc *newest, *i;

	HASH_FIND(hh_mark, p->by_mark, &a->mark, sizeof(a->mark), newest);
	if (newest == a) {
		HASH_DELETE(hh_mark, p->by_mark, a);
		if (a->older != NULL)
			HASH_ADD(hh_mark, p->by_mark, mark,
			    sizeof(a->older->mark), a->older);
		return;
	}
	for (i = newest; i != NULL; i = i->older)
		if (i->older == a)
			i->older = a->older;
}

/* Without SAs and without tunnels. */
static void
assoc_forget(struct kernel_plane *p, struct kernel_assoc *a)
{
	if (a->sas > 0 || !LIST_EMPTY(&a->tunnels))
		return;
	kernel_drop_waiting(a);
	kernel_socket_close(&a->control);
	if (a->spare_fd >= 0)
		close(a->spare_fd);
	HASH_DELETE(hh, p->assocs, a);
	mark_unlink(p, a);
	free(a);
}

static struct kernel_sa_key
sa_key(uint32_t spi, bool inbound, const struct endpoint *peer)
{
	struct kernel_sa_key key = {.spi = spi, .inbound = inbound};

	if (!inbound)
		memcpy(key.peer, peer->addr, sizeof(key.peer));
	return key;
}

static struct kernel_sa *
find_sa(struct kernel_plane *p, uint32_t spi, bool inbound,
    const struct endpoint *peer)
{
	const struct kernel_sa_key key = sa_key(spi, inbound, peer);
	struct kernel_sa *s;

	HASH_FIND(hh, p->sas, &key, sizeof(key), s);
	return s;
}

static int
sa_add(struct plane *plane, const struct esp_sa_params *params)
{
	struct kernel_plane *p = kernel_of(plane);
	struct kernel_assoc *a;
	struct kernel_sa *s;

	if (params->mark == 0 || (params->mark & ~p->cfg.mark_mask) != 0)
		return -ERANGE;
	if (find_sa(p, params->spi, params->inbound, &params->peer) != NULL)
		return -EEXIST;
	a = kernel_assoc_find(p, params->association);
	if (a == NULL)
		a = assoc_new(p, params);
	s = calloc(1, sizeof(*s));
	if (a == NULL || s == NULL) {
		free(s);
		return -ENOMEM;
	}
	s->key = sa_key(params->spi, params->inbound, &params->peer);
	s->assoc = a;
	HASH_ADD(hh, p->sas, key, sizeof(s->key), s);
	a->sas++;
	a->local = params->local;
	a->peer = params->peer;
	kernel_want_sockets(p, a);
	return 0;
}

static int
sa_update(struct plane *plane, uint32_t spi, bool inbound,
    const struct endpoint *old_peer, const struct endpoint *local,
    const struct endpoint *peer, bool encap)
{
	struct kernel_plane *p = kernel_of(plane);
	struct kernel_sa *s = find_sa(p, spi, inbound, old_peer);
	struct kernel_tunnel *t;
	struct kernel_assoc *a;

	(void)encap;
	if (s == NULL)
		return -ENOENT;
	HASH_DEL(p->sas, s);
	s->key = sa_key(spi, inbound, peer);
	HASH_ADD(hh, p->sas, key, sizeof(s->key), s);
	a = s->assoc;
	a->local = *local;
	if (endpoint_same_address(&a->peer, peer)) {
		a->peer = *peer;
		return 0;
	}
	a->peer = *peer;
	LIST_FOREACH (t, &a->tunnels, next)
		kernel_tunnel_move(t);
	return 0;
}

static int
sa_del(struct plane *plane, uint32_t spi, bool inbound,
    const struct endpoint *peer)
{
	struct kernel_plane *p = kernel_of(plane);
	struct kernel_sa *s = find_sa(p, spi, inbound, peer);
	struct kernel_assoc *a;

	if (s == NULL)
		return -ENOENT;
	a = s->assoc;
	HASH_DEL(p->sas, s);
	free(s);
	a->sas--;
	assoc_forget(p, a);
	return 0;
}

/* The kernel counts; charon asks it. */
static int
sa_counters(struct plane *plane, uint32_t spi, bool inbound,
    const struct endpoint *peer, struct esp_counters *ret)
{
	(void)plane, (void)spi, (void)inbound, (void)peer, (void)ret;
	return -ENOTSUP;
}

static const char *
cipher_name(struct plane *plane, uint32_t association)
{
	return kernel_assoc_find(kernel_of(plane), association) != NULL
	    ? "kernel"
	    : "-";
}

static void
spi_expect(struct plane *plane, uint32_t spi, bool expect)
{
	(void)plane, (void)spi, (void)expect;
}

static int
ike_send(struct plane *plane, const struct endpoint *local,
    const struct endpoint *peer, struct rd data)
{
	(void)plane, (void)local, (void)peer, (void)data;
	return -ENOTSUP; /* charon has its own sockets */
}

static int
l2tp_send(struct plane *plane, uint32_t association, uint16_t peer_port,
    struct rd datagram)
{
	struct kernel_plane *p = kernel_of(plane);
	struct kernel_assoc *a = kernel_assoc_find(p, association);

	if (a == NULL || a->sas == 0)
		return -ENOENT;
	return kernel_send(p, a, peer_port, datagram);
}

/* ---- sessions ---- */

static int
session_add(struct plane *plane, const struct plane_session *params)
{
	struct kernel_plane *p = kernel_of(plane);
	struct kernel_assoc *a = kernel_assoc_find(p, params->association);
	struct kernel_session *s;
	int rc;

	if (a == NULL)
		return -ENOENT;
	if (params->id == 0 || params->uplink)
		return -EINVAL;
	if (find_session(p, params->id) != NULL)
		return -EEXIST;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->id = params->id;
	s->params = *params;
	rc = kernel_tunnel_get(p, a, params, false, &s->tunnel);
	if (rc < 0) {
		free(s);
		return rc;
	}
	rc = s->pppox_fd = kernel_session_socket(s->tunnel, params);
	if (rc == -ENOTSUP)
		rc = slow_add(p, params);
	if (rc < 0) {
		kernel_tunnel_put(s->tunnel);
		free(s);
		return rc;
	}
	HASH_ADD(hh, p->sessions, id, sizeof(s->id), s);
	return 0;
}

static void
session_del(struct plane *plane, uint32_t id)
{
	struct kernel_plane *p = kernel_of(plane);
	struct kernel_session *s = find_session(p, id);
	struct kernel_assoc *a;

	if (s == NULL)
		return;
	a = s->tunnel->assoc;
	HASH_DEL(p->sessions, s);
	if (s->pppox_fd >= 0)
		close(s->pppox_fd);
	slow_del(p, id);
	kernel_tunnel_put(s->tunnel);
	free(s);
	assoc_forget(p, a);
}

/* The kernel's tunnel has its socket's mark for ever; one of ours has none. */
static int
session_rebind(
    struct plane *plane, uint32_t id, uint32_t association, uint16_t peer_port)
{
	struct kernel_plane *p = kernel_of(plane);
	struct kernel_session *s = find_session(p, id);
	struct kernel_assoc *a = kernel_assoc_find(p, association), *before;
	struct user_session *u = slow_find(p, id);
	struct kernel_tunnel *t;
	int rc;

	if (s == NULL || a == NULL)
		return -ENOENT;
	if (u == NULL)
		return -ENOTSUP;
	rc = kernel_tunnel_get(p, a, &s->params, true, &t);
	if (rc < 0)
		return rc;
	before = s->tunnel->assoc;
	kernel_tunnel_put(s->tunnel);
	s->tunnel = t;
	s->params.association = association;
	s->params.peer_port = peer_port;
	u->params = s->params;
	assoc_forget(p, before);
	return 0;
}

/* pppd opened it already: its interface has the addresses. */
static int
session_open_ipv4(struct plane *plane, uint32_t id, const uint8_t address[4],
    uint16_t peer_mru)
{
	struct kernel_plane *p = kernel_of(plane);
	struct user_session *u = slow_find(p, id);

	if (u != NULL)
		return session_table_open_ipv4(
		    &p->slow.sessions, u, address, peer_mru);
	return find_session(p, id) != NULL ? 0 : -ENOENT;
}

static int
session_open_ipv6(struct plane *plane, uint32_t id, const uint8_t prefix[8],
    const uint8_t ifid[8], uint16_t peer_mru)
{
	struct kernel_plane *p = kernel_of(plane);

	(void)prefix, (void)ifid, (void)peer_mru;
	if (slow_find(p, id) != NULL)
		return -ENOTSUP;
	return find_session(p, id) != NULL ? 0 : -ENOENT;
}

static int
session_routes(
    struct plane *plane, uint32_t id, const struct ipv4_networks *nets)
{
	struct kernel_plane *p = kernel_of(plane);
	struct user_session *u = slow_find(p, id);

	if (u != NULL)
		return session_table_set_networks(&p->slow.sessions, u, nets);
	return nets->count == 0 ? 0 : -ENOTSUP;
}

static void
session_shut(struct plane *plane, uint32_t id)
{
	struct kernel_plane *p = kernel_of(plane);
	struct user_session *u = slow_find(p, id);

	if (u != NULL)
		session_table_shut(&p->slow.sessions, u);
}

static int
ppp_send(struct plane *plane, uint32_t session, struct rd frame)
{
	struct kernel_plane *p = kernel_of(plane);
	const struct user_session *u = slow_find(p, session);

	return u != NULL ? slow_ppp_send(p, u, frame) : -ENOTSUP;
}

static int
session_counters(struct plane *plane, uint32_t id, struct plane_counters *ret)
{
	struct kernel_plane *p = kernel_of(plane);
	struct kernel_session *s = find_session(p, id);
	struct plane_counters c;
	int rc;

	if (s == NULL)
		return -ENOENT;
	if (s->pppox_fd < 0) {
		session_read_counters(slow_find(p, id), ret);
		return 0;
	}
	memset(&c, 0, sizeof(c));
	rc = kernel_session_stats(s, &c);
	if (rc < 0)
		return rc;
	if (c.packets_in != s->last_in_packets) {
		s->last_in_packets = c.packets_in;
		s->last_in_ms = loop_now_ms(p->loop);
	}
	c.last_in_ms = s->last_in_ms;
	*ret = c;
	return 0;
}

static void
totals(struct plane *plane, struct plane_totals *ret)
{
	*ret = kernel_of(plane)->totals;
}

static int
session_channel(struct plane *plane, uint32_t id)
{
	const struct kernel_session *s = find_session(kernel_of(plane), id);
	int fd;

	if (s == NULL)
		return -ENOENT;
	if (s->pppox_fd < 0)
		return -ENOTSUP;
	fd = fcntl(s->pppox_fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* ---- beside plane.h ---- */

void
plane_kernel_socket(struct plane *plane, uint32_t mark, int fd)
{
	struct kernel_assoc *a = NULL;

	if (plane->ops == &ops)
		HASH_FIND(
		    hh_mark, kernel_of(plane)->by_mark, &mark, sizeof(mark), a);
	if (a != NULL)
		kernel_socket_given(kernel_of(plane), a, fd);
	else
		close(fd);
}

static void
kernel_free(struct plane *plane)
{
	struct kernel_plane *p = kernel_of(plane);
	struct kernel_session *s, *next_s;
	struct kernel_sa *sa, *next_sa;

	HASH_ITER (hh, p->sessions, s, next_s)
		session_del(plane, s->id);
	HASH_ITER (hh, p->sas, sa, next_sa) {
		struct kernel_assoc *a = sa->assoc;

		HASH_DEL(p->sas, sa);
		free(sa);
		a->sas--;
		assoc_forget(p, a);
	}
	slow_close(p);
	kernel_socket_close(&p->listener);
	free(p);
}

static const struct plane_ops ops = {
    .free = kernel_free,
    .sa_add = sa_add,
    .sa_update = sa_update,
    .sa_del = sa_del,
    .sa_counters = sa_counters,
    .cipher_name = cipher_name,
    .spi_expect = spi_expect,
    .ike_send = ike_send,
    .l2tp_send = l2tp_send,
    .session_add = session_add,
    .session_del = session_del,
    .session_rebind = session_rebind,
    .session_open_ipv4 = session_open_ipv4,
    .session_open_ipv6 = session_open_ipv6,
    .session_routes = session_routes,
    .session_shut = session_shut,
    .ppp_send = ppp_send,
    .session_counters = session_counters,
    .totals = totals,
    .session_channel = session_channel,
};

struct plane *
plane_kernel_new(struct loop *loop, const struct plane_kernel_config *cfg,
    const struct plane_events *events, void *ctx)
{
	struct kernel_plane *p = calloc(1, sizeof(*p));
	int rc;

	if (p == NULL) {
		close(cfg->udp_fd);
		if (cfg->tun_fd >= 0)
			close(cfg->tun_fd);
		errno = ENOMEM;
		return NULL;
	}
	p->plane.ops = &ops;
	p->loop = loop;
	p->cfg = *cfg;
	p->events = *events;
	p->ctx = ctx;
	rc = kernel_socket_open(p, &p->listener, cfg->udp_fd);
	if (slow_open(p, cfg->tun_fd) < 0)
		rc = -ENOMEM;
	if (rc < 0) {
		slow_close(p);
		kernel_socket_close(&p->listener);
		free(p);
		errno = -rc;
		return NULL;
	}
	return &p->plane;
}
