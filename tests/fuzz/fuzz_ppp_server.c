/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_ppp_server.c: a stream of frames, time and verdicts against the server
 * role. First byte: which methods are offered, IPv6 or not. The rest is
 * described in ppp_drive.h.
 */
#include "tests/fuzz/ppp_drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum ppp_auth_method methods[4][4] = {
	    {PPP_AUTH_MSCHAPV2, PPP_AUTH_CHAP_MD5},
	    {PPP_AUTH_MSCHAPV2},
	    {PPP_AUTH_CHAP_MD5},
	    {PPP_AUTH_PAP, PPP_AUTH_MSCHAPV2},
	};
	struct rd in = rd_init(data, size);
	uint32_t seed = 1;
	uint8_t how = 0;
	struct ppp_config cfg = {.server = true,
	    .name = "adit",
	    .mru = 1400,
	    .echo_interval_ms = 30000,
	    .echo_failures = 4,
	    .random = ppp_drive_random,
	    .random_ctx = &seed};
	int i;

	rd_u8(&in, &how);
	for (i = 0; i < 4; i++)
		cfg.methods[i] = methods[how & 3][i];
	cfg.ipv6 = (how & 4) == 0;
	ppp_drive(&cfg, in);
	return 0;
}
