/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_vici.c: vici's codec against bytes, the reader of SAs, and the client
 * against the other end of a socket pair (l2tpd/ike/vici.h, sas.h).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "l2tpd/ike/sas.h"
#include "l2tpd/ike/vici.h"
#include "tests/unit/line.h"

/* ---- codec ---- */

/* key1 = value1, section1 { sub-section { key2 = value2 } list1 = [ item1,
 * item2 ] }: the example of the protocol's documentation */
static const uint8_t example[] = "\x03\x04key1\x00\x06value1"
				 "\x01\x08section1"
				 "\x01\x0bsub-section"
				 "\x03\x04key2\x00\x06value2"
				 "\x02"
				 "\x04\x05list1"
				 "\x05\x00\x05item1"
				 "\x05\x00\x05item2"
				 "\x06"
				 "\x02";
#define EXAMPLE_BYTES (sizeof(example) - 1)

static void
test_write(void **state)
{
	static const char *const items[] = {"item1", "item2", NULL};
	uint8_t buf[256];
	struct wr w = wr_init(buf, sizeof(buf));

	(void)state;
	vici_put_text(&w, "key1", "value1");
	vici_put_section(&w, "section1");
	vici_put_section(&w, "sub-section");
	vici_put_text(&w, "key2", "value2");
	vici_put_section_end(&w);
	vici_put_texts(&w, "list1", items);
	vici_put_section_end(&w);
	assert_true(wr_ok(&w));
	assert_int_equal(w.len, EXAMPLE_BYTES);
	assert_memory_equal(buf, example, EXAMPLE_BYTES);
}

static void
test_write_limits(void **state)
{
	static uint8_t buf[70000], value[VICI_VALUE_MAX + 1];
	struct wr w = wr_init(buf, sizeof(buf));
	char name[VICI_NAME_MAX + 2];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[VICI_NAME_MAX] = '\0';
	assert_true(vici_put_section(&w, name));
	name[VICI_NAME_MAX] = 'n';
	name[VICI_NAME_MAX + 1] = '\0';
	assert_false(vici_put_section(&w, name));
	w = wr_init(buf, sizeof(buf));
	assert_true(vici_put_bytes(&w, "k", value, VICI_VALUE_MAX));
	w = wr_init(buf, sizeof(buf));
	assert_false(vici_put_bytes(&w, "k", value, VICI_VALUE_MAX + 1));
	assert_false(wr_ok(&w));
	w = wr_init(buf, 4);
	assert_false(vici_put_u32(&w, "key", 4294967295U));
}

static void
test_read(void **state)
{
	static const struct {
		enum vici_element element;
		const char *name, *value;
	} want[] = {
	    {VICI_KEY_VALUE, "key1", "value1"},
	    {VICI_SECTION_START, "section1", ""},
	    {VICI_SECTION_START, "sub-section", ""},
	    {VICI_KEY_VALUE, "key2", "value2"},
	    {VICI_SECTION_END, "", ""},
	    {VICI_LIST_START, "list1", ""},
	    {VICI_LIST_ITEM, "", "item1"},
	    {VICI_LIST_ITEM, "", "item2"},
	    {VICI_LIST_END, "", ""},
	    {VICI_SECTION_END, "", ""},
	};
	struct vici_reader r =
	    vici_reader_init(rd_init(example, EXAMPLE_BYTES));
	struct vici_token t;
	struct rd value;
	char text[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(vici_next(&r, &t));
		assert_int_equal(t.element, want[i].element);
		assert_string_equal(t.name, want[i].name);
		assert_true(vici_equals(t.value, want[i].value));
	}
	assert_false(vici_next(&r, &t));
	assert_true(rd_ok(&r.rd));
	assert_true(vici_find(rd_init(example, EXAMPLE_BYTES), "key1", &value));
	assert_string_equal(vici_text(value, text, 4), "val");
	/* not inside sections */
	assert_false(
	    vici_find(rd_init(example, EXAMPLE_BYTES), "key2", &value));
}

/* True when a whole message is fine. */
static bool
is_fine(const void *bytes, size_t n)
{
	struct vici_reader r = vici_reader_init(rd_init(bytes, n));
	struct vici_token t;

	while (vici_next(&r, &t))
		;
	return rd_ok(&r.rd);
}

static void
test_read_truncated(void **state)
{
	uint8_t *exact;
	size_t n;

	(void)state;
	/* only the whole, nothing, and the first key alone make sense */
	for (n = 0; n <= EXAMPLE_BYTES; n++) {
		exact = malloc(n + 1);
		assert_non_null(exact);
		memcpy(exact, example, n);
		assert_int_equal(
		    is_fine(exact, n), n == 0 || n == 14 || n == EXAMPLE_BYTES);
		free(exact);
	}
}

static void
test_read_malformed(void **state)
{
	uint8_t deep[3 * (VICI_DEPTH_MAX + 1)], *p = deep;
	unsigned int i;

	(void)state;
	assert_false(is_fine("\x00", 1)); /* unknown */
	assert_false(is_fine("\x07", 1));
	assert_false(is_fine("\x02", 1)); /* end of nothing */
	assert_false(is_fine("\x06", 1));
	assert_false(is_fine("\x05\x00\x00", 3)); /* item alone */
	assert_false(is_fine("\x01\x01s", 3));    /* not closed */
	assert_false(is_fine("\x04\x01l", 3));
	assert_false(is_fine("\x04\x01l\x03\x01k\x00\x00\x06", 9));
	assert_false(is_fine("\x04\x01l\x04\x01l\x06\x06", 8));
	assert_false(is_fine("\x04\x01l\x01\x01s\x02\x06", 8));
	assert_false(is_fine("\x03\x02k\x00\x00\x00", 6)); /* NUL in name */
	assert_true(is_fine("\x03\x00\x00\x00", 4));       /* empty is fine */
	for (i = 0; i <= VICI_DEPTH_MAX; i++) {
		*p++ = 1;
		*p++ = 1;
		*p++ = 's';
	}
	struct vici_reader r = vici_reader_init(rd_init(deep, sizeof(deep)));
	struct vici_token t;
	for (i = 0; i < VICI_DEPTH_MAX; i++)
		assert_true(vici_next(&r, &t));
	assert_false(vici_next(&r, &t));
	assert_string_equal(r.rd.err, "sections too deep");
}

static void
test_numbers(void **state)
{
	static const struct {
		const char *text;
		unsigned int base;
		bool ok;
		uint32_t value;
	} rows[] = {
	    {"0", 10, true, 0},
	    {"4294967295", 10, true, 4294967295U},
	    {"4294967296", 10, false, 0},
	    {"99999999999999999999999", 10, false, 0},
	    {"", 10, false, 0},
	    {"-1", 10, false, 0},
	    {"1a", 10, false, 0},
	    {"c0ffee01", 16, true, 0xc0ffee01},
	    {"FF", 16, true, 255},
	    {"100000000", 16, false, 0},
	};
	uint32_t v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		v = 42;
		assert_int_equal(
		    vici_number(rd_init(rows[i].text, strlen(rows[i].text)),
			rows[i].base, &v),
		    rows[i].ok);
		assert_int_equal(v, rows[i].ok ? rows[i].value : 42);
	}
}

/* ---- SAs ---- */

struct seen {
	unsigned int ikes, children;
	struct ike_sa_info ike;
	struct child_sa_info child;
};

static void
see_ike(void *ctx, const struct ike_sa_info *ike)
{
	struct seen *s = ctx;

	s->ikes++;
	s->ike = *ike;
}

static void
see_child(
    void *ctx, const struct ike_sa_info *ike, const struct child_sa_info *child)
{
	struct seen *s = ctx;

	(void)ike;
	s->children++;
	s->child = *child;
}

static const struct ike_sas_visitor visitor = {see_ike, see_child};

static void
put_ike(struct wr *w)
{
	vici_put_section(w, "adit-psk");
	vici_put_text(w, "uniqueid", "17");
	vici_put_text(w, "state", "ESTABLISHED");
	vici_put_text(w, "local-host", "198.51.100.1");
	vici_put_text(w, "local-port", "4500");
	vici_put_text(w, "remote-host", "203.0.113.9");
	vici_put_text(w, "remote-port", "61234");
	vici_put_text(w, "remote-id", "192.168.1.10");
}

static void
put_child(struct wr *w, const char *in, const char *out)
{
	vici_put_text(w, "uniqueid", "3");
	vici_put_text(w, "reqid", "2");
	vici_put_text(w, "state", "INSTALLED");
	vici_put_text(w, "encap", "yes");
	vici_put_text(w, "spi-in", in);
	vici_put_text(w, "spi-out", out);
	vici_put_text(w, "mark-in", "0000001f");
}

static void
test_child_up(void **state)
{
	uint8_t buf[1024];
	struct wr w = wr_init(buf, sizeof(buf));
	struct seen s = {0};
	struct endpoint e;
	size_t n;

	(void)state;
	vici_put_text(&w, "up", "yes");
	put_ike(&w);
	vici_put_section(&w, "child-sas");
	vici_put_section(&w, "l2tp-3");
	put_child(&w, "c1234567", "0abcdef0");
	vici_put_section_end(&w);
	vici_put_section_end(&w);
	vici_put_section_end(&w);
	assert_true(ike_sas_read(wr_rd(&w), &visitor, &s));
	assert_int_equal(s.ikes, 1);
	assert_int_equal(s.children, 1);
	assert_true(s.ike.up && s.ike.established);
	assert_int_equal(s.ike.unique_id, 17);
	assert_string_equal(s.ike.connection, "adit-psk");
	assert_string_equal(s.ike.remote_id, "192.168.1.10");
	assert_true(endpoint_parse("203.0.113.9", 61234, &e));
	assert_true(endpoint_equal(&s.ike.remote, &e));
	assert_int_equal(s.child.spi_in, 0xc1234567);
	assert_int_equal(s.child.spi_out, 0x0abcdef0);
	assert_int_equal(s.child.mark_in, 31);
	assert_true(s.child.encap && s.child.installed);
	assert_int_equal(s.child.old_spi_in, 0);
	/* cut anywhere: false, and no crash */
	for (n = 10; n < w.len; n++)
		assert_false(ike_sas_read(rd_init(buf, n), &visitor, &s));
}

static void
test_child_rekey(void **state)
{
	uint8_t buf[1024];
	struct wr w = wr_init(buf, sizeof(buf));
	struct seen s = {0};

	(void)state;
	put_ike(&w);
	vici_put_section(&w, "child-sas");
	vici_put_section(&w, "l2tp-3");
	vici_put_section(&w, "old");
	put_child(&w, "c1111111", "0abcdef0");
	vici_put_section_end(&w);
	vici_put_section(&w, "new");
	put_child(&w, "c2222222", "0abcdef1");
	vici_put_section_end(&w);
	vici_put_section_end(&w);
	vici_put_section_end(&w);
	vici_put_section_end(&w);
	assert_true(ike_sas_read(wr_rd(&w), &visitor, &s));
	assert_int_equal(s.children, 1);
	assert_int_equal(s.child.spi_in, 0xc2222222);
	assert_int_equal(s.child.old_spi_in, 0xc1111111);
}

static void
test_ike_update(void **state)
{
	uint8_t buf[1024];
	struct wr w = wr_init(buf, sizeof(buf));
	struct seen s = {0};
	struct endpoint e;

	(void)state;
	vici_put_text(&w, "remote-host", "203.0.113.10");
	vici_put_text(&w, "remote-port", "70000"); /* no port */
	put_ike(&w);
	vici_put_section_end(&w);
	assert_true(ike_sas_read(wr_rd(&w), &visitor, &s));
	assert_true(endpoint_parse("203.0.113.9", 61234, &e));
	assert_true(endpoint_equal(&s.ike.remote, &e));
	w = wr_init(buf, sizeof(buf));
	vici_put_text(&w, "remote-host", "203.0.113.10");
	vici_put_text(&w, "remote-port", "70");
	put_ike(&w);
	vici_put_section_end(&w);
	assert_true(ike_sas_read(wr_rd(&w), &visitor, &s));
	assert_true(endpoint_parse("203.0.113.10", 70, &e));
	assert_true(endpoint_equal(&s.ike.remote, &e));
}

/* ---- client ---- */

struct rig {
	struct line line;
	struct vici *vici;
	unsigned int replies, events, closed, listed;
	int err;
	char text[64];
	const char *why;
	bool free_in_reply;
};

static void
on_event(void *ctx, const char *name, struct rd message)
{
	struct rig *r = ctx;
	struct rd value;

	r->events++;
	assert_string_equal(name, "child-updown");
	assert_true(vici_find(message, "k", &value));
	vici_text(value, r->text, sizeof(r->text));
}

static void
on_closed(void *ctx, const char *why)
{
	struct rig *r = ctx;

	r->closed++;
	r->why = why;
	vici_free(r->vici);
	r->vici = NULL;
}

static const struct vici_ops ops = {on_event, on_closed};

static void
on_reply(void *ctx, int err, struct rd message)
{
	struct rig *r = ctx;

	r->replies++;
	r->err = err;
	vici_success(message, r->text, sizeof(r->text));
	if (r->free_in_reply) {
		vici_free(r->vici);
		r->vici = NULL;
	}
}

static void
on_list(void *ctx, struct rd message)
{
	struct rig *r = ctx;

	(void)message;
	r->listed++;
}

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	int near;

	assert_non_null(r);
	near = line_start_stream(&r->line);
	r->vici = vici_new(r->line.loop, near, &ops, r);
	assert_non_null(r->vici);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;

	vici_free(r->vici);
	line_stop(&r->line);
	free(r);
	return 0;
}

static void
charon_says(struct rig *r, const void *bytes, size_t n)
{
	assert_int_equal(send(r->line.fd, bytes, n, 0), n);
	line_turn(&r->line);
}
#define SAYS(r, text) charon_says(r, text, sizeof(text) - 1)

static void
charon_hears(struct rig *r, const void *bytes, size_t n)
{
	uint8_t buf[512];

	line_turn(&r->line);
	assert_int_equal(recv(r->line.fd, buf, n, MSG_DONTWAIT), n);
	assert_memory_equal(buf, bytes, n);
}
#define HEARS(r, text) charon_hears(r, text, sizeof(text) - 1)

static void
hears_nothing(struct rig *r)
{
	uint8_t c;

	line_turn(&r->line);
	assert_int_equal(recv(r->line.fd, &c, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
test_requests_in_order(void **state)
{
	struct rig *r = *state;
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	vici_put_text(&w, "k", "v");
	assert_int_equal(vici_request(r->vici, "first", &w, on_reply, r), 0);
	assert_int_equal(vici_request(r->vici, "second", NULL, on_reply, r), 0);
	HEARS(r,
	    "\0\0\0\x0d\0\x05"
	    "first\x03\x01k\0\x01v");
	hears_nothing(r); /* one at a time */
	SAYS(r, "\0\0\0\x0f\x01\x03\x07success\0\x03yes");
	assert_int_equal(r->replies, 1);
	assert_int_equal(r->err, 0);
	HEARS(r, "\0\0\0\x08\0\x06second");
	SAYS(r, "\0\0\0\x01\x02"); /* unknown command */
	assert_int_equal(r->replies, 2);
	assert_int_equal(r->err, -EOPNOTSUPP);
}

static void
test_events(void **state)
{
	struct rig *r = *state;

	assert_int_equal(
	    vici_register(r->vici, "child-updown", on_reply, r), 0);
	HEARS(r,
	    "\0\0\0\x0e\x03\x0c"
	    "child-updown");
	SAYS(r, "\0\0\0\x01\x05");
	assert_int_equal(r->replies, 1);
	/* in two pieces */
	SAYS(r,
	    "\0\0\0\x14\x07\x0c"
	    "child-up");
	assert_int_equal(r->events, 0);
	SAYS(r, "down\x03\x01k\0\x01v");
	assert_int_equal(r->events, 1);
	assert_string_equal(r->text, "v");
	assert_int_equal(vici_register(r->vici, "x", on_reply, r), 0);
	HEARS(r, "\0\0\0\x03\x03\x01x");
	SAYS(r, "\0\0\0\x01\x06");
	assert_int_equal(r->err, -EOPNOTSUPP);
}

static void
test_list_sas(void **state)
{
	struct rig *r = *state;

	assert_int_equal(vici_list_sas(r->vici, on_list, on_reply, r), 0);
	HEARS(r, "\0\0\0\x09\x03\x07list-sa");
	SAYS(r, "\0\0\0\x01\x05");
	HEARS(r, "\0\0\0\x0a\0\x08list-sas");
	SAYS(r, "\0\0\0\x09\x07\x07list-sa\0\0\0\x09\x07\x07list-sa");
	assert_int_equal(r->listed, 2);
	assert_int_equal(r->replies, 0);
	SAYS(r, "\0\0\0\x01\x01");
	assert_int_equal(r->replies, 1);
	HEARS(r, "\0\0\0\x09\x04\x07list-sa");
	SAYS(r, "\0\0\0\x01\x05");
	assert_int_equal(r->closed, 0);
}

static void
test_terminate(void **state)
{
	struct rig *r = *state;

	assert_int_equal(vici_terminate_ike(r->vici, 17, on_reply, r), 0);
	HEARS(r,
	    "\0\0\0\x30\0\x09terminate\x03\x06ike-id\0\x02"
	    "17"
	    "\x03\x05"
	    "force\0\x03yes\x03\x07timeout\0\x02-1");
	SAYS(r,
	    "\0\0\0\x1c\x01\x03\x07success\0\x02no\x03\x06"
	    "errmsg\0\x04gone");
	assert_int_equal(r->replies, 1);
	assert_string_equal(r->text, "gone");
}

static void
test_charon_goes(void **state)
{
	struct rig *r = *state;

	vici_request(r->vici, "a", NULL, on_reply, r);
	vici_request(r->vici, "b", NULL, on_reply, r);
	close(r->line.fd);
	r->line.fd = -1;
	line_turn(&r->line);
	assert_int_equal(r->replies, 2);
	assert_int_equal(r->err, -ECONNRESET);
	assert_int_equal(r->closed, 1);
	assert_null(r->why);
}

static void
test_free_in_reply(void **state)
{
	struct rig *r = *state;

	r->free_in_reply = true;
	vici_request(r->vici, "a", NULL, on_reply, r);
	vici_request(r->vici, "b", NULL, on_reply, r);
	line_turn(&r->line);
	SAYS(r, "\0\0\0\x01\x01");
	assert_int_equal(r->replies, 1);
	assert_int_equal(r->closed, 0);
	assert_null(r->vici);
}

/* What breaks the protocol ends it, with a reason. */
static void
breaks(struct rig *r, const void *bytes, size_t n, const char *why)
{
	charon_says(r, bytes, n);
	assert_int_equal(r->closed, 1);
	assert_string_equal(r->why, why);
}

static void
test_answer_without_question(void **state)
{
	breaks(*state, "\0\0\0\x01\x01", 5, "answer without a question");
}

static void
test_confirm_of_a_command(void **state)
{
	struct rig *r = *state;

	vici_request(r->vici, "a", NULL, on_reply, r);
	line_turn(&r->line);
	breaks(r, "\0\0\0\x01\x05", 5, "unexpected operation");
	assert_int_equal(r->err, -ECONNRESET);
}

static void
test_packet_too_long(void **state)
{
	breaks(*state, "\0\x08\0\x01", 4, "packet too long");
}

static void
test_empty_packet(void **state)
{
	breaks(*state, "\0\0\0\0", 4, "empty packet");
}

static void
test_event_without_name(void **state)
{
	breaks(*state, "\0\0\0\x02\x07\xff", 6, "event without name");
}

static void
test_limits(void **state)
{
	static uint8_t big[VICI_PACKET_MAX];
	struct rig *r = *state;
	struct wr w = wr_init(big, sizeof(big)), tiny = wr_init(big, 1);
	unsigned int i;

	vici_put_text(&tiny, "k", "v");
	assert_int_equal(
	    vici_request(r->vici, "a", &tiny, NULL, NULL), -EMSGSIZE);
	wr_zero(&w, sizeof(big));
	assert_int_equal(vici_request(r->vici, "a", &w, NULL, NULL), -EMSGSIZE);
	for (i = 0; i < VICI_QUEUE_MAX; i++)
		assert_int_equal(
		    vici_request(r->vici, "a", NULL, NULL, NULL), 0);
	assert_int_equal(
	    vici_request(r->vici, "a", NULL, NULL, NULL), -ENOBUFS);
}

/* A request that is larger than the socket's buffer arrives whole. */
static void
test_large_request(void **state)
{
	static uint8_t big[400000], in[500000];
	struct rig *r = *state;
	struct wr w = wr_init(big, sizeof(big));
	size_t got = 0;
	ssize_t n;

	wr_zero(&w, sizeof(big));
	assert_int_equal(vici_request(r->vici, "a", &w, on_reply, r), 0);
	while (got < 4 + 3 + sizeof(big)) {
		line_turn(&r->line);
		n = recv(r->line.fd, in + got, sizeof(in) - got, MSG_DONTWAIT);
		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_int_equal(got, 4 + 3 + sizeof(big));
	SAYS(r, "\0\0\0\x01\x01");
	assert_int_equal(r->replies, 1);
}

#define CLIENT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_write),
	    cmocka_unit_test(test_write_limits),
	    cmocka_unit_test(test_read),
	    cmocka_unit_test(test_read_truncated),
	    cmocka_unit_test(test_read_malformed),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_child_up),
	    cmocka_unit_test(test_child_rekey),
	    cmocka_unit_test(test_ike_update),
	    CLIENT(test_requests_in_order),
	    CLIENT(test_events),
	    CLIENT(test_list_sas),
	    CLIENT(test_terminate),
	    CLIENT(test_charon_goes),
	    CLIENT(test_free_in_reply),
	    CLIENT(test_answer_without_question),
	    CLIENT(test_confirm_of_a_command),
	    CLIENT(test_packet_too_long),
	    CLIENT(test_empty_packet),
	    CLIENT(test_event_without_name),
	    CLIENT(test_limits),
	    CLIENT(test_large_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
