/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker.c: one worker (contract in worker.h). The upper half of this file is
 * called by the engine, the lower half runs in the worker's thread. Owns the
 * thread, its loop, its user plane and both rings.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* CPU affinity */
#endif
#include "l2tpd/plane/user/worker.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void run_commands(void *ctx, int events);
static const struct plane_events worker_events;
static void report_tun(
    void *ctx, const struct vnet *h, const uint8_t *p, size_t len);

/* ---- in the engine's thread ---- */

int
worker_init(
    struct worker *w, const struct plane_config *cfg, uint8_t number, int cpu)
{
	w->number = number;
	w->cpu = cpu;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->answer, NULL);
	w->loop = loop_new();
	if (w->loop == NULL) {
		user_close_config(cfg);
		return -ENOMEM;
	}
	w->user = (struct user_plane *)plane_user_new(
	    w->loop, cfg, &worker_events, w);
	w->commands = ring_new(WORKER_RING_BYTES);
	w->reports = ring_new(WORKER_RING_BYTES);
	if (w->user == NULL || w->commands == NULL || w->reports == NULL)
		return -ENOMEM;
	w->user->foreign = report_tun;
	w->commands_watch = loop_fd_new(
	    w->loop, ring_fd(w->commands), LOOP_READ, run_commands, w);
	return w->commands_watch != NULL ? 0 : -ENOMEM;
}

static void *
worker_main(void *ctx)
{
	struct worker *w = ctx;

	loop_run(w->loop);
	return NULL;
}

static void
pin(struct worker *w)
{
	cpu_set_t set;

	if (w->cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)w->cpu, &set);
	(void)pthread_setaffinity_np(w->thread, sizeof(set), &set);
}

int
worker_start(struct worker *w)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all); /* signals are the engine's */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&w->thread, NULL, worker_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return -rc;
	w->running = true;
	pin(w);
	return 0;
}

void
worker_stop(struct worker *w)
{
	if (!w->running)
		return;
	worker_command(w, COMMAND_STOP, 0);
	worker_send(w);
	pthread_join(w->thread, NULL);
	w->running = false;
}

void
worker_fini(struct worker *w)
{
	if (w->user != NULL)
		plane_free(&w->user->base);
	loop_free(w->loop); /* with commands_watch */
	ring_free(w->commands);
	ring_free(w->reports);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->answer);
}

static bool
is_packet(enum command_kind kind)
{
	return kind >= COMMAND_L2TP && kind <= COMMAND_TUN;
}

struct command *
worker_command(struct worker *w, enum command_kind kind, size_t n)
{
	size_t leave = is_packet(kind) ? WORKER_LEAVE_BYTES : 0;
	struct command *c;

	while ((c = ring_reserve(w->commands, sizeof(*c) + n, leave)) == NULL &&
	    !is_packet(kind))
		sched_yield(); /* a worker empties it between two batches */
	if (c != NULL)
		*c = (struct command){.kind = kind};
	return c;
}

void
worker_send(struct worker *w)
{
	ring_commit(w->commands);
	ring_wake(w->commands);
}

void
worker_read_totals(struct worker *w, struct plane_totals *ret)
{
	struct command *c = worker_command(w, COMMAND_TOTALS, 0);

	c->totals = ret;
	w->answered = false;
	worker_send(w);
	pthread_mutex_lock(&w->lock);
	while (!w->answered)
		pthread_cond_wait(&w->answer, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

/* ---- in the worker's thread ---- */

static struct report *
report(struct worker *w, enum report_kind kind, size_t n, size_t leave)
{
	struct report *r = ring_reserve(w->reports, sizeof(*r) + n, leave);

	if (r != NULL)
		*r = (struct report){.kind = kind, .len = n};
	return r;
}

static void
send_report(struct worker *w)
{
	ring_commit(w->reports);
	ring_wake(w->reports);
}

/* The engine is overloaded: a packet to it is lost, as on any link. */
static struct report *
report_packet(struct worker *w, enum report_kind kind, struct rd data)
{
	struct report *r = report(w, kind, data.left, WORKER_LEAVE_BYTES);

	if (r != NULL)
		memcpy(r->bytes, data.p, data.left);
	return r;
}

static void
on_ike(void *ctx, const struct endpoint *peer, const struct endpoint *local,
    struct rd data)
{
	struct worker *w = ctx;
	struct report *r = report_packet(w, REPORT_IKE, data);

	if (r == NULL)
		return;
	r->peer = *peer;
	r->local = *local;
	send_report(w);
}

static void
on_l2tp(void *ctx, uint32_t association, const struct endpoint *peer,
    uint16_t peer_port, struct rd data)
{
	struct worker *w = ctx;
	struct report *r = report_packet(w, REPORT_L2TP, data);

	if (r == NULL)
		return;
	r->association = association;
	r->peer = *peer;
	r->peer_port = peer_port;
	send_report(w);
}

static void
on_ppp(void *ctx, uint32_t session, struct rd frame)
{
	struct worker *w = ctx;
	struct report *r = report_packet(w, REPORT_PPP, frame);

	if (r == NULL)
		return;
	r->session = session;
	send_report(w);
}

static void
on_service(void *ctx, uint32_t session, struct rd packet)
{
	struct worker *w = ctx;
	struct report *r = report_packet(w, REPORT_SERVICE, packet);

	if (r == NULL)
		return;
	r->session = session;
	send_report(w);
}

static void
report_tun(void *ctx, const struct vnet *h, const uint8_t *p, size_t len)
{
	struct worker *w = ctx;
	struct report *r = report_packet(w, REPORT_TUN, rd_init(p, len));

	if (r == NULL)
		return;
	r->vnet = *h;
	send_report(w);
}

static struct report *
report_note(struct worker *w, enum report_kind kind)
{
	return report(w, kind, 0, WORKER_LEAVE_BYTES / 2);
}

static void
on_moved(void *ctx, uint32_t association, uint32_t spi_in,
    const struct endpoint *peer)
{
	struct worker *w = ctx;
	struct report *r = report_note(w, REPORT_MOVED);

	if (r == NULL)
		return;
	r->association = association;
	r->spi = spi_in;
	r->peer = *peer;
	send_report(w);
}

static void
on_expired(void *ctx, uint32_t spi, bool inbound)
{
	struct worker *w = ctx;
	struct report *r = report_note(w, REPORT_EXPIRED);

	if (r == NULL)
		return;
	r->spi = spi;
	r->inbound = inbound;
	send_report(w);
}

static void
on_unknown_spi(void *ctx, const struct endpoint *peer, uint32_t spi)
{
	struct worker *w = ctx;
	struct report *r = report_note(w, REPORT_UNKNOWN_SPI);

	if (r == NULL)
		return;
	r->peer = *peer;
	r->spi = spi;
	send_report(w);
}

static void
on_offload_off(void *ctx, enum plane_offload what)
{
	struct worker *w = ctx;
	struct report *r = report_note(w, REPORT_OFFLOAD_OFF);

	if (r == NULL)
		return;
	r->offload = what;
	send_report(w);
}

static const struct plane_events worker_events = {
    .ike = on_ike,
    .l2tp = on_l2tp,
    .ppp = on_ppp,
    .service = on_service,
    .moved = on_moved,
    .expired = on_expired,
    .unknown_spi = on_unknown_spi,
    .offload_off = on_offload_off,
};

static void
add_sa(struct worker *w, struct esp_sa *sa, bool newest)
{
	struct user_plane *u = w->user;

	if (esp_sa_adopt(u->sas, sa, newest) < 0) {
		/* as if it were used up: charon makes another one */
		on_expired(w, esp_sa_spi(sa), esp_sa_is_inbound(sa));
		return;
	}
	if (esp_sa_is_inbound(sa) && larval_ready(u->larval, esp_sa_spi(sa)))
		user_chores_soon(u);
}

/* It may not have come into the table, when there was no memory. */
static void
release_sa(struct worker *w, struct esp_sa *sa)
{
	if (esp_sa_table(sa) != NULL)
		esp_sa_release(w->user->sas, sa);
}

static void
release_session(struct worker *w, struct user_session *s)
{
	if (session_by_id(&w->user->sessions, s->params.id) == s)
		session_table_release(&w->user->sessions, s);
}

/* Cannot fail: no more than WORKER_MOVES_MAX are under way. */
static void
give(struct worker *w, struct esp_sa *sa, struct user_session *s)
{
	struct report *r;

	r = report(
	    w, sa != NULL ? REPORT_SA_GIVEN : REPORT_SESSION_GIVEN, 0, 0);
	if (r == NULL)
		abort();
	r->sa = sa;
	r->given = s;
	send_report(w);
}

static void
run_sa(struct worker *w, const struct command *c)
{
	struct esp_sa *sa = c->sa.sa;

	switch (c->kind) {
	case COMMAND_SA_ADD:
		add_sa(w, sa, c->sa.newest);
		break;
	case COMMAND_SA_SET:
		esp_sa_set_endpoints(
		    sa, &c->sa.local, &c->sa.peer, c->sa.encap);
		break;
	case COMMAND_SA_DEL:
		release_sa(w, sa);
		esp_sa_free(sa);
		break;
	default:
		release_sa(w, sa);
		give(w, sa, NULL);
		break;
	}
}

/* No memory: no traffic. */
static void
set_networks(struct session_table *t, const struct command *c)
{
	struct ipv4_networks nets;

	memcpy(&nets, c->bytes, sizeof(nets));
	(void)session_table_set_networks(t, c->session.session, &nets);
}

static void
run_session(struct worker *w, const struct command *c)
{
	struct session_table *t = &w->user->sessions;
	struct user_session *s = c->session.session;

	switch (c->kind) {
	case COMMAND_SESSION_ADD:
		(void)session_table_adopt(t, s); /* no memory: no traffic */
		break;
	case COMMAND_SESSION_SET:
		s->params.association = c->session.association;
		s->params.peer_port = c->session.peer_port;
		break;
	case COMMAND_SESSION_OPEN_IPV4:
		(void)session_table_open_ipv4(
		    t, s, c->session.address, c->session.peer_mru);
		break;
	case COMMAND_SESSION_OPEN_IPV6:
		(void)session_table_open_ipv6(t, s, c->session.address,
		    c->session.ifid, c->session.peer_mru);
		break;
	case COMMAND_SESSION_NETWORKS:
		set_networks(t, c);
		break;
	case COMMAND_SESSION_SHUT:
		session_table_shut(t, s);
		break;
	case COMMAND_SESSION_DEL:
		release_session(w, s);
		free(s);
		break;
	default:
		release_session(w, s);
		give(w, NULL, s);
		break;
	}
}

static void
run_packet(struct worker *w, struct command *c)
{
	struct rd data = rd_init(c->bytes, c->packet.len);
	struct user_plane *u = w->user;

	switch (c->kind) {
	case COMMAND_L2TP:
		(void)send_l2tp(
		    u, c->packet.association, c->packet.peer_port, data);
		break;
	case COMMAND_PPP:
		(void)send_ppp(u, c->packet.session, data);
		break;
	case COMMAND_INNER:
		inner_foreign(
		    u, c->packet.association, c->bytes, c->packet.len);
		inner_flush(u); /* it points into the ring */
		break;
	default:
		tx_input(u, &c->packet.vnet, c->bytes, c->packet.len, true);
		break;
	}
}

static void
answer_totals(struct worker *w, struct plane_totals *ret)
{
	plane_totals(&w->user->base, ret);
	pthread_mutex_lock(&w->lock);
	w->answered = true;
	pthread_cond_signal(&w->answer);
	pthread_mutex_unlock(&w->lock);
}

static void
run_command(struct worker *w, struct command *c)
{
	if (!is_packet(c->kind))
		tx_flush(w->user); /* its packets know SAs and sessions */
	if (c->kind <= COMMAND_SA_GIVE)
		run_sa(w, c);
	else if (c->kind == COMMAND_SPI)
		larval_expect(w->user->larval, c->spi.number, c->spi.expect);
	else if (c->kind <= COMMAND_SESSION_GIVE)
		run_session(w, c);
	else if (is_packet(c->kind))
		run_packet(w, c);
	else if (c->kind == COMMAND_TOTALS)
		answer_totals(w, c->totals);
	else
		loop_stop(w->loop);
}

static void
run_commands(void *ctx, int events)
{
	struct worker *w = ctx;
	struct command *c;
	size_t n;

	(void)events;
	user_enter(w->user);
	do {
		while ((c = ring_peek(w->commands, &n)) != NULL) {
			run_command(w, c);
			ring_drop(w->commands);
		}
		tx_flush(w->user);
	} while (!ring_sleep(w->commands));
	user_leave(w->user);
}
