/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.c: the control socket of adit(8): one JSON object a line in, one a
 * line out. Requests: {"cmd":"status"}, {"cmd":"sessions"},
 * {"cmd":"disconnect","id":N} or {"cmd":"disconnect","user":"name"}.
 * Answers: {"ok":true,...} or {"ok":false,"error":"what to do"}.
 *
 * Only root may connect. Lines are bounded, connections are bounded, and a
 * client that does not read its answer is cut off. The list of sessions is made
 * piece by piece, a piece a turn of the loop: ten thousand of them neither hold
 * up packets nor need memory all at once.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "l2tpd/engine/internal.h"

#define LINE_MAX_BYTES 4096
#define CLIENTS_MAX    16
#define PIECE_SESSIONS 32

struct control_client {
	struct engine *engine;
	int fd; /* -1: free slot */
	struct loop_fd *watch;
	char line[LINE_MAX_BYTES];
	size_t len;
	char *out; /* what could not be written yet */
	size_t out_len, out_at;
	uint32_t *ids; /* sessions that are still to be listed; NULL: no list */
	size_t ids_count, ids_at, listed;
};

struct control {
	int listen_fd;
	struct loop_fd *watch;
	struct control_client clients[CLIENTS_MAX];
};

static void
client_close(struct control_client *c)
{
	loop_fd_free(c->watch);
	c->watch = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	free(c->out);
	c->out = NULL;
	free(c->ids);
	c->ids = NULL;
	c->len = c->out_len = c->out_at = 0;
}

static void
format_time(time_t t, char *buf, size_t n)
{
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(buf, n, "%Y-%m-%dT%H:%M:%SZ", &tm); /* RFC 3339 */
}

static json_t *
describe_routes(const struct session *s)
{
	json_t *list = json_array();
	char text[IPV4_NETWORK_TEXT];

	for (size_t i = 0; s->routes_up && i < s->routes->count; i++)
		json_array_append_new(list,
		    json_string(ipv4_network_format(
			&s->routes->at[i], text, sizeof(text))));
	return list;
}

static const char *
plane_name(const struct engine *e)
{
	return e->kernel ? "kernel" : "user";
}

/* All sessions that are ours share the TUN device. */
static const char *
interface_of(const struct engine *e, const struct session *s)
{
	return s->in_kernel ? runner_interface(s->ppp) : e->conf.tun_name;
}

static json_t *
describe_session(struct engine *e, struct session *s)
{
	const struct association *a = s->box->assoc;
	char since[32], device[ENDPOINT_TEXT] = "-", inner[16] = "-";
	char prefix[INET6_ADDRSTRLEN] = "-";
	struct plane_counters c;

	memset(&c, 0, sizeof(c));
	plane_session_counters(e->plane, s->id, &c);
	format_time(s->since, since, sizeof(since));
	if (a != NULL)
		endpoint_format_address(&a->peer, device, sizeof(device));
	if (s->ipv4_up)
		snprintf(inner, sizeof(inner), "%u.%u.%u.%u", s->ipv4_inner[0],
		    s->ipv4_inner[1], s->ipv4_inner[2], s->ipv4_inner[3]);
	if (s->ipv6_up)
		services_prefix(s, prefix);
	return json_pack(
	    "{s:I, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:I, "
	    "s:I, s:I, s:I, s:s, s:s, s:i, s:i, s:s, s:b, s:o}",
	    "id", (json_int_t)s->id, "user", sessions_user(s), "device_address",
	    device, "device_port", a != NULL ? a->peer.port : 0, "inner_ipv4",
	    inner, "inner_ipv6_prefix", prefix, "plane",
	    s->in_kernel ? "kernel" : "user", "interface", interface_of(e, s),
	    "mark", (json_int_t)(a != NULL ? a->key.mark : 0), "since", since,
	    "bytes_in", (json_int_t)c.bytes_in, "bytes_out",
	    (json_int_t)c.bytes_out, "packets_in", (json_int_t)c.packets_in,
	    "packets_out", (json_int_t)c.packets_out, "spoofed",
	    (json_int_t)c.spoofed, "cipher",
	    a != NULL ? plane_cipher_name(e->plane, a->id) : "-", "identity",
	    a != NULL ? a->identity : "-", "association",
	    a != NULL ? (int)a->id : 0, "tunnel", (int)s->box->local_id,
	    "state", runner_state_name(s->ppp), "up", s->ipv4_up, "routes",
	    describe_routes(s));
}

/* The sessions of now; those that end before their turn are left out. */
static bool
list_begin(struct control_client *c)
{
	struct engine *e = c->engine;
	struct session *s, *tmp;

	c->ids = malloc((HASH_COUNT(e->sessions) + 1) * sizeof(*c->ids));
	c->out = strdup("{\"ok\":true,\"sessions\":[");
	c->ids_count = c->ids_at = c->listed = 0;
	if (c->ids == NULL || c->out == NULL)
		return false;
	c->out_len = strlen(c->out);
	HASH_ITER (hh, e->sessions, s, tmp)
		c->ids[c->ids_count++] = s->id;
	return true;
}

/* The next piece of the list into c->out, the last one with its end. */
static bool
list_piece(struct control_client *c)
{
	struct session *s;
	json_t *row;
	FILE *f;
	size_t n;

	f = open_memstream(&c->out, &c->out_len);
	if (f == NULL)
		return false;
	for (n = 0; n < PIECE_SESSIONS && c->ids_at < c->ids_count; n++) {
		s = sessions_find(c->engine, c->ids[c->ids_at++]);
		if (s == NULL)
			continue;
		row = describe_session(c->engine, s);
		if (c->listed++ > 0)
			fputc(',', f);
		json_dumpf(row, f, JSON_COMPACT);
		json_decref(row);
	}
	if (c->ids_at == c->ids_count) {
		fputs("]}\n", f);
		free(c->ids);
		c->ids = NULL;
	}
	n = (size_t)ferror(f);
	return fclose(f) == 0 && n == 0 && c->out != NULL;
}

static json_t *
cmd_status(struct engine *e, json_t *request)
{
	struct session *s, *tmp;
	struct plane_totals t;
	json_int_t up = 0;
	char since[32];

	(void)request;
	HASH_ITER (hh, e->sessions, s, tmp)
		up += s->ipv4_up;
	memset(&t, 0, sizeof(t));
	plane_totals(e->plane, &t);
	format_time(e->started, since, sizeof(since));
	return json_pack(
	    "{s:b, s:s, s:s, s:s, s:s?, s:i, s:b, s:b, s:b, s:I, s:I, s:I, s:I, "
	    "s:I, s:I, s:I, s:{s:I, s:I, s:I, s:I, s:I, s:I, "
	    "s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}}",
	    "ok", 1, "since", since, "address", e->conf.address, "plane",
	    plane_name(e), "crypto", t.crypto, "workers", (int)t.workers,
	    "charon_plugin",
	    e->relay != NULL && ike_relay_is_connected(e->relay), "charon_vici",
	    e->vici != NULL, "charon_ready", charon_is_there(e), "sessions", up,
	    "sessions_all", (json_int_t)HASH_COUNT(e->sessions), "tunnels",
	    (json_int_t)HASH_COUNT(e->tunnels), "associations",
	    (json_int_t)HASH_COUNT(e->assocs), "sas",
	    (json_int_t)HASH_COUNT(e->sas_in), "sessions_total",
	    (json_int_t)e->sessions_total, "refused_total",
	    (json_int_t)e->refused_total, "packets", "received",
	    (json_int_t)t.rx_packets, "sent", (json_int_t)t.tx_packets,
	    "unknown_spi", (json_int_t)t.drop_unknown_spi, "bad_icv",
	    (json_int_t)t.drop_bad_icv, "replayed", (json_int_t)t.drop_replayed,
	    "malformed", (json_int_t)t.drop_malformed, "spoofed",
	    (json_int_t)t.drop_spoofed, "no_session",
	    (json_int_t)t.drop_no_session, "no_route",
	    (json_int_t)t.drop_no_route, "batches", "received_messages",
	    (json_int_t)t.rx_messages, "sent_messages",
	    (json_int_t)t.tx_messages, "tun_reads", (json_int_t)t.tun_reads,
	    "tun_writes", (json_int_t)t.tun_writes, "gso_refused",
	    (json_int_t)t.gso_refused, "tun_refused", (json_int_t)t.tun_refused,
	    "bad_inner_sums", (json_int_t)t.bad_inner_sums);
}

static json_t *
refuse(const char *why)
{
	return json_pack("{s:b, s:s}", "ok", 0, "error", why);
}

static json_t *
cmd_disconnect(struct engine *e, json_t *request)
{
	const char *user = json_string_value(json_object_get(request, "user"));
	json_t *id = json_object_get(request, "id");
	struct session *s, *tmp;
	json_int_t n = 0;

	if (user == NULL && !json_is_integer(id))
		return refuse("disconnect needs \"id\" or \"user\"");
	HASH_ITER (hh, e->sessions, s, tmp) {
		if (user != NULL ? strcasecmp(sessions_user(s), user) != 0
				 : json_integer_value(id) != (json_int_t)s->id)
			continue;
		n++;
		sessions_close(s, "administrator");
	}
	return json_pack("{s:b, s:I}", "ok", 1, "disconnected", n);
}

static const struct {
	const char *name;
	json_t *(*run)(struct engine *e, json_t *request);
} commands[] = {
    {"status", cmd_status},
    {"sessions", NULL}, /* list_begin() */
    {"disconnect", cmd_disconnect},
};

/* A whole answer; or NULL with a list begun. */
static json_t *
answer(struct control_client *c, const char *line, size_t n)
{
	json_t *request, *reply = NULL;
	const char *cmd;
	size_t i;

	request = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
	cmd = json_string_value(json_object_get(request, "cmd"));
	for (i = 0; cmd != NULL && i < sizeof(commands) / sizeof(commands[0]);
	     i++) {
		if (strcmp(cmd, commands[i].name) != 0)
			continue;
		if (commands[i].run == NULL) {
			json_decref(request);
			if (!list_begin(c))
				client_close(c);
			return NULL;
		}
		reply = commands[i].run(c->engine, request);
	}
	if (reply == NULL)
		reply = refuse(request == NULL
			? "not one JSON object a line"
			: "unknown cmd: status, sessions, disconnect");
	json_decref(request);
	return reply;
}

static void
client_flush(struct control_client *c)
{
	ssize_t n;

	while (c->out_at < c->out_len) {
		n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			loop_fd_set(c->watch, LOOP_WRITE);
			return;
		}
		if (n <= 0) {
			client_close(c);
			return;
		}
		c->out_at += (size_t)n;
	}
	free(c->out);
	c->out = NULL;
	c->out_len = c->out_at = 0;
	if (c->ids != NULL && !list_piece(c))
		client_close(c);
	else
		loop_fd_set(c->watch, c->out != NULL ? LOOP_WRITE : LOOP_READ);
}

static void
client_line(struct control_client *c, const char *line, size_t n)
{
	json_t *reply = answer(c, line, n);
	char *text;

	if (reply == NULL) {
		if (c->fd >= 0)
			client_flush(c);
		return;
	}
	text = json_dumps(reply, JSON_COMPACT);
	json_decref(reply);
	if (text == NULL) {
		client_close(c);
		return;
	}
	c->out_len = strlen(text) + 1;
	c->out = malloc(c->out_len);
	if (c->out != NULL) {
		memcpy(c->out, text, c->out_len - 1);
		c->out[c->out_len - 1] = '\n';
	}
	free(text);
	if (c->out == NULL)
		client_close(c);
	else
		client_flush(c);
}

/* Whole lines that are here are answered one at a time: the next one waits
 * until the client has taken the answer. */
static void
client_lines(struct control_client *c)
{
	char *end;
	size_t n;

	while (c->fd >= 0 && c->out == NULL &&
	    (end = memchr(c->line, '\n', c->len)) != NULL) {
		n = (size_t)(end - c->line);
		client_line(c, c->line, n);
		if (c->fd < 0)
			return;
		c->len -= n + 1;
		memmove(c->line, c->line + n + 1, c->len);
	}
	if (c->fd >= 0 && c->out == NULL && c->len == sizeof(c->line))
		client_close(c); /* a line that never ends */
}

static void
on_client(void *ctx, int events)
{
	struct control_client *c = ctx;
	ssize_t n;

	if (events & LOOP_WRITE) {
		client_flush(c);
		if (c->fd >= 0)
			client_lines(c);
		return;
	}
	n = recv(
	    c->fd, c->line + c->len, sizeof(c->line) - c->len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_close(c);
		return;
	}
	c->len += (size_t)n;
	client_lines(c);
}

static bool
is_root(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	    (cred.uid == 0 || cred.uid == geteuid());
}

static void
on_accept(void *ctx, int events)
{
	struct engine *e = ctx;
	struct control_client *c = NULL;
	size_t i;
	int fd;

	(void)events;
	fd = accept4(
	    e->control->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (!is_root(fd)) {
		log_msg(MSG_CONTROL_REFUSED, "why=not-root");
		close(fd);
		return;
	}
	for (i = 0; i < CLIENTS_MAX && c == NULL; i++)
		if (e->control->clients[i].fd < 0)
			c = &e->control->clients[i];
	if (c == NULL) {
		close(fd);
		return;
	}
	c->engine = e;
	c->fd = fd;
	c->watch = loop_fd_new(e->loop, fd, LOOP_READ, on_client, c);
	if (c->watch == NULL)
		client_close(c);
}

int
control_start(struct engine *e, int listen_fd)
{
	struct control *k;
	size_t i;

	k = calloc(1, sizeof(*k));
	if (k == NULL) {
		close(listen_fd);
		return -ENOMEM;
	}
	k->listen_fd = listen_fd;
	for (i = 0; i < CLIENTS_MAX; i++)
		k->clients[i].fd = -1;
	e->control = k;
	k->watch = loop_fd_new(e->loop, listen_fd, LOOP_READ, on_accept, e);
	return k->watch != NULL ? 0 : -ENOMEM;
}

void
control_free(struct engine *e)
{
	size_t i;

	if (e->control == NULL)
		return;
	for (i = 0; i < CLIENTS_MAX; i++)
		client_close(&e->control->clients[i]);
	loop_fd_free(e->control->watch);
	close(e->control->listen_fd);
	free(e->control);
	e->control = NULL;
}
