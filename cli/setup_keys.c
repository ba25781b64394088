/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup_keys.c: PSK, CA, server certificate and CRL. A secret that is there is
 * never replaced but by --psk-file; a server certificate is made anew when it
 * does not name the address, ends soon, or does not belong to its key. Files
 * of another CA (no ca/ca.key beside ca.crt) are left alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "cli/ca.h"
#include "cli/pki.h"
#include "cli/psk.h"
#include "cli/setup.h"

#define SERVER_DAYS 825 /* the most that Apple takes of a TLS server */
#define RENEW_DAYS  60  /* renew when less is left */

/* ---- keys ---- */

static int
put_psk(struct setup *s, const char *psk)
{
	char line[260];
	int err;

	snprintf(line, sizeof(line), "%s\n", psk);
	err = file_put(s->c, s->c->conf.psk_file, 0600, line, strlen(line));
	wipe(line, sizeof(line));
	return err;
}

/* The secret of --psk-file; malloc()ed, NULL: was said. */
static char *
given_psk(struct setup *s)
{
	size_t n;
	char *text = file_read(s->psk_file, &n);
	const char *why;

	if (!text) {
		cli_fail("%s: %s", s->psk_file, strerror(errno));
		return NULL;
	}
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		text[--n] = '\0';
	why = psk_problem(text, n);
	if (!why)
		return text;
	cli_fail("%s: this shared secret is too weak: %s; leave --psk-file out "
		 "to get a random one",
	    s->psk_file, why);
	wipe(text, n);
	free(text);
	return NULL;
}

int
setup_check_psk(struct setup *s)
{
	char *psk = given_psk(s);

	if (!psk)
		return EXIT_FAIL;
	wipe(psk, strlen(psk));
	free(psk);
	return EXIT_OK;
}

static int
step_psk(struct setup *s)
{
	char psk[PSK_TEXT_BYTES], *old;
	size_t n;
	int err;

	if (s->psk_file) {
		old = given_psk(s);
		err = old ? put_psk(s, old) : EXIT_FAIL;
		if (old)
			wipe(old, strlen(old));
		free(old);
		return err;
	}
	old = file_read(s->c->conf.psk_file, &n);
	if (old && n > 0) {
		err = file_put(s->c, s->c->conf.psk_file, 0600, old, n);
		wipe(old, n);
		free(old);
		return err;
	}
	free(old);
	if (errno == EACCES)
		return cli_fail("%s: %s: run this as root", s->c->conf.psk_file,
		    strerror(errno));
	psk_make(psk);
	err = put_psk(s, psk);
	wipe(psk, sizeof(psk));
	return err;
}

static int
put_pair(struct setup *s, const struct pki_pair *pair, const char *certificate,
    const char *key)
{
	/* the key first: a certificate without its key is of no use */
	return file_put(s->c, key, 0600, pair->key, strlen(pair->key)) ||
	    file_put(s->c, certificate, 0644, pair->certificate,
		strlen(pair->certificate));
}

static int
step_ca(struct setup *s, struct pki_pair *ca, bool *ret_own)
{
	char key[CONF_PATH_MAX], name[CONF_NAME_MAX + 16];
	bool have_crt = access(s->c->conf.ca_file, F_OK) == 0;
	bool have_key;

	if (path_join(key, s->c->dir, "ca/ca.key"))
		return EXIT_FAIL;
	have_key = access(key, F_OK) == 0;
	*ret_own = have_crt == have_key;
	if (have_crt && !have_key)
		return EXIT_OK; /* another CA's: its files are left alone */
	if (!have_crt && have_key)
		return cli_fail("%s is gone but %s is there: restore it, or "
				"move both away to begin anew",
		    s->c->conf.ca_file, key);
	if (have_crt)
		return ca_load(s->c, ca);
	if (s->c->dry_run) /* nothing that is thrown away is worth 3072 bits */
		return file_put(s->c, key, 0600, "", 0) ||
		    file_put(s->c, s->c->conf.ca_file, 0644, "", 0);
	snprintf(name, sizeof(name), "Adit CA %s", s->address);
	if (pki_make_ca(name, CA_DAYS, ca) != 0)
		return cli_fail("CA: %s", pki_error());
	return put_pair(s, ca, s->c->conf.ca_file, key);
}

static bool
server_is_good(struct setup *s, const struct pki_pair *ca)
{
	static struct pki_pair have;
	char *crt = file_read(s->c->conf.certificate_file, NULL);
	char *key = file_read(s->c->conf.key_file, NULL);
	bool ok = false;

	if (crt && key && strlen(crt) < PKI_TEXT_MAX &&
	    strlen(key) < PKI_TEXT_MAX) {
		snprintf(have.certificate, PKI_TEXT_MAX, "%s", crt);
		snprintf(have.key, PKI_TEXT_MAX, "%s", key);
		ok = pki_is_pair(&have) &&
		    pki_is_good(crt, ca->certificate, s->address, RENEW_DAYS) &&
		    (!s->ip ||
			pki_is_good(crt, ca->certificate, s->ip, RENEW_DAYS));
	}
	if (key)
		wipe(key, strlen(key));
	wipe(&have, sizeof(have));
	free(crt);
	free(key);
	return ok;
}

static int
step_server(struct setup *s, const struct pki_pair *ca)
{
	static struct pki_pair pair;
	struct pki_request r = {
	    .name = s->address, .server = true, .days = SERVER_DAYS};
	char serial[PKI_SERIAL_MAX];
	const struct adit_conf *f = &s->c->conf;
	int err;

	if (ca->certificate[0] && server_is_good(s, ca))
		return EXIT_OK;
	if (s->c->dry_run)
		return file_put(s->c, f->key_file, 0600, "", 0) ||
		    file_put(s->c, f->certificate_file, 0644, "", 0);
	if (setup_is_ipv4(s->address))
		r.san_ip[0] = s->address;
	else
		r.san_dns = s->address;
	if (s->ip && strcmp(s->ip, s->address) != 0)
		r.san_ip[1] = s->ip;
	if (pki_issue(ca, &r, &pair, serial) != 0)
		return cli_fail("server certificate: %s", pki_error());
	err = put_pair(s, &pair, f->certificate_file, f->key_file);
	wipe(&pair, sizeof(pair));
	return err;
}

int
setup_keys(struct setup *s)
{
	static struct pki_pair ca;
	struct ca_issued *list = NULL;
	bool own = false;
	size_t n = 0;
	int err;

	err = step_psk(s) || step_ca(s, &ca, &own);
	if (!err && own)
		err = step_server(s, &ca);
	if (!err && own && access(s->c->conf.crl_file, F_OK) != 0) {
		if (s->c->dry_run)
			err = file_put(s->c, s->c->conf.crl_file, 0644, "", 0);
		else
			err = ca_issued_load(s->c, &list, &n) ||
			    ca_write_crl(s->c, &ca, list, n);
		free(list);
	}
	wipe(&ca, sizeof(ca));
	return err ? EXIT_FAIL : EXIT_OK;
}
