/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_convert.c: see adit_convert.h.
 */
#include "charon-plugin/adit_convert.h"

#include <library.h>

struct endpoint adit_endpoint(host_t *host, bool with_port)
{
	struct endpoint endpoint = {};

	if (!endpoint_from_sockaddr(host->get_sockaddr(host), &endpoint))
	{
		memset(&endpoint, 0, sizeof(endpoint));
	}
	if (!with_port)
	{
		endpoint.port = 0;
	}
	return endpoint;
}

host_t *adit_host(const struct endpoint *endpoint)
{
	struct sockaddr_storage addr = {};

	if (!endpoint_to_sockaddr(endpoint, &addr))
	{
		return NULL;
	}
	return host_create_from_sockaddr((sockaddr_t *)&addr);
}
