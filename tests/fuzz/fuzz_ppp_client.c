/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_ppp_client.c: a stream of frames and time against the client role.
 * First byte: which methods it accepts, IPv6 or not. The rest is described in
 * ppp_drive.h.
 */
#include "tests/fuzz/ppp_drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct secret password = {.len = 10, .data = "wonderland"};
	struct rd in = rd_init(data, size);
	uint32_t seed = 1;
	uint8_t how = 0;
	struct ppp_config cfg = {.methods = {PPP_AUTH_MSCHAPV2},
	    .mru = 1400,
	    .echo_interval_ms = 30000,
	    .echo_failures = 4,
	    .user = "alice",
	    .password = &password,
	    .random = ppp_drive_random,
	    .random_ctx = &seed};

	rd_u8(&in, &how);
	if (how & 1)
		cfg.methods[1] = PPP_AUTH_CHAP_MD5;
	if (how & 2)
		cfg.methods[2 - !(how & 1)] = PPP_AUTH_PAP;
	cfg.ipv6 = (how & 4) == 0;
	ppp_drive(&cfg, in);
	return 0;
}
