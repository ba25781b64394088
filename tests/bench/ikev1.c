/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ikev1.c: messages of the load generator's IKEv1 (contract in ikev1.h). Owns
 * one client's exchanges. Trusts the server as little as a client does; what
 * it refuses by an unprotected notification is believed, as this is a test.
 */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "l2tpd/proto/tunnel.h"
#include "tests/bench/ikev1_int.h"

#define HEADER_BYTES 28 /* RFC 2408 3.1 */
#define LENGTH_AT    24 /* of the message, in the header */
#define FLAGS_AT     19
#define GENERIC      4 /* bytes of a payload's header */
#define FLAG_CIPHER  1
#define NOTIFY_ERROR 16384 /* types below are errors, RFC 2408 3.14.1 */
#define ESP_KEY_MAX  (32 + 20)

enum payload { /* RFC 2408 3.1, RFC 3947 3.2 */
	P_NONE = 0,
	P_SA = 1,
	P_KE = 4,
	P_ID = 5,
	P_HASH = 8,
	P_NONCE = 10,
	P_NOTIFY = 11,
	P_DELETE = 12,
	P_VENDOR = 13,
	P_NATD = 20,
};

enum exchange { X_MAIN = 2, X_INFORMATIONAL = 5, X_QUICK = 32 };

/* RFC 3947 3.1 */
static const uint8_t vendor_natt[16] = {0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03,
    0x58, 0x45, 0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45, 0x2f};

static const struct rd nothing = {.left = 0};

static struct rd
fail(struct ikev1 *i, const char *why)
{
	i->state = IKEV1_FAILED;
	i->why = why;
	return nothing;
}

/* ---- writing ---- */

static struct wr
begin(struct ikev1 *i, uint8_t first, uint8_t exchange, uint32_t message_id)
{
	struct wr w = wr_init(i->last, sizeof(i->last));

	i->last_bytes = 0;
	wr_be64(&w, i->cookie_i);
	wr_be64(&w, i->cookie_r);
	wr_u8(&w, first);
	wr_u8(&w, 0x10); /* version 1.0 */
	wr_u8(&w, exchange);
	wr_u8(&w, 0); /* flags */
	wr_be32(&w, message_id);
	wr_be32(&w, 0); /* length */
	return w;
}

static void
put_head(struct wr *w, uint8_t next, size_t body_bytes)
{
	wr_u8(w, next);
	wr_u8(w, 0);
	wr_be16(w, (uint16_t)(GENERIC + body_bytes));
}

static void
put(struct wr *w, uint8_t next, const void *body, size_t bytes)
{
	put_head(w, next, bytes);
	wr_bytes(w, body, bytes);
}

/* iv NULL: in clear */
static struct rd
end(struct ikev1 *i, struct wr *w, uint8_t *iv)
{
	if (iv != NULL) {
		wr_zero(w,
		    (IKEV1_BLOCK - (w->len - HEADER_BYTES) % IKEV1_BLOCK) %
			IKEV1_BLOCK);
		wr_patch_u8(w, FLAGS_AT, FLAG_CIPHER);
	}
	wr_patch_be16(w, LENGTH_AT + 2, (uint16_t)w->len);
	if (!wr_ok(w) ||
	    (iv != NULL &&
		!ikev1_cbc(
		    i, true, iv, w->buf + HEADER_BYTES, w->len - HEADER_BYTES)))
		return fail(i, "ike-not-written");
	i->last_bytes = w->len;
	return ikev1_again(i);
}

/* An attribute of two octets, RFC 2408 3.3 */
static void
put_attribute(struct wr *w, uint16_t type, uint16_t value)
{
	wr_be16(w, 0x8000U | type);
	wr_be16(w, value);
}

/* The body of an SA payload with one proposal that has one transform. */
static struct wr
put_sa(uint8_t *buf, size_t bytes, uint8_t protocol, uint32_t spi,
    uint8_t transform, const struct wr *attributes)
{
	const uint8_t spi_bytes = spi != 0 ? 4 : 0;
	const size_t t = 8 + attributes->len;
	struct wr w = wr_init(buf, bytes);

	wr_be32(&w, 1); /* DOI: IPsec, RFC 2407 4.2 */
	wr_be32(&w, 1); /* situation: identity only */
	put_head(&w, 0, 4 + spi_bytes + t);
	wr_u8(&w, 1); /* number */
	wr_u8(&w, protocol);
	wr_u8(&w, spi_bytes);
	wr_u8(&w, 1); /* transforms */
	if (spi != 0)
		wr_be32(&w, spi);
	put_head(&w, 0, t - GENERIC);
	wr_u8(&w, 1); /* number */
	wr_u8(&w, transform);
	wr_be16(&w, 0);
	wr_bytes(&w, attributes->buf, attributes->len);
	return w;
}

struct rd
ikev1_start(struct ikev1 *i)
{
	uint8_t buf[64];
	struct wr a = wr_init(buf, sizeof(buf)), w;

	put_attribute(&a, 1, 7); /* AES-CBC; RFC 2409 A */
	put_attribute(&a, 14, i->suite->key_bits);
	put_attribute(&a, 2, i->suite->hash);
	put_attribute(&a, 4, i->suite->group);
	put_attribute(&a, 3, 1);  /* pre-shared key */
	put_attribute(&a, 11, 1); /* life in seconds */
	put_attribute(&a, 12, 28800);
	w = put_sa(i->sa_body, sizeof(i->sa_body), 1, 0, 1, &a);
	i->sa_bytes = w.len;
	w = begin(i, P_SA, X_MAIN, 0);
	put(&w, P_VENDOR, i->sa_body, i->sa_bytes);
	put(&w, P_NONE, vendor_natt, sizeof(vendor_natt));
	return end(i, &w, NULL);
}

/* HASH(cookies | address | port). RFC 3947 3.2 */
static bool
natd(const struct ikev1 *i, const struct endpoint *e, uint8_t *ret)
{
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be64(&w, i->cookie_i);
	wr_be64(&w, i->cookie_r);
	wr_bytes(&w, e->addr, 4);
	wr_be16(&w, e->port);
	return ikev1_hash(i->suite, &w, ret);
}

static struct rd
main_3(struct ikev1 *i)
{
	const size_t bytes = i->suite->hash_bytes;
	uint8_t there[IKEV1_HASH_MAX], here[IKEV1_HASH_MAX];
	struct wr w = begin(i, P_KE, X_MAIN, 0);

	if (!natd(i, &i->config->server, there))
		return fail(i, "ike-crypto");
	random_bytes(here, sizeof(here)); /* behind a NAT, for sure */
	put(&w, P_NONCE, i->config->dh->public, i->suite->dh_bytes);
	put(&w, P_NATD, i->nonce_i, sizeof(i->nonce_i));
	put(&w, P_NATD, there, bytes);
	put(&w, P_NONE, here, bytes);
	return end(i, &w, NULL);
}

/* HASH_I and HASH_R. RFC 2409 5 */
static bool
main_hash(const struct ikev1 *i, bool own, struct rd id, uint8_t *ret)
{
	const size_t dh = i->suite->dh_bytes;
	const uint8_t *gxi = i->config->dh->public;
	uint8_t buf[1024];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_bytes(&w, own ? gxi : i->gxr, dh);
	wr_bytes(&w, own ? i->gxr : gxi, dh);
	wr_be64(&w, own ? i->cookie_i : i->cookie_r);
	wr_be64(&w, own ? i->cookie_r : i->cookie_i);
	wr_bytes(&w, i->sa_body, i->sa_bytes);
	wr_bytes(&w, id.p, id.left);
	return ikev1_prf(i->suite, i->skeyid, i->suite->hash_bytes, &w, ret);
}

/* ID_IPV4_ADDR. RFC 2407 4.6.2 */
static struct wr
put_id(uint8_t *buf, size_t bytes, uint8_t protocol, uint16_t port,
    const struct endpoint *e)
{
	struct wr w = wr_init(buf, bytes);

	wr_u8(&w, 1);
	wr_u8(&w, protocol);
	wr_be16(&w, port);
	wr_bytes(&w, e->addr, 4);
	return w;
}

static struct rd
main_5(struct ikev1 *i)
{
	uint8_t buf[16], hash[IKEV1_HASH_MAX];
	struct wr id = put_id(buf, sizeof(buf), 0, 0, &i->own), w;

	if (!main_hash(i, true, wr_rd(&id), hash))
		return fail(i, "ike-crypto");
	w = begin(i, P_ID, X_MAIN, 0);
	put(&w, P_HASH, id.buf, id.len);
	put(&w, P_NONE, hash, i->suite->hash_bytes);
	return end(i, &w, i->iv_main);
}

/* HASH(1) to HASH(3): prf(SKEYID_a, [0 |] M-ID [| nonces] | rest).
 * RFC 2409 5.5 */
static bool
quick_hash(const struct ikev1 *i, int number, struct rd rest, uint8_t *ret)
{
	uint8_t buf[2048];
	struct wr w = wr_init(buf, sizeof(buf));

	if (number == 3)
		wr_u8(&w, 0);
	wr_be32(&w, i->message_id);
	if (number > 1)
		wr_bytes(&w, i->nonce_quick, sizeof(i->nonce_quick));
	if (number > 2)
		wr_bytes(&w, i->nonce_r, i->nonce_r_bytes);
	wr_bytes(&w, rest.p, rest.left);
	return ikev1_prf(i->suite, i->skeyid_a, i->suite->hash_bytes, &w, ret);
}

/* A message of phase 2: its hash is of what comes behind it. */
static struct rd
put_hashed(struct ikev1 *i, int number, uint8_t exchange, uint8_t next,
    const struct wr *rest, uint8_t *iv)
{
	struct wr w = begin(i, P_HASH, exchange, i->message_id);
	uint8_t hash[IKEV1_HASH_MAX];

	if (!wr_ok(rest) || !quick_hash(i, number, wr_rd(rest), hash))
		return fail(i, "ike-crypto");
	put(&w, next, hash, i->suite->hash_bytes);
	wr_bytes(&w, rest->buf, rest->len);
	return end(i, &w, iv);
}

/* The one transform of the SA, RFC 2407 4.5, RFC 3947 5.1 */
static struct wr
put_esp(const struct ikev1 *i, uint8_t *buf, size_t bytes)
{
	uint8_t attributes[64];
	struct wr a = wr_init(attributes, sizeof(attributes));
	const bool gcm = i->config->gcm;

	put_attribute(&a, 1, 1); /* life in seconds */
	put_attribute(&a, 2, 3600);
	/* UDP-encapsulated tunnel, or transport */
	put_attribute(&a, 4, i->config->tunnel ? 3 : 4);
	if (!gcm)
		put_attribute(&a, 5, 2); /* HMAC-SHA1 */
	put_attribute(&a, 6, 256);
	return put_sa(buf, bytes, 3, i->spi_own, gcm ? 20 : 12, &a);
}

static struct rd
quick_1(struct ikev1 *i)
{
	uint8_t sa[128], ours[16], theirs[16], buf[512];
	struct wr w = put_esp(i, sa, sizeof(sa)), a, b,
		  rest = wr_init(buf, sizeof(buf));

	random_bytes(&i->message_id, sizeof(i->message_id));
	i->message_id |= 1; /* not 0 */
	random_bytes(i->nonce_quick, sizeof(i->nonce_quick));
	if (!ikev1_iv(i, i->message_id, i->iv_quick))
		return fail(i, "ike-crypto");
	a = put_id(ours, sizeof(ours), 17, L2TP_PORT, &i->own);
	b = put_id(theirs, sizeof(theirs), 17, L2TP_PORT, &i->config->server);
	put(&rest, P_NONCE, sa, w.len);
	put(&rest, P_ID, i->nonce_quick, sizeof(i->nonce_quick));
	put(&rest, P_ID, a.buf, a.len);
	put(&rest, P_NONE, b.buf, b.len);
	return put_hashed(i, 1, X_QUICK, P_SA, &rest, i->iv_quick);
}

static struct rd
quick_3(struct ikev1 *i)
{
	struct wr rest = wr_init(NULL, 0);

	return put_hashed(i, 3, X_QUICK, P_NONE, &rest, i->iv_quick);
}

struct rd
ikev1_delete(struct ikev1 *i)
{
	uint8_t buf[64], iv[IKEV1_BLOCK];
	struct wr rest = wr_init(buf, sizeof(buf));

	if (i->state != IKEV1_UP)
		return nothing;
	random_bytes(&i->message_id, sizeof(i->message_id));
	i->message_id |= 1;
	if (!ikev1_iv(i, i->message_id, iv))
		return nothing;
	put_head(&rest, P_NONE, 24); /* RFC 2408 3.15 */
	wr_be32(&rest, 1);           /* DOI */
	wr_u8(&rest, 1);             /* ISAKMP */
	wr_u8(&rest, 16);            /* bytes of an SPI */
	wr_be16(&rest, 1);           /* SPIs */
	wr_be64(&rest, i->cookie_i);
	wr_be64(&rest, i->cookie_r);
	return put_hashed(i, 1, X_INFORMATIONAL, P_DELETE, &rest, iv);
}

/* ---- reading ---- */

struct message {
	uint8_t exchange, flags, first;
	uint32_t id;
	struct rd payloads;
	uint64_t cookie_r;
};

static bool
read_header(const struct ikev1 *i, struct rd r, struct message *ret)
{
	uint64_t cookie_i, cookie_r;
	uint32_t length;
	uint8_t version;

	if (!rd_be64(&r, &cookie_i) || !rd_be64(&r, &cookie_r) ||
	    !rd_u8(&r, &ret->first) || !rd_u8(&r, &version) ||
	    !rd_u8(&r, &ret->exchange) || !rd_u8(&r, &ret->flags) ||
	    !rd_be32(&r, &ret->id) || !rd_be32(&r, &length))
		return false;
	if (cookie_i != i->cookie_i || cookie_r == 0 || version != 0x10 ||
	    length != HEADER_BYTES + r.left ||
	    (i->cookie_r != 0 && cookie_r != i->cookie_r))
		return false;
	ret->cookie_r = cookie_r;
	ret->payloads = r;
	return true;
}

/* The next payload; *type becomes that of the one behind it. */
static bool
next_payload(struct rd *r, uint8_t *type, struct rd *ret)
{
	uint8_t next, reserved;
	uint16_t bytes;

	if (*type == P_NONE || !rd_u8(r, &next) || !rd_u8(r, &reserved) ||
	    !rd_be16(r, &bytes) || bytes < GENERIC ||
	    !rd_sub(r, bytes - GENERIC, ret))
		return false;
	*type = next;
	return true;
}

/* The body of the first payload of that type. */
static bool
find(struct rd r, uint8_t first, uint8_t want, struct rd *ret)
{
	uint8_t type = first, this;
	struct rd body;

	for (this = type; next_payload(&r, &type, &body); this = type)
		if (this == want) {
			*ret = body;
			return true;
		}
	return false;
}

static struct rd
main_2_input(struct ikev1 *i, const struct message *m)
{
	struct rd sa;

	if (!find(m->payloads, m->first, P_SA, &sa))
		return nothing;
	i->cookie_r = m->cookie_r;
	i->state = IKEV1_MAIN_4;
	return main_3(i);
}

static struct rd
main_4_input(struct ikev1 *i, const struct message *m)
{
	struct rd ke, nonce;

	if (!find(m->payloads, m->first, P_KE, &ke) ||
	    !find(m->payloads, m->first, P_NONCE, &nonce))
		return nothing;
	if (!ikev1_derive(i, ke, nonce))
		return fail(i, "ike-crypto");
	i->state = IKEV1_MAIN_6;
	return main_5(i);
}

static struct rd
main_6_input(struct ikev1 *i, const struct message *m, const uint8_t *iv)
{
	uint8_t hash[IKEV1_HASH_MAX];
	struct rd id, theirs;

	if (!find(m->payloads, m->first, P_ID, &id) ||
	    !find(m->payloads, m->first, P_HASH, &theirs) ||
	    !main_hash(i, false, id, hash))
		return nothing;
	if (theirs.left != i->suite->hash_bytes ||
	    memcmp(theirs.p, hash, theirs.left) != 0)
		return fail(i, "ike-wrong-hash");
	memcpy(i->iv_main, iv, IKEV1_BLOCK);
	i->state = IKEV1_QUICK_2;
	return quick_1(i);
}

/* SPI of the first proposal, RFC 2408 3.5 */
static bool
read_spi(struct rd sa, uint32_t *ret)
{
	uint8_t protocol, spi_bytes;

	return rd_skip(&sa, 8 + GENERIC + 1) && rd_u8(&sa, &protocol) &&
	    rd_u8(&sa, &spi_bytes) && rd_skip(&sa, 1) && protocol == 3 &&
	    spi_bytes == 4 && rd_be32(&sa, ret);
}

static struct rd
quick_2_input(struct ikev1 *i, const struct message *m, const uint8_t *iv)
{
	struct rd r = m->payloads, rest, theirs, body, nonce = nothing, sa;
	uint8_t type = m->first, second, hash[IKEV1_HASH_MAX];

	if (type != P_HASH || !next_payload(&r, &type, &theirs))
		return nothing;
	second = type;
	rest = r;
	while (next_payload(&r, &type, &body))
		;
	rest.left -= r.left; /* what is left are padding octets */
	if (!quick_hash(i, 2, rest, hash) ||
	    theirs.left != i->suite->hash_bytes ||
	    memcmp(theirs.p, hash, theirs.left) != 0)
		return fail(i, "ike-wrong-hash");
	if (!find(rest, second, P_SA, &sa) || !read_spi(sa, &i->spi_server) ||
	    !find(rest, second, P_NONCE, &nonce) ||
	    nonce.left > sizeof(i->nonce_r))
		return fail(i, "ike-malformed");
	memcpy(i->nonce_r, nonce.p, nonce.left);
	i->nonce_r_bytes = nonce.left;
	memcpy(i->iv_quick, iv, IKEV1_BLOCK);
	i->state = IKEV1_UP;
	return quick_3(i);
}

/* A refusal; nothing else of these is looked at. */
static struct rd
informational(struct ikev1 *i, const struct message *m)
{
	struct rd n;
	uint16_t type;

	if (i->state == IKEV1_UP ||
	    !find(m->payloads, m->first, P_NOTIFY, &n) || !rd_skip(&n, 6) ||
	    !rd_be16(&n, &type) || type >= NOTIFY_ERROR)
		return nothing;
	return fail(i, type == 14 ? "ike-no-proposal" : "ike-refused");
}

/* Into plain, with the IV that the message has. */
static bool
decipher(const struct ikev1 *i, struct message *m, uint8_t *iv, uint8_t *plain,
    size_t plain_max)
{
	const size_t bytes = m->payloads.left;

	if (m->id == 0)
		memcpy(iv, i->iv_main, IKEV1_BLOCK);
	else if (m->id == i->message_id)
		memcpy(iv, i->iv_quick, IKEV1_BLOCK);
	else if (!ikev1_iv(i, m->id, iv))
		return false;
	if (bytes > plain_max)
		return false;
	memcpy(plain, m->payloads.p, bytes);
	m->payloads = rd_init(plain, bytes);
	return ikev1_cbc(i, false, iv, plain, bytes);
}

struct rd
ikev1_input(struct ikev1 *i, struct rd datagram)
{
	uint8_t plain[2048], iv[IKEV1_BLOCK];
	struct message m;

	if (!read_header(i, datagram, &m))
		return nothing;
	if ((m.flags & FLAG_CIPHER) != 0 &&
	    (i->state < IKEV1_MAIN_6 ||
		!decipher(i, &m, iv, plain, sizeof(plain))))
		return nothing;
	if (m.exchange == X_INFORMATIONAL)
		return informational(i, &m);
	if ((m.flags & FLAG_CIPHER) == 0) {
		if (m.exchange == X_MAIN && i->state == IKEV1_MAIN_2)
			return main_2_input(i, &m);
		if (m.exchange == X_MAIN && i->state == IKEV1_MAIN_4)
			return main_4_input(i, &m);
		return nothing;
	}
	if (m.exchange == X_MAIN && i->state == IKEV1_MAIN_6)
		return main_6_input(i, &m, iv);
	if (m.exchange == X_QUICK && i->state == IKEV1_QUICK_2 &&
	    m.id == i->message_id)
		return quick_2_input(i, &m, iv);
	return nothing;
}

/* ---- the rest of the contract ---- */

struct ikev1 *
ikev1_new(const struct ikev1_config *config, const struct endpoint *own,
    uint32_t number, uint32_t spi_own)
{
	struct ikev1 *i = calloc(1, sizeof(*i));
	uint32_t low;

	if (i == NULL)
		return NULL;
	random_bytes(&low, sizeof(low));
	random_bytes(i->nonce_i, sizeof(i->nonce_i));
	i->config = config;
	i->suite = config->dh->suite;
	i->own = *own;
	i->cookie_i = (uint64_t)number << 32 | low | 1;
	i->spi_own = spi_own;
	return i;
}

void
ikev1_free(struct ikev1 *i)
{
	free(i);
}

struct rd
ikev1_again(const struct ikev1 *i)
{
	return rd_init(i->last, i->last_bytes);
}

bool
ikev1_is_on_4500(const struct ikev1 *i)
{
	return i->state >= IKEV1_MAIN_6;
}

enum ikev1_state
ikev1_state_of(const struct ikev1 *i)
{
	return i->state;
}

const char *
ikev1_why(const struct ikev1 *i)
{
	return i->why;
}

void
ikev1_sa(const struct ikev1 *i, bool inbound, struct esp_sa_params *ret)
{
	const bool gcm = i->config->gcm;
	const size_t enc = gcm ? 36 : 32, integ = gcm ? 0 : 20;
	uint8_t keys[ESP_KEY_MAX];

	ret->spi = inbound ? i->spi_own : i->spi_server;
	ret->inbound = inbound;
	ret->enc_alg = gcm ? ESP_ENC_AES_GCM_16 : ESP_ENC_AES_CBC;
	ret->int_alg = gcm ? ESP_INT_NONE : ESP_INT_HMAC_SHA1_96;
	ret->enc_key_bytes = enc;
	ret->int_key_bytes = integ;
	if (!ikev1_keymat(i, ret->spi, keys, enc + integ))
		return; /* keys of zeros: nothing will decrypt */
	memcpy(ret->enc_key, keys, enc);
	memcpy(ret->int_key, keys + enc, integ);
}

bool
ikev1_number_of(struct rd message, uint32_t *ret)
{
	return rd_be32(&message, ret);
}
