/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_engine.c: the whole engine in one process against a client, with the
 * plane, charon and the authority played by engine_world.c.
 */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/charon_msg.h"
#include "base/log.h"
#include "l2tpd/engine/internal.h"
#include "ppp-glue/services/packet.h"
#include "tests/peer/engine_world.h"

/* ---- tests ---- */

static void
test_connect(void **state)
{
	struct world *w = *state;
	struct client *c = &w->clients[0];
	const char *text;

	charon_up(w);
	plugin_sa(w, 1, 0);
	world_run(w);
	assert_int_equal(null_count_sas(w->plane, true), 1);
	world_dial(w, 0, 1, "alice", "secret");
	assert_true(c->session_up);
	assert_true(c->ipv4_up);
	assert_memory_equal(c->address, ((uint8_t[4]){10, 77, 0, 10}), 4);
	assert_true(world_ip_flows(w));
	assert_memory_equal(w->address, c->address, 4);
	assert_int_equal(w->ups, 1);
	text = world_control(w, "{\"cmd\":\"sessions\"}\n");
	assert_non_null(strstr(text, "\"user\":\"alice\""));
	assert_non_null(strstr(text, "\"inner_ipv4\":\"10.77.0.10\""));
	assert_non_null(strstr(text, "\"mark\":1"));
	assert_non_null(strstr(text, "\"bytes_in\":1000"));
	text = world_control(w, "{\"cmd\":\"status\"}\n");
	assert_non_null(strstr(text, "\"sessions\":1,"));
}

static void
test_wrong_password(void **state)
{
	struct world *w = *state;
	struct client *c = &w->clients[0];

	charon_up(w);
	plugin_sa(w, 1, 0);
	world_run(w);
	world_dial(w, 0, 1, "alice", "wrong");
	assert_false(c->ipv4_up);
	assert_true(c->ppp_down);
	assert_int_equal(w->asks, 1);
	assert_int_equal(w->ups, 0);
	assert_int_equal(w->stops, 0);
	assert_int_equal(null_count_sessions(w->plane), 0);
}

/* Three devices behind one NAT, all from port 1701 with equal tunnel ids. */
static void
test_three_behind_one_nat(void **state)
{
	struct world *w = *state;
	size_t i;

	charon_up(w);
	for (i = 0; i < 3; i++) {
		plugin_sa(w, (uint32_t)i + 1, 0);
		world_run(w);
		world_dial(w, i, (uint32_t)i + 1, "alice", "secret");
		assert_true(w->clients[i].ipv4_up);
		assert_int_equal(w->clients[i].address[3], 10 + i);
	}
	/* one leaves; the others stay */
	tunnel_close(w->clients[1].tunnel, 6, 0, NULL, now_ms(w));
	client_drain(w, &w->clients[1]);
	world_run(w);
	assert_int_equal(w->stops, 1);
	assert_true(w->clients[0].ipv4_up && w->clients[2].ipv4_up);
	assert_non_null(strstr(
	    world_control(w, "{\"cmd\":\"status\"}\n"), "\"sessions\":2,"));
}

static void
assert_routed(struct world *w, uint32_t session, uint8_t count)
{
	const struct ipv4_networks *nets =
	    null_session_networks(w->plane, session);

	assert_int_equal(nets != NULL ? nets->count : 0, count);
	assert_int_equal(w->kernel[session].count, count);
}

static void
disconnect(struct world *w, uint32_t session)
{
	char line[64];

	snprintf(line, sizeof(line), "{\"cmd\":\"disconnect\",\"id\":%u}\n",
	    session);
	assert_non_null(strstr(world_control(w, line), "\"disconnected\":1"));
	world_run(w);
}

/* Three devices with the same network behind them: the first has it, of the
 * others the one that came last gets it when that one ends. */
static void
test_networks(void **state)
{
	struct world *w = *state;
	const char *text;
	uint32_t i;

	charon_up(w);
	/* the clients' own outer address, 198.51.100.7, is in the second */
	w->behind = (struct ipv4_networks){
	    .at = {{{10, 1, 0, 0}, 16}, {{198, 51, 100, 0}, 24}}, .count = 2};
	for (i = 0; i < 3; i++) {
		plugin_sa(w, i + 1, 0);
		world_run(w);
		world_dial(w, i, i + 1, "alice", "secret");
		assert_true(w->clients[i].ipv4_up);
	}
	assert_routed(w, 1, 1);
	assert_int_equal(w->kernel[1].at[0].net[1], 1);
	assert_routed(w, 2, 0);
	assert_routed(w, 3, 0);
	text = world_control(w, "{\"cmd\":\"sessions\"}\n");
	text = strstr(text, "\"routes\":[\"10.1.0.0/16\"]");
	assert_non_null(text);
	assert_null(strstr(text + 1, "\"routes\":[\""));
	disconnect(w, 1);
	assert_routed(w, 1, 0);
	assert_routed(w, 2, 0);
	assert_routed(w, 3, 1);
	disconnect(w, 2); /* while it waits */
	disconnect(w, 3);
	for (i = 1; i <= 3; i++)
		assert_routed(w, i, 0);
	/* another network, then none at all: what was is not kept */
	client_forget(&w->clients[0]);
	w->behind.at[0].net[1] = 2;
	w->behind.count = 1;
	plugin_sa(w, 4, 0);
	world_run(w);
	world_dial(w, 0, 4, "alice", "secret");
	assert_routed(w, 4, 1);
	assert_int_equal(w->kernel[4].at[0].net[1], 2);
	null_fail_next(w->plane, NULL_CALL_ROUTES, -ENOMEM);
	client_forget(&w->clients[1]);
	w->behind.at[0].net[1] = 3;
	plugin_sa(w, 5, 0);
	world_run(w);
	world_dial(w, 1, 5, "alice", "secret");
	assert_true(w->clients[1].ipv4_up); /* all the same */
	assert_routed(w, 5, 0);
}

/* A tunnel cannot be used over somebody else's association. */
static void
test_foreign_association(void **state)
{
	struct world *w = *state;
	struct client *c = &w->clients[0];
	uint32_t own;

	charon_up(w);
	plugin_sa(w, 1, 0);
	plugin_sa(w, 2, 0);
	world_run(w);
	world_dial(w, 0, 1, "alice", "secret");
	assert_true(c->ipv4_up);
	own = w->assoc_of_mark[1];
	w->assoc_of_mark[1] = w->assoc_of_mark[2];
	tunnel_close(c->tunnel, 6, 0, NULL, now_ms(w));
	client_drain(w, c); /* the StopCCN goes over the wrong association */
	w->assoc_of_mark[1] = own;
	world_run(w);
	assert_int_equal(w->stops, 0);
	assert_true(world_ip_flows(w));
}

/* A killed client comes back on the same association with the same ids. */
static void
test_client_crash(void **state)
{
	struct world *w = *state;
	struct client *c = &w->clients[0];

	charon_up(w);
	plugin_sa(w, 1, 0);
	world_run(w);
	world_dial(w, 0, 1, "alice", "secret");
	assert_true(c->ipv4_up);
	client_forget(c);
	plugin_sa(w, 1, 1); /* rekeyed on the same mark */
	plugin_sa_del(w, 1, 0);
	world_run(w);
	world_dial(w, 0, 1, "alice", "secret");
	assert_true(c->ipv4_up);
	assert_int_equal(w->stops, 1);
	assert_string_equal(w->stop_reason, "superseded");
	assert_int_equal(null_count_sas(w->plane, true), 1);
}

/* The plugin reconnects: what it names stays, what it does not name goes. */
static void
test_plugin_replay(void **state)
{
	struct world *w = *state;

	charon_up(w);
	plugin_sa(w, 1, 0);
	plugin_sa(w, 2, 0);
	world_run(w);
	world_dial(w, 0, 1, "alice", "secret");
	assert_int_equal(null_count_sas(w->plane, true), 2);
	plugin_connect(w, EPOCH);
	plugin_sa(w, 1, 0);
	plugin_say(w, CHARON_MSG_SYNC_END, "", 0);
	world_run(w);
	assert_int_equal(null_count_sas(w->plane, true), 1);
	assert_true(w->clients[0].ipv4_up);
	assert_non_null(strstr(
	    world_control(w, "{\"cmd\":\"status\"}\n"), "\"sessions\":1,"));
}

/* Who is heard can be answered: nothing is, before both SAs are there. */
static void
test_inbound_first(void **state)
{
	struct world *w = *state;

	charon_up(w);
	plugin_sa_one(w, 1, 0, true);
	world_run(w);
	assert_int_equal(null_count_sas(w->plane, true), 0);
	plugin_sa_one(w, 1, 0, false);
	world_run(w);
	assert_int_equal(null_count_sas(w->plane, true), 1);
	assert_int_equal(null_count_sas(w->plane, false), 1);
	/* a rekey: the old outbound SA still answers */
	plugin_sa_one(w, 1, 1, true);
	world_run(w);
	assert_int_equal(null_count_sas(w->plane, true), 2);
	/* what was deleted meanwhile does not come back */
	plugin_sa_one(w, 2, 0, true);
	plugin_sa_del_one(w, 2, 0, true);
	plugin_sa_one(w, 2, 0, false);
	world_run(w);
	assert_int_equal(null_count_sas(w->plane, true), 2);
	assert_int_equal(null_count_sas(w->plane, false), 2);
}

/* A new engine is told of SAs that a former engine used: it must not, their
 * sequence numbers are gone. New ones are used. */
static void
test_engine_restart(void **state)
{
	struct world *w = *state;

	plugin_connect(w, EPOCH);
	plugin_sa(w, 1, 0);
	plugin_say(w, CHARON_MSG_SYNC_END, "", 0);
	world_run(w);
	assert_int_equal(null_count_sas(w->plane, true), 0);
	assert_int_equal(null_count_sas(w->plane, false), 0);
	assert_non_null(strstr(
	    world_control(w, "{\"cmd\":\"status\"}\n"), "\"associations\":1,"));
	plugin_sa_del(w, 1, 0);
	plugin_sa(w, 2, 0);
	world_run(w);
	assert_int_equal(null_count_sas(w->plane, true), 1);
	world_dial(w, 0, 2, "alice", "secret");
	assert_true(w->clients[0].ipv4_up);
}

/* charon restarts: marks count from 1 again, the old session lives on, and a
 * new client with the same mark is somebody else. */
static void
test_charon_restart(void **state)
{
	struct world *w = *state;
	uint32_t old;

	charon_up(w);
	plugin_sa(w, 1, 0);
	world_run(w);
	world_dial(w, 0, 1, "alice", "secret");
	assert_true(w->clients[0].ipv4_up);
	old = w->assoc_of_mark[1];
	w->clients[0].mark = 15;
	w->assoc_of_mark[15] = old;
	plugin_connect(w, EPOCH + 1);
	plugin_say(w, CHARON_MSG_SYNC_END, "", 0);
	plugin_sa(w, 1, 1);
	world_run(w);
	assert_int_not_equal(w->assoc_of_mark[1], old);
	world_dial(w, 1, 1, "alice", "secret");
	assert_true(w->clients[1].ipv4_up);
	assert_true(w->clients[0].ipv4_up);
	assert_int_equal(w->stops, 0);
}

/* LCP begins anew in mid-session: the lease is given back and drawn again. */
static void
test_renegotiation(void **state)
{
	struct world *w = *state;
	struct client *c = &w->clients[0];

	charon_up(w);
	plugin_sa(w, 1, 0);
	world_run(w);
	world_dial(w, 0, 1, "alice", "secret");
	assert_true(c->ipv4_up);
	ppp_free(c->ppp);
	c->ipv4_up = false;
	c->ppp = ppp_new(&c->ppp_config, now_ms(w));
	assert_non_null(c->ppp);
	ppp_start(c->ppp, now_ms(w));
	client_drain_ppp(w, c);
	world_run(w);
	assert_true(c->ipv4_up);
	assert_int_equal(w->asks, 2);
	assert_int_equal(w->ups, 2);
	assert_int_equal(w->stops, 1);
	assert_string_equal(w->stop_reason, "renegotiated");
	assert_int_equal(c->address[3], 11);
	assert_memory_equal(w->address, c->address, 4);
}

static void
test_disconnect(void **state)
{
	struct world *w = *state;
	const char *text;

	charon_up(w);
	plugin_sa(w, 1, 0);
	world_run(w);
	world_dial(w, 0, 1, "alice", "secret");
	text =
	    world_control(w, "{\"cmd\":\"disconnect\",\"user\":\"ALICE\"}\n");
	assert_non_null(strstr(text, "\"disconnected\":1"));
	world_run(w);
	assert_false(w->clients[0].ipv4_up);
	assert_int_equal(w->stops, 1);
	assert_string_equal(w->stop_reason, "administrator");
	text = world_control(w, "{\"cmd\":\"disconnect\",\"id\":99}\n");
	assert_non_null(strstr(text, "\"disconnected\":0"));
}

static void
test_control_garbage(void **state)
{
	struct world *w = *state;
	static char line[8192];

	assert_non_null(strstr(world_control(w, "nonsense\n"), "\"ok\":false"));
	assert_non_null(strstr(world_control(w, "[1,2]\n"), "\"ok\":false"));
	assert_non_null(
	    strstr(world_control(w, "{\"cmd\":\"reboot\"}\n"), "unknown cmd"));
	assert_non_null(
	    strstr(world_control(w, "{\"cmd\":\"disconnect\"}\n"), "needs"));
	/* a line that never ends ends the connection, not the engine */
	memset(line, 'a', sizeof(line) - 1);
	send(w->control_fd, line, strlen(line), MSG_NOSIGNAL);
	world_run(w);
	close(w->control_fd);
	w->control_fd = -1;
	assert_non_null(
	    strstr(world_control(w, "{\"cmd\":\"status\"}\n"), "\"ok\":true"));
}

static void
test_stop(void **state)
{
	struct world *w = *state;
	unsigned int i;

	charon_up(w);
	plugin_sa(w, 1, 0);
	world_run(w);
	world_dial(w, 0, 1, "alice", "secret");
	engine_stop(w->engine);
	world_run(w);
	assert_true(w->clients[0].tunnel_down); /* it got the StopCCN */
	assert_int_equal(w->stops, 1);
	for (i = 0; i < 100 && !w->stopped; i++)
		loop_run_once(w->loop, true);
	assert_true(w->stopped);
}

/* Bytes that the process holds; 0 when the allocator does not tell. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t
allocated_bytes(void)
{
	if (__sanitizer_get_current_allocated_bytes != NULL)
		return __sanitizer_get_current_allocated_bytes();
	return mallinfo2().uordblks;
}

/* A peer that passed IKE, sent a SCCRQ and falls silent is cheap. */
static void
test_half_open_cost(void **state)
{
	enum { PEERS = 200 };
	struct world *w = *state;
	struct tunnel *t;
	struct tunnel_effect fx;
	const struct endpoint peer = {4, {198, 51, 100, 7}, 4500};
	size_t before, after;
	uint32_t mark;

	charon_up(w);
	before = allocated_bytes();
	for (mark = 1; mark <= PEERS; mark++) {
		plugin_sa(w, mark, 0);
		world_run(w);
		t = tunnel_new_initiator(
		    &w->client_tunnel_config, 1, now_ms(w));
		assert_non_null(t);
		assert_true(tunnel_next_effect(t, &fx));
		assert_int_equal(fx.type, TUNNEL_EFFECT_SEND);
		null_inject_l2tp(
		    w->plane, w->assoc_of_mark[mark], &peer, 1701, fx.data);
		tunnel_free(t);
		world_run(w); /* the SCCRP is dropped: nobody is there */
	}
	after = allocated_bytes();
	assert_non_null(strstr(
	    world_control(w, "{\"cmd\":\"status\"}\n"), "\"tunnels\":200,"));
	print_message("half-open peer: %zu bytes\n", (after - before) / PEERS);
	assert_true((after - before) / PEERS < 16 * 1024);
}

static uint64_t skipped_ms;

static uint64_t
skipping_clock(void *ctx)
{
	(void)ctx;
	return loop_clock_ms() + skipped_ms;
}

/* It goes away by itself: its tunnel does, although it acknowledges nothing
 * and says nothing. */
static void
test_half_open_ends(void **state)
{
	struct world *w = *state;
	struct tunnel *t;
	struct tunnel_effect fx;
	const struct endpoint peer = {4, {198, 51, 100, 7}, 4500};
	const char *status;
	unsigned int i;

	charon_up(w);
	plugin_sa(w, 1, 0);
	world_run(w);
	t = tunnel_new_initiator(&w->client_tunnel_config, 1, now_ms(w));
	assert_non_null(t);
	assert_true(tunnel_next_effect(t, &fx));
	null_inject_l2tp(w->plane, w->assoc_of_mark[1], &peer, 1701, fx.data);
	tunnel_free(t);
	status = world_control(w, "{\"cmd\":\"status\"}\n");
	assert_non_null(strstr(status, "\"tunnels\":1,"));
	loop_set_clock(w->loop, skipping_clock, NULL);
	/* the next retransmission of our SCCRP, then of our StopCCN, finds
	 * that it is too late */
	for (i = 0; i < 100; i++) {
		skipped_ms += 60000;
		status = world_control(w, "{\"cmd\":\"status\"}\n");
		if (strstr(status, "\"tunnels\":0,") != NULL)
			break;
		loop_run_once(w->loop, true);
	}
	assert_non_null(strstr(status, "\"tunnels\":0,"));
}

/* The names that scripts rely on. */
static void
test_sessions_fields(void **state)
{
	static const char *const fields[] = {"id", "user", "device_address",
	    "device_port", "inner_ipv4", "plane", "mark", "since", "bytes_in",
	    "bytes_out", "cipher"};
	struct world *w = *state;
	const char *text;
	char quoted[32];
	size_t i;

	charon_up(w);
	plugin_sa(w, 1, 0);
	world_run(w);
	world_dial(w, 0, 1, "alice", "secret");
	text = world_control(w, "{\"cmd\":\"sessions\"}\n");
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		snprintf(quoted, sizeof(quoted), "\"%s\":", fields[i]);
		assert_non_null(strstr(text, quoted));
	}
	assert_non_null(strstr(text, "\"device_address\":\"198.51.100.7\""));
	assert_non_null(strstr(text, "\"device_port\":40001"));
}

/* The answer to a DHCPINFORM of the client; false: none. */
static bool
ask_dhcp(struct world *w, struct packet *ret)
{
	static const uint8_t options[] = {
	    53, 1, 8, 55, 4, 6, 15, 121, 249, 255};
	static uint8_t answer[1500];
	struct packet p = {.version = 4,
	    .protocol = PACKET_UDP,
	    .hop_limit = 64,
	    .dst = {255, 255, 255, 255},
	    .sport = 68,
	    .dport = 67};
	uint8_t buf[400];
	struct wr out = wr_init(buf, sizeof(buf));
	struct null_call call;
	uint32_t head = 0;
	size_t begin;
	struct rd r;

	null_drop_calls(w->plane);
	memcpy(p.src, w->clients[0].address, 4);
	begin = packet_begin(&out, &p);
	wr_be32(&out, 0x01080600);
	wr_zero(&out, 8);
	wr_bytes(&out, p.src, 4);
	wr_zero(&out, 12 + 16 + 192);
	wr_be32(&out, 0x63825363);
	wr_bytes(&out, options, sizeof(options));
	packet_end(&out, begin);
	assert_true(wr_ok(&out));
	null_inject_service(w->plane, w->session, wr_rd(&out));
	if (!null_next_call(w->plane, &call))
		return false;
	assert_int_equal(call.type, NULL_CALL_PPP_SEND);
	assert_int_equal(call.session, w->session);
	assert_true(call.data.left <= sizeof(answer));
	r = rd_init(answer, call.data.left);
	memcpy(answer, call.data.p, call.data.left);
	assert_true(rd_be32(&r, &head) && head == 0xff030021);
	assert_true(packet_parse(&r, ret));
	return true;
}

/* Routes and domains are those of the user's group. */
static void
test_dhcp(void **state)
{
	static const uint8_t want[] = {6, 4, 10, 77, 0, 5, 15, 8, 'l', 'a', 'b',
	    '.', 't', 'e', 's', 't', 121, 8, 24, 192, 168, 7, 10, 77, 0, 1, 249,
	    8, 24, 192, 168, 7, 10, 77, 0, 1, 255};
	struct world *w = *state;
	struct packet p;

	charon_up(w);
	plugin_sa(w, 1, 0);
	world_run(w);
	world_dial(w, 0, 1, "alice", "secret");
	assert_true(w->clients[0].ipv4_up);
	assert_true(ask_dhcp(w, &p));
	assert_memory_equal(p.dst, w->clients[0].address, 4);
	assert_memory_equal(p.src, ((uint8_t[4]){10, 77, 0, 1}), 4);
	assert_memory_equal(p.payload.p + 249, want, sizeof(want));
	/* another's address */
	w->clients[0].address[3]++;
	assert_false(ask_dhcp(w, &p));
	w->clients[0].address[3]--;
	/* before IPCP is up again there is nobody to ask */
	ppp_close(w->clients[0].ppp, "test", now_ms(w));
	client_drain_ppp(w, &w->clients[0]);
	assert_false(ask_dhcp(w, &p));
}

/* The next ICMPv6 or UDP packet to the client over IPv6, of calls that were
 * made; false: none. */
static bool
next_ipv6(struct world *w, struct packet *ret)
{
	static uint8_t copy[1500];
	struct null_call call;
	uint32_t head = 0;
	struct rd r;

	while (null_next_call(w->plane, &call)) {
		assert_true(call.data.left <= sizeof(copy));
		r = rd_init(copy, call.data.left);
		if (call.type != NULL_CALL_PPP_SEND)
			continue;
		memcpy(copy, call.data.p, call.data.left);
		if (!rd_be32(&r, &head) || head != 0xff030057)
			continue;
		assert_true(packet_parse(&r, ret));
		return true;
	}
	return false;
}

static void
assert_advertised(const struct packet *p, uint16_t lifetime_s, uint8_t number)
{
	uint16_t lifetime = 0;
	struct rd r = p->payload;

	assert_int_equal(p->payload.p[0], 134);
	assert_int_equal(p->src[15], 1); /* fe80::1 */
	assert_true(rd_skip(&r, 6) && rd_be16(&r, &lifetime));
	assert_int_equal(lifetime, lifetime_s);
	assert_memory_equal(p->payload.p + 32, "\x20\x01\x0d\xb8\0\1\0", 7);
	assert_int_equal(p->payload.p[39], number);
}

/* From the client's link-local address. */
static void
ask_ipv6(struct world *w, uint8_t protocol, const uint8_t to[16],
    const void *payload, size_t n)
{
	struct packet p = {.version = 6,
	    .protocol = protocol,
	    .hop_limit = 255,
	    .src = {0xfe, 0x80},
	    .sport = 546,
	    .dport = 547};
	uint8_t buf[400];
	struct wr out = wr_init(buf, sizeof(buf));
	size_t begin;

	memcpy(p.src + 8, w->clients[0].ifid, 8);
	memcpy(p.dst, to, 16);
	begin = packet_begin(&out, &p);
	wr_bytes(&out, payload, n);
	packet_end(&out, begin);
	null_inject_service(w->plane, w->session, wr_rd(&out));
}

static uint64_t ipv6_clock_ms;

static uint64_t
ipv6_clock(void *ctx)
{
	(void)ctx;
	return ipv6_clock_ms;
}

static void
test_ipv6(void **state)
{
	static const uint8_t routers[16] = {0xff, 2, [15] = 2};
	static const uint8_t servers[16] = {0xff, 2, [13] = 1, [15] = 2};
	static const uint8_t gateway[16] = {0xfe, 0x80, [15] = 1};
	static const uint8_t request[] = {
	    11, 1, 2, 3, 0, 6, 0, 4, 0, 23, 0, 24};
	uint8_t solicitation[8] = {133}, neighbor[24] = {135};
	struct world *w = *state;
	struct client *c = &w->clients[0];
	unsigned int advertised = 0;
	struct packet p;
	size_t i;

	w->ipv6 = true;
	charon_up(w);
	plugin_sa(w, 1, 0);
	world_run(w);
	world_dial(w, 0, 1, "alice", "secret");
	assert_true(c->ipv4_up && c->ipv6_up);
	assert_int_equal(c->server_ifid[7], 1);
	assert_non_null(strstr(world_control(w, "{\"cmd\":\"sessions\"}\n"),
	    "\"inner_ipv6_prefix\":\"2001:db8:1:a::\""));
	null_drop_calls(w->plane);
	ask_ipv6(w, PACKET_ICMPV6, routers, solicitation, 8);
	assert_true(next_ipv6(w, &p));
	assert_advertised(&p, 1800, 10);
	assert_memory_equal(p.dst + 8, c->ifid, 8);
	memcpy(neighbor + 8, gateway, 16);
	ask_ipv6(w, PACKET_ICMPV6, gateway, neighbor, 24);
	assert_true(next_ipv6(w, &p));
	assert_int_equal(p.payload.p[0], 136);
	neighbor[23] = 2; /* nobody we know */
	ask_ipv6(w, PACKET_ICMPV6, gateway, neighbor, 24);
	assert_false(next_ipv6(w, &p));
	ask_ipv6(w, PACKET_UDP, servers, request, sizeof(request));
	assert_true(next_ipv6(w, &p));
	assert_int_equal(p.payload.p[0], 7);
	assert_int_equal(p.dport, 546);
	/* on its own: two more soon, then every ten minutes or so */
	ipv6_clock_ms = now_ms(w);
	loop_set_clock(w->loop, ipv6_clock, NULL);
	for (i = 0; i < 20; i++) {
		ipv6_clock_ms += 1000;
		/* any frame makes the engine look at its clock */
		null_inject_ppp(
		    w->plane, w->session, rd_init("\xff\3\xc0\x21", 4));
		loop_run_once(w->loop, false);
		loop_run_once(w->loop, false);
		while (next_ipv6(w, &p)) {
			assert_advertised(&p, 1800, 10);
			advertised++;
		}
	}
	assert_int_equal(advertised, 2);
	/* at the end we are no router any more */
	engine_stop(w->engine);
	assert_true(next_ipv6(w, &p));
	assert_advertised(&p, 0, 10);
}

/* The kernel plane with a session that the kernel cannot have: it is there
 * before the call is up, and PPP is the engine's own. */
static void
test_kernel_plane_own_ppp(void **state)
{
	struct world *w = *state;
	const char *text;

	charon_up(w);
	w->engine->kernel = true;
	null_no_channels(w->plane);
	w->engine->tunnel_config.session_id_taken = sessions_id_taken;
	w->engine->tunnel_config.taken_ctx = w->engine;
	plugin_sa(w, 1, 0);
	plugin_sa(w, 2, 0);
	world_run(w);
	world_dial(w, 0, 1, "alice", "secret");
	assert_true(w->clients[0].ipv4_up);
	assert_true(world_ip_flows(w));
	text = world_control(w, "{\"cmd\":\"sessions\"}\n");
	assert_non_null(strstr(text, "\"plane\":\"user\""));
	assert_non_null(strstr(text, "\"interface\":\"adit0\""));
	assert_true(sessions_id_taken(w->engine, w->clients[0].server_session));
	assert_false(sessions_id_taken(w->engine, 0));
	/* there is no TUN device: refused before it is answered */
	null_fail_next(w->plane, NULL_CALL_SESSION_ADD, -ENODEV);
	world_dial(w, 1, 2, "alice", "secret");
	assert_false(w->clients[1].session_up);
	assert_int_equal(null_count_sessions(w->plane), 1);
	w->engine->kernel = false; /* as it was made */
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
	    T(test_connect),
	    T(test_wrong_password),
	    T(test_three_behind_one_nat),
	    T(test_foreign_association),
	    T(test_client_crash),
	    T(test_plugin_replay),
	    T(test_inbound_first),
	    T(test_engine_restart),
	    T(test_charon_restart),
	    T(test_renegotiation),
	    T(test_disconnect),
	    T(test_networks),
	    T(test_control_garbage),
	    T(test_stop),
	    T(test_half_open_cost),
	    T(test_half_open_ends),
	    T(test_sessions_fields),
	    T(test_dhcp),
	    T(test_ipv6),
	    T(test_kernel_plane_own_ppp),
	};

	log_open("test", true, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
