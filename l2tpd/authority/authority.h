/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * authority.h: the process that decides who gets in and with what, and the
 * only holder of secrets: user database, pool, session history, and what
 * charon has to know. It serves one engine at a time over base/auth_msg.h and
 * loads charon over a vici socket that the monitor connects for it.
 *
 * Runs as its own user without a capability: it opens the database by path and
 * gets everything else as a descriptor. It treats the engine as hostile.
 */
#ifndef ADIT_AUTHORITY_AUTHORITY_H
#define ADIT_AUTHORITY_AUTHORITY_H

#include <stdint.h>

#include "base/loop.h"
#include "l2tpd/conf/conf.h"

struct authority;

/* Key files, opened read-only by the monitor; -1: not there. The authority
 * reads them with pread(2) again for every vici connection, and looks every
 * few seconds whether they changed (adit writes the CRL in place). */
struct authority_files {
	int psk_fd, ca_fd, crl_fd, certificate_fd, key_fd;
};

struct authority_start {
	const struct adit_conf *conf; /* copied */
	const char *database;         /* copied; NULL: state_dir "/adit.db" */
	int engine_fd;                /* adopted SOCK_SEQPACKET; -1: none yet */
	struct authority_files files; /* adopted */

	/* The rest may be NULL. */
	/* The engine's channel ended (why NULL) or broke a rule (why). Its
	 * sessions are closed already. Give a new one when there is one. */
	void (*engine_gone)(void *ctx, const char *why);
	/* charon's vici connection ended; a new one is wanted. */
	void (*vici_gone)(void *ctx);
	/* Seconds since 1970; NULL: time(2). */
	int64_t (*wall_clock)(void *ctx);
	void *ctx; /* borrowed, for all three */
};

/* Opens (or makes) the database, closes history rows that a dead authority
 * left open, starts to serve. NULL: the reason was logged. Adopted
 * descriptors are closed in any case. */
struct authority *authority_new(
    struct loop *l, const struct authority_start *start);
/* Closes the sessions as "authority-stopped". NULL is fine. */
void authority_free(struct authority *a);

/* A new engine's channel: sessions of the old one end. fd: adopted. 0 or
 * -ENOMEM. */
int authority_engine_connected(struct authority *a, int fd);

/* A connected socket to charon.vici: everything is loaded into charon now. A
 * connection that is there is replaced. fd: adopted. 0 or -ENOMEM; whether
 * charon took it comes in the log (charon-loaded, charon-refused). */
int authority_vici_connected(struct authority *a, int fd);

/* New descriptors for the key files (after a reload): adopted; charon is
 * loaded again when it is connected. */
void authority_files_changed(
    struct authority *a, const struct authority_files *files);

#endif
