/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ca.c: the files of the certification authority. ca/issued is text, one line
 * a certificate: serial, end of validity, time of revocation or 0, name.
 */
#include "cli/ca.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

static int
read_into(const char *path, char *ret, size_t room)
{
	size_t n;
	char *p = file_read(path, &n);
	int err = EXIT_OK;

	if (!p)
		return cli_fail(
		    "%s: %s: run adit setup as root", path, strerror(errno));
	if (n >= room)
		err = cli_fail("%s: too large to be what it should be", path);
	else
		memcpy(ret, p, n + 1);
	wipe(p, n);
	free(p);
	return err;
}

int
ca_load(struct cli *c, struct pki_pair *ret)
{
	char path[CONF_PATH_MAX];

	if (path_join(path, c->dir, "ca/ca.key") ||
	    read_into(c->conf.ca_file, ret->certificate, PKI_TEXT_MAX) ||
	    read_into(path, ret->key, PKI_TEXT_MAX))
		return EXIT_FAIL;
	if (!pki_is_pair(ret))
		return cli_fail("%s does not belong to %s: certificates can "
				"be made only by the CA that adit setup made",
		    path, c->conf.ca_file);
	return EXIT_OK;
}

int
ca_issued_load(struct cli *c, struct ca_issued **ret, size_t *ret_n)
{
	char path[CONF_PATH_MAX], *text, *line, *save = NULL;
	struct ca_issued *list, *more;
	size_t n = 0, room = 16;

	if (path_join(path, c->dir, "ca/issued"))
		return EXIT_FAIL;
	text = file_read(path, NULL);
	if (!text && errno != ENOENT)
		return cli_fail(
		    "%s: %s: run this as root", path, strerror(errno));
	list = calloc(room, sizeof(*list));
	for (line = text ? strtok_r(text, "\n", &save) : NULL; list && line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (n == room) {
			room *= 2;
			more = reallocarray(list, room, sizeof(*list));
			if (!more)
				break;
			list = more;
		}
		memset(&list[n], 0, sizeof(list[n]));
		if (sscanf(line, "%40[0-9A-F] %" SCNd64 " %" SCNd64 " %64s",
			list[n].serial, &list[n].not_after, &list[n].revoked,
			list[n].name) != 4) {
			free(list);
			free(text);
			return cli_fail("%s: line %zu is damaged: restore a "
					"copy",
			    path, n + 1);
		}
		n++;
	}
	free(text);
	if (!list || line) {
		free(list);
		return cli_fail("out of memory");
	}
	*ret = list;
	*ret_n = n;
	return EXIT_OK;
}

int
ca_issued_save(struct cli *c, const struct ca_issued *list, size_t n)
{
	char path[CONF_PATH_MAX], *text = NULL;
	bool quiet = c->quiet;
	size_t bytes = 0;
	FILE *f;
	int err;

	if (path_join(path, c->dir, "ca/issued"))
		return EXIT_FAIL;
	f = open_memstream(&text, &bytes);
	for (size_t i = 0; f && i < n; i++)
		fprintf(f, "%s %" PRId64 " %" PRId64 " %s\n", list[i].serial,
		    list[i].not_after, list[i].revoked, list[i].name);
	if (!f || fclose(f) != 0)
		return cli_fail("out of memory");
	c->quiet = true;
	err = file_put(c, path, 0600, text, bytes);
	c->quiet = quiet;
	free(text);
	return err;
}

int
ca_issued_add(
    struct cli *c, const char *serial, int64_t not_after, const char *name)
{
	struct ca_issued *list = NULL, *more;
	size_t n = 0;
	int err = ca_issued_load(c, &list, &n);

	if (err)
		return err;
	more = reallocarray(list, n + 1, sizeof(*list));
	if (!more) {
		free(list);
		return cli_fail("out of memory");
	}
	list = more;
	memset(&list[n], 0, sizeof(list[n]));
	snprintf(list[n].serial, sizeof(list[n].serial), "%s", serial);
	snprintf(list[n].name, sizeof(list[n].name), "%s", name);
	list[n].not_after = not_after;
	err = ca_issued_save(c, list, n + 1);
	free(list);
	return err;
}

int
ca_write_crl(struct cli *c, const struct pki_pair *ca,
    const struct ca_issued *list, size_t n)
{
	struct pki_revoked *revoked = calloc(n + 1, sizeof(*revoked));
	char *pem = malloc((size_t)PKI_TEXT_MAX * 8);
	char *old = file_read(c->conf.crl_file, NULL);
	int64_t number = old ? pki_crl_number(old) + 1 : 1;
	size_t k = 0;
	int err;

	free(old);
	for (size_t i = 0; revoked && i < n; i++) {
		if (!list[i].revoked)
			continue;
		memcpy(revoked[k].serial, list[i].serial,
		    sizeof(revoked[k].serial));
		revoked[k++].when_s = list[i].revoked;
	}
	if (!revoked || !pem ||
	    pki_make_crl(
		ca, revoked, k, number < 1 ? 1 : number, CRL_DAYS, pem) != 0)
		err = cli_fail("CRL: %s", pki_error());
	else
		err = file_put_in_place(
		    c, c->conf.crl_file, 0644, pem, strlen(pem));
	free(pem);
	free(revoked);
	return err;
}
