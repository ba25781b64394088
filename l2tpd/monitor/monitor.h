/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor.h: the privileged parent: opens things, starts and supervises the
 * children, hands descriptors over. Parses nothing that a peer sent.
 */
#ifndef ADIT_MONITOR_MONITOR_H
#define ADIT_MONITOR_MONITOR_H

#include <stdbool.h>

#include "l2tpd/conf/conf.h"

/* Runs until a signal or until a child dies. Returns the exit status.
 * to_stderr is handed on to the children. report_fd: a client writes a line
 * there when it is connected and when it is no longer; -1: nowhere. A client
 * that gives up has the status PRIV_END_STATUS plus the reason. */
int monitor_run(
    const struct adit_conf *conf, bool to_stderr, bool debug, int report_fd);

#endif
