/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sites.h: networks that lie behind clients' devices: a list as text, and which
 * ones this server can have there. The same judgement for adit, the authority
 * and the monitor.
 */
#ifndef ADIT_CONF_SITES_H
#define ADIT_CONF_SITES_H

#include "base/network.h"
#include "l2tpd/conf/conf.h"

/* "10.1.0.0/16,192.168.3.0/24", appended to ret; at most IPV4_NETWORKS_MAX in
 * all, none in another. "" adds none. NULL, or what is wrong with it (then ret
 * is untouched). */
const char *sites_parse(const char *text, struct ipv4_networks *ret);

/* NULL, or why this network cannot lie behind a client of the server c: it is
 * none that hosts have, or holds addresses of the pool or of the server. */
const char *sites_problem(
    const struct adit_conf *c, const struct ipv4_network *n);

#endif
