/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crl.h: would charon use this CRL? charon skips without a word a CRL that it
 * cannot connect with the CA, and then lets revoked certificates in. So it is
 * looked at before, and a bad one keeps everybody with a certificate out.
 */
#ifndef ADIT_IKE_CRL_H
#define ADIT_IKE_CRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ca, crl: files' bytes, PEM (any number of blocks) or one DER; borrowed.
 * NULL: every CRL is signed by one of the CAs and names its key; else what is
 * wrong (static text). An out-of-date CRL is fine: charon still refuses those
 * whom it names. */
const char *crl_check(
    const uint8_t *ca, size_t ca_bytes, const uint8_t *crl, size_t crl_bytes);

#endif
