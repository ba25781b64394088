/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mb.h: transform.h by intel-ipsec-mb, which works through many packets at
 * once. The library is opened at run time: a machine without it, and a build
 * without its header (transform_mb_off.c), use OpenSSL.
 */
#ifndef ADIT_ESP_MB_H
#define ADIT_ESP_MB_H

#include <stdbool.h>

#include "l2tpd/esp/esp.h"
#include "l2tpd/esp/transform.h"

/* Does AES-CBC and AES-GCM, not 3DES: without AVX512 ipsec-mb needs a thousand
 * times longer for it than OpenSSL. crypto: not OPENSSL. False: no library, no
 * such instruction set here, or it failed its known-answer tests. Any thread;
 * the first call in a process tests and measures. */
bool transform_mb_open(struct transform *ret, enum esp_crypto crypto);

/* "ipsec-mb 1.3.0 (avx512, sse)" */
const char *transform_mb_name(const struct transform *t);

#endif
