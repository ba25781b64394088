/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup.h: the steps of adit setup, in the order in which they run. Each
 * changes only what is missing or wrong. 0 or an exit status (was said).
 */
#ifndef ADIT_CLI_SETUP_H
#define ADIT_CLI_SETUP_H

#include <limits.h>
#include <stdbool.h>

#include "cli/cli.h"

struct setup {
	struct cli *c;
	const char *address, *ip, *psk_file, *prefix, *dns, *pool, *plane;
	bool unattended, no_masquerade;
	bool have_conf; /* adit.conf was there */
	char prefix_path[PATH_MAX], config[CONF_PATH_MAX];
	char asked[CONF_NAME_MAX];
};

/* setup_conf.c. read: what is there, else defaults. find_address: from the
 * command line, adit.conf or a person. */
int setup_read_conf(struct setup *s);
int setup_find_address(struct setup *s);
bool setup_is_ipv4(const char *text);
int setup_conf(struct setup *s);
/* setup_keys.c. check: is a given PSK strong enough? */
int setup_check_psk(struct setup *s);
int setup_keys(struct setup *s);
/* services.c: those of Debian's packages that would take our ports. */
int setup_services(struct setup *s);

#endif
