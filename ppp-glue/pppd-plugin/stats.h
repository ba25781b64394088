/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stats.h: how much passed through an interface, from the kernel, in 64 bits.
 */
#ifndef ADIT_PPPD_STATS_H
#define ADIT_PPPD_STATS_H

#include <stdbool.h>

#include "base/link_msg.h"

/* Counters of the interface (borrowed name) in the caller's network namespace.
 * False, ret untouched: there is no such interface, or no answer. */
bool stats_read(const char *interface, struct link_use *ret);

#endif
