/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tell.h: what happens to the link, told to the engine: HELLO, addresses up and
 * down, counters, the end. It also watches the line: without an engine there
 * is nobody to account to, and pppd ends.
 */
#ifndef ADIT_PPPD_TELL_H
#define ADIT_PPPD_TELL_H

void tell_init(void); /* once, from plugin_init() */
/* The line is open: says HELLO, and from now on how much was used. */
void tell_hello(void);
/* The MTU that pppd has given to the interface, bytes. */
void tell_mtu(int mtu);

#endif
