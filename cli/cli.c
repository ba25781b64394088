/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli.c: global options, errors, dispatch, configuration and database for the
 * sub-commands of adit.
 */
#include "cli/cli.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int
cli_fail(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("adit: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_FAIL;
}

int
cli_usage(const char *fmt, ...)
{
	va_list ap;

	fputs("adit: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("; adit --help and adit(8) tell more\n", stderr);
	return EXIT_USAGE;
}

static void
print_help(FILE *f, const struct command *table, const char *group)
{
	fprintf(f, "usage: adit [--config FILE] [--json] %s%sCOMMAND ...\n",
	    group ? group : "", group ? " " : "");
	for (; table->name; table++)
		fprintf(f, "  %-10s %s\n  %-10s   %s\n", table->name,
		    table->arguments, "", table->help);
}

static int
next_option(struct cli *c, int argc, char **argv, const char *how,
    const struct option *options)
{
	int opt;

	for (;;) {
		opt = getopt_long(argc, argv, how, options, NULL);
		switch (opt) {
		case 'C':
			c->config = optarg;
			break;
		case 'J':
			c->json = true;
			break;
		case 'T':
			c->templates = optarg;
			break;
		default:
			return opt;
		}
	}
}

int
cli_option(struct cli *c, int argc, char **argv, const struct option *options)
{
	return next_option(c, argc, argv, "", options);
}

int
cli_dispatch(struct cli *c, const struct command *table, const char *group,
    int argc, char **argv)
{
	static const struct option options[] = {
	    CLI_OPTIONS, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int opt;

	optind = 0;
	/* '+': options of a sub-command are the sub-command's */
	while ((opt = next_option(c, argc, argv, "+", options)) != -1) {
		if (opt != 'h')
			return EXIT_USAGE;
		print_help(stdout, table, group);
		return EXIT_OK;
	}
	if (optind >= argc) {
		print_help(stderr, table, group);
		return EXIT_USAGE;
	}
	for (const struct command *k = table; k->name; k++)
		if (!strcmp(k->name, argv[optind]))
			return k->run(c, argc - optind, argv + optind);
	if (!strcmp(argv[optind], "help")) {
		print_help(stdout, table, group);
		return EXIT_OK;
	}
	return cli_usage("there is no command %s%s%s", group ? group : "",
	    group ? " " : "", argv[optind]);
}

int
cli_conf(struct cli *c)
{
	const char *why, *slash = strrchr(c->config, '/');

	if (conf_load(c->config, &c->conf, &why) != 0)
		return cli_fail("%s", why);
	snprintf(c->dir, sizeof(c->dir), "%.*s",
	    slash ? (int)(slash - c->config) : 1, slash ? c->config : ".");
	return EXIT_OK;
}

/* The authority opens the database as its own user: the directory and a file
 * that root made before that user existed must be its own. */
static int
fix_owner(struct cli *c)
{
	const struct passwd *pw = getpwnam(c->conf.authority_user);
	char path[CONF_PATH_MAX];
	struct stat st;

	if (mkdir(c->conf.state_dir, 0700) < 0 && errno != EEXIST)
		return cli_fail("%s: %s: run this as root, after adit setup",
		    c->conf.state_dir, strerror(errno));
	if (geteuid() != 0 || !pw)
		return EXIT_OK;
	if (stat(c->conf.state_dir, &st) == 0 && st.st_uid != pw->pw_uid &&
	    chown(c->conf.state_dir, pw->pw_uid, pw->pw_gid) < 0)
		return cli_fail("%s: %s", c->conf.state_dir, strerror(errno));
	if (path_join(path, c->conf.state_dir, "adit.db"))
		return EXIT_FAIL;
	if (lstat(path, &st) == 0 && st.st_uid != pw->pw_uid &&
	    S_ISREG(st.st_mode) && lchown(path, pw->pw_uid, pw->pw_gid) < 0)
		return cli_fail("%s: %s", path, strerror(errno));
	return EXIT_OK;
}

int
cli_database(struct cli *c, struct db **ret)
{
	char path[CONF_PATH_MAX];
	const char *why;

	if (cli_conf(c) || fix_owner(c) ||
	    path_join(path, c->conf.state_dir, "adit.db"))
		return EXIT_FAIL;
	if (db_open(path, true, ret, &why) != 0)
		return cli_fail("%s", why);
	return EXIT_OK;
}

int
cli_print_json(json_t *j)
{
	json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(j);
	return EXIT_OK;
}

const char *
cli_time(int64_t s, char *buf, size_t buf_bytes)
{
	time_t t = (time_t)s;
	struct tm tm;

	if (s == 0 || !gmtime_r(&t, &tm) ||
	    strftime(buf, buf_bytes, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(buf, buf_bytes, "-");
	return buf;
}

const char *
cli_ipv4(const uint8_t ip[4], char *buf, size_t buf_bytes)
{
	snprintf(buf, buf_bytes, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
	return buf;
}
