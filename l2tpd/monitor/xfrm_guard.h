/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xfrm_guard.h: XFRM in the kernel plane: nothing of UDP 1701 without IPsec. In
 * the kernel plane charon's policies only fit packets with a mark; two policies
 * behind them (the least priority there is) block what has none: L2TP from a
 * stranger does not come in, not even to the kernel's tunnels, which look at
 * numbers only, and no answer of ours leaves in the clear when its SA is gone.
 *
 * Runs in the monitor (CAP_NET_ADMIN). The policies stay when the monitor is
 * killed, and are the same ones at its next start.
 */
#ifndef ADIT_MONITOR_XFRM_GUARD_H
#define ADIT_MONITOR_XFRM_GUARD_H

#include <stdint.h>

#include "base/priv_msg.h"

/* 0 or -errno: the kernel has no XFRM, or lacks the right. */
int xfrm_guard_set(void);
/* Takes them away. */
void xfrm_guard_remove(void);

/* Removes from the kernel what a charon that was killed has left of an
 * association: the SAs with these SPIs, and its policies. Only what has the
 * mark and the addresses that are named is touched. */
void xfrm_forget(const struct priv_forget *f);

#endif
