/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.c: the log (contract in log.h). Owns the process's log state: where
 * lines go, how loud, and one token bucket per message id of a peer level.
 *
 * Trusts its callers to have passed peer-chosen values through log_clean();
 * as a second net every byte of a line that is not printable ASCII becomes
 * '?', so no input can start a line of its own or steer a terminal.
 *
 * Reads the clock itself: a line must have a time even when no loop runs. Main
 * thread only.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/ratelimit.h"

#define LINE_MAX_BYTES  1024
#define PEER_BURST      20
#define PEER_PER_SECOND 2

/* The registry's level word: a level, and whether a peer can cause it. */
enum registry_level {
	LEVEL_ERROR = LOG_LEVEL_ERROR,
	LEVEL_WARNING = LOG_LEVEL_WARNING,
	LEVEL_INFO = LOG_LEVEL_INFO,
	LEVEL_DEBUG = LOG_LEVEL_DEBUG,
	LEVEL_MASK = 0x0f,
	LEVEL_PEER = 0x10,
	LEVEL_WARNING_PEER = LEVEL_WARNING | LEVEL_PEER,
	LEVEL_INFO_PEER = LEVEL_INFO | LEVEL_PEER,
	LEVEL_DEBUG_PEER = LEVEL_DEBUG | LEVEL_PEER,
};

struct registry_row {
	const char *name;
	enum registry_level level;
	const char *meaning, *advice;
};

static const struct registry_row registry[] = {
#define MSG(id, name, level, meaning, advice)                                  \
	[MSG_##id] = {name, LEVEL_##level, meaning, advice},
#include "base/msgs.def"
#undef MSG
};

/* By enum log_level. */
static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const int syslog_priorities[] = {
    LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

static struct {
	const char *process;
	bool to_syslog;
	enum log_level max_level;
	void (*sink)(void *ctx, enum log_level level, const char *line);
	void *sink_ctx;
	uint64_t (*clock)(void *ctx);
	void *clock_ctx;
} state = {.process = "adit", .max_level = LOG_LEVEL_INFO};

static struct {
	bool used;
	struct ratelimit bucket;
	unsigned long dropped;
} limits[MSG_COUNT_];

void
log_open(const char *process, bool to_stderr, enum log_level max_level)
{
	state.process = process;
	state.to_syslog = !to_stderr;
	state.max_level = max_level;
	if (!to_stderr) /* now: later this process may not open sockets */
		openlog(process, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
log_set_sink(
    void (*sink)(void *ctx, enum log_level level, const char *line), void *ctx)
{
	state.sink = sink;
	state.sink_ctx = ctx;
}

void
log_set_clock(uint64_t (*clock)(void *ctx), void *ctx)
{
	state.clock = clock;
	state.clock_ctx = ctx;
	memset(limits, 0, sizeof(limits));
}

static uint64_t
now_ms(void)
{
	return state.clock != NULL ? state.clock(state.clock_ctx)
				   : loop_clock_ms();
}

/* True when a line of this id may be written; else it is counted. */
static bool
may_log(enum log_msg id)
{
	if ((registry[id].level & LEVEL_PEER) == 0)
		return true;
	if (!limits[id].used) {
		ratelimit_init(
		    &limits[id].bucket, PEER_BURST, PEER_PER_SECOND, now_ms());
		limits[id].used = true;
	}
	if (ratelimit_take(&limits[id].bucket, now_ms()))
		return true;
	limits[id].dropped++;
	return false;
}

static void
print_stderr(enum log_level level, const char *line)
{
	char out[LINE_MAX_BYTES + 128], stamp[32];
	time_t now = time(NULL);
	struct tm tm;
	int n;

	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		stamp[0] = '\0';
	n = snprintf(out, sizeof(out), "%s %s[%ld] %s %s\n", stamp,
	    state.process, (long)getpid(), level_names[level], line);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(out)) {
		n = (int)sizeof(out) - 1;
		out[n - 1] = '\n';
	}
	/* one write, so that lines of several processes do not mix; there is
	 * nobody to tell when it fails */
	if (write(STDERR_FILENO, out, (size_t)n) < 0)
		return;
}

void
log_msg(enum log_msg id, const char *fmt, ...)
{
	const enum log_level level =
	    (enum log_level)(registry[id].level & LEVEL_MASK);
	char line[LINE_MAX_BYTES], tail[40] = "", *p;
	size_t used, room;
	va_list ap;

	if (level > state.max_level || !may_log(id))
		return;
	if (limits[id].dropped > 0) {
		snprintf(
		    tail, sizeof(tail), " dropped=%lu", limits[id].dropped);
		limits[id].dropped = 0;
	}
	room = sizeof(line) - strlen(tail);
	used = (size_t)snprintf(line, room, "%s ", registry[id].name);
	va_start(ap, fmt);
	if (vsnprintf(line + used, room - used, fmt, ap) < 0 ||
	    line[used] == '\0')
		line[used - 1] = '\0';
	va_end(ap);
	memcpy(line + strlen(line), tail, strlen(tail) + 1);
	for (p = line; *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	if (state.sink != NULL)
		state.sink(state.sink_ctx, level, line);
	else if (state.to_syslog)
		syslog(syslog_priorities[level], "%s", line);
	else
		print_stderr(level, line);
}

static bool
is_plain(uint8_t c)
{
	return c > 0x20 && c < 0x7f && c != '=' && c != '"' && c != '\\';
}

const char *
log_clean(const void *bytes, size_t n, char *buf, size_t buf_bytes)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *src = bytes;
	size_t i, out = 0;

	if (buf_bytes == 0)
		return "-";
	for (i = 0; i < n; i++) {
		/* an escape is written whole or not at all */
		if (out + (is_plain(src[i]) ? 1 : 4) >= buf_bytes)
			break;
		if (is_plain(src[i])) {
			buf[out++] = (char)src[i];
			continue;
		}
		buf[out++] = '\\';
		buf[out++] = 'x';
		buf[out++] = hex[src[i] >> 4];
		buf[out++] = hex[src[i] & 0xf];
	}
	if (out == 0 && buf_bytes > 1)
		buf[out++] = '-';
	buf[out] = '\0';
	return buf;
}

const char *
log_msg_name(enum log_msg id)
{
	return registry[id].name;
}

const char *
log_msg_meaning(enum log_msg id)
{
	return registry[id].meaning;
}

const char *
log_msg_advice(enum log_msg id)
{
	return registry[id].advice;
}
