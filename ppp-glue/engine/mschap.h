/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mschap.h: MS-CHAPv2 (RFC 2759) and its hashes. MD4 is ours (RFC 1320); DES
 * is DES-EDE3 with three equal keys from OpenSSL's default provider in a
 * private OSSL_LIB_CTX, so no legacy provider is needed. Used by the authority
 * (verify) and by the PPP engine's client role (answer).
 */
#ifndef ADIT_PPP_MSCHAP_H
#define ADIT_PPP_MSCHAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MSCHAP_HASH_BYTES 16
#define MSCHAPV2_RESPONSE_BYTES                                                \
	49 /* RFC 2759 4: peer 16, 0 8, NT 24, flags 1 */
#define MSCHAPV2_AUTHENTICATOR_BYTES 43 /* "S=" + 40 hex + final zero */

/* Runs the RFC 2759 9.2 vectors. False: do not offer MS-CHAPv2. */
bool mschap_selftest(void);

/* NT hash of a UTF-8 password (UTF-16LE, MD4). -EINVAL: not UTF-8. */
int mschap_nt_hash(const void *utf8, size_t n, uint8_t ret[MSCHAP_HASH_BYTES]);

/* Server: is this response right for (name, challenge, NT hash)? On true
 * ret_authenticator is the text "S=<40 hex>". name: as sent by the peer; a
 * leading "DOMAIN\" is stripped for the hash (RFC 2759 8.2). challenge: 16
 * bytes. response: 49 bytes. Constant time in the hash. */
bool mschapv2_verify(const uint8_t nt_hash[MSCHAP_HASH_BYTES], const void *name,
    size_t name_bytes, const uint8_t challenge[16],
    const uint8_t response[MSCHAPV2_RESPONSE_BYTES],
    char ret_authenticator[MSCHAPV2_AUTHENTICATOR_BYTES]);

/* Client: make a response, and later check the server's "S=" text.
 * peer_challenge: 16 random bytes. 0; -EIO: the library failed. */
int mschapv2_respond(const uint8_t nt_hash[MSCHAP_HASH_BYTES], const void *name,
    size_t name_bytes, const uint8_t challenge[16],
    const uint8_t peer_challenge[16],
    uint8_t ret_response[MSCHAPV2_RESPONSE_BYTES]);
bool mschapv2_check_authenticator(const uint8_t nt_hash[MSCHAP_HASH_BYTES],
    const void *name, size_t name_bytes, const uint8_t challenge[16],
    const uint8_t response[MSCHAPV2_RESPONSE_BYTES], const void *message,
    size_t message_bytes);

/* CHAP with MD5 (RFC 1994 4.1): MD5(id, secret, challenge). 0 or -EIO. */
int chap_md5_response(uint8_t id, const void *secret, size_t secret_bytes,
    const void *challenge, size_t challenge_bytes, uint8_t ret[16]);

#endif
