/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run.c: adit run: the server in the foreground, for machines and containers
 * without a service manager: charon and l2tpd under supervise.c. l2tpd is
 * stopped first (it says goodbye to the clients through charon). One instance a
 * run-dir.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "cli/cli.h"
#include "cli/firewall.h"
#include "cli/supervise.h"

static int
run_all(struct cli *c, const char *charon, const char *l2tpd)
{
	char strongswan_conf[CONF_PATH_MAX + 40], path[CONF_PATH_MAX];
	const struct supervise plan = {
	    .table = {{.name = "l2tpd",
			  .argv = {l2tpd, "--config", c->config,
			      "--foreground"}},
		{.name = "charon", .argv = {charon}}},
	    .count = 2,
	    .environment = strongswan_conf,
	};
	struct loop *loop = loop_new();
	int err;

	if (!loop)
		return cli_fail("out of memory");
	snprintf(strongswan_conf, sizeof(strongswan_conf),
	    "STRONGSWAN_CONF=%s/strongswan.conf", c->dir);
	err = supervise(loop, &plan);
	if (!path_join(path, c->conf.run_dir, "adit.pid"))
		unlink(path);
	loop_free(loop);
	return err;
}

int
cmd_run(struct cli *c, int argc, char **argv)
{
	static const struct option options[] = {CLI_OPTIONS,
	    {"firewall", no_argument, NULL, 'f'},
	    {"charon", required_argument, NULL, 'c'},
	    {"l2tpd", required_argument, NULL, 'l'}, {NULL, 0, NULL, 0}};
	const char *charon = ADIT_CHARON, *l2tpd = ADIT_SBINDIR "/l2tpd";
	char path[CONF_PATH_MAX];
	bool firewall = false;
	int opt, fd = -1, err;

	optind = 0;
	while ((opt = cli_option(c, argc, argv, options)) != -1) {
		if (opt == 'f')
			firewall = true;
		else if (opt == 'c')
			charon = optarg;
		else if (opt == 'l')
			l2tpd = optarg;
		else
			return EXIT_USAGE;
	}
	if (optind < argc)
		return cli_usage("run takes no argument %s", argv[optind]);
	if (cli_conf(c) || path_join(path, c->dir, "strongswan.conf"))
		return EXIT_FAIL;
	if (access(path, R_OK) < 0)
		return cli_fail(
		    "%s: %s: run adit setup first", path, strerror(errno));
	for (int i = 0; i < 2; i++)
		if (access(i ? charon : l2tpd, X_OK) < 0)
			return cli_fail("%s: %s: install %s",
			    i ? charon : l2tpd, strerror(errno),
			    i ? "charon-systemd" : "Adit");
	if (supervise_lock(c, &fd))
		return EXIT_FAIL;
	err = firewall ? firewall_apply(c) : EXIT_OK;
	if (!err)
		err = run_all(c, charon, l2tpd);
	close(fd);
	return err;
}
