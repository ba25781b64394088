/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mb_int.h: what the files about intel-ipsec-mb share; nobody else includes
 * it. The library has a "manager" for each family of instruction sets; all read
 * the same CBC and HMAC keys, so a batch may be cut into bursts of different
 * managers (mb_plan.c says how).
 */
#ifndef ADIT_ESP_MB_INT_H
#define ADIT_ESP_MB_INT_H

/* without it none of these files is built */
#if __has_include(<intel-ipsec-mb.h>)
#include <intel-ipsec-mb.h>

#include "l2tpd/esp/mb.h"

#define MB_BURST     64 /* packets that are worked on together, at most */
#define MB_TAG_BYTES 64

enum mb_engine {
	MB_SSE, /* 128 bit registers, SHA-NI: best for few packets */
	MB_AVX2,
	MB_AVX512,
	MB_MANAGERS,
	MB_SCALAR = MB_MANAGERS, /* HMAC by OpenSSL, packet by packet */
	MB_ENGINES,
};

/* Index of tables by algorithm. */
enum mb_hash { MB_SHA1, MB_SHA256, MB_SHA384, MB_SHA512, MB_HASHES };
enum mb_cipher { MB_AES128, MB_AES192, MB_AES256, MB_CIPHERS };

/* With n packets left: let this engine do so many of them next. */
struct mb_step {
	uint8_t engine, take;
};
/* Small packets are cheap, and then the lanes' upkeep is what costs. */
enum mb_size { MB_SMALL, MB_LARGE, MB_SIZES };
#define MB_LARGE_BYTES 384 /* from here on, on average */
struct mb_plan {
	struct mb_step hash[MB_SIZES][MB_HASHES][MB_BURST + 1];
	struct mb_step encrypt[MB_SIZES][MB_BURST + 1];
	uint8_t decrypt; /* engines: these do packet by packet anyway */
	uint8_t gcm;     /* GCM keys differ among managers: one does it all */
};

struct mb_lib {
	const char *version;
	IMB_MGR *(*alloc)(uint64_t flags);
	void (*free)(IMB_MGR *m);
	void (*init[MB_MANAGERS])(IMB_MGR *m);
	uint64_t features; /* of this CPU */
};

struct transform_ctx {
	const struct mb_lib *lib;
	struct mb_plan plan;
	IMB_MGR *managers[MB_MANAGERS]; /* NULL: not used by the plan */
	char name[96];
	uint8_t tags[MB_BURST][MB_TAG_BYTES];
	IMB_JOB jobs[MB_BURST];
	struct gcm_context_data gcm;
};

/* The library; false: not here. */
bool mb_lib_open(struct mb_lib *ret);
bool mb_lib_has(const struct mb_lib *lib, enum mb_engine manager);

/* Everything by one engine; MB_SCALAR: hashes by it, ciphers by cipher. */
struct mb_plan mb_plan_of(enum mb_engine hash, enum mb_engine cipher);
/* Measures. usable: by engine. ctx has all usable managers. */
struct mb_plan mb_plan_measure(
    struct transform_ctx *ctx, const bool usable[MB_ENGINES]);
bool mb_plan_uses(const struct mb_plan *plan, enum mb_engine engine);

/* What the process knows of the library and of this machine. */
struct mb_state {
	struct mb_lib lib;
	bool works; /* SSE at least */
	bool usable[MB_ENGINES], failed[MB_ENGINES];
	struct mb_plan plan;
};
/* test: known answers of one engine. */
void mb_state_make(
    struct mb_state *ret, bool (*test)(const struct transform *t));
bool mb_state_open(
    const struct mb_state *s, struct transform *ret, enum esp_crypto crypto);

/* A context for a plan. NULL: no memory, or the library refuses. */
struct transform_ctx *mb_ctx_new(
    const struct mb_lib *lib, const struct mb_plan *plan);
extern const struct transform_ops mb_ops;

/* HMACs of jobs[0..n) as filled for ipsec-mb, n <= MB_BURST, by one engine. */
bool mb_hash_burst(struct transform_ctx *ctx, enum mb_engine engine,
    enum mb_hash hash, IMB_JOB *jobs, size_t n);
bool mb_cbc_burst(struct transform_ctx *ctx, enum mb_engine engine,
    IMB_CIPHER_DIRECTION direction, size_t key_bytes, IMB_JOB *jobs, size_t n);

/* One HMAC from the states that ipsec-mb keeps, by OpenSSL (hmac_scalar.c). */
void hmac_scalar(enum mb_hash hash, const void *inner, const void *outer,
    const void *data, size_t n, uint8_t ret[MB_TAG_BYTES]);

#endif
#endif
