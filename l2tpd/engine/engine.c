/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.c: wiring, housekeeping, start and stop of the engine (contract in
 * engine.h). What happens to a packet is in the plane; what a packet means is
 * in tunnels.c and session.c.
 */
#include "l2tpd/engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "l2tpd/engine/internal.h"
#include "l2tpd/plane/kernel/kernel.h"

void
engine_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	random_bytes(p, n);
}

/* ---- what the plane tells ---- */

static void
on_ike(void *ctx, const struct endpoint *peer, const struct endpoint *local,
    struct rd data)
{
	struct engine *e = ctx;

	/* filtered, or charon is away: dropped and counted, never answered */
	(void)ike_relay_ike_in(e->relay, local, peer, data);
}

static void
on_l2tp(void *ctx, uint32_t association, const struct endpoint *peer,
    uint16_t peer_port, struct rd data)
{
	struct engine *e = ctx;
	struct association *a;

	(void)peer;
	a = assoc_find(e, association);
	if (a != NULL)
		tunnels_input(e, a, peer_port, data);
}

static void
on_ppp(void *ctx, uint32_t session, struct rd frame)
{
	struct engine *e = ctx;
	struct session *s;

	s = sessions_find(e, session);
	if (s != NULL)
		sessions_ppp_frame(s, frame);
}

static void
on_service(void *ctx, uint32_t session, struct rd packet)
{
	struct engine *e = ctx;
	struct session *s;

	s = sessions_find(e, session);
	if (s != NULL)
		services_input(s, packet);
}

static void
on_moved(void *ctx, uint32_t association, uint32_t spi_in,
    const struct endpoint *peer)
{
	assoc_moved(ctx, association, spi_in, peer);
}

static void
on_expired(void *ctx, uint32_t spi, bool inbound)
{
	assoc_sa_expired(ctx, spi, inbound);
}

static void
on_unknown_spi(void *ctx, const struct endpoint *peer, uint32_t spi)
{
	char text[ENDPOINT_TEXT];

	(void)ctx;
	log_msg(MSG_UNKNOWN_SPI, "spi=%08x device=%s", spi,
	    endpoint_format(peer, text, sizeof(text)));
}

static void
on_offload_off(void *ctx, enum plane_offload what)
{
	const char *name = what == PLANE_TUN_TCP ? "tun-tcp-offload"
	    : what == PLANE_TUN_UDP              ? "tun-udp-offload"
						 : "udp-gso";

	(void)ctx;
	log_msg(MSG_OFFLOAD_OFF, "what=%s", name);
}

static const struct plane_events plane_events = {
    .ike = on_ike,
    .l2tp = on_l2tp,
    .ppp = on_ppp,
    .service = on_service,
    .moved = on_moved,
    .expired = on_expired,
    .unknown_spi = on_unknown_spi,
    .offload_off = on_offload_off,
};

/* ---- housekeeping ---- */

/* charon's DPD and list-sas want to know which SAs are used. */
static void
tell_use(struct engine *e, struct association *a)
{
	struct esp_counters c;
	struct sa *s;

	if (e->relay == NULL || !ike_relay_is_connected(e->relay) ||
	    a->key.epoch != e->epoch)
		return;
	LIST_FOREACH (s, &a->sas, next) {
		if (!s->inbound ||
		    plane_sa_counters(e->plane, s->spi, true, &s->peer, &c) <
			0 ||
		    c.bytes == s->told_bytes)
			continue;
		s->told_bytes = c.bytes;
		ike_relay_use(e->relay, s->spi, true, c.bytes, c.packets);
	}
}

static void
keep_association(struct engine *e, struct association *a)
{
	struct tunnel_box *b, *after;

	for (b = LIST_FIRST(&a->tunnels); b != NULL; b = after) {
		after = LIST_NEXT(b, next);
		sessions_housekeeping(e, b);
	}
	tunnels_housekeeping(e, a);
	tell_use(e, a);
	assoc_housekeeping(e, a);
}

/* A part of the associations, with all that hangs on them: ten thousand at
 * once would hold up the packets of all. */
static void
on_housekeeping(void *ctx)
{
	struct engine *e = ctx;
	struct association *a, *after;

	e->house_turn = (e->house_turn + 1) % HOUSE_SLOTS;
	for (a = LIST_FIRST(&e->house[e->house_turn]); a != NULL; a = after) {
		after = LIST_NEXT(a, in_slot);
		keep_association(e, a);
	}
	loop_timer_set(e->housekeeping, T_HOUSEKEEPING_MS / HOUSE_SLOTS);
}

static void
on_reap(void *ctx)
{
	struct engine *e = ctx;

	sessions_reap(e);
	tunnels_reap(e);
}

void
engine_reap_later(struct engine *e)
{
	loop_timer_set(e->reaper, 0);
}

/* ---- start and stop ---- */

static int
engine_begin(struct engine *e)
{
	e->housekeeping = loop_timer_new(e->loop, on_housekeeping, e);
	e->reaper = loop_timer_new(e->loop, on_reap, e);
	if (e->housekeeping == NULL || e->reaper == NULL)
		return -ENOMEM;
	e->plane = e->start.plane_new(
	    e->loop, &plane_events, e, e->start.plane_new_ctx);
	if (e->plane == NULL)
		return errno != 0 ? -errno : -ENOMEM;
	if (e->kernel && e->start.services_fd >= 0 &&
	    services_listen(e, e->start.services_fd) < 0)
		return -ENOMEM;
	if (e->role->begin(e) < 0 ||
	    control_start(e, e->start.control_listen_fd) < 0 ||
	    charon_start(e, e->start.plane_listen_fd) < 0)
		return -ENOMEM;
	loop_timer_set(e->housekeeping, T_HOUSEKEEPING_MS / HOUSE_SLOTS);
	return 0;
}

struct engine *
engine_new(struct loop *loop, const struct engine_start *start)
{
	struct engine *e;
	int rc;

	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->loop = loop;
	e->conf = *start->conf;
	e->start = *start;
	e->start.conf = &e->conf;
	e->started = time(NULL);
	e->services_fd = -1;
	LIST_INIT(&e->dead_tunnels);
	LIST_INIT(&e->dead_sessions); /* all zero: so are the others */
	random_bytes(&e->sas_out_seed, sizeof(e->sas_out_seed));
	e->kernel = conf_is_kernel(&e->conf);
	e->role = e->conf.client.on ? &engine_client : &engine_server;
	rc = engine_begin(e);
	if (rc < 0) {
		log_msg(MSG_START_FAILED, "process=engine why=\"%s\"",
		    strerror(-rc));
		engine_free(e);
		return NULL;
	}
	return e;
}

void
engine_vici_connected(struct engine *e, int fd)
{
	if (e->stopping)
		close(fd);
	else
		charon_vici_connected(e, fd);
}

void
engine_marked(struct engine *e, uint32_t mark, int fd)
{
	plane_kernel_socket(e->plane, mark, fd);
}

void
engine_pppd_line(struct engine *e, uint32_t session, int fd)
{
	struct session *s = sessions_find(e, session);

	if (s != NULL)
		runner_pppd_line(s->ppp, fd);
	else
		close(fd);
}

static void
drop_all(struct engine *e)
{
	struct tunnel_box *b, *tmp;

	HASH_ITER (hh, e->tunnels, b, tmp)
		tunnels_drop(b, "we-stop");
}

static void
on_stopped(void *ctx)
{
	struct engine *e = ctx;

	drop_all(e);
	e->start.stopped(e->start.ctx);
}

void
engine_stop(struct engine *e)
{
	uint64_t grace_ms;

	if (e->stopping)
		return;
	e->stopping = true;
	e->stop_timer = loop_timer_new(e->loop, on_stopped, e);
	grace_ms = e->role->stop(e);
	if (e->stop_timer == NULL)
		e->start.stopped(e->start.ctx);
	else
		loop_timer_set(e->stop_timer, grace_ms);
}

void
engine_stop_soon(struct engine *e, uint64_t delay_ms)
{
	if (e->stopping && e->stop_timer != NULL)
		loop_timer_set(e->stop_timer, delay_ms);
}

void
engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	e->stopping = true;
	drop_all(e);
	if (e->reaper != NULL)
		on_reap(e);
	assoc_free_all(e);
	charon_free(e);
	control_free(e);
	e->role->free(e);
	authline_free(e);
	services_free(e);
	plane_free(e->plane);
	loop_timer_free(e->housekeeping);
	loop_timer_free(e->reaper);
	loop_timer_free(e->stop_timer);
	free(e);
}
