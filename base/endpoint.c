/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint.c: addresses with ports as plain values (contract in endpoint.h).
 * Owns nothing. The only place that knows struct sockaddr; addresses inside
 * are always in network byte order, ports in host byte order.
 * Text forms: RFC 4291 2.2, in brackets with a port as in RFC 3986 3.2.2.
 */
#include "base/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static size_t
address_bytes(uint8_t family)
{
	return family == 4 ? 4 : family == 6 ? 16 : 0;
}

bool
endpoint_same_address(const struct endpoint *a, const struct endpoint *b)
{
	return a->family == b->family &&
	    memcmp(a->addr, b->addr, address_bytes(a->family)) == 0;
}

bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return endpoint_same_address(a, b) && a->port == b->port;
}

const char *
endpoint_format_address(const struct endpoint *e, char *buf, size_t buf_bytes)
{
	int af = e->family == 6 ? AF_INET6 : AF_INET;

	if (address_bytes(e->family) == 0 ||
	    inet_ntop(af, e->addr, buf, (socklen_t)buf_bytes) == NULL)
		snprintf(buf, buf_bytes, "-");
	return buf;
}

const char *
endpoint_format(const struct endpoint *e, char *buf, size_t buf_bytes)
{
	char address[INET6_ADDRSTRLEN];

	endpoint_format_address(e, address, sizeof(address));
	if (e->family == 6)
		snprintf(buf, buf_bytes, "[%s]:%u", address, e->port);
	else if (e->family == 4)
		snprintf(buf, buf_bytes, "%s:%u", address, e->port);
	else
		snprintf(buf, buf_bytes, "-");
	return buf;
}

bool
endpoint_parse(const char *text, uint16_t port, struct endpoint *ret)
{
	struct endpoint e = {.port = port};

	if (inet_pton(AF_INET, text, e.addr) == 1)
		e.family = 4;
	else if (inet_pton(AF_INET6, text, e.addr) == 1)
		e.family = 6;
	else
		return false;
	*ret = e;
	return true;
}

bool
endpoint_from_sockaddr(const struct sockaddr *sa, struct endpoint *ret)
{
	struct endpoint e = {.family = 0};
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		e.family = 4;
		memcpy(e.addr, &v4.sin_addr, 4);
		e.port = ntohs(v4.sin_port);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		e.family = 6;
		memcpy(e.addr, &v6.sin6_addr, 16);
		e.port = ntohs(v6.sin6_port);
	} else {
		return false;
	}
	*ret = e;
	return true;
}

socklen_t
endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ret)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	memset(ret, 0, sizeof(*ret));
	if (e->family == 4) {
		memcpy(&v4.sin_addr, e->addr, 4);
		v4.sin_port = htons(e->port);
		memcpy(ret, &v4, sizeof(v4));
		return sizeof(v4);
	}
	if (e->family == 6) {
		memcpy(&v6.sin6_addr, e->addr, 16);
		v6.sin6_port = htons(e->port);
		memcpy(ret, &v6, sizeof(v6));
		return sizeof(v6);
	}
	return 0;
}
