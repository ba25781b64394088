/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auth.c: the engine's line to the authority (base/auth_msg.h). Trusts the
 * authority for verdicts; the engine cannot give itself one. When the line
 * breaks the engine ends: the monitor starts everything afresh.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "l2tpd/engine/internal.h"

struct auth_line {
	struct imsg_channel *channel;
};

static const struct imsg_rule rules[] = {
    {AUTH_MSG_VERDICT, "verdict", 9, IMSG_PAYLOAD_MAX, true},
    {AUTH_MSG_KICK, "kick", 8, 8, true},
    {0, NULL, 0, 0},
};

static void
message(void *ctx, struct imsg *m)
{
	struct engine *e = ctx;
	struct auth_verdict v;
	struct session *s;
	uint64_t ref;

	if (m->type == AUTH_MSG_VERDICT &&
	    auth_msg_get_verdict(&m->payload, &v)) {
		sessions_verdict(e, &v);
	} else if (m->type == AUTH_MSG_KICK && rd_be64(&m->payload, &ref)) {
		s = sessions_find(e, (uint32_t)ref);
		if (s != NULL && s->ref == ref)
			sessions_close(s, "administrator");
	}
}

static void
closed(void *ctx, const char *why)
{
	struct engine *e = ctx;

	if (!e->stopping)
		log_msg(MSG_AUTHORITY_GONE, "why=\"%s\"",
		    why != NULL ? why : "closed");
	authline_free(e);
	if (!e->stopping)
		exit(1); /* no verdict will ever come: start afresh */
}

static const struct imsg_ops ops = {
    .rules = rules,
    .message = message,
    .closed = closed,
};

int
authline_start(struct engine *e, int fd)
{
	e->auth = calloc(1, sizeof(*e->auth));
	if (e->auth == NULL)
		return -ENOMEM;
	e->auth->channel = imsg_new(e->loop, fd, &ops, e);
	if (e->auth->channel == NULL)
		return -ENOMEM;
	return 0;
}

void
authline_free(struct engine *e)
{
	if (e->auth == NULL)
		return;
	imsg_free(e->auth->channel);
	free(e->auth);
	e->auth = NULL;
}

static int
auth_send(struct engine *e, enum auth_msg_type type, const struct wr *w)
{
	struct rd payload = wr_rd(w);

	if (e->auth == NULL)
		return -EPIPE;
	if (!wr_ok(w))
		return -EMSGSIZE;
	return imsg_send(
	    e->auth->channel, type, 0, payload.p, payload.left, -1);
}

int
authline_ask(struct engine *e, const struct auth_ask *ask)
{
	uint8_t buf[2048];
	struct wr w = wr_init(buf, sizeof(buf));
	int rc;

	auth_msg_put_ask(&w, ask);
	rc = auth_send(e, AUTH_MSG_ASK, &w);
	wipe(buf, sizeof(buf)); /* may hold a PAP password */
	return rc;
}

void
authline_up(struct session *s)
{
	uint8_t buf[8];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be64(&w, s->ref);
	auth_send(s->engine, AUTH_MSG_UP, &w);
}

static void
send_use(struct session *s, enum auth_msg_type type, const char *why)
{
	struct plane_counters c;
	struct auth_use u;
	uint8_t buf[512];
	struct wr w = wr_init(buf, sizeof(buf));

	memset(&u, 0, sizeof(u));
	memset(&c, 0, sizeof(c));
	if (s->in_plane)
		plane_session_counters(s->engine->plane, s->id, &c);
	u.ref = s->ref;
	u.bytes_in = c.bytes_in;
	u.bytes_out = c.bytes_out;
	u.packets_in = c.packets_in;
	u.packets_out = c.packets_out;
	if (why != NULL)
		strncpy(u.reason, why, sizeof(u.reason) - 1);
	auth_msg_put_use(&w, &u);
	auth_send(s->engine, type, &w);
}

void
authline_use(struct session *s)
{
	send_use(s, AUTH_MSG_USE, NULL);
}

void
authline_stop(struct session *s, const char *why)
{
	send_use(s, AUTH_MSG_STOP, why);
	s->auth = SESSION_AUTH_NONE;
}
