/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.c: status, sessions and disconnect: one JSON object a line to
 * l2tpd's control socket and one back; and history, from the database.
 *
 * Trusts l2tpd's answers as far as they are JSON; texts of peers in them were
 * cleaned by l2tpd.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "l2tpd/authority/history.h"

#define ANSWER_MAX    (64 * 1024 * 1024) /* bytes */
#define ANSWER_WAIT_S 10

/* l2tpd knows users by their names as they are logged. */
#define USER_CLEAN_MAX 1024

static int
control_connect(const struct cli *c)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct timeval wait = {.tv_sec = ANSWER_WAIT_S};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/l2tpd.sock",
	    c->conf.run_dir);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* One line, without its newline; malloc()ed. */
static char *
exchange(int fd, const char *request)
{
	size_t n = 0, room = 4096;
	char *buf = malloc(room), *more;
	ssize_t got;

	if (!buf || send(fd, request, strlen(request), MSG_NOSIGNAL) < 0 ||
	    send(fd, "\n", 1, MSG_NOSIGNAL) < 0)
		goto failed;
	for (;;) {
		got = recv(fd, buf + n, room - n - 1, 0);
		if (got <= 0)
			goto failed;
		n += (size_t)got;
		buf[n] = '\0';
		if ((more = strchr(buf, '\n'))) {
			*more = '\0';
			return buf;
		}
		if (room - n < 2048) {
			room *= 2;
			more = room <= ANSWER_MAX ? realloc(buf, room) : NULL;
			if (!more)
				goto failed;
			buf = more;
		}
	}
failed:
	free(buf);
	return NULL;
}

int
control_ask(const struct cli *c, json_t *request, bool quiet, json_t **ret)
{
	char *text = json_dumps(request, JSON_COMPACT), *line = NULL;
	int fd = control_connect(c), err = -EIO;
	json_t *answer = NULL;

	json_decref(request);
	if (fd < 0) {
		if (!quiet && fd == -EACCES)
			cli_fail(
			    "%s/l2tpd.sock: run this as root", c->conf.run_dir);
		else if (!quiet)
			cli_fail("l2tpd does not run (%s/l2tpd.sock: %s): "
				 "systemctl start adit.target, or adit run",
			    c->conf.run_dir, strerror(-fd));
		free(text);
		return -ECONNREFUSED;
	}
	if (text)
		line = exchange(fd, text);
	if (line)
		answer = json_loads(line, 0, NULL);
	if (answer && json_is_true(json_object_get(answer, "ok"))) {
		*ret = answer;
		answer = NULL;
		err = 0;
	} else if (!quiet) {
		const char *why =
		    json_string_value(json_object_get(answer, "error"));
		cli_fail("l2tpd: %s",
		    why ? why : "no answer: see its log, start it again");
	}
	json_decref(answer);
	free(line);
	free(text);
	close(fd);
	return err;
}

int
control_end_sessions(const struct cli *c, const char *user)
{
	char clean[USER_CLEAN_MAX];
	json_t *answer = NULL;
	int n = 0;

	log_clean(user, strlen(user), clean, sizeof(clean));
	if (control_ask(c,
		json_pack("{s:s, s:s}", "cmd", "disconnect", "user", clean),
		true, &answer) == 0)
		n = (int)json_integer_value(
		    json_object_get(answer, "disconnected"));
	json_decref(answer);
	return n;
}

static int
no_arguments(struct cli *c, int argc, char **argv)
{
	static const struct option options[] = {
	    CLI_OPTIONS, {NULL, 0, NULL, 0}};

	optind = 0;
	if (cli_option(c, argc, argv, options) != -1)
		return EXIT_USAGE;
	return EXIT_OK;
}

static void
print_value(const char *key, const json_t *v)
{
	if (json_is_string(v))
		printf("%-16s %s\n", key, json_string_value(v));
	else if (json_is_integer(v))
		printf("%-16s %" JSON_INTEGER_FORMAT "\n", key,
		    json_integer_value(v));
	else if (json_is_boolean(v))
		printf("%-16s %s\n", key, json_is_true(v) ? "yes" : "no");
}

int
cmd_status(struct cli *c, int argc, char **argv)
{
	json_t *answer, *v, *inner;
	const char *key, *inner_key;
	char both[64];
	int err = no_arguments(c, argc, argv);

	if (err || (err = cli_conf(c)))
		return err;
	if (control_ask(c, json_pack("{s:s}", "cmd", "status"), false, &answer))
		return EXIT_FAIL;
	json_object_del(answer, "ok");
	if (c->json)
		return cli_print_json(answer);
	json_object_foreach(answer, key, v)
	{
		print_value(key, v);
		json_object_foreach(v, inner_key, inner)
		{
			snprintf(both, sizeof(both), "%s.%s", key, inner_key);
			print_value(both, inner);
		}
	}
	json_decref(answer);
	return EXIT_OK;
}

/* ---- a table whose columns are as wide as what is in them ---- */

struct column {
	const char *title, *key;
};

static const char *
cell(const json_t *row, const char *key, char *buf, size_t n)
{
	const json_t *v = json_object_get(row, key), *item;
	size_t i, at = 0;

	if (json_is_array(v) && json_array_size(v) > 0) {
		json_array_foreach(v, i, item) if (at < n) at +=
		    (size_t)snprintf(buf + at, n - at, "%s%s", i > 0 ? "," : "",
			json_string_value(item));
		return buf;
	}
	if (json_is_integer(v)) {
		snprintf(
		    buf, n, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		return buf;
	}
	return json_is_string(v) && *json_string_value(v) ? json_string_value(v)
							  : "-";
}

static void
print_table(const json_t *rows, const struct column *columns)
{
	size_t i, width[16] = {0}, n;
	const json_t *row;
	char buf[512];

	for (n = 0; columns[n].title; n++) {
		width[n] = strlen(columns[n].title);
		json_array_foreach(rows, i, row)
		{
			size_t w =
			    strlen(cell(row, columns[n].key, buf, sizeof(buf)));
			if (w > width[n])
				width[n] = w;
		}
	}
	for (i = 0; i < n; i++)
		printf("%-*s%s", i + 1 < n ? (int)width[i] : 0,
		    columns[i].title, i + 1 < n ? "  " : "\n");
	json_array_foreach(rows, i, row) for (size_t k = 0; k < n; k++)
	    printf("%-*s%s", k + 1 < n ? (int)width[k] : 0,
		cell(row, columns[k].key, buf, sizeof(buf)),
		k + 1 < n ? "  " : "\n");
}

static int
print_rows(const struct cli *c, json_t *rows, const struct column *columns)
{
	if (c->json)
		return cli_print_json(rows);
	print_table(rows, columns);
	json_decref(rows);
	return EXIT_OK;
}

int
cmd_sessions(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"ID", "id"}, {"USER", "user"},
	    {"DEVICE", "device_address"}, {"PORT", "device_port"},
	    {"INNER", "inner_ipv4"}, {"SINCE", "since"},
	    {"BYTES IN", "bytes_in"}, {"BYTES OUT", "bytes_out"},
	    {"CIPHER", "cipher"}, {"PLANE", "plane"}, {"ROUTES", "routes"},
	    {NULL, NULL}};
	int err = no_arguments(c, argc, argv);
	json_t *answer, *rows;

	if (err || (err = cli_conf(c)))
		return err;
	if (control_ask(
		c, json_pack("{s:s}", "cmd", "sessions"), false, &answer))
		return EXIT_FAIL;
	rows = json_incref(json_object_get(answer, "sessions"));
	json_decref(answer);
	if (!json_is_array(rows)) {
		json_decref(rows);
		return cli_fail("l2tpd: no list of sessions in its answer: "
				"adit and l2tpd are of different versions");
	}
	return print_rows(c, rows, columns);
}

int
cmd_disconnect(struct cli *c, int argc, char **argv)
{
	int err = no_arguments(c, argc, argv);
	char clean[USER_CLEAN_MAX];
	json_t *request, *answer;
	long long id;
	char *end;

	if (err)
		return err;
	if (argc - optind != 1)
		return cli_usage("disconnect needs one session id or user");
	id = strtoll(argv[optind], &end, 10);
	request = *end == '\0' && id > 0
	    ? json_pack("{s:s, s:I}", "cmd", "disconnect", "id", (json_int_t)id)
	    : json_pack("{s:s, s:s}", "cmd", "disconnect", "user",
		  log_clean(argv[optind], strlen(argv[optind]), clean,
		      sizeof(clean)));
	if ((err = cli_conf(c))) {
		json_decref(request);
		return err;
	}
	if (control_ask(c, request, false, &answer))
		return EXIT_FAIL;
	id = json_integer_value(json_object_get(answer, "disconnected"));
	if (c->json) {
		json_object_del(answer, "ok");
		cli_print_json(answer);
	} else {
		json_decref(answer);
		printf("%lld session%s ended\n", id, id == 1 ? "" : "s");
	}
	return id > 0 ? EXIT_OK
		      : cli_fail("no such session: adit sessions "
				 "shows who is connected");
}

/* ---- history ---- */

static bool
add_row(void *ctx, const struct history *h)
{
	char started[32], ended[32], ip[16];

	json_array_append_new(ctx,
	    json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "id",
		(json_int_t)h->ref, "user", h->user, "device", h->device,
		"inner_ipv4", cli_ipv4(h->ipv4, ip, sizeof(ip)), "started",
		cli_time(h->started, started, sizeof(started)), "ended",
		cli_time(h->ended, ended, sizeof(ended)), "bytes_in",
		(json_int_t)h->bytes_in, "bytes_out", (json_int_t)h->bytes_out,
		"reason", h->reason));
	return true;
}

int
cmd_history(struct cli *c, int argc, char **argv)
{
	static const struct column columns[] = {{"ID", "id"}, {"USER", "user"},
	    {"DEVICE", "device"}, {"INNER", "inner_ipv4"},
	    {"STARTED", "started"}, {"ENDED", "ended"},
	    {"BYTES IN", "bytes_in"}, {"BYTES OUT", "bytes_out"},
	    {"REASON", "reason"}, {NULL, NULL}};
	int err = no_arguments(c, argc, argv);
	const char *user;
	json_t *rows;
	struct db *db;

	if (err)
		return err;
	user = optind < argc ? argv[optind] : "";
	if ((err = cli_database(c, &db)))
		return err;
	rows = json_array();
	err = history_each(db, user, 1000, add_row, rows);
	if (err) {
		err = cli_fail("the database: %s", db_error(db));
		json_decref(rows);
	} else {
		err = print_rows(c, rows, columns);
	}
	db_close(db);
	return err;
}
