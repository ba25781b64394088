/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.c: adit client: machine certificates of devices, and the CRL. What
 * was issued is in the file ca/issued: serial, end of validity, time of
 * revocation or "-", name; one line each. Private keys of devices are written
 * to --out and kept nowhere else.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/secret.h"
#include "cli/ca.h"
#include "cli/cli.h"
#include "cli/pki.h"
#include "cli/psk.h"

#define CLIENT_DAYS    730
#define NAME_MAX_BYTES 64 /* ub-common-name */

/* Also a file name. */
static const char *
name_problem(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > NAME_MAX_BYTES)
		return "a name has 1 to 64 characters";
	if (name[0] == '.' || name[0] == '-' ||
	    strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789.-_@") != n)
		return "a name of a device has letters, digits, and . - _ @";
	return NULL;
}

static int
write_out(struct cli *c, const char *out, const char *name, const char *ending,
    mode_t mode, const void *content, size_t bytes)
{
	char file[CONF_PATH_MAX], path[CONF_PATH_MAX];

	snprintf(file, sizeof(file), "%s%s", name, ending);
	return path_join(path, out, file) ||
	    file_put(c, path, mode, content, bytes);
}

static int
write_bundle(struct cli *c, const char *out, const char *name,
    const struct pki_pair *pair, const struct pki_pair *ca,
    const char *password)
{
	unsigned char *der = NULL;
	size_t n = 0;
	int err;

	if (pki_pkcs12(pair, ca->certificate, name, password, &der, &n) != 0)
		return cli_fail("PKCS#12: %s", pki_error());
	err = write_out(c, out, name, ".p12", 0600, der, n) ||
	    write_out(c, out, name, ".crt", 0644, pair->certificate,
		strlen(pair->certificate)) ||
	    write_out(
		c, out, name, ".key", 0600, pair->key, strlen(pair->key)) ||
	    write_out(c, out, "ca", ".crt", 0644, ca->certificate,
		strlen(ca->certificate));
	wipe(der, n);
	free(der);
	return err;
}

static int
issue(struct cli *c, const char *name, const char *out, int days)
{
	static struct pki_pair ca, pair;
	struct pki_request request = {.name = name, .days = days};
	char serial[PKI_SERIAL_MAX], password[PASSWORD_TEXT_BYTES];
	struct ca_issued *list = NULL;
	size_t n = 0;
	int err;

	if (ca_load(c, &ca) || ca_issued_load(c, &list, &n))
		return EXIT_FAIL;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].name, name) && !list[i].revoked &&
		    list[i].not_after > (int64_t)time(NULL)) {
			free(list);
			return cli_fail("client %s has a certificate: adit "
					"client revoke %s first",
			    name, name);
		}
	free(list);
	password_make(password);
	if (pki_issue(&ca, &request, &pair, serial) != 0)
		return cli_fail("certificate: %s", pki_error());
	err = directory_put(c, out, 0700, (uid_t)-1, (gid_t)-1) ||
	    ca_issued_add(c, serial, pki_not_after(pair.certificate), name) ||
	    write_bundle(c, out, name, &pair, &ca, password);
	if (!err && c->json)
		cli_print_json(json_pack("{s:s, s:s, s:s, s:s}", "name", name,
		    "serial", serial, "directory", out, "password", password));
	else if (!err)
		printf("client %s: %s/%s.p12 for the device, its password is "
		       "%s\nInstall it as a machine certificate; delete the "
		       "files when that is done.\n",
		    name, out, name, password);
	wipe(&ca, sizeof(ca));
	wipe(&pair, sizeof(pair));
	wipe(password, sizeof(password));
	return err ? EXIT_FAIL : EXIT_OK;
}

static int
client_add(struct cli *c, int argc, char **argv)
{
	static const struct option options[] = {CLI_OPTIONS,
	    {"out", required_argument, NULL, 'o'},
	    {"days", required_argument, NULL, 'd'}, {NULL, 0, NULL, 0}};
	const char *out = NULL, *name, *why;
	char own[CONF_PATH_MAX], *end;
	long days = CLIENT_DAYS;
	int opt;

	optind = 0;
	while ((opt = cli_option(c, argc, argv, options)) != -1) {
		if (opt == 'o') {
			out = optarg;
		} else if (opt == 'd') {
			days = strtol(optarg, &end, 10);
			if (*end || days < -3650 || days > 3650)
				return cli_usage("--days: -3650 to 3650");
		} else {
			return EXIT_USAGE;
		}
	}
	if (argc - optind != 1)
		return cli_usage("client add needs a name");
	name = argv[optind];
	if ((why = name_problem(name)))
		return cli_fail("%s", why);
	if (cli_conf(c) || path_join(own, c->dir, "clients"))
		return EXIT_FAIL;
	if (c->json)
		c->quiet = true;
	return issue(c, name, out ? out : own, (int)days);
}

static int
client_revoke(struct cli *c, int argc, char **argv)
{
	static const struct option options[] = {
	    CLI_OPTIONS, {NULL, 0, NULL, 0}};
	static struct pki_pair ca;
	struct ca_issued *list = NULL;
	size_t n = 0;
	int done = 0, err;

	optind = 0;
	if (cli_option(c, argc, argv, options) != -1)
		return EXIT_USAGE;
	if (argc - optind != 1)
		return cli_usage("client revoke needs a name");
	if (cli_conf(c) || ca_load(c, &ca) || ca_issued_load(c, &list, &n))
		return EXIT_FAIL;
	c->quiet = c->json;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].name, argv[optind]) && !list[i].revoked) {
			list[i].revoked = (int64_t)time(NULL);
			done++;
		}
	if (!done)
		err = cli_fail("there is no client %s to revoke: adit client "
			       "list shows all",
		    argv[optind]);
	else
		err =
		    ca_issued_save(c, list, n) || ca_write_crl(c, &ca, list, n);
	if (!err && c->json)
		cli_print_json(json_pack(
		    "{s:s, s:i}", "name", argv[optind], "revoked", done));
	else if (!err)
		printf("client %s: revoked; a running server knows it within "
		       "seconds\n",
		    argv[optind]);
	free(list);
	wipe(&ca, sizeof(ca));
	return err ? EXIT_FAIL : EXIT_OK;
}

static int
client_list(struct cli *c, int argc, char **argv)
{
	static const struct option options[] = {
	    CLI_OPTIONS, {NULL, 0, NULL, 0}};
	struct ca_issued *list = NULL;
	char until[32], revoked[32];
	json_t *rows = NULL;
	size_t n = 0;

	optind = 0;
	if (cli_option(c, argc, argv, options) != -1)
		return EXIT_USAGE;
	if (cli_conf(c) || ca_issued_load(c, &list, &n))
		return EXIT_FAIL;
	if (c->json)
		rows = json_array();
	else
		printf("%-32s %-20s %-20s %s\n", "NAME", "VALID UNTIL",
		    "REVOKED", "SERIAL");
	for (size_t i = 0; i < n; i++) {
		cli_time(list[i].not_after, until, sizeof(until));
		cli_time(list[i].revoked, revoked, sizeof(revoked));
		if (rows)
			json_array_append_new(rows,
			    json_pack("{s:s, s:s, s:s, s:s}", "name",
				list[i].name, "valid_until", until, "revoked",
				list[i].revoked ? revoked : "", "serial",
				list[i].serial));
		else
			printf("%-32s %-20s %-20s %s\n", list[i].name, until,
			    revoked, list[i].serial);
	}
	free(list);
	return rows ? cli_print_json(rows) : EXIT_OK;
}

int
cmd_client(struct cli *c, int argc, char **argv)
{
	static const struct command commands[] = {
	    {"add", client_add, "NAME [--out DIR] [--days N]",
		"a certificate for a device"},
	    {"revoke", client_revoke, "NAME", "refuse it from now on"},
	    {"list", client_list, "", "what was issued"},
	    {NULL, NULL, NULL, NULL}};

	return cli_dispatch(c, commands, "client", argc, argv);
}
