/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ca.h: the files of the certification authority beside adit.conf: ca.crt (by
 * adit.conf), ca/ca.key, ca/issued, the CRL (by adit.conf).
 */
#ifndef ADIT_CLI_CA_H
#define ADIT_CLI_CA_H

#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"
#include "cli/pki.h"

#define CA_DAYS 3650
#define CRL_DAYS                                                               \
	3650 /* pushed by adit, not fetched: it need not expire soon           \
	      */

struct ca_issued {
	char serial[PKI_SERIAL_MAX];
	int64_t not_after, revoked; /* seconds since 1970; revoked 0: no */
	char name[65];
};

/* All need cli_conf() before; 0 or EXIT_FAIL (was said). */
int ca_load(struct cli *c, struct pki_pair *ret); /* wipe ret */
/* ret: caller frees. */
int ca_issued_load(struct cli *c, struct ca_issued **ret, size_t *ret_n);
int ca_issued_save(struct cli *c, const struct ca_issued *list, size_t n);
int ca_issued_add(
    struct cli *c, const char *serial, int64_t not_after, const char *name);
/* The CRL with all revoked ones of list, with a higher number than before. */
int ca_write_crl(struct cli *c, const struct pki_pair *ca,
    const struct ca_issued *list, size_t n);

#endif
