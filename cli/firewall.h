/* SPDX-License-Identifier: GPL-2.0-or-later */
/* firewall.h: applies sysctl.conf and nftables.conf beside adit.conf. */
#ifndef ADIT_CLI_FIREWALL_H
#define ADIT_CLI_FIREWALL_H

#include "cli/cli.h"

/* After cli_conf(). 0 or EXIT_FAIL (was said). */
int firewall_apply(struct cli *c);

#endif
