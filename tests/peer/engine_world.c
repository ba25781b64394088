/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_world.c: the world around an engine (see engine_world.h).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auth_msg.h"
#include "base/charon_msg.h"
#include "ppp-glue/engine/mschap.h"
#include "tests/peer/engine_world.h"

uint64_t
now_ms(const struct world *w)
{
	return loop_now_ms(w->loop);
}

/* ---- the plane ---- */

static struct plane *
make_plane(struct loop *loop, const struct plane_events *events,
    void *events_ctx, void *ctx)
{
	struct world *w = ctx;

	(void)loop;
	w->plane = plane_null_new(events, events_ctx);
	assert_non_null(w->plane);
	null_share(w->plane); /* to look at it when the engine is gone */
	return w->plane;
}

bool
world_ip_flows(const struct world *w)
{
	bool open = false;

	return null_session(w->plane, w->session, &open) != NULL && open;
}

/* ---- clients ---- */

static void
on_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	random_bytes(p, n);
}

void
client_drain_ppp(struct world *w, struct client *c)
{
	const struct plane_session *s;
	struct ppp_effect fx;

	while (c->ppp != NULL && ppp_next_effect(c->ppp, &fx)) {
		switch (fx.type) {
		case PPP_EFFECT_SEND:
			s = null_find_session(
			    w->plane, c->server_tunnel, c->server_session);
			if (s != NULL)
				null_inject_ppp(w->plane, s->id, fx.data);
			break;
		case PPP_EFFECT_IPV4_UP:
			c->ipv4_up = true;
			memcpy(c->address, fx.ipv4_local, 4);
			break;
		case PPP_EFFECT_IPV4_DOWN:
			c->ipv4_up = false;
			break;
		case PPP_EFFECT_IPV6_UP:
			c->ipv6_up = true;
			memcpy(c->ifid, fx.ifid_local, 8);
			memcpy(c->server_ifid, fx.ifid_peer, 8);
			break;
		case PPP_EFFECT_IPV6_DOWN:
			c->ipv6_up = false;
			break;
		case PPP_EFFECT_DOWN:
			c->ppp_down = true;
			break;
		default:
			break;
		}
	}
}

void
client_drain(struct world *w, struct client *c)
{
	const struct endpoint peer = {
	    .family = 4, .addr = {198, 51, 100, 7}, .port = 4500};
	struct tunnel_effect fx;

	while (tunnel_next_effect(c->tunnel, &fx)) {
		switch (fx.type) {
		case TUNNEL_EFFECT_SEND:
			null_inject_l2tp(w->plane, w->assoc_of_mark[c->mark],
			    &peer, c->port, fx.data);
			break;
		case TUNNEL_EFFECT_UP:
			c->server_tunnel = tunnel_peer_id(c->tunnel);
			assert_int_equal(tunnel_call_incoming(c->tunnel,
					     now_ms(w), &c->local_session),
			    0);
			break;
		case TUNNEL_EFFECT_SESSION_UP:
			c->session_up = true;
			c->server_session = fx.session.peer_id;
			ppp_start(c->ppp, now_ms(w));
			client_drain_ppp(w, c);
			break;
		case TUNNEL_EFFECT_SESSION_DOWN:
			c->session_up = false;
			break;
		case TUNNEL_EFFECT_DOWN:
			c->tunnel_down = true;
			break;
		default:
			break;
		}
	}
}

/* What the server sent goes to the client it is for. */
static void
carry(struct world *w, const struct null_call *call)
{
	const char *why = "-";
	struct client *c;
	size_t i;

	for (i = 0; i < CLIENTS; i++) {
		c = &w->clients[i];
		if (c->tunnel == NULL ||
		    w->assoc_of_mark[c->mark] != call->association)
			continue;
		if (call->type == NULL_CALL_L2TP_SEND) {
			tunnel_input(c->tunnel, call->data, now_ms(w), &why);
			client_drain(w, c);
		} else if (c->ppp != NULL) {
			ppp_input(c->ppp, call->data, now_ms(w));
			client_drain_ppp(w, c);
		}
	}
}

bool
world_deliver(struct world *w)
{
	const struct plane_counters counters = {
	    .bytes_in = 1000, .bytes_out = 2000};
	struct null_call call;

	if (!null_next_call(w->plane, &call))
		return false;
	switch (call.type) {
	case NULL_CALL_SA_ADD:
		/* the test draws SPIs so that the low byte is the mark */
		w->assoc_of_mark[call.spi & 0xff] = call.association;
		break;
	case NULL_CALL_L2TP_SEND:
	case NULL_CALL_PPP_SEND:
		if (w->carry != NULL)
			w->carry(w->carry_ctx, &call);
		else
			carry(w, &call);
		break;
	case NULL_CALL_SESSION_ADD:
		w->session = call.session;
		null_set_counters(w->plane, call.session, &counters);
		break;
	case NULL_CALL_OPEN_IPV4:
		memcpy(w->address, call.address, 4);
		break;
	default:
		break;
	}
	/* the engine names no session that is not there; networks may be
	 * another's, and the plane may refuse a session */
	assert_true(call.session == 0 || call.result == 0 ||
	    call.result == -ENODEV || call.type == NULL_CALL_ROUTES);
	return true;
}

void
world_run(struct world *w)
{
	unsigned int i, quiet = 0;

	for (i = 0; i < 2000 && quiet < 20; i++) {
		loop_run_once(w->loop, false);
		quiet = world_deliver(w) ? 0 : quiet + 1;
	}
}

void
world_dial(struct world *w, size_t index, uint32_t mark, const char *user,
    const char *password)
{
	struct client *c = &w->clients[index];

	c->mark = mark;
	c->port = L2TP_PORT;
	secret_set(&c->password, password, strlen(password));
	c->ppp_config = (struct ppp_config){
	    .server = false,
	    .methods = {PPP_AUTH_MSCHAPV2},
	    .mru = 1400,
	    .ipv6 = w->ipv6,
	    .user = user,
	    .password = &c->password,
	    .random = on_random,
	};
	c->ppp = ppp_new(&c->ppp_config, now_ms(w));
	assert_non_null(c->ppp);
	/* every client uses the same tunnel id: only the association differs */
	c->tunnel =
	    tunnel_new_initiator(&w->client_tunnel_config, 1, now_ms(w));
	assert_non_null(c->tunnel);
	client_drain(w, c);
	world_run(w);
}

void
client_forget(struct client *c)
{
	tunnel_free(c->tunnel);
	ppp_free(c->ppp);
	memset(c, 0, sizeof(*c));
}

/* ---- fake authority: one user, alice, password "secret" ---- */

static void
on_ask(struct world *w, struct imsg *m)
{
	uint8_t hash[MSCHAP_HASH_BYTES], buf[2048];
	char authenticator[MSCHAPV2_AUTHENTICATOR_BYTES];
	struct wr out = wr_init(buf, sizeof(buf));
	struct auth_verdict v;
	struct auth_ask a;

	assert_true(auth_msg_get_ask(&m->payload, &a));
	w->asks++;
	memset(&v, 0, sizeof(v));
	v.ref = a.ref;
	strcpy(v.user, "alice");
	assert_int_equal(a.response_bytes, MSCHAPV2_RESPONSE_BYTES);
	assert_int_equal(mschap_nt_hash("secret", 6, hash), 0);
	if (mschapv2_verify(hash, a.name, a.name_bytes, a.challenge, a.response,
		authenticator)) {
		v.message_bytes = (uint16_t)snprintf((char *)v.message,
		    sizeof(v.message), "%s M=ok", authenticator);
		memcpy(v.ipv4_local, (uint8_t[4]){10, 77, 0, 1}, 4);
		memcpy(
		    v.ipv4_peer, (uint8_t[4]){10, 77, 0, ++w->next_address}, 4);
		memcpy(v.ipv4_dns[0], (uint8_t[4]){10, 77, 0, 1}, 4);
	} else {
		v.reason = AUTH_WRONG_PASSWORD;
		v.message_bytes = (uint16_t)snprintf((char *)v.message,
		    sizeof(v.message),
		    "E=691 R=0 C=00000000000000000000000000000000 V=3 M=no");
	}
	if (v.reason == AUTH_ACCEPTED)
		v.routes = w->behind, v.group = 1,
		memcpy(v.ipv6_prefix, "\x20\x01\x0d\xb8\0\1\0", 7),
		v.ipv6_prefix[7] = w->next_address;
	assert_true(auth_msg_put_verdict(&out, &v));
	assert_int_equal(
	    imsg_send(w->authority, AUTH_MSG_VERDICT, 0, buf, out.len, -1), 0);
}

static void
authority_message(void *ctx, struct imsg *m)
{
	struct world *w = ctx;
	struct auth_use u;

	switch (m->type) {
	case AUTH_MSG_ASK:
		on_ask(w, m);
		break;
	case AUTH_MSG_UP:
		w->ups++;
		break;
	case AUTH_MSG_STOP:
		assert_true(auth_msg_get_use(&m->payload, &u));
		assert_int_equal(u.bytes_in, 1000);
		memcpy(w->stop_reason, u.reason, sizeof(w->stop_reason));
		w->stops++;
		break;
	default:
		break;
	}
}

static void
authority_closed(void *ctx, const char *why)
{
	struct world *w = ctx;

	(void)why;
	imsg_free(w->authority);
	w->authority = NULL;
}

static const struct imsg_rule authority_rules[] = {
    {AUTH_MSG_ASK, "ask", 1, IMSG_PAYLOAD_MAX, true},
    {AUTH_MSG_UP, "up", 8, 8, true},
    {AUTH_MSG_USE, "use", 1, 1024, true},
    {AUTH_MSG_STOP, "stop", 1, 1024, true},
    {0, NULL, 0, 0, true},
};

static const struct imsg_ops authority_ops = {
    .rules = authority_rules,
    .message = authority_message,
    .closed = authority_closed,
};

/* ---- fake charon plugin ---- */

void
plugin_say(struct world *w, uint32_t type, const void *payload, size_t n)
{
	uint8_t buf[2048];
	struct wr out = wr_init(buf, sizeof(buf));

	wr_be32(&out, type);
	wr_be32(&out, 0);
	wr_bytes(&out, payload, n);
	assert_true(wr_ok(&out));
	assert_int_equal(
	    send(w->plugin_fd, buf, out.len, MSG_NOSIGNAL), (ssize_t)out.len);
}

static void
plugin_hello(struct world *w, uint64_t epoch)
{
	uint8_t buf[12];
	struct wr out = wr_init(buf, sizeof(buf));

	wr_be32(&out, CHARON_MSG_VERSION);
	wr_be64(&out, epoch);
	plugin_say(w, CHARON_MSG_HELLO, buf, out.len);
}

static void
fill_sa(struct charon_sa *sa, uint32_t mark, bool inbound, uint32_t generation)
{
	memset(sa, 0, sizeof(*sa));
	sa->inbound = inbound;
	sa->spi =
	    (inbound ? 0xc0000000u : 0x10000000u) | generation << 8 | mark;
	sa->encap = true;
	sa->mark = mark;
	sa->local = (struct endpoint){4, {203, 0, 113, 1}, 4500};
	/* one NAT for all: the same address, another port */
	sa->peer =
	    (struct endpoint){4, {198, 51, 100, 7}, (uint16_t)(40000 + mark)};
	sa->enc_alg = ESP_ENC_AES_CBC;
	sa->int_alg = ESP_INT_HMAC_SHA1_96;
	sa->enc_key_bytes = 32;
	sa->int_key_bytes = 20;
	sa->peer_port = 1701;
}

void
plugin_sa_one(struct world *w, uint32_t mark, uint32_t generation, bool inbound)
{
	uint8_t buf[1024];
	struct charon_sa sa;
	struct wr out = wr_init(buf, sizeof(buf));

	fill_sa(&sa, mark, inbound, generation);
	assert_true(charon_msg_put_sa(&out, &sa));
	plugin_say(w, CHARON_MSG_SA_ADD, buf, out.len);
}

void
plugin_sa(struct world *w, uint32_t mark, uint32_t generation)
{
	plugin_sa_one(w, mark, generation, true);
	plugin_sa_one(w, mark, generation, false);
}

void
plugin_sa_del_one(
    struct world *w, uint32_t mark, uint32_t generation, bool inbound)
{
	struct charon_sa_del d;
	uint8_t buf[256];
	struct charon_sa sa;
	struct wr out = wr_init(buf, sizeof(buf));

	fill_sa(&sa, mark, inbound, generation);
	memset(&d, 0, sizeof(d));
	d.spi = sa.spi;
	d.inbound = sa.inbound;
	d.peer = sa.peer;
	assert_true(charon_msg_put_sa_del(&out, &d));
	plugin_say(w, CHARON_MSG_SA_DEL, buf, out.len);
}

void
plugin_sa_del(struct world *w, uint32_t mark, uint32_t generation)
{
	plugin_sa_del_one(w, mark, generation, true);
	plugin_sa_del_one(w, mark, generation, false);
}

static int
unix_socket(const char *path, int type, bool listening)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd;

	strncpy(sun.sun_path, path, sizeof(sun.sun_path) - 1);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (listening) {
		unlink(path);
		assert_int_equal(
		    bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
		assert_int_equal(listen(fd, 4), 0);
	} else {
		assert_int_equal(
		    connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	}
	return fd;
}

void
plugin_connect(struct world *w, uint64_t epoch)
{
	if (w->plugin_fd >= 0)
		close(w->plugin_fd);
	w->plugin_fd = unix_socket(w->plugin_path, SOCK_SEQPACKET, false);
	plugin_hello(w, epoch);
}

/* ---- set-up ---- */

static void
on_want_vici(void *ctx)
{
	struct world *w = ctx;

	w->vici_wanted++;
}

static void
on_stopped(void *ctx)
{
	struct world *w = ctx;

	w->stopped = true;
}

static void
on_routes(void *ctx, uint32_t session, const struct ipv4_networks *nets)
{
	struct world *w = ctx;

	assert_true(session < sizeof(w->kernel) / sizeof(w->kernel[0]));
	w->kernel[session] = *nets;
}

int
world_setup(void **state)
{
	static struct adit_conf conf;
	struct engine_start start;
	struct world *w;
	int pair[2];

	w = calloc(1, sizeof(*w));
	assert_non_null(w);
	w->plugin_fd = w->control_fd = -1;
	w->next_address = 9;
	w->client_tunnel_config = (struct tunnel_config){
	    .host_name = "client",
	    .receive_window = 8,
	    .max_sessions = 1,
	    .setup_timeout_ms = 30000,
	    .random = on_random,
	};
	w->loop = loop_new();
	assert_non_null(w->loop);
	snprintf(w->plugin_path, sizeof(w->plugin_path), "/tmp/adit-test-%d.p",
	    (int)getpid());
	snprintf(w->control_path, sizeof(w->control_path),
	    "/tmp/adit-test-%d.c", (int)getpid());
	conf_defaults(&conf);
	strcpy(conf.address, "vpn.example");
	conf.pool_bits6 = 48; /* the prefix is the fake authority's */
	conf.ipv6_dns[0][0] = 0xfd;
	/* the user's group */
	conf.group_count = 2;
	memcpy(conf.groups[1].ipv4_dns[0], (uint8_t[4]){10, 77, 0, 5}, 4);
	conf.groups[1].route_count = 1;
	conf.group_routes[0] = (struct ipv4_network){{192, 168, 7, 0}, 24};
	conf.groups[1].domain_count = 1;
	strcpy(conf.domain_texts, "lab.test");
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	w->authority = imsg_new(w->loop, pair[1], &authority_ops, w);
	assert_non_null(w->authority);
	start = (struct engine_start){
	    .conf = &conf,
	    .plane_listen_fd =
		unix_socket(w->plugin_path, SOCK_SEQPACKET, true),
	    .control_listen_fd =
		unix_socket(w->control_path, SOCK_STREAM, true),
	    .auth_fd = pair[0],
	    .plane_new = make_plane,
	    .plane_new_ctx = w,
	    .want_vici = on_want_vici,
	    .stopped = on_stopped,
	    .routes = on_routes,
	    .plugin_uid = geteuid(),
	    .ctx = w,
	};
	w->engine = engine_new(w->loop, &start);
	assert_non_null(w->engine);
	assert_int_equal(w->vici_wanted, 1);
	*state = w;
	return 0;
}

int
world_teardown(void **state)
{
	struct world *w = *state;
	size_t i;

	engine_free(w->engine);
	assert_int_equal(null_count_sas(w->plane, true), 0);
	assert_int_equal(null_count_sas(w->plane, false), 0);
	assert_int_equal(null_count_sessions(w->plane), 0);
	for (i = 0; i < CLIENTS; i++)
		client_forget(&w->clients[i]);
	plane_free(w->plane);
	imsg_free(w->authority);
	if (w->plugin_fd >= 0)
		close(w->plugin_fd);
	if (w->control_fd >= 0)
		close(w->control_fd);
	loop_free(w->loop);
	unlink(w->plugin_path);
	unlink(w->control_path);
	free(w);
	return 0;
}

void
charon_up(struct world *w)
{
	plugin_connect(w, EPOCH);
	plugin_say(w, CHARON_MSG_SYNC_END, "", 0);
	world_run(w);
}

const char *
world_control(struct world *w, const char *line)
{
	static char answer[8192];
	ssize_t n;

	if (w->control_fd < 0)
		w->control_fd =
		    unix_socket(w->control_path, SOCK_STREAM, false);
	assert_int_equal(
	    send(w->control_fd, line, strlen(line), 0), (ssize_t)strlen(line));
	world_run(w);
	n = recv(w->control_fd, answer, sizeof(answer) - 1, MSG_DONTWAIT);
	assert_true(n > 0);
	answer[n] = '\0';
	return answer;
}
