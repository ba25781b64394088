/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connect.c: adit connect: this machine as a client of one server, in the
 * foreground. It writes the configuration of a charon and an l2tpd of its own
 * into a private folder of /run, runs both (supervise.c), says on standard
 * output when it is connected, and cleans up. No secret is in an argument; the
 * password is in a file of that folder while it runs, because l2tpd may have to
 * be started again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/priv_msg.h"
#include "base/secret.h"
#include "cli/cli.h"
#include "cli/supervise.h"

#define PASSWORD_NAME "password"
#define RUN_DIR       "/run/adit-connect"

struct connect {
	struct cli *c;
	const char *server, *user, *run_dir, *tun, *mtu;
	const char *psk, *ca, *cert, *key;
	const char *esp; /* "": every proposal of ours */
	const char *charon, *l2tpd;
	struct ipv4_network routes[CONF_ROUTES_MAX];
	uint16_t route_count;
	bool password_stdin, no_dns, once, any_port, no_encap, quiet;
	char address[INET_ADDRSTRLEN];
	struct secret password;
	/* while it runs */
	struct loop *loop;
	struct loop_fd *watch;
	int report_fd;
	bool was_connected;
	int status;
};

/* ---- the command line ---- */

static int
add_route(struct connect *k, const char *text)
{
	const char *why;

	if (k->route_count == CONF_ROUTES_MAX)
		return cli_usage("at most %d routes", CONF_ROUTES_MAX);
	why = conf_parse_network(text, 0, 32, &k->routes[k->route_count]);
	if (why)
		return cli_usage("--route %s: %s", text, why);
	k->route_count++;
	return EXIT_OK;
}

enum {
	OPT_USER = 256,
	OPT_PASSWORD_STDIN,
	OPT_PSK,
	OPT_CA,
	OPT_CERT,
	OPT_KEY,
	OPT_ROUTE,
	OPT_DEFAULT_ROUTE,
	OPT_NO_DNS,
	OPT_ONCE,
	OPT_TUN,
	OPT_RUN_DIR,
	OPT_ANY_PORT,
	OPT_NO_ENCAP,
	OPT_MTU,
	OPT_QUIET,
	OPT_ESP,
	OPT_CHARON,
	OPT_L2TPD,
};

static int
take_option(struct connect *k, int opt)
{
	const struct {
		int opt;
		const char **text;
		bool *flag;
	} table[] = {{OPT_USER, &k->user, NULL}, {OPT_PSK, &k->psk, NULL},
	    {OPT_CA, &k->ca, NULL}, {OPT_CERT, &k->cert, NULL},
	    {OPT_KEY, &k->key, NULL}, {OPT_TUN, &k->tun, NULL},
	    {OPT_ESP, &k->esp, NULL}, {OPT_RUN_DIR, &k->run_dir, NULL},
	    {OPT_MTU, &k->mtu, NULL}, {OPT_CHARON, &k->charon, NULL},
	    {OPT_L2TPD, &k->l2tpd, NULL},
	    {OPT_PASSWORD_STDIN, NULL, &k->password_stdin},
	    {OPT_NO_DNS, NULL, &k->no_dns}, {OPT_ONCE, NULL, &k->once},
	    {OPT_ANY_PORT, NULL, &k->any_port},
	    {OPT_NO_ENCAP, NULL, &k->no_encap}, {OPT_QUIET, NULL, &k->quiet}};

	if (opt == OPT_ROUTE)
		return add_route(k, optarg);
	if (opt == OPT_DEFAULT_ROUTE)
		return add_route(k, "0.0.0.0/0");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].opt != opt)
			continue;
		if (table[i].flag)
			*table[i].flag = true;
		else
			*table[i].text = optarg;
		return EXIT_OK;
	}
	return EXIT_USAGE;
}

/* It goes into configuration files. */
static bool
is_plain(const char *text)
{
	return *text &&
	    strspn(text,
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._@/+:") == strlen(text);
}

static int
check_options(struct connect *k)
{
	const char *const texts[] = {k->server, k->tun, k->run_dir, k->mtu};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!is_plain(texts[i]))
			return cli_usage("%s: such characters are not possible "
					 "here",
			    texts[i]);
	if (k->esp[0] && !is_plain(k->esp))
		return cli_usage("--esp: not a proposal");
	if (k->run_dir[0] != '/')
		return cli_usage("--run-dir: not an absolute path");
	if (!k->user || !*k->user || strpbrk(k->user, "\"\\${}\n\t "))
		return cli_usage("connect needs --user NAME, without blanks "
				 "and quotes");
	if (!k->psk == !k->cert)
		return cli_usage("connect needs either --psk-file FILE, or "
				 "--ca, --cert and --key");
	if (k->cert && (!k->ca || !k->key))
		return cli_usage("--cert needs --ca and --key, too");
	return EXIT_OK;
}

static int
read_options(struct connect *k, int argc, char **argv)
{
	static const struct option options[] = {CLI_OPTIONS,
	    {"user", required_argument, NULL, OPT_USER},
	    {"password-stdin", no_argument, NULL, OPT_PASSWORD_STDIN},
	    {"psk-file", required_argument, NULL, OPT_PSK},
	    {"ca", required_argument, NULL, OPT_CA},
	    {"cert", required_argument, NULL, OPT_CERT},
	    {"key", required_argument, NULL, OPT_KEY},
	    {"route", required_argument, NULL, OPT_ROUTE},
	    {"default-route", no_argument, NULL, OPT_DEFAULT_ROUTE},
	    {"no-dns", no_argument, NULL, OPT_NO_DNS},
	    {"once", no_argument, NULL, OPT_ONCE},
	    {"tun", required_argument, NULL, OPT_TUN},
	    {"run-dir", required_argument, NULL, OPT_RUN_DIR},
	    {"port-any", no_argument, NULL, OPT_ANY_PORT},
	    {"no-encap", no_argument, NULL, OPT_NO_ENCAP},
	    {"mtu", required_argument, NULL, OPT_MTU},
	    {"quiet", no_argument, NULL, OPT_QUIET},
	    {"esp", required_argument, NULL, OPT_ESP},
	    {"charon", required_argument, NULL, OPT_CHARON},
	    {"l2tpd", required_argument, NULL, OPT_L2TPD}, {NULL, 0, NULL, 0}};
	int opt, err;

	optind = 0;
	while ((opt = cli_option(k->c, argc, argv, options)) != -1) {
		err = take_option(k, opt);
		if (err)
			return err;
	}
	if (optind + 1 != argc)
		return cli_usage("connect takes one SERVER");
	k->server = argv[optind];
	return check_options(k);
}

/* ---- what is asked ---- */

static int
resolve(struct connect *k)
{
	const struct addrinfo hints = {
	    .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
	struct sockaddr_in sin;
	struct addrinfo *list;
	int rc;

	rc = getaddrinfo(k->server, NULL, &hints, &list);
	if (rc != 0)
		return cli_fail("%s: %s", k->server, gai_strerror(rc));
	memcpy(&sin, list->ai_addr, sizeof(sin));
	freeaddrinfo(list);
	inet_ntop(AF_INET, &sin.sin_addr, k->address, sizeof(k->address));
	return EXIT_OK;
}

static int
read_password(struct connect *k)
{
	struct termios old, silent;
	bool terminal = !k->password_stdin && isatty(STDIN_FILENO) &&
	    tcgetattr(STDIN_FILENO, &old) == 0;
	char text[SECRET_MAX + 2];
	char *got;

	if (!terminal && !k->password_stdin)
		return cli_usage("give --password-stdin: there is no terminal "
				 "to ask for the password");
	if (terminal) {
		silent = old;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		fprintf(stderr, "Password of %s: ", k->user);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	got = fgets(text, sizeof(text), stdin);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		fputc('\n', stderr);
	}
	if (got)
		text[strcspn(text, "\r\n")] = '\0';
	if (!got || !*text ||
	    secret_set(&k->password, text, strlen(text)) < 0) {
		wipe(text, sizeof(text));
		return cli_fail("no password, or it is too long");
	}
	wipe(text, sizeof(text));
	return EXIT_OK;
}

/* ---- the private folder ---- */

static int
put_path(FILE *f, const char *key, const char *path)
{
	char absolute[4096];

	if (!path) {
		fprintf(f, "\t%s = \"\"\n", key);
		return EXIT_OK;
	}
	if (!realpath(path, absolute))
		return cli_fail("%s: %s", path, strerror(errno));
	fprintf(f, "\t%s = \"%s\"\n", key, absolute);
	return EXIT_OK;
}

static void
put_client(FILE *f, const struct connect *k, const char *password)
{
	fprintf(f,
	    "client {\n\tserver = \"%s\"\n\tserver-name = \"%s\"\n"
	    "\tuser = \"%s\"\n\tpassword-file = \"%s\"\n\troutes = {",
	    k->address, k->cert ? k->server : "", k->user, password);
	for (uint16_t i = 0; i < k->route_count; i++)
		fprintf(f, "%s\"%u.%u.%u.%u/%u\"", i ? ", " : "",
		    k->routes[i].net[0], k->routes[i].net[1],
		    k->routes[i].net[2], k->routes[i].net[3],
		    k->routes[i].bits);
	fprintf(f,
	    "}\n\tno-dns = %s\n\tonce = %s\n\tany-port = %s\n"
	    "\tno-encap = %s\n\tesp = \"%s\"\n}\n",
	    k->no_dns ? "yes" : "no", k->once ? "yes" : "no",
	    k->any_port ? "yes" : "no", k->no_encap ? "yes" : "no", k->esp);
}

static int
put_conf(struct connect *k, const char *path, const char *password)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	int err;

	if (!f)
		return cli_fail("out of memory");
	put_client(f, k, password);
	fputs("ipsec {\n\tdpd-delay = 10\n", f);
	err = put_path(f, "psk-file", k->psk) ||
	    put_path(f, "ca-file", k->ca) || put_path(f, "crl-file", NULL) ||
	    put_path(f, "certificate-file", k->cert) ||
	    put_path(f, "key-file", k->key);
	/* a server that went away is missed after half a minute */
	fprintf(f,
	    "}\nl2tp {\n\thello-interval = 20\n}\n"
	    "ppp {\n\techo-interval = 10\n\techo-failures = 3\n\tmru = %s\n}\n"
	    "process {\n\trun-dir = \"%s\"\n\ttun-name = \"%s\"\n}\n",
	    k->mtu, k->run_dir, k->tun);
	if (fclose(f) != 0)
		err = cli_fail("out of memory");
	if (!err)
		err = file_put(k->c, path, 0600, text, n);
	free(text);
	return err;
}

static int
put_strongswan_conf(struct connect *k, const char *path)
{
	const struct template_value values[] = {{"run_dir", k->run_dir},
	    {"charon_plugins", CLI_CHARON_PLUGINS_USER}, {NULL, NULL}};
	char *text = template_fill(k->c, "strongswan.conf.in", values);
	char *all = NULL;
	int err;

	if (!text)
		return EXIT_FAIL;
	/* one server, whose silence is noticed soon; with certificates, its
	 * name */
	if (asprintf(&all,
		"%s\ncharon-systemd {\n\tthreads = 16\n"
		"\tretransmit_tries = 3\n\tplugins {\n\t\tadit {\n"
		"\t\t\tserver_name = %s\n\t\t}\n\t}\n}\n",
		text, k->cert ? k->server : "\"\"") < 0)
		err = cli_fail("out of memory");
	else
		err = file_put(k->c, path, 0600, all, strlen(all));
	free(all);
	free(text);
	return err;
}

/* ---- while it runs ---- */

static void
on_report(void *ctx, int events)
{
	struct connect *k = ctx;
	char line[256];
	ssize_t n;

	(void)events;
	n = read(k->report_fd, line, sizeof(line) - 1);
	if (n <= 0)
		return;
	line[n] = '\0';
	if (strstr(line, "connected address="))
		k->was_connected = true;
	fputs(line, stdout);
	fflush(stdout);
}

static int
say_end(const struct connect *k, int status)
{
	switch (status - PRIV_END_STATUS) {
	case PRIV_END_ONCE:
		return cli_fail("%s: the connection is over", k->server);
	case PRIV_END_WRONG_PSK:
		return cli_fail("%s: the shared secret is wrong", k->server);
	case PRIV_END_CERTIFICATE:
		return cli_fail("%s: the server's certificate is not what "
				"--ca and the name say, or it refuses ours",
		    k->server);
	case PRIV_END_WRONG_PASSWORD:
		return cli_fail("%s: the server refuses user %s: wrong name or "
				"password, or it may not connect now",
		    k->server, k->user);
	case PRIV_END_NOT_GENUINE:
		return cli_fail("%s: the server does not know the password of "
				"%s: it may be somebody else's",
		    k->server, k->user);
	default:
		return cli_fail("l2tpd could not start: status %d; the lines "
				"before say why (leave out --quiet)",
		    status);
	}
}

static bool
again(void *ctx, const struct supervised *s, int status)
{
	struct connect *k = ctx;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (strcmp(s->name, "l2tpd") != 0 || code < 0)
		return true;
	if (code < PRIV_END_STATUS && (k->was_connected || code == 0))
		return true;
	k->status = say_end(k, code);
	return false;
}

static int
run_both(struct connect *k, const char *conf, const char *strongswan_conf)
{
	char environment[CONF_PATH_MAX + 24], number[12];
	struct supervise plan = {
	    .table = {{.name = "l2tpd",
			  .argv = {k->l2tpd, "--config", conf, "--foreground",
			      "--report-fd", number}},
		{.name = "charon", .argv = {k->charon}}},
	    .count = 2,
	    .environment = environment,
	    .quiet = k->quiet,
	    .again = again,
	    .ctx = k,
	};
	int fds[2], err = EXIT_FAIL;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return cli_fail("pipe: %s", strerror(errno));
	k->report_fd = fds[0];
	plan.table[0].keep_fd = fds[1];
	snprintf(number, sizeof(number), "%d", fds[1]);
	snprintf(environment, sizeof(environment), "STRONGSWAN_CONF=%s",
	    strongswan_conf);
	k->loop = loop_new();
	if (k->loop)
		k->watch =
		    loop_fd_new(k->loop, fds[0], LOOP_READ, on_report, k);
	if (k->watch)
		err = supervise(k->loop, &plan);
	loop_fd_free(k->watch);
	loop_free(k->loop);
	close(fds[0]);
	close(fds[1]);
	return err ? err : k->status;
}

static int
go(struct connect *k)
{
	char conf[CONF_PATH_MAX], strongswan[CONF_PATH_MAX],
	    password[CONF_PATH_MAX], pid[CONF_PATH_MAX];
	struct cli *c = k->c;
	int fd = -1, err;

	snprintf(c->conf.run_dir, sizeof(c->conf.run_dir), "%s", k->run_dir);
	if (path_join(conf, k->run_dir, "client.conf") ||
	    path_join(strongswan, k->run_dir, "strongswan.conf") ||
	    path_join(password, k->run_dir, PASSWORD_NAME) ||
	    path_join(pid, k->run_dir, "adit.pid") || supervise_lock(c, &fd))
		return EXIT_FAIL;
	err = put_conf(k, conf, password) ||
	    put_strongswan_conf(k, strongswan) ||
	    file_put(c, password, 0600, k->password.data, k->password.len);
	secret_wipe(&k->password);
	c->config = conf;
	if (!err)
		err = cli_conf(c); /* as l2tpd will read it */
	if (!err)
		err = run_both(k, conf, strongswan);
	unlink(password);
	unlink(strongswan);
	unlink(conf);
	unlink(pid);
	close(fd);
	return err;
}

int
cmd_connect(struct cli *c, int argc, char **argv)
{
	static struct connect k;
	int err;

	k = (struct connect){.c = c,
	    .run_dir = RUN_DIR,
	    .tun = "aditc0",
	    .mtu = "1400",
	    .esp = "",
	    .charon = ADIT_CHARON,
	    .l2tpd = ADIT_SBINDIR "/l2tpd"};
	err = read_options(&k, argc, argv);
	if (!err && geteuid() != 0)
		err = cli_fail("connect: run this as root: it makes a TUN "
			       "device and routes");
	for (int i = 0; i < 2 && !err; i++)
		if (access(i ? k.charon : k.l2tpd, X_OK) < 0)
			err = cli_fail("%s: %s: install %s",
			    i ? k.charon : k.l2tpd, strerror(errno),
			    i ? "charon-systemd" : "Adit");
	if (!err)
		err = resolve(&k);
	if (!err)
		err = read_password(&k);
	if (!err)
		err = go(&k);
	return err;
}
