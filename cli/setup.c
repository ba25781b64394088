/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup.c: adit setup: everything that the server needs before its first
 * start: adit.conf, PSK, CA, server certificate, CRL, charon's configuration,
 * firewall and kernel parameters, system users, directories. A step changes
 * only what is missing or wrong, so it may be run again at any time.
 */
#include "cli/setup.h"

#include <pwd.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
	char pool[32], net[16], rule[160] = "", links[24];
	bool kernel = conf_is_kernel(f);

	/* in the kernel plane every session has an interface */
	snprintf(links, sizeof(links), "%.*s%s",
	    kernel ? CONF_LINK_PREFIX : (int)sizeof(f->tun_name), f->tun_name,
	    kernel ? "*" : "");

	snprintf(pool, sizeof(pool), "%s/%u",
	    cli_ipv4(f->pool_net, net, sizeof(net)), f->pool_prefix_bits);
	if (nat)
		snprintf(rule, sizeof(rule),
		    "ip saddr %s oifname != \"%s\" masquerade", pool, links);
	const struct template_value values[] = {{"run_dir", f->run_dir},
	    {"state_dir", f->state_dir}, {"tun", f->tun_name},
	    {"charon_plugins",
		kernel ? CLI_CHARON_PLUGINS_KERNEL : CLI_CHARON_PLUGINS_USER},
	    {"links", links},
	    /* charon 5.9.8 keeps half-open IKEv2 for ever; in the user plane
	     * l2tpd lets none through (l2tpd/ike/filter.c) */
	    {"ike_rule",
		kernel ? "udp dport 500 @th,200,4 2 drop # IKEv2\n\t\t"
			 "udp dport 4500 @th,64,32 0 @th,232,4 2 drop"
		       : "# l2tpd refuses IKEv2 itself"},
	    /* in the user plane what is inside never passes the hook */
	    {"l2tp_rule",
		kernel ? "udp dport 1701 meta ipsec missing drop"
		       : "udp dport 1701 drop"},
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
	    {"plane", required_argument, NULL, 'l'},
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
		    : opt == 'l'               ? &s->plane
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
	if ((err = parse(&s, argc, argv)) || (err = setup_read_conf(&s)) ||
	    (err = setup_find_address(&s)))
		return err;
	/* a weak secret is refused before anything is touched */
	if (s.psk_file && setup_check_psk(&s))
		return EXIT_FAIL;
	if (step_users(&s) || step_directories(&s) || setup_conf(&s) ||
	    setup_keys(&s) || step_generated(&s) || setup_services(&s))
		return EXIT_FAIL;
	return finish(&s);
}
