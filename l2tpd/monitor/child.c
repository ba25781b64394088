/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child.c: the first minute of a child (contract in child.h). Runs as root
 * until child_drop_rights(); reads nothing from anywhere before that. Trusts
 * the monitor.
 */
#include "l2tpd/monitor/child.h"

#include <cap-ng.h>
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

struct child {
	struct imsg_channel *monitor;
	const struct child_ops *ops;
	void *ctx;
	struct child_start start;
	bool have_conf, running;
};

int
child_drop_rights(const char *user)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL)
		return errno != 0 ? -errno : -ENOENT;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	if (geteuid() == 0) {
		capng_clear(CAPNG_SELECT_ALL);
		if (capng_change_id((int)pw->pw_uid, (int)pw->pw_gid,
			CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING |
			    CAPNG_CLEAR_AMBIENT) != 0)
			return -EPERM;
	}
	if (geteuid() == 0 || getegid() == 0)
		return -EPERM;
	/* the death signal is cleared by a change of ids: set it again */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	if (chdir("/") < 0)
		return -errno;
	return 0;
}

static void
take_fd(struct child *c, struct imsg *m)
{
	uint16_t worker = 0, kind = 0;

	if (m->fd < 0)
		return;
	rd_be16(&m->payload, &worker);
	if (!rd_be16(&m->payload, &kind) || kind == 0 ||
	    kind >= PRIV_FD_COUNT_ || worker >= CONF_WORKERS_MAX ||
	    c->start.fd[worker][kind] >= 0 || c->running) {
		close(m->fd);
		return;
	}
	c->start.fd[worker][kind] = m->fd;
}

static void
begin(struct child *c)
{
	int rc;

	if (!c->have_conf || c->running)
		return;
	c->running = true;
	rc = c->ops->go(c->ctx, &c->start);
	if (rc < 0) {
		log_msg(MSG_CHILD_FAILED, "why=%s", strerror(-rc));
		exit(1);
	}
}

/* What was asked for by a number comes with a descriptor. True: it was taken.
 */
static bool
take_answer(struct child *c, struct imsg *m)
{
	void (*take)(void *ctx, uint32_t number, int fd);
	uint32_t number;

	take = m->type == PRIV_MSG_MARKED ? c->ops->marked : c->ops->pppd_line;
	if (m->fd < 0 || !c->running || take == NULL ||
	    !rd_be32(&m->payload, &number))
		return false;
	take(c->ctx, number, m->fd);
	return true;
}

static void
message(void *ctx, struct imsg *m)
{
	struct child *c = ctx;

	switch (m->type) {
	case PRIV_MSG_CONF:
		c->have_conf = rd_bytes(
		    &m->payload, &c->start.conf, sizeof(c->start.conf));
		break;
	case PRIV_MSG_FD:
		take_fd(c, m);
		return;
	case PRIV_MSG_GO:
		begin(c);
		break;
	case PRIV_MSG_STOP:
		c->ops->stop(c->ctx, false);
		break;
	case PRIV_MSG_VICI:
		if (m->fd >= 0 && c->running) {
			c->ops->vici(c->ctx, m->fd);
			return;
		}
		break;
	case PRIV_MSG_MARKED:
	case PRIV_MSG_PPPD_LINE:
		if (take_answer(c, m))
			return;
		break;
	default:
		break;
	}
	if (m->fd >= 0)
		close(m->fd);
}

static void
closed(void *ctx, const char *why)
{
	struct child *c = ctx;

	(void)why;
	imsg_free(c->monitor);
	c->monitor = NULL;
	c->ops->stop(c->ctx, true);
}

static const struct imsg_rule rules[] = {
    {PRIV_MSG_CONF, "conf", sizeof(struct adit_conf), sizeof(struct adit_conf)},
    {PRIV_MSG_FD, "fd", 4, 4},
    {PRIV_MSG_GO, "go", 0, 0},
    {PRIV_MSG_STOP, "stop", 0, 0},
    {PRIV_MSG_VICI, "vici", 0, 0},
    {PRIV_MSG_MARKED, "marked", 4, 4},
    {PRIV_MSG_PPPD_LINE, "pppd-line", 4, 4},
    {0, NULL, 0, 0},
};

static const struct imsg_ops imsg_ops = {
    .rules = rules,
    .message = message,
    .closed = closed,
};

struct child *
child_new(struct loop *loop, const struct child_ops *ops, void *ctx)
{
	struct child *c;
	size_t i, k;

	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->ops = ops;
	c->ctx = ctx;
	for (i = 0; i < CONF_WORKERS_MAX; i++)
		for (k = 0; k < PRIV_FD_COUNT_; k++)
			c->start.fd[i][k] = -1;
	c->monitor = imsg_new(loop, CHILD_MONITOR_FD, &imsg_ops, c);
	if (c->monitor == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void
child_free(struct child *c)
{
	size_t i, k;

	if (c == NULL)
		return;
	imsg_free(c->monitor);
	for (i = 0; i < CONF_WORKERS_MAX; i++)
		for (k = 0; k < PRIV_FD_COUNT_; k++)
			if (c->start.fd[i][k] >= 0)
				close(c->start.fd[i][k]);
	free(c);
}

void
child_want_vici(struct child *c)
{
	if (c->monitor != NULL)
		imsg_send(c->monitor, PRIV_MSG_VICI_WANT, 0, NULL, 0, -1);
}

void
child_say_ready(struct child *c)
{
	if (c->monitor != NULL)
		imsg_send(c->monitor, PRIV_MSG_READY, 0, NULL, 0, -1);
}

static void
say(struct child *c, enum priv_msg_type type, const struct wr *w)
{
	struct rd payload = wr_rd(w);

	if (c->monitor != NULL)
		imsg_send(c->monitor, type, 0, payload.p, payload.left, -1);
}

void
child_set_link(struct child *c, const struct priv_link *link)
{
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	if (link != NULL)
		priv_msg_put_link(&w, link);
	say(c, link != NULL ? PRIV_MSG_LINK_UP : PRIV_MSG_LINK_DOWN, &w);
}

void
child_set_routes(
    struct child *c, uint32_t session, const struct ipv4_networks *nets)
{
	const struct priv_routes p = {.session = session, .nets = *nets};
	uint8_t buf[PRIV_ROUTES_BYTES_MAX];
	struct wr w = wr_init(buf, sizeof(buf));

	priv_msg_put_routes(&w, &p);
	say(c, PRIV_MSG_ROUTES, &w);
}

/* fd: borrowed, or -1. */
static void
say_number(struct child *c, enum priv_msg_type type, uint32_t number, int fd)
{
	uint8_t buf[4];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be32(&w, number);
	if (c->monitor != NULL)
		imsg_send(c->monitor, type, 0, buf, sizeof(buf), fd);
}

void
child_want_marked(struct child *c, uint32_t mark)
{
	say_number(c, PRIV_MSG_MARKED_WANT, mark, -1);
}

void
child_start_pppd(struct child *c, uint32_t session, int channel_fd)
{
	say_number(c, PRIV_MSG_PPPD_START, session, channel_fd);
}

void
child_end_pppd(struct child *c, uint32_t session, bool now)
{
	say_number(
	    c, now ? PRIV_MSG_PPPD_KILL : PRIV_MSG_PPPD_END, session, -1);
}

void
child_forget(struct child *c, const struct priv_forget *f)
{
	uint8_t buf[PRIV_FORGET_BYTES];
	struct wr w = wr_init(buf, sizeof(buf));

	priv_msg_put_forget(&w, f);
	say(c, PRIV_MSG_FORGET, &w);
}

void
child_end_client(struct child *c, enum priv_end why)
{
	say_number(c, PRIV_MSG_CLIENT_END, (uint32_t)why, -1);
}
