/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dns.h: the system's name servers, for the time of a client's tunnel: through
 * resolvectl or resolvconf when they rule /etc/resolv.conf, else in that file
 * itself. Runs in the monitor.
 */
#ifndef ADIT_MONITOR_DNS_H
#define ADIT_MONITOR_DNS_H

#include <stdbool.h>
#include <stdint.h>

#include "l2tpd/conf/conf.h"

/* dns: 0.0.0.0 is none; both none: nothing is done. 0, or -errno (logged). */
int dns_set(const struct adit_conf *conf, const uint8_t dns[2][4]);
/* As it was before. recovers: it is not known whether a predecessor was killed
 * after it had set something. */
void dns_restore(const struct adit_conf *conf, bool recovers);

/* The same for the file alone; saved: where the former one is kept, in the same
 * folder; saved_copy: where, when the file cannot be replaced but only written
 * (a mount). 0 or -errno; -EBUSY: another client has set it. */
struct dns_file {
	const char *path, *saved, *saved_copy;
	const char *owner; /* in our file: which client wrote it */
};
int dns_file_set(const struct dns_file *f, const uint8_t dns[2][4]);
int dns_file_restore(const struct dns_file *f);

#endif
