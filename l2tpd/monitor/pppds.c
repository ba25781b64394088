/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pppds.c: the pppds of the kernel plane (contract in pppds.h).
 *
 * pppd is a root process that reads what strangers send, so it gets little: of
 * the capabilities CAP_NET_ADMIN alone (no_new_privs is set, so that exec gives
 * none back), no scripts and no options of the machine's, and the two
 * descriptors that its plugin is told of (ppp-glue/pppd-plugin/adit.c).
 */
#include "l2tpd/monitor/pppds.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uthash.h>

#include "base/log.h"

#define ARGUMENTS_MAX 64
#define NUMBER_MAX    16 /* bytes of a number as text */

struct pppd {
	struct pppds *owner;
	uint32_t session;
	pid_t pid;
	struct loop_child *watch;
	UT_hash_handle hh;
};

struct pppds {
	struct loop *loop;
	const struct adit_conf *conf;
	struct pppd *all; /* by session */
};

static bool
is_there(const char *what, const char *path, int mode)
{
	if (access(path, mode) == 0)
		return true;
	log_msg(MSG_OPEN_FAILED, "what=%s step=%s why=\"%s\"", what, path,
	    strerror(errno));
	return false;
}

/* Options and scripts in /etc/ppp are for other pppds. */
static int
hide_etc_ppp(void)
{
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount("adit", "/etc/ppp", "tmpfs",
		MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k") < 0)
		return -errno;
	return 0;
}

struct pppds *
pppds_new(struct loop *loop, const struct adit_conf *conf)
{
	struct pppds *p;
	int rc;

	if (!is_there("pppd", conf->pppd, X_OK) ||
	    !is_there("pppd-plugin", conf->pppd_plugin, R_OK) ||
	    !is_there("ppp-device", "/dev/ppp", R_OK | W_OK))
		return NULL;
	rc = hide_etc_ppp();
	if (rc < 0) {
		log_msg(MSG_OPEN_FAILED,
		    "what=etc-ppp step=empty-mount why=\"%s\"", strerror(-rc));
		return NULL;
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->loop = loop;
	p->conf = conf;
	return p;
}

static void
pppd_forget(struct pppd *d)
{
	HASH_DEL(d->owner->all, d);
	loop_child_free(d->watch);
	free(d);
}

void
pppds_free(struct pppds *p)
{
	struct pppd *d, *tmp;

	if (p == NULL)
		return;
	HASH_ITER (hh, p->all, d, tmp) {
		kill(d->pid, SIGKILL);
		pppd_forget(d);
	}
	free(p);
}

static void
on_exit_of(void *ctx, pid_t pid, int status)
{
	(void)pid, (void)status; /* the engine hears the line end */
	pppd_forget(ctx);
}

/* ---- the child ---- */

struct arguments {
	const char *argv[ARGUMENTS_MAX];
	size_t n;
	char numbers[6][NUMBER_MAX];
	size_t used;
	char gateway[NUMBER_MAX + 4];
	char interface[IFNAMSIZ];
};

static void
add(struct arguments *a, const char *word)
{
	if (a->n + 1 < ARGUMENTS_MAX)
		a->argv[a->n++] = word;
}

static void
add_number(struct arguments *a, const char *word, long number)
{
	char *text = a->numbers[a->used++];

	snprintf(text, NUMBER_MAX, "%ld", number);
	add(a, word);
	add(a, text);
}

/* MS-CHAPv2, and PAP for a peer that knows no CHAP; not MD5: pppd would offer
 * it first, and users in the database cannot be verified by it. All refuse-*
 * are needed: without them pppd would answer a peer's challenge. */
static void
build(struct arguments *a, const struct adit_conf *c, uint32_t session,
    int channel, int line)
{
	static const char *const words[] = {"nodetach", "nolog", "auth", "name",
	    "adit", "require-mschap-v2", "refuse-pap", "refuse-chap",
	    "refuse-mschap", "refuse-mschap-v2", "refuse-eap", "noccp",
	    "noipdefault", "nodefaultroute", "noproxyarp", "novj", "noipv6",
	    "ip-up-script", "/bin/true", "ip-down-script", "/bin/true", NULL};
	size_t i;

	memset(a, 0, sizeof(*a));
	add(a, c->pppd);
	add(a, "plugin");
	add(a, c->pppd_plugin);
	add_number(a, "adit-channel", channel);
	add_number(a, "adit-line", line);
	for (i = 0; words[i] != NULL; i++)
		add(a, words[i]);
	if (c->allow_pap)
		add(a, "require-pap");
	snprintf(a->gateway, sizeof(a->gateway), "%u.%u.%u.%u:", c->gateway[0],
	    c->gateway[1], c->gateway[2], c->gateway[3]);
	add(a, a->gateway);
	/* ours to the firewall; "ppp0" could be somebody's uplink */
	snprintf(a->interface, sizeof(a->interface), "%.*ss%u",
	    CONF_LINK_PREFIX, c->tun_name, session % 1000000000u);
	add(a, "ifname");
	add(a, a->interface);
	add_number(a, "mtu", c->mru);
	add_number(a, "mru", c->mru);
	if (c->echo_interval_s > 0) {
		add_number(a, "lcp-echo-interval", c->echo_interval_s);
		add_number(a, "lcp-echo-failure", c->echo_failures);
	}
}

static int
drop_rights(void)
{
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
		CAP_NET_ADMIN) != 0 ||
	    capng_apply(CAPNG_SELECT_CAPS) != 0)
		return -EPERM;
	return 0;
}

/* Never returns. Everything that is not named here is close-on-exec. */
static void
become_pppd(const struct adit_conf *c, uint32_t session, int channel, int line)
{
	static const char *const env[] = {
	    "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	struct arguments a;
	sigset_t none;
	int null;

	build(&a, c, session, channel, line);
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    fcntl(channel, F_SETFD, 0) < 0 || fcntl(line, F_SETFD, 0) < 0 ||
	    drop_rights() < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execve(c->pppd, (char *const *)(uintptr_t)a.argv,
	    (char *const *)(uintptr_t)env);
	_exit(127);
}

static int
spawn(struct pppds *p, struct pppd *d, int channel_fd)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	d->pid = fork();
	if (d->pid == 0)
		become_pppd(p->conf, d->session, channel_fd, pair[1]);
	close(pair[1]);
	if (d->pid < 0) {
		close(pair[0]);
		return -errno;
	}
	d->watch = loop_child_new(p->loop, d->pid, on_exit_of, d);
	if (d->watch == NULL) {
		kill(d->pid, SIGKILL);
		close(pair[0]);
		return -ENOMEM;
	}
	return pair[0];
}

int
pppds_start(struct pppds *p, uint32_t session, int channel_fd)
{
	struct pppd *d;
	int fd;

	HASH_FIND(hh, p->all, &session, sizeof(session), d);
	if (d != NULL)
		return -EEXIST;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return -ENOMEM;
	d->owner = p;
	d->session = session;
	fd = spawn(p, d, channel_fd);
	if (fd < 0) {
		log_msg(MSG_PPPD_FAILED, "session=%u why=\"%s\"", session,
		    strerror(-fd));
		free(d);
		return fd;
	}
	HASH_ADD(hh, p->all, session, sizeof(d->session), d);
	return fd;
}

void
pppds_end(struct pppds *p, uint32_t session, bool now)
{
	struct pppd *d;

	HASH_FIND(hh, p->all, &session, sizeof(session), d);
	if (d != NULL)
		kill(d->pid, now ? SIGKILL : SIGTERM);
}
