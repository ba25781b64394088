/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * line.h: the line to the engine: records of base/link_msg.h over the inherited
 * SOCK_SEQPACKET socket. A pppd has one line, so its state is in line.c. The
 * engine is trusted: what it grants is given. A record that cannot be sent at
 * once, or that makes no sense, ends the line; it never comes back.
 */
#ifndef ADIT_PPPD_LINE_H
#define ADIT_PPPD_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/link_msg.h"
#include "base/wr.h"

/* Takes over fd, a connected SOCK_SEQPACKET socket, close-on-exec from now on.
 * -EINVAL: it is none, or there is a line already (fd is left alone then). */
int line_open(int fd);
/* In children, which are no part of the session. */
void line_close(void);
/* False from the moment on at which the engine is gone. */
bool line_is_up(void);

/* payload: what a link_msg_put_x() wrote; one that did not fit ends the line,
 * as it is our own bug. No effect when the line is over. */
void line_send(enum link_msg_type type, const struct wr *payload);

/* Asks and waits for the verdict, at most wait_ms.
 * ask: its serial is filled in. ret: untouched unless 0 is returned.
 * -EPIPE: the engine is gone; -ETIMEDOUT; -EMSGSIZE: ask is too large. */
int line_ask(struct link_ask *ask, int wait_ms, struct link_verdict *ret);

/* Looks, without waiting, whether the engine has left; drops what it said
 * unasked (a verdict that came too late). */
void line_look(void);

#endif
