/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ike_relay.c: the engine's side of the charon plugin's channel against a
 * raw socket that plays the plugin, honest and hostile (l2tpd/ike/relay.h).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "l2tpd/ike/relay.h"
#include "tests/unit/line.h"

struct rig {
	struct line line;
	struct ike_relay *relay;
	struct sockaddr_un addr; /* abstract */
	socklen_t addr_len;

	unsigned int hellos, spis, adds, updates, dels, syncs, outs, alerts,
	    gones;
	uint64_t epoch;
	uint32_t spi;
	bool spi_new, refused;
	struct charon_sa sa;
	struct charon_sa_update update;
	struct charon_sa_del del;
	struct charon_alert alert;
	struct charon_child child;
	uint8_t ike[64];
	size_t ike_bytes;
	char why[64];
};

static void
on_hello(void *ctx, uint64_t epoch)
{
	struct rig *r = ctx;

	r->hellos++;
	r->epoch = epoch;
}

static void
on_spi(void *ctx, uint32_t spi, bool is_new)
{
	struct rig *r = ctx;

	r->spis++;
	r->spi = spi;
	r->spi_new = is_new;
}

static void
on_sa_add(void *ctx, const struct charon_sa *sa)
{
	struct rig *r = ctx;

	r->adds++;
	r->sa = *sa;
}

static void
on_sa_update(void *ctx, const struct charon_sa_update *u)
{
	struct rig *r = ctx;

	r->updates++;
	r->update = *u;
}

static void
on_sa_del(void *ctx, const struct charon_sa_del *d)
{
	struct rig *r = ctx;

	r->dels++;
	r->del = *d;
}

static void
on_sync_end(void *ctx)
{
	((struct rig *)ctx)->syncs++;
}

static void
on_ike_out(void *ctx, const struct charon_ike *ike)
{
	struct rig *r = ctx;
	struct rd data = ike->data;

	r->outs++;
	r->ike_bytes = data.left;
	rd_bytes(&data, r->ike, data.left < 64 ? data.left : 64);
}

static void
on_child(void *ctx, const struct charon_child *c)
{
	struct rig *r = ctx;

	r->child = *c;
}

static void
on_alert(void *ctx, const struct charon_alert *a)
{
	struct rig *r = ctx;

	r->alerts++;
	r->alert = *a;
}

static void
on_gone(void *ctx, const char *why, bool refused)
{
	struct rig *r = ctx;

	r->gones++;
	r->refused = refused;
	snprintf(r->why, sizeof(r->why), "%s", why != NULL ? why : "");
}

static const struct ike_relay_events events = {
    .hello = on_hello,
    .spi = on_spi,
    .sa_add = on_sa_add,
    .sa_update = on_sa_update,
    .sa_del = on_sa_del,
    .sync_end = on_sync_end,
    .ike_out = on_ike_out,
    .alert = on_alert,
    .child = on_child,
    .gone = on_gone,
};

static int
plugin_connect(struct rig *r)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	assert_true(fd >= 0);
	assert_int_equal(
	    connect(fd, (struct sockaddr *)&r->addr, r->addr_len), 0);
	line_turn(&r->line);
	return fd;
}

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	assert_non_null(r);
	line_start(&r->line);
	r->addr.sun_family = AF_UNIX; /* autobind: an abstract name */
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&r->addr, sizeof(sa_family_t)), 0);
	r->addr_len = sizeof(r->addr);
	assert_int_equal(
	    getsockname(fd, (struct sockaddr *)&r->addr, &r->addr_len), 0);
	assert_int_equal(listen(fd, 4), 0);
	r->relay = ike_relay_new(r->line.loop, fd, &events, r);
	assert_non_null(r->relay);
	ike_relay_set_uid(r->relay, getuid());
	r->line.fd = plugin_connect(r);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;

	ike_relay_free(r->relay);
	line_stop(&r->line);
	free(r);
	return 0;
}

static void
say(struct rig *r, enum charon_msg_type type, const void *payload, size_t n)
{
	uint8_t buf[20000];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be32(&w, type);
	wr_be32(&w, 0);
	if (n > 0)
		wr_bytes(&w, payload, n);
	assert_true(wr_ok(&w));
	send(r->line.fd, buf, w.len, MSG_NOSIGNAL);
	line_turn(&r->line);
}

static void
say_hello(struct rig *r)
{
	static const uint8_t hello[12] = {
	    0, 0, 0, CHARON_MSG_VERSION, 1, 2, 3, 4, 5, 6, 7, 8};

	say(r, CHARON_MSG_HELLO, hello, sizeof(hello));
}

/* The record that the plugin gets: its payload. */
static struct rd
heard(struct rig *r, enum charon_msg_type want)
{
	static uint8_t buf[20000];
	uint32_t type = 0, id = 1;
	struct rd rd;
	ssize_t n;

	line_turn(&r->line);
	n = recv(r->line.fd, buf, sizeof(buf), MSG_DONTWAIT);
	assert_true(n >= 8);
	rd = rd_init(buf, (size_t)n);
	assert_true(rd_be32(&rd, &type) && rd_be32(&rd, &id));
	assert_int_equal(type, want);
	assert_int_equal(id, 0);
	return rd;
}

static bool
is_closed(struct rig *r)
{
	char c;

	return recv(r->line.fd, &c, 1, MSG_DONTWAIT) == 0;
}

static struct endpoint
ep(const char *text, uint16_t port)
{
	struct endpoint e;

	assert_true(endpoint_parse(text, port, &e));
	return e;
}

static struct charon_sa
an_sa(void)
{
	struct charon_sa sa = {
	    .spi = 0xc0000001,
	    .inbound = true,
	    .encap = true,
	    .mark = 7,
	    .reqid = 9,
	    .local = ep("198.51.100.1", 4500),
	    .peer = ep("203.0.113.9", 61234),
	    .enc_alg = 12,
	    .int_alg = 2,
	    .enc_key_bytes = 32,
	    .int_key_bytes = 20,
	    .hard_time_s = 93600,
	    .peer_port = 1701,
	};

	memset(sa.enc_key, 0xaa, 32);
	memset(sa.int_key, 0xbb, 20);
	return sa;
}

static void
test_session(void **state)
{
	struct rig *r = *state;
	struct charon_sa sa = an_sa();
	struct charon_sa_update u = {.spi = 0xc0000001,
	    .inbound = true,
	    .encap = true,
	    .old_peer = sa.peer,
	    .local = sa.local,
	    .peer = ep("203.0.113.9", 5)};
	struct charon_sa_del d = {
	    .spi = 0xc0000001, .inbound = true, .peer = u.peer};
	struct charon_alert a = {.kind = CHARON_ALERT_WRONG_PSK,
	    .peer = sa.peer,
	    .identity = "192.168.1.10",
	    .detail = "words"};
	const struct charon_child c = {
	    .mark = 3, .ike_id = 4, .identity = "me", .connection = "adit-psk"};
	uint8_t buf[1024];
	struct wr w;

	assert_false(ike_relay_is_connected(r->relay));
	say_hello(r);
	assert_true(ike_relay_is_connected(r->relay));
	assert_true(r->epoch == 0x0102030405060708);
	say(r, CHARON_MSG_SPI_NEW, "\xc0\x00\x00\x01", 4);
	assert_true(r->spi == 0xc0000001 && r->spi_new);
	w = wr_init(buf, sizeof(buf));
	charon_msg_put_sa(&w, &sa);
	say(r, CHARON_MSG_SA_ADD, buf, w.len);
	assert_int_equal(r->adds, 1);
	assert_memory_equal(r->sa.enc_key, sa.enc_key, 32);
	assert_true(endpoint_equal(&r->sa.peer, &sa.peer));
	w = wr_init(buf, sizeof(buf));
	charon_msg_put_child(&w, &c);
	say(r, CHARON_MSG_CHILD, buf, w.len);
	assert_true(r->child.mark == 3 && r->child.ike_id == 4);
	assert_string_equal(r->child.identity, "me");
	say(r, CHARON_MSG_SYNC_END, NULL, 0);
	assert_int_equal(r->syncs, 1);
	w = wr_init(buf, sizeof(buf));
	charon_msg_put_sa_update(&w, &u);
	say(r, CHARON_MSG_SA_UPDATE, buf, w.len);
	assert_true(endpoint_equal(&r->update.peer, &u.peer));
	w = wr_init(buf, sizeof(buf));
	charon_msg_put_sa_del(&w, &d);
	say(r, CHARON_MSG_SA_DEL, buf, w.len);
	assert_int_equal(r->del.spi, 0xc0000001);
	say(r, CHARON_MSG_SPI_FREE, "\xc0\x00\x00\x02", 4);
	assert_true(r->spi == 0xc0000002 && !r->spi_new);
	w = wr_init(buf, sizeof(buf));
	charon_msg_put_alert(&w, &a);
	say(r, CHARON_MSG_ALERT, buf, w.len);
	assert_int_equal(r->alert.kind, CHARON_ALERT_WRONG_PSK);
	assert_string_equal(r->alert.identity, "192.168.1.10");
	assert_int_equal(r->gones, 0);
	close(r->line.fd);
	r->line.fd = -1;
	line_turn(&r->line);
	assert_int_equal(r->gones, 1);
	assert_string_equal(r->why, "");
	assert_false(ike_relay_is_connected(r->relay));
}

/* An IKE header that passes the filter. */
static struct rd
an_ike_message(void)
{
	static uint8_t buf[100];
	struct wr w = wr_init(buf, sizeof(buf));

	wr_be64(&w, 1);
	wr_be64(&w, 2);
	wr_be32(&w, 0x08100200);
	wr_be32(&w, 0);
	wr_be32(&w, sizeof(buf));
	wr_zero(&w, sizeof(buf) - w.len);
	return rd_init(buf, sizeof(buf));
}

static void
test_ike_both_ways(void **state)
{
	const struct endpoint local = ep("198.51.100.1", 500),
			      peer = ep("203.0.113.9", 500);
	struct charon_ike ike = {
	    .local = local, .peer = peer, .data = rd_init("hello", 5)};
	struct rig *r = *state;
	struct rd message = an_ike_message(), rd;
	uint8_t buf[256], big[CHARON_MSG_IKE_MAX + 1] = {0};
	struct wr w = wr_init(buf, sizeof(buf));

	assert_int_equal(
	    ike_relay_ike_in(r->relay, &local, &peer, message), -ENOTCONN);
	say_hello(r);
	assert_int_equal(ike_relay_ike_in(r->relay, &local, &peer, message), 0);
	rd = heard(r, CHARON_MSG_IKE_IN);
	assert_true(charon_msg_get_ike(&rd, &ike));
	assert_true(endpoint_equal(&ike.local, &local));
	assert_true(endpoint_equal(&ike.peer, &peer));
	assert_int_equal(ike.data.left, message.left);
	assert_memory_equal(ike.data.p, message.p, message.left);
	/* the filter is in the way, and counts */
	assert_int_equal(
	    ike_relay_ike_in(r->relay, &local, &peer, rd_init("junk", 4)),
	    -EPERM);
	assert_int_equal(
	    ike_filter_count(ike_relay_filter(r->relay), IKE_DROP_SHORT), 1);
	assert_int_equal(ike_relay_ike_in(r->relay, &local, &peer,
			     rd_init(big, sizeof(big))),
	    -EMSGSIZE);
	assert_true(is_closed(r) == false);
	/* out */
	ike.data = rd_init("hello", 5);
	charon_msg_put_ike(&w, &ike);
	say(r, CHARON_MSG_IKE_OUT, buf, w.len);
	assert_int_equal(r->outs, 1);
	assert_int_equal(r->ike_bytes, 5);
	assert_memory_equal(r->ike, "hello", 5);
}

static void
test_calls(void **state)
{
	const struct endpoint peer = ep("203.0.113.9", 61234);
	struct endpoint e;
	struct rig *r = *state;
	uint64_t bytes = 0, packets = 0;
	uint32_t spi = 0;
	struct rd rd;
	uint8_t flag = 0;

	say_hello(r);
	assert_int_equal(ike_relay_mapping(r->relay, 0xc0000001, &peer), 0);
	rd = heard(r, CHARON_MSG_MAPPING);
	assert_true(rd_be32(&rd, &spi) && charon_msg_get_endpoint(&rd, &e) &&
	    rd_end(&rd));
	assert_int_equal(spi, 0xc0000001);
	assert_true(endpoint_equal(&e, &peer));
	assert_int_equal(
	    ike_relay_expire(r->relay, 0xc0000002, true, &peer), 0);
	rd = heard(r, CHARON_MSG_EXPIRE);
	assert_true(rd_be32(&rd, &spi) && rd_u8(&rd, &flag) &&
	    charon_msg_get_endpoint(&rd, &e) && rd_end(&rd));
	assert_int_equal(spi, 0xc0000002);
	assert_int_equal(flag, 1);
	assert_int_equal(
	    ike_relay_use(r->relay, 0xc0000003, true, 1ULL << 40, 99), 0);
	rd = heard(r, CHARON_MSG_USE);
	assert_true(rd_be32(&rd, &spi) && rd_u8(&rd, &flag) &&
	    rd_be64(&rd, &bytes) && rd_be64(&rd, &packets) && rd_end(&rd));
	assert_true(bytes == 1ULL << 40 && packets == 99 && flag == 1);
}

static void
test_newer_replaces_older(void **state)
{
	struct rig *r = *state;
	int older = r->line.fd;
	char c;

	say_hello(r);
	r->line.fd = plugin_connect(r);
	assert_int_equal(r->gones, 1);
	assert_string_equal(r->why, "replaced by a newer connection");
	assert_int_equal(recv(older, &c, 1, MSG_DONTWAIT), 0);
	close(older);
	assert_false(ike_relay_is_connected(r->relay));
	say_hello(r);
	assert_true(ike_relay_is_connected(r->relay));
	assert_int_equal(r->hellos, 2);
}

static void
test_wrong_user(void **state)
{
	struct rig *r = *state;
	char c;
	int fd;

	say_hello(r);
	ike_relay_set_uid(r->relay, getuid() + 1);
	fd = plugin_connect(r);
	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), 0);
	close(fd);
	assert_int_equal(r->gones, 1);
	assert_true(r->refused);
	assert_string_equal(r->why, "not root");
	/* the one that is there stays */
	assert_true(ike_relay_is_connected(r->relay));
}

static void
ends(struct rig *r, const char *why)
{
	assert_int_equal(r->gones, 1);
	assert_false(r->refused);
	assert_string_equal(r->why, why);
	assert_true(is_closed(r));
	assert_false(ike_relay_is_connected(r->relay));
}

static void
test_record_before_hello(void **state)
{
	say(*state, CHARON_MSG_SYNC_END, NULL, 0);
	ends(*state, "record before HELLO");
	assert_int_equal(((struct rig *)*state)->syncs, 0);
}

static void
test_other_version(void **state)
{
	say(*state, CHARON_MSG_HELLO, "\0\0\0\x7f........", 12);
	ends(*state, "plugin speaks another version");
}

static void
test_second_hello(void **state)
{
	say_hello(*state);
	say_hello(*state);
	ends(*state, "second HELLO");
}

static void
test_unknown_type(void **state)
{
	say_hello(*state);
	say(*state, 99, NULL, 0);
	ends(*state, "unknown message type");
}

static void
test_engine_s_own_type(void **state)
{
	say_hello(*state);
	say(*state, CHARON_MSG_IKE_IN, "....", 4);
	ends(*state, "unknown message type");
}

/* An SA that is cut anywhere ends the connection and adds nothing. */
static void
test_truncated_sa(void **state)
{
	struct charon_sa sa = an_sa();
	struct rig *r = *state;
	uint8_t buf[512];
	struct wr w = wr_init(buf, sizeof(buf));
	unsigned int gones = 0;
	size_t n;

	charon_msg_put_sa(&w, &sa);
	for (n = 0; n < w.len; n++) {
		say_hello(r);
		say(r, CHARON_MSG_SA_ADD, buf, n);
		assert_int_equal(r->gones, ++gones);
		assert_int_equal(r->adds, 0);
		close(r->line.fd);
		r->line.fd = plugin_connect(r);
	}
	say_hello(r);
	wr_u8(&w, 0); /* and one byte too many */
	say(r, CHARON_MSG_SA_ADD, buf, w.len);
	assert_int_equal(r->gones, ++gones);
	assert_int_equal(r->adds, 0);
}

static void
test_charon_hangs(void **state)
{
	const struct endpoint e = ep("198.51.100.1", 4500);
	struct rig *r = *state;
	unsigned int i;
	int rc = 0;

	say_hello(r);
	for (i = 0; i < 100000 && rc == 0; i++)
		rc = ike_relay_use(r->relay, 1, true, i, i);
	assert_int_equal(rc, -ENOBUFS);
	assert_int_equal(
	    ike_relay_ike_in(r->relay, &e, &e, an_ike_message()), -ENOBUFS);
}

#define RIG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    RIG(test_session),
	    RIG(test_ike_both_ways),
	    RIG(test_calls),
	    RIG(test_newer_replaces_older),
	    RIG(test_wrong_user),
	    RIG(test_record_before_hello),
	    RIG(test_other_version),
	    RIG(test_second_hello),
	    RIG(test_unknown_type),
	    RIG(test_engine_s_own_type),
	    RIG(test_truncated_sa),
	    RIG(test_charon_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
