/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conns.c: what charon is told (contract in conns.h): credentials first, then
 * the connections adit-psk and adit-cert.
 *
 * Owns one small record that lives until the last answer; secrets are only in
 * vici's queue, which wipes them when they are sent. All requests are queued at
 * once and answered in order; the first refusal is the one that is reported.
 *
 * What clients need, in their order of strength: the table that no client fails
 * is built of those of Apple, Windows, Android, ChromeOS and NetworkManager.
 * Revocation is `relaxed`: a certificate that the CRL names is refused, even if
 * the CRL is out of date; one whose status is unknown is not, because
 * a CRL that was not renewed must not lock out everybody.
 */
#include "l2tpd/ike/conns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "l2tpd/ike/crl.h"

#define CONN_CLIENT  "adit-client"
#define WHY_MAX      256
#define CHILD_LIFE_S (26 * 3600) /* longer than any client's rekey */
#define OWN_REKEY_S  3600        /* we as a client: 2^32 packets last longer */
#define OWN_LIFE_S   (OWN_REKEY_S + 600)
#define DPD_PATIENCE 4 /* dpd_delay times this: peer is dead */
#define REQUEST_MAX  (VICI_VALUE_MAX + 4096) /* bytes */
#define PEM_BEGIN    "-----BEGIN "
#define PEM_END      "-----END "
#define PEM_DASHES   "-----"

struct load {
	conns_done_fn *done;
	void *ctx;
	unsigned int waiting; /* answers that will come */
	bool failed;          /* conns_load() itself failed: tell nobody */
	int err;
	char why[WHY_MAX];
};

/* The context of one request: what it loads, for the error. */
struct step {
	struct load *load;
	bool may_fail;
	char what[32];
};

/* clang-format off */
/* Both connections offer the same: charon selects a proposal before it knows
 * which of them it will be. Own order wins. */
static const char *const ike_proposals[] = {
	"aes256-sha256-modp2048", /* Apple, NetworkManager */
	"aes256-sha384-ecp384",	  /* Windows with custom IPsec settings */
	"aes256-sha256-ecp384",
	"aes256-sha1-ecp384",	  /* Windows */
	"aes128-sha256-modp3072", /* ChromeOS */
	"aes256-sha1-modp2048",	  /* Windows 7 */
	"aes128-sha1-ecp256",
	"aes128-sha1-modp2048",
	NULL,
};
static const char *const ike_proposals_legacy[] = {
	"aes256-sha256-modp2048",
	"aes256-sha384-ecp384",
	"aes256-sha256-ecp384",
	"aes256-sha384-modp1024", /* Android 7.1.2 to 11; before what it lacks */
	"aes256-sha1-ecp384",
	"aes128-sha256-modp3072",
	"aes256-sha1-modp2048",
	"aes128-sha1-ecp256",
	"aes128-sha1-modp2048",
	"aes256-sha256-modp1024", /* Android 4 to 7.1.1 */
	"aes256-sha1-modp1024",	  /* macOS 10.11 and older */
	"3des-sha1-modp2048",	  /* older than Windows 7 */
	"3des-sha1-modp1024",
	NULL,
};
/* No perfect forward secrecy is demanded; who insists on it gets the last. */
#define ESP_PFS "aes256-aes128-sha256-sha1-modp2048-ecp256-ecp384"
static const char *const esp_proposals[] = {
	"aes256-sha512", "aes256-sha384", "aes256gcm16", "aes128gcm16",
	"aes256-sha256", "aes256-sha1", "aes128-sha1", ESP_PFS, NULL,
};
static const char *const esp_proposals_legacy[] = {
	"aes256-sha512", "aes256-sha384", "aes256gcm16", "aes128gcm16",
	"aes256-sha256", "aes256-sha1", "aes128-sha1", ESP_PFS,
	"3des-sha1", NULL,
};
/* clang-format on */

static void
load_unref(struct load *l)
{
	if (--l->waiting == 0)
		free(l);
}

/* vici was freed by its owner: nobody is told. */
static void
step_dropped(void *ctx)
{
	struct step *s = ctx;

	load_unref(s->load);
	free(s);
}

static void
step_done(void *ctx, int err, struct rd message)
{
	struct step *s = ctx;
	struct load *l = s->load;
	char words[WHY_MAX - 64] = "";

	if (err == 0 && !vici_success(message, words, sizeof(words)))
		err = -EINVAL;
	if (err == -EOPNOTSUPP)
		err = -EINVAL;
	if (err != 0 && l->err == 0 && !(s->may_fail && err == -EINVAL)) {
		l->err = err;
		snprintf(l->why, sizeof(l->why), "%s: %s", s->what,
		    err == -ECONNRESET     ? "charon is gone"
			: words[0] != '\0' ? words
					   : "charon refuses it");
	}
	free(s);
	if (l->waiting == 1 && !l->failed)
		l->done(l->ctx, l->err, l->why);
	load_unref(l);
}

static int
request(struct vici *v, struct load *l, const char *command,
    const struct wr *message, const char *what, bool may_fail)
{
	struct step *s;
	int rc;

	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->load = l;
	s->may_fail = may_fail;
	snprintf(s->what, sizeof(s->what), "%s", what);
	rc =
	    vici_request_owned(v, command, message, step_done, step_dropped, s);
	if (rc < 0)
		free(s);
	else
		l->waiting++;
	return rc == -EMSGSIZE ? -EINVAL : rc;
}

static int
load_psk(struct vici *v, struct load *l, struct conns_blob psk)
{
	uint8_t buf[SECRET_MAX + 128];
	struct wr w = wr_init(buf, sizeof(buf));
	int rc;

	while (psk.len > 0 &&
	    (psk.bytes[psk.len - 1] == '\n' || psk.bytes[psk.len - 1] == '\r'))
		psk.len--;
	if (psk.len == 0)
		return -EINVAL;
	/* no owners: for any peer; main mode knows no identity before the key
	 */
	vici_put_text(&w, "id", "adit-psk");
	vici_put_text(&w, "type", "IKE");
	vici_put_bytes(&w, "data", psk.bytes, psk.len);
	rc = request(v, l, "load-shared", &w, "PSK", false);
	wipe(buf, sizeof(buf));
	return rc;
}

struct object {
	const char *command, *type, *flag, *what;
};

static int
load_one(struct vici *v, struct load *l, const struct object *o,
    const uint8_t *bytes, size_t n)
{
	struct wr w;
	uint8_t *buf;
	int rc;

	buf = malloc(REQUEST_MAX);
	if (buf == NULL)
		return -ENOMEM;
	w = wr_init(buf, REQUEST_MAX);
	vici_put_text(&w, "type", o->type);
	if (o->flag != NULL)
		vici_put_text(&w, "flag", o->flag);
	vici_put_bytes(&w, "data", bytes, n);
	rc = request(v, l, o->command, &w, o->what, false);
	wipe(buf, w.len);
	free(buf);
	return rc;
}

/* The next PEM block of a file: from BEGIN to the end of END. False: none. */
static bool
next_pem(struct conns_blob *rest, struct conns_blob *ret)
{
	const uint8_t *from, *to, *end;

	if (rest->len == 0)
		return false;
	from = memmem(rest->bytes, rest->len, PEM_BEGIN, strlen(PEM_BEGIN));
	if (from == NULL)
		return false;
	end = rest->bytes + rest->len;
	to = memmem(from, (size_t)(end - from), PEM_END, strlen(PEM_END));
	if (to == NULL)
		return false;
	to += strlen(PEM_END);
	to = memmem(to, (size_t)(end - to), PEM_DASHES, strlen(PEM_DASHES));
	if (to == NULL)
		return false;
	to += strlen(PEM_DASHES);
	*ret = (struct conns_blob){from, (size_t)(to - from)};
	*rest = (struct conns_blob){to, (size_t)(end - to)};
	return true;
}

/* All certificates or CRLs of a file: PEM blocks, or one DER. */
static int
load_all(struct vici *v, struct load *l, const struct object *o,
    struct conns_blob file)
{
	struct conns_blob block;
	unsigned int n = 0;
	int rc = 0;

	for (; rc == 0 && next_pem(&file, &block); n++)
		rc = load_one(v, l, o, block.bytes, block.len);
	if (rc == 0 && n == 0)
		rc = load_one(v, l, o, file.bytes, file.len);
	return rc;
}

static struct conns_blob
first_of(struct conns_blob file)
{
	struct conns_blob block;

	return next_pem(&file, &block) ? block : file;
}

static int
load_certificates(struct vici *v, struct load *l, const struct conns_secrets *s)
{
	static const struct object ca = {
	    "load-cert", "X509", "CA", "CA certificate"};
	static const struct object crl = {"load-cert", "X509_CRL", NULL, "CRL"};
	static const struct object own = {
	    "load-cert", "X509", "NONE", "server certificate"};
	static const struct object key = {"load-key", "any", NULL, "key"};
	int rc;

	rc = load_all(v, l, &ca, s->ca);
	if (rc == 0 && s->crl.len > 0)
		rc = load_all(v, l, &crl, s->crl);
	if (rc == 0)
		rc = load_all(v, l, &own, s->certificate);
	if (rc == 0)
		rc = load_one(v, l, &key, s->key.bytes, s->key.len);
	return rc;
}

static void
put_child(struct wr *w, const struct adit_conf *conf)
{
	/* 17, not "udp": charon would look into /etc/protocols */
	static const char *const l2tp_ts[] = {"dynamic[17/1701]", NULL};
	static const char *const any_ts[] = {"dynamic[17/0-65535]", NULL};
	const char *const only_esp[] = {conf->client.esp, NULL};
	const bool dials = conf->client.on;

	vici_put_section(w, "children");
	vici_put_section(w, "l2tp");
	vici_put_text(w, "mode", "transport");
	vici_put_texts(w, "local_ts", l2tp_ts);
	vici_put_texts(w, "remote_ts", dials ? l2tp_ts : any_ts);
	vici_put_texts(w, "esp_proposals",
	    dials && conf->client.esp[0] ? only_esp
		: conf->legacy_clients   ? esp_proposals_legacy
					 : esp_proposals);
	/* the mark is the association: it tells clients apart that share an
	 * address and port */
	vici_put_text(w, "mark_in", "%unique");
	vici_put_text(w, "mark_out", "%unique");
	vici_put_text(w, "set_mark_in", "%same");
	/* a server never starts a rekey: clients do, or misunderstand ours */
	vici_put_u32(w, "life_time", dials ? OWN_LIFE_S : CHILD_LIFE_S);
	vici_put_u32(w, "rekey_time", dials ? OWN_REKEY_S : 0);
	vici_put_u32(w, "rand_time", dials ? OWN_REKEY_S / 10 : 0);
	vici_put_text(w, "start_action", "none");
	vici_put_text(w, "dpd_action", "none");
	vici_put_text(w, "close_action", "none");
	vici_put_u32(w, "replay_window", 1024);
	vici_put_section_end(w);
	vici_put_section_end(w);
}

static void
put_connection(struct wr *w, const struct adit_conf *conf)
{
	static const char *const any[] = {"%any", NULL};
	const uint8_t *a = conf->client.server;
	char server[16];
	const char *const one[] = {server, NULL};

	snprintf(server, sizeof(server), "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
	vici_put_u32(w, "version", 1);
	vici_put_texts(w, "local_addrs", any);
	vici_put_texts(w, "remote_addrs", conf->client.on ? one : any);
	/* two homes have the same private address, which is the identity of
	 * clients with a PSK: they must not displace each other */
	vici_put_text(w, "unique", "never");
	vici_put_text(w, "rekey_time", "0");
	vici_put_text(w, "reauth_time", "0");
	vici_put_text(w, "over_time", "0");
	vici_put_text(w, "rand_time", "0");
	vici_put_text(w, "mobike", "no");
	vici_put_text(w, "fragmentation", "yes");
	/* raw ESP has no segmentation offload and passes fewer firewalls */
	vici_put_text(w, "encap",
	    conf->client.on && !conf->client.no_encap ? "yes" : "no");
	vici_put_u32(w, "keyingtries", 1);
	vici_put_u32(w, "dpd_delay", conf->dpd_delay_s);
	vici_put_u32(w, "dpd_timeout", conf->dpd_delay_s * DPD_PATIENCE);
	vici_put_texts(w, "proposals",
	    conf->legacy_clients ? ike_proposals_legacy : ike_proposals);
	put_child(w, conf);
}

static void
put_auth(struct wr *w, const char *auth, const struct conns_blob *certificate)
{
	vici_put_section(w, "local");
	vici_put_text(w, "auth", auth);
	if (certificate != NULL) {
		vici_put_list(w, "certs");
		vici_put_item(w, certificate->bytes, certificate->len);
		vici_put_list_end(w);
	}
	vici_put_section_end(w);
	vici_put_section(w, "remote");
	vici_put_text(w, "auth", auth);
	if (certificate != NULL)
		vici_put_text(w, "revocation", "relaxed");
	vici_put_section_end(w);
}

/* certificate NULL: adit-psk. */
static int
load_connection(struct vici *v, struct load *l, const struct adit_conf *conf,
    const struct conns_blob *certificate)
{
	const char *name = conf->client.on ? CONN_CLIENT
	    : certificate != NULL          ? "adit-cert"
					   : "adit-psk";
	struct wr w;
	uint8_t *buf;
	int rc;

	buf = malloc(REQUEST_MAX);
	if (buf == NULL)
		return -ENOMEM;
	w = wr_init(buf, REQUEST_MAX);
	vici_put_section(&w, name);
	put_connection(&w, conf);
	if (certificate != NULL)
		vici_put_text(&w, "send_cert", "always");
	put_auth(&w, certificate != NULL ? "pubkey" : "psk", certificate);
	vici_put_section_end(&w);
	rc = request(v, l, "load-conn", &w, name, false);
	free(buf);
	return rc;
}

static int
unload_connection(struct vici *v, struct load *l, const char *name)
{
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	vici_put_text(&w, "name", name);
	return request(v, l, "unload-conn", &w, name, true);
}

static int
load_connections(struct vici *v, struct load *l, const struct adit_conf *conf,
    bool psk, const struct conns_blob *certificate)
{
	int rc;

	if (conf->client.on) /* with the stronger of both */
		return load_connection(v, l, conf, certificate);
	rc = psk ? load_connection(v, l, conf, NULL)
		 : unload_connection(v, l, "adit-psk");
	if (rc == 0)
		rc = certificate != NULL
		    ? load_connection(v, l, conf, certificate)
		    : unload_connection(v, l, "adit-cert");
	return rc;
}

static int
load_everything(struct vici *v, struct load *l, const struct adit_conf *conf,
    const struct conns_secrets *s, bool psk, bool cert)
{
	struct conns_blob own;
	int rc;

	/* what is no longer in a file must not be trusted any longer */
	rc = request(v, l, "clear-creds", NULL, "old credentials", false);
	if (rc == 0 && psk)
		rc = load_psk(v, l, s->psk);
	if (rc == 0 && cert)
		rc = load_certificates(v, l, s);
	if (rc == 0)
		rc = request(v, l, "flush-certs", NULL, "cache", true);
	own = first_of(s->certificate);
	if (rc == 0)
		rc = load_connections(v, l, conf, psk, cert ? &own : NULL);
	return rc;
}

int
conns_load(struct vici *v, const struct adit_conf *conf,
    const struct conns_secrets *secrets, conns_done_fn *done, void *ctx)
{
	const bool psk = secrets->psk.len > 0;
	bool cert = secrets->ca.len > 0 && secrets->certificate.len > 0 &&
	    secrets->key.len > 0;
	const char *why = NULL;
	struct load *l;
	int rc;

	if (!psk && !cert)
		return -EINVAL;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	if (cert && secrets->crl.len > 0)
		why = crl_check(secrets->ca.bytes, secrets->ca.len,
		    secrets->crl.bytes, secrets->crl.len);
	if (why != NULL) {
		cert =
		    false; /* nobody in, rather than those who were revoked */
		l->err = -EINVAL;
		snprintf(l->why, sizeof(l->why), "CRL: %s", why);
	}
	l->done = done;
	l->ctx = ctx;
	l->waiting = 1; /* ours, so that no answer frees it */
	rc = load_everything(v, l, conf, secrets, psk, cert);
	l->failed = rc < 0;
	load_unref(l);
	return rc;
}

int
conns_initiate(
    struct vici *v, uint32_t timeout_ms, vici_reply_fn *reply, void *ctx)
{
	uint8_t buf[128];
	struct wr w = wr_init(buf, sizeof(buf));

	vici_put_text(&w, "child", "l2tp");
	vici_put_text(&w, "ike", CONN_CLIENT);
	vici_put_u32(&w, "timeout", timeout_ms);
	return vici_request(v, "initiate", &w, reply, ctx);
}

int
conns_hang_up(struct vici *v, vici_reply_fn *reply, void *ctx)
{
	uint8_t buf[128];
	struct wr w = wr_init(buf, sizeof(buf));

	vici_put_text(&w, "ike", CONN_CLIENT);
	vici_put_text(&w, "force", "yes"); /* do not wait for the server */
	return vici_request(v, "terminate", &w, reply, ctx);
}
