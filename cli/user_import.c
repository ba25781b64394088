/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user_import.c: adit user import FILE.csv (RFC 4180, UTF-8): a line is
 * name,password[,groups[,ip[,max-sessions[,valid-until[,routes]]]]]. A first
 * line that begins with "name,password" is a heading. All or nothing: with one
 * bad line nothing is imported, unless --skip-bad.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"
#include "cli/cli.h"
#include "l2tpd/authority/users.h"

enum {
	FIELD_NAME,
	FIELD_PASSWORD,
	FIELD_GROUPS,
	FIELD_IP,
	FIELD_LIMIT,
	FIELD_UNTIL,
	FIELD_ROUTES,
	FIELD_COUNT
};

/* Split one record in place; *p moves behind it. RFC 4180 2. NULL or why. */
static const char *
split(char **p, char *fields[FIELD_COUNT], int *ret_count)
{
	char *in = *p, *out;
	int n = 0;

	for (;;) {
		bool quoted = *in == '"';

		if (n == FIELD_COUNT) {
			*p = in + strcspn(in, "\n");
			*p += **p == '\n';
			return "more than seven fields";
		}
		in += quoted;
		fields[n++] = out = in;
		while (*in && (quoted || (*in != ',' && *in != '\n'))) {
			if (quoted && *in == '"') {
				if (in[1] != '"')
					break;
				in++;
			}
			*out++ = *in++;
		}
		if (quoted) {
			if (*in != '"') {
				*p = in;
				return "a quote is not closed";
			}
			in++;
		} else if (out > fields[n - 1] && out[-1] == '\r') {
			out--;
		}
		in += *in == '\r';
		if (*in != ',') {
			*p = *in == '\n' ? in + 1 : in + strcspn(in, "\n");
			if (*in && *in != '\n') {
				*p += **p == '\n';
				*out = '\0';
				return "text follows a closed quote";
			}
			*out = '\0';
			*ret_count = n;
			return NULL;
		}
		in++;
		*out = '\0';
	}
}

static const char *
to_user(
    const struct cli *c, char *fields[FIELD_COUNT], int count, struct user *u)
{
	const char *why;

	if (count < 2)
		return "a line needs name,password";
	if ((why = user_name_problem(fields[FIELD_NAME])))
		return why;
	snprintf(u->name, sizeof(u->name), "%s", fields[FIELD_NAME]);
	why = user_parse_password(
	    fields[FIELD_PASSWORD], strlen(fields[FIELD_PASSWORD]), u);
	if (!why && count > FIELD_GROUPS)
		why = user_parse_groups(fields[FIELD_GROUPS], u);
	if (!why && count > FIELD_IP)
		why = user_parse_ipv4(c, fields[FIELD_IP], u);
	if (!why && count > FIELD_LIMIT)
		why = user_parse_limit(fields[FIELD_LIMIT], u);
	if (!why && count > FIELD_UNTIL)
		why = user_parse_until(fields[FIELD_UNTIL], u);
	if (!why && count > FIELD_ROUTES && fields[FIELD_ROUTES][0])
		why = user_parse_routes(c, fields[FIELD_ROUTES], u);
	return why;
}

static const char *
store(struct db *db, const struct user *u)
{
	switch (users_add(db, u, (int64_t)time(NULL))) {
	case 0:
		return NULL;
	case -EEXIST:
		return "this user is there already";
	case -EADDRINUSE:
		return "another user has this static address";
	default:
		return db_error(db);
	}
}

static int
count_lines(const char *from, const char *to)
{
	int n = 0;

	for (; from < to; from++)
		n += *from == '\n';
	return n;
}

/* Every record of text. Good ones go into the open transaction. */
static void
import_text(struct cli *c, struct db *db, const char *file, char *text,
    size_t bytes, int *ret_good, int *ret_bad)
{
	char *fields[FIELD_COUNT], *p = text, *next = text;
	struct user u;
	const char *why;
	int line = 1, count = 0, lines;

	if (bytes >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		next = p = text + 3; /* a byte order mark, as Excel writes */
	if (strncasecmp(p, "name,password", 13) == 0) {
		next = p += strcspn(p, "\n");
		next = p += *p == '\n';
		line = 2;
	}
	while (*p) {
		bool empty = *p == '\n' || *p == '\r';

		/* before split() writes zeros into it */
		why = NULL;
		next = p;
		lines = 0;
		if (!empty) {
			char *copy = strdup(p);
			char *q = copy;
			why = copy ? split(&q, fields, &count) : "no memory";
			next = p + (q - copy);
			lines = count_lines(p, next);
			memset(&u, 0, sizeof(u));
			u.max_sessions = -1;
			if (!why)
				why = to_user(c, fields, count, &u);
			if (!why)
				why = store(db, &u);
			if (copy)
				wipe(copy, strlen(p));
			free(copy);
			wipe(&u, sizeof(u));
			*(why ? ret_bad : ret_good) += 1;
		} else {
			next = p + strcspn(p, "\n");
			next += *next == '\n';
			lines = 1;
		}
		if (why)
			cli_fail("%s:%d: %s", file, line, why);
		line += lines;
		p = next;
	}
}

int
user_import(struct cli *c, int argc, char **argv)
{
	static const struct option options[] = {CLI_OPTIONS,
	    {"skip-bad", no_argument, NULL, 'k'}, {NULL, 0, NULL, 0}};
	int good = 0, bad = 0, opt, err;
	bool skip = false, keep;
	struct db *db;
	size_t bytes;
	char *text;

	optind = 0;
	while ((opt = cli_option(c, argc, argv, options)) != -1) {
		if (opt != 'k')
			return EXIT_USAGE;
		skip = true;
	}
	if (argc - optind != 1)
		return cli_usage("user import needs one file");
	if ((err = cli_database(c, &db)))
		return err;
	text = file_read(argv[optind], &bytes);
	if (!text || memchr(text, 0, bytes) || db_transaction(db, DB_BEGIN)) {
		err = cli_fail("%s: %s", argv[optind],
		    !text ? strerror(errno)
			  : "not a text file, or the database is busy");
		goto out;
	}
	import_text(c, db, argv[optind], text, bytes, &good, &bad);
	keep = bad == 0 || skip;
	if (db_transaction(db, keep ? DB_COMMIT : DB_ROLLBACK))
		err = cli_fail("the database: %s", db_error(db));
	else if (c->json)
		cli_print_json(json_pack(
		    "{s:i, s:i}", "imported", keep ? good : 0, "bad", bad));
	else
		printf("%d imported, %d bad%s\n", keep ? good : 0, bad,
		    keep ? ""
			 : ": nothing changed; mend the lines, or give "
			   "--skip-bad");
	if (bad)
		err = EXIT_FAIL;
out:
	if (text)
		wipe(text, bytes);
	free(text);
	db_close(db);
	return err;
}
