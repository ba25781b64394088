/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * firewall.c: kernel parameters through /proc/sys, rules through nft(8). The
 * files are of adit setup; names in them with ".." are refused all the same.
 */
#include "cli/firewall.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* "net.ipv4.ip_forward" and "1". A parameter that is right already is not
 * written: in a container it may be read-only. */
static int
set_parameter(const char *name, const char *value)
{
	char path[256], old[64] = "";
	int fd, n;

	if (strstr(name, "..") || strchr(name, '/'))
		return cli_fail(
		    "sysctl.conf: %s: no name of a parameter", name);
	n = snprintf(path, sizeof(path), "/proc/sys/%s", name);
	for (char *p = path + strlen("/proc/sys/"); n > 0 && *p; p++)
		*p = *p == '.' ? '/' : *p;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, old, sizeof(old) - 1) < 0)
			old[0] = '\0';
		close(fd);
		old[strcspn(old, "\n")] = '\0';
		if (strcmp(old, value) == 0)
			return EXIT_OK;
	}
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0) {
		cli_fail("%s: %s: set %s = %s yourself", path, strerror(errno),
		    name, value);
		if (fd >= 0)
			close(fd);
		return EXIT_FAIL;
	}
	close(fd);
	return EXIT_OK;
}

static int
apply_parameters(struct cli *c)
{
	char path[CONF_PATH_MAX], name[128], value[64], *text, *line, *save;
	int err = EXIT_OK;

	if (path_join(path, c->dir, "sysctl.conf"))
		return EXIT_FAIL;
	text = file_read(path, NULL);
	if (!text)
		return cli_fail(
		    "%s: %s: run adit setup first", path, strerror(errno));
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (line[0] != '#' &&
		    sscanf(line, " %127[^= ] = %63s", name, value) == 2)
			err |= set_parameter(name, value);
	free(text);
	return err;
}

int
firewall_apply(struct cli *c)
{
	char path[CONF_PATH_MAX];
	char *argv[] = {
	    (char *)(uintptr_t) "nft", (char *)(uintptr_t) "-f", path, NULL};
	char *envp[] = {
	    (char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	int status, err;
	pid_t pid;

	if (apply_parameters(c) || path_join(path, c->dir, "nftables.conf"))
		return EXIT_FAIL;
	err = posix_spawn(&pid, "/usr/sbin/nft", NULL, NULL, argv, envp);
	if (err)
		return cli_fail(
		    "/usr/sbin/nft: %s: install nftables", strerror(err));
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return cli_fail(
		    "nft did not take %s: see its words above", path);
	return EXIT_OK;
}

int
cmd_firewall(struct cli *c, int argc, char **argv)
{
	static const struct option options[] = {
	    CLI_OPTIONS, {NULL, 0, NULL, 0}};

	optind = 0;
	if (cli_option(c, argc, argv, options) != -1)
		return EXIT_USAGE;
	if (optind < argc)
		return cli_usage("firewall takes no argument %s", argv[optind]);
	return cli_conf(c) || firewall_apply(c) ? EXIT_FAIL : EXIT_OK;
}
