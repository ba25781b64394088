/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * transform_mb_off.c: mb.h of a build without intel-ipsec-mb's header.
 */
#include "l2tpd/esp/mb.h"

bool
transform_mb_open(struct transform *ret, enum esp_crypto crypto)
{
	(void)ret, (void)crypto;
	return false;
}

const char *
transform_mb_name(const struct transform *t)
{
	(void)t;
	return "";
}
