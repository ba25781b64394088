/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * workers.c: one plane of many workers (contract in workers.h), in the engine's
 * thread. Owns the workers, a directory of their SAs and a mirror of their
 * sessions: what the engine asks is answered from these, what it wants is told
 * the worker. SAs and sessions are made here and freed by their worker.
 *
 * Who serves a client: the worker that its newest inbound SA comes to. When a
 * rekey (RFC 2409 5.5) changes that, its outbound SAs and sessions follow: the
 * old worker gives them back and the new one gets them.
 */
#include "l2tpd/plane/user/workers.h"

#include <errno.h>
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* CPU affinity */
#endif
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "l2tpd/plane/user/directory.h"
#include "l2tpd/plane/user/steer.h"
#include "l2tpd/plane/user/worker.h"
#include "l2tpd/proto/tunnel.h"

/* In the mirror: a session as the engine sees it. */
struct known_session {
	struct user_session seen;     /* first: the mirror's table owns it */
	struct user_session *session; /* the worker's */
	uint8_t worker;
	bool moving; /* between two workers: nobody's */
};

struct workers {
	struct plane base; /* first */
	struct loop *loop;
	struct plane_events events;
	void *ctx;
	struct steer_maps maps;
	struct esp_table *maker; /* of SAs; has none itself */
	struct directory directory;
	struct session_table mirror; /* of struct known_session */
	unsigned int moves;          /* under way */
	unsigned int told_offloads;  /* as off */
	unsigned int busy;           /* depth of callbacks */
	bool dead;                   /* plane_free() was called while busy */
	size_t n;
	struct worker worker[];
};

static struct workers *
workers_of(struct plane *p)
{
	return (struct workers *)p;
}

static struct known_session *
known_of(struct user_session *s)
{
	return (struct known_session *)s;
}

static struct known_session *
known_by_id(const struct workers *ws, uint32_t id)
{
	return known_of(session_by_id(&ws->mirror, id));
}

/* ---- the end ---- */

/* What was given back and not yet passed on. */
static void
free_given(struct worker *w)
{
	struct report *r;
	size_t n;

	while ((r = ring_peek(w->reports, &n)) != NULL) {
		if (r->kind == REPORT_SA_GIVEN)
			esp_sa_free(r->sa);
		else if (r->kind == REPORT_SESSION_GIVEN)
			free(r->given);
		ring_drop(w->reports);
	}
}

static void
close_maps(struct workers *ws)
{
	if (ws->maps.addresses_fd >= 0)
		close(ws->maps.addresses_fd);
	if (ws->maps.networks_fd >= 0)
		close(ws->maps.networks_fd);
	ws->maps = (struct steer_maps){-1, -1};
}

static void
destroy(struct workers *ws)
{
	size_t i;

	for (i = 0; i < ws->n; i++) {
		worker_stop(&ws->worker[i]);
		loop_fd_free(ws->worker[i].reports_watch);
	}
	for (i = 0; i < ws->n; i++)
		if (ws->worker[i].reports != NULL)
			free_given(&ws->worker[i]);
	for (i = 0; i < ws->n; i++)
		worker_fini(&ws->worker[i]);
	directory_fini(&ws->directory);
	session_table_clear(&ws->mirror);
	esp_table_free(ws->maker);
	close_maps(ws);
	free(ws);
}

static void
workers_free(struct plane *p)
{
	struct workers *ws = workers_of(p);
	size_t i;

	if (ws->busy == 0) {
		destroy(ws);
		return;
	}
	ws->dead = true; /* inside a callback: on_reports() does it */
	for (i = 0; i < ws->n; i++) {
		loop_fd_free(ws->worker[i].reports_watch);
		ws->worker[i].reports_watch = NULL;
	}
}

/* ---- to the workers ---- */

static void
command_sa(struct workers *ws, enum command_kind kind, const struct known_sa *k)
{
	struct worker *w = &ws->worker[k->worker];
	struct command *c = worker_command(w, kind, 0);

	c->sa.sa = k->sa;
	c->sa.local = k->local;
	c->sa.peer = k->peer;
	c->sa.encap = k->encap;
	c->sa.newest = k ==
	    LIST_FIRST(k->inbound ? &k->association->inbound
				  : &k->association->outbound);
	worker_send(w);
}

static struct command *
command_session(
    struct workers *ws, enum command_kind kind, const struct known_session *k)
{
	struct command *c = worker_command(&ws->worker[k->worker], kind, 0);

	c->session.session = k->session;
	return c;
}

static void
send_session(struct workers *ws, const struct known_session *k)
{
	worker_send(&ws->worker[k->worker]);
}

/* What a network is refused for is no harm: its packets come to the first queue
 * and go on from there, see forward_tun(). */
static void
steer_networks(struct workers *ws, const struct known_session *k)
{
	struct ipv4_networks nets;

	session_table_get_networks(&ws->mirror, &k->seen, &nets);
	for (size_t i = 0; i < nets.count; i++)
		(void)steer_tun_set_network(
		    ws->maps.networks_fd, &nets.at[i], k->worker);
}

static void
unsteer_networks(struct workers *ws, const struct known_session *k)
{
	struct ipv4_networks nets;

	session_table_get_networks(&ws->mirror, &k->seen, &nets);
	for (size_t i = 0; i < nets.count; i++)
		(void)steer_tun_unset_network(
		    ws->maps.networks_fd, &nets.at[i]);
}

/* Its packets from the TUN device: to its worker's queue. Where that cannot be
 * told (the map is full, or closed to us), the kernel shall learn it for all
 * sessions from what the queues write. */
static void
steer_session(struct workers *ws, const struct known_session *k)
{
	int rc = 0;

	steer_networks(ws, k);
	if (k->seen.ipv4_open)
		rc |= steer_tun_set(ws->maps.addresses_fd,
		    steer_key_ipv4(k->seen.ipv4), k->worker);
	if (k->seen.ipv6_open)
		rc |= steer_tun_set(ws->maps.addresses_fd,
		    steer_key_ipv6(k->seen.prefix), k->worker);
	if (rc == 0)
		return;
	steer_tun_off(ws->worker[0].user->cfg.tun_fd);
	close_maps(ws);
}

static void
unsteer_session(struct workers *ws, const struct known_session *k)
{
	unsteer_networks(ws, k);
	if (k->seen.ipv4_open)
		(void)steer_tun_unset(
		    ws->maps.addresses_fd, steer_key_ipv4(k->seen.ipv4));
	if (k->seen.ipv6_open)
		(void)steer_tun_unset(
		    ws->maps.addresses_fd, steer_key_ipv6(k->seen.prefix));
}

static void
command_open_ipv4(struct workers *ws, const struct known_session *k)
{
	struct command *c = command_session(ws, COMMAND_SESSION_OPEN_IPV4, k);

	memcpy(c->session.address, k->seen.ipv4, sizeof(k->seen.ipv4));
	c->session.peer_mru = k->seen.mru_ipv4;
	send_session(ws, k);
}

static void
command_open_ipv6(struct workers *ws, const struct known_session *k)
{
	struct command *c = command_session(ws, COMMAND_SESSION_OPEN_IPV6, k);

	memcpy(c->session.address, k->seen.prefix, sizeof(k->seen.prefix));
	memcpy(c->session.ifid, k->seen.ifid, sizeof(k->seen.ifid));
	c->session.peer_mru = k->seen.mru_ipv6;
	send_session(ws, k);
}

static void
command_networks(struct workers *ws, const struct known_session *k)
{
	struct worker *w = &ws->worker[k->worker];
	struct ipv4_networks nets;
	struct command *c;

	session_table_get_networks(&ws->mirror, &k->seen, &nets);
	c = worker_command(w, COMMAND_SESSION_NETWORKS, sizeof(nets));
	c->session.session = k->session;
	memcpy(c->bytes, &nets, sizeof(nets));
	worker_send(w);
}

static void
command_set(struct workers *ws, const struct known_session *k)
{
	struct command *c = command_session(ws, COMMAND_SESSION_SET, k);

	c->session.association = k->seen.params.association;
	c->session.peer_port = k->seen.params.peer_port;
	send_session(ws, k);
}

/* All that the engine has said of it, to a worker that has not heard it. */
static void
install_session(struct workers *ws, const struct known_session *k)
{
	command_session(ws, COMMAND_SESSION_ADD, k);
	send_session(ws, k);
	command_set(ws, k);
	if (k->seen.ipv4_open)
		command_open_ipv4(ws, k);
	if (k->seen.has_networks)
		command_networks(ws, k);
	if (k->seen.ipv6_open)
		command_open_ipv6(ws, k);
	steer_session(ws, k);
}

/* ---- from one worker to another ---- */

static uint8_t
home_of(const struct workers *ws, uint32_t association)
{
	const struct known_association *a =
	    directory_association(&ws->directory, association);

	if (a != NULL)
		return a->worker;
	return (uint8_t)(association % ws->n);
}

/* Who has it, or will have it when the next command comes. */
static struct worker *
worker_of(struct workers *ws, const struct known_session *k)
{
	return &ws->worker[k->moving ? home_of(ws, k->seen.params.association)
				     : k->worker];
}

static void
move_session(struct workers *ws, struct known_session *k)
{
	if (k->moving || k->worker == home_of(ws, k->seen.params.association) ||
	    ws->moves >= WORKER_MOVES_MAX)
		return; /* in the last case by the slow way, for now */
	ws->moves++;
	k->moving = true;
	command_session(ws, COMMAND_SESSION_GIVE, k);
	send_session(ws, k);
}

static void
move_sa(struct workers *ws, struct known_sa *k)
{
	if (k->moving || k->worker == k->association->worker ||
	    ws->moves >= WORKER_MOVES_MAX)
		return;
	ws->moves++;
	k->moving = true;
	command_sa(ws, COMMAND_SA_GIVE, k);
}

static void
settle_at(struct workers *ws, struct known_association *a, uint8_t worker)
{
	struct session_index *x = &ws->mirror.by_id;
	struct known_session *s;
	struct known_sa *k;
	size_t i;

	a->worker = worker;
	LIST_FOREACH (k, &a->outbound, in_association)
		move_sa(ws, k);
	for (i = 0; i < x->count; i++) {
		s = known_of(x->slots[i].session);
		if (s != NULL && s->seen.params.association == a->id)
			move_session(ws, s);
	}
}

static void
sa_given(struct workers *ws, const struct report *r)
{
	const struct index *x = &ws->directory.outbound; /* only those move */
	uint32_t spi = esp_sa_spi(r->sa);
	size_t pos = index_home(x, spi);
	struct known_association *a;
	struct known_sa *k;

	ws->moves--;
	while ((k = index_next(x, spi, &pos)) != NULL && k->sa != r->sa)
		;
	if (k == NULL)
		return; /* not possible: it is kept until it is given */
	k->moving = false;
	a = k->association;
	if (k->doomed) {
		esp_sa_free(k->sa);
		directory_del(&ws->directory, k);
		directory_association_drop(&ws->directory, a);
		return;
	}
	k->worker = a->worker;
	command_sa(ws, COMMAND_SA_ADD, k);
	command_sa(ws, COMMAND_SA_SET, k);
}

static void
session_given(struct workers *ws, const struct report *r)
{
	struct known_session *k = known_by_id(ws, r->given->params.id);

	ws->moves--;
	if (k == NULL || k->session != r->given) { /* deleted meanwhile */
		free(r->given);
		return;
	}
	k->moving = false;
	k->worker = home_of(ws, k->seen.params.association);
	install_session(ws, k);
}

/* ---- SAs ---- */

static void
del_sa(struct workers *ws, struct known_sa *k)
{
	if (k->moving) {
		k->doomed = true;
		return;
	}
	command_sa(ws, COMMAND_SA_DEL, k);
	directory_del(&ws->directory, k);
}

static int
workers_sa_add(struct plane *p, const struct esp_sa_params *params)
{
	struct workers *ws = workers_of(p);
	struct directory *d = &ws->directory;
	uint8_t worker = params->inbound ? steer_by_spi(params->spi, ws->n)
					 : home_of(ws, params->association);
	struct known_association *a, *old_association = NULL;
	struct known_sa *k, *old;
	struct esp_sa *sa;
	int rc;

	old =
	    directory_find_same(d, params->spi, params->inbound, &params->peer);
	if (old != NULL && !params->inbound &&
	    old->association->id != params->association)
		return -EEXIST; /* as esp_sa_add() */
	rc = esp_sa_make(ws->maker, params, loop_now_ms(ws->loop), &sa);
	if (rc < 0)
		return rc;
	a = directory_association_make(d, params->association, worker);
	k = a != NULL ? directory_add(d, a, params, sa) : NULL;
	if (k == NULL) {
		if (a != NULL)
			directory_association_drop(d, a);
		esp_sa_free(sa);
		return -ENOMEM;
	}
	k->worker = worker;
	command_sa(ws, COMMAND_SA_ADD, k);
	if (old != NULL) {
		old_association = old->association;
		del_sa(ws, old);
		if (old_association != a)
			directory_association_drop(d, old_association);
	}
	if (params->inbound && a->worker != worker)
		settle_at(ws, a, worker);
	return 0;
}

static int
workers_sa_update(struct plane *p, uint32_t spi, bool inbound,
    const struct endpoint *old_peer, const struct endpoint *local,
    const struct endpoint *peer, bool encap)
{
	struct workers *ws = workers_of(p);
	struct known_sa *k =
	    directory_find(&ws->directory, spi, inbound, old_peer);

	if (k == NULL)
		k = directory_find(&ws->directory, spi, inbound, peer);
	if (k == NULL)
		return -ENOENT;
	k->local = *local;
	k->peer = *peer;
	k->encap = encap;
	if (!k->moving) /* else its new worker is told */
		command_sa(ws, COMMAND_SA_SET, k);
	return 0;
}

static int
workers_sa_del(
    struct plane *p, uint32_t spi, bool inbound, const struct endpoint *peer)
{
	struct workers *ws = workers_of(p);
	struct known_sa *k = directory_find(&ws->directory, spi, inbound, peer);
	struct known_association *a;

	if (k == NULL)
		return -ENOENT;
	a = k->association;
	del_sa(ws, k);
	directory_association_drop(&ws->directory, a);
	return 0;
}

static int
workers_sa_counters(struct plane *p, uint32_t spi, bool inbound,
    const struct endpoint *peer, struct esp_counters *ret)
{
	const struct known_sa *k =
	    directory_find(&workers_of(p)->directory, spi, inbound, peer);

	if (k == NULL)
		return -ENOENT;
	esp_sa_read_counters(k->sa, ret);
	return 0;
}

static const struct known_sa *
outbound_of(const struct workers *ws, uint32_t association)
{
	const struct known_association *a =
	    directory_association(&ws->directory, association);
	const struct known_sa *k;

	if (a != NULL)
		LIST_FOREACH (k, &a->outbound, in_association)
			if (!k->doomed)
				return k;
	return NULL;
}

static const char *
workers_cipher_name(struct plane *p, uint32_t association)
{
	const struct known_sa *k = outbound_of(workers_of(p), association);

	return k != NULL ? esp_sa_cipher_name(k->sa) : "-";
}

static void
workers_spi_expect(struct plane *p, uint32_t spi, bool expect)
{
	struct workers *ws = workers_of(p);
	struct worker *w = &ws->worker[steer_by_spi(spi, ws->n)];
	struct command *c = worker_command(w, COMMAND_SPI, 0);

	c->spi.number = spi;
	c->spi.expect = expect;
	worker_send(w);
}

/* ---- packets ---- */

/* Nothing of the worker but its sockets is touched. */
static int
workers_ike_send(struct plane *p, const struct endpoint *local,
    const struct endpoint *peer, struct rd data)
{
	return send_ike(workers_of(p)->worker[0].user, local, peer, data);
}

static int
send_packet(struct worker *w, enum command_kind kind, uint32_t association,
    uint32_t session, uint16_t peer_port, struct rd data)
{
	struct command *c = worker_command(w, kind, data.left);

	if (c == NULL)
		return -ENOBUFS;
	c->packet.association = association;
	c->packet.session = session;
	c->packet.peer_port = peer_port;
	c->packet.len = data.left;
	memcpy(c->bytes, data.p, data.left);
	worker_send(w);
	return 0;
}

static int
workers_l2tp_send(struct plane *p, uint32_t association, uint16_t peer_port,
    struct rd datagram)
{
	struct workers *ws = workers_of(p);
	const struct known_sa *k = outbound_of(ws, association);

	if (k == NULL)
		return -ENOENT;
	return send_packet(&ws->worker[k->association->worker], COMMAND_L2TP,
	    association, 0, peer_port, datagram);
}

static int
workers_ppp_send(struct plane *p, uint32_t session, struct rd frame)
{
	struct workers *ws = workers_of(p);
	const struct known_session *k = known_by_id(ws, session);

	if (k == NULL || outbound_of(ws, k->seen.params.association) == NULL)
		return -ENOENT;
	return send_packet(worker_of(ws, k), COMMAND_PPP, 0, session, 0, frame);
}

/* ---- sessions ---- */

static int
workers_session_add(struct plane *p, const struct plane_session *s)
{
	struct workers *ws = workers_of(p);
	struct known_session *k;
	int rc;

	if (s->id == 0)
		return -EINVAL;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return -ENOMEM;
	user_session_init(&k->seen, s);
	k->worker = home_of(ws, s->association);
	k->session = user_session_new(s);
	rc = k->session != NULL ? session_table_adopt(&ws->mirror, &k->seen)
				: -ENOMEM;
	if (rc < 0) {
		free(k->session);
		free(k);
		return rc;
	}
	install_session(ws, k);
	return 0;
}

static void
workers_session_del(struct plane *p, uint32_t id)
{
	struct workers *ws = workers_of(p);
	struct known_session *k = known_by_id(ws, id);

	if (k == NULL)
		return;
	unsteer_session(ws, k);
	if (!k->moving) { /* else session_given() frees it */
		command_session(ws, COMMAND_SESSION_DEL, k);
		send_session(ws, k);
	}
	session_table_del(&ws->mirror, &k->seen);
}

static int
workers_session_rebind(
    struct plane *p, uint32_t id, uint32_t association, uint16_t peer_port)
{
	struct workers *ws = workers_of(p);
	struct known_session *k = known_by_id(ws, id);

	if (k == NULL)
		return -ENOENT;
	k->seen.params.association = association;
	k->seen.params.peer_port = peer_port;
	if (k->moving)
		return 0; /* its new worker is told */
	command_set(ws, k);
	move_session(ws, k);
	return 0;
}

/* The mirror's session was opened, or refused to be (rc): its worker and the
 * kernel hear of it. */
static int
opened(struct workers *ws, struct known_session *k, int rc,
    void (*tell)(struct workers *, const struct known_session *))
{
	if (rc == 0 && !k->moving)
		tell(ws, k);
	steer_session(ws, k);
	return rc;
}

static int
workers_session_open_ipv4(
    struct plane *p, uint32_t id, const uint8_t address[4], uint16_t peer_mru)
{
	struct workers *ws = workers_of(p);
	struct known_session *k = known_by_id(ws, id);
	int rc;

	if (k == NULL)
		return -ENOENT;
	unsteer_session(ws, k);
	rc = session_table_open_ipv4(&ws->mirror, &k->seen, address, peer_mru);
	return opened(ws, k, rc, command_open_ipv4);
}

static int
workers_session_open_ipv6(struct plane *p, uint32_t id, const uint8_t prefix[8],
    const uint8_t ifid[8], uint16_t peer_mru)
{
	struct workers *ws = workers_of(p);
	struct known_session *k = known_by_id(ws, id);
	int rc;

	if (k == NULL)
		return -ENOENT;
	unsteer_session(ws, k);
	rc = session_table_open_ipv6(
	    &ws->mirror, &k->seen, prefix, ifid, peer_mru);
	return opened(ws, k, rc, command_open_ipv6);
}

static int
workers_session_routes(
    struct plane *p, uint32_t id, const struct ipv4_networks *nets)
{
	struct workers *ws = workers_of(p);
	struct known_session *k = known_by_id(ws, id);
	int rc;

	if (k == NULL)
		return -ENOENT;
	unsteer_networks(ws, k);
	rc = session_table_set_networks(&ws->mirror, &k->seen, nets);
	if (!k->moving)
		command_networks(ws, k);
	steer_networks(ws, k);
	return rc;
}

static void
workers_session_shut(struct plane *p, uint32_t id)
{
	struct workers *ws = workers_of(p);
	struct known_session *k = known_by_id(ws, id);

	if (k == NULL)
		return;
	unsteer_session(ws, k);
	session_table_shut(&ws->mirror, &k->seen);
	if (!k->moving) {
		command_session(ws, COMMAND_SESSION_SHUT, k);
		send_session(ws, k);
	}
}

static int
workers_session_counters(
    struct plane *p, uint32_t id, struct plane_counters *ret)
{
	const struct known_session *k = known_by_id(workers_of(p), id);

	if (k == NULL)
		return -ENOENT;
	session_read_counters(k->session, ret);
	return 0;
}

static void
add_totals(struct plane_totals *sum, const struct plane_totals *one)
{
	sum->rx_packets += one->rx_packets;
	sum->tx_packets += one->tx_packets;
	sum->rx_batches += one->rx_batches;
	sum->tx_batches += one->tx_batches;
	sum->drop_unknown_spi += one->drop_unknown_spi;
	sum->drop_bad_icv += one->drop_bad_icv;
	sum->drop_replayed += one->drop_replayed;
	sum->drop_malformed += one->drop_malformed;
	sum->drop_no_session += one->drop_no_session;
	sum->drop_spoofed += one->drop_spoofed;
	sum->drop_no_route += one->drop_no_route;
	sum->drop_tx_full += one->drop_tx_full;
	sum->tun_write_errors += one->tun_write_errors;
	sum->send_errors += one->send_errors;
	sum->rx_messages += one->rx_messages;
	sum->tx_messages += one->tx_messages;
	sum->tun_reads += one->tun_reads;
	sum->tun_writes += one->tun_writes;
	sum->gso_refused += one->gso_refused;
	sum->tun_refused += one->tun_refused;
	sum->bad_inner_sums += one->bad_inner_sums;
	sum->workers += one->workers;
	sum->crypto = one->crypto; /* it is the same for all */
}

static void
workers_totals(struct plane *p, struct plane_totals *ret)
{
	struct workers *ws = workers_of(p);
	struct plane_totals one;
	size_t i;

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < ws->n; i++) {
		worker_read_totals(&ws->worker[i], &one);
		add_totals(ret, &one);
	}
}

/* ---- from the workers ---- */

/* Data of a session that is another worker's: that one gets it. */
static bool
forward_inner(struct workers *ws, struct report *r)
{
	struct rd reader = rd_init(r->bytes, r->len);
	const struct known_session *k;
	struct l2tp_packet_head head;

	if (!l2tp_parse_head(&reader, &head) || head.is_control)
		return false;
	k = known_of(
	    session_by_key(&ws->mirror, head.tunnel_id, head.session_id));
	if (k == NULL || k->seen.params.association != r->association)
		return false;
	(void)send_packet(worker_of(ws, k), COMMAND_INNER, r->association, 0, 0,
	    rd_init(r->bytes, r->len));
	return true;
}

/* A packet from the wrong queue of the TUN device. */
static void
forward_tun(struct workers *ws, const struct report *r)
{
	const struct known_session *k;
	struct inet_packet ip;
	struct command *c;
	struct worker *w;

	if (!inet_parse(rd_init(r->bytes, r->len), &ip))
		return;
	k = known_of(ip.version == 4 ? session_towards_ipv4(&ws->mirror, ip.dst)
				     : session_by_prefix(&ws->mirror, ip.dst));
	w = k != NULL ? worker_of(ws, k) : &ws->worker[0]; /* to be counted */
	c = worker_command(w, COMMAND_TUN, r->len);
	if (c == NULL)
		return;
	c->packet.vnet = r->vnet;
	c->packet.len = r->len;
	memcpy(c->bytes, r->bytes, r->len);
	worker_send(w);
}

static void
tell_offload(struct workers *ws, enum plane_offload what)
{
	if (ws->told_offloads & what)
		return;
	ws->told_offloads |= what;
	ws->events.offload_off(ws->ctx, what);
}

static void
on_report(struct workers *ws, struct report *r)
{
	const struct plane_events *e = &ws->events;
	struct rd data = rd_init(r->bytes, r->len);

	switch (r->kind) {
	case REPORT_IKE:
		e->ike(ws->ctx, &r->peer, &r->local, data);
		break;
	case REPORT_L2TP:
		if (!forward_inner(ws, r))
			e->l2tp(ws->ctx, r->association, &r->peer, r->peer_port,
			    data);
		break;
	case REPORT_PPP:
		e->ppp(ws->ctx, r->session, data);
		break;
	case REPORT_SERVICE:
		e->service(ws->ctx, r->session, data);
		break;
	case REPORT_MOVED:
		directory_move(&ws->directory, r->association, &r->peer);
		e->moved(ws->ctx, r->association, r->spi, &r->peer);
		break;
	case REPORT_EXPIRED:
		e->expired(ws->ctx, r->spi, r->inbound);
		break;
	case REPORT_UNKNOWN_SPI:
		e->unknown_spi(ws->ctx, &r->peer, r->spi);
		break;
	case REPORT_OFFLOAD_OFF:
		tell_offload(ws, r->offload);
		break;
	case REPORT_TUN:
		forward_tun(ws, r);
		break;
	case REPORT_SA_GIVEN:
		sa_given(ws, r);
		break;
	case REPORT_SESSION_GIVEN:
		session_given(ws, r);
		break;
	}
}

static void
on_reports(void *ctx, int events)
{
	struct worker *w = ctx;
	struct workers *ws = w->workers;
	struct report *r;
	size_t n;

	(void)events;
	ws->busy++;
	do {
		while (!ws->dead && (r = ring_peek(w->reports, &n)) != NULL) {
			on_report(ws, r);
			ring_drop(w->reports);
		}
	} while (!ws->dead && !ring_sleep(w->reports));
	if (--ws->busy == 0 && ws->dead)
		destroy(ws);
}

static const struct plane_ops workers_ops = {
    .free = workers_free,
    .sa_add = workers_sa_add,
    .sa_update = workers_sa_update,
    .sa_del = workers_sa_del,
    .sa_counters = workers_sa_counters,
    .cipher_name = workers_cipher_name,
    .spi_expect = workers_spi_expect,
    .ike_send = workers_ike_send,
    .l2tp_send = workers_l2tp_send,
    .session_add = workers_session_add,
    .session_del = workers_session_del,
    .session_rebind = workers_session_rebind,
    .session_open_ipv4 = workers_session_open_ipv4,
    .session_open_ipv6 = workers_session_open_ipv6,
    .session_routes = workers_session_routes,
    .session_shut = workers_session_shut,
    .ppp_send = workers_ppp_send,
    .session_counters = workers_session_counters,
    .totals = workers_totals,
};

/* The n-th CPU that we may use; -1: there are fewer. */
static int
nth_cpu(size_t n)
{
	cpu_set_t set;
	int i;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return -1;
	for (i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET((size_t)i, &set) && n-- == 0)
			return i;
	return -1;
}

static int
make_worker(struct workers *ws, const struct plane_config *cfg, size_t i)
{
	struct worker *w = &ws->worker[i];
	int rc = worker_init(w, cfg, (uint8_t)i, nth_cpu(i));

	if (rc == 0 && cfg->esp_fd >= 0)
		rc = steer_raw(cfg->esp_fd, ws->n, (uint8_t)i);
	if (rc < 0)
		return rc;
	w->workers = ws;
	w->reports_watch = loop_fd_new(
	    ws->loop, ring_fd(w->reports), LOOP_READ, on_reports, w);
	return w->reports_watch != NULL ? 0 : -ENOMEM;
}

static int
start(struct workers *ws, const struct plane_config *cfg)
{
	int rc = 0, one;
	size_t i;

	ws->maker = esp_table_new();
	if (ws->maker == NULL || directory_init(&ws->directory) < 0)
		rc = -ENOMEM;
	for (i = 0; i < ws->n; i++) { /* all: each adopts its descriptors */
		one = make_worker(ws, &cfg[i], i);
		rc = rc < 0 ? rc : one;
	}
	if (rc == 0)
		rc = steer_udp(cfg[0].udp4500_fd, ws->n);
	for (i = 0; i < ws->n && rc == 0; i++)
		rc = worker_start(&ws->worker[i]);
	return rc;
}

struct plane *
plane_workers_new(struct loop *loop, const struct plane_config *cfg, size_t n,
    const struct steer_maps *maps, const struct plane_events *events, void *ctx)
{
	struct workers *ws = calloc(1, sizeof(*ws) + n * sizeof(ws->worker[0]));
	size_t i;
	int rc;

	if (ws == NULL) {
		for (i = 0; i < n; i++)
			user_close_config(&cfg[i]);
		errno = ENOMEM;
		return NULL;
	}
	ws->base.ops = &workers_ops;
	ws->loop = loop;
	ws->events = *events;
	ws->ctx = ctx;
	ws->maps = *maps;
	ws->n = n;
	rc = start(ws, cfg);
	if (rc < 0) {
		destroy(ws);
		errno = -rc;
		return NULL;
	}
	return &ws->base;
}
