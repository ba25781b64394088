/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * esp.h: ESP (RFC 4303) security associations and their batch transform: what
 * the user plane, tests and fuzzers see of l2tpd/esp. Pure but for OpenSSL and
 * ipsec-mb: no I/O, no clock (now_ms is a parameter), no log.
 *
 * Owner: an esp_table owns its SAs. No allocation per packet.
 * Trusts: SA parameters (they come from charon), nothing of a packet.
 */
#ifndef ADIT_ESP_ESP_H
#define ADIT_ESP_ESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"

/* Transform numbers are those of IANA's IKEv2 registry, as charon uses them. */
enum esp_encryption {
	ESP_ENC_3DES_CBC = 3,    /* RFC 2451; key 24 */
	ESP_ENC_NULL = 11,       /* RFC 2410; see esp_table_allow_null() */
	ESP_ENC_AES_CBC = 12,    /* RFC 3602; key 16, 24, 32 */
	ESP_ENC_AES_GCM_16 = 20, /* RFC 4106; key 16, 24, 32 + salt 4 */
};
enum esp_integrity {
	ESP_INT_NONE = 0,               /* with AES-GCM only */
	ESP_INT_HMAC_SHA1_96 = 2,       /* RFC 2404; key 20 */
	ESP_INT_HMAC_SHA2_256_128 = 12, /* RFC 4868; key 32 */
	ESP_INT_HMAC_SHA2_384_192 = 13, /* key 48 */
	ESP_INT_HMAC_SHA2_512_256 = 14, /* key 64 */
};
#define ESP_ENC_KEY_MAX   36
#define ESP_INT_KEY_MAX   64
#define ESP_REPLAY_WINDOW 1024 /* packets, power of two, at least */
/* Bytes that one packet may grow by, front and back together:
 * header 8 + IV 16 + padding 16 + trailer 2 + ICV 32 */
#define ESP_OVERHEAD_MAX 80

struct esp_limits { /* 0: none */
	uint64_t hard_time_s;
	uint64_t hard_bytes;
	uint64_t hard_packets;
};

struct esp_sa_params {
	uint32_t spi; /* host byte order, not 0 */
	bool inbound;
	bool encap; /* ESP in UDP (RFC 3948); false: IP protocol 50 */
	uint32_t association;
	uint32_t mark; /* charon's number of it; the kernel plane's affair */
	struct endpoint local, peer; /* port 0 for raw ESP */
	uint16_t enc_alg, int_alg;   /* enum esp_encryption, esp_integrity */
	uint8_t enc_key[ESP_ENC_KEY_MAX];
	size_t enc_key_bytes;
	uint8_t int_key[ESP_INT_KEY_MAX];
	size_t int_key_bytes;
	struct esp_limits limits;
};

struct esp_table;
struct esp_sa;

/* Who does the crypto. AUTO: ipsec-mb where it is installed, with the
 * instruction sets that are fastest here; OpenSSL for the rest. The others are
 * for tests and measurements: one instruction set, or OpenSSL alone. */
enum esp_crypto {
	ESP_CRYPTO_AUTO,
	ESP_CRYPTO_OPENSSL,
	ESP_CRYPTO_MB_SSE,
	ESP_CRYPTO_MB_AVX2,
	ESP_CRYPTO_MB_AVX512,
};

/* A table belongs to one thread. NULL: no memory, or OpenSSL lacks what we
 * need. The first call in a process may take 50 ms: it measures. */
struct esp_table *esp_table_new(void);
/* NULL also: this machine cannot. */
struct esp_table *esp_table_new_using(enum esp_crypto crypto);
void esp_table_free(struct esp_table *t);

/* "ipsec-mb 1.3.0 (avx512, sse), OpenSSL 3.0.17": for the log. An instruction
 * set that failed its known-answer tests is named as such. */
const char *esp_table_crypto_name(const struct esp_table *t);

/* From now on esp_sa_add() takes ESP_ENC_NULL with ESP_INT_NONE: no secrecy, no
 * integrity. For tests and measurements only; the server never calls it. */
void esp_table_allow_null(struct esp_table *t);

/* Known-answer tests of every transform. False: do not start. */
bool esp_selftest(void);

/* params: borrowed, copied (wipe your copy). An SA with the same (spi,
 * direction, peer address for outbound) is replaced.
 * 0; -EINVAL key length or SPI 0; -ENOTSUP unknown transform; -ENOMEM;
 * -EEXIST outbound: another association has it (two clients behind one NAT:
 * refuse the newcomer, the other one keeps its SA). */
int esp_sa_add(struct esp_table *t, const struct esp_sa_params *params,
    uint64_t now_ms, struct esp_sa **ret);
void esp_sa_del(struct esp_table *t, struct esp_sa *sa);

/* The same in parts, for a plane of many threads: one makes an SA with the
 * crypto of its table, which must outlive the SA, and another one uses it in
 * its own table. make: as esp_sa_add(), but in no table yet. adopt: as the
 * newest of its association or the oldest; 0; -ENOMEM, the SA is still in no
 * table. release: the opposite. free: of one in none. */
int esp_sa_make(struct esp_table *t, const struct esp_sa_params *params,
    uint64_t now_ms, struct esp_sa **ret);
int esp_sa_adopt(struct esp_table *t, struct esp_sa *sa, bool newest);
void esp_sa_release(struct esp_table *t, struct esp_sa *sa);
void esp_sa_free(struct esp_sa *sa);
/* NULL: none. */
struct esp_table *esp_sa_table(const struct esp_sa *sa);

struct esp_sa *esp_sa_find_inbound(const struct esp_table *t, uint32_t spi);
struct esp_sa *esp_sa_find_outbound(const struct esp_table *t, uint32_t spi,
    const struct endpoint *peer /* address counts, port only between two of
				   the same address; NULL: the only one */);
/* The newest outbound SA of an association; NULL: none. O(1). */
struct esp_sa *esp_sa_outbound_of(
    const struct esp_table *t, uint32_t association);

/* All UDP-encapsulated SAs of the association move to new endpoints. */
void esp_association_move(struct esp_table *t, uint32_t association,
    const struct endpoint *local, const struct endpoint *peer);

/* SAs that used up a limit and were not named by an earlier call; at most max.
 * Returns how many. Walks all SAs: call it once a second. */
struct esp_expired {
	uint32_t spi;
	bool inbound;
};
size_t esp_table_take_expired(
    struct esp_table *t, uint64_t now_ms, struct esp_expired *ret, size_t max);

struct esp_counters {
	uint64_t bytes, packets; /* accepted or sent; bytes of ESP payload */
	uint64_t replayed, bad_icv, malformed;
	uint64_t last_use_ms;
};
void esp_sa_read_counters(const struct esp_sa *sa, struct esp_counters *ret);
uint32_t esp_sa_spi(const struct esp_sa *sa);
bool esp_sa_is_inbound(const struct esp_sa *sa);
bool esp_sa_is_encap(const struct esp_sa *sa);
uint32_t esp_sa_association(const struct esp_sa *sa);
const struct endpoint *esp_sa_peer(const struct esp_sa *sa);
const struct endpoint *esp_sa_local(const struct esp_sa *sa);
void esp_sa_set_endpoints(struct esp_sa *sa, const struct endpoint *local,
    const struct endpoint *peer, bool encap);
/* "aes256-sha1", "aes128gcm16": for `adit sessions` */
const char *esp_sa_cipher_name(const struct esp_sa *sa);
/* Some limit (or the sequence numbers) is used up at now_ms. */
bool esp_sa_is_expired(const struct esp_sa *sa, uint64_t now_ms);
/* Room for the largest inner packet (UDP header included) in an outer IP
 * packet of outer_mtu bytes (IPv4 or v6 by peer family). */
size_t esp_sa_payload_max(const struct esp_sa *sa, size_t outer_mtu);
/* Where the ESP packet around an outbound payload of n bytes lies: it begins so
 * many bytes in front of the payload, and is so long in all. */
size_t esp_sa_front_bytes(const struct esp_sa *sa);
size_t esp_sa_sealed_bytes(const struct esp_sa *sa, size_t n);

enum esp_verdict {
	ESP_OK = 0,
	ESP_REPLAYED,
	ESP_BAD_ICV,
	ESP_MALFORMED,
	ESP_SEQUENCE_EXHAUSTED, /* outbound: 2^32-1 packets sent; rekey */
	ESP_EXPIRED,
};

/* One packet of a batch; the caller owns the buffer. */
struct esp_job {
	struct esp_sa *sa;
	/* inbound: ESP header on entry. Outbound: the payload on entry, with
	 * the room around it that esp_sa_sealed_bytes() tells; no byte outside
	 * of that is touched. */
	uint8_t *data;
	size_t len;          /* bytes */
	uint8_t next_header; /* in: set on success; out: given (17 = UDP) */
	bool newest; /* in: the sequence number moved the window's right edge */
	enum esp_verdict verdict;
};

/* Decrypt (verify, replay-check) or encrypt in place; jobs of several SAs may
 * be mixed. On ESP_OK data/len are the payload (in) or the ESP packet (out). */
void esp_decrypt_batch(struct esp_job *jobs, size_t n, uint64_t now_ms);
void esp_encrypt_batch(struct esp_job *jobs, size_t n, uint64_t now_ms);

#endif
