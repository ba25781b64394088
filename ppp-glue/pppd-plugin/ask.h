/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ask.h: who may in. pppd's authentication hooks ask the engine over the line,
 * and its address hooks know only what the engine has granted.
 */
#ifndef ADIT_PPPD_ASK_H
#define ADIT_PPPD_ASK_H

#include <stdbool.h>
#include <stdint.h>

void ask_init(void); /* once, from plugin_init() */

/* The engine has let the peer in. */
bool ask_is_granted(void);
/* The IPV6CP identifier is one that the peer may have. */
bool ask_may_have_ifid(const uint8_t ifid[8]);

#endif
