/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * services.c: services that Debian's packages start at boot and that would take
 * Adit's UDP ports: strongswan.service comes with charon-systemd,
 * xl2tpd.service with the self-test's client, strongswan-starter.service with
 * the package strongswan. Where systemctl(1) is and such a service is enabled,
 * adit setup disables it, unless an administrator has given it something to do:
 * then it is left alone, and said.
 */
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/setup.h"

#define SYSTEMCTL "/usr/bin/systemctl"

static const struct service {
	const char *unit, *ports;
	const char *file;   /* its configuration; as delivered it is comments */
	const char *but[2]; /* and these lines */
	const char *folder; /* more of it: *.conf; or NULL */
} services[] = {
    {"strongswan.service", "UDP 500 and 4500", "/etc/swanctl/swanctl.conf",
	{"include conf.d/*.conf"}, "/etc/swanctl/conf.d"},
    {"strongswan-starter.service", "UDP 500 and 4500", "/etc/ipsec.conf",
	{"config setup", "include /var/lib/strongswan/ipsec.conf.inc"}, NULL},
    {"xl2tpd.service", "UDP 1701", "/etc/xl2tpd/xl2tpd.conf", {NULL}, NULL},
};

/* Exit status 0? What systemctl says is nobody's business. now may be NULL. */
static bool
systemctl(const char *verb, const char *now, const char *unit)
{
	char *argv[] = {(char *)(uintptr_t) "systemctl",
	    (char *)(uintptr_t) "--quiet", (char *)(uintptr_t)verb,
	    (char *)(uintptr_t)unit, (char *)(uintptr_t)now, NULL};
	char *envp[] = {
	    (char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	posix_spawn_file_actions_t quiet;
	int status = -1;
	pid_t pid;

	if (posix_spawn_file_actions_init(&quiet) != 0)
		return false;
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, SYSTEMCTL, &quiet, NULL, argv, envp) != 0 ||
	    waitpid(pid, &status, 0) != pid)
		status = -1;
	posix_spawn_file_actions_destroy(&quiet);
	return status == 0;
}

static bool
is_setting(const struct service *s, const char *line)
{
	if (line[0] == '\0' || line[0] == '#' || line[0] == ';')
		return false;
	for (size_t i = 0; i < 2; i++)
		if (s->but[i] && strcmp(line, s->but[i]) == 0)
			return false;
	return true;
}

static bool
has_settings(const struct service *s, const char *path)
{
	char *text = file_read(path, NULL), *save = NULL, *line;
	bool any = false;

	if (!text)
		return false;
	for (line = strtok_r(text, "\n", &save); line && !any;
	     line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t\r");
		any = is_setting(s, line);
	}
	free(text);
	return any;
}

/* The first file with an administrator's settings, in ret. */
static bool
find_settings(const struct service *s, char ret[CONF_PATH_MAX])
{
	const struct dirent *e;
	const char *dot;
	bool found;
	DIR *d;

	snprintf(ret, CONF_PATH_MAX, "%s", s->file);
	if (has_settings(s, ret))
		return true;
	d = s->folder ? opendir(s->folder) : NULL;
	if (!d)
		return false;
	for (found = false; !found && (e = readdir(d)) != NULL;) {
		dot = strrchr(e->d_name, '.');
		found = dot && strcmp(dot, ".conf") == 0 &&
		    path_join(ret, s->folder, e->d_name) == EXIT_OK &&
		    has_settings(s, ret);
	}
	closedir(d);
	return found;
}

static int
disable(struct setup *s, const struct service *v, bool running)
{
	if (!s->c->dry_run &&
	    !systemctl("disable", running ? "--now" : NULL, v->unit))
		return cli_fail("%s would take %s, and cannot be disabled: "
				"see systemctl disable --now %s",
		    v->unit, v->ports, v->unit);
	s->c->changes++;
	if (!s->c->quiet)
		printf("%s %s: it would take %s at the next start\n",
		    s->c->dry_run ? "would have disabled" : "disabled", v->unit,
		    v->ports);
	return EXIT_OK;
}

int
setup_services(struct setup *s)
{
	bool running = access("/run/systemd/system", F_OK) == 0;
	char settings[CONF_PATH_MAX];

	if (geteuid() != 0 || s->prefix || access(SYSTEMCTL, X_OK) < 0)
		return EXIT_OK;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		const struct service *v = &services[i];

		if (!systemctl("is-enabled", NULL, v->unit) &&
		    !(running && systemctl("is-active", NULL, v->unit)))
			continue;
		if (find_settings(v, settings))
			fprintf(stderr,
			    "adit: warning: %s is enabled and has settings of "
			    "yours (%s): it is left\nalone, but it and Adit "
			    "both need %s, so only one of them can run. To\n"
			    "let it be Adit: systemctl disable --now %s\n",
			    v->unit, settings, v->ports, v->unit);
		else if (disable(s, v, running))
			return EXIT_FAIL;
	}
	return EXIT_OK;
}
