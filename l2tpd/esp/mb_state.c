/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mb_state.c: opens intel-ipsec-mb, tries known answers on each of its
 * managers, and keeps for the process what was found. A manager that gives
 * other bytes than the rest of the world is not used. Owns the library's
 * handle, which is never closed.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "l2tpd/esp/mb_int.h"
#include "l2tpd/esp/selftest.h"

/* The layout of the library's structs is that of the header; releases keep it
 * within a minor version. */
#if IMB_VERSION_NUM >= IMB_VERSION(2, 0, 0)
#define SONAME "libIPSec_MB.so.2"
#else
#define SONAME "libIPSec_MB.so.1"
#endif
#define MINOR(version) ((version) >> 8)

static const struct {
	const char *name, *init;
	uint64_t features;
} managers[] = {
    [MB_SSE] = {"sse", "init_mb_mgr_sse", IMB_CPUFLAGS_SSE},
    [MB_AVX2] = {"avx2", "init_mb_mgr_avx2",
	IMB_CPUFLAGS_SSE | IMB_CPUFLAGS_AVX2},
    [MB_AVX512] = {"avx512", "init_mb_mgr_avx512",
	IMB_CPUFLAGS_SSE | IMB_CPUFLAGS_AVX512},
};

bool
mb_lib_open(struct mb_lib *ret)
{
	const char *(*version_str)(void);
	unsigned int (*version)(void);
	uint64_t (*features)(void);
	void *lib;
	size_t i;
	bool ok;

	lib = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL)
		return false;
	version_str = (const char *(*)(void))dlsym(lib, "imb_get_version_str");
	version = (unsigned int (*)(void))dlsym(lib, "imb_get_version");
	features = (uint64_t(*)(void))dlsym(lib, "imb_get_feature_flags");
	ret->alloc = (IMB_MGR * (*)(uint64_t)) dlsym(lib, "alloc_mb_mgr");
	ret->free = (void (*)(IMB_MGR *))dlsym(lib, "free_mb_mgr");
	ok = version_str != NULL && version != NULL && features != NULL &&
	    ret->alloc != NULL && ret->free != NULL &&
	    MINOR(version()) == MINOR((unsigned int)IMB_VERSION_NUM);
	for (i = 0; i < MB_MANAGERS; i++) {
		ret->init[i] =
		    (void (*)(IMB_MGR *))dlsym(lib, managers[i].init);
		ok = ok && ret->init[i] != NULL;
	}
	if (!ok) {
		dlclose(lib);
		return false;
	}
	ret->version = version_str();
	ret->features = features();
	return true;
}

bool
mb_lib_has(const struct mb_lib *lib, enum mb_engine manager)
{
	return (lib->features & managers[manager].features) ==
	    managers[manager].features;
}

/* Known answers of one engine, ciphers by a manager that works. */
static bool
engine_passes(const struct mb_lib *lib, enum mb_engine engine,
    enum mb_engine cipher, bool (*test)(const struct transform *t))
{
	struct mb_plan plan = mb_plan_of(engine, cipher);
	struct transform t = {.ops = &mb_ops};
	bool ok;

	t.ctx = mb_ctx_new(lib, &plan);
	ok = t.ctx != NULL && test(&t);
	mb_ops.close(t.ctx);
	return ok;
}

static void
measure(struct mb_state *s)
{
	struct transform_ctx *ctx;
	struct mb_plan all = mb_plan_of(MB_SSE, MB_SSE);
	uint8_t e;

	s->plan = all;
	/* a plan that names each usable manager, to have them all */
	for (e = 0; e < MB_MANAGERS; e++)
		if (s->usable[e])
			all.encrypt[MB_SMALL][1 + e].engine = e;
	ctx = mb_ctx_new(&s->lib, &all);
	if (ctx == NULL)
		return;
	s->plan = mb_plan_measure(ctx, s->usable);
	mb_ops.close(ctx);
}

void
mb_state_make(struct mb_state *ret, bool (*test)(const struct transform *t))
{
	enum mb_engine e;

	*ret = (struct mb_state){0};
	if (!mb_lib_open(&ret->lib))
		return;
	for (e = 0; e < MB_MANAGERS; e++) {
		if (!mb_lib_has(&ret->lib, e))
			continue;
		ret->usable[e] = engine_passes(&ret->lib, e, e, test);
		ret->failed[e] = !ret->usable[e];
	}
	/* what the others are measured against, and small batches need */
	ret->works = ret->usable[MB_SSE];
	if (!ret->works)
		return;
	ret->usable[MB_SCALAR] =
	    engine_passes(&ret->lib, MB_SCALAR, MB_SSE, test);
	measure(ret);
}

/* "ipsec-mb 1.3.0 (avx512, sse; avx2 failed its test)" */
static void
name_ctx(const struct mb_state *s, struct transform_ctx *ctx)
{
	size_t e, n;
	int len;

	n = (size_t)snprintf(
	    ctx->name, sizeof(ctx->name), "ipsec-mb %s (", s->lib.version);
	for (e = MB_MANAGERS; e-- > 0 && n < sizeof(ctx->name);) {
		len = 0;
		if (ctx->managers[e] != NULL)
			len = snprintf(ctx->name + n, sizeof(ctx->name) - n,
			    "%s, ", managers[e].name);
		else if (s->failed[e])
			len = snprintf(ctx->name + n, sizeof(ctx->name) - n,
			    "%s failed its test, ", managers[e].name);
		n += (size_t)len;
	}
	if (n < sizeof(ctx->name))
		snprintf(ctx->name + n - 2, sizeof(ctx->name) - n + 2, ")");
}

bool
mb_state_open(
    const struct mb_state *s, struct transform *ret, enum esp_crypto crypto)
{
	struct transform_ctx *ctx;
	struct mb_plan plan = s->plan;
	enum mb_engine e;

	if (!s->works)
		return false;
	if (crypto != ESP_CRYPTO_AUTO) {
		e = crypto == ESP_CRYPTO_MB_AVX512 ? MB_AVX512
		    : crypto == ESP_CRYPTO_MB_AVX2 ? MB_AVX2
						   : MB_SSE;
		if (!s->usable[e])
			return false;
		plan = mb_plan_of(e, e);
	}
	ctx = mb_ctx_new(&s->lib, &plan);
	if (ctx == NULL)
		return false;
	name_ctx(s, ctx);
	*ret = (struct transform){.ops = &mb_ops, .ctx = ctx};
	return true;
}

static struct mb_state process_state;
static pthread_once_t process_once = PTHREAD_ONCE_INIT;

static void
make_process_state(void)
{
	mb_state_make(&process_state, esp_known_answers);
}

bool
transform_mb_open(struct transform *ret, enum esp_crypto crypto)
{
	pthread_once(&process_once, make_process_state);
	return mb_state_open(&process_state, ret, crypto);
}

const char *
transform_mb_name(const struct transform *t)
{
	return t->ctx->name;
}
