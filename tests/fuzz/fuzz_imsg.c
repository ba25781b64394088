/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_imsg.c: the check that every record passes before a callback sees it:
 * what is let through obeys its rule and lies inside the record.
 */
#include "base/imsg.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct imsg_rule rules[] = {
    {1, "empty", 0, 0, true},
    {2, "four", 4, 4, true},
    {3, "some", 1, 100, true},
    {4, "big", 0, IMSG_PAYLOAD_MAX, false},
    {0x01020304, "number", 9, 10, false},
    {0, NULL, 0, 0, false},
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct imsg_rule *rule;
	struct imsg m;

	if (imsg_decode(rules, rd_init(data, size), &m) != NULL)
		return 0;
	for (rule = rules; rule->name != NULL && rule->type != m.type; rule++)
		;
	if (rule->name == NULL || m.payload.left < rule->min_bytes ||
	    m.payload.left > rule->max_bytes ||
	    m.payload.left != size - IMSG_HEADER_BYTES || m.fd != -1)
		abort();
	return 0;
}
