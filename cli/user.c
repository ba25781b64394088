/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user.c: adit user: people in the database. Passwords come by prompt without
 * echo, from standard input or are generated; never in argv, where every
 * process of the machine could read them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/secret.h"
#include "cli/cli.h"
#include "cli/psk.h"
#include "l2tpd/authority/users.h"
#include "l2tpd/conf/sites.h"
#include "ppp-glue/engine/mschap.h"

#define PASSWORD_MAX   256 /* bytes; MS-CHAPv2 takes 256 characters */
#define PASSWORD_SHORT 10  /* below: a warning */

/* ---- fields ---- */

const char *
user_parse_password(const char *text, size_t bytes, struct user *u)
{
	if (bytes == 0)
		return "the password is empty";
	if (bytes > PASSWORD_MAX)
		return "the password has more than 256 bytes";
	if (mschap_nt_hash(text, bytes, u->nt_hash) != 0)
		return "the password is not UTF-8 text";
	return NULL;
}

const char *
user_parse_ipv4(const struct cli *c, const char *text, struct user *u)
{
	struct in_addr a;

	u->has_ipv4 = false;
	if (!*text || !strcmp(text, "none"))
		return NULL;
	if (inet_pton(AF_INET, text, &a) != 1)
		return "the static address is not an IPv4 address";
	memcpy(u->ipv4, &a, 4);
	if (!conf_is_client(&c->conf, u->ipv4))
		return "the static address must be a client's address in the "
		       "network of adit.conf's pool section";
	u->has_ipv4 = true;
	return NULL;
}

const char *
user_parse_limit(const char *text, struct user *u)
{
	char *end;
	long n;

	u->max_sessions = -1;
	if (!*text || !strcmp(text, "default"))
		return NULL;
	n = strtol(text, &end, 10);
	if (*end || n < 0 || n > 10000)
		return "the number of sessions must be 0 (no limit) to 10000, "
		       "or default";
	u->max_sessions = (int32_t)n;
	return NULL;
}

const char *
user_parse_until(const char *text, struct user *u)
{
	struct tm tm = {0};
	const char *end;

	u->valid_until = 0;
	if (!*text || !strcmp(text, "none"))
		return NULL;
	end = strptime(text, "%Y-%m-%d", &tm);
	if (!end || *end)
		return "the date must be like 2027-12-31";
	/* to the end of that day, here */
	tm.tm_mday++;
	tm.tm_isdst = -1;
	u->valid_until = (int64_t)mktime(&tm);
	return NULL;
}

const char *
user_parse_groups(const char *text, struct user *u)
{
	if (strlen(text) > USER_GROUPS_MAX)
		return "the groups have more than 255 bytes";
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || strchr("\"\\\x7f", *p))
			return "groups are names with commas between them";
	snprintf(u->groups, sizeof(u->groups), "%s", text);
	return NULL;
}

const char *
user_parse_routes(const struct cli *c, const char *text, struct user *u)
{
	const char *why = NULL;

	if (!strcmp(text, "none")) {
		u->routes.count = 0;
		return NULL;
	}
	why = sites_parse(text, &u->routes);
	for (size_t i = 0; !why && i < u->routes.count; i++)
		why = sites_problem(&c->conf, &u->routes.at[i]);
	return why;
}

/* ---- passwords ---- */

static bool
prompt_line(const char *prompt, char *buf, size_t room)
{
	struct termios old, silent;
	bool ok;

	if (tcgetattr(STDIN_FILENO, &old) < 0)
		return false;
	silent = old;
	silent.c_lflag &= (tcflag_t)~ECHO;
	silent.c_lflag |= ECHONL;
	fputs(prompt, stderr);
	fflush(stderr);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	ok = fgets(buf, (int)room, stdin) != NULL;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	if (ok)
		buf[strcspn(buf, "\n")] = '\0';
	return ok;
}

static int
ask_password(char *buf, size_t room)
{
	char again[PASSWORD_MAX + 3] = "";
	int err = EXIT_OK;

	if (!isatty(STDIN_FILENO))
		return cli_fail("no terminal to ask for the password: give "
				"--password-stdin or --generate");
	if (!prompt_line("Password: ", buf, room) ||
	    !prompt_line("Password again: ", again, sizeof(again)))
		err = cli_fail("no password was given");
	else if (strcmp(buf, again) != 0)
		err = cli_fail("the two are not the same: try again");
	wipe(again, sizeof(again));
	return err;
}

enum source { SOURCE_PROMPT, SOURCE_STDIN, SOURCE_GENERATE };

/* The password by source into u->nt_hash; generated: shown afterwards. */
static int
get_password(
    enum source source, struct user *u, char ret_generated[PASSWORD_TEXT_BYTES])
{
	char buf[PASSWORD_MAX + 3] = "";
	const char *why;
	int err = EXIT_OK;

	ret_generated[0] = '\0';
	if (source == SOURCE_GENERATE) {
		password_make(ret_generated);
		snprintf(buf, sizeof(buf), "%s", ret_generated);
	} else if (source == SOURCE_STDIN) {
		if (!fgets(buf, sizeof(buf), stdin))
			err = cli_fail("no password on standard input");
		buf[strcspn(buf, "\r\n")] = '\0';
	} else {
		err = ask_password(buf, sizeof(buf));
	}
	if (!err && (why = user_parse_password(buf, strlen(buf), u)))
		err = cli_fail("%s", why);
	if (!err && strlen(buf) < PASSWORD_SHORT)
		fprintf(stderr,
		    "adit: warning: a password of less than %d characters is "
		    "guessed easily; --generate makes a good one\n",
		    PASSWORD_SHORT);
	wipe(buf, sizeof(buf));
	return err;
}

static int
report(const struct cli *c, const char *user, const char *done,
    char generated[PASSWORD_TEXT_BYTES], int ended)
{
	json_t *j;

	if (c->json) {
		j = json_pack("{s:s, s:s, s:i}", "user", user, "done", done,
		    "sessions_ended", ended);
		if (generated && generated[0])
			json_object_set_new(
			    j, "password", json_string(generated));
		cli_print_json(j);
	} else {
		printf("user %s: %s\n", user, done);
		if (generated && generated[0])
			printf("password: %s\n", generated);
		if (ended > 0)
			printf("%d live session%s ended\n", ended,
			    ended == 1 ? "" : "s");
	}
	if (generated)
		wipe(generated, PASSWORD_TEXT_BYTES);
	return EXIT_OK;
}

static int
complain(struct db *db, int err, const char *name)
{
	switch (err) {
	case -ENOENT:
		return cli_fail(
		    "there is no user %s: adit user list shows all", name);
	case -EEXIST:
		return cli_fail("user %s is there already: adit user set or "
				"passwd changes it",
		    name);
	case -EADDRINUSE:
		return cli_fail("another user has this static address: adit "
				"user list shows which");
	case -EBUSY:
		return cli_fail("the database is busy: try again");
	default:
		return cli_fail("the database: %s", db_error(db));
	}
}

/* ---- add, set, passwd ---- */

static const struct option add_options[] = {CLI_OPTIONS,
    {"password-stdin", no_argument, NULL, 's'},
    {"generate", no_argument, NULL, 'g'}, {"ip", required_argument, NULL, 'i'},
    {"groups", required_argument, NULL, 'G'},
    {"max-sessions", required_argument, NULL, 'm'},
    {"valid-until", required_argument, NULL, 'u'},
    {"route", required_argument, NULL, 'r'}, {NULL, 0, NULL, 0}};

/* Options of add and set. why: a text that says what is wrong with one. */
static int
parse_options(struct cli *c, int argc, char **argv, struct user *u,
    enum source *source, bool *ret_password)
{
	const char *why = NULL;
	bool routes = false;
	int opt;

	optind = 0;
	while (!why && (opt = cli_option(c, argc, argv, add_options)) != -1) {
		switch (opt) {
		case 's':
		case 'g':
			*source = opt == 's' ? SOURCE_STDIN : SOURCE_GENERATE;
			*ret_password = true;
			break;
		case 'i':
			why = user_parse_ipv4(c, optarg, u);
			break;
		case 'G':
			why = user_parse_groups(optarg, u);
			break;
		case 'm':
			why = user_parse_limit(optarg, u);
			break;
		case 'u':
			why = user_parse_until(optarg, u);
			break;
		case 'r': /* given twice: both; else instead of the old ones */
			if (!routes)
				u->routes.count = 0;
			routes = true;
			why = user_parse_routes(c, optarg, u);
			break;
		default:
			return EXIT_USAGE;
		}
	}
	return why ? cli_fail("%s", why) : EXIT_OK;
}

/* The only positional argument: a user's name. NULL: was said. */
static const char *
only_name(int argc, char **argv)
{
	if (argc - optind == 1)
		return argv[optind];
	if (argc - optind > 1)
		cli_usage("user %s takes one name (a password is never an "
			  "argument: use --password-stdin)",
		    argv[0]);
	else
		cli_usage("user %s needs a name", argv[0]);
	return NULL;
}

/* A first pass for the common options: the pool of the configuration, which
 * --config names, is needed to judge --ip in the second. */
static int
open_for(struct cli *c, int argc, char **argv, struct db **ret)
{
	int opt;

	optind = 0;
	while ((opt = cli_option(c, argc, argv, add_options)) != -1)
		if (opt == '?')
			return EXIT_USAGE;
	return cli_database(c, ret);
}

static int
user_add(struct cli *c, int argc, char **argv)
{
	char generated[PASSWORD_TEXT_BYTES] = "";
	struct user u = {.max_sessions = -1};
	enum source source = SOURCE_PROMPT;
	const char *name, *why;
	struct db *db;
	bool password;
	int err = open_for(c, argc, argv, &db);

	if (err)
		return err;
	err = parse_options(c, argc, argv, &u, &source, &password);
	if (!err && !(name = only_name(argc, argv)))
		err = EXIT_USAGE;
	if (!err && (why = user_name_problem(name)))
		err = cli_fail("%s", why);
	if (!err) {
		snprintf(u.name, sizeof(u.name), "%s", name);
		err = get_password(source, &u, generated);
	}
	if (!err && (err = users_add(db, &u, (int64_t)time(NULL))) != 0)
		err = complain(db, err, u.name);
	else if (!err)
		err = report(c, u.name, "added", generated, 0);
	wipe(&u, sizeof(u));
	db_close(db);
	return err;
}

/* set: options given change, others stay; passwd: only the password. */
static int
change(struct cli *c, int argc, char **argv, bool passwd)
{
	char generated[PASSWORD_TEXT_BYTES] = "";
	struct user u = {.max_sessions = -1}, ignored = u;
	enum source source = SOURCE_PROMPT;
	bool password = passwd;
	const char *name = NULL;
	struct db *db;
	int err = open_for(c, argc, argv, &db);

	if (err)
		return err;
	err = parse_options(c, argc, argv, &ignored, &source, &password);
	if (!err && !(name = only_name(argc, argv)))
		err = EXIT_USAGE;
	if (err)
		goto out;
	err = users_find(db, name, strlen(name), &u);
	if (err) {
		err = complain(db, err, name);
		goto out;
	}
	/* once more, now over what the user has */
	err = parse_options(c, argc, argv, &u, &source, &password);
	if (!err && password)
		err = get_password(source, &u, generated);
	if (err)
		goto out;
	err = users_set(db, &u, (int64_t)time(NULL));
	err = err ? complain(db, err, u.name)
		  : report(c, u.name, password ? "password changed" : "changed",
			generated, 0);
out:
	wipe(&u, sizeof(u));
	db_close(db);
	return err;
}

static int
user_set(struct cli *c, int argc, char **argv)
{
	return change(c, argc, argv, false);
}

static int
user_passwd(struct cli *c, int argc, char **argv)
{
	return change(c, argc, argv, true);
}

/* ---- del, disable, enable ---- */

enum fate { FATE_DELETE, FATE_DISABLE, FATE_ENABLE };

static int
decide(struct cli *c, int argc, char **argv, enum fate fate)
{
	static const struct option options[] = {
	    CLI_OPTIONS, {NULL, 0, NULL, 0}};
	static const char *const done[] = {
	    [FATE_DELETE] = "deleted",
	    [FATE_DISABLE] = "disabled",
	    [FATE_ENABLE] = "enabled",
	};
	const char *name;
	struct user u;
	struct db *db;
	int err;

	optind = 0;
	if (cli_option(c, argc, argv, options) != -1)
		return EXIT_USAGE;
	if (!(name = only_name(argc, argv)))
		return EXIT_USAGE;
	if ((err = cli_database(c, &db)))
		return err;
	err = users_find(db, name, strlen(name), &u);
	if (!err && fate == FATE_DELETE)
		err = users_delete(db, u.name);
	else if (!err)
		err = users_set_disabled(
		    db, u.name, fate == FATE_DISABLE, (int64_t)time(NULL));
	if (err)
		err = complain(db, err, name);
	else
		err = report(c, u.name, done[fate], NULL,
		    fate == FATE_ENABLE ? 0 : control_end_sessions(c, u.name));
	wipe(&u, sizeof(u));
	db_close(db);
	return err;
}

static int
user_del(struct cli *c, int argc, char **argv)
{
	return decide(c, argc, argv, FATE_DELETE);
}

static int
user_disable(struct cli *c, int argc, char **argv)
{
	return decide(c, argc, argv, FATE_DISABLE);
}

static int
user_enable(struct cli *c, int argc, char **argv)
{
	return decide(c, argc, argv, FATE_ENABLE);
}

/* ---- list ---- */

static json_t *
list_routes(const struct ipv4_networks *nets)
{
	json_t *list = json_array();
	char text[IPV4_NETWORK_TEXT];

	for (size_t i = 0; i < nets->count; i++)
		json_array_append_new(list,
		    json_string(
			ipv4_network_format(&nets->at[i], text, sizeof(text))));
	return list;
}

static bool
list_one(void *ctx, const struct user *u)
{
	char until[32], ip[16] = "";
	json_t *j;

	if (u->has_ipv4)
		cli_ipv4(u->ipv4, ip, sizeof(ip));
	j = json_pack("{s:s, s:b, s:s, s:s, s:o, s:s, s:o}", "name", u->name,
	    "disabled", u->disabled, "groups", u->groups, "ipv4", ip,
	    "max_sessions",
	    u->max_sessions < 0 ? json_null() : json_integer(u->max_sessions),
	    "valid_until",
	    u->valid_until ? cli_time(u->valid_until, until, sizeof(until))
			   : "",
	    "routes", list_routes(&u->routes));
	return json_array_append_new(ctx, j) == 0;
}

static void
print_users(const json_t *rows)
{
	const json_t *row, *route;
	size_t i, k;

	printf("%-24s %-8s %-15s %-20s %-16s %s\n", "NAME", "STATE", "ADDRESS",
	    "VALID UNTIL", "GROUPS", "ROUTES");
	json_array_foreach(rows, i, row)
	{
#define TEXT(key) json_string_value(json_object_get(row, key))
		printf("%-24s %-8s %-15s %-20s %-16s ", TEXT("name"),
		    json_is_true(json_object_get(row, "disabled")) ? "disabled"
								   : "enabled",
		    *TEXT("ipv4") ? TEXT("ipv4") : "pool",
		    *TEXT("valid_until") ? TEXT("valid_until") : "-",
		    *TEXT("groups") ? TEXT("groups") : "-");
#undef TEXT
		json_array_foreach(json_object_get(row, "routes"), k, route)
		    printf("%s%s", k > 0 ? "," : "", json_string_value(route));
		puts(k > 0 ? "" : "-");
	}
}

static int
user_list(struct cli *c, int argc, char **argv)
{
	static const struct option options[] = {
	    CLI_OPTIONS, {NULL, 0, NULL, 0}};
	json_t *rows;
	struct db *db;
	int err;

	optind = 0;
	if (cli_option(c, argc, argv, options) != -1)
		return EXIT_USAGE;
	if ((err = cli_database(c, &db)))
		return err;
	rows = json_array();
	err = users_each(db, list_one, rows);
	if (err) {
		err = complain(db, err, "");
		json_decref(rows);
	} else if (c->json) {
		cli_print_json(rows);
	} else {
		print_users(rows);
		json_decref(rows);
	}
	db_close(db);
	return err;
}

int
cmd_user(struct cli *c, int argc, char **argv)
{
	static const struct command commands[] = {
	    {"add", user_add,
		"NAME [--password-stdin|--generate] [--ip A] [--groups G,G]\n"
		"             [--max-sessions N] [--valid-until YYYY-MM-DD]\n"
		"             [--route NET[,NET...]]",
		"let somebody in"},
	    {"set", user_set, "NAME (options as of add)",
		"change what is given"},
	    {"passwd", user_passwd, "NAME [--password-stdin|--generate]",
		"change the password"},
	    {"disable", user_disable, "NAME",
		"refuse from now on, end live sessions"},
	    {"enable", user_enable, "NAME", "let in again"},
	    {"del", user_del, "NAME", "forget, end live sessions"},
	    {"list", user_list, "", "who may in"},
	    {"import", user_import, "FILE.csv [--skip-bad]",
		"name,password[,groups[,ip[,max-sessions[,valid-until[,"
		"routes]]]]]"},
	    {NULL, NULL, NULL, NULL}};

	return cli_dispatch(c, commands, "user", argc, argv);
}
