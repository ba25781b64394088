/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keys.c: reads PSK, certificates, CRL and key from descriptors that the
 * monitor opened, and loads them into charon over vici. Owns the descriptors;
 * their content is in memory only while charon is being told, and wiped.
 *
 * adit writes the CRL in place (same inode) under flock(2), and this process
 * looks every few seconds whether a file changed, so a revocation reaches
 * charon without a restart. Trusts the files' owner, root.
 */
#include "l2tpd/authority/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "l2tpd/ike/conns.h"
#include "l2tpd/ike/vici.h"

#define KEY_FILE_MAX   (1024 * 1024) /* bytes; a CRL may be large */
#define T_LOOK_MS      3000
#define T_TRY_AGAIN_MS 5000 /* after charon refused */

enum { FILE_PSK, FILE_CA, FILE_CRL, FILE_CERTIFICATE, FILE_KEY, FILE_COUNT };

static const char *const file_names[FILE_COUNT] = {
    "psk", "ca", "crl", "certificate", "key"};

struct keys {
	struct loop *loop;
	const struct adit_conf *conf; /* borrowed */
	int fds[FILE_COUNT];
	struct timespec loaded[FILE_COUNT]; /* mtime when charon was told */
	struct vici *vici;
	struct loop_timer *look;
	bool loading; /* an answer of charon is due */
	void (*gone)(void *ctx);
	void *ctx;
};

static void
adopt(struct keys *k, const struct authority_files *f)
{
	const int fds[FILE_COUNT] = {
	    f->psk_fd, f->ca_fd, f->crl_fd, f->certificate_fd, f->key_fd};

	memcpy(k->fds, fds, sizeof(fds));
}

static void
drop(struct keys *k)
{
	for (int i = 0; i < FILE_COUNT; i++)
		if (k->fds[i] >= 0)
			close(k->fds[i]);
}

/* The whole file; ret_bytes: caller frees. -EAGAIN: it is being written. */
static int
read_all(int fd, uint8_t **ret_bytes, size_t *ret_len, struct timespec *mtime)
{
	struct stat st;
	uint8_t *p;
	ssize_t n;
	size_t len = 0;

	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return -EAGAIN;
	if (fstat(fd, &st) < 0 || st.st_size < 0 || st.st_size > KEY_FILE_MAX) {
		flock(fd, LOCK_UN);
		return -EFBIG;
	}
	p = malloc((size_t)st.st_size + 1);
	while (p && len < (size_t)st.st_size) {
		n = pread(fd, p + len, (size_t)st.st_size - len, (off_t)len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	flock(fd, LOCK_UN);
	if (!p)
		return -ENOMEM;
	*ret_bytes = p;
	*ret_len = len;
	*mtime = st.st_mtim;
	return 0;
}

static void
on_loaded(void *ctx, int err, const char *why)
{
	struct keys *k = ctx;

	k->loading = false;
	if (!err) {
		log_msg(MSG_CHARON_LOADED, "psk=%s certificate=%s",
		    k->fds[FILE_PSK] >= 0 ? "yes" : "no",
		    k->fds[FILE_KEY] >= 0 ? "yes" : "no");
		return;
	}
	if (err == -ECONNRESET)
		return; /* closed comes */
	log_msg(MSG_CHARON_REFUSED, "why=\"%s\"", why);
}

static void
load(struct keys *k)
{
	uint8_t *bytes[FILE_COUNT] = {NULL};
	size_t len[FILE_COUNT] = {0};
	struct conns_secrets s = {.psk = {NULL, 0}};
	struct conns_blob *blobs[FILE_COUNT] = {
	    &s.psk, &s.ca, &s.crl, &s.certificate, &s.key};
	int err = 0;

	for (int i = 0; i < FILE_COUNT && !err; i++) {
		if (k->fds[i] < 0)
			continue;
		err = read_all(k->fds[i], &bytes[i], &len[i], &k->loaded[i]);
		*blobs[i] = (struct conns_blob){bytes[i], len[i]};
		if (err && err != -EAGAIN)
			log_msg(MSG_KEY_FILE, "file=%s why=\"%s\"",
			    file_names[i], strerror(-err));
	}
	if (!err) {
		err = conns_load(k->vici, k->conf, &s, on_loaded, k);
		k->loading = !err;
		if (err)
			log_msg(MSG_CHARON_REFUSED, "why=\"%s\"",
			    err == -EINVAL ? "neither a PSK nor a certificate"
					   : strerror(-err));
	}
	for (int i = 0; i < FILE_COUNT; i++) {
		if (bytes[i])
			wipe(bytes[i], len[i]);
		free(bytes[i]);
	}
	loop_timer_set(k->look, err ? T_TRY_AGAIN_MS : T_LOOK_MS);
	if (err)
		memset(k->loaded, 0, sizeof(k->loaded));
}

static bool
changed(const struct keys *k)
{
	struct stat st;

	for (int i = 0; i < FILE_COUNT; i++)
		if (k->fds[i] >= 0 && fstat(k->fds[i], &st) == 0 &&
		    (st.st_mtim.tv_sec != k->loaded[i].tv_sec ||
			st.st_mtim.tv_nsec != k->loaded[i].tv_nsec))
			return true;
	return false;
}

void
keys_look(struct keys *k)
{
	if (!k->vici)
		return;
	if (!k->loading && changed(k))
		load(k);
	else
		loop_timer_set(k->look, T_LOOK_MS);
}

static void
on_look(void *ctx)
{
	keys_look(ctx);
}

static void
on_closed(void *ctx, const char *why)
{
	struct keys *k = ctx;

	log_msg(MSG_CHARON_GONE, "why=\"%s\"", why ? why : "closed");
	vici_free(k->vici);
	k->vici = NULL;
	k->loading = false;
	loop_timer_cancel(k->look);
	if (k->gone)
		k->gone(k->ctx);
}

static const struct vici_ops ops = {.closed = on_closed};

int
keys_vici_connected(struct keys *k, int fd)
{
	vici_free(k->vici);
	k->loading = false;
	k->vici = vici_new(k->loop, fd, &ops, k);
	if (!k->vici) {
		close(fd);
		return -ENOMEM;
	}
	load(k);
	return 0;
}

void
keys_files_changed(struct keys *k, const struct authority_files *files)
{
	drop(k);
	adopt(k, files);
	memset(k->loaded, 0, sizeof(k->loaded));
	if (k->vici && !k->loading)
		load(k);
}

struct keys *
keys_new(struct loop *l, const struct adit_conf *conf,
    const struct authority_files *files, void (*gone)(void *ctx), void *ctx)
{
	struct keys *k = calloc(1, sizeof(*k)), spare;

	if (!k) {
		adopt(&spare, files);
		drop(&spare);
		return NULL;
	}
	adopt(k, files);
	k->loop = l;
	k->conf = conf;
	k->gone = gone;
	k->ctx = ctx;
	k->look = loop_timer_new(l, on_look, k);
	if (!k->look) {
		keys_free(k);
		return NULL;
	}
	return k;
}

void
keys_free(struct keys *k)
{
	if (!k)
		return;
	vici_free(k->vici);
	loop_timer_free(k->look);
	drop(k);
	free(k);
}
