/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keys.h: the key files of the authority and their way into charon: read when
 * vici connects, and again when one of them changed.
 */
#ifndef ADIT_AUTHORITY_KEYS_H
#define ADIT_AUTHORITY_KEYS_H

#include "base/loop.h"
#include "l2tpd/authority/authority.h"

struct keys;

/* files: adopted in any case. conf: borrowed for its life. gone: vici ended,
 * a new connection is wanted. Owner: caller. NULL: no memory. */
struct keys *keys_new(struct loop *l, const struct adit_conf *conf,
    const struct authority_files *files, void (*gone)(void *ctx), void *ctx);
void keys_free(struct keys *k); /* NULL is fine */
/* fd: adopted. 0 or -ENOMEM. */
int keys_vici_connected(struct keys *k, int fd);
/* Did a file change since charon was told? Then tell it. A timer of its own
 * asks this every few seconds. */
void keys_look(struct keys *k);
void keys_files_changed(struct keys *k, const struct authority_files *files);

#endif
