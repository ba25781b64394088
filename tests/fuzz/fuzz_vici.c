/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_vici.c: charon's side of vici is arbitrary bytes. As a message: the
 * reader ends, and a message that reads without error is written again byte by
 * byte. As a stream (first byte 0xff): the client takes it over a socket pair
 * with requests under way.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "l2tpd/ike/sas.h"
#include "l2tpd/ike/vici.h"

#define STREAM 0xff

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
put_token(struct wr *w, const struct vici_token *t)
{
	switch (t->element) {
	case VICI_SECTION_START:
		vici_put_section(w, t->name);
		break;
	case VICI_SECTION_END:
		vici_put_section_end(w);
		break;
	case VICI_KEY_VALUE:
		vici_put_bytes(w, t->name, t->value.p, t->value.left);
		break;
	case VICI_LIST_START:
		vici_put_list(w, t->name);
		break;
	case VICI_LIST_ITEM:
		vici_put_item(w, t->value.p, t->value.left);
		break;
	case VICI_LIST_END:
		vici_put_list_end(w);
		break;
	}
}

static void
on_ike(void *ctx, const struct ike_sa_info *ike)
{
	(void)ctx;
	if (strlen(ike->remote_id) >= sizeof(ike->remote_id))
		abort();
}

static void
fuzz_message(const uint8_t *data, size_t size)
{
	static const struct ike_sas_visitor visitor = {on_ike, NULL};
	static uint8_t out[1 << 16];
	struct rd message = rd_init(data, size), value;
	struct vici_reader r = vici_reader_init(message);
	struct wr w = wr_init(out, sizeof(out));
	struct vici_token t;
	uint32_t number;
	char why[32];

	while (vici_next(&r, &t)) {
		put_token(&w, &t);
		vici_number(t.value, 10, &number);
		vici_number(t.value, 16, &number);
	}
	if (rd_ok(&r.rd) && wr_ok(&w) &&
	    (w.len != size || (size > 0 && memcmp(out, data, size) != 0)))
		abort();
	vici_find(message, "key", &value);
	vici_success(message, why, sizeof(why));
	ike_sas_read(message, &visitor, NULL);
}

struct peer {
	struct loop *loop;
	struct vici *vici;
	bool closed;
};

static void
on_event(void *ctx, const char *name, struct rd message)
{
	(void)ctx;
	(void)name;
	fuzz_message(message.p, message.left);
}

static void
on_closed(void *ctx, const char *why)
{
	(void)why;
	((struct peer *)ctx)->closed = true;
}

static void
fuzz_stream(const uint8_t *data, size_t size)
{
	static const struct vici_ops ops = {on_event, on_closed};
	struct peer p = {.loop = loop_new()};
	unsigned int i;
	int fds[2];

	if (p.loop == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		abort();
	p.vici = vici_new(p.loop, fds[1], &ops, &p);
	if (p.vici == NULL)
		abort();
	vici_register(p.vici, "child-updown", NULL, NULL);
	vici_request(p.vici, "version", NULL, NULL, NULL);
	vici_list_sas(p.vici, NULL, NULL, NULL);
	if (send(fds[0], data, size, MSG_DONTWAIT) < 0)
		size = 0;
	close(fds[0]);
	for (i = 0; i < 10000 && !p.closed; i++)
		loop_run_once(p.loop, false);
	if (!p.closed)
		abort();
	vici_free(p.vici);
	loop_free(p.loop);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] == STREAM)
		fuzz_stream(data + 1, size - 1);
	else
		fuzz_message(data, size);
	return 0;
}
