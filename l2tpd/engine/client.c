/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.c: what only the engine of a client does (contract in role.h): it asks
 * charon for IPsec with the one server, opens a tunnel (RFC 2661 7.2.1) and a
 * call (7.4.1) over it as a LAC, and lets PPP ask for an address as the client.
 * What breaks is torn down whole and dialled again after a pause; what would
 * fail again (a wrong secret) ends the client.
 *
 * Trusts the monitor. The server is a peer: what it says about addresses is
 * checked here and once more by the monitor; a tunnel or call that it opens is
 * refused (tunnels.c, session.c), and so is main mode that it begins
 * (l2tpd/ike/filter.c).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "l2tpd/engine/internal.h"
#include "l2tpd/ike/conns.h"

/* Timers, milliseconds. */
#define T_IKE_MS      30000 /* charon's own patience is shorter */
#define T_INITIATE_MS 27000 /* ... and what we tell it */
#define T_SETTLE_MS   100   /* for our last quick mode message to arrive */
#define T_TUNNEL_MS   30000
#define T_PPP_MS      60000
#define T_LOAD_MS     250  /* charon was not told the connection yet */
#define T_WAIT_MIN_MS 1000 /* pause before the next attempt, doubled */
#define T_WAIT_MAX_MS 60000
#define T_PROVEN_MS   30000 /* up so long: the pause begins anew */
#define T_BYE_MS      1500  /* for charon to say that IKE is deleted */
#define T_BYE_SENT_MS 100   /* from there to the datagram */

enum client_state {
	CLIENT_IDLE, /* charon is not there */
	CLIENT_IKE,
	CLIENT_SECURED,
	CLIENT_TUNNEL,
	CLIENT_SESSION,
	CLIENT_PPP,
	CLIENT_UP,
	CLIENT_WAIT,
	CLIENT_END,
	CLIENT_STATE_COUNT
};

enum client_event {
	CLIENT_EV_CHARON,      /* can be asked */
	CLIENT_EV_CHARON_GONE, /* cannot */
	CLIENT_EV_SECURED,     /* SAs in both directions */
	CLIENT_EV_TUNNEL_UP,
	CLIENT_EV_CALL_UP,
	CLIENT_EV_ADDRESS, /* IPCP is open */
	CLIENT_EV_LOST,    /* something ended, .why says what */
	CLIENT_EV_FATAL,   /* the same, and .end says why it is the last */
	CLIENT_EV_TIMER,
	CLIENT_EV_STOP,
	CLIENT_EVENT_COUNT
};

struct client {
	struct engine *engine;
	enum client_state state;
	struct loop_timer *timer;
	struct secret password;
	uint32_t association, session; /* 0: none */
	uint16_t tunnel;
	unsigned int initiates; /* replies that charon owes */
	unsigned int failures;  /* since the last proven connection */
	uint64_t up_ms;         /* 0: not up */
	const char *why;        /* of the last loss; string literal */
	enum priv_end end;
	bool unloaded; /* charon has no connection yet */
};

static void step(struct client *c, enum client_event event);

static void
lost(struct client *c, const char *why)
{
	c->why = why;
	c->end = PRIV_END_ONCE;
	step(c,
	    c->engine->conf.client.once && !c->unloaded ? CLIENT_EV_FATAL
							: CLIENT_EV_LOST);
}

static void
fatal(struct client *c, enum priv_end end, const char *why)
{
	c->why = why;
	c->end = end;
	step(c, CLIENT_EV_FATAL);
}

static void
on_timer(void *ctx)
{
	struct client *c = ctx;

	if (c->state != CLIENT_WAIT && c->state != CLIENT_SECURED)
		c->why = "no-answer";
	step(c, CLIENT_EV_TIMER);
}

/* ---- actions; the state is the next one already ---- */

static void
act_nothing(struct client *c)
{
	(void)c;
}

static void
on_initiated(void *ctx, int err, struct rd message)
{
	struct client *c = ctx;
	char words[256] = "";

	if (--c->initiates > 0 || c->state != CLIENT_IKE ||
	    err == -ECONNRESET ||
	    (err == 0 && vici_success(message, words, sizeof(words))))
		return; /* the SAs tell, or told, by themselves */
	c->unloaded = strstr(words, "not found") != NULL;
	lost(c, c->unloaded ? "not-loaded" : "ike-failed");
}

static void
act_initiate(struct client *c)
{
	struct engine *e = c->engine;

	c->unloaded = false;
	loop_timer_set(c->timer, T_IKE_MS);
	log_msg(MSG_CLIENT_DIALS, "server=%u.%u.%u.%u attempt=%u",
	    e->conf.client.server[0], e->conf.client.server[1],
	    e->conf.client.server[2], e->conf.client.server[3],
	    c->failures + 1);
	if (conns_initiate(e->vici, T_INITIATE_MS, on_initiated, c) == 0)
		c->initiates++;
	else
		loop_timer_set(c->timer, T_WAIT_MIN_MS);
}

/* Our SAs are there before the server knows: it installs its own when it has
 * our third message of quick mode (RFC 2409 5.5), which leaves after this. */
static void
act_settle(struct client *c)
{
	loop_timer_set(c->timer, T_SETTLE_MS);
}

static void
act_dial(struct client *c)
{
	struct engine *e = c->engine;
	struct association *a = assoc_find(e, c->association);
	struct tunnel_box *b = a != NULL ? tunnels_dial(e, a) : NULL;

	if (b != NULL)
		c->tunnel = b->local_id;
	loop_timer_set(c->timer, b != NULL ? T_TUNNEL_MS : 0);
}

static void
act_call(struct client *c)
{
	struct engine *e = c->engine;
	struct tunnel_box *b;
	uint16_t id;

	HASH_FIND(hh, e->tunnels, &c->tunnel, sizeof(c->tunnel), b);
	loop_timer_set(c->timer,
	    b != NULL &&
		    tunnel_call_incoming(
			b->tunnel, loop_now_ms(e->loop), &id) == 0
		? T_TUNNEL_MS
		: 0);
}

static void
act_ppp(struct client *c)
{
	loop_timer_set(c->timer, T_PPP_MS);
}

static void
act_up(struct client *c)
{
	loop_timer_cancel(c->timer);
	if (c->up_ms == 0)
		c->up_ms = loop_now_ms(c->engine->loop);
}

static void
on_terminated(void *ctx, int err, struct rd message)
{
	struct client *c = ctx;

	(void)err, (void)message;
	engine_stop_soon(c->engine, T_BYE_SENT_MS);
}

/* Takes everything down that is there, from the top. The server hears it:
 * StopCCN (RFC 2661 6.4), then IKE's DELETE. */
static void
hang_up(struct client *c)
{
	struct engine *e = c->engine;
	struct association *a = assoc_find(e, c->association);
	struct tunnel_box *b;

	loop_timer_cancel(c->timer);
	if (c->up_ms != 0) {
		if (loop_now_ms(e->loop) - c->up_ms >= T_PROVEN_MS)
			c->failures = 0;
		e->start.link(e->start.ctx, NULL);
	}
	c->up_ms = 0;
	c->association = c->session = 0;
	c->tunnel = 0;
	while (a != NULL && (b = LIST_FIRST(&a->tunnels)) != NULL) {
		/* RFC 2661 4.4.2 result 6: requester is being shut down */
		tunnels_close_box(b, 6, NULL);
		tunnels_drop(b, "hang-up");
	}
	if (e->vici != NULL)
		conns_hang_up(e->vici, on_terminated, c);
}

static void
act_idle(struct client *c)
{
	hang_up(c);
}

static void
act_wait(struct client *c)
{
	unsigned int doublings;
	uint64_t wait_ms = T_WAIT_MIN_MS;
	uint16_t jitter;

	hang_up(c);
	if (c->unloaded) {
		loop_timer_set(c->timer, T_LOAD_MS);
		return;
	}
	for (doublings = c->failures; doublings > 0; doublings--)
		wait_ms =
		    wait_ms * 2 < T_WAIT_MAX_MS ? wait_ms * 2 : T_WAIT_MAX_MS;
	if (c->failures < 16)
		c->failures++;
	/* many clients of a server that restarts must not come in step */
	engine_random(NULL, &jitter, sizeof(jitter));
	wait_ms += wait_ms * (jitter % 256) / 1024;
	log_msg(MSG_CLIENT_LOST, "why=%s wait=%" PRIu64 "ms", c->why, wait_ms);
	loop_timer_set(c->timer, wait_ms);
}

static void
act_again(struct client *c)
{
	if (charon_is_there(c->engine))
		step(c, CLIENT_EV_CHARON);
}

static void
act_end(struct client *c)
{
	struct engine *e = c->engine;

	hang_up(c);
	log_msg(MSG_CLIENT_END, "why=%s", c->why);
	e->start.client_end(e->start.ctx, c->end);
}

static void
act_stop(struct client *c)
{
	hang_up(c);
}

/* ---- the machine ---- */

struct client_cell {
	void (*action)(struct client *c);
	enum client_state next;
};

/* clang-format off */
#define STAY(s) { act_nothing, CLIENT_##s }
#define DO(a, s) { act_##a, CLIENT_##s }
static const struct client_cell
    table[CLIENT_STATE_COUNT][CLIENT_EVENT_COUNT] = {
	/*                 CHARON            CHARON_GONE     SECURED          TUNNEL_UP          CALL_UP          ADDRESS         LOST            FATAL         TIMER             STOP */
	[CLIENT_IDLE]    = { DO(initiate, IKE), STAY(IDLE),     STAY(IDLE),      STAY(IDLE),        STAY(IDLE),      STAY(IDLE),     STAY(IDLE),     DO(end, END), STAY(IDLE),       DO(stop, END) },
	[CLIENT_IKE]     = { STAY(IKE),         DO(idle, IDLE), DO(settle, SECURED), STAY(IKE),        STAY(IKE),       STAY(IKE),      DO(wait, WAIT), DO(end, END), DO(wait, WAIT),   DO(stop, END) },
	[CLIENT_SECURED] = { STAY(SECURED),     STAY(SECURED),  STAY(SECURED),   STAY(SECURED),     STAY(SECURED),   STAY(SECURED),  DO(wait, WAIT), DO(end, END), DO(dial, TUNNEL), DO(stop, END) },
	[CLIENT_TUNNEL]  = { STAY(TUNNEL),      STAY(TUNNEL),   STAY(TUNNEL),    DO(call, SESSION), STAY(TUNNEL),    STAY(TUNNEL),   DO(wait, WAIT), DO(end, END), DO(wait, WAIT),   DO(stop, END) },
	[CLIENT_SESSION] = { STAY(SESSION),     STAY(SESSION),  STAY(SESSION),   STAY(SESSION),     DO(ppp, PPP),    STAY(SESSION),  DO(wait, WAIT), DO(end, END), DO(wait, WAIT),   DO(stop, END) },
	[CLIENT_PPP]     = { STAY(PPP),         STAY(PPP),      STAY(PPP),       STAY(PPP),         STAY(PPP),       DO(up, UP),     DO(wait, WAIT), DO(end, END), DO(wait, WAIT),   DO(stop, END) },
	[CLIENT_UP]      = { STAY(UP),          STAY(UP),       STAY(UP),        STAY(UP),          STAY(UP),        DO(up, UP),     DO(wait, WAIT), DO(end, END), STAY(UP),         DO(stop, END) },
	[CLIENT_WAIT]    = { STAY(WAIT),        STAY(WAIT),     STAY(WAIT),      STAY(WAIT),        STAY(WAIT),      STAY(WAIT),     STAY(WAIT),     DO(end, END), DO(again, IDLE),  DO(stop, END) },
	[CLIENT_END]     = { STAY(END),         STAY(END),      STAY(END),       STAY(END),         STAY(END),       STAY(END),      STAY(END),      STAY(END),    STAY(END),        DO(stop, END) },
};
/* clang-format on */

static void
step(struct client *c, enum client_event event)
{
	const struct client_cell *cell = &table[c->state][event];

	c->state = cell->next;
	cell->action(c);
}

/* ---- what happens (role.h) ---- */

static int
client_begin(struct engine *e)
{
	const struct adit_conf *conf = &e->conf;
	struct client *c;

	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	e->client = c;
	c->engine = e;
	c->password = *e->start.password;
	c->timer = loop_timer_new(e->loop, on_timer, c);
	if (c->timer == NULL)
		return -ENOMEM;
	e->tunnel_config = (struct tunnel_config){
	    .host_name = "adit-client",
	    .receive_window = 8,
	    .max_sessions = 1,
	    .hello_interval_ms = conf->hello_interval_s * 1000,
	    .setup_timeout_ms = T_CLIENT_SETUP_MS,
	    .random = engine_random,
	};
	e->ppp_config = (struct ppp_config){
	    .methods = {PPP_AUTH_MSCHAPV2},
	    .name = "adit-client",
	    .mru = conf->mru,
	    .echo_interval_ms = conf->echo_interval_s * 1000,
	    .echo_failures = conf->echo_failures,
	    .user = conf->client.user,
	    .password = &c->password,
	    .random = engine_random,
	};
	return 0;
}

static void
client_free(struct engine *e)
{
	struct client *c = e->client;

	if (c == NULL)
		return;
	loop_timer_free(c->timer);
	secret_wipe(&c->password);
	free(c);
	e->client = NULL;
}

static void
client_charon(struct engine *e, bool is_there)
{
	if (!is_there)
		e->client->initiates = 0;
	step(e->client, is_there ? CLIENT_EV_CHARON : CLIENT_EV_CHARON_GONE);
}

static void
client_alert(struct engine *e, const struct charon_alert *a)
{
	struct client *c = e->client;

	if (c->state != CLIENT_IKE)
		return;
	switch (a->kind) {
	case CHARON_ALERT_WRONG_PSK:
		fatal(c, PRIV_END_WRONG_PSK, "wrong-psk");
		break;
	case CHARON_ALERT_AUTH_FAILED:
	case CHARON_ALERT_CERT_UNTRUSTED:
	case CHARON_ALERT_CERT_EXPIRED:
	case CHARON_ALERT_CERT_REVOKED:
		fatal(c, PRIV_END_CERTIFICATE, "certificate");
		break;
	default: /* the server may be mended while we wait */
		break;
	}
}

static void
client_secured(struct engine *e, struct association *a)
{
	struct client *c = e->client;

	if (c->state != CLIENT_IKE || a->condemned)
		return;
	c->association = a->id;
	step(c, CLIENT_EV_SECURED);
}

static void
client_bare(struct engine *e, struct association *a)
{
	if (!e->stopping && a->id == e->client->association)
		lost(e->client, "ipsec-ended");
}

static void
client_tunnel_up(struct tunnel_box *b)
{
	if (b->local_id == b->engine->client->tunnel)
		step(b->engine->client, CLIENT_EV_TUNNEL_UP);
}

static void
client_tunnel_down(struct tunnel_box *b)
{
	struct client *c = b->engine->client;

	if (c != NULL && b->local_id == c->tunnel)
		lost(c, "tunnel-ended");
}

static void
client_call_up(struct session *s)
{
	struct client *c = s->engine->client;
	const char *name = s->engine->conf.client.user;
	char user[AUTH_MSG_NAME_MAX];

	if (s->box->local_id != c->tunnel)
		return;
	c->session = s->id;
	free(s->user);
	s->user = strdup(log_clean(name, strlen(name), user, sizeof(user)));
	step(c, CLIENT_EV_CALL_UP);
}

static void
client_ipv4_up(struct session *s, const struct ppp_effect *fx)
{
	const struct association *a = s->box->assoc;
	struct engine *e = s->engine;
	struct priv_link link;

	if (s->id != e->client->session)
		return;
	memcpy(link.local, fx->ipv4_local, 4);
	memcpy(link.peer, fx->ipv4_peer, 4);
	memcpy(link.dns, fx->ipv4_dns, sizeof(link.dns));
	if (!priv_link_is_sane(&link)) {
		sessions_close(s, "impossible-address");
		return;
	}
	log_msg(MSG_CLIENT_UP,
	    "session=%u tunnel=%u assoc=%u inner=%u.%u.%u.%u cipher=%s mtu=%u",
	    s->id, s->box->local_id, a != NULL ? a->id : 0, link.local[0],
	    link.local[1], link.local[2], link.local[3],
	    a != NULL ? plane_cipher_name(e->plane, a->id) : "-",
	    runner_peer_mru(s->ppp));
	e->start.link(e->start.ctx, &link);
	step(e->client, CLIENT_EV_ADDRESS);
}

static void
client_session_down(struct session *s)
{
	struct client *c = s->engine->client;

	if (c == NULL || c->session == 0 || s->id != c->session)
		return;
	if (strcmp(s->end_why, "auth-failed") == 0)
		fatal(c, PRIV_END_WRONG_PASSWORD, "wrong-password");
	else if (strcmp(s->end_why, "server-not-genuine") == 0)
		fatal(c, PRIV_END_NOT_GENUINE, "not-genuine");
	else
		lost(c, s->end_why);
}

static uint64_t
client_stop(struct engine *e)
{
	bool had_ike = e->client->state != CLIENT_IDLE && e->vici != NULL;

	step(e->client, CLIENT_EV_STOP);
	return had_ike ? T_BYE_MS : 0;
}

const struct engine_role engine_client = {
    .dials = true,
    .begin = client_begin,
    .free = client_free,
    .charon = client_charon,
    .alert = client_alert,
    .secured = client_secured,
    .bare = client_bare,
    .tunnel_up = client_tunnel_up,
    .tunnel_down = client_tunnel_down,
    .call_up = client_call_up,
    .ipv4_up = client_ipv4_up,
    .session_down = client_session_down,
    .stop = client_stop,
};
