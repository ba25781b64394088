/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h: one line a decision, `key=value`, from the registry base/msgs.def.
 * Line: "<ev name> key=value ..."; level and advice come from the registry.
 * Goes to stderr (foreground) with a time stamp and the process's name, or to
 * journald/syslog. Pure code never logs. Never a secret (struct secret has no
 * printer).
 */
#ifndef ADIT_BASE_LOG_H
#define ADIT_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Ids of msgs.def: MSG_TUNNEL_UP, ... */
enum log_msg {
#define MSG(id, name, level, meaning, advice) MSG_##id,
#include "base/msgs.def"
#undef MSG
	MSG_COUNT_
};

/* process: "l2tpd", "engine", ...; borrowed, must outlive the process.
 * to_stderr false: syslog (journald picks it up); true: stderr.
 * Before log_open() lines go to stderr. */
void log_open(const char *process, bool to_stderr, enum log_level max_level);

/* fmt gives the key=value part: log_msg(MSG_SA_UP, "assoc=%u spi=%08x", ..).
 * Values that a peer chose must have passed log_clean(). Lines of messages
 * that a peer can cause (registry: level suffix _PEER) are rate-limited per
 * message id: burst 20, then 2 a second; when lines were dropped the next line
 * carries dropped=N. */
void log_msg(enum log_msg id, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* For tests: lines go to sink (NULL: back to where log_open() said) without a
 * time stamp; the rate limits count clock(ctx), monotonic milliseconds (NULL:
 * the real one), and start afresh. ctx borrowed. */
void log_set_sink(
    void (*sink)(void *ctx, enum log_level level, const char *line), void *ctx);
void log_set_clock(uint64_t (*clock)(void *ctx), void *ctx);

/* Peer-chosen bytes as a value: printable ASCII without space, '=', '"' and
 * '\\' stays, everything else becomes \xNN; empty becomes "-"; cut at
 * buf_bytes. Returns buf. */
const char *log_clean(const void *bytes, size_t n, char *buf, size_t buf_bytes);

const char *log_msg_name(enum log_msg id);    /* "tunnel-up" */
const char *log_msg_meaning(enum log_msg id); /* for docs */
const char *log_msg_advice(enum log_msg id);

#endif
