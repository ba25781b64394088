/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pppd_compat.h: pppd's headers, in the words of pppd 2.5; for 2.4.9 those
 * words are made of the old ones. Included before anything of base/. configure
 * says which pppd it is (ADIT_PPPD_25): what the machine has in /usr/include
 * may be another one.
 *
 * pppd 2.4.9 makes a type `bool` of its own, an unsigned char. It gets another
 * name here, so its structures keep their layout and ours keep C's bool.
 */
#ifndef ADIT_PPPD_COMPAT_H
#define ADIT_PPPD_COMPAT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/types.h>

#ifdef ADIT_PPPD_25

#include <pppd/pppd.h>

#include <pppd/fsm.h>

#include <pppd/ccp.h>
#include <pppd/chap.h>
#include <pppd/eap.h>
#include <pppd/eui64.h>
#include <pppd/ipcp.h>
#include <pppd/ipv6cp.h>
#include <pppd/lcp.h>
#include <pppd/options.h>
#include <pppd/upap.h>

/* exported by the program, declared in none of the headers it installs */
void lcp_close(int unit, char *reason);

#else

#undef bool
#define bool pppd_bool
/* what Debian builds pppd with; these change structures in the headers */
#define CHAPMS 1
#define INET6  1
#define MPPE   1
#include <pppd/pppd.h>

#include <pppd/fsm.h>

#include <pppd/ccp.h>
#include <pppd/chap-new.h>
#include <pppd/eap.h>
#include <pppd/ipcp.h>
#include <pppd/ipv6cp.h>
#include <pppd/lcp.h>
#include <pppd/patchlevel.h>
#include <pppd/upap.h>
#undef bool
#define bool _Bool

#define PPPD_VERSION             VERSION
#define ppp_add_options          add_options
#define ppp_int_option           int_option
#define ppp_option_error         option_error
#define ppp_generic_establish    generic_establish_ppp
#define ppp_generic_disestablish generic_disestablish_ppp
#define ppp_set_mtu              netif_set_mtu
#define ppp_set_modem(on)        (modem = (on))
#define ppp_ifunit()             ifunit
#define ppp_ifname()             ((const char *)ifname)
#define ppp_status()             status
#define ppp_timeout              timeout
#define ppp_untimeout            untimeout

#define NF_PHASE_CHANGE            (&phasechange)
#define NF_EXIT                    (&exitnotify)
#define NF_IP_UP                   (&ip_up_notifier)
#define NF_IP_DOWN                 (&ip_down_notifier)
#define NF_IPV6_UP                 (&ipv6_up_notifier)
#define NF_IPV6_DOWN               (&ipv6_down_notifier)
#define NF_FORK                    (&fork_notifier)
#define ppp_add_notify(what, f, x) add_notifier((what), (f), (x))

#endif

#endif
