/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * files.c: files that adit writes: only when they differ, atomically, with
 * their mode from the first byte on, saying what was done; and templates.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "cli/cli.h"

#define FILE_MAX_BYTES (16 * 1024 * 1024)

static char *
read_fd(int fd, size_t *ret_bytes)
{
	struct stat st;
	size_t n = 0;
	ssize_t got;
	char *p;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX_BYTES) {
		errno = EFBIG;
		return NULL;
	}
	p = malloc((size_t)st.st_size + 1);
	if (!p)
		return NULL;
	while (n < (size_t)st.st_size) {
		got = read(fd, p + n, (size_t)st.st_size - n);
		if (got < 0) {
			free(p);
			return NULL;
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	p[n] = '\0';
	if (ret_bytes)
		*ret_bytes = n;
	return p;
}

char *
file_read(const char *path, size_t *ret_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), saved;
	char *p;

	if (fd < 0)
		return NULL;
	p = read_fd(fd, ret_bytes);
	saved = errno;
	close(fd);
	errno = saved;
	return p;
}

static int
write_all(int fd, const char *p, size_t n)
{
	ssize_t put;

	while (n > 0) {
		put = write(fd, p, n);
		if (put < 0)
			return -errno;
		p += put;
		n -= (size_t)put;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static void
say(struct cli *c, const char *verb, const char *what)
{
	c->changes++;
	if (!c->quiet)
		printf(
		    "%s%s %s\n", c->dry_run ? "would have " : "", verb, what);
}

/* 0: it is so already; 1: to be made; 2: to be changed; 3: only its mode. */
static int
compare(const char *path, mode_t mode, const void *content, size_t bytes)
{
	struct stat st;
	size_t n = 0;
	char *old;
	bool same;

	if (stat(path, &st) < 0)
		return 1;
	old = file_read(path, &n);
	same = old && n == bytes && memcmp(old, content, n) == 0;
	if (old)
		wipe(old, n);
	free(old);
	if (!same)
		return 2;
	return (st.st_mode & 07777) == mode ? 0 : 3;
}

static int
replace(const char *path, mode_t mode, const void *content, size_t bytes)
{
	char tmp[CONF_PATH_MAX + 16];
	int fd, err;

	snprintf(tmp, sizeof(tmp), "%s.new", path);
	unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, content, bytes);
	if (!err && fchmod(fd, mode) < 0)
		err = -errno;
	close(fd);
	if (!err && rename(tmp, path) < 0)
		err = -errno;
	if (err)
		unlink(tmp);
	return err;
}

static int
overwrite(const char *path, mode_t mode, const void *content, size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode), err = 0;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX) < 0 || ftruncate(fd, 0) < 0 ||
	    fchmod(fd, mode) < 0)
		err = -errno;
	if (!err)
		err = write_all(fd, content, bytes);
	close(fd);
	return err;
}

static int
put(struct cli *c, const char *path, mode_t mode, const void *content,
    size_t bytes, bool in_place)
{
	int todo = compare(path, mode, content, bytes), err;

	if (todo == 0)
		return EXIT_OK;
	if (!c->dry_run) {
		if (todo == 3)
			err = chmod(path, mode) < 0 ? -errno : 0;
		else if (in_place)
			err = overwrite(path, mode, content, bytes);
		else
			err = replace(path, mode, content, bytes);
		if (err)
			return cli_fail("%s: %s%s", path, strerror(-err),
			    err == -EACCES ? ": run this as root" : "");
	}
	say(c, todo == 1 ? "made" : "changed", path);
	return EXIT_OK;
}

int
file_put(struct cli *c, const char *path, mode_t mode, const void *content,
    size_t bytes)
{
	return put(c, path, mode, content, bytes, false);
}

int
file_put_in_place(struct cli *c, const char *path, mode_t mode,
    const void *content, size_t bytes)
{
	return put(c, path, mode, content, bytes, true);
}

static int
make_parents(const char *path)
{
	char buf[CONF_PATH_MAX];

	snprintf(buf, sizeof(buf), "%s", path);
	for (char *p = strchr(buf + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(buf, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return 0;
}

int
directory_put(
    struct cli *c, const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	struct stat st;
	bool there = stat(path, &st) == 0;
	int err = 0;

	if (there && (st.st_mode & 07777) == mode &&
	    (uid == (uid_t)-1 || st.st_uid == uid))
		return EXIT_OK;
	if (!c->dry_run) {
		if (!there)
			err = make_parents(path);
		if (!err && !there && mkdir(path, mode) < 0)
			err = -errno;
		if (!err && chmod(path, mode) < 0)
			err = -errno;
		if (!err && uid != (uid_t)-1 && chown(path, uid, gid) < 0)
			err = -errno;
		if (err)
			return cli_fail("%s: %s%s", path, strerror(-err),
			    err == -EACCES ? ": run this as root" : "");
	}
	say(c, there ? "changed" : "made", path);
	return EXIT_OK;
}

int
path_join(char *buf, const char *dir, const char *name)
{
	int n = snprintf(buf, CONF_PATH_MAX, "%s/%s", dir, name);

	if (n < 0 || n >= CONF_PATH_MAX)
		return cli_fail("%s/%s: path too long", dir, name);
	return EXIT_OK;
}

static const char *
value_of(const struct template_value *v, const char *name, size_t n)
{
	for (; v->name; v++)
		if (strlen(v->name) == n && memcmp(v->name, name, n) == 0)
			return v->value;
	return NULL;
}

char *
template_fill(
    const struct cli *c, const char *name, const struct template_value *values)
{
	char path[4096], *text, *out = NULL;
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", c->templates, name);
	text = file_read(path, NULL);
	if (!text) {
		cli_fail("%s: %s: install Adit again, or give --templates DIR",
		    path, strerror(errno));
		return NULL;
	}
	f = open_memstream(&out, &n);
	for (const char *p = text; f && *p;) {
		const char *end = *p == '@' ? strchr(p + 1, '@') : NULL;
		const char *v =
		    end ? value_of(values, p + 1, (size_t)(end - p - 1)) : NULL;
		if (v) {
			fputs(v, f);
			p = end + 1;
		} else {
			fputc(*p++, f);
		}
	}
	free(text);
	if (!f || fclose(f) != 0) {
		cli_fail("%s: out of memory", path);
		free(out);
		return NULL;
	}
	return out;
}
