/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server.c: what only the engine of a server does (contract in role.h): it
 * waits for tunnels, asks the authority who may in, and writes who came.
 */
#include <errno.h>

#include "base/log.h"
#include "l2tpd/engine/internal.h"

static int
server_begin(struct engine *e)
{
	const struct adit_conf *c = &e->conf;
	size_t n = 0;

	e->tunnel_config = (struct tunnel_config){
	    .host_name = "adit",
	    .receive_window = 8,
	    .max_sessions = 1,
	    .hello_interval_ms = c->hello_interval_s * 1000,
	    .setup_timeout_ms = T_SETUP_MS,
	    .random = engine_random,
	    .session_id_taken = e->kernel ? sessions_id_taken : NULL,
	    .taken_ctx = e,
	};
	e->ppp_config = (struct ppp_config){
	    .server = true,
	    .name = "adit",
	    .mru = c->mru,
	    .ipv6 = c->pool_bits6 > 0 && !e->kernel,
	    .ifid = {[7] = 1}, /* fe80::1, as on the TUN device */
	    .echo_interval_ms = c->echo_interval_s * 1000,
	    .echo_failures = c->echo_failures,
	    .random = engine_random,
	};
	e->ppp_config.methods[n++] = PPP_AUTH_MSCHAPV2;
	if (c->allow_chap_md5)
		e->ppp_config.methods[n++] = PPP_AUTH_CHAP_MD5;
	if (c->allow_pap)
		e->ppp_config.methods[n++] = PPP_AUTH_PAP;
	return authline_start(e, e->start.auth_fd);
}

static void
server_free(struct engine *e)
{
	(void)e;
}

static void
server_charon(struct engine *e, bool is_there)
{
	(void)e, (void)is_there;
}

static void
server_alert(struct engine *e, const struct charon_alert *a)
{
	(void)e, (void)a;
}

static void
server_association(struct engine *e, struct association *a)
{
	(void)e, (void)a;
}

static void
server_tunnel(struct tunnel_box *b)
{
	(void)b;
}

static void
server_session(struct session *s)
{
	(void)s;
}

static void
server_ipv4_up(struct session *s, const struct ppp_effect *fx)
{
	const struct association *a = s->box->assoc;
	char device[ENDPOINT_TEXT];

	(void)fx;
	authline_up(s);
	log_msg(MSG_SESSION_UP,
	    "session=%u user=%s inner=%u.%u.%u.%u device=%s assoc=%u tunnel=%u "
	    "identity=%s cipher=%s mtu=%u",
	    s->id, sessions_user(s), s->ipv4_inner[0], s->ipv4_inner[1],
	    s->ipv4_inner[2], s->ipv4_inner[3],
	    a != NULL ? endpoint_format(&a->peer, device, sizeof(device)) : "-",
	    a != NULL ? a->id : 0, s->box->local_id,
	    a != NULL ? a->identity : "-",
	    a != NULL ? plane_cipher_name(s->engine->plane, a->id) : "-",
	    runner_peer_mru(s->ppp));
}

static uint64_t
server_stop(struct engine *e)
{
	struct session *s, *next;
	struct tunnel_box *b, *tmp;

	HASH_ITER (hh, e->sessions, s, next)
		services_goodbye(s);
	/* RFC 2661 4.4.2 result 6: requester is being shut down */
	HASH_ITER (hh, e->tunnels, b, tmp)
		tunnels_close_box(b, 6, "server stops");
	return HASH_COUNT(e->tunnels) > 0 ? T_STOP_GRACE_MS : 0;
}

const struct engine_role engine_server = {
    .dials = false,
    .begin = server_begin,
    .free = server_free,
    .charon = server_charon,
    .alert = server_alert,
    .secured = server_association,
    .bare = server_association,
    .tunnel_up = server_tunnel,
    .tunnel_down = server_tunnel,
    .call_up = server_session,
    .ipv4_up = server_ipv4_up,
    .session_down = server_session,
    .stop = server_stop,
};
