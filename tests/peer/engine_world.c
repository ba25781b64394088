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
	if (*(inbound ? &w->sas_in : &w->sas_out) == 0)
		return -ENOENT;
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

void
client_drain_ppp(struct world *w, struct client *c)
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

void
client_drain(struct world *w, struct client *c)
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
			client_drain(w, c);
		} else if (c->ppp != NULL) {
			ppp_input(c->ppp, rd_init(k->data, k->len), now_ms(w));
			client_drain_ppp(w, c);
		}
	}
	free(k);
	return true;
}

void
world_run(struct world *w)
{
	unsigned int i, quiet = 0;

	for (i = 0; i < 2000 && quiet < 20; i++) {
		loop_run_once(w->loop, false);
		quiet = deliver(w) ? 0 : quiet + 1;
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

void
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

int
world_setup(void **state)
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

int
world_teardown(void **state)
{
	struct world *w = *state;
	size_t i;

	engine_free(w->engine);
	assert_int_equal(w->sas_in, 0);
	assert_int_equal(w->sas_out, 0);
	for (i = 0; i < 8; i++)
		assert_false(w->rows[i].used);
	for (i = 0; i < CLIENTS; i++)
		client_forget(&w->clients[i]);
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
