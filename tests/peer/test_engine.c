/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_engine.c: the whole engine in one process against a client made of our
 * own initiator tunnel and client PPP. The plane, charon's plugin and the
 * authority are played here; sockets are unix sockets, nothing needs root.
 *
 *   client tunnel+PPP  <->  fake plane  <->  engine  <->  fake authority
 *                                              ^
 *                                        fake charon plugin
 */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auth_msg.h"
#include "base/charon_msg.h"
#include "base/imsg.h"
#include "base/log.h"
#include "base/secret.h"
#include "l2tpd/engine/engine.h"
#include "l2tpd/proto/tunnel.h"
#include "ppp-glue/engine/mschap.h"
#include "ppp-glue/engine/ppp.h"

#define QUEUE_MAX 512
#define EPOCH     0x1122334455667788ull

/* one datagram or frame on its way */
struct packet {
	uint32_t session; /* 0: L2TP control */
	uint32_t assoc;
	uint16_t port;
	size_t len;
	uint8_t data[2048];
};

struct queue {
	struct packet *p[QUEUE_MAX];
	size_t n;
};

/* One client device. */
struct client {
	uint32_t mark; /* of its association, charon's number */
	uint16_t port; /* its UDP port inside ESP */
	struct tunnel *tunnel;
	struct ppp *ppp;
	struct ppp_config ppp_config;
	struct secret password;
	uint16_t local_session;
	uint16_t server_tunnel, server_session;
	bool session_up, ipv4_up, ppp_down, tunnel_down;
	uint8_t address[4];
};

struct row { /* what the engine put into the plane */
	struct plane_session s;
	bool used, open;
	uint8_t address[4];
};

#define CLIENTS 3
struct world {
	struct plane plane; /* first */
	struct plane_events events;
	void *events_ctx;
	struct loop *loop;
	struct engine *engine;
	struct queue to_clients;
	struct row rows[8];
	unsigned int sas_in, sas_out;
	uint32_t assoc_of_mark[256];
	struct client clients[CLIENTS];
	struct tunnel_config client_tunnel_config;
	/* fake authority */
	struct imsg_channel *authority;
	unsigned int asks, ups, stops;
	char stop_reason[64];
	uint8_t next_address;
	/* fake plugin, control */
	int plugin_fd, control_fd;
	char plugin_path[64], control_path[64];
	bool stopped;
	unsigned int vici_wanted;
};

static uint64_t
now_ms(const struct world *w)
{
	return loop_now_ms(w->loop);
}

/* ---- fake plane ---- */

static struct world *
world_of(struct plane *p)
{
	return (struct world *)(void *)p;
}

static void
fp_free(struct plane *p)
{
	(void)p;
}

static int
fp_sa_add(struct plane *p, const struct esp_sa_params *params)
{
	struct world *w = world_of(p);

	*(params->inbound ? &w->sas_in : &w->sas_out) += 1;
	/* the test draws SPIs so that the low byte is the mark */
	w->assoc_of_mark[params->spi & 0xff] = params->association;
	return 0;
}

static int
fp_sa_update(struct plane *p, uint32_t spi, bool inbound,
    const struct endpoint *old_peer, const struct endpoint *local,
    const struct endpoint *peer, bool encap)
{
	(void)p, (void)spi, (void)inbound, (void)old_peer, (void)local,
	    (void)peer, (void)encap;
	return 0;
}

static int
fp_sa_del(
    struct plane *p, uint32_t spi, bool inbound, const struct endpoint *peer)
{
	struct world *w = world_of(p);

	(void)spi, (void)peer;
	*(inbound ? &w->sas_in : &w->sas_out) -= 1;
	return 0;
}

static int
fp_sa_counters(struct plane *p, uint32_t spi, bool inbound,
    const struct endpoint *peer, struct esp_counters *ret)
{
	(void)p, (void)spi, (void)inbound, (void)peer;
	memset(ret, 0, sizeof(*ret));
	return 0;
}

static const char *
fp_cipher_name(struct plane *p, uint32_t association)
{
	(void)p, (void)association;
	return "aes256-sha1";
}

static void
fp_spi_expect(struct plane *p, uint32_t spi, bool expect)
{
	(void)p, (void)spi, (void)expect;
}

static int
fp_ike_send(struct plane *p, const struct endpoint *local,
    const struct endpoint *peer, struct rd data)
{
	(void)p, (void)local, (void)peer, (void)data;
	return 0;
}

static void
push(struct queue *q, uint32_t session, uint32_t assoc, uint16_t port,
    struct rd data)
{
	struct packet *k;

	assert_true(q->n < QUEUE_MAX);
	assert_true(data.left <= sizeof(k->data));
	k = calloc(1, sizeof(*k));
	assert_non_null(k);
	k->session = session;
	k->assoc = assoc;
	k->port = port;
	k->len = data.left;
	rd_bytes(&data, k->data, data.left);
	q->p[q->n++] = k;
}

static int
fp_l2tp_send(struct plane *p, uint32_t association, uint16_t peer_port,
    struct rd datagram)
{
	push(&world_of(p)->to_clients, 0, association, peer_port, datagram);
	return 0;
}

static struct row *
row_of(struct world *w, uint32_t id)
{
	size_t i;

	for (i = 0; i < 8; i++)
		if (w->rows[i].used && w->rows[i].s.id == id)
			return &w->rows[i];
	return NULL;
}

static int
fp_session_add(struct plane *p, const struct plane_session *s)
{
	struct world *w = world_of(p);
	size_t i;

	for (i = 0; i < 8; i++) {
		if (w->rows[i].used)
			continue;
		memset(&w->rows[i], 0, sizeof(w->rows[i]));
		w->rows[i].used = true;
		w->rows[i].s = *s;
		return 0;
	}
	return -ENOMEM;
}

static void
fp_session_del(struct plane *p, uint32_t id)
{
	struct row *r = row_of(world_of(p), id);

	assert_non_null(r);
	r->used = false;
}

static int
fp_session_rebind(
    struct plane *p, uint32_t id, uint32_t association, uint16_t peer_port)
{
	struct row *r = row_of(world_of(p), id);

	assert_non_null(r);
	r->s.association = association;
	r->s.peer_port = peer_port;
	return 0;
}

static int
fp_open_ipv4(
    struct plane *p, uint32_t id, const uint8_t address[4], uint16_t peer_mru)
{
	struct row *r = row_of(world_of(p), id);

	(void)peer_mru;
	assert_non_null(r);
	r->open = true;
	memcpy(r->address, address, 4);
	return 0;
}

static int
fp_open_ipv6(struct plane *p, uint32_t id, const uint8_t prefix[8],
    const uint8_t ifid[8], uint16_t peer_mru)
{
	(void)p, (void)id, (void)prefix, (void)ifid, (void)peer_mru;
	return -ENOENT;
}

static void
fp_shut(struct plane *p, uint32_t id)
{
	struct row *r = row_of(world_of(p), id);

	assert_non_null(r);
	r->open = false;
}

static int
fp_ppp_send(struct plane *p, uint32_t session, struct rd frame)
{
	struct world *w = world_of(p);
	struct row *r = row_of(w, session);

	assert_non_null(r);
	push(&w->to_clients, session, r->s.association, r->s.peer_port, frame);
	return 0;
}

static int
fp_counters(struct plane *p, uint32_t id, struct plane_counters *ret)
{
	(void)id, (void)p;
	memset(ret, 0, sizeof(*ret));
	ret->bytes_in = 1000;
	ret->bytes_out = 2000;
	return 0;
}

static void
fp_totals(struct plane *p, struct plane_totals *ret)
{
	(void)p;
	memset(ret, 0, sizeof(*ret));
}

static const struct plane_ops fake_plane_ops = {
    .free = fp_free,
    .sa_add = fp_sa_add,
    .sa_update = fp_sa_update,
    .sa_del = fp_sa_del,
    .sa_counters = fp_sa_counters,
    .cipher_name = fp_cipher_name,
    .spi_expect = fp_spi_expect,
    .ike_send = fp_ike_send,
    .l2tp_send = fp_l2tp_send,
    .session_add = fp_session_add,
    .session_del = fp_session_del,
    .session_rebind = fp_session_rebind,
    .session_open_ipv4 = fp_open_ipv4,
    .session_open_ipv6 = fp_open_ipv6,
    .session_shut = fp_shut,
    .ppp_send = fp_ppp_send,
    .session_counters = fp_counters,
    .totals = fp_totals,
};

static struct plane *
make_fake_plane(struct loop *loop, const struct plane_events *events,
    void *events_ctx, void *ctx)
{
	struct world *w = ctx;

	(void)loop;
	w->events = *events;
	w->events_ctx = events_ctx;
	return &w->plane;
}

/* ---- clients ---- */

static void
on_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	random_bytes(p, n);
}

static void drain_tunnel(struct world *w, struct client *c);

static void
drain_ppp(struct world *w, struct client *c)
{
	struct ppp_effect fx;
	struct row *r;
	size_t i;

	while (c->ppp != NULL && ppp_next_effect(c->ppp, &fx)) {
		switch (fx.type) {
		case PPP_EFFECT_SEND:
			for (i = 0; i < 8; i++) {
				r = &w->rows[i];
				if (!r->used ||
				    r->s.local_tunnel_id != c->server_tunnel ||
				    r->s.local_session_id != c->server_session)
					continue;
				w->events.ppp(w->events_ctx, r->s.id, fx.data);
				break;
			}
			break;
		case PPP_EFFECT_IPV4_UP:
			c->ipv4_up = true;
			memcpy(c->address, fx.ipv4_local, 4);
			break;
		case PPP_EFFECT_IPV4_DOWN:
			c->ipv4_up = false;
			break;
		case PPP_EFFECT_DOWN:
			c->ppp_down = true;
			break;
		default:
			break;
		}
	}
}

static void
drain_tunnel(struct world *w, struct client *c)
{
	const struct endpoint peer = {
	    .family = 4, .addr = {198, 51, 100, 7}, .port = 4500};
	struct tunnel_effect fx;

	while (tunnel_next_effect(c->tunnel, &fx)) {
		switch (fx.type) {
		case TUNNEL_EFFECT_SEND:
			w->events.l2tp(w->events_ctx, w->assoc_of_mark[c->mark],
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
			drain_ppp(w, c);
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

/* Everything that the server sent goes to the client it is for. */
static bool
deliver(struct world *w)
{
	const char *why = "-";
	struct client *c;
	struct packet *k;
	size_t i;

	if (w->to_clients.n == 0)
		return false;
	k = w->to_clients.p[0];
	w->to_clients.n--;
	memmove(&w->to_clients.p[0], &w->to_clients.p[1],
	    w->to_clients.n * sizeof(k));
	for (i = 0; i < CLIENTS; i++) {
		c = &w->clients[i];
		if (c->tunnel == NULL || w->assoc_of_mark[c->mark] != k->assoc)
			continue;
		if (k->session == 0) {
			tunnel_input(c->tunnel, rd_init(k->data, k->len),
			    now_ms(w), &why);
			drain_tunnel(w, c);
		} else if (c->ppp != NULL) {
			ppp_input(c->ppp, rd_init(k->data, k->len), now_ms(w));
			drain_ppp(w, c);
		}
	}
	free(k);
	return true;
}

static void
run(struct world *w)
{
	unsigned int i, quiet = 0;

	for (i = 0; i < 2000 && quiet < 20; i++) {
		loop_run_once(w->loop, false);
		quiet = deliver(w) ? 0 : quiet + 1;
	}
}

static void
dial(struct world *w, size_t index, uint32_t mark, const char *user,
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
	drain_tunnel(w, c);
	run(w);
}

static void
forget(struct client *c)
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

static void
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

static void
plugin_sa(struct world *w, uint32_t mark, uint32_t generation)
{
	uint8_t buf[1024];
	struct charon_sa sa;
	struct wr out;
	int i;

	for (i = 0; i < 2; i++) {
		out = wr_init(buf, sizeof(buf));
		fill_sa(&sa, mark, i == 0, generation);
		assert_true(charon_msg_put_sa(&out, &sa));
		plugin_say(w, CHARON_MSG_SA_ADD, buf, out.len);
	}
}

static void
plugin_sa_del(struct world *w, uint32_t mark, uint32_t generation)
{
	struct charon_sa_del d;
	uint8_t buf[256];
	struct charon_sa sa;
	struct wr out;
	int i;

	for (i = 0; i < 2; i++) {
		out = wr_init(buf, sizeof(buf));
		fill_sa(&sa, mark, i == 0, generation);
		memset(&d, 0, sizeof(d));
		d.spi = sa.spi;
		d.inbound = sa.inbound;
		d.peer = sa.peer;
		assert_true(charon_msg_put_sa_del(&out, &d));
		plugin_say(w, CHARON_MSG_SA_DEL, buf, out.len);
	}
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

static void
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

static int
setup(void **state)
{
	static struct adit_conf conf;
	struct engine_start start;
	struct world *w;
	int pair[2];

	w = calloc(1, sizeof(*w));
	assert_non_null(w);
	w->plane.ops = &fake_plane_ops;
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
	    .plane_new = make_fake_plane,
	    .plane_new_ctx = w,
	    .want_vici = on_want_vici,
	    .stopped = on_stopped,
	    .plugin_uid = geteuid(),
	    .ctx = w,
	};
	w->engine = engine_new(w->loop, &start);
	assert_non_null(w->engine);
	assert_int_equal(w->vici_wanted, 1);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	size_t i;

	engine_free(w->engine);
	assert_int_equal(w->sas_in, 0);
	assert_int_equal(w->sas_out, 0);
	for (i = 0; i < 8; i++)
		assert_false(w->rows[i].used);
	for (i = 0; i < CLIENTS; i++)
		forget(&w->clients[i]);
	for (i = 0; i < w->to_clients.n; i++)
		free(w->to_clients.p[i]);
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

static void
charon_up(struct world *w)
{
	plugin_connect(w, EPOCH);
	plugin_say(w, CHARON_MSG_SYNC_END, "", 0);
	run(w);
}

static const char *
control(struct world *w, const char *line)
{
	static char answer[8192];
	ssize_t n;

	if (w->control_fd < 0)
		w->control_fd =
		    unix_socket(w->control_path, SOCK_STREAM, false);
	assert_int_equal(
	    send(w->control_fd, line, strlen(line), 0), (ssize_t)strlen(line));
	run(w);
	n = recv(w->control_fd, answer, sizeof(answer) - 1, MSG_DONTWAIT);
	assert_true(n > 0);
	answer[n] = '\0';
	return answer;
}

/* ---- tests ---- */

static void
test_connect(void **state)
{
	struct world *w = *state;
	struct client *c = &w->clients[0];
	const char *text;

	charon_up(w);
	plugin_sa(w, 1, 0);
	run(w);
	assert_int_equal(w->sas_in, 1);
	dial(w, 0, 1, "alice", "secret");
	assert_true(c->session_up);
	assert_true(c->ipv4_up);
	assert_memory_equal(c->address, ((uint8_t[4]){10, 77, 0, 10}), 4);
	assert_true(w->rows[0].open);
	assert_memory_equal(w->rows[0].address, c->address, 4);
	assert_int_equal(w->ups, 1);
	text = control(w, "{\"cmd\":\"sessions\"}\n");
	assert_non_null(strstr(text, "\"user\":\"alice\""));
	assert_non_null(strstr(text, "\"inner_ipv4\":\"10.77.0.10\""));
	assert_non_null(strstr(text, "\"mark\":1"));
	assert_non_null(strstr(text, "\"bytes_in\":1000"));
	text = control(w, "{\"cmd\":\"status\"}\n");
	assert_non_null(strstr(text, "\"sessions\":1,"));
}

static void
test_wrong_password(void **state)
{
	struct world *w = *state;
	struct client *c = &w->clients[0];

	charon_up(w);
	plugin_sa(w, 1, 0);
	run(w);
	dial(w, 0, 1, "alice", "wrong");
	assert_false(c->ipv4_up);
	assert_true(c->ppp_down);
	assert_int_equal(w->asks, 1);
	assert_int_equal(w->ups, 0);
	assert_int_equal(w->stops, 0);
	assert_false(w->rows[0].used);
}

/* Three devices behind one NAT, all from port 1701 with equal tunnel ids. */
static void
test_three_behind_one_nat(void **state)
{
	struct world *w = *state;
	size_t i;

	charon_up(w);
	for (i = 0; i < 3; i++) {
		plugin_sa(w, (uint32_t)i + 1, 0);
		run(w);
		dial(w, i, (uint32_t)i + 1, "alice", "secret");
		assert_true(w->clients[i].ipv4_up);
		assert_int_equal(w->clients[i].address[3], 10 + i);
	}
	/* one leaves; the others stay */
	tunnel_close(w->clients[1].tunnel, 6, 0, NULL, now_ms(w));
	drain_tunnel(w, &w->clients[1]);
	run(w);
	assert_int_equal(w->stops, 1);
	assert_true(w->clients[0].ipv4_up && w->clients[2].ipv4_up);
	assert_non_null(
	    strstr(control(w, "{\"cmd\":\"status\"}\n"), "\"sessions\":2,"));
}

/* A tunnel cannot be used over somebody else's association. */
static void
test_foreign_association(void **state)
{
	struct world *w = *state;
	struct client *c = &w->clients[0];
	uint32_t own;

	charon_up(w);
	plugin_sa(w, 1, 0);
	plugin_sa(w, 2, 0);
	run(w);
	dial(w, 0, 1, "alice", "secret");
	assert_true(c->ipv4_up);
	own = w->assoc_of_mark[1];
	w->assoc_of_mark[1] = w->assoc_of_mark[2];
	tunnel_close(c->tunnel, 6, 0, NULL, now_ms(w));
	drain_tunnel(w, c); /* the StopCCN goes over the wrong association */
	w->assoc_of_mark[1] = own;
	run(w);
	assert_int_equal(w->stops, 0);
	assert_true(w->rows[0].open);
}

/* A killed client comes back on the same association with the same ids. */
static void
test_client_crash(void **state)
{
	struct world *w = *state;
	struct client *c = &w->clients[0];

	charon_up(w);
	plugin_sa(w, 1, 0);
	run(w);
	dial(w, 0, 1, "alice", "secret");
	assert_true(c->ipv4_up);
	forget(c);
	plugin_sa(w, 1, 1); /* rekeyed on the same mark */
	plugin_sa_del(w, 1, 0);
	run(w);
	dial(w, 0, 1, "alice", "secret");
	assert_true(c->ipv4_up);
	assert_int_equal(w->stops, 1);
	assert_string_equal(w->stop_reason, "superseded");
	assert_int_equal(w->sas_in, 1);
}

/* The plugin reconnects: what it names stays, what it does not name goes. */
static void
test_plugin_replay(void **state)
{
	struct world *w = *state;

	charon_up(w);
	plugin_sa(w, 1, 0);
	plugin_sa(w, 2, 0);
	run(w);
	dial(w, 0, 1, "alice", "secret");
	assert_int_equal(w->sas_in, 2);
	plugin_connect(w, EPOCH);
	plugin_sa(w, 1, 0);
	plugin_say(w, CHARON_MSG_SYNC_END, "", 0);
	run(w);
	assert_int_equal(w->sas_in, 1);
	assert_true(w->clients[0].ipv4_up);
	assert_non_null(
	    strstr(control(w, "{\"cmd\":\"status\"}\n"), "\"sessions\":1,"));
}

/* charon restarts: marks count from 1 again, the old session lives on, and a
 * new client with the same mark is somebody else. */
static void
test_charon_restart(void **state)
{
	struct world *w = *state;
	uint32_t old;

	charon_up(w);
	plugin_sa(w, 1, 0);
	run(w);
	dial(w, 0, 1, "alice", "secret");
	assert_true(w->clients[0].ipv4_up);
	old = w->assoc_of_mark[1];
	w->clients[0].mark = 15;
	w->assoc_of_mark[15] = old;
	plugin_connect(w, EPOCH + 1);
	plugin_say(w, CHARON_MSG_SYNC_END, "", 0);
	plugin_sa(w, 1, 1);
	run(w);
	assert_int_not_equal(w->assoc_of_mark[1], old);
	dial(w, 1, 1, "alice", "secret");
	assert_true(w->clients[1].ipv4_up);
	assert_true(w->clients[0].ipv4_up);
	assert_int_equal(w->stops, 0);
}

static void
test_disconnect(void **state)
{
	struct world *w = *state;
	const char *text;

	charon_up(w);
	plugin_sa(w, 1, 0);
	run(w);
	dial(w, 0, 1, "alice", "secret");
	text = control(w, "{\"cmd\":\"disconnect\",\"user\":\"ALICE\"}\n");
	assert_non_null(strstr(text, "\"disconnected\":1"));
	run(w);
	assert_false(w->clients[0].ipv4_up);
	assert_int_equal(w->stops, 1);
	assert_string_equal(w->stop_reason, "administrator");
	text = control(w, "{\"cmd\":\"disconnect\",\"id\":99}\n");
	assert_non_null(strstr(text, "\"disconnected\":0"));
}

static void
test_control_garbage(void **state)
{
	struct world *w = *state;
	static char line[8192];

	assert_non_null(strstr(control(w, "nonsense\n"), "\"ok\":false"));
	assert_non_null(strstr(control(w, "[1,2]\n"), "\"ok\":false"));
	assert_non_null(
	    strstr(control(w, "{\"cmd\":\"reboot\"}\n"), "unknown cmd"));
	assert_non_null(
	    strstr(control(w, "{\"cmd\":\"disconnect\"}\n"), "needs"));
	/* a line that never ends ends the connection, not the engine */
	memset(line, 'a', sizeof(line) - 1);
	send(w->control_fd, line, strlen(line), MSG_NOSIGNAL);
	run(w);
	close(w->control_fd);
	w->control_fd = -1;
	assert_non_null(
	    strstr(control(w, "{\"cmd\":\"status\"}\n"), "\"ok\":true"));
}

static void
test_stop(void **state)
{
	struct world *w = *state;
	unsigned int i;

	charon_up(w);
	plugin_sa(w, 1, 0);
	run(w);
	dial(w, 0, 1, "alice", "secret");
	engine_stop(w->engine);
	run(w);
	assert_true(w->clients[0].tunnel_down); /* it got the StopCCN */
	assert_int_equal(w->stops, 1);
	for (i = 0; i < 100 && !w->stopped; i++)
		loop_run_once(w->loop, true);
	assert_true(w->stopped);
}

/* Bytes that the process holds; 0 when the allocator does not tell. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t
allocated_bytes(void)
{
	if (__sanitizer_get_current_allocated_bytes != NULL)
		return __sanitizer_get_current_allocated_bytes();
	return mallinfo2().uordblks;
}

/* A peer that passed IKE, sent a SCCRQ and falls silent is cheap. */
static void
test_half_open_cost(void **state)
{
	enum { PEERS = 200 };
	struct world *w = *state;
	struct tunnel *t;
	struct tunnel_effect fx;
	const struct endpoint peer = {4, {198, 51, 100, 7}, 4500};
	size_t before, after;
	uint32_t mark;

	charon_up(w);
	before = allocated_bytes();
	for (mark = 1; mark <= PEERS; mark++) {
		plugin_sa(w, mark, 0);
		run(w);
		t = tunnel_new_initiator(
		    &w->client_tunnel_config, 1, now_ms(w));
		assert_non_null(t);
		assert_true(tunnel_next_effect(t, &fx));
		assert_int_equal(fx.type, TUNNEL_EFFECT_SEND);
		w->events.l2tp(w->events_ctx, w->assoc_of_mark[mark], &peer,
		    1701, fx.data);
		tunnel_free(t);
		run(w); /* the SCCRP is dropped: nobody is there */
	}
	after = allocated_bytes();
	assert_non_null(
	    strstr(control(w, "{\"cmd\":\"status\"}\n"), "\"tunnels\":200,"));
	print_message("half-open peer: %zu bytes\n", (after - before) / PEERS);
	assert_true((after - before) / PEERS < 16 * 1024);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_connect),
	    T(test_wrong_password),
	    T(test_three_behind_one_nat),
	    T(test_foreign_association),
	    T(test_client_crash),
	    T(test_plugin_replay),
	    T(test_charon_restart),
	    T(test_disconnect),
	    T(test_control_garbage),
	    T(test_stop),
	};

	log_open("test", true, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
