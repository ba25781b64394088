/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup_conf.c: where things are, which address clients dial, and adit.conf.
 * What an administrator wrote into adit.conf stays, but the address when it is
 * given anew.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "cli/resolvers.h"
#include "cli/setup.h"

/* ---- address ---- */

bool
setup_is_ipv4(const char *s)
{
	struct in_addr a;

	return inet_pton(AF_INET, s, &a) == 1;
}

static bool
is_host_name(const char *s)
{
	size_t n = strlen(s), label = 0;
	bool letter = false;

	if (n == 0 || n > 253)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.') {
			if (label == 0 || s[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!isalnum((unsigned char)s[i]) && s[i] != '-')
			return false;
		if ((label == 0 && s[i] == '-') || ++label > 63)
			return false;
		letter |= isalpha((unsigned char)s[i]) != 0;
	}
	return letter && label > 0 && s[n - 1] != '-';
}

int
setup_find_address(struct setup *s)
{
	if (!s->address && s->have_conf && s->c->conf.address[0]) {
		snprintf(s->asked, sizeof(s->asked), "%s", s->c->conf.address);
		s->address = s->asked;
	}
	if (!s->address && !s->unattended && isatty(STDIN_FILENO)) {
		fputs("Name or address that clients will dial (a DNS name is "
		      "better, it can move): ",
		    stderr);
		if (fgets(s->asked, sizeof(s->asked), stdin))
			s->asked[strcspn(s->asked, "\n")] = '\0';
		s->address = s->asked;
	}
	if (!s->address || !*s->address)
		return cli_usage("setup needs --address HOST: the DNS name or "
				 "IPv4 address that clients will dial");
	if (!setup_is_ipv4(s->address) && !is_host_name(s->address))
		return cli_usage("--address %s: neither a DNS name nor an "
				 "IPv4 address",
		    s->address);
	if (s->plane && strcmp(s->plane, "auto") != 0 &&
	    strcmp(s->plane, "user") != 0 && strcmp(s->plane, "kernel") != 0)
		return cli_usage("--plane %s: no such plane: give auto, user "
				 "or kernel",
		    s->plane);
	if (s->ip && !setup_is_ipv4(s->ip))
		return cli_usage("--ip %s: not an IPv4 address", s->ip);
	return EXIT_OK;
}

/* ---- adit.conf ---- */

static int
place(char *buf, const char *prefix, const char *path)
{
	return path_join(buf, prefix, path + 1);
}

/* Paths of a configuration that is not there yet. */
static int
default_paths(struct setup *s)
{
	struct adit_conf *f = &s->c->conf;
	const char *p = s->prefix ? s->prefix_path : "";
	char run[CONF_PATH_MAX], state[CONF_PATH_MAX];

	conf_defaults(f);
	if (place(run, p, "/run/adit") ||
	    (s->prefix ? place(state, p, "/var/lib/adit")
		       : place(state, p, ADIT_STATEDIR)))
		return EXIT_FAIL;
	if (strlen(run) >= sizeof(f->run_dir) ||
	    strlen(state) >= sizeof(f->state_dir))
		return cli_fail("--prefix: path too long for sockets");
	snprintf(f->run_dir, sizeof(f->run_dir), "%.*s",
	    (int)sizeof(f->run_dir) - 1, run);
	snprintf(f->state_dir, sizeof(f->state_dir), "%.*s",
	    (int)sizeof(f->state_dir) - 1, state);
	return path_join(f->psk_file, s->c->dir, "psk") ||
	    path_join(f->ca_file, s->c->dir, "ca.crt") ||
	    path_join(f->crl_file, s->c->dir, "ca.crl") ||
	    path_join(f->certificate_file, s->c->dir, "server.crt") ||
	    path_join(f->key_file, s->c->dir, "server.key");
}

/* What is there is respected; else defaults. */
int
setup_read_conf(struct setup *s)
{
	const char *slash;

	if (s->prefix) {
		if (!s->c->dry_run && mkdir(s->prefix, 0755) < 0 &&
		    errno != EEXIST)
			return cli_fail("%s: %s", s->prefix, strerror(errno));
		if (!realpath(s->prefix, s->prefix_path))
			snprintf(s->prefix_path, sizeof(s->prefix_path), "%s",
			    s->prefix);
		if (place(s->config, s->prefix_path, "/etc/adit/adit.conf"))
			return EXIT_FAIL;
		s->c->config = s->config;
	}
	s->have_conf = access(s->c->config, F_OK) == 0;
	if (s->have_conf)
		return cli_conf(s->c);
	slash = strrchr(s->c->config, '/');
	snprintf(s->c->dir, sizeof(s->c->dir), "%.*s",
	    slash ? (int)(slash - s->c->config) : 1,
	    slash ? s->c->config : ".");
	return default_paths(s);
}

static int
make_conf(struct setup *s, const char *network)
{
	char dns[128] = "";
	struct adit_conf *f = &s->c->conf;
	char *text;
	int err;

	if (!s->dns)
		resolvers_find(dns, sizeof(dns));
	else
		snprintf(dns, sizeof(dns), "%s", s->dns);
	if (!dns[0])
		fprintf(stderr,
		    "adit: warning: no DNS server that clients "
		    "could use was found: set dns in %s\n",
		    s->c->config);
	const struct template_value values[] = {{"address", s->address},
	    {"plane", s->plane ? s->plane : "auto"}, {"dns", dns},
	    {"network", network}, {"psk_file", f->psk_file},
	    {"ca_file", f->ca_file}, {"crl_file", f->crl_file},
	    {"certificate_file", f->certificate_file},
	    {"key_file", f->key_file}, {"run_dir", f->run_dir},
	    {"state_dir", f->state_dir}, {NULL, NULL}};
	text = template_fill(s->c, "adit.conf.in", values);
	if (!text)
		return EXIT_FAIL;
	err = file_put(s->c, s->c->config, 0644, text, strlen(text));
	free(text);
	return err;
}

/* The line "key = ..." of text; NULL: there is none. */
static char *
find_line(char *text, const char *key)
{
	size_t n = strlen(key);
	char *at = text;

	while (at) {
		char *p = at + strspn(at, " \t");
		if (!strncmp(p, key, n) && p[n + strspn(p + n, " \t")] == '=')
			return at;
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return NULL;
}

/* Exchange the value of "key = ..." of section server in what the
 * administrator wrote; a missing line is put below that of the address. */
static int
patch_line(struct setup *s, const char *key, const char *value)
{
	char *text = file_read(s->c->config, NULL), *at, *out = NULL;
	size_t n = 0, skip;
	FILE *f;
	int err;

	if (!text)
		return cli_fail("%s: %s", s->c->config, strerror(errno));
	at = find_line(text, key);
	skip = at ? strcspn(at, "\n") : 0;
	if (!at && (at = find_line(text, "address")) != NULL)
		at += strcspn(at, "\n");
	if (!at) {
		free(text);
		return cli_fail("%s: set %s = \"%s\" in section server "
				"yourself: no line with it was found",
		    s->c->config, key, value);
	}
	f = open_memstream(&out, &n);
	if (f) {
		fprintf(f, "%.*s%s\t%s = \"%s\"%s", (int)(at - text), text,
		    skip ? "" : "\n", key, value, at + skip);
		fclose(f);
	}
	err = out ? file_put(s->c, s->c->config, 0644, out, n)
		  : cli_fail("out of memory");
	free(out);
	free(text);
	return err;
}

/* What was given anew, and what follows from it. */
static int
patch_conf(struct setup *s)
{
	struct adit_conf *f = &s->c->conf;
	int err = EXIT_OK;

	if (strcmp(f->address, s->address) != 0) {
		err = patch_line(s, "address", s->address);
		snprintf(f->address, sizeof(f->address), "%s", s->address);
	}
	if (err || !s->plane)
		return err;
	err = patch_line(s, "plane", s->plane);
	if (!err && !s->c->dry_run)
		err = cli_conf(s->c);
	return err;
}

static bool
pool_is_used(const struct adit_conf *f, char *ret, size_t n)
{
	struct endpoint e;
	struct ifaddrs *list, *i;
	bool used = false;

	if (getifaddrs(&list) < 0)
		return false;
	for (i = list; i && !used; i = i->ifa_next) {
		used = i->ifa_addr && strcmp(i->ifa_name, f->tun_name) != 0 &&
		    endpoint_from_sockaddr(i->ifa_addr, &e) && e.family == 4 &&
		    conf_is_inside(f, e.addr);
		if (used)
			snprintf(ret, n, "%s", i->ifa_name);
	}
	freeifaddrs(list);
	return used;
}

int
setup_conf(struct setup *s)
{
	struct adit_conf *f = &s->c->conf;
	char interface[64] = "";
	const char *network = s->pool ? s->pool : "10.77.0.0/20";
	int err;

	if (!s->have_conf) {
		err = make_conf(s, network);
		if (err || s->c->dry_run)
			return err;
		err = cli_conf(s->c); /* as l2tpd will read it */
		if (err)
			unlink(s->c->config);
	} else {
		err = patch_conf(s);
	}
	if (!err && pool_is_used(f, interface, sizeof(interface)))
		fprintf(stderr,
		    "adit: warning: the pool's network is also that of "
		    "interface %s: choose another in section pool of %s\n",
		    interface, s->c->config);
	if (s->have_conf && (s->pool || s->dns))
		fprintf(stderr,
		    "adit: warning: --pool and --dns count only for a new "
		    "adit.conf: edit %s\n",
		    s->c->config);
	return err;
}
