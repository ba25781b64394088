/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crl.c: looks at CRLs before charon gets them (contract in crl.h), with
 * OpenSSL. The files are the administrator's. RFC 5280 5.2.1: the authority
 * key identifier, by which charon finds the CRL of a CA.
 */
#include "l2tpd/ike/crl.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static BIO *
memory(const uint8_t *bytes, size_t n)
{
	return n <= INT_MAX ? BIO_new_mem_buf(bytes, (int)n) : NULL;
}

static X509_CRL *
next_crl(BIO *pem, const uint8_t *bytes, size_t n, unsigned int i)
{
	X509_CRL *crl;

	crl = PEM_read_bio_X509_CRL(pem, NULL, NULL, NULL);
	if (crl == NULL && i == 0)
		crl = d2i_X509_CRL(NULL, &bytes, (long)n);
	return crl;
}

static X509 *
next_ca(BIO *pem, const uint8_t *bytes, size_t n, unsigned int i)
{
	X509 *ca;

	ca = PEM_read_bio_X509(pem, NULL, NULL, NULL);
	if (ca == NULL && i == 0)
		ca = d2i_X509(NULL, &bytes, (long)n);
	return ca;
}

static bool
names_key(const X509_CRL *crl, const X509 *ca)
{
	AUTHORITY_KEYID *akid;
	bool ok;

	akid =
	    X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);
	ok = akid != NULL && akid->keyid != NULL &&
	    X509_check_akid(ca, akid) == X509_V_OK;
	AUTHORITY_KEYID_free(akid);
	return ok;
}

static const char *
check_one(X509_CRL *crl, const uint8_t *ca_bytes, size_t ca_n)
{
	const char *why = "it is of none of the CAs in the CA file";
	BIO *pem = memory(ca_bytes, ca_n);
	unsigned int i;
	X509 *ca;

	if (pem == NULL)
		return "no memory";
	for (i = 0; why != NULL; i++) {
		ca = next_ca(pem, ca_bytes, ca_n, i);
		if (ca == NULL)
			break;
		if (X509_NAME_cmp(X509_CRL_get_issuer(crl),
			X509_get_subject_name(ca)) == 0) {
			if (X509_CRL_verify(crl, X509_get0_pubkey(ca)) != 1)
				why = "its signature is not the CA's";
			else if (!names_key(crl, ca))
				why = "it has no authority key identifier "
				      "(make it with that extension)";
			else
				why = NULL;
		}
		X509_free(ca);
	}
	BIO_free(pem);
	return why;
}

const char *
crl_check(
    const uint8_t *ca, size_t ca_bytes, const uint8_t *crl, size_t crl_bytes)
{
	BIO *pem = memory(crl, crl_bytes);
	const char *why = NULL;
	unsigned int i;
	X509_CRL *one;

	if (pem == NULL)
		return "no memory";
	for (i = 0; why == NULL; i++) {
		one = next_crl(pem, crl, crl_bytes, i);
		if (one == NULL)
			break;
		why = check_one(one, ca, ca_bytes);
		X509_CRL_free(one);
	}
	if (i == 0)
		why = "it is no CRL";
	BIO_free(pem);
	ERR_clear_error();
	return why;
}
