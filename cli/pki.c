/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pki.c: X.509 (RFC 5280) and PKCS#12 (RFC 7292) by libcrypto. Owns nothing
 * that outlives a call. Trusts the files of /etc/adit, which are root's.
 *
 * Windows checks the server's name (SAN or CN) and serverAuth, Apple the name;
 * the IKE-intermediate usage 1.3.6.1.5.5.8.2.2 is wanted by old ones of both.
 */
#include "cli/pki.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define RSA_BITS      3072
#define SERIAL_BITS   127     /* RFC 5280 4.1.2.2: positive, at most 20 bytes */
#define BACKDATE_S    (-3600) /* clients' clocks */
#define DAY_S         86400
#define PKCS12_ROUNDS 100000
#define CN_MAX        64 /* ub-common-name */
#define EKU_SERVER    "serverAuth,1.3.6.1.5.5.8.2.2"
#define EKU_CLIENT    "clientAuth,1.3.6.1.5.5.8.2.2"

const char *
pki_error(void)
{
	static char buf[256];
	unsigned long e = ERR_peek_last_error();

	if (!e)
		return "libcrypto gives no reason";
	ERR_error_string_n(e, buf, sizeof(buf));
	return buf;
}

/* ---- PEM in and out ---- */

static X509 *
read_certificate(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509 *x = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;

	BIO_free(b);
	return x;
}

static EVP_PKEY *
read_key(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *k = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;

	BIO_free(b);
	return k;
}

/* What was written to b as text; frees b. */
static int
take_text(BIO *b, bool ok, char *ret, size_t room)
{
	char *p;
	long n = b ? BIO_get_mem_data(b, &p) : 0;
	int err = -EIO;

	if (ok && n > 0 && (size_t)n < room) {
		memcpy(ret, p, (size_t)n);
		ret[n] = '\0';
		err = 0;
	}
	BIO_free(b);
	return err;
}

static int
write_certificate(X509 *x, char *ret, size_t room)
{
	BIO *b = BIO_new(BIO_s_mem());
	bool ok = b && PEM_write_bio_X509(b, x) == 1;

	return take_text(b, ok, ret, room);
}

static int
write_key(EVP_PKEY *k, char *ret, size_t room)
{
	BIO *b = BIO_new(BIO_s_secmem());
	bool ok =
	    b && PEM_write_bio_PKCS8PrivateKey(b, k, NULL, NULL, 0, NULL, NULL);

	return take_text(b, ok, ret, room);
}

/* ---- certificates ---- */

static bool
add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = e && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static bool
set_serial(X509 *x)
{
	BIGNUM *n = BN_new();
	bool ok = n && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ONE, 0) == 1 &&
	    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));

	BN_free(n);
	return ok;
}

static bool
set_name(X509_NAME *n, const char *cn)
{
	size_t len = strlen(cn);

	if (len > CN_MAX)
		len = CN_MAX;
	return X509_NAME_add_entry_by_txt(n, "O", MBSTRING_UTF8,
		   (const unsigned char *)"Adit", -1, -1, 0) == 1 &&
	    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8,
		(const unsigned char *)cn, (int)len, -1, 0) == 1;
}

/* A certificate of key with name and validity; no extension, no signature. */
static X509 *
begin_certificate(const char *name, int days, EVP_PKEY *key)
{
	X509 *x = X509_new();
	long from = days < 0 ? (long)days * DAY_S * 2 : BACKDATE_S;

	if (x && X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
	    set_name(X509_get_subject_name(x), name) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), from) &&
	    X509_time_adj_ex(X509_getm_notAfter(x), days, 0, NULL) &&
	    X509_set_pubkey(x, key) == 1)
		return x;
	X509_free(x);
	return NULL;
}

int
pki_make_ca(const char *name, int days, struct pki_pair *ret)
{
	EVP_PKEY *key = EVP_RSA_gen(RSA_BITS);
	X509 *x = key ? begin_certificate(name, days, key) : NULL;
	int err = -EIO;

	if (x && X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
	    add_extension(
		x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	    add_extension(
		x, x, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    add_extension(x, x, NID_subject_key_identifier, "hash") &&
	    X509_sign(x, key, EVP_sha256()) > 0 &&
	    write_certificate(x, ret->certificate, PKI_TEXT_MAX) == 0)
		err = write_key(key, ret->key, PKI_TEXT_MAX);
	X509_free(x);
	EVP_PKEY_free(key);
	return err;
}

static bool
add_san(X509 *x, X509 *issuer, const struct pki_request *r)
{
	char san[1024];
	int n = 0;

	if (r->san_dns)
		n = snprintf(san, sizeof(san), "DNS:%s", r->san_dns);
	for (int i = 0; i < 2; i++)
		if (r->san_ip[i] && n >= 0 && (size_t)n < sizeof(san))
			n += snprintf(san + n, sizeof(san) - (size_t)n,
			    "%sIP:%s", n ? "," : "", r->san_ip[i]);
	if (n == 0)
		return true;
	return (size_t)n < sizeof(san) &&
	    add_extension(x, issuer, NID_subject_alt_name, san);
}

static void
serial_text(const ASN1_INTEGER *serial, char ret[PKI_SERIAL_MAX])
{
	BIGNUM *n = ASN1_INTEGER_to_BN(serial, NULL);
	char *hex = n ? BN_bn2hex(n) : NULL;

	snprintf(ret, PKI_SERIAL_MAX, "%s", hex ? hex : "");
	OPENSSL_free(hex);
	BN_free(n);
}

int
pki_issue(const struct pki_pair *ca, const struct pki_request *request,
    struct pki_pair *ret, char ret_serial[PKI_SERIAL_MAX])
{
	X509 *ca_x = read_certificate(ca->certificate), *x = NULL;
	EVP_PKEY *ca_key = read_key(ca->key), *key = NULL;
	int err = -EIO;

	if (!ca_x || !ca_key)
		goto out;
	key = EVP_RSA_gen(RSA_BITS);
	x = key ? begin_certificate(request->name, request->days, key) : NULL;
	if (!x || X509_set_issuer_name(x, X509_get_subject_name(ca_x)) != 1 ||
	    !add_extension(
		x, ca_x, NID_basic_constraints, "critical,CA:FALSE") ||
	    !add_extension(x, ca_x, NID_key_usage,
		"critical,digitalSignature,keyEncipherment") ||
	    !add_extension(x, ca_x, NID_ext_key_usage,
		request->server ? EKU_SERVER : EKU_CLIENT) ||
	    !add_extension(x, ca_x, NID_subject_key_identifier, "hash") ||
	    !add_extension(
		x, ca_x, NID_authority_key_identifier, "keyid:always") ||
	    !add_san(x, ca_x, request) ||
	    X509_sign(x, ca_key, EVP_sha256()) <= 0)
		goto out;
	serial_text(X509_get0_serialNumber(x), ret_serial);
	err = write_certificate(x, ret->certificate, PKI_TEXT_MAX);
	if (!err)
		err = write_key(key, ret->key, PKI_TEXT_MAX);
out:
	X509_free(x);
	X509_free(ca_x);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return err;
}

/* ---- CRL ---- */

static bool
add_revoked(X509_CRL *crl, const struct pki_revoked *r)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)r->when_s);
	ASN1_INTEGER *serial = NULL;
	BIGNUM *n = NULL;
	bool ok;

	ok = entry && when && BN_hex2bn(&n, r->serial) > 0;
	serial = ok ? BN_to_ASN1_INTEGER(n, NULL) : NULL;
	ok = serial && X509_REVOKED_set_serialNumber(entry, serial) == 1 &&
	    X509_REVOKED_set_revocationDate(entry, when) == 1 &&
	    X509_CRL_add0_revoked(crl, entry) == 1;
	if (!ok)
		X509_REVOKED_free(entry);
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(when);
	BN_free(n);
	return ok;
}

static bool
set_crl_frame(X509_CRL *crl, X509 *ca, int64_t number, int days)
{
	ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
	ASN1_TIME *next = X509_time_adj_ex(NULL, days, 0, NULL);
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	AUTHORITY_KEYID *akid = AUTHORITY_KEYID_new();
	const ASN1_OCTET_STRING *skid = X509_get0_subject_key_id(ca);
	bool ok;

	if (akid && skid)
		akid->keyid = ASN1_OCTET_STRING_dup(skid);
	ok = now && next && n && akid && akid->keyid &&
	    X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca)) == 1 &&
	    X509_CRL_set1_lastUpdate(crl, now) == 1 &&
	    X509_CRL_set1_nextUpdate(crl, next) == 1 &&
	    ASN1_INTEGER_set_int64(n, number) == 1 &&
	    X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0) == 1 &&
	    X509_CRL_add1_ext_i2d(
		crl, NID_authority_key_identifier, akid, 0, 0) == 1;
	ASN1_TIME_free(now);
	ASN1_TIME_free(next);
	ASN1_INTEGER_free(n);
	AUTHORITY_KEYID_free(akid);
	return ok;
}

int
pki_make_crl(const struct pki_pair *ca, const struct pki_revoked *revoked,
    size_t n, int64_t number, int days, char ret_pem[PKI_TEXT_MAX * 8])
{
	X509 *x = read_certificate(ca->certificate);
	EVP_PKEY *key = read_key(ca->key);
	X509_CRL *crl = X509_CRL_new();
	BIO *b = BIO_new(BIO_s_mem());
	bool ok;

	ok = x && key && crl && b && set_crl_frame(crl, x, number, days);
	for (size_t i = 0; ok && i < n; i++)
		ok = add_revoked(crl, &revoked[i]);
	ok = ok && X509_CRL_sort(crl) == 1 &&
	    X509_CRL_sign(crl, key, EVP_sha256()) > 0 &&
	    PEM_write_bio_X509_CRL(b, crl) == 1;
	X509_CRL_free(crl);
	X509_free(x);
	EVP_PKEY_free(key);
	return take_text(b, ok, ret_pem, (size_t)PKI_TEXT_MAX * 8);
}

int64_t
pki_crl_number(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509_CRL *crl = b ? PEM_read_bio_X509_CRL(b, NULL, NULL, NULL) : NULL;
	ASN1_INTEGER *n =
	    crl ? X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL) : NULL;
	int64_t v = -1;

	if (n && ASN1_INTEGER_get_int64(&v, n) != 1)
		v = -1;
	ASN1_INTEGER_free(n);
	X509_CRL_free(crl);
	BIO_free(b);
	return v;
}

/* ---- PKCS#12 ---- */

int
pki_pkcs12(const struct pki_pair *pair, const char *ca_certificate,
    const char *name, const char *password, unsigned char **ret_der,
    size_t *ret_bytes)
{
	X509 *x = read_certificate(pair->certificate);
	X509 *ca = read_certificate(ca_certificate);
	EVP_PKEY *key = read_key(pair->key);
	STACK_OF(X509) *chain = sk_X509_new_null();
	PKCS12 *p = NULL;
	unsigned char *der = NULL;
	int n = -1;

	if (x && ca && key && chain && sk_X509_push(chain, ca) > 0)
		/* AES-256-CBC with PBKDF2 is libcrypto 3's default; Apple
		 * before macOS 15 and iOS 18 and Windows before 1709 want
		 * 3DES with a SHA-1 MAC, which all of them read. */
		p = PKCS12_create(password, name, key, x, chain,
		    NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
		    NID_pbe_WithSHA1And3_Key_TripleDES_CBC, PKCS12_ROUNDS, -1,
		    0);
	if (p &&
	    PKCS12_set_mac(
		p, password, -1, NULL, 0, PKCS12_ROUNDS, EVP_sha1()) == 1)
		n = i2d_PKCS12(p, &der);
	PKCS12_free(p);
	sk_X509_free(chain);
	X509_free(x);
	X509_free(ca);
	EVP_PKEY_free(key);
	if (n <= 0)
		return -EIO;
	*ret_der = malloc((size_t)n);
	if (*ret_der)
		memcpy(*ret_der, der, (size_t)n);
	OPENSSL_clear_free(der, (size_t)n);
	*ret_bytes = (size_t)n;
	return *ret_der ? 0 : -ENOMEM;
}

/* ---- questions ---- */

bool
pki_is_good(const char *certificate, const char *ca_certificate,
    const char *host, int min_days)
{
	X509 *x = read_certificate(certificate);
	X509 *ca = read_certificate(ca_certificate);
	time_t later = time(NULL) + (time_t)min_days * DAY_S;
	struct in_addr ip;
	bool ok;

	ok = x && ca && X509_verify(x, X509_get0_pubkey(ca)) == 1 &&
	    X509_cmp_time(X509_get0_notAfter(x), &later) > 0 &&
	    (inet_pton(AF_INET, host, &ip) == 1
		    ? X509_check_ip_asc(x, host, 0)
		    : X509_check_host(x, host, 0, 0, NULL)) == 1;
	X509_free(x);
	X509_free(ca);
	ERR_clear_error();
	return ok;
}

bool
pki_is_pair(const struct pki_pair *pair)
{
	X509 *x = read_certificate(pair->certificate);
	EVP_PKEY *key = read_key(pair->key);
	bool ok = x && key && X509_check_private_key(x, key) == 1;

	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok;
}

int64_t
pki_not_after(const char *certificate)
{
	X509 *x = read_certificate(certificate);
	struct tm tm;
	int64_t v = -1;

	if (x && ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) == 1)
		v = (int64_t)timegm(&tm);
	X509_free(x);
	ERR_clear_error();
	return v;
}
