/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_sad.c: the table of SAs (contract in adit_sad.h).
 */
#include "charon-plugin/adit_sad.h"
#include "charon-plugin/adit_convert.h"

#include <collections/hashtable.h>
#include <threading/mutex.h>

/** Charon's default range; the engine expects SPIs in it. The last byte tells
 * the peer (l2tpd/plane/user/steer.h), the rest is random. */
#define SPI_MIN 0xc0000000
#define SPI_RANDOM_MASK 0x0fffff00
#define SPI_PEER_MASK 0xff

/** Attempts to find a free SPI before something must be wrong */
#define SPI_TRIES 64

typedef struct private_adit_sad_t private_adit_sad_t;
typedef struct entry_t entry_t;

struct private_adit_sad_t
{
	/** public interface */
	adit_sad_t public;
	/** entry_t by itself (see hash() and equals()) */
	hashtable_t *entries;
	/** protects entries */
	mutex_t *mutex;
	/** number of the next SA (entry_t.order) */
	uint64_t order;
};

/**
 * An SA, or an SPI that waits for one.
 */
struct entry_t
{
	/** the SA, as the engine gets it; only spi and inbound if larval */
	struct charon_sa sa;
	/** TRUE if only the SPI is allocated */
	bool larval;
	/** counters */
	adit_sad_use_t use;
	/** SAs are told again in the order in which they came */
	uint64_t order;
};

/**
 * Hash of a key: the SPI is random enough.
 */
static u_int hash(const void *key)
{
	const entry_t *entry = key;

	return entry->sa.spi ^ entry->sa.inbound;
}

/**
 * Compare keys. The peer's address counts for outbound SAs; a key without one
 * means any.
 */
static bool equals(const void *key, const void *other)
{
	const entry_t *a = key, *b = other;

	if (a->sa.spi != b->sa.spi || a->sa.inbound != b->sa.inbound)
	{
		return FALSE;
	}
	return a->sa.inbound || !a->sa.peer.family || !b->sa.peer.family ||
		   endpoint_same_address(&a->sa.peer, &b->sa.peer);
}

/**
 * Wipe and free an entry.
 */
static void entry_destroy(entry_t *entry)
{
	memwipe(entry, sizeof(*entry));
	free(entry);
}

/**
 * Find by SPI, direction and peer (NULL: any).
 */
static entry_t *find(private_adit_sad_t *this, uint32_t spi, bool inbound,
					 const struct endpoint *peer)
{
	entry_t key = {.sa = {.spi = spi, .inbound = inbound}};

	if (peer)
	{
		key.sa.peer = *peer;
	}
	return this->entries->get(this->entries, &key);
}

/**
 * Find the SA that charon means by an SPI and addresses, but not a direction.
 */
static entry_t *find_by_hosts(private_adit_sad_t *this, uint32_t spi,
							  host_t *dst)
{
	struct endpoint endpoint = adit_endpoint(dst, FALSE);
	entry_t *entry;

	entry = find(this, spi, TRUE, NULL);
	if (entry &&
		(entry->larval || endpoint_same_address(&entry->sa.local, &endpoint)))
	{
		return entry;
	}
	return find(this, spi, FALSE, &endpoint);
}

/**
 * The last byte of all SPIs of a peer; strongSwan's hash has a secret seed.
 */
static uint32_t byte_of_peer(host_t *peer)
{
	uint16_t port = peer->get_port(peer);

	return chunk_hash_inc(peer->get_address(peer),
						  chunk_hash(chunk_from_thing(port))) &
		   SPI_PEER_MASK;
}

METHOD(adit_sad_t, alloc_spi, bool, private_adit_sad_t *this, host_t *peer,
	   uint32_t *spi)
{
	entry_t *entry;
	uint32_t candidate;
	rng_t *rng;
	u_int i;

	rng = lib->crypto->create_rng(lib->crypto, RNG_STRONG);
	if (!rng)
	{
		return FALSE;
	}
	this->mutex->lock(this->mutex);
	for (i = 0; i < SPI_TRIES; i++)
	{
		if (!rng->get_bytes(rng, sizeof(candidate), (uint8_t *)&candidate))
		{
			i = SPI_TRIES;
			break;
		}
		candidate = SPI_MIN | (candidate & SPI_RANDOM_MASK) |
					byte_of_peer(peer);
		if (!find(this, candidate, TRUE, NULL))
		{
			break;
		}
	}
	if (i < SPI_TRIES)
	{
		INIT(entry, .sa = {.spi = candidate, .inbound = TRUE},
			 .larval = TRUE, );
		this->entries->put(this->entries, entry, entry);
		*spi = candidate;
	}
	this->mutex->unlock(this->mutex);
	rng->destroy(rng);
	return i < SPI_TRIES;
}

METHOD(adit_sad_t, add, bool, private_adit_sad_t *this,
	   const struct charon_sa *sa)
{
	entry_t *entry, *old;

	this->mutex->lock(this->mutex);
	old = find(this, sa->spi, sa->inbound, &sa->peer);
	if (old && !old->larval && old->sa.mark != sa->mark)
	{ /* a peer's choice of SPI must not displace another client's SA */
		this->mutex->unlock(this->mutex);
		return FALSE;
	}
	if (old)
	{
		this->entries->remove(this->entries, old);
		entry_destroy(old);
	}
	INIT(entry, .sa = *sa, .order = this->order++, );
	this->entries->put(this->entries, entry, entry);
	this->mutex->unlock(this->mutex);
	return TRUE;
}

METHOD(adit_sad_t, update, bool, private_adit_sad_t *this, uint32_t spi,
	   host_t *src, host_t *dst, host_t *new_src, host_t *new_dst, bool encap,
	   struct charon_sa_update *update)
{
	struct endpoint local, peer;
	entry_t *entry, *other = NULL;

	this->mutex->lock(this->mutex);
	entry = find_by_hosts(this, spi, dst);
	if (entry && !entry->larval)
	{
		local = adit_endpoint(entry->sa.inbound ? new_dst : new_src, encap);
		peer = adit_endpoint(entry->sa.inbound ? new_src : new_dst, encap);
		other = find(this, spi, entry->sa.inbound, &peer);
	}
	if (!entry || entry->larval || (other && other != entry))
	{
		this->mutex->unlock(this->mutex);
		return FALSE;
	}
	*update = (struct charon_sa_update){
		.spi = spi,
		.inbound = entry->sa.inbound,
		.encap = encap,
		.old_peer = entry->sa.peer,
		.local = local,
		.peer = peer,
	};
	this->entries->remove(this->entries, entry);
	entry->sa.local = local;
	entry->sa.peer = peer;
	entry->sa.encap = encap;
	this->entries->put(this->entries, entry, entry);
	this->mutex->unlock(this->mutex);
	return TRUE;
}

METHOD(adit_sad_t, remove_, bool, private_adit_sad_t *this, uint32_t spi,
	   host_t *src, host_t *dst, bool *larval, struct charon_sa_del *del)
{
	entry_t *entry;

	this->mutex->lock(this->mutex);
	entry = find_by_hosts(this, spi, dst);
	if (entry)
	{
		*larval = entry->larval;
		*del = (struct charon_sa_del){
			.spi = spi,
			.inbound = entry->sa.inbound,
			.peer = entry->sa.peer,
		};
		this->entries->remove(this->entries, entry);
		entry_destroy(entry);
	}
	this->mutex->unlock(this->mutex);
	return entry != NULL;
}

METHOD(adit_sad_t, query, bool, private_adit_sad_t *this, uint32_t spi,
	   host_t *src, host_t *dst, adit_sad_use_t *use)
{
	entry_t *entry;

	this->mutex->lock(this->mutex);
	entry = find_by_hosts(this, spi, dst);
	if (entry)
	{
		*use = entry->use;
	}
	this->mutex->unlock(this->mutex);
	return entry != NULL;
}

METHOD(adit_sad_t, set_use, void, private_adit_sad_t *this, uint32_t spi,
	   bool inbound, uint64_t bytes, uint64_t packets)
{
	entry_t *entry;

	this->mutex->lock(this->mutex);
	entry = find(this, spi, inbound, NULL);
	if (entry)
	{
		if (bytes > entry->use.bytes || packets > entry->use.packets)
		{
			entry->use.time = time_monotonic(NULL);
		}
		entry->use.bytes = bytes;
		entry->use.packets = packets;
	}
	this->mutex->unlock(this->mutex);
}

METHOD(adit_sad_t, get_local, bool, private_adit_sad_t *this, uint32_t spi,
	   struct endpoint *local)
{
	entry_t *entry;

	this->mutex->lock(this->mutex);
	entry = find(this, spi, TRUE, NULL);
	if (entry && entry->larval)
	{
		entry = NULL;
	}
	if (entry)
	{
		*local = entry->sa.local;
	}
	this->mutex->unlock(this->mutex);
	return entry != NULL;
}

/**
 * Order for qsort(): larval SPIs, then SAs by age.
 */
static int by_order(const void *a, const void *b)
{
	const entry_t *left = *(entry_t *const *)a, *right = *(entry_t *const *)b;

	if (left->larval != right->larval)
	{
		return left->larval ? -1 : 1;
	}
	return left->order < right->order ? -1 : left->order > right->order;
}

METHOD(adit_sad_t, copy, struct charon_sa *, private_adit_sad_t *this,
	   u_int *larval, u_int *count)
{
	struct charon_sa *copies = NULL;
	enumerator_t *enumerator;
	entry_t *entry, **entries;
	void *key;
	u_int i = 0;

	*larval = 0;
	this->mutex->lock(this->mutex);
	*count = this->entries->get_count(this->entries);
	if (*count)
	{
		copies = calloc(*count, sizeof(*copies));
		entries = calloc(*count, sizeof(*entries));
		enumerator = this->entries->create_enumerator(this->entries);
		while (enumerator->enumerate(enumerator, &key, &entry))
		{
			entries[i++] = entry;
			*larval += entry->larval;
		}
		enumerator->destroy(enumerator);
		qsort(entries, *count, sizeof(*entries), by_order);
		for (i = 0; i < *count; i++)
		{
			copies[i] = entries[i]->sa;
		}
		free(entries);
	}
	this->mutex->unlock(this->mutex);
	return copies;
}

METHOD(adit_sad_t, destroy, void, private_adit_sad_t *this)
{
	enumerator_t *enumerator;
	entry_t *entry;
	void *key;

	enumerator = this->entries->create_enumerator(this->entries);
	while (enumerator->enumerate(enumerator, &key, &entry))
	{
		this->entries->remove_at(this->entries, enumerator);
		entry_destroy(entry);
	}
	enumerator->destroy(enumerator);
	this->entries->destroy(this->entries);
	this->mutex->destroy(this->mutex);
	free(this);
}

void adit_sad_free_copies(struct charon_sa *copies, u_int count)
{
	if (copies)
	{
		memwipe(copies, count * sizeof(*copies));
		free(copies);
	}
}

adit_sad_t *adit_sad_create(void)
{
	private_adit_sad_t *this;

	INIT(this,
		 .public =
			 {
				 .alloc_spi = _alloc_spi,
				 .add = _add,
				 .update = _update,
				 .remove = _remove_,
				 .query = _query,
				 .set_use = _set_use,
				 .get_local = _get_local,
				 .copy = _copy,
				 .destroy = _destroy,
			 },
		 .entries = hashtable_create(hash, equals, 256),
		 .mutex = mutex_create(MUTEX_TYPE_DEFAULT), );
	return &this->public;
}
