/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_ike_filter.c: any datagram gets a verdict, the same one twice apart
 * from the rate limits, and nothing that passes is IKEv2 or mislabelled.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "l2tpd/ike/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct endpoint peer = {
	    .family = 4, .addr = {192, 0, 2, 1}, .port = 500};
	static struct ike_filter *f;
	static uint64_t now_ms;
	struct rd r = rd_init(data, size);
	enum ike_verdict v;
	uint32_t length;
	uint8_t version;

	if (f == NULL)
		f = ike_filter_new(0);
	if (f == NULL)
		abort();
	now_ms += 1000;
	v = ike_filter_check(f, r, &peer, now_ms);
	if (v != ike_filter_check(f, r, &peer, now_ms + 500))
		abort();
	if (v >= IKE_VERDICT_COUNT_ || ike_verdict_name(v) == NULL)
		abort();
	if (v != IKE_PASS)
		return 0;
	if (!rd_skip(&r, 17) || !rd_u8(&r, &version) || version >> 4 != 1 ||
	    !rd_skip(&r, 6) || !rd_be32(&r, &length) || length != size)
		abort();
	return 0;
}
