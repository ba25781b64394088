/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_conns.c: what charon is told, by a vici server that records it, and
 * what happens when it refuses; the check of CRLs (l2tpd/ike/conns.h, crl.h).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "l2tpd/ike/conns.h"
#include "l2tpd/ike/crl.h"
#include "tests/unit/line.h"

#define RECORDED_MAX 32

struct recorded {
	char command[32];
	uint8_t message[8192];
	size_t bytes;
};

struct rig {
	struct line line;
	struct vici *vici;
	struct recorded requests[RECORDED_MAX];
	unsigned int n;
	const char *refuse; /* this command */

	unsigned int done, closed;
	int err;
	char why[256];
	struct adit_conf conf;
	struct conns_secrets secrets;
};

static char ca_pem[4096], other_pem[4096], crl_pem[4096], bare_crl_pem[4096];

static void
on_closed(void *ctx, const char *why)
{
	(void)why;
	((struct rig *)ctx)->closed++;
}

static const struct vici_ops ops = {NULL, on_closed};

static void
on_done(void *ctx, int err, const char *why)
{
	struct rig *r = ctx;

	r->done++;
	r->err = err;
	snprintf(r->why, sizeof(r->why), "%s", why);
}

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	int near;

	assert_non_null(r);
	near = line_start_stream(&r->line);
	r->vici = vici_new(r->line.loop, near, &ops, r);
	assert_non_null(r->vici);
	r->conf.dpd_delay_s = 30;
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;

	vici_free(r->vici);
	line_stop(&r->line);
	free(r);
	return 0;
}

static struct conns_blob
blob(const char *text)
{
	return (struct conns_blob){(const uint8_t *)text, strlen(text)};
}

/* Play charon: record one request and answer it. False: none is there. */
static bool
serve_one(struct rig *r)
{
	static const uint8_t yes[] = "\0\0\0\x0f\x01\x03\x07success\0\x03yes";
	static const uint8_t no[] = "\0\0\0\x20\x01\x03\x07success\0\x02no"
				    "\x03\x06"
				    "errmsg\0\x08"
				    "too bad!";
	uint8_t buf[10000];
	struct recorded *q = &r->requests[r->n];
	struct rd rd;
	uint32_t bytes;
	uint8_t op, n;
	ssize_t got;

	line_turn(&r->line);
	got = recv(r->line.fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (got <= 0)
		return false;
	assert_true(r->n < RECORDED_MAX);
	rd = rd_init(buf, (size_t)got);
	assert_true(rd_be32(&rd, &bytes) && rd.left == bytes);
	assert_true(rd_u8(&rd, &op) && op == 0);
	assert_true(rd_u8(&rd, &n) && n < sizeof(q->command));
	assert_true(rd_bytes(&rd, q->command, n));
	assert_true(rd.left <= sizeof(q->message));
	q->bytes = rd.left;
	assert_true(rd_bytes(&rd, q->message, rd.left));
	r->n++;
	if (r->refuse != NULL && strcmp(r->refuse, q->command) == 0)
		send(r->line.fd, no, sizeof(no) - 1, 0);
	else
		send(r->line.fd, yes, sizeof(yes) - 1, 0);
	return true;
}

static void
serve(struct rig *r)
{
	while (serve_one(r))
		;
}

/* A message as text: "a=b s{c=d l[x,y]}" */
static const char *
show(const struct recorded *q)
{
	static char text[10000];
	struct vici_reader r = vici_reader_init(rd_init(q->message, q->bytes));
	struct vici_token t;
	char value[8192];
	size_t n = 0;

	text[0] = '\0';
	while (vici_next(&r, &t)) {
		vici_text(t.value, value, sizeof(value));
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%s%s",
		    t.name,
		    t.element == VICI_KEY_VALUE           ? "="
			: t.element == VICI_SECTION_START ? "{"
			: t.element == VICI_SECTION_END   ? "} "
			: t.element == VICI_LIST_START    ? "["
			: t.element == VICI_LIST_END      ? "] "
							  : "",
		    value,
		    t.element == VICI_KEY_VALUE       ? " "
			: t.element == VICI_LIST_ITEM ? ","
						      : "");
		assert_true(n < sizeof(text));
	}
	assert_true(rd_ok(&r.rd));
	return text;
}

static const struct recorded *
find(const struct rig *r, const char *command, const char *contains)
{
	unsigned int i;

	for (i = 0; i < r->n; i++)
		if (strcmp(r->requests[i].command, command) == 0 &&
		    strstr(show(&r->requests[i]), contains) != NULL)
			return &r->requests[i];
	return NULL;
}

static void
assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no '%s' in: %s", part, text);
}

static void
test_psk_only(void **state)
{
	struct rig *r = *state;
	const struct recorded *q;
	const char *text;

	r->secrets.psk = blob("our secret\r\n");
	assert_int_equal(
	    conns_load(r->vici, &r->conf, &r->secrets, on_done, r), 0);
	assert_int_equal(r->done, 0);
	serve(r);
	assert_int_equal(r->done, 1);
	assert_int_equal(r->err, 0);
	assert_string_equal(r->why, "");
	assert_string_equal(r->requests[0].command, "clear-creds");
	q = find(r, "load-shared", "");
	assert_non_null(q);
	assert_string_equal(show(q), "id=adit-psk type=IKE data=our secret ");
	q = find(r, "load-conn", "adit-psk{");
	assert_non_null(q);
	text = show(q);
	/* the rules of clients (facts on rekey, unique, NAT) */
	assert_has(text, "version=1 ");
	assert_has(text, "unique=never ");
	assert_has(text, "rekey_time=0 reauth_time=0 over_time=0 ");
	assert_has(text, "dpd_delay=30 dpd_timeout=120 ");
	assert_has(text, "encap=no ");
	assert_has(text, "fragmentation=yes ");
	assert_has(text,
	    "mode=transport local_ts[dynamic[17/1701],] "
	    "remote_ts[dynamic[17/0-65535],] ");
	assert_has(text, "mark_in=%unique mark_out=%unique set_mark_in=%same ");
	assert_has(text, "life_time=93600 rekey_time=0 ");
	assert_has(text, "local{auth=psk } remote{auth=psk } ");
	assert_null(strstr(text, "modp1024"));
	assert_null(strstr(text, "3des"));
	assert_null(find(r, "load-cert", ""));
	assert_null(find(r, "load-conn", "adit-cert{"));
	assert_non_null(find(r, "unload-conn", "name=adit-cert"));
}

static void
test_legacy(void **state)
{
	struct rig *r = *state;
	const char *text;

	r->conf.legacy_clients = true;
	r->secrets.psk = blob("s");
	conns_load(r->vici, &r->conf, &r->secrets, on_done, r);
	serve(r);
	text = show(find(r, "load-conn", "adit-psk{"));
	assert_has(text, "aes256-sha384-modp1024,");
	assert_has(text, "aes256-sha1-modp1024,3des-sha1-modp2048,");
	assert_has(text, "3des-sha1,] ");
	/* strong ones stay first */
	assert_has(text, "proposals[aes256-sha256-modp2048,");
}

/* adit connect --esp: the only proposal of a client, and not of a server. */
static void
test_only_esp(void **state)
{
	struct rig *r = *state;

	snprintf(r->conf.client.esp, sizeof(r->conf.client.esp), "aes256gcm16");
	r->conf.client.on = true;
	r->secrets.psk = blob("s");
	conns_load(r->vici, &r->conf, &r->secrets, on_done, r);
	serve(r);
	assert_has(show(find(r, "load-conn", "adit-client{")),
	    "esp_proposals[aes256gcm16,] ");
}

static void
test_only_esp_of_server(void **state)
{
	struct rig *r = *state;

	snprintf(r->conf.client.esp, sizeof(r->conf.client.esp), "aes256gcm16");
	r->secrets.psk = blob("s");
	conns_load(r->vici, &r->conf, &r->secrets, on_done, r);
	serve(r);
	assert_has(show(find(r, "load-conn", "adit-psk{")),
	    "esp_proposals[aes256-sha512,");
}

/* The part of a connection that must be equal in both. */
static void
proposals(const struct recorded *q, char *buf, size_t n)
{
	const char *text = strstr(show(q), " proposals[");

	assert_non_null(text);
	snprintf(buf, n, "%.*s", (int)strcspn(text, "]"), text);
}

static void
test_psk_and_certificate(void **state)
{
	struct rig *r = *state;
	const struct recorded *q;
	char a[1024], b[1024], two[9000];

	snprintf(two, sizeof(two), "comment\n%s\n%s", ca_pem, other_pem);
	r->secrets = (struct conns_secrets){
	    .psk = blob("s"),
	    .ca = blob(two),
	    .crl = blob(crl_pem),
	    .certificate = blob(ca_pem),
	    .key = blob("the key"),
	};
	assert_int_equal(
	    conns_load(r->vici, &r->conf, &r->secrets, on_done, r), 0);
	serve(r);
	assert_int_equal(r->done, 1);
	assert_int_equal(r->err, 0);
	assert_non_null(find(r, "load-key", "type=any data=the key "));
	assert_non_null(find(r, "load-cert", "type=X509_CRL data=-----BEGIN"));
	assert_non_null(
	    find(r, "load-cert", "type=X509 flag=NONE data=-----BEGIN"));
	/* both CAs of the file */
	assert_memory_equal(
	    r->requests[2].command, "load-cert", sizeof("load-cert"));
	assert_has(show(&r->requests[2]), "flag=CA");
	assert_has(show(&r->requests[3]), "flag=CA");
	assert_true(r->requests[2].bytes != r->requests[3].bytes ||
	    memcmp(r->requests[2].message, r->requests[3].message,
		r->requests[2].bytes) != 0);
	q = find(r, "load-conn", "adit-cert{");
	assert_non_null(q);
	assert_has(show(q), "send_cert=always local{auth=pubkey certs[-----");
	assert_has(show(q), "remote{auth=pubkey revocation=relaxed } ");
	/* charon chooses a proposal before it knows the connection */
	proposals(q, a, sizeof(a));
	proposals(find(r, "load-conn", "adit-psk{"), b, sizeof(b));
	assert_string_equal(a, b);
}

static void
test_nothing_to_load(void **state)
{
	struct rig *r = *state;

	assert_int_equal(
	    conns_load(r->vici, &r->conf, &r->secrets, on_done, r), -EINVAL);
	r->secrets.psk = blob("\n");
	assert_int_equal(
	    conns_load(r->vici, &r->conf, &r->secrets, on_done, r), -EINVAL);
	r->secrets.psk = blob("");
	r->secrets.ca = blob(ca_pem); /* no key */
	assert_int_equal(
	    conns_load(r->vici, &r->conf, &r->secrets, on_done, r), -EINVAL);
	serve(r);
	assert_int_equal(r->done, 0);
}

static void
test_too_large(void **state)
{
	static uint8_t big[VICI_VALUE_MAX + 1];
	struct rig *r = *state;

	r->secrets = (struct conns_secrets){
	    .ca = {big, sizeof(big)},
	    .certificate = blob("c"),
	    .key = blob("k"),
	};
	assert_int_equal(
	    conns_load(r->vici, &r->conf, &r->secrets, on_done, r), -EINVAL);
	serve(r);
	assert_int_equal(r->done, 0);
}

static void
test_refused(void **state)
{
	struct rig *r = *state;

	r->refuse = "load-shared";
	r->secrets.psk = blob("s");
	conns_load(r->vici, &r->conf, &r->secrets, on_done, r);
	serve(r);
	assert_int_equal(r->done, 1);
	assert_int_equal(r->err, -EINVAL);
	assert_string_equal(r->why, "PSK: too bad!");
	/* to unload what is not there is fine */
	r->refuse = "unload-conn";
	conns_load(r->vici, &r->conf, &r->secrets, on_done, r);
	serve(r);
	assert_int_equal(r->done, 2);
	assert_int_equal(r->err, 0);
}

static void
test_charon_goes(void **state)
{
	struct rig *r = *state;

	r->secrets.psk = blob("s");
	conns_load(r->vici, &r->conf, &r->secrets, on_done, r);
	assert_true(serve_one(r));
	close(r->line.fd);
	r->line.fd = -1;
	while (r->closed == 0)
		loop_run_once(r->line.loop, false);
	assert_int_equal(r->done, 1);
	assert_int_equal(r->err, -ECONNRESET);
	assert_int_equal(
	    conns_load(r->vici, &r->conf, &r->secrets, on_done, r), -EPIPE);
}

/* The owner gives vici up: nothing is called, nothing leaks (ASan). */
static void
test_vici_freed(void **state)
{
	struct rig *r = *state;

	r->secrets.psk = blob("s");
	conns_load(r->vici, &r->conf, &r->secrets, on_done, r);
	assert_true(serve_one(r));
	vici_free(r->vici);
	r->vici = NULL;
	assert_int_equal(r->done, 0);
}

static void
test_bad_crl(void **state)
{
	struct rig *r = *state;

	r->secrets = (struct conns_secrets){
	    .psk = blob("s"),
	    .ca = blob(ca_pem),
	    .crl = blob(bare_crl_pem),
	    .certificate = blob(ca_pem),
	    .key = blob("k"),
	};
	conns_load(r->vici, &r->conf, &r->secrets, on_done, r);
	serve(r);
	assert_int_equal(r->err, -EINVAL);
	assert_has(r->why, "CRL: it has no authority key identifier");
	/* nobody with a certificate, but those with the PSK */
	assert_null(find(r, "load-cert", ""));
	assert_non_null(find(r, "unload-conn", "name=adit-cert"));
	assert_non_null(find(r, "load-conn", "adit-psk{"));
}

static const char *
crl_why(const char *ca, const char *crl)
{
	return crl_check(
	    (const uint8_t *)ca, strlen(ca), (const uint8_t *)crl, strlen(crl));
}

static void
test_crl_check(void **state)
{
	char both[9000];

	(void)state;
	assert_null(crl_why(ca_pem, crl_pem));
	snprintf(both, sizeof(both), "%s%s", other_pem, ca_pem);
	assert_null(crl_why(both, crl_pem));
	assert_has(crl_why(other_pem, crl_pem), "none of the CAs");
	assert_has(crl_why(ca_pem, bare_crl_pem), "authority key identifier");
	assert_has(crl_why(ca_pem, "junk"), "no CRL");
	assert_has(crl_why(ca_pem, ""), "no CRL");
	assert_has(crl_why("junk", crl_pem), "none of the CAs");
	snprintf(both, sizeof(both), "%s%s", crl_pem, bare_crl_pem);
	assert_has(crl_why(ca_pem, both), "authority key identifier");
}

/* ---- a CA of our own ---- */

static void
to_text(BIO *b, char *buf, size_t n)
{
	int got = BIO_read(b, buf, (int)n - 1);

	assert_true(got > 0);
	buf[got] = '\0';
	BIO_free(b);
}

static X509 *
make_ca(EVP_PKEY *key, const char *cn, char *pem, size_t n)
{
	X509 *ca = X509_new();
	X509_NAME *name = X509_get_subject_name(ca);
	BIO *b = BIO_new(BIO_s_mem());
	X509V3_CTX ctx;
	X509_EXTENSION *skid;

	X509_set_version(ca, 2);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const uint8_t *)cn, -1, -1, 0);
	X509_set_issuer_name(ca, name);
	X509_gmtime_adj(X509_getm_notBefore(ca), 0);
	X509_gmtime_adj(X509_getm_notAfter(ca), 3600);
	X509_set_pubkey(ca, key);
	X509V3_set_ctx(&ctx, ca, ca, NULL, NULL, 0);
	skid =
	    X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_key_identifier, "hash");
	assert_non_null(skid);
	X509_add_ext(ca, skid, -1);
	X509_EXTENSION_free(skid);
	assert_true(X509_sign(ca, key, EVP_sha256()) > 0);
	PEM_write_bio_X509(b, ca);
	to_text(b, pem, n);
	return ca;
}

static void
make_crl(EVP_PKEY *key, X509 *ca, bool akid, char *pem, size_t n)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
	BIO *b = BIO_new(BIO_s_mem());
	X509_EXTENSION *ext;
	X509V3_CTX ctx;

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca));
	X509_CRL_set1_lastUpdate(crl, now);
	X509_CRL_set1_nextUpdate(crl, now);
	if (akid) {
		X509V3_set_ctx(&ctx, ca, NULL, NULL, crl, 0);
		ext = X509V3_EXT_conf_nid(
		    NULL, &ctx, NID_authority_key_identifier, "keyid:always");
		assert_non_null(ext);
		X509_CRL_add_ext(crl, ext, -1);
		X509_EXTENSION_free(ext);
	}
	assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
	PEM_write_bio_X509_CRL(b, crl);
	to_text(b, pem, n);
	ASN1_TIME_free(now);
	X509_CRL_free(crl);
}

static int
make_pki(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	X509 *ca, *stranger;

	(void)state;
	ca = make_ca(key, "ours", ca_pem, sizeof(ca_pem));
	stranger = make_ca(other, "other", other_pem, sizeof(other_pem));
	make_crl(key, ca, true, crl_pem, sizeof(crl_pem));
	make_crl(key, ca, false, bare_crl_pem, sizeof(bare_crl_pem));
	X509_free(ca);
	X509_free(stranger);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	return 0;
}

#define RIG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    RIG(test_psk_only),
	    RIG(test_legacy),
	    RIG(test_only_esp),
	    RIG(test_only_esp_of_server),
	    RIG(test_psk_and_certificate),
	    RIG(test_nothing_to_load),
	    RIG(test_too_large),
	    RIG(test_refused),
	    RIG(test_charon_goes),
	    RIG(test_vici_freed),
	    RIG(test_bad_crl),
	    cmocka_unit_test(test_crl_check),
	};

	return cmocka_run_group_tests(tests, make_pki, NULL);
}
