/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * strongswan_config.h: stands in for the config.h that strongSwan's own
 * configure makes. It holds only what the headers of 5.9.8 and 6.0.1 look at,
 * as Debian builds them, so that nobody has to configure strongSwan.
 *
 * ME is the dangerous one: Debian builds with --enable-mediation, which adds
 * members in the middle of vtables (peer_cfg_t, ike_sa_t). The plugin checks
 * at run time that the daemon agrees.
 */
#ifndef ADIT_STRONGSWAN_CONFIG_H
#define ADIT_STRONGSWAN_CONFIG_H

#define CONFIG_H_INCLUDED 1
#define ME 1
#define USE_IKEV1 1
#define USE_IKEV2 1
#define CAPABILITIES 1
#define HAVE_ALLOCA_H 1
#define HAVE_STDBOOL_H 1
#define HAVE_SYS_PARAM_H 1
#define HAVE_SIGWAITINFO 1
#define HAVE_EXPLICIT_BZERO 1
#define HAVE_MEMRCHR 1
#define HAVE_CLOSEFROM 1
#define HAVE_FMEMOPEN 1
#define HAVE_INT128 1
#define HAVE_CLOCK_GETTIME 1
#define HAVE_CONDATTR_CLOCK_MONOTONIC 1
#define HAVE_PRINTF_SPECIFIER 1
#define HAVE_DLADDR 1
#define HAVE_QSORT_R 1
#define HAVE_QSORT_R_GNU 1

#endif
