/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_sad.h: the SAs that charon has installed and the SPIs it has allocated.
 *
 * The plugin keeps them, with their keys, because the engine may be restarted
 * and must then get all of them again. Only charon adds and removes; what the
 * engine says changes nothing but counters. Thread-safe; no call blocks for
 * longer than a table lookup (query_sa runs under charon's locks).
 */
#ifndef ADIT_SAD_H_
#define ADIT_SAD_H_

#include <library.h>

#include "base/charon_msg.h"

typedef struct adit_sad_t adit_sad_t;
typedef struct adit_sad_use_t adit_sad_use_t;

/**
 * What an SA has carried, as the engine said last.
 */
struct adit_sad_use_t
{
	/** bytes of ESP payload */
	uint64_t bytes;
	/** packets */
	uint64_t packets;
	/** monotonic time of the last growth, 0 if never used */
	time_t time;
};

/**
 * Table of SAs and larval SPIs.
 *
 * An inbound SA is named by its SPI, which we chose. An outbound SPI is the
 * peer's choice and is unique with the peer's address only. In all functions
 * src and dst are those of the SA, so dst is ours for an inbound SA.
 */
struct adit_sad_t
{
	/**
	 * Allocate an inbound SPI, in c0000000 to cfffffff. Its last byte is the
	 * same for all of one peer: by it the engine's workers share the work, so
	 * that a client stays with its worker when it rekeys.
	 *
	 * @param peer		who will send with it, address and port
	 * @param spi		receives the SPI, host byte order
	 * @return			FALSE if there are no random numbers
	 */
	bool (*alloc_spi)(adit_sad_t *this, host_t *peer, uint32_t *spi);

	/**
	 * Add an SA; an inbound one may have been allocated before.
	 *
	 * @param sa		SA to copy
	 * @return			FALSE if it would take the place of another client's SA
	 */
	bool (*add)(adit_sad_t *this, const struct charon_sa *sa);

	/**
	 * Move an SA to other addresses.
	 *
	 * @param spi		SPI, host byte order
	 * @param src		current source
	 * @param dst		current destination
	 * @param new_src	new source
	 * @param new_dst	new destination
	 * @param encap		whether it uses UDP encapsulation from now on
	 * @param update	receives what changed
	 * @return			FALSE if there is no such SA, or the place is taken
	 */
	bool (*update)(adit_sad_t *this, uint32_t spi, host_t *src, host_t *dst,
				   host_t *new_src, host_t *new_dst, bool encap,
				   struct charon_sa_update *update);

	/**
	 * Remove an SA or a larval SPI.
	 *
	 * @param spi		SPI, host byte order
	 * @param src		source
	 * @param dst		destination
	 * @param larval	receives TRUE if it was only an allocated SPI
	 * @param del		receives what was removed
	 * @return			FALSE if there was none
	 */
	bool (*remove)(adit_sad_t *this, uint32_t spi, host_t *src, host_t *dst,
				   bool *larval, struct charon_sa_del *del);

	/**
	 * Read the counters of an SA.
	 *
	 * @return			FALSE if there is no such SA
	 */
	bool (*query)(adit_sad_t *this, uint32_t spi, host_t *src, host_t *dst,
				  adit_sad_use_t *use);

	/**
	 * Note the engine's counters; unknown SAs are ignored.
	 */
	void (*set_use)(adit_sad_t *this, uint32_t spi, bool inbound,
					uint64_t bytes, uint64_t packets);

	/**
	 * Get the local address of an inbound SA.
	 *
	 * @return			FALSE if there is no such SA
	 */
	bool (*get_local)(adit_sad_t *this, uint32_t spi, struct endpoint *local);

	/**
	 * Copies of everything, larval SPIs first.
	 *
	 * @param larval	receives number of entries that are only SPIs
	 * @param count		receives number of all entries
	 * @return			array to free with adit_sad_free_copies(), NULL if empty
	 */
	struct charon_sa *(*copy)(adit_sad_t *this, u_int *larval, u_int *count);

	/**
	 * Destroy, wiping all keys.
	 */
	void (*destroy)(adit_sad_t *this);
};

/**
 * Create an empty table.
 */
adit_sad_t *adit_sad_create(void);

/**
 * Wipe and free what copy() returned.
 */
void adit_sad_free_copies(struct charon_sa *copies, u_int count);

#endif /** ADIT_SAD_H_ */
