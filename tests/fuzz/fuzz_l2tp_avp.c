/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_l2tp_avp.c: any bytes as the body of a control message, decoded without
 * a secret, and with one (so hidden AVPs decipher to noise). Also hides and
 * reveals a value from the input, which must come back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "l2tpd/proto/hide.h"
#include "l2tpd/proto/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct l2tp_msg msg;

/* Every value must lie where it may be read: touch all of it. */
static void
look(bool ok)
{
	struct msg_result r;
	unsigned sum = 0;
	struct rd v;
	uint8_t b;
	int i;

	if (ok != (msg.why == NULL))
		abort();
	for (i = 0; i < AVP_TYPE_COUNT; i++) {
		v = avp_trim_nul(msg.value[i].bytes);
		while (rd_u8(&v, &b))
			sum += b;
	}
	if (msg_result(&msg, &r))
		while (rd_u8(&r.message, &b))
			sum += b;
	if (sum == UINT32_MAX)
		abort();
}

static void
hide_and_reveal(struct rd input)
{
	uint8_t hidden[1200], plain[1200], vector[8];
	struct wr h = wr_init(hidden, sizeof(hidden));
	struct wr p = wr_init(plain, sizeof(plain));
	struct rd secret = rd_init("geheim", 6), value, back;
	uint8_t pad;

	if (!rd_u8(&input, &pad) || !rd_bytes(&input, vector, sizeof(vector)))
		return;
	value = rd_init(input.p, input.left < 700 ? input.left : 700);
	if (!hide_encode(
		AVP_CHALLENGE, secret, rd_init(vector, 8), value, pad, &h) ||
	    !hide_decode(AVP_CHALLENGE, secret, rd_init(vector, 8), wr_rd(&h),
		&p, &back))
		abort();
	if (back.left != value.left ||
	    (value.left > 0 && memcmp(back.p, value.p, value.left) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd body = rd_init(data, size);

	look(msg_decode(body, rd_init(NULL, 0), &msg));
	look(msg_decode(body, rd_init("geheim", 6), &msg));
	hide_and_reveal(body);
	return 0;
}
