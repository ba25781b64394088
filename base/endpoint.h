/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint.h: an IP address with a UDP port, as a plain value: compares with
 * endpoint_equal(), prints with endpoint_format(), travels in messages.
 */
#ifndef ADIT_BASE_ENDPOINT_H
#define ADIT_BASE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct endpoint {
	uint8_t family;   /* 0 none, 4 IPv4 (addr[0..3]), 6 IPv6 */
	uint8_t addr[16]; /* network byte order; unused bytes are zero */
	uint16_t port;    /* host byte order; 0 for raw ESP */
};

/* Longest text: "[v6 address]:65535" with its final zero. */
#define ENDPOINT_TEXT 64

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
bool endpoint_same_address(const struct endpoint *a, const struct endpoint *b);

/* "192.0.2.1:4500", "[2001:db8::1]:4500", "-" for none. Returns buf. */
const char *endpoint_format(
    const struct endpoint *e, char *buf, size_t buf_bytes);
/* The address alone: "192.0.2.1". Returns buf. */
const char *endpoint_format_address(
    const struct endpoint *e, char *buf, size_t buf_bytes);

/* Text address (no port) to endpoint. False when it is no address. */
bool endpoint_parse(const char *text, uint16_t port, struct endpoint *ret);

/* To and from a socket address. from: false for other families.
 * to: returns the length for the socket call, 0 for family none. */
bool endpoint_from_sockaddr(const struct sockaddr *sa, struct endpoint *ret);
socklen_t endpoint_to_sockaddr(
    const struct endpoint *e, struct sockaddr_storage *ret);

#endif
