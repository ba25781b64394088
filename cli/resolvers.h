/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolvers.h: DNS servers of this machine that clients could use, too. */
#ifndef ADIT_CLI_RESOLVERS_H
#define ADIT_CLI_RESOLVERS_H

#include <stddef.h>

/* At most two IPv4 addresses as "a, b"; "" when there is none. */
void resolvers_find(char *ret, size_t ret_bytes);
/* The same from the text of one resolv.conf. How many. */
int resolvers_parse(const char *text, char *ret, size_t ret_bytes);

#endif
