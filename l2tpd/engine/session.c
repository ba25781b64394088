/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.c: PPP sessions. A session joins four things with one id: the L2TP
 * session, the PPP link (runner.h), the lease from the authority and
 * the row in the plane. It carries out the effects that PPP asks for.
 *
 * Whatever ends first, everything ends: PPP down closes the call, the call's
 * end buries the session, and burying gives the lease back with the final
 * counters.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "l2tpd/engine/internal.h"

/* CDN result codes, RFC 2661 4.4.2 */
enum {
	CDN_GENERAL_ERROR = 2,
	CDN_ADMINISTRATIVE = 3,
	CDN_NO_FACILITIES = 4,
};

struct session *
sessions_find(struct engine *e, uint32_t id)
{
	struct session *s;

	HASH_FIND(hh, e->sessions, &id, sizeof(id), s);
	return s;
}

bool
sessions_id_taken(void *ctx, uint16_t local_session_id)
{
	const struct engine *e = ctx;
	const struct session *s;

	for (s = e->sessions; s != NULL; s = s->hh.next)
		if (s->local_session_id == local_session_id)
			return true;
	return false;
}

const char *
sessions_user(const struct session *s)
{
	return s->user != NULL ? s->user : "-";
}

static struct session *
session_of(struct tunnel_box *b, uint16_t local_session_id)
{
	struct session *s;

	LIST_FOREACH (s, &b->sessions, next)
		if (s->local_session_id == local_session_id)
			return s;
	return NULL;
}

static void session_drain(struct session *s);

/* IP from the client proves that it lives: keepalives are told, so that a busy
 * client that is late to answer is not cut off. */
static void
refresh_life(struct session *s, uint64_t now)
{
	struct plane_counters c;

	if (!s->in_plane ||
	    plane_session_counters(s->engine->plane, s->id, &c) < 0 ||
	    c.last_in_ms <= s->seen_in_ms)
		return;
	s->seen_in_ms = c.last_in_ms;
	runner_note_data(s->ppp, now);
	if (s->box != NULL)
		tunnel_note_data(s->box->tunnel, now);
}

static void
session_timer(void *ctx)
{
	struct session *s = ctx;
	uint64_t now = loop_now_ms(s->engine->loop);

	refresh_life(s, now);
	services_tick(s, now);
	runner_tick(s->ppp, now);
	session_drain(s);
}

static void
session_rearm(struct session *s)
{
	uint64_t now = loop_now_ms(s->engine->loop), at;

	at = runner_deadline(s->ppp);
	if (services_deadline(s) < at)
		at = services_deadline(s);
	if (at == UINT64_MAX)
		loop_timer_cancel(s->timer);
	else
		loop_timer_set(s->timer, at > now ? at - now : 0);
}

static int
plane_register(struct session *s, const struct tunnel_session_view *v)
{
	const struct plane_session ps = {
	    .id = s->id,
	    .association = s->box->assoc != NULL ? s->box->assoc->id : 0,
	    .local_tunnel_id = s->box->local_id,
	    .local_session_id = v->local_id,
	    .peer_tunnel_id = tunnel_peer_id(s->box->tunnel),
	    .peer_session_id = v->peer_id,
	    .peer_port = s->box->peer_port,
	    .uplink = s->engine->role->dials,
	};

	return plane_session_add(s->engine->plane, &ps);
}

static void
on_ready(void *ctx)
{
	session_drain(ctx);
}

/* A session of the kernel plane is made before the client hears that its call
 * was answered: its first frames wait there for pppd. Who runs PPP is known by
 * then. 0 or -errno. */
static int
make_runner(struct session *s, const struct tunnel_session_view *v)
{
	struct engine *e = s->engine;
	int fd = -ENOTSUP, rc;

	if (e->kernel) {
		rc = plane_register(s, v);
		if (rc < 0)
			return rc;
		s->in_plane = true;
		fd = plane_session_channel(e->plane, s->id);
	}
	s->in_kernel = fd != -ENOTSUP;
	if (fd >= 0)
		close(fd);
	s->ppp = s->in_kernel
	    ? runner_pppd_new(e, s->id, on_ready, s)
	    : runner_own_new(&e->ppp_config, loop_now_ms(e->loop));
	return s->ppp != NULL ? 0 : -ENOMEM;
}

/* Never was one. */
static void
refuse(struct tunnel_box *b, const struct tunnel_session_view *v,
    struct session *s, int rc)
{
	struct engine *e = b->engine;

	if (rc == -ENODEV)
		log_msg(MSG_SLOW_REFUSED, "tunnel=%u assoc=%u", b->local_id,
		    b->assoc != NULL ? b->assoc->id : 0);
	else
		log_msg(MSG_SESSION_FAILED, "tunnel=%u why=\"%s\"", b->local_id,
		    strerror(-rc));
	if (s != NULL) {
		if (s->in_plane)
			plane_session_del(e->plane, s->id);
		runner_free(s->ppp);
		loop_timer_free(s->timer);
		free(s);
	}
	tunnel_session_close(b->tunnel, v->local_id, CDN_NO_FACILITIES, 0,
	    rc == -ENOMEM ? "out of memory" : NULL, loop_now_ms(e->loop));
}

/* A call was answered: be ready before its first frame can arrive. */
void
sessions_new(struct tunnel_box *b, const struct tunnel_session_view *v)
{
	struct engine *e = b->engine;
	struct session *s;
	int rc = -ENOMEM;

	if (v->we_called != e->role->dials) {
		tunnel_session_close(b->tunnel, v->local_id, CDN_ADMINISTRATIVE,
		    0, "we do not take calls", loop_now_ms(e->loop));
		return;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		refuse(b, v, NULL, rc);
		return;
	}
	s->engine = e;
	s->box = b;
	s->id = ++e->next_session_id;
	s->local_session_id = v->local_id;
	s->since = time(NULL);
	s->used_ms = s->up_ms = loop_now_ms(e->loop);
	s->timer = loop_timer_new(e->loop, session_timer, s);
	ra_timer_stop(&s->ra);
	ratelimit_init(&s->questions, PLANE_SERVICES_BURST, PLANE_SERVICES_RATE,
	    loop_now_ms(e->loop));
	if (s->timer != NULL)
		rc = make_runner(s, v);
	if (rc < 0) {
		refuse(b, v, s, rc);
		return;
	}
	LIST_INSERT_HEAD(&b->sessions, s, next);
	HASH_ADD(hh, e->sessions, id, sizeof(s->id), s);
	b->session_count++;
	b->empty_since_ms = 0;
}

void
sessions_up(struct tunnel_box *b, const struct tunnel_session_view *v)
{
	struct engine *e = b->engine;
	struct session *s;
	int rc;

	s = session_of(b, v->local_id);
	if (s == NULL || s->up)
		return;
	s->up = true;
	rc = s->in_plane ? 0 : plane_register(s, v);
	if (rc == 0) {
		s->in_plane = true;
		e->role->call_up(s);
		rc = runner_start(s->ppp, loop_now_ms(e->loop));
	}
	if (rc < 0) {
		log_msg(MSG_SESSION_FAILED, "session=%u tunnel=%u why=\"%s\"",
		    s->id, b->local_id, strerror(-rc));
		s->end_why = "plane-refused";
		tunnel_session_close(b->tunnel, v->local_id, CDN_NO_FACILITIES,
		    0, NULL, loop_now_ms(e->loop));
		return;
	}
	session_drain(s);
}

void
sessions_ppp_frame(struct session *s, struct rd frame)
{
	if (!s->up || s->ending || s->box == NULL)
		return;
	runner_input(s->ppp, frame, loop_now_ms(s->engine->loop));
	session_drain(s);
}

static void
on_ask(struct session *s, const struct ppp_ask *ask)
{
	struct auth_ask a;
	int rc = -EMSGSIZE;

	/* the client began anew (RFC 1661 3.4): what it asked or got before
	 * is given back first */
	if (s->auth == SESSION_AUTH_ASKED || s->auth == SESSION_AUTH_ACCEPTED)
		authline_stop(s, "renegotiated");
	s->ref = (uint64_t)(ask->serial - 1) << 32 | s->id;
	memset(&a, 0, sizeof(a));
	a.ref = s->ref;
	a.method = (uint8_t)ask->method;
	a.chap_id = ask->chap_id;
	if (s->box->assoc != NULL) {
		a.association = s->box->assoc->id;
		a.device = s->box->assoc->peer;
	}
	if (ask->name.left <= sizeof(a.name) &&
	    ask->challenge.left <= sizeof(a.challenge) &&
	    ask->response.left <= sizeof(a.response)) {
		struct rd name = ask->name, challenge = ask->challenge,
			  response = ask->response;

		a.name_bytes = (uint16_t)name.left;
		a.challenge_bytes = (uint16_t)challenge.left;
		a.response_bytes = (uint16_t)response.left;
		rd_bytes(&name, a.name, name.left);
		rd_bytes(&challenge, a.challenge, challenge.left);
		rd_bytes(&response, a.response, response.left);
		rc = authline_ask(s->engine, &a);
	}
	wipe(&a, sizeof(a));
	if (rc == 0)
		s->auth = SESSION_AUTH_ASKED;
	else
		log_msg(MSG_SESSION_FAILED, "session=%u step=ask why=\"%s\"",
		    s->id, strerror(-rc));
}

void
sessions_verdict(struct engine *e, const struct auth_verdict *v)
{
	struct ppp_verdict pv;
	struct session *s;

	s = sessions_find(e, (uint32_t)v->ref);
	if (s == NULL || s->ref != v->ref || s->auth != SESSION_AUTH_ASKED)
		return; /* its STOP was sent when it ended or asked anew */
	s->auth = v->reason == AUTH_ACCEPTED ? SESSION_AUTH_ACCEPTED
					     : SESSION_AUTH_REFUSED;
	memset(&pv, 0, sizeof(pv));
	pv.serial = (uint32_t)(v->ref >> 32) + 1;
	pv.accept = v->reason == AUTH_ACCEPTED;
	pv.message = rd_init(v->message, v->message_bytes);
	memcpy(pv.ipv4_local, v->ipv4_local, 4);
	memcpy(pv.ipv4_peer, v->ipv4_peer, 4);
	memcpy(pv.ipv4_dns, v->ipv4_dns, sizeof(pv.ipv4_dns));
	memcpy(pv.ipv4_nbns, v->ipv4_nbns, sizeof(pv.ipv4_nbns));
	/* ifid_peer stays zero: a client that has an identifier of its own
	 * (RFC 5072 4.1) keeps it, some cannot take another one */
	if (v->user[0] != '\0') {
		free(s->user);
		s->user = strndup(v->user, sizeof(v->user));
	}
	routes_take(s, &v->routes);
	memcpy(s->ipv6_prefix, v->ipv6_prefix, sizeof(s->ipv6_prefix));
	s->group = v->group < e->conf.group_count ? v->group : 0;
	s->session_limit_s = v->session_limit_s;
	s->idle_limit_s = v->idle_limit_s;
	if (pv.accept) {
		s->end_why = NULL;
	} else {
		e->refused_total++;
		s->end_why = auth_reason_name(v->reason);
	}
	if (runner_verdict(s->ppp, &pv, loop_now_ms(e->loop)) < 0 && pv.accept)
		authline_stop(s, "verdict-too-late");
	session_drain(s);
}

static void
on_ipv4_up(struct session *s, const struct ppp_effect *fx)
{
	struct engine *e = s->engine;
	int rc;

	memcpy(
	    s->ipv4_inner, e->role->dials ? fx->ipv4_local : fx->ipv4_peer, 4);
	rc = plane_session_open_ipv4(
	    e->plane, s->id, s->ipv4_inner, runner_peer_mru(s->ppp));
	if (rc < 0) {
		log_msg(MSG_SESSION_FAILED, "session=%u step=open why=\"%s\"",
		    s->id, strerror(-rc));
		sessions_close(s, "plane-refused");
		return;
	}
	s->ipv4_up = true;
	s->since = time(NULL);
	s->up_ms = s->used_ms = loop_now_ms(e->loop);
	e->sessions_total++;
	e->role->ipv4_up(s, fx);
	routes_up(s);
}

static int
open_ipv6(struct session *s)
{
	int rc = plane_session_open_ipv6(s->engine->plane, s->id,
	    s->ipv6_prefix, s->ifid_peer, runner_peer_mru(s->ppp));

	if (rc < 0)
		log_msg(MSG_SESSION_FAILED, "session=%u step=ipv6 why=\"%s\"",
		    s->id, strerror(-rc));
	return rc;
}

static void
on_ipv4_down(struct session *s)
{
	if (!s->ipv4_up)
		return;
	s->ipv4_up = false;
	routes_down(s);
	plane_session_shut(s->engine->plane, s->id);
	if (s->ipv6_up) /* shut means both */
		open_ipv6(s);
}

/* Without a prefix there is nothing but link-local addresses, which nobody is
 * served by. */
static void
on_ipv6_up(struct session *s, const struct ppp_effect *fx)
{
	static const uint8_t none[8];

	memcpy(s->ifid_local, fx->ifid_local, 8);
	memcpy(s->ifid_peer, fx->ifid_peer, 8);
	if (s->engine->role->dials || memcmp(s->ipv6_prefix, none, 8) == 0 ||
	    open_ipv6(s) < 0)
		return;
	s->ipv6_up = true;
	services_ipv6_up(s);
}

static void
on_ipv6_down(struct session *s)
{
	struct engine *e = s->engine;

	if (!s->ipv6_up)
		return;
	s->ipv6_up = false;
	services_ipv6_down(s);
	if (s->ipv4_up) /* shut means both */
		routes_down(s);
	plane_session_shut(e->plane, s->id);
	if (s->ipv4_up &&
	    plane_session_open_ipv4(
		e->plane, s->id, s->ipv4_inner, runner_peer_mru(s->ppp)) == 0)
		routes_up(s);
}

static void
effect(struct session *s, const struct ppp_effect *fx)
{
	switch (fx->type) {
	case PPP_EFFECT_SEND:
		if (s->in_plane)
			plane_ppp_send(s->engine->plane, s->id, fx->data);
		break;
	case PPP_EFFECT_ASK:
		on_ask(s, &fx->ask);
		break;
	case PPP_EFFECT_IPV4_UP:
		on_ipv4_up(s, fx);
		break;
	case PPP_EFFECT_IPV4_DOWN:
		on_ipv4_down(s);
		break;
	case PPP_EFFECT_IPV6_UP:
		on_ipv6_up(s, fx);
		break;
	case PPP_EFFECT_IPV6_DOWN:
		on_ipv6_down(s);
		break;
	case PPP_EFFECT_AUTHENTICATED:
		break;
	case PPP_EFFECT_DOWN:
		s->ending = true;
		s->end_by_peer = fx->by_peer;
		if (s->end_why == NULL)
			s->end_why = fx->why;
		break;
	}
}

/* May free nothing and may bury s: callers do not touch s afterwards. */
static void
session_drain(struct session *s)
{
	struct ppp_effect fx;
	struct tunnel_box *b;

	if (s->draining || s->box == NULL)
		return;
	s->draining = true;
	while (s->box != NULL && runner_next_effect(s->ppp, &fx))
		effect(s, &fx);
	s->draining = false;
	b = s->box;
	if (b == NULL)
		return;
	if (!s->ending) {
		session_rearm(s);
		return;
	}
	/* PPP is over: so is the call (RFC 2661 6.12 CDN) */
	tunnel_session_close(b->tunnel, s->local_session_id, CDN_ADMINISTRATIVE,
	    0, NULL, loop_now_ms(s->engine->loop));
	tunnels_drain(b);
}

void
sessions_close(struct session *s, const char *why)
{
	if (s->ending || s->box == NULL)
		return;
	if (s->end_why == NULL)
		s->end_why = why;
	services_goodbye(s);
	runner_close(s->ppp, why, loop_now_ms(s->engine->loop));
	session_drain(s);
}

void
sessions_bury(struct session *s, const char *why, bool by_peer)
{
	struct engine *e = s->engine;
	struct tunnel_box *b = s->box;

	if (b == NULL)
		return;
	if (s->end_why == NULL) {
		s->end_why = why;
		s->end_by_peer = by_peer;
	}
	services_ipv6_down(s);
	s->ipv6_up = false;
	on_ipv4_down(s);
	if (s->auth == SESSION_AUTH_ASKED || s->auth == SESSION_AUTH_ACCEPTED)
		authline_stop(s, s->end_why);
	log_msg(MSG_SESSION_DOWN, "session=%u user=%s tunnel=%u why=%s by=%s",
	    s->id, sessions_user(s), b->local_id, s->end_why,
	    s->end_by_peer ? "peer" : "us");
	if (s->in_plane)
		plane_session_del(e->plane, s->id);
	s->in_plane = false;
	LIST_REMOVE(s, next);
	s->box = NULL;
	b->session_count--;
	if (LIST_EMPTY(&b->sessions))
		b->empty_since_ms = loop_now_ms(e->loop);
	HASH_DEL(e->sessions, s);
	loop_timer_free(s->timer);
	s->timer = NULL;
	LIST_INSERT_HEAD(&e->dead_sessions, s, next);
	engine_reap_later(e);
	e->role->session_down(s);
}

void
sessions_down(struct tunnel_box *b, const struct tunnel_session_view *v,
    const struct tunnel_close *close)
{
	struct session *s;

	s = session_of(b, v->local_id);
	if (s != NULL)
		sessions_bury(s, close->why != NULL ? close->why : "call-down",
		    close->by_peer);
}

void
sessions_rebind(struct session *s, struct association *a)
{
	if (s->in_plane &&
	    plane_session_rebind(
		s->engine->plane, s->id, a->id, s->box->peer_port) < 0)
		sessions_close(s, "moved");
}

static void
session_age(struct session *s, uint64_t now)
{
	uint64_t up_s = (now - s->up_ms) / 1000;
	uint64_t heard_ms = s->seen_in_ms > s->up_ms ? s->seen_in_ms : s->up_ms;

	refresh_life(s, now);
	if (!s->ipv4_up)
		return;
	if (now - s->used_ms >= T_USE_MS) {
		s->used_ms = now;
		authline_use(s);
	}
	if (s->session_limit_s != 0 && up_s >= s->session_limit_s)
		sessions_close(s, "session-limit");
	else if (s->idle_limit_s != 0 &&
	    (now - heard_ms) / 1000 >= s->idle_limit_s)
		sessions_close(s, "idle-limit");
}

void
sessions_housekeeping(struct engine *e, struct tunnel_box *b)
{
	uint64_t now = loop_now_ms(e->loop);
	struct session *s, *after;

	/* the end of one may bury others: they are elsewhere then */
	for (s = LIST_FIRST(&b->sessions); s != NULL && s->box == b;
	     s = after) {
		after = LIST_NEXT(s, next);
		session_age(s, now);
	}
}

void
sessions_reap(struct engine *e)
{
	struct session *s;

	while ((s = LIST_FIRST(&e->dead_sessions)) != NULL) {
		LIST_REMOVE(s, next);
		runner_free(s->ppp);
		free(s->user);
		free(s->routes);
		free(s);
	}
}
