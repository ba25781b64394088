/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pppd_peer.c: the plugin of ppp-glue/pppd-plugin in a real pppd on a real
 * kernel, see pppd_world.h. One line a check: "ok NAME" or "not ok NAME: why".
 * tests/peer/test_pppd_plugin runs it in a kernel of its own.
 *
 * usage: pppd_peer PPPD PLUGIN VERSION [CHECK...]
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/peer/pppd_world.h"

/* generous: the kernel of the test is slow, and a limit is only seen by a
 * failure */
#define LIMIT_MS 20000

#define CHAP_CODE_CHALLENGE 1
#define CHAP_CODE_RESPONSE  2
#define CHAP_CODE_FAILURE   4
#define LCP_REQUEST         1
#define LCP_ACK             2
#define LCP_REJECT          4
#define LCP_TERMINATE       5
#define LCP_CODE_REJECT     7
#define LCP_PROTOCOL_REJECT 8
#define LCP_ECHO_REQUEST    9
#define LCP_ECHO_REPLY      10

static const char *pppd, *plugin, *version;
static const uint8_t client_address[4] = {10, 77, 0, 21};
static const uint8_t gateway_address[4] = {10, 77, 0, 1};
static const uint8_t foreign_address[4] = {10, 77, 0, 99};

/* Evaluates to the reason of a failure. */
#define MUST(what)                                                             \
	do {                                                                   \
		if (!(what))                                                   \
			return #what;                                          \
	} while (0)

static struct world
new_world(void)
{
	struct world w = {.pppd = pppd,
	    .plugin = plugin,
	    .require = "require-mschap-v2",
	    .method = PPP_AUTH_MSCHAPV2,
	    .user = "alice",
	    .password = WORLD_PASSWORD,
	    .mru = 1400};

	return w;
}

/* Predicates */

static bool
is_up(const struct world *w)
{
	return w->ups > 0 && w->client_ups > 0;
}

static bool
has_ended(const struct world *w)
{
	return w->pid == 0;
}

static bool
is_over(const struct world *w)
{
	return w->pid == 0 && w->client_downs > 0;
}

static bool
has_pong(const struct world *w)
{
	return w->pongs > 0;
}

static bool
has_use(const struct world *w)
{
	return w->uses > 0 && w->use.packets_in > 0;
}

static bool
has_echo(const struct world *w)
{
	return w->lcp.codes[LCP_ECHO_REPLY] > 0;
}

static bool
has_request(const struct world *w)
{
	return w->lcp.codes[LCP_REQUEST] > 0;
}

static bool
has_reject(const struct world *w)
{
	return w->lcp.codes[LCP_REJECT] > 0;
}

static bool
has_protocol_reject(const struct world *w)
{
	return w->lcp.codes[LCP_PROTOCOL_REJECT] > 0;
}

static bool
has_challenge(const struct world *w)
{
	return w->auth.codes[CHAP_CODE_CHALLENGE] > 0;
}

/* Everything that was sent before has been handled: it answers an echo. */
static bool
is_alive(struct world *w)
{
	static const uint8_t magic[4];

	w->lcp.codes[LCP_ECHO_REPLY] = 0;
	world_send(w, WORLD_LCP, LCP_ECHO_REQUEST, 77, magic, sizeof(magic));
	return world_run(w, has_echo, LIMIT_MS) && w->pid > 0;
}

static bool
works(struct world *w)
{
	w->pongs = 0;
	world_ping(w, client_address);
	return world_run(w, has_pong, LIMIT_MS);
}

static const char *
end_with_sigterm(struct world *w)
{
	unsigned before = w->lcp.codes[LCP_TERMINATE];

	kill(w->pid, SIGTERM);
	MUST(world_run(w, is_over, LIMIT_MS));
	MUST(w->lcp.codes[LCP_TERMINATE] > before);
	MUST(w->ends == 1 && w->strange == 0);
	MUST(strcmp(w->end.why, "terminated") == 0 && !w->end.by_peer);
	MUST(WIFEXITED(w->status) && WEXITSTATUS(w->status) == 5);
	return NULL;
}

/* Checks. Each gets a world to set up and start. */

static const char *
check_session(struct world *w)
{
	char hello[32];
	const char *why;
	uint64_t before;

	snprintf(hello, sizeof(hello), "pppd-%s", version);
	MUST(world_start(w));
	MUST(world_run(w, is_up, LIMIT_MS));
	MUST(w->hellos == 1 && w->hello.version == LINK_MSG_VERSION);
	MUST(strcmp(w->hello.ppp, hello) == 0);
	MUST(w->asks == 1 && w->ask.serial != 0);
	MUST(w->ask.name_bytes == 5 && memcmp(w->ask.name, "alice", 5) == 0);
	MUST(memcmp(w->up.local, gateway_address, 4) == 0);
	MUST(memcmp(w->up.peer, client_address, 4) == 0);
	MUST(strncmp(w->up.interface, "ppp", 3) == 0 && w->up.mtu == 1400);
	MUST(memcmp(w->client_up.ipv4_local, client_address, 4) == 0);
	MUST(memcmp(w->client_up.ipv4_peer, gateway_address, 4) == 0);
	MUST(w->client_up.ipv4_dns[0][0] == 9);
	MUST(w->client_up.ipv4_dns[1][0] == 1);
	MUST(works(w));
	MUST(world_run(w, has_use, LIMIT_MS));
	before = w->use.packets_in;
	MUST(works(w));
	why = end_with_sigterm(w);
	if (why != NULL)
		return why;
	MUST(w->downs == 1 && w->down.packets_in > before);
	MUST(w->down.bytes_in >= 56 && w->down.bytes_out >= 56);
	return NULL;
}

/* Packets that the kernel has dropped because of their source: a column of
 * /proc/net/netstat, which has pairs of lines, names and values. */
static long
dropped_sources(void)
{
	char names[4096], values[4096], *name, *value, *n, *v;
	long found = -1;
	FILE *f = fopen("/proc/net/netstat", "r");

	while (f != NULL && found < 0 && fgets(names, sizeof(names), f) &&
	    fgets(values, sizeof(values), f)) {
		name = strtok_r(names, " \n", &n);
		value = strtok_r(values, " \n", &v);
		while (name != NULL && value != NULL) {
			if (strcmp(name, "IPReversePathFilter") == 0)
				found = strtol(value, NULL, 10);
			name = strtok_r(NULL, " \n", &n);
			value = strtok_r(NULL, " \n", &v);
		}
	}
	if (f != NULL)
		fclose(f);
	return found;
}

/* The peer's address is the only source that its interface takes. */
static const char *
check_source(struct world *w)
{
	char path[64], value = 0;
	long before;
	int fd;

	MUST(world_start(w));
	MUST(world_run(w, is_up, LIMIT_MS));
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter",
	    w->up.interface);
	fd = open(path, O_RDONLY);
	MUST(fd >= 0 && read(fd, &value, 1) == 1 && value == '1');
	close(fd);
	before = dropped_sources();
	MUST(before >= 0 && works(w));
	MUST(dropped_sources() == before);
	world_ping(w, foreign_address);
	MUST(works(w));
	MUST(dropped_sources() == before + 1);
	return end_with_sigterm(w);
}

static const char *
named(struct world *w, const char *name)
{
	w->user = name;
	MUST(world_start(w));
	MUST(world_run(w, is_up, LIMIT_MS));
	MUST(w->ask.name_bytes == strlen(name));
	MUST(memcmp(w->ask.name, name, strlen(name)) == 0);
	return end_with_sigterm(w);
}

static const char *
check_utf8_name(struct world *w)
{
	return named(w, "j\303\274rgen@b\303\274ro");
}

static const char *
check_domain_name(struct world *w)
{
	return named(w, "CORP\\alice");
}

static const char *
check_long_name(struct world *w)
{
	static char name[251];

	memset(name, 'n', sizeof(name) - 1);
	return named(w, name);
}

static const char *
refused(struct world *w)
{
	MUST(world_run(w, is_over, LIMIT_MS));
	MUST(w->ups == 0 && w->authenticated == 0);
	MUST(w->ends == 1 && strcmp(w->end.why, "auth-failed") == 0);
	MUST(strcmp(w->client_why, "auth-failed") == 0);
	return NULL;
}

/* The message of CHAP Failure (RFC 2759 6) is the engine's, or pppd's own. */
static bool
is_691(const struct world *w)
{
	return w->auth.codes[CHAP_CODE_FAILURE] == 1 &&
	    w->auth.last_bytes > 50 &&
	    memcmp(w->auth.last + 4, "E=691 R=0 C=", 12) == 0 &&
	    memcmp(w->auth.last + 4 + 44, " V=3 M=", 7) == 0;
}

static const char *
check_wrong_password(struct world *w)
{
	const char *why;

	w->password = "wrong";
	MUST(world_start(w));
	why = refused(w);
	if (why != NULL)
		return why;
	MUST(is_691(w));
	MUST(w->auth.last_bytes == 4 + 53 &&
	    memcmp(w->auth.last + 4 + 44, " V=3 M=no", 9) == 0);
	return NULL;
}

static const char *
check_md5(struct world *w)
{
	w->method = PPP_AUTH_CHAP_MD5;
	w->require = "require-chap";
	MUST(world_start(w));
	MUST(world_run(w, is_up, LIMIT_MS));
	MUST(w->ask.method == LINK_METHOD_CHAP_MD5);
	return end_with_sigterm(w);
}

static const char *
check_md5_wrong(struct world *w)
{
	w->method = PPP_AUTH_CHAP_MD5;
	w->require = "require-chap";
	w->password = "wrong";
	MUST(world_start(w));
	return refused(w);
}

static const char *
check_pap(struct world *w)
{
	w->method = PPP_AUTH_PAP;
	w->require = "require-pap";
	w->user = "j\303\274rgen";
	MUST(world_start(w));
	MUST(world_run(w, is_up, LIMIT_MS));
	MUST(w->ask.method == LINK_METHOD_PAP);
	MUST(w->ask.name_bytes == 7 && w->ask.challenge_bytes == 0);
	return end_with_sigterm(w);
}

static const char *
check_pap_wrong(struct world *w)
{
	w->method = PPP_AUTH_PAP;
	w->require = "require-pap";
	w->password = "wrong";
	MUST(world_start(w));
	return refused(w);
}

/* An answer to another question opens nothing. */
static const char *
check_foreign_verdict(struct world *w)
{
	w->policy = WORLD_FOREIGN;
	w->password = "wrong";
	MUST(world_start(w));
	return refused(w);
}

/* The engine leaves instead of an answer: refused, at once and properly. */
static const char *
check_no_verdict(struct world *w)
{
	w->policy = WORLD_LEAVE;
	MUST(world_start(w));
	MUST(world_run(w, is_over, LIMIT_MS));
	MUST(w->ups == 0 && w->authenticated == 0 && is_691(w));
	return NULL;
}

/* The engine leaves later: the session ends with it. */
static const char *
check_engine_death(struct world *w)
{
	MUST(world_start(w));
	MUST(world_run(w, is_up, LIMIT_MS));
	close(w->line);
	w->line = -1;
	MUST(world_run(w, is_over, LIMIT_MS));
	MUST(w->lcp.codes[LCP_TERMINATE] > 0);
	return NULL;
}

static const char *
check_no_address(struct world *w)
{
	w->policy = WORLD_NO_ADDRESS;
	MUST(world_start(w));
	MUST(world_run(w, is_over, LIMIT_MS));
	MUST(w->asks == 1 && w->ups == 0 && w->client_ups == 0);
	MUST(w->ends == 1 && strcmp(w->end.why, "no-ncp") == 0);
	return NULL;
}

static const char *
check_peer_terminates(struct world *w)
{
	MUST(world_start(w));
	MUST(world_run(w, is_up, LIMIT_MS));
	world_send(w, WORLD_LCP, LCP_TERMINATE, 9, NULL, 0);
	MUST(world_run(w, has_ended, LIMIT_MS));
	MUST(w->downs == 1 && w->ends == 1);
	MUST(strcmp(w->end.why, "peer-terminated") == 0 && w->end.by_peer);
	return NULL;
}

/* Requests that IPCP agrees to, without an address: the Nak that asks for one
 * would be written behind them. */
static const char *
check_large_request(struct world *w)
{
	uint8_t options[1488];
	struct wr o = wr_init(options, sizeof(options));

	MUST(world_start(w));
	MUST(world_run(w, is_up, LIMIT_MS));
	while (o.len < sizeof(options)) {
		wr_be16(&o, 0x8106); /* primary DNS, RFC 1877 1.1 */
		wr_be32(&o, 0x09090909);
	}
	world_send(w, WORLD_IPCP, 1, 99, options, sizeof(options));
	world_send(w, WORLD_LCP, 1, 99, options, sizeof(options));
	world_send(w, WORLD_CHAP, 2, 99, options, sizeof(options));
	MUST(is_alive(w));
	MUST(w->downs == 0 && works(w));
	return end_with_sigterm(w);
}

/* Rejects are as long as an MRU of 1500, not as the peer's. */
static const char *
check_large_reject(struct world *w)
{
	uint8_t body[1494] = {0};
	size_t n;

	w->mru = 2000;
	MUST(world_start(w));
	MUST(world_run(w, is_up, LIMIT_MS));
	world_send(w, WORLD_LCP, 99, 1, body, sizeof(body)); /* no such code */
	world_send(w, WORLD_UNKNOWN, 1, 1, body, sizeof(body));
	MUST(world_run(w, has_protocol_reject, LIMIT_MS));
	n = w->lcp.last_bytes;
	MUST(n <= 1500 && n > 1400);
	MUST(is_alive(w));
	MUST(w->lcp.codes[LCP_CODE_REJECT] == 0 && works(w));
	MUST(w->up.mtu == 1400);
	return end_with_sigterm(w);
}

/* From here on the client has no PPP: LCP is opened by hand. */
static const char *
open_lcp(struct world *w)
{
	static const uint8_t magic[] = {5, 6, 1, 2, 3, 4};

	MUST(world_run(w, has_request, LIMIT_MS));
	world_send(w, WORLD_LCP, LCP_ACK, w->lcp.last[1], w->lcp.last + 4,
	    w->lcp.last_bytes - 4);
	w->lcp.codes[LCP_ACK] = 0;
	world_send(w, WORLD_LCP, LCP_REQUEST, 8, magic, sizeof(magic));
	MUST(world_run(w, has_challenge, LIMIT_MS));
	return NULL;
}

/* What a client may want of a client: nobody is home. */
static const char *
check_own_authentication(struct world *w)
{
	static const uint8_t md5[] = {3, 5, 0xc2, 0x23, 5};
	static const uint8_t challenge[] =
	    "\020abcdefghijklmnopserver of the client";
	const char *why;

	w->bare = true;
	w->lax = true;
	MUST(world_start(w));
	MUST(world_run(w, has_request, LIMIT_MS));
	world_send(w, WORLD_LCP, LCP_REQUEST, 7, md5, sizeof(md5));
	MUST(world_run(w, has_reject, LIMIT_MS));
	MUST(w->lcp.last_bytes == 4 + sizeof(md5) &&
	    memcmp(w->lcp.last + 4, md5, sizeof(md5)) == 0);
	w->lcp.codes[LCP_REQUEST] = 0; /* it comes again after 3 s */
	why = open_lcp(w);
	if (why != NULL)
		return why;
	world_send(w, WORLD_CHAP, CHAP_CODE_CHALLENGE, 3, challenge,
	    sizeof(challenge) - 1);
	MUST(is_alive(w));
	MUST(w->auth.codes[CHAP_CODE_RESPONSE] == 0);
	MUST(w->lcp.codes[LCP_ACK] == 1);
	return NULL;
}

/* Before anybody is authenticated. */
static const char *
check_hostile(struct world *w)
{
	static const uint8_t identity[] = "\001mallory";
	uint8_t body[1494] = {0};
	const char *why;

	w->bare = true;
	MUST(world_start(w));
	why = open_lcp(w);
	if (why != NULL)
		return why;
	memset(body, 0xff, sizeof(body));
	world_send(w, WORLD_EAP, 2, 1, identity, sizeof(identity) - 1);
	world_send(w, WORLD_EAP, 1, 1, body, sizeof(body));
	world_send(w, WORLD_CHAP, 2, w->auth.last[1], body, sizeof(body));
	world_send(w, WORLD_CHAP, 2, w->auth.last[1], NULL, 0);
	world_send(w, WORLD_PAP, 1, 1, body, 300);
	world_send(w, WORLD_IPCP, 1, 1, NULL, 0);
	world_send(w, WORLD_LCP, LCP_CODE_REJECT, 1, body, 2);
	MUST(is_alive(w));
	MUST(w->asks == 0 && w->ipcp.codes[LCP_ACK] == 0);
	/* a Value of 255 bytes is no answer to any method */
	world_send(w, WORLD_CHAP, 2, w->auth.last[1], body, 300);
	MUST(world_run(w, has_ended, LIMIT_MS));
	MUST(w->asks == 0 && strcmp(w->end.why, "auth-failed") == 0);
	return NULL;
}

static const struct {
	const char *name;
	const char *(*run)(struct world *w);
} checks[] = {
    {"session", check_session},
    {"source-address", check_source},
    {"utf8-name", check_utf8_name},
    {"domain-name", check_domain_name},
    {"long-name", check_long_name},
    {"wrong-password", check_wrong_password},
    {"chap-md5", check_md5},
    {"chap-md5-wrong", check_md5_wrong},
    {"pap", check_pap},
    {"pap-wrong", check_pap_wrong},
    {"foreign-verdict", check_foreign_verdict},
    {"no-verdict", check_no_verdict},
    {"engine-death", check_engine_death},
    {"no-address", check_no_address},
    {"peer-terminates", check_peer_terminates},
    {"large-request", check_large_request},
    {"large-reject", check_large_reject},
    {"own-authentication", check_own_authentication},
    {"hostile", check_hostile},
};

static void
describe(const struct world *w)
{
	fprintf(stderr,
	    "# line: %u hello, %u ask, %u up, %u down, %u use, %u end %s,"
	    " %u strange; client: %u up, %u down %s, message \"%.*s\";"
	    " pppd %s %d\n",
	    w->hellos, w->asks, w->ups, w->downs, w->uses, w->ends, w->end.why,
	    w->strange, w->client_ups, w->client_downs, w->client_why,
	    w->auth.last_bytes > 4 ? (int)w->auth.last_bytes - 4 : 0,
	    w->auth.last + 4, w->pid > 0 ? "runs" : "status", w->status);
}

/* list: the wanted names, or none for all */
static bool
is_wanted(const char *name, char **list)
{
	if (*list == NULL)
		return true;
	while (*list != NULL && strcmp(*list, name) != 0)
		list++;
	return *list != NULL;
}

int
main(int argc, char **argv)
{
	size_t i, ran = 0, failed = 0;
	struct world w;
	const char *why;

	if (argc < 4) {
		fprintf(stderr,
		    "usage: pppd_peer PPPD PLUGIN VERSION [CHECK...]\n");
		return 2;
	}
	pppd = argv[1];
	plugin = argv[2];
	version = argv[3];
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (!is_wanted(checks[i].name, argv + 4))
			continue;
		w = new_world();
		why = checks[i].run(&w);
		ran++;
		if (why == NULL) {
			printf("ok pppd-%s %s\n", version, checks[i].name);
		} else {
			printf("not ok pppd-%s %s: %s\n", version,
			    checks[i].name, why);
			describe(&w);
			failed++;
		}
		world_stop(&w);
	}
	return ran > 0 && failed == 0 ? 0 : 1;
}
