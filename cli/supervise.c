/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervise.c: programs in the foreground (contract in supervise.h). Each is
 * restarted by itself when it dies, with a growing pause; its output is shown
 * line by line with its name. SIGTERM or SIGINT ends them one after the other.
 */
#include "cli/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

#define T_RESTART_MIN_MS 500
#define T_RESTART_MAX_MS 30000
#define T_STABLE_MS      60000 /* lived so long: the pause begins anew */
#define T_STOP_MS        15000 /* then SIGKILL */
#define LINE_MAX_BYTES   1024
#define SIGNALS          4

struct run;

struct service {
	struct run *run;
	const struct supervised *what;
	pid_t pid; /* 0: not running */
	int out;   /* its stdout and stderr; -1 */
	uint32_t pause_ms;
	uint64_t started_ms;
	struct loop_child *child;
	struct loop_fd *watch;
	struct loop_timer *timer; /* start again; when stopping: kill */
	char line[LINE_MAX_BYTES];
	size_t line_bytes;
};

struct run {
	struct loop *loop;
	const struct supervise *plan;
	struct service services[SUPERVISED_MAX];
	bool stopping;
};

/* ---- output ---- */

static void
say(const char *fmt, const char *name, int n)
{
	fputs("adit: ", stderr);
	fprintf(stderr, "%s ", name);
	fprintf(stderr, "%s %d\n", fmt, n);
}

static void
flush_line(struct service *s)
{
	if (s->line_bytes && !s->run->plan->quiet)
		fprintf(stderr, "%s: %.*s\n", s->what->name, (int)s->line_bytes,
		    s->line);
	s->line_bytes = 0;
}

/* False at the end of the output. */
static bool
copy_output(struct service *s)
{
	char buf[4096];
	ssize_t n = read(s->out, buf, sizeof(buf));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\n') {
			flush_line(s);
			continue;
		}
		if (s->line_bytes == sizeof(s->line))
			flush_line(s);
		s->line[s->line_bytes++] = buf[i];
	}
	return n > 0;
}

static void
close_output(struct service *s)
{
	flush_line(s);
	loop_fd_free(s->watch);
	s->watch = NULL;
	if (s->out >= 0)
		close(s->out);
	s->out = -1;
}

static void
on_output(void *ctx, int events)
{
	struct service *s = ctx;

	(void)events;
	if (!copy_output(s))
		close_output(s);
}

/* ---- start and end of one ---- */

static void on_child(void *ctx, pid_t pid, int status);

static void
exec_service(const struct service *s, int out)
{
	const char *envp[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	    s->run->plan->environment, NULL};
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0); /* a ^C is for us, we stop them in order */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (s->what->keep_fd > 0)
		fcntl(s->what->keep_fd, F_SETFD, 0);
	execve(s->what->argv[0], (char *const *)(uintptr_t)s->what->argv,
	    (char *const *)(uintptr_t)envp);
	dprintf(STDERR_FILENO, "cannot be started: %s: %s\n", s->what->argv[0],
	    strerror(errno));
	_exit(127);
}

static void
again_later(struct service *s)
{
	if (loop_now_ms(s->run->loop) - s->started_ms > T_STABLE_MS)
		s->pause_ms = T_RESTART_MIN_MS;
	loop_timer_set(s->timer, s->pause_ms);
	s->pause_ms = s->pause_ms * 2 > T_RESTART_MAX_MS ? T_RESTART_MAX_MS
							 : s->pause_ms * 2;
}

static void
start(struct service *s)
{
	int fds[2];

	s->started_ms = loop_now_ms(s->run->loop);
	if (pipe2(fds, O_CLOEXEC) < 0) {
		again_later(s);
		return;
	}
	s->pid = fork();
	if (s->pid == 0)
		exec_service(s, fds[1]);
	close(fds[1]);
	if (s->pid < 0) {
		close(fds[0]);
		s->pid = 0;
		again_later(s);
		return;
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	s->out = fds[0];
	s->watch = loop_fd_new(s->run->loop, s->out, LOOP_READ, on_output, s);
	s->child = loop_child_new(s->run->loop, s->pid, on_child, s);
	if (!s->run->plan->quiet)
		say("started, pid", s->what->name, (int)s->pid);
}

/* Stop the first that runs; when none is left, the loop ends. */
static void
stop_next(struct run *r)
{
	for (size_t i = 0; i < r->plan->count; i++) {
		struct service *s = &r->services[i];
		loop_timer_cancel(s->timer);
		if (s->pid) {
			kill(s->pid, SIGTERM);
			loop_timer_set(s->timer, T_STOP_MS);
			return;
		}
	}
	loop_stop(r->loop);
}

static void
on_child(void *ctx, pid_t pid, int status)
{
	struct service *s = ctx;
	struct run *r = s->run;

	(void)pid;
	if (s->out >= 0)
		copy_output(s);
	close_output(s);
	loop_child_free(s->child);
	s->child = NULL;
	s->pid = 0;
	if (!r->plan->quiet && WIFSIGNALED(status))
		say("died of signal", s->what->name, WTERMSIG(status));
	else if (!r->plan->quiet)
		say("ended with status", s->what->name, WEXITSTATUS(status));
	if (!r->stopping && r->plan->again != NULL &&
	    !r->plan->again(r->plan->ctx, s->what, status))
		r->stopping = true;
	if (r->stopping)
		stop_next(r);
	else
		again_later(s);
}

static void
on_timer(void *ctx)
{
	struct service *s = ctx;

	if (!s->run->stopping) {
		start(s);
	} else if (s->pid) {
		say("does not stop: killed, pid", s->what->name, (int)s->pid);
		kill(s->pid, SIGKILL);
	}
}

static void
on_signal(void *ctx, int signo)
{
	struct run *r = ctx;

	if (signo == SIGTERM || signo == SIGINT) {
		if (!r->stopping) {
			r->stopping = true;
			stop_next(r);
		}
		return;
	}
	for (size_t i = 0; i < r->plan->count; i++)
		if (r->services[i].pid)
			kill(r->services[i].pid, signo);
}

/* ---- all ---- */

int
supervise_lock(struct cli *c, int *ret_fd)
{
	char path[CONF_PATH_MAX], old[32] = "";
	int fd;

	c->quiet = true;
	if (access(c->conf.run_dir, F_OK) < 0 &&
	    directory_put(c, c->conf.run_dir, 0755, (uid_t)-1, (gid_t)-1))
		return EXIT_FAIL;
	if (path_join(path, c->conf.run_dir, "adit.pid"))
		return EXIT_FAIL;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return cli_fail(
		    "%s: %s: run this as root", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (read(fd, old, sizeof(old) - 1) < 0)
			old[0] = '\0';
		old[strcspn(old, "\n")] = '\0';
		close(fd);
		return cli_fail(
		    "adit with %s is running already, as process %s: "
		    "stop that one first",
		    c->conf.run_dir, old);
	}
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
		close(fd);
		return cli_fail("%s: %s", path, strerror(errno));
	}
	*ret_fd = fd;
	return EXIT_OK;
}

static int
watch_signals(struct run *r, struct loop_signal *watches[SIGNALS])
{
	static const int signals[SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

	for (size_t i = 0; i < SIGNALS; i++) {
		watches[i] = loop_signal_new(r->loop, signals[i], on_signal, r);
		if (!watches[i])
			return -ENOMEM;
	}
	for (size_t i = 0; i < r->plan->count; i++) {
		struct service *s = &r->services[i];
		s->timer = loop_timer_new(r->loop, on_timer, s);
		if (!s->timer)
			return -ENOMEM;
	}
	return 0;
}

int
supervise(struct loop *loop, const struct supervise *plan)
{
	struct loop_signal *watches[SIGNALS] = {NULL};
	static struct run r;

	r.loop = loop;
	r.plan = plan;
	for (size_t i = 0; i < plan->count; i++) {
		r.services[i].run = &r;
		r.services[i].what = &plan->table[i];
		r.services[i].out = -1;
		r.services[i].pause_ms = T_RESTART_MIN_MS;
	}
	if (watch_signals(&r, watches) < 0)
		return cli_fail("out of memory");
	for (size_t i = plan->count; i-- > 0;)
		start(&r.services[i]);
	loop_run(loop);
	for (size_t i = 0; i < SIGNALS; i++)
		loop_signal_free(watches[i]);
	for (size_t i = 0; i < plan->count; i++) {
		loop_timer_free(r.services[i].timer);
		loop_child_free(r.services[i].child);
		loop_fd_free(r.services[i].watch);
	}
	return EXIT_OK;
}
