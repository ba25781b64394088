/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load.c: the load generator's options, phases and report. A round is: all
 * clients come up (at a rate, at most so many at once), traffic or rest, all
 * go away. Before and after each, the server's processes are measured.
 *
 *   load --plane-sock FILE --server ADDRESS --clients N ... (see usage)
 *   load --echo-serve ADDRESS:PORT
 *
 * Exit status: 0 every client came up, kept its session and went, and no more
 * packets than --loss-max percent were lost; 1 not; 2 the command line.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "tests/bench/load.h"

#define T_TICK_MS     20
#define T_PACE_MS     1
#define T_DRAIN_MS    1000 /* for packets on their way back */
#define T_REST_MS     300  /* for the server to bury what went */
#define T_REST_IKE_MS 2    /* and for each client's IKE SA */

enum phase { PHASE_SETUP, PHASE_TRAFFIC, PHASE_DRAIN, PHASE_DOWN, PHASE_REST };

struct point { /* the server at one moment */
	struct proc_server proc;
	uint64_t ms;
};

static struct load load;
static enum phase phase;
static uint64_t phase_since_ms;
static unsigned int round_number;
static struct point begun, all_up, traffic_end, ended;
static struct proc_server server;
static json_t *rounds;
static bool broken;

static void
on_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	random_bytes(p, n);
}

/* ---- report ---- */

static void
take(struct point *p)
{
	if (proc_read(&server) < 0) {
		fprintf(stderr, "load: a process of the server is gone\n");
		broken = true;
		loop_stop(load.loop);
	}
	p->proc = server;
	p->ms = loop_clock_ms();
}

static double
cpu_between(const struct point *a, const struct point *b, int which)
{
	double s = 0;
	int i;

	for (i = 0; i < PROC_COUNT; i++)
		if (which < 0 || which == i)
			s += b->proc.now[i].cpu_s - a->proc.now[i].cpu_s;
	return s;
}

static long
pss_of(const struct point *p)
{
	long kib = 0;
	int i;

	for (i = 0; i < PROC_COUNT; i++)
		kib += p->proc.now[i].pss_kib;
	return kib;
}

static json_t *
describe_process(int i)
{
	const struct proc_figures *a = &begun.proc.now[i],
				  *b = &all_up.proc.now[i],
				  *c = &ended.proc.now[i];
	double n = load.opt.clients;

	return json_pack(
	    "{s:f, s:f, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:i, s:i, s:i}",
	    "setup_cpu_s", cpu_between(&begun, &all_up, i), "traffic_cpu_s",
	    cpu_between(&all_up, &traffic_end, i), "rss_before_kib",
	    (int)a->rss_kib, "rss_up_kib", (int)b->rss_kib, "rss_after_kib",
	    (int)c->rss_kib, "pss_before_kib", (int)a->pss_kib, "pss_up_kib",
	    (int)b->pss_kib, "pss_traffic_kib",
	    (int)traffic_end.proc.now[i].pss_kib, "pss_after_kib",
	    (int)c->pss_kib, "bytes_per_session",
	    1024.0 * (double)(b->pss_kib - a->pss_kib) / n,
	    "descriptors_before", a->descriptors, "descriptors_up",
	    b->descriptors, "descriptors_after", c->descriptors);
}

static json_t *
describe_failures(void)
{
	json_t *o = json_object();
	size_t i;

	for (i = 0; i < LOAD_REASONS && load.reasons[i].why != NULL; i++)
		json_object_set_new(o, load.reasons[i].why,
		    json_integer(load.reasons[i].count));
	return o;
}

static double
lost_percent(void)
{
	if (load.sent == 0)
		return 0;
	return 100.0 * ((double)load.sent - (double)load.received) /
	    (double)load.sent;
}

static double
ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

static void
report_round(void)
{
	double wall = (double)(all_up.ms - begun.ms) / 1000;
	double cpu = cpu_between(&begun, &all_up, -1);
	double busy = cpu_between(&all_up, &traffic_end, -1);
	unsigned int came = load.opt.clients - load.failed;
	json_t *processes = json_object(), *o;
	int i;

	for (i = 0; i < PROC_COUNT; i++)
		if (server.pid[i] != 0)
			json_object_set_new(
			    processes, proc_names[i], describe_process(i));
	o = json_pack("{s:i, s:i, s:i, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:I, "
		      "s:I, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:o, s:o}",
	    "round", (int)round_number, "clients", (int)load.opt.clients,
	    "failed", (int)load.failed, "suite", load.opt.suite, "setup_s",
	    wall, "setups_per_s", ratio(came, wall), "setup_cpu_s", cpu,
	    "setups_per_cpu_s", ratio(came, cpu), "pss_up_kib",
	    (double)pss_of(&all_up), "bytes_per_session",
	    1024.0 * (double)(pss_of(&all_up) - pss_of(&begun)) /
		load.opt.clients,
	    "sent", (json_int_t)load.sent, "received",
	    (json_int_t)load.received, "lost_percent", lost_percent(),
	    "traffic_s", (double)(traffic_end.ms - all_up.ms) / 1000,
	    "traffic_cpu_s", busy, "cpu_us_per_packet",
	    1e6 * ratio(busy, (double)(load.sent + load.received)),
	    "socket_full", (json_int_t)load.socket_full, "bad_packets",
	    (json_int_t)load.bad_packets, "ike_again",
	    (json_int_t)load.ike_again, "failures", describe_failures(),
	    "processes", processes);
	json_array_append_new(rounds, o);
	if (load.opt.json)
		return;
	printf("round %u: %u of %u up in %.2f s (%.0f/s, %.0f per CPU second), "
	       "%.0f bytes a session, %ld KiB in all\n",
	    round_number, came, load.opt.clients, wall, ratio(came, wall),
	    ratio(came, cpu),
	    1024.0 * (double)(pss_of(&all_up) - pss_of(&begun)) /
		load.opt.clients,
	    pss_of(&all_up));
	if (load.sent > 0)
		printf("  traffic: %llu sent, %llu back, %.3f us of the "
		       "server's CPU a packet\n",
		    (unsigned long long)load.sent,
		    (unsigned long long)load.received,
		    1e6 * ratio(busy, (double)(load.sent + load.received)));
}

/* ---- phases ---- */

static void
enter(enum phase next)
{
	phase = next;
	phase_since_ms = loop_now_ms(load.loop);
	if (load.opt.verbose)
		fprintf(stderr, "load: phase %d: %u up, %u failed\n", (int)next,
		    load.up, load.failed);
}

static void
round_begin(void)
{
	unsigned int i;

	take(&begun);
	round_number++;
	load.started = load.up = load.gone = load.failed = load.busy = 0;
	load.sent = load.received = load.ike_again = 0;
	memset(load.reasons, 0, sizeof(load.reasons));
	for (i = 0; i < load.opt.clients; i++)
		load.clients[i].state = CLIENT_IDLE;
	enter(PHASE_SETUP);
}

static void
round_end(void)
{
	unsigned int i;

	take(&ended);
	report_round();
	for (i = 0; i < load.opt.clients; i++)
		client_reset(&load.clients[i]);
	load.epoch_marks += load.opt.clients;
	if (load.failed > 0 || lost_percent() > load.opt.loss_max)
		broken = true;
	if (round_number < load.opt.rounds && !broken)
		round_begin();
	else
		loop_stop(load.loop);
}

/* Start (or stop, when the phase is DOWN) as many as may be under way. */
static void
feed(void)
{
	uint64_t ms = loop_now_ms(load.loop) - phase_since_ms;
	double may = load.opt.rate > 0 ? load.opt.rate * (double)ms / 1000
				       : load.opt.clients;
	static unsigned int next_down;
	struct load_client *c;

	while (phase == PHASE_SETUP && load.started < load.opt.clients &&
	    load.busy < load.opt.parallel && load.started < may)
		client_start(&load.clients[load.started]);
	if (phase != PHASE_DOWN) {
		next_down = 0;
		return;
	}
	while (next_down < load.opt.clients && load.busy < load.opt.parallel) {
		c = &load.clients[next_down++];
		client_stop(c);
	}
}

static void
setup_done(void)
{
	take(&all_up);
	if (load.up == 0 || load.opt.seconds == 0) {
		traffic_end = all_up;
		enter(PHASE_DOWN);
		return;
	}
	traffic_begin(&load);
	enter(PHASE_TRAFFIC);
	loop_timer_set(load.pace, T_PACE_MS);
}

static uint64_t
rest_ms(void)
{
	return T_REST_MS +
	    (load.opt.psk != NULL ? T_REST_IKE_MS * load.opt.clients : 0);
}

static void
step(struct load *l)
{
	uint64_t ms = loop_now_ms(l->loop) - phase_since_ms;

	switch (phase) {
	case PHASE_SETUP:
		feed();
		if (l->started == l->opt.clients && l->busy == 0)
			setup_done();
		break;
	case PHASE_TRAFFIC:
		if (ms >= (uint64_t)l->opt.seconds * 1000)
			enter(PHASE_DRAIN);
		break;
	case PHASE_DRAIN:
		if (ms < T_DRAIN_MS)
			break;
		take(&traffic_end);
		enter(PHASE_DOWN);
		break;
	case PHASE_DOWN:
		feed();
		if (l->up > 0 || l->busy > 0)
			break;
		for (unsigned int i = 0; i < l->opt.clients; i++) {
			load_ike_end(&l->clients[i]);
			wire_sas_del(&l->clients[i]);
		}
		enter(PHASE_REST);
		break;
	case PHASE_REST:
		if (ms >= rest_ms())
			round_end();
		break;
	}
	wire_flush(l);
}

static void
on_pace(void *ctx)
{
	struct load *l = ctx;

	if (phase != PHASE_TRAFFIC)
		return;
	if (l->opt.traffic > 0)
		traffic_run(l);
	loop_timer_set(l->pace, T_PACE_MS);
}

static void
on_tick(void *ctx)
{
	struct load *l = ctx;
	uint64_t now = loop_now_ms(l->loop), age;
	struct load_client *c;
	unsigned int i;

	for (i = 0; i < l->opt.clients; i++) {
		c = &l->clients[i];
		if (l->deadlines[i] <= now)
			client_tick(c);
		age = now - c->started_ms;
		if (c->state == CLIENT_STARTING &&
		    age > (uint64_t)l->opt.timeout_s * 1000)
			client_end(c, CLIENT_FAILED, "too-slow");
	}
	if ((phase == PHASE_DOWN || phase == PHASE_SETUP) &&
	    now - phase_since_ms >
		(uint64_t)l->opt.timeout_s * 1000 + 40 * l->opt.clients) {
		fprintf(stderr, "load: given up: %u under way\n", l->busy);
		broken = true;
		loop_stop(l->loop);
	}
	step(l);
	loop_timer_set(l->tick, T_TICK_MS);
}

/* ---- options ---- */

static int
usage(void)
{
	fputs(
	    "usage: load --plane-sock FILE|--psk TEXT --server ADDRESS [OPTION...]\n"
	    "       load --echo-serve ADDRESS:PORT\n"
	    "  --clients N        how many (100)\n"
	    "  --from ADDRESS     of the first client (10.66.0.1); all must be "
	    "local here\n"
	    "  --user NAME --password TEXT   (load, load)\n"
	    "  --users N          NAME1 to NAMEn take turns (0: NAME alone)\n"
	    "  --rate N|max       set-ups begun a second (max)\n"
	    "  --parallel N       set-ups under way at once (64)\n"
	    "  --seconds S        how long they stay (0)\n"
	    "  --traffic PPS      packets a second and session (0)\n"
	    "  --size BYTES       of UDP payload (64)\n"
	    "  --echo ADDRESS:PORT  who answers them\n"
	    "  --loss-max PERCENT (0)\n"
	    "  --suite aes256-sha1|aes256gcm16\n"
	    "  --psk TEXT         SAs by IKE, with this pre-shared key\n"
	    "  --ike SUITE        its proposal (aes256-sha256-modp2048)\n"
	    "  --ike-tunnel       tunnel mode, not transport\n"
	    "  --sas-only         a client is up when its SAs are\n"
	    "  --rounds N         all of it N times (1)\n"
	    "  --timeout S        of one set-up (30)\n"
	    "  --server-pid PID   l2tpd's monitor, to be measured\n"
	    "  --charon-pid PID   charon, to be measured\n"
	    "  --json  --verbose\n",
	    stderr);
	return 2;
}

static bool
parse_endpoint(const char *text, uint16_t port, struct endpoint *ret)
{
	char copy[ENDPOINT_TEXT];
	char *colon;

	snprintf(copy, sizeof(copy), "%s", text);
	colon = strchr(copy, ':');
	if (colon != NULL) {
		*colon = '\0';
		port = (uint16_t)atoi(colon + 1);
	}
	return endpoint_parse(copy, port, ret) && ret->family == 4;
}

static const struct option option_table[] = {
    {"plane-sock", required_argument, NULL, 'k'},
    {"server", required_argument, NULL, 's'},
    {"clients", required_argument, NULL, 'n'},
    {"from", required_argument, NULL, 'f'},
    {"user", required_argument, NULL, 'u'},
    {"password", required_argument, NULL, 'w'},
    {"users", required_argument, NULL, 'U'},
    {"rate", required_argument, NULL, 'r'},
    {"parallel", required_argument, NULL, 'm'},
    {"seconds", required_argument, NULL, 'S'},
    {"traffic", required_argument, NULL, 't'},
    {"size", required_argument, NULL, 'z'},
    {"echo", required_argument, NULL, 'e'},
    {"loss-max", required_argument, NULL, 'l'},
    {"suite", required_argument, NULL, 'c'},
    {"psk", required_argument, NULL, 'P'},
    {"ike", required_argument, NULL, 'i'},
    {"ike-tunnel", no_argument, NULL, 'I'},
    {"sas-only", no_argument, NULL, 'O'},
    {"rounds", required_argument, NULL, 'R'},
    {"timeout", required_argument, NULL, 'T'},
    {"server-pid", required_argument, NULL, 'p'},
    {"charon-pid", required_argument, NULL, 'C'},
    {"echo-serve", required_argument, NULL, 'E'},
    {"json", no_argument, NULL, 'j'},
    {"verbose", no_argument, NULL, 'v'},
    {NULL, 0, NULL, 0},
};

/* False: no such option, or not a number. */
static bool
number_option(struct load_options *o, int opt, const char *text)
{
	const struct {
		int opt;
		unsigned int *at;
	} numbers[] = {
	    {'n', &o->clients},
	    {'U', &o->users},
	    {'m', &o->parallel},
	    {'S', &o->seconds},
	    {'z', &o->payload_bytes},
	    {'R', &o->rounds},
	    {'T', &o->timeout_s},
	    {'p', &o->server_pid},
	    {'C', &o->charon_pid},
	};
	char *end;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (numbers[i].opt != opt)
			continue;
		*numbers[i].at = (unsigned int)strtoul(text, &end, 10);
		return *text != '\0' && *end == '\0';
	}
	return false;
}

static bool
one_option(struct load_options *o, int opt, const char *text)
{
	switch (opt) {
	case 'k':
		o->plane_sock = text;
		return true;
	case 's':
		return parse_endpoint(text, LOAD_PORT, &o->server);
	case 'f':
		return parse_endpoint(text, LOAD_PORT, &o->first);
	case 'e':
		return parse_endpoint(text, 7, &o->echo);
	case 'u':
		o->user = text;
		return true;
	case 'w':
		o->password = text;
		return true;
	case 'r':
		o->rate = strcmp(text, "max") == 0 ? 0 : atof(text);
		return true;
	case 't':
		o->traffic = atof(text);
		return true;
	case 'l':
		o->loss_max = atof(text);
		return true;
	case 'c':
		o->suite = text;
		return strcmp(text, "aes256-sha1") == 0 ||
		    strcmp(text, "aes256gcm16") == 0;
	case 'P':
		o->psk = text;
		return true;
	case 'i':
		o->ike_suite = text;
		return true;
	case 'I':
		return o->ike_tunnel = true;
	case 'O':
		return o->sas_only = true;
	case 'j':
		return o->json = true;
	case 'v':
		return o->verbose = true;
	default:
		return number_option(o, opt, text);
	}
}

static int
parse(int argc, char **argv)
{
	struct load_options *o = &load.opt;
	struct endpoint at;
	int opt;

	*o = (struct load_options){.user = "load",
	    .password = "load",
	    .suite = "aes256-sha1",
	    .ike_suite = IKEV1_SUITE,
	    .clients = 100,
	    .parallel = 64,
	    .rounds = 1,
	    .timeout_s = 30,
	    .payload_bytes = 64};
	parse_endpoint("10.66.0.1", LOAD_PORT, &o->first);
	while ((opt = getopt_long(argc, argv, "", option_table, NULL)) != -1) {
		if (opt == 'E') {
			if (!parse_endpoint(optarg, 7, &at))
				return usage();
			return echo_serve(&at) < 0 ? 1 : 0;
		}
		if (opt == '?' || !one_option(o, opt, optarg))
			return usage();
	}
	if (optind != argc || (o->plane_sock == NULL) == (o->psk == NULL) ||
	    o->server.family == 0 || o->clients == 0 ||
	    o->clients > LOAD_CLIENTS_MAX || o->parallel == 0 ||
	    o->payload_bytes < 4 || o->payload_bytes > 1300 ||
	    (o->traffic > 0 && o->echo.family == 0))
		return usage();
	return 0;
}

/* ---- begin and end ---- */

static void
name_client(struct load_client *c, unsigned int number)
{
	uint32_t first = 0;
	int i;

	c->load = &load;
	c->number = number;
	c->address = load.opt.first;
	for (i = 0; i < 4; i++)
		first = first << 8 | load.opt.first.addr[i];
	first += number;
	for (i = 0; i < 4; i++)
		c->address.addr[i] = (uint8_t)(first >> (24 - 8 * i));
	c->ppp_config =
	    &load.ppp_configs[load.opt.users > 0 ? number % load.opt.users : 0];
	load.deadlines[number] = UINT64_MAX;
}

static bool
make_users(void)
{
	unsigned int i, n = load.opt.users > 0 ? load.opt.users : 1;

	load.ppp_configs = calloc(n, sizeof(*load.ppp_configs));
	load.user_names = calloc(n, sizeof(*load.user_names));
	if (load.ppp_configs == NULL || load.user_names == NULL ||
	    secret_set(&load.password, load.opt.password,
		strlen(load.opt.password)) < 0)
		return false;
	for (i = 0; i < n; i++) {
		if (load.opt.users > 0)
			snprintf(load.user_names[i], sizeof(*load.user_names),
			    "%s%u", load.opt.user, i + 1);
		else
			snprintf(load.user_names[i], sizeof(*load.user_names),
			    "%s", load.opt.user);
		load.ppp_configs[i] = (struct ppp_config){
		    .methods = {PPP_AUTH_MSCHAPV2},
		    .name = "load",
		    .mru = 1400,
		    .user = load.user_names[i],
		    .password = &load.password,
		    .random = on_random,
		};
	}
	return true;
}

static bool
make_load(void)
{
	unsigned int i;

	load.udp = load.udp_ike = -1;
	load.loop = loop_new();
	if (load.loop == NULL || !make_users())
		return false;
	load.changed = step;
	load.tunnel_config = (struct tunnel_config){
	    .host_name = "load",
	    .receive_window = 8,
	    .max_sessions = 1,
	    .setup_timeout_ms = 30000,
	    .random = on_random,
	};
	load.clients = calloc(load.opt.clients, sizeof(*load.clients));
	load.deadlines = calloc(load.opt.clients, sizeof(*load.deadlines));
	load.tick = loop_timer_new(load.loop, on_tick, &load);
	load.pace = loop_timer_new(load.loop, on_pace, &load);
	if (load.clients == NULL || load.deadlines == NULL ||
	    load.tick == NULL || load.pace == NULL)
		return false;
	for (i = 0; i < load.opt.clients; i++)
		name_client(&load.clients[i], i);
	return true;
}

static void
free_load(void)
{
	unsigned int i;

	for (i = 0; load.clients != NULL && i < load.opt.clients; i++)
		client_reset(&load.clients[i]);
	wire_close(&load);
	free(load.clients);
	free(load.deadlines);
	free(load.ppp_configs);
	free(load.user_names);
	secret_wipe(&load.password);
	loop_free(load.loop);
}

int
main(int argc, char **argv)
{
	int status = parse(argc, argv);

	if (status != 0)
		return status;
	rounds = json_array();
	if (rounds == NULL || !make_load())
		return 1;
	if (proc_find(&server, (int)load.opt.server_pid,
		(int)load.opt.charon_pid) < 0) {
		fprintf(stderr, "load: no l2tpd with process id %u\n",
		    load.opt.server_pid);
		return 1;
	}
	if (wire_open(&load) < 0)
		return 1;
	round_begin();
	loop_timer_set(load.tick, 0);
	loop_run(load.loop);
	if (load.plane_ended)
		broken = true;
	if (load.opt.json) {
		json_dumpf(
		    rounds, stdout, JSON_COMPACT | JSON_REAL_PRECISION(7));
		putchar('\n');
	}
	json_decref(rounds);
	free_load();
	return broken ? 1 : 0;
}
