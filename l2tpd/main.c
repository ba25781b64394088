/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.c: argv and the three roles of l2tpd. Without --role it is the monitor;
 * the monitor re-executes this program for each child, with --role and --user.
 * A child drops every right first and only then listens to anybody.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/secret.h"
#include "l2tpd/authority/authority.h"
#include "l2tpd/authority/keys.h"
#include "l2tpd/conf/conf.h"
#include "l2tpd/engine/engine.h"
#include "l2tpd/esp/esp.h"
#include "l2tpd/monitor/child.h"
#include "l2tpd/monitor/monitor.h"
#include "l2tpd/plane/kernel/kernel.h"
#include "l2tpd/plane/user/workers.h"
#include "ppp-glue/engine/mschap.h"

struct process {
	struct loop *loop;
	struct child *child;
	struct child_start *start;
	struct engine *engine;
	struct authority *authority;
	struct keys *keys; /* all that is left of the authority in a client */
};

static int
take_of(struct child_start *start, size_t worker, enum priv_fd what)
{
	int fd = start->fd[worker][what];

	start->fd[worker][what] = -1;
	return fd;
}

static int
take(struct child_start *start, enum priv_fd what)
{
	return take_of(start, 0, what);
}

/* ---- engine ---- */

static void
worker_config(
    struct child_start *start, size_t worker, struct plane_config *ret)
{
	const struct adit_conf *c = &start->conf;

	*ret = (struct plane_config){
	    .udp500_fd = take_of(start, worker, PRIV_FD_UDP500),
	    .udp4500_fd = take_of(start, worker, PRIV_FD_UDP4500),
	    .esp_fd = take_of(start, worker, PRIV_FD_ESP),
	    .tun_fd = take_of(start, worker, PRIV_FD_TUN),
	    .inner_mtu = c->mru,
	    .outer_mtu = c->outer_mtu,
	    .copy_dscp = c->copy_dscp,
	    .offloads = (c->tun_tcp_offload ? PLANE_TUN_TCP : 0u) |
		(c->tun_udp_offload ? PLANE_TUN_UDP : 0u) |
		(c->udp_gso ? PLANE_UDP_GSO : 0u) |
		(c->udp_gro ? PLANE_UDP_GRO : 0u),
	};

	if (!c->client.on)
		memcpy(ret->gateway, c->gateway, 4);
	ret->tun_vnet = plane_tun_has_vnet(ret->tun_fd);
}

static void
want_marked(void *ctx, uint32_t mark)
{
	struct process *p = ctx;

	child_want_marked(p->child, mark);
}

static struct plane *
make_kernel_plane(struct process *p, struct loop *loop,
    const struct plane_events *events, void *events_ctx)
{
	struct plane_kernel_config cfg = {
	    .udp_fd = take(p->start, PRIV_FD_UDP1701),
	    .mark_mask = p->start->conf.mark_mask,
	    .tun_fd = take(p->start, PRIV_FD_TUN),
	    .inner_mtu = p->start->conf.mru,
	    .shared_ports = plane_kernel_shared_ports(NULL),
	    .want_socket = want_marked,
	    .want_ctx = p,
	};

	memcpy(cfg.gateway, p->start->conf.gateway, sizeof(cfg.gateway));
	return plane_kernel_new(loop, &cfg, events, events_ctx);
}

static struct plane *
make_plane(struct loop *loop, const struct plane_events *events,
    void *events_ctx, void *ctx)
{
	struct plane_config cfg[CONF_WORKERS_MAX];
	struct process *p = ctx;
	struct child_start *start = p->start;
	size_t n = 0;
	struct steer_maps maps;

	if (conf_is_kernel(&start->conf))
		return make_kernel_plane(p, loop, events, events_ctx);
	while (n < CONF_WORKERS_MAX && start->fd[n][PRIV_FD_TUN] >= 0) {
		worker_config(start, n, &cfg[n]);
		n++;
	}
	if (n == 1)
		return plane_user_new(loop, cfg, events, events_ctx);
	maps.addresses_fd = take(start, PRIV_FD_TUN_ADDRESSES);
	maps.networks_fd = take(start, PRIV_FD_TUN_NETWORKS);
	return plane_workers_new(loop, cfg, n, &maps, events, events_ctx);
}

static void
want_vici(void *ctx)
{
	struct process *p = ctx;

	child_want_vici(p->child);
}

static void
engine_stopped(void *ctx)
{
	struct process *p = ctx;

	loop_stop(p->loop);
}

static void
set_link(void *ctx, const struct priv_link *link)
{
	struct process *p = ctx;

	child_set_link(p->child, link);
}

static void
set_routes(void *ctx, uint32_t session, const struct ipv4_networks *nets)
{
	struct process *p = ctx;

	child_set_routes(p->child, session, nets);
}

static void
start_pppd(void *ctx, uint32_t session, int channel_fd)
{
	struct process *p = ctx;

	child_start_pppd(p->child, session, channel_fd);
}

static void
end_pppd(void *ctx, uint32_t session, bool now)
{
	struct process *p = ctx;

	child_end_pppd(p->child, session, now);
}

static void
forget(void *ctx, const struct priv_forget *f)
{
	struct process *p = ctx;

	child_forget(p->child, f);
}

static void
client_end(void *ctx, enum priv_end why)
{
	struct process *p = ctx;

	child_end_client(p->child, why);
}

/* One line: the user's password. fd: adopted. */
static int
read_password(int fd, struct secret *ret)
{
	char text[SECRET_MAX + 2];
	ssize_t n;
	int rc;

	n = pread(fd, text, sizeof(text), 0);
	close(fd);
	if (n < 0)
		return -errno;
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	rc = n == 0 ? -ENODATA : secret_set(ret, text, (size_t)n);
	wipe(text, sizeof(text));
	return rc;
}

static int
engine_go(void *ctx, struct child_start *start)
{
	struct process *p = ctx;
	struct secret password = {.len = 0};
	const struct engine_start es = {
	    .conf = &start->conf,
	    .plane_listen_fd = take(start, PRIV_FD_PLANE_LISTEN),
	    .control_listen_fd = take(start, PRIV_FD_CONTROL_LISTEN),
	    .auth_fd = take(start, PRIV_FD_AUTH_CHANNEL),
	    .plane_new = make_plane,
	    .plane_new_ctx = p,
	    .want_vici = want_vici,
	    .stopped = engine_stopped,
	    .password = &password,
	    .routes = set_routes,
	    .services_fd = take(start, PRIV_FD_SERVICES),
	    .pppd_start = start_pppd,
	    .pppd_end = end_pppd,
	    .forget = forget,
	    .link = set_link,
	    .client_end = client_end,
	    .ctx = p,
	};
	int rc = 0;

	p->start = start;
	if (!esp_selftest()) {
		log_msg(MSG_SELFTEST, "what=esp");
		return -EIO;
	}
	if (start->conf.client.on)
		rc = read_password(take(start, PRIV_FD_PASSWORD), &password);
	if (rc < 0) {
		log_msg(
		    MSG_KEY_FILE, "file=password why=\"%s\"", strerror(-rc));
		return rc;
	}
	p->engine = engine_new(p->loop, &es);
	secret_wipe(&password);
	if (p->engine == NULL)
		return -EIO;
	child_say_ready(p->child);
	return 0;
}

static void
engine_vici(void *ctx, int fd)
{
	struct process *p = ctx;

	engine_vici_connected(p->engine, fd);
}

static void
on_marked(void *ctx, uint32_t mark, int fd)
{
	struct process *p = ctx;

	engine_marked(p->engine, mark, fd);
}

static void
on_pppd_line(void *ctx, uint32_t session, int fd)
{
	struct process *p = ctx;

	engine_pppd_line(p->engine, session, fd);
}

static void
engine_child_stop(void *ctx, bool monitor_gone)
{
	struct process *p = ctx;

	if (monitor_gone || p->engine == NULL)
		loop_stop(p->loop);
	else
		engine_stop(p->engine);
}

static const struct child_ops engine_ops = {
    .go = engine_go,
    .vici = engine_vici,
    .marked = on_marked,
    .pppd_line = on_pppd_line,
    .stop = engine_child_stop,
};

/* ---- authority ---- */

static void
on_engine_gone(void *ctx, const char *why)
{
	struct process *p = ctx;

	if (why != NULL)
		log_msg(MSG_BUG, "channel=engine why=\"%s\"", why);
	loop_stop(p->loop);
}

static struct authority_files
take_files(struct child_start *start)
{
	return (struct authority_files){.psk_fd = take(start, PRIV_FD_PSK),
	    .ca_fd = take(start, PRIV_FD_CA),
	    .crl_fd = take(start, PRIV_FD_CRL),
	    .certificate_fd = take(start, PRIV_FD_CERTIFICATE),
	    .key_fd = take(start, PRIV_FD_KEY)};
}

/* A client decides about nobody: it only tells charon its secrets. */
static int
keys_go(struct process *p, struct child_start *start)
{
	const struct authority_files files = take_files(start);

	p->keys = keys_new(p->loop, &start->conf, &files, want_vici, p);
	return p->keys != NULL ? 0 : -ENOMEM;
}

static int
authority_go(void *ctx, struct child_start *start)
{
	struct process *p = ctx;
	const struct authority_start as = {
	    .conf = &start->conf,
	    .engine_fd = take(start, PRIV_FD_AUTH_CHANNEL),
	    .files = start->conf.client.on
		? (struct authority_files){-1, -1, -1, -1, -1}
		: take_files(start),
	    .engine_gone = on_engine_gone,
	    .vici_gone = want_vici,
	    .ctx = p,
	};

	if (!mschap_selftest()) {
		log_msg(MSG_SELFTEST, "what=ms-chapv2");
		return -EIO;
	}
	if (start->conf.client.on) {
		if (keys_go(p, start) < 0)
			return -EIO;
	} else {
		p->authority = authority_new(p->loop, &as);
		if (p->authority == NULL)
			return -EIO;
	}
	child_want_vici(p->child);
	child_say_ready(p->child);
	return 0;
}

static void
authority_vici(void *ctx, int fd)
{
	struct process *p = ctx;

	int rc = p->keys != NULL ? keys_vici_connected(p->keys, fd)
				 : authority_vici_connected(p->authority, fd);

	if (rc < 0)
		child_want_vici(p->child);
}

static void
authority_stop(void *ctx, bool monitor_gone)
{
	struct process *p = ctx;

	/* in an orderly end the engine's channel closes first: its last
	 * counters go into the history */
	if (monitor_gone || p->authority == NULL)
		loop_stop(p->loop);
}

static const struct child_ops authority_ops = {
    .go = authority_go,
    .vici = authority_vici,
    .stop = authority_stop,
};

/* ---- start ---- */

static const struct {
	const char *name;
	const struct child_ops *ops;
} child_roles[] = {
    {"engine", &engine_ops},
    {"authority", &authority_ops},
};

static int
run_child(size_t role, const char *user)
{
	struct process p = {.loop = loop_new()};
	int rc;

	if (p.loop == NULL)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	/* ^C in a terminal reaches the whole group: the monitor decides */
	signal(SIGINT, SIG_IGN);
	rc = child_drop_rights(user);
	if (rc < 0) {
		log_msg(MSG_CHILD_FAILED, "step=drop-rights user=%s why=\"%s\"",
		    user, strerror(-rc));
		return 1;
	}
	p.child = child_new(p.loop, child_roles[role].ops, &p);
	if (p.child == NULL)
		return 1;
	loop_run(p.loop);
	engine_free(p.engine);
	authority_free(p.authority);
	keys_free(p.keys);
	child_free(p.child);
	loop_free(p.loop);
	return 0;
}

static int
usage(FILE *to, int status)
{
	fputs(
	    "usage: l2tpd [--config FILE] [--foreground] [--debug]\n"
	    "       l2tpd --version\n"
	    "The L2TP daemon of Adit; see l2tpd(8). Configure with adit(8).\n",
	    to);
	return status;
}

static int
run_monitor(const char *config, bool foreground, bool debug, int report_fd)
{
	static struct adit_conf conf;
	const char *why = "";
	int rc;

	rc = conf_load(config, &conf, &why);
	if (rc == 0)
		rc = conf_validate(&conf, &why);
	if (rc < 0) {
		fprintf(stderr, "l2tpd: %s: %s\n", config,
		    why != NULL && why[0] != '\0' ? why : strerror(-rc));
		return 1;
	}
	if (geteuid() != 0) {
		fputs("l2tpd: must be started by root: it opens UDP 500 and "
		      "4500 and a TUN device, then drops its rights\n",
		    stderr);
		return 1;
	}
	return monitor_run(&conf, foreground, debug, report_fd);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"foreground", no_argument, NULL, 'f'},
	    {"debug", no_argument, NULL, 'd'},
	    {"role", required_argument, NULL, 'r'},
	    {"user", required_argument, NULL, 'u'},
	    {"report-fd", required_argument, NULL, 'R'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	const char *config = ADIT_SYSCONFDIR "/adit.conf", *role = NULL,
		   *user = NULL;
	bool foreground = false, debug = false;
	int opt, report_fd = -1;
	size_t i;

	while ((opt = getopt_long(argc, argv, "c:fdhV", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			config = optarg;
			break;
		case 'f':
			foreground = true;
			break;
		case 'd':
			debug = true;
			break;
		case 'r':
			role = optarg;
			break;
		case 'u':
			user = optarg;
			break;
		case 'R':
			report_fd = atoi(optarg);
			fcntl(report_fd, F_SETFD, FD_CLOEXEC);
			break;
		case 'h':
			return usage(stdout, 0);
		case 'V':
			puts("l2tpd (" PACKAGE_NAME ") " PACKAGE_VERSION);
			return 0;
		default:
			return usage(stderr, 2);
		}
	}
	if (optind != argc || (role == NULL) != (user == NULL))
		return usage(stderr, 2);
	log_open(role != NULL ? role : "l2tpd", foreground,
	    debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	if (role == NULL)
		return run_monitor(config, foreground, debug, report_fd);
	for (i = 0; i < sizeof(child_roles) / sizeof(child_roles[0]); i++)
		if (strcmp(role, child_roles[i].name) == 0)
			return run_child(i, user);
	return usage(stderr, 2);
}
