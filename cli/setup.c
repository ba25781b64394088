/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup.c: adit setup: everything that the server needs before its first
 * start: adit.conf, PSK, CA, server certificate, CRL, charon's configuration,
 * firewall and kernel parameters, system users, directories. A step changes
 * only what is missing or wrong, so it may be run again at any time; secrets
 * that are there are never replaced without being told so.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <pwd.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"
#include "cli/ca.h"
#include "cli/cli.h"
#include "cli/pki.h"
#include "cli/psk.h"
#include "cli/resolvers.h"

#define SERVER_DAYS 825 /* the most that Apple takes of a TLS server */
#define RENEW_DAYS  60  /* renew when less is left */

struct setup {
	struct cli *c;
	const char *address, *ip, *psk_file, *prefix, *dns, *pool;
	bool unattended, no_masquerade;
	bool have_conf; /* adit.conf was there */
	char prefix_path[PATH_MAX], config[CONF_PATH_MAX];
	char asked[CONF_NAME_MAX];
};

/* ---- address ---- */

static bool
is_ipv4(const char *s)
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

static int
find_address(struct setup *s)
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
	if (!is_ipv4(s->address) && !is_host_name(s->address))
		return cli_usage("--address %s: neither a DNS name nor an "
				 "IPv4 address",
		    s->address);
	if (s->ip && !is_ipv4(s->ip))
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
static int
read_conf(struct setup *s)
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
	    {"dns", dns}, {"network", network}, {"psk_file", f->psk_file},
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

/* Exchange the value of "address = ..." in what the administrator wrote. */
static int
patch_address(struct setup *s)
{
	char *text = file_read(s->c->config, NULL), *at = text, *out = NULL;
	size_t n = 0;
	FILE *f;
	int err;

	if (!text)
		return cli_fail("%s: %s", s->c->config, strerror(errno));
	while (at) {
		char *p = at + strspn(at, " \t");
		if (!strncmp(p, "address", 7) &&
		    p[7 + strspn(p + 7, " \t")] == '=')
			break;
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	if (!at) {
		free(text);
		return cli_fail("%s: set address = \"%s\" in section server "
				"yourself: no line with it was found",
		    s->c->config, s->address);
	}
	f = open_memstream(&out, &n);
	if (f) {
		fprintf(f, "%.*s\taddress = \"%s\"%s", (int)(at - text), text,
		    s->address, at + strcspn(at, "\n"));
		fclose(f);
	}
	err = out ? file_put(s->c, s->c->config, 0644, out, n)
		  : cli_fail("out of memory");
	free(out);
	free(text);
	return err;
}

static bool
pool_is_used(const struct adit_conf *f, char *ret, size_t n)
{
	struct ifaddrs *list, *i;
	uint32_t net, mask, ip;
	struct in_addr a;
	bool used = false;

	memcpy(&a, f->pool_net, 4);
	net = ntohl(a.s_addr);
	mask = ~UINT32_C(0) << (32 - f->pool_prefix_bits);
	if (getifaddrs(&list) < 0)
		return false;
	for (i = list; i && !used; i = i->ifa_next) {
		struct sockaddr_in sin;

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
		    !strcmp(i->ifa_name, f->tun_name))
			continue;
		memcpy(&sin, i->ifa_addr, sizeof(sin));
		ip = ntohl(sin.sin_addr.s_addr);
		used = (ip & mask) == net;
		if (used)
			snprintf(ret, n, "%s", i->ifa_name);
	}
	freeifaddrs(list);
	return used;
}

static int
step_conf(struct setup *s)
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
	} else if (strcmp(f->address, s->address) != 0) {
		err = patch_address(s);
		snprintf(f->address, sizeof(f->address), "%s", s->address);
	} else {
		err = EXIT_OK;
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

static int
given_psk(struct setup *s)
{
	size_t n;
	char *text = file_read(s->psk_file, &n);
	const char *why;
	int err;

	if (!text)
		return cli_fail("%s: %s", s->psk_file, strerror(errno));
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		text[--n] = '\0';
	why = psk_problem(text, n);
	if (why)
		err = cli_fail("%s: this shared secret is too weak: %s; leave "
			       "--psk-file out to get a random one",
		    s->psk_file, why);
	else
		err = put_psk(s, text);
	wipe(text, n);
	free(text);
	return err;
}

static int
step_psk(struct setup *s)
{
	char psk[PSK_TEXT_BYTES], *old;
	size_t n;
	int err;

	if (s->psk_file)
		return given_psk(s);
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
	if (is_ipv4(s->address))
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

static int
step_keys(struct setup *s)
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

/* ---- files that are generated every time ---- */

static int
put_template(struct setup *s, const char *template, const char *name,
    const struct template_value *values)
{
	char path[CONF_PATH_MAX];
	char *text = template_fill(s->c, template, values);
	int err;

	if (!text)
		return EXIT_FAIL;
	err = path_join(path, s->c->dir, name) ||
	    file_put(s->c, path, 0644, text, strlen(text));
	free(text);
	return err;
}

/* --no-masquerade is remembered in the file itself. */
static bool
masquerade(const struct setup *s)
{
	char path[CONF_PATH_MAX], *old;
	bool off;

	if (s->no_masquerade)
		return false;
	if (path_join(path, s->c->dir, "nftables.conf"))
		return true;
	old = file_read(path, NULL);
	off = old && strstr(old, "# masquerade: no") != NULL;
	free(old);
	return !off;
}

static int
step_generated(struct setup *s)
{
	const struct adit_conf *f = &s->c->conf;
	bool nat = masquerade(s);
	char pool[32], net[16], rule[160] = "";

	snprintf(pool, sizeof(pool), "%s/%u",
	    cli_ipv4(f->pool_net, net, sizeof(net)), f->pool_prefix_bits);
	if (nat)
		snprintf(rule, sizeof(rule),
		    "ip saddr %s oifname != \"%s\" masquerade", pool,
		    f->tun_name);
	const struct template_value values[] = {{"run_dir", f->run_dir},
	    {"state_dir", f->state_dir}, {"pool", pool}, {"tun", f->tun_name},
	    {"masquerade", nat ? "yes" : "no"}, {"masquerade_rule", rule},
	    {NULL, NULL}};
	return put_template(
		   s, "strongswan.conf.in", "strongswan.conf", values) ||
	    put_template(s, "nftables.conf.in", "nftables.conf", values) ||
	    put_template(s, "sysctl.conf.in", "sysctl.conf", values);
}

/* ---- users and directories ---- */

static int
run_useradd(const char *name, const char *home)
{
	char *argv[] = {(char *)(uintptr_t) "useradd",
	    (char *)(uintptr_t) "--system", (char *)(uintptr_t) "--user-group",
	    (char *)(uintptr_t) "--no-create-home",
	    (char *)(uintptr_t) "--home-dir", (char *)(uintptr_t)home,
	    (char *)(uintptr_t) "--shell",
	    (char *)(uintptr_t) "/usr/sbin/nologin", (char *)(uintptr_t)name,
	    NULL};
	char *envp[] = {
	    (char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	int status;
	pid_t pid;

	if (posix_spawn(&pid, "/usr/sbin/useradd", NULL, NULL, argv, envp) !=
		0 ||
	    waitpid(pid, &status, 0) != pid || status != 0)
		return cli_fail("useradd %s failed: make this system user "
				"yourself, then run adit setup again",
		    name);
	return EXIT_OK;
}

static int
step_users(struct setup *s)
{
	const char *names[] = {
	    s->c->conf.engine_user, s->c->conf.authority_user};

	if (geteuid() != 0 || s->prefix)
		return EXIT_OK;
	for (size_t i = 0; i < 2; i++) {
		if (getpwnam(names[i]))
			continue;
		if (!s->c->dry_run && run_useradd(names[i], "/nonexistent"))
			return EXIT_FAIL;
		s->c->changes++;
		if (!s->c->quiet)
			printf("%s system user %s\n",
			    s->c->dry_run ? "would have made" : "made",
			    names[i]);
	}
	return EXIT_OK;
}

static int
step_directories(struct setup *s)
{
	const struct passwd *pw = NULL;
	char ca[CONF_PATH_MAX];

	if (geteuid() == 0)
		pw = getpwnam(s->c->conf.authority_user);
	return path_join(ca, s->c->dir, "ca") ||
	    directory_put(s->c, s->c->dir, 0755, (uid_t)-1, (gid_t)-1) ||
	    directory_put(s->c, ca, 0700, (uid_t)-1, (gid_t)-1) ||
	    directory_put(s->c, s->c->conf.state_dir, 0700,
		pw ? pw->pw_uid : (uid_t)-1, pw ? pw->pw_gid : (gid_t)-1);
}

/* ---- all ---- */

static int
parse(struct setup *s, int argc, char **argv)
{
	static const struct option options[] = {CLI_OPTIONS,
	    {"address", required_argument, NULL, 'a'},
	    {"ip", required_argument, NULL, 'i'},
	    {"psk-file", required_argument, NULL, 'p'},
	    {"prefix", required_argument, NULL, 'P'},
	    {"dns", required_argument, NULL, 'd'},
	    {"pool", required_argument, NULL, 'o'},
	    {"no-masquerade", no_argument, NULL, 'm'},
	    {"unattended", no_argument, NULL, 'u'},
	    {"dry-run", no_argument, NULL, 'n'}, {NULL, 0, NULL, 0}};
	int opt;

	optind = 0;
	while ((opt = cli_option(s->c, argc, argv, options)) != -1) {
		const char **text = opt == 'a' ? &s->address
		    : opt == 'i'               ? &s->ip
		    : opt == 'p'               ? &s->psk_file
		    : opt == 'P'               ? &s->prefix
		    : opt == 'd'               ? &s->dns
		    : opt == 'o'               ? &s->pool
					       : NULL;
		if (opt == '?')
			return EXIT_USAGE;
		if (text)
			*text = optarg;
		s->no_masquerade |= opt == 'm';
		s->unattended |= opt == 'u';
		s->c->dry_run |= opt == 'n';
	}
	if (optind < argc)
		return cli_usage("setup takes no argument %s", argv[optind]);
	s->c->quiet = s->c->json;
	return EXIT_OK;
}

static int
finish(struct setup *s)
{
	struct cli *c = s->c;

	if (c->json)
		return cli_print_json(json_pack("{s:s, s:s, s:i, s:b}",
		    "address", s->address, "config", c->config, "changes",
		    c->changes, "dry_run", c->dry_run));
	if (c->changes == 0)
		puts("Everything is as it should be: nothing was changed.");
	else if (!c->dry_run)
		printf("Set up for %s. Next: adit user add NAME --generate, "
		       "then start the server\n(systemctl enable --now "
		       "adit.target, or adit run --firewall). What to enter "
		       "on\neach kind of client: %s/howto-*.txt; the shared "
		       "secret is in %s\n",
		    s->address, c->templates, c->conf.psk_file);
	return EXIT_OK;
}

int
cmd_setup(struct cli *c, int argc, char **argv)
{
	static struct setup s;
	int err;

	s.c = c;
	if ((err = parse(&s, argc, argv)) || (err = read_conf(&s)) ||
	    (err = find_address(&s)))
		return err;
	/* a weak secret is refused before anything is touched */
	if (s.psk_file) {
		size_t n;
		char *text = file_read(s.psk_file, &n);
		bool weak =
		    text && psk_problem(text, strcspn(text, "\r\n")) != NULL;
		if (text)
			wipe(text, n);
		free(text);
		if (!text || weak)
			return given_psk(&s);
	}
	if (step_users(&s) || step_directories(&s) || step_conf(&s) ||
	    step_keys(&s) || step_generated(&s))
		return EXIT_FAIL;
	return finish(&s);
}
