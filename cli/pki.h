/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pki.h: the small certification authority of one server, by libcrypto: CA,
 * server certificate, client machine certificates, CRL, PKCS#12. RSA 3072 with
 * SHA-256, because the IKEv1 of Windows and Apple takes nothing better for
 * sure. Everything is PEM text in memory; files are the caller's business.
 */
#ifndef ADIT_CLI_PKI_H
#define ADIT_CLI_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PKI_TEXT_MAX   16384 /* of one PEM object */
#define PKI_SERIAL_MAX 41    /* hex digits and a zero */

struct pki_pair {
	char certificate[PKI_TEXT_MAX];
	char key[PKI_TEXT_MAX]; /* wipe */
};

struct pki_request {
	const char *name;      /* CN; cut to 64 characters */
	const char *san_dns;   /* or NULL */
	const char *san_ip[2]; /* or NULL */
	bool server;           /* serverAuth, else clientAuth */
	int days;              /* from now; negative: expired already */
};

struct pki_revoked {
	char serial[PKI_SERIAL_MAX];
	int64_t when_s;
};

/* All: 0, or -EIO: pki_error() has the library's words. */
int pki_make_ca(const char *name, int days, struct pki_pair *ret);
int pki_issue(const struct pki_pair *ca, const struct pki_request *request,
    struct pki_pair *ret, char ret_serial[PKI_SERIAL_MAX]);
/* number: larger than that of every CRL before. */
int pki_make_crl(const struct pki_pair *ca, const struct pki_revoked *revoked,
    size_t n, int64_t number, int days, char ret_pem[PKI_TEXT_MAX * 8]);
/* The CRL's number; -1: no CRL. */
int64_t pki_crl_number(const char *pem);
/* certificate, key and CA for a device. ret_der: malloc()ed. */
int pki_pkcs12(const struct pki_pair *pair, const char *ca_certificate,
    const char *name, const char *password, unsigned char **ret_der,
    size_t *ret_bytes);

/* Is certificate signed by ca, good for at least min_days, and for this DNS
 * name or address? */
bool pki_is_good(const char *certificate, const char *ca_certificate,
    const char *host, int min_days);
/* Does the key belong to the certificate? */
bool pki_is_pair(const struct pki_pair *pair);
/* End of validity, seconds since 1970; -1: no certificate. */
int64_t pki_not_after(const char *certificate);

const char *pki_error(void);

#endif
