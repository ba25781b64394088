/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor.c: the process table of l2tpd and what a child may ask for.
 *
 * Owns: the children, their channels. Trusts: the configuration, charon's
 * socket. Treats both children as hostile: a request is a number from
 * base/priv_msg.h that the table allows to that child, without arguments but
 * for a client's addresses (link.h) and the networks behind a server's clients
 * (site_routes.h), which are typed and checked.
 * When any child dies the monitor ends the other and itself: the service
 * manager starts all three afresh, and charon's plugin replays its SAs.
 */
#include "l2tpd/monitor/monitor.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/imsg.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/priv_msg.h"
#include "l2tpd/monitor/child.h"
#include "l2tpd/monitor/link.h"
#include "l2tpd/monitor/open.h"
#include "l2tpd/monitor/pppds.h"
#include "l2tpd/monitor/service_socket.h"
#include "l2tpd/monitor/site_routes.h"
#include "l2tpd/monitor/tun_steer.h"
#include "l2tpd/monitor/xfrm_guard.h"

enum role { ROLE_ENGINE, ROLE_AUTHORITY, ROLE_COUNT };

static const struct {
	const char *name; /* in ps(1), logs and --role */
	bool wants_vici;  /* may ask for PRIV_MSG_VICI_WANT */
} roles[ROLE_COUNT] = {
    [ROLE_ENGINE] = {"engine", true},
    [ROLE_AUTHORITY] = {"authority", true},
};

/* Milliseconds. */
#define T_VICI_RETRY_MS 250  /* charon may start after us */
#define T_STOP_MS       3000 /* for an orderly end of the children */

struct kid {
	struct monitor *monitor;
	enum role role;
	pid_t pid; /* 0: gone */
	struct imsg_channel *channel;
	struct loop_child *watch;
	bool vici_wanted;
};

struct monitor {
	struct loop *loop;
	const struct adit_conf *conf;
	bool to_stderr, debug, stopping;
	int exit_status;
	struct kid kids[ROLE_COUNT];
	struct loop_timer *vici_timer, *stop_timer;
	struct loop_signal *signals[2];
	int blackhole_fd;
	struct link *link;         /* a client's; NULL: a server */
	struct site_routes *sites; /* a server's; NULL: a client */
	struct pppds *pppds;       /* of the kernel plane; NULL: the user's */
	int report_fd;             /* of adit connect; -1 */
};

static void
monitor_stop(struct monitor *m, int exit_status)
{
	size_t i;

	if (m->stopping)
		return;
	m->stopping = true;
	m->exit_status = exit_status;
	for (i = 0; i < ROLE_COUNT; i++)
		if (m->kids[i].channel != NULL)
			imsg_send(
			    m->kids[i].channel, PRIV_MSG_STOP, 0, NULL, 0, -1);
	loop_timer_set(m->stop_timer, T_STOP_MS);
}

static void
on_signal(void *ctx, int signo)
{
	(void)signo;
	monitor_stop(ctx, 0);
}

static void
on_stop_timer(void *ctx)
{
	struct monitor *m = ctx;
	size_t i;

	for (i = 0; i < ROLE_COUNT; i++)
		if (m->kids[i].pid > 0)
			kill(m->kids[i].pid, SIGKILL);
	loop_stop(m->loop);
}

static void
on_kid_exit(void *ctx, pid_t pid, int status)
{
	struct kid *k = ctx;
	struct monitor *m = k->monitor;
	bool any = false;
	size_t i;

	loop_child_free(k->watch);
	k->watch = NULL;
	k->pid = 0;
	if (!m->stopping) {
		log_msg(MSG_CHILD_DIED, "process=%s pid=%d %s=%d",
		    roles[k->role].name, (int)pid,
		    WIFSIGNALED(status) ? "signal" : "status",
		    WIFSIGNALED(status) ? WTERMSIG(status)
					: WEXITSTATUS(status));
		monitor_stop(m, 1);
	}
	for (i = 0; i < ROLE_COUNT; i++)
		any = any || m->kids[i].pid > 0;
	if (!any)
		loop_stop(m->loop);
}

/* Give a connection to charon's vici to everybody who waits for one. */
static void
serve_vici(void *ctx)
{
	struct monitor *m = ctx;
	bool waiting = false;
	struct kid *k;
	size_t i;
	int fd;

	for (i = 0; i < ROLE_COUNT; i++) {
		k = &m->kids[i];
		if (!k->vici_wanted || k->channel == NULL)
			continue;
		fd = connect_unix(m->conf, "charon.vici");
		if (fd < 0) {
			waiting = true;
			continue;
		}
		k->vici_wanted = false;
		imsg_send(k->channel, PRIV_MSG_VICI, 0, NULL, 0, fd);
		close(fd);
	}
	if (waiting)
		loop_timer_set(m->vici_timer, T_VICI_RETRY_MS);
}

/* ---- what the engine of a client asks for ---- */

static void
on_link(struct monitor *m, struct imsg *msg)
{
	struct priv_link p;

	if (msg->type == PRIV_MSG_LINK_DOWN) {
		link_down(m->link);
		if (m->report_fd >= 0)
			dprintf(m->report_fd, "disconnected\n");
		return;
	}
	if (!priv_msg_get_link(&msg->payload, &p)) {
		log_msg(MSG_BUG, "process=engine message=link-up why=\"%s\"",
		    msg->payload.err);
		return;
	}
	if (link_up(m->link, &p) == 0 && m->report_fd >= 0)
		dprintf(m->report_fd,
		    "connected address=%u.%u.%u.%u gateway=%u.%u.%u.%u "
		    "tun=%s\n",
		    p.local[0], p.local[1], p.local[2], p.local[3], p.peer[0],
		    p.peer[1], p.peer[2], p.peer[3], m->conf->tun_name);
}

static void
on_client_message(struct monitor *m, struct imsg *msg)
{
	enum priv_end why;

	if (msg->type != PRIV_MSG_CLIENT_END)
		on_link(m, msg);
	else if (priv_msg_get_end(&msg->payload, &why))
		monitor_stop(m, PRIV_END_STATUS + (int)why);
}

/* ---- what the engine of a server asks for ---- */

static void
on_routes(struct monitor *m, struct imsg *msg)
{
	struct priv_routes p;

	if (priv_msg_get_routes(&msg->payload, &p))
		site_routes_set(m->sites, &p);
	else
		log_msg(MSG_BUG, "process=engine message=routes why=\"%s\"",
		    msg->payload.err);
}

/* ---- what the engine of the kernel plane asks for ---- */

/* Sends fd, which is closed here, with the number that it was asked for by. */
static void
answer(struct kid *k, enum priv_msg_type type, uint32_t number, int fd)
{
	uint8_t buf[4];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be32(&w, number);
	imsg_send(k->channel, type, 0, buf, sizeof(buf), fd);
	close(fd);
}

static void
on_marked_want(struct kid *k, uint32_t mark)
{
	const struct adit_conf *c = k->monitor->conf;
	int fd;

	if (mark == 0 || (mark & ~c->mark_mask) != 0)
		return;
	fd = open_udp_marked(c, mark);
	if (fd >= 0)
		answer(k, PRIV_MSG_MARKED, mark, fd);
}

static void
on_pppd_start(struct kid *k, uint32_t session, int channel_fd)
{
	int line[2], fd;

	if (channel_fd < 0)
		return;
	fd = pppds_start(k->monitor->pppds, session, channel_fd);
	if (fd < 0) {
		/* a line whose other end is closed says so */
		if (socketpair(
			AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line) < 0)
			return;
		close(line[1]);
		fd = line[0];
	}
	answer(k, PRIV_MSG_PPPD_LINE, session, fd);
}

static void
on_forget(struct monitor *m, struct imsg *msg)
{
	struct priv_forget f;

	if (!priv_msg_get_forget(&msg->payload, &f))
		log_msg(MSG_BUG, "process=engine message=forget why=\"%s\"",
		    msg->payload.err);
	else if ((f.mark & ~m->conf->mark_mask) == 0)
		xfrm_forget(&f);
}

static void
on_kernel_message(struct kid *k, struct imsg *msg)
{
	uint32_t number;

	if (msg->type == PRIV_MSG_FORGET) {
		on_forget(k->monitor, msg);
		return;
	}
	if (!rd_be32(&msg->payload, &number))
		return;
	switch (msg->type) {
	case PRIV_MSG_MARKED_WANT:
		on_marked_want(k, number);
		break;
	case PRIV_MSG_PPPD_START:
		on_pppd_start(k, number, msg->fd);
		break;
	default:
		pppds_end(
		    k->monitor->pppds, number, msg->type == PRIV_MSG_PPPD_KILL);
		break;
	}
}

static void
on_message(void *ctx, struct imsg *msg)
{
	struct kid *k = ctx;
	struct monitor *m = k->monitor;

	switch (msg->type) {
	case PRIV_MSG_VICI_WANT:
		if (!roles[k->role].wants_vici)
			break;
		k->vici_wanted = true;
		/* never at once: a charon that refuses us would spin */
		loop_timer_set(m->vici_timer, T_VICI_RETRY_MS);
		break;
	case PRIV_MSG_READY:
		log_msg(MSG_CHILD_READY, "process=%s pid=%d",
		    roles[k->role].name, (int)k->pid);
		break;
	case PRIV_MSG_LINK_UP:
	case PRIV_MSG_LINK_DOWN:
	case PRIV_MSG_CLIENT_END:
		if (m->link != NULL && k->role == ROLE_ENGINE)
			on_client_message(m, msg);
		break;
	case PRIV_MSG_ROUTES:
		if (m->sites != NULL && k->role == ROLE_ENGINE)
			on_routes(m, msg);
		break;
	case PRIV_MSG_MARKED_WANT:
	case PRIV_MSG_PPPD_START:
	case PRIV_MSG_PPPD_END:
	case PRIV_MSG_PPPD_KILL:
	case PRIV_MSG_FORGET:
		if (m->pppds != NULL && k->role == ROLE_ENGINE)
			on_kernel_message(k, msg);
		break;
	default:
		break;
	}
	if (msg->fd >= 0)
		close(msg->fd);
}

static void
on_closed(void *ctx, const char *why)
{
	struct kid *k = ctx;

	if (why != NULL)
		log_msg(
		    MSG_BUG, "process=%s channel=%s", roles[k->role].name, why);
	imsg_free(k->channel);
	k->channel = NULL;
	/* its exit follows; if it hangs the stop timer ends it */
	if (!k->monitor->stopping)
		monitor_stop(k->monitor, 1);
}

static const struct imsg_rule kid_rules[] = {
    {PRIV_MSG_VICI_WANT, "vici-want", 0, 0, true},
    {PRIV_MSG_READY, "ready", 0, 0, true},
    {PRIV_MSG_LINK_UP, "link-up", 16, 16, true},
    {PRIV_MSG_LINK_DOWN, "link-down", 0, 0, true},
    {PRIV_MSG_CLIENT_END, "client-end", 4, 4, true},
    {PRIV_MSG_ROUTES, "routes", 5, PRIV_ROUTES_BYTES_MAX, true},
    {PRIV_MSG_MARKED_WANT, "marked-want", 4, 4, true},
    {PRIV_MSG_PPPD_START, "pppd-start", 4, 4, false},
    {PRIV_MSG_PPPD_END, "pppd-end", 4, 4, true},
    {PRIV_MSG_PPPD_KILL, "pppd-kill", 4, 4, true},
    {PRIV_MSG_FORGET, "forget", PRIV_FORGET_BYTES, PRIV_FORGET_BYTES, true},
    {0, NULL, 0, 0},
};

static const struct imsg_ops kid_ops = {
    .rules = kid_rules,
    .message = on_message,
    .closed = on_closed,
};

/* The system user that a child becomes. */
static const char *
user_of(const struct adit_conf *c, enum role role)
{
	return role == ROLE_ENGINE ? c->engine_user : c->authority_user;
}

static void
exec_role(const struct monitor *m, enum role role, int channel)
{
	const char *argv[10];
	sigset_t none;
	size_t n = 0;

	argv[n++] = "l2tpd";
	argv[n++] = "--role";
	argv[n++] = roles[role].name;
	argv[n++] = "--user";
	argv[n++] = user_of(m->conf, role);
	if (m->to_stderr)
		argv[n++] = "--foreground";
	if (m->debug)
		argv[n++] = "--debug";
	argv[n] = NULL;
	if (dup2(channel, CHILD_MONITOR_FD) < 0 ||
	    fcntl(CHILD_MONITOR_FD, F_SETFD, 0) < 0)
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* everything else that we hold is CLOEXEC */
	execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
	_exit(127);
}

static int
start_kid(struct monitor *m, enum role role)
{
	struct kid *k = &m->kids[role];
	int pair[2];

	k->monitor = m;
	k->role = role;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	k->pid = fork();
	if (k->pid == 0)
		exec_role(m, role, pair[1]);
	close(pair[1]);
	if (k->pid < 0) {
		k->pid = 0;
		close(pair[0]);
		return -errno;
	}
	k->channel = imsg_new(m->loop, pair[0], &kid_ops, k);
	k->watch = loop_child_new(m->loop, k->pid, on_kid_exit, k);
	if (k->channel == NULL || k->watch == NULL)
		return -ENOMEM;
	return imsg_send(
	    k->channel, PRIV_MSG_CONF, 0, m->conf, sizeof(*m->conf), -1);
}

/* Hands over a descriptor and closes our copy. Negative ones (an optional
 * thing that is not there) are skipped. */
static int
give_worker(
    struct monitor *m, enum role role, size_t worker, enum priv_fd what, int fd)
{
	const uint8_t payload[4] = {0, (uint8_t)worker, 0, (uint8_t)what};
	int rc;

	if (fd < 0)
		return 0;
	rc = imsg_send(m->kids[role].channel, PRIV_MSG_FD, 0, payload,
	    sizeof(payload), fd);
	close(fd);
	return rc;
}

static int
give(struct monitor *m, enum role role, enum priv_fd what, int fd)
{
	return give_worker(m, role, 0, what, fd);
}

struct opened {
	size_t workers;
	struct {
		int udp4500, esp, tun;
	} worker[CONF_WORKERS_MAX];
	struct tun_maps maps;
	int udp500, udp1701, services, plane, control;
	int psk, ca, crl, certificate, key, password;
};

static int
open_worker(const struct adit_conf *c, struct opened *o, size_t i)
{
	bool many = o->workers > 1;

	/* raw sockets get everybody's packets: only who needs them */
	o->worker[i].esp = -1;
	if ((o->worker[i].udp4500 = open_udp(c, 4500, many)) < 0 ||
	    (o->worker[i].tun = open_tun(c, many, i == 0)) < 0 ||
	    ((!c->client.on || c->client.no_encap) &&
		(o->worker[i].esp = open_esp(c)) < 0))
		return -1;
	return 0;
}

static int
open_workers_all(const struct adit_conf *c, struct opened *o)
{
	size_t i;
	int rc;

	o->workers = open_workers(c);
	for (i = 0; i < o->workers; i++)
		if (open_worker(c, o, i) < 0)
			return -1;
	if (o->workers == 1)
		return 0;
	rc = tun_steer(o->worker[0].tun, &o->maps);
	if (rc < 0)
		log_msg(MSG_TUN_STEER_OFF, "why=\"%s\"", strerror(-rc));
	return 0;
}

/* What the user plane carries packets with, and the line to charon's plugin. */
static int
open_user_plane(struct monitor *m, struct opened *o)
{
	const struct adit_conf *c = m->conf;

	if ((o->udp500 = open_udp(c, 500, false)) < 0 ||
	    open_workers_all(c, o) < 0 ||
	    (o->plane = open_unix_listener(c, "plane.sock", SOCK_SEQPACKET)) <
		0)
		return -1;
	if (!c->client.on &&
	    (m->blackhole_fd = open_udp_blackhole(c, 1701)) < 0)
		return -1;
	return 0;
}

static int
open_kernel_plane(struct monitor *m, struct opened *o)
{
	int rc = xfrm_guard_set();

	if (rc < 0) {
		log_msg(MSG_KERNEL_PLANE_FAILED,
		    "what=xfrm-policies why=\"%s\"", strerror(-rc));
		return -1;
	}
	m->pppds = pppds_new(m->loop, m->conf);
	if (m->pppds == NULL)
		return -1;
	/* without it sessions that the kernel cannot have are refused */
	o->workers = 1;
	o->worker[0].udp4500 = o->worker[0].esp = -1;
	o->worker[0].tun = open_tun(m->conf, false, true);
	o->udp1701 = open_udp_marked(m->conf, 0);
	o->services = service_socket_open(ARPHRD_PPP);
	if (o->services < 0)
		log_msg(MSG_OPEN_FAILED,
		    "what=services step=packet-socket why=\"%s\"",
		    strerror(-o->services));
	return o->udp1701 < 0 || o->services < 0 ? -1 : 0;
}

static int
open_all(struct monitor *m, struct opened *o)
{
	const struct adit_conf *c = m->conf;

	memset(o, 0, sizeof(*o));
	o->udp500 = o->udp1701 = o->services = o->plane = -1;
	o->maps = (struct tun_maps){-1, -1};
	if ((conf_is_kernel(c) ? open_kernel_plane(m, o)
			       : open_user_plane(m, o)) < 0 ||
	    (o->control = open_unix_listener(c, "l2tpd.sock", SOCK_STREAM)) < 0)
		return -1;
	o->password = -1;
	if (c->client.on &&
	    (o->password = open_file(c->client.password_file, "password")) < 0)
		return -1;
	o->psk = open_file(c->psk_file, "psk");
	o->ca = open_file(c->ca_file, "ca");
	o->crl = open_file(c->crl_file, "crl");
	o->certificate = open_file(c->certificate_file, "certificate");
	o->key = open_file(c->key_file, "key");
	return 0;
}

static int
hand_over(struct monitor *m, const struct opened *o)
{
	int pair[2], rc = 0;
	size_t i;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	rc |= give(m, ROLE_ENGINE, PRIV_FD_UDP500, o->udp500);
	rc |= give(m, ROLE_ENGINE, PRIV_FD_UDP1701, o->udp1701);
	rc |= give(m, ROLE_ENGINE, PRIV_FD_SERVICES, o->services);
	for (i = 0; i < o->workers; i++) {
		rc |= give_worker(
		    m, ROLE_ENGINE, i, PRIV_FD_UDP4500, o->worker[i].udp4500);
		rc |= give_worker(
		    m, ROLE_ENGINE, i, PRIV_FD_ESP, o->worker[i].esp);
		rc |= give_worker(
		    m, ROLE_ENGINE, i, PRIV_FD_TUN, o->worker[i].tun);
	}
	rc |= give(m, ROLE_ENGINE, PRIV_FD_TUN_ADDRESSES, o->maps.addresses);
	rc |= give(m, ROLE_ENGINE, PRIV_FD_TUN_NETWORKS, o->maps.networks);
	rc |= give(m, ROLE_ENGINE, PRIV_FD_PLANE_LISTEN, o->plane);
	rc |= give(m, ROLE_ENGINE, PRIV_FD_CONTROL_LISTEN, o->control);
	rc |= give(m, ROLE_ENGINE, PRIV_FD_PASSWORD, o->password);
	rc |= give(m, ROLE_ENGINE, PRIV_FD_AUTH_CHANNEL, pair[0]);
	rc |= give(m, ROLE_AUTHORITY, PRIV_FD_AUTH_CHANNEL, pair[1]);
	rc |= give(m, ROLE_AUTHORITY, PRIV_FD_PSK, o->psk);
	rc |= give(m, ROLE_AUTHORITY, PRIV_FD_CA, o->ca);
	rc |= give(m, ROLE_AUTHORITY, PRIV_FD_CRL, o->crl);
	rc |= give(m, ROLE_AUTHORITY, PRIV_FD_CERTIFICATE, o->certificate);
	rc |= give(m, ROLE_AUTHORITY, PRIV_FD_KEY, o->key);
	rc |= imsg_send(
	    m->kids[ROLE_AUTHORITY].channel, PRIV_MSG_GO, 0, NULL, 0, -1);
	rc |= imsg_send(
	    m->kids[ROLE_ENGINE].channel, PRIV_MSG_GO, 0, NULL, 0, -1);
	return rc;
}

/* What is left of root after everything is open: starting and ending children
 * is done, so that is: connect to charon's socket (root's), signal children. */
static int
drop_rights(const struct adit_conf *c)
{
	capng_clear(CAPNG_SELECT_ALL);
	/* what a program that we start can get back: pppd needs this one */
	if (conf_is_kernel(c) &&
	    capng_update(CAPNG_ADD, CAPNG_BOUNDING_SET, CAP_NET_ADMIN) != 0)
		return -EPERM;
	if (capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
		CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE, CAP_KILL,
		-1) != 0)
		return -EPERM;
	/* the bounding set first, while SETPCAP is still there */
	if (capng_apply(CAPNG_SELECT_BOTH) != 0)
		return -EPERM;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	return 0;
}

/* A child's user. One who is root, or the other child's, would undo what the
 * processes are apart for. */
static int
find_user(const struct monitor *m, enum role role, const struct passwd **ret)
{
	const char *name = user_of(m->conf, role);
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL) {
		log_msg(MSG_NO_USER,
		    "setting=%s-user user=%s do=\"useradd --system "
		    "--user-group --no-create-home --shell /usr/sbin/nologin "
		    "%s\"",
		    roles[role].name, name, name);
		return -EINVAL;
	}
	if (pw->pw_uid == 0 || pw->pw_gid == 0) {
		log_msg(MSG_USER_REFUSED,
		    "setting=%s-user user=%s why=\"is root\"", roles[role].name,
		    name);
		return -EINVAL;
	}
	*ret = pw;
	return 0;
}

/* The database directory belongs to the authority's user; a client has none. */
static int
prepare_directories(const struct monitor *m)
{
	const struct adit_conf *c = m->conf;
	const struct passwd *pw;
	uid_t engine_uid;

	if (mkdir(c->run_dir, 0755) < 0 && errno != EEXIST) {
		log_msg(MSG_OPEN_FAILED,
		    "what=run-dir step=mkdir-%s why=\"%s\"", c->run_dir,
		    strerror(errno));
		return -errno;
	}
	if (find_user(m, ROLE_ENGINE, &pw) < 0)
		return -EINVAL;
	engine_uid = pw->pw_uid;
	if (find_user(m, ROLE_AUTHORITY, &pw) < 0)
		return -EINVAL;
	if (pw->pw_uid == engine_uid) {
		log_msg(MSG_USER_REFUSED,
		    "setting=authority-user user=%s why=\"has the uid of "
		    "engine-user %s\"",
		    c->authority_user, c->engine_user);
		return -EINVAL;
	}
	if (c->client.on)
		return 0;
	if ((mkdir(c->state_dir, 0700) < 0 && errno != EEXIST) ||
	    chown(c->state_dir, pw->pw_uid, pw->pw_gid) < 0) {
		log_msg(MSG_OPEN_FAILED, "what=state-dir step=%s why=\"%s\"",
		    c->state_dir, strerror(errno));
		return -errno;
	}
	return 0;
}

static int
monitor_begin(struct monitor *m)
{
	struct opened o;
	size_t i;
	int rc;

	rc = prepare_directories(m);
	if (rc < 0)
		return rc;
	if (m->conf->client.on) {
		m->link = link_new(m->conf);
		if (m->link == NULL)
			return -ENOMEM;
	} else {
		m->sites = site_routes_new(m->conf);
		if (m->sites == NULL)
			return -ENOMEM;
	}
	if (open_all(m, &o) < 0)
		return -EIO;
	for (i = 0; i < ROLE_COUNT; i++) {
		rc = start_kid(m, (enum role)i);
		if (rc < 0)
			return rc;
	}
	rc = hand_over(m, &o);
	if (rc != 0)
		return -EIO;
	return drop_rights(m->conf);
}

int
monitor_run(
    const struct adit_conf *conf, bool to_stderr, bool debug, int report_fd)
{
	struct monitor m = {
	    .report_fd = report_fd,
	    .conf = conf,
	    .to_stderr = to_stderr,
	    .debug = debug,
	    .exit_status = 1,
	    .blackhole_fd = -1,
	};
	size_t i;
	int rc;

	m.loop = loop_new();
	if (m.loop == NULL)
		return 1;
	m.vici_timer = loop_timer_new(m.loop, serve_vici, &m);
	m.stop_timer = loop_timer_new(m.loop, on_stop_timer, &m);
	m.signals[0] = loop_signal_new(m.loop, SIGTERM, on_signal, &m);
	m.signals[1] = loop_signal_new(m.loop, SIGINT, on_signal, &m);
	if (m.vici_timer == NULL || m.stop_timer == NULL ||
	    m.signals[0] == NULL || m.signals[1] == NULL)
		return 1;
	rc = monitor_begin(&m);
	if (rc < 0) {
		log_msg(MSG_START_FAILED, "why=\"%s\"", strerror(-rc));
		for (i = 0; i < ROLE_COUNT; i++)
			if (m.kids[i].pid > 0)
				kill(m.kids[i].pid, SIGKILL);
		link_free(m.link);
		site_routes_free(m.sites);
		pppds_free(m.pppds);
		return 1;
	}
	log_msg(MSG_STARTED, "process=monitor pid=%d", (int)getpid());
	loop_run(m.loop);
	link_free(m.link);
	site_routes_free(m.sites);
	pppds_free(m.pppds);
	if (conf_is_kernel(conf))
		xfrm_guard_remove();
	log_msg(MSG_STOPPING, "process=monitor status=%d", m.exit_status);
	for (i = 0; i < ROLE_COUNT; i++) {
		imsg_free(m.kids[i].channel);
		loop_child_free(m.kids[i].watch);
	}
	loop_timer_free(m.vici_timer);
	loop_timer_free(m.stop_timer);
	loop_signal_free(m.signals[0]);
	loop_signal_free(m.signals[1]);
	loop_free(m.loop);
	return m.exit_status;
}
