/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli.h: what the sub-commands of adit share: global options, errors, files,
 * templates, the control socket, the database. adit runs as root and trusts
 * its command line; files that it reads may be anything.
 */
#ifndef ADIT_CLI_CLI_H
#define ADIT_CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <jansson.h>

#include "l2tpd/authority/db.h"
#include "l2tpd/conf/conf.h"

/* strongswan.conf: who is IPsec and who has the IKE sockets */
#define CLI_CHARON_PLUGINS_USER   "adit! kernel-netlink"
#define CLI_CHARON_PLUGINS_KERNEL "kernel-netlink! socket-default!"

enum { EXIT_OK = 0, EXIT_FAIL = 1, EXIT_USAGE = 2 };

struct cli {
	const char *config;    /* --config */
	const char *templates; /* --templates */
	bool json;             /* --json */
	bool dry_run;          /* setup */
	bool quiet;            /* say nothing about files */
	int changes;           /* setup: things that were (or would be) done */
	char dir[CONF_PATH_MAX]; /* where config is */
	struct adit_conf conf;   /* after cli_conf() */
};

struct command {
	const char *name;
	int (*run)(struct cli *c, int argc, char **argv); /* exit status */
	const char *arguments, *help;
};

/* "adit: ..." to stderr. Returns EXIT_FAIL. */
int cli_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Points to the help. Returns EXIT_USAGE. */
int cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Runs argv[1] by a table that ends with name NULL; group: "user" or NULL. */
int cli_dispatch(struct cli *c, const struct command *table, const char *group,
    int argc, char **argv);

/* Options that every command knows, for getopt_long(). */
#define CLI_OPTIONS                                                            \
	{"config", required_argument, NULL, 'C'},                              \
	    {"json", no_argument, NULL, 'J'},                                  \
	{                                                                      \
		"templates", required_argument, NULL, 'T'                      \
	}
/* Next option, with the common ones done: -1 at the end, '?' when wrong (was
 * said). Begin with optind = 0. */
int cli_option(
    struct cli *c, int argc, char **argv, const struct option *options);

/* Load --config into c->conf. 0 or EXIT_FAIL (was said). */
int cli_conf(struct cli *c);
/* The database, with its directory and owners put right. 0 or EXIT_FAIL. */
int cli_database(struct cli *c, struct db **ret);
/* Print as one JSON document; gives the reference back. EXIT_OK. */
int cli_print_json(json_t *j);
/* RFC 3339; "-" for 0. Returns buf. */
const char *cli_time(int64_t s, char *buf, size_t buf_bytes);
const char *cli_ipv4(const uint8_t ip[4], char *buf, size_t buf_bytes);

/* ---- files.c ---- */

/* The whole file, zero-terminated, malloc()ed; NULL with errno. */
char *file_read(const char *path, size_t *ret_bytes);
/* Make path be content, atomically, with mode; a file that is so already is
 * left alone. Says what it did, counts c->changes, does nothing in a dry run.
 * 0 or EXIT_FAIL (was said). */
int file_put(struct cli *c, const char *path, mode_t mode, const void *content,
    size_t bytes);
/* The same in place, keeping the inode, under an exclusive flock(2). */
int file_put_in_place(struct cli *c, const char *path, mode_t mode,
    const void *content, size_t bytes);
/* Make a directory (and its parents, 0755). uid -1: leave the owner. */
int directory_put(
    struct cli *c, const char *path, mode_t mode, uid_t uid, gid_t gid);
/* dir "/" name into buf of CONF_PATH_MAX. 0 or EXIT_FAIL (was said). */
int path_join(char *buf, const char *dir, const char *name);

struct template_value {
	const char *name, *value;
};
/* c->templates/name with each @key@ replaced; malloc()ed. NULL: was said. */
char *template_fill(
    const struct cli *c, const char *name, const struct template_value *values);

/* ---- control.c ---- */

/* One request to l2tpd; takes the reference. *ret: the answer, when "ok".
 * 0; -ECONNREFUSED: l2tpd does not run; -EIO. quiet: say nothing. */
int control_ask(const struct cli *c, json_t *request, bool quiet, json_t **ret);
/* End the live sessions of a user, if l2tpd runs. How many. */
int control_end_sessions(const struct cli *c, const char *user);

/* ---- the commands ---- */

int cmd_setup(struct cli *c, int argc, char **argv);
int cmd_user(struct cli *c, int argc, char **argv);
int cmd_client(struct cli *c, int argc, char **argv);
int cmd_status(struct cli *c, int argc, char **argv);
int cmd_sessions(struct cli *c, int argc, char **argv);
int cmd_history(struct cli *c, int argc, char **argv);
int cmd_disconnect(struct cli *c, int argc, char **argv);
int cmd_firewall(struct cli *c, int argc, char **argv);
int cmd_connect(struct cli *c, int argc, char **argv);
int cmd_run(struct cli *c, int argc, char **argv);

/* user_import.c; the line's fields are as of `user add`. */
int user_import(struct cli *c, int argc, char **argv);
/* Fill the options of a user from text. NULL or what is wrong. */
struct user;
const char *user_parse_ipv4(
    const struct cli *c, const char *text, struct user *u);
const char *user_parse_limit(const char *text, struct user *u);
const char *user_parse_until(const char *text, struct user *u);
const char *user_parse_routes(
    const struct cli *c, const char *text, struct user *u);
const char *user_parse_groups(const char *text, struct user *u);
const char *user_parse_password(const char *text, size_t bytes, struct user *u);

#endif
