/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.c: adit, the one command of an administrator: a table of sub-commands.
 * Exit status: 0 done, 1 it could not be done (the reason is on stderr),
 * 2 the command line is wrong.
 */
#include <signal.h>
#include <string.h>

#include "cli/cli.h"
#include "config.h"

static const struct command commands[] = {
    {"setup", cmd_setup, "--address HOST [--unattended] [--dry-run] ...",
	"make keys, configuration and firewall files; may be run again"},
    {"user", cmd_user, "add|del|passwd|set|disable|enable|list|import ...",
	"people who may connect"},
    {"client", cmd_client, "add|revoke|list ...",
	"certificates of devices that connect without the shared secret"},
    {"status", cmd_status, "", "what the server does"},
    {"sessions", cmd_sessions, "", "who is connected"},
    {"history", cmd_history, "[USER]", "who was connected"},
    {"disconnect", cmd_disconnect, "ID|USER", "end sessions"},
    {"firewall", cmd_firewall, "",
	"apply sysctl.conf and nftables.conf that setup made"},
    {"run", cmd_run, "[--firewall]",
	"run the server in the foreground, without a service manager"},
    {"connect", cmd_connect,
	"SERVER --user U [--psk-file F | --ca F --cert F --key F] ...",
	"be a client of a server, in the foreground"},
    {NULL, NULL, NULL, NULL}};

int
main(int argc, char **argv)
{
	struct cli c = {
	    .config = ADIT_SYSCONFDIR "/adit.conf", .templates = ADIT_DATADIR};

	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("adit " PACKAGE_VERSION);
		return EXIT_OK;
	}
	return cli_dispatch(&c, commands, NULL, argc, argv);
}
