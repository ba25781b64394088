/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolvers.c: reads resolv.conf. A loopback address is of no use to a client:
 * then systemd-resolved's own list is looked at. Trusts nothing but syntax.
 */
#include "cli/resolvers.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

int
resolvers_parse(const char *text, char *ret, size_t ret_bytes)
{
	char word[64];
	struct in_addr a;
	uint8_t ip[4];
	int n = 0;

	ret[0] = '\0';
	for (const char *p = text; p && n < 2; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (sscanf(p, "nameserver %63s", word) != 1 ||
		    inet_pton(AF_INET, word, &a) != 1)
			continue;
		memcpy(ip, &a, 4);
		if (ip[0] == 127 || ip[0] == 0 || ip[0] >= 224)
			continue;
		snprintf(ret + strlen(ret), ret_bytes - strlen(ret), "%s%s",
		    n ? ", " : "", word);
		n++;
	}
	return n;
}

void
resolvers_find(char *ret, size_t ret_bytes)
{
	static const char *const files[] = {
	    "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"};
	int n = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < 2 && n == 0; i++) {
		char *text = file_read(files[i], NULL);
		if (text)
			n = resolvers_parse(text, ret, ret_bytes);
		free(text);
	}
}
