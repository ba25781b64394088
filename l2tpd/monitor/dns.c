/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dns.c: the system's name servers (contract in dns.h).
 *
 * The file: what is there is kept beside it as a second name of the same inode
 * (or the same symbolic link), the new one is renamed over it, and the old one
 * is renamed back: at no moment is there none. A file that is a mount of its
 * own (containers, ip netns) can only be written in place; then a copy is kept
 * in run_dir. Somebody else who wrote it meanwhile is not overwritten: our file
 * begins with a line that says whose it is.
 */
#include "l2tpd/monitor/dns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define SAVED       "/etc/resolv.conf.adit-saved"
#define RESOLVECTL  "/usr/bin/resolvectl"
#define RESOLVCONF  "/sbin/resolvconf"
#define MARK        "# adit connect wrote this and puts the former back: "
#define FILE_MAX    65536

/* ---- the file ---- */

static char *
read_file(const char *path, size_t *ret_len)
{
	char *p = malloc(FILE_MAX);
	ssize_t n = -1;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && p != NULL)
		n = read(fd, p, FILE_MAX - 1);
	if (fd >= 0)
		close(fd);
	if (n < 0) {
		free(p);
		return NULL;
	}
	p[n] = '\0';
	*ret_len = (size_t)n;
	return p;
}

static int
write_file(const char *path, int flags, const char *text, size_t len)
{
	int fd, rc = 0;
	ssize_t n;

	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
	if (fd < 0)
		return -errno;
	while (len > 0) {
		n = write(fd, text, len);
		if (n < 0) {
			rc = -errno;
			break;
		}
		text += n;
		len -= (size_t)n;
	}
	if (rc == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
		rc = -errno;
	close(fd);
	return rc;
}

/* Whose is the file: begins it with MARK and, if it is given, the owner? */
static bool
is_marked(const char *path, const char *owner)
{
	char mark[sizeof(MARK) + CONF_PATH_MAX];
	size_t n = 0;
	char *text = read_file(path, &n);
	bool ours;

	snprintf(mark, sizeof(mark), "%s%s%s", MARK, owner != NULL ? owner : "",
	    owner != NULL ? "\n" : "");
	ours = text != NULL && strncmp(text, mark, strlen(mark)) == 0;
	free(text);
	return ours;
}

/* Our file: name servers of the tunnel, all other lines as they were. */
static char *
compose(const char *old, const char *owner, const uint8_t dns[2][4],
    size_t *ret_len)
{
	static const uint8_t none[4];
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	if (f == NULL)
		return NULL;
	fprintf(f, "%s%s\n", MARK, owner);
	for (int i = 0; i < 2; i++)
		if (memcmp(dns[i], none, 4) != 0)
			fprintf(f, "nameserver %u.%u.%u.%u\n", dns[i][0],
			    dns[i][1], dns[i][2], dns[i][3]);
	for (const char *p = old; *p != '\0';) {
		size_t n = strcspn(p, "\n");
		if (strncmp(p, "nameserver", 10) != 0)
			fprintf(f, "%.*s\n", (int)n, p);
		p += n + (p[n] == '\n');
	}
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* A second name for what is there. */
static int
keep(const struct dns_file *f)
{
	char target[4096];
	ssize_t n;

	n = readlink(f->path, target, sizeof(target) - 1);
	if (n > 0) {
		target[n] = '\0';
		return symlink(target, f->saved) < 0 ? -errno : 0;
	}
	return link(f->path, f->saved) < 0 ? -errno : 0;
}

static int
replace(const struct dns_file *f, const char *text, size_t len)
{
	char tmp[CONF_PATH_MAX + 16];
	int rc;

	snprintf(tmp, sizeof(tmp), "%s.adit-new", f->path);
	unlink(tmp);
	rc = keep(f);
	if (rc < 0)
		return rc;
	rc = write_file(tmp, O_EXCL, text, len);
	if (rc == 0 && rename(tmp, f->path) < 0)
		rc = -errno;
	if (rc < 0) {
		unlink(tmp);
		unlink(f->saved);
	}
	return rc;
}

int
dns_file_set(const struct dns_file *f, const uint8_t dns[2][4])
{
	size_t len = 0, old_len = 0;
	char *old, *text;
	int rc = -ENOMEM;
	struct stat st;

	if (is_marked(f->path, NULL)) /* another client was first */
		return -EBUSY;
	unlink(f->saved); /* of nobody: our file would have the mark */
	old = read_file(f->path, &old_len);
	text = compose(old != NULL ? old : "", f->owner, dns, &len);
	if (text == NULL)
		goto out;
	/* there was none: so it will be again */
	if (old == NULL && lstat(f->path, &st) < 0) {
		rc = write_file(f->path, O_EXCL, text, len);
		goto out;
	}
	rc = replace(f, text, len);
	if (rc == -EXDEV || rc == -EBUSY) {
		rc = write_file(
		    f->saved_copy, O_TRUNC, old != NULL ? old : "", old_len);
		if (rc == 0)
			rc = write_file(f->path, O_TRUNC, text, len);
	}
out:
	free(old);
	free(text);
	return rc;
}

int
dns_file_restore(const struct dns_file *f)
{
	size_t len = 0;
	char *old;
	int rc;

	if (!is_marked(f->path, f->owner)) {
		unlink(f->saved_copy);
		return 0;
	}
	old = read_file(f->saved_copy, &len);
	if (old != NULL) {
		rc = write_file(f->path, O_TRUNC, old, len);
		free(old);
		if (rc == 0)
			unlink(f->saved_copy);
		return rc;
	}
	if (rename(f->saved, f->path) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	return unlink(f->path) < 0 ? -errno : 0;
}

/* ---- who rules it ---- */

/* Runs a program with the text on its standard input. */
static int
run(const char *const argv[], const char *input)
{
	int fds[2], status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		dup2(fds[0], STDIN_FILENO);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(fds[0]);
	if (pid > 0 && write(fds[1], input, strlen(input)) < 0)
		status = 0; /* its exit status tells */
	close(fds[1]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

static bool
points_into(const char *folder, const char *program)
{
	char target[4096];

	return realpath(RESOLV_CONF, target) != NULL &&
	    strstr(target, folder) != NULL && access(program, X_OK) == 0;
}

static void
text_of(const uint8_t a[4], char *buf, size_t n)
{
	static const uint8_t none[4];

	buf[0] = '\0';
	if (memcmp(a, none, 4) != 0)
		snprintf(buf, n, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
}

static int
set_by_resolvectl(const char *tun, char text[2][16])
{
	const char *const dns[] = {RESOLVECTL, "dns", tun, text[0],
	    text[1][0] != '\0' ? text[1] : NULL, NULL};
	const char *const domain[] = {RESOLVECTL, "domain", tun, "~.", NULL};
	int rc = run(dns, "");

	return rc == 0 ? run(domain, "") : rc;
}

static int
set_by_resolvconf(const char *tun, char text[2][16])
{
	const char *const argv[] = {RESOLVCONF, "-a", tun, NULL};
	char input[80];

	snprintf(input, sizeof(input), "nameserver %s\n%s%s%s", text[0],
	    text[1][0] != '\0' ? "nameserver " : "", text[1],
	    text[1][0] != '\0' ? "\n" : "");
	return run(argv, input);
}

static void
file_of(const struct adit_conf *conf, char *copy, size_t n, struct dns_file *f)
{
	snprintf(copy, n, "%s/resolv.conf.saved", conf->run_dir);
	*f = (struct dns_file){RESOLV_CONF, SAVED, copy, conf->run_dir};
}

int
dns_set(const struct adit_conf *conf, const uint8_t dns[2][4])
{
	static const uint8_t none[2][4];
	char text[2][16], copy[CONF_PATH_MAX];
	struct dns_file f;
	uint8_t order[2][4];
	int rc;

	if (memcmp(dns, none, sizeof(none)) == 0)
		return 0;
	memcpy(order, dns, sizeof(order));
	if (memcmp(order[0], none[0], 4) == 0) {
		memcpy(order[0], dns[1], 4);
		memcpy(order[1], none[0], 4);
	}
	text_of(order[0], text[0], sizeof(text[0]));
	text_of(order[1], text[1], sizeof(text[1]));
	file_of(conf, copy, sizeof(copy), &f);
	if (points_into("/systemd/resolve/", RESOLVECTL))
		rc = set_by_resolvectl(conf->tun_name, text);
	else if (points_into("/resolvconf/", RESOLVCONF))
		rc = set_by_resolvconf(conf->tun_name, text);
	else
		rc = dns_file_set(&f, order);
	if (rc < 0)
		log_msg(MSG_LINK_FAILED, "step=dns why=\"%s\"", strerror(-rc));
	return rc;
}

void
dns_restore(const struct adit_conf *conf, bool recovers)
{
	const char *const revert[] = {
	    RESOLVECTL, "revert", conf->tun_name, NULL};
	const char *const drop[] = {RESOLVCONF, "-d", conf->tun_name, NULL};
	char copy[CONF_PATH_MAX];
	struct dns_file f;
	int rc;

	file_of(conf, copy, sizeof(copy), &f);
	if (points_into("/systemd/resolve/", RESOLVECTL))
		rc = recovers ? 0 : run(revert, ""); /* went with the TUN */
	else if (points_into("/resolvconf/", RESOLVCONF))
		rc = run(drop, "");
	else
		rc = dns_file_restore(&f);
	if (rc < 0 && !recovers)
		log_msg(MSG_LINK_FAILED, "step=dns-restore why=\"%s\"",
		    strerror(-rc));
}
