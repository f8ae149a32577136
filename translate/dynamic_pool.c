/* SPDX-License-Identifier: ISC */
#include "translate/dynamic_pool.h"

#include <stdlib.h>

enum {
	V4_BITS = 32,
	V4_MAPPED = 96,		/* IPv4 prefixes are held as 96 + n bits */
	EDGES_FROM = 30,	/* longest prefix with a network and a
				 * broadcast address */
	ENDS = 2		/* the two lists' ends, behind the leases */
};

#define NOTHING UINT32_MAX

/*
 * One address of the pool.  Each is in one of two rings, "free" and "lent",
 * or in none if it is never lent.  The ring of the lent is in the order in
 * which their hosts were heard, so the one to take next comes first.
 */
struct lease {
	struct addr	host;
	uint64_t	heard_s;
	uint32_t	prev, next;	/* in its ring; NOTHING: in none */
	uint32_t	same_hash;	/* the bucket's next, or NOTHING */
	bool		lent;
};

struct dynamic_pool {
	struct siphash_key key;
	uint64_t	 lease_s;
	uint64_t	 changes;
	uint32_t	 first;		/* the prefix's first address */
	uint32_t	 n;		/* of the prefix, a power of 2 */
	uint32_t	 free, lent;	/* the rings' ends */
	size_t		 n_free, n_lent;
	uint32_t	*bucket;	/* owned; n of them */
	struct lease	*lease;		/* owned; n and the ends */
};

/* --- rings --------------------------------------------------------------- */

static void
unlink_lease(struct dynamic_pool *pool, uint32_t i)
{
	struct lease *lease = &pool->lease[i];

	pool->lease[lease->prev].next = lease->next;
	pool->lease[lease->next].prev = lease->prev;
}

static void
append_lease(struct dynamic_pool *pool, uint32_t end, uint32_t i)
{
	uint32_t last = pool->lease[end].prev;

	pool->lease[i].prev = last;
	pool->lease[i].next = end;
	pool->lease[last].next = i;
	pool->lease[end].prev = i;
}

/* --- hosts --------------------------------------------------------------- */

static uint32_t
hash_of(const struct dynamic_pool *pool, const struct addr *host)
{
	return (uint32_t)siphash(&pool->key, host->octet,
	    sizeof(host->octet)) & (pool->n - 1);
}

static uint32_t
find_host(const struct dynamic_pool *pool, const struct addr *host,
    uint32_t hash)
{
	uint32_t i;

	for (i = pool->bucket[hash]; i != NOTHING;
	     i = pool->lease[i].same_hash)
		if (addr_equal(&pool->lease[i].host, host))
			break;
	return i;
}

static void
forget_host(struct dynamic_pool *pool, uint32_t i)
{
	uint32_t *at = &pool->bucket[hash_of(pool, &pool->lease[i].host)];

	while (*at != i)
		at = &pool->lease[*at].same_hash;
	*at = pool->lease[i].same_hash;
}

/* The address is in no ring now; lend it. */
static void
give(struct dynamic_pool *pool, uint32_t i, const struct addr *host,
    uint32_t hash, uint64_t heard_s)
{
	struct lease *lease = &pool->lease[i];

	lease->host = *host;
	lease->heard_s = heard_s;
	lease->lent = true;
	lease->same_hash = pool->bucket[hash];
	pool->bucket[hash] = i;
	append_lease(pool, pool->lent, i);
	pool->n_lent++;
}

/* --- the pool ------------------------------------------------------------ */

static void
fill(struct dynamic_pool *pool, unsigned len,
    bool (*reserved)(void *arg, uint32_t v4), void *arg)
{
	struct lease *lease;
	uint32_t i;

	for (i = 0; i < pool->n + ENDS; i++) {
		lease = &pool->lease[i];
		lease->prev = lease->next = i < pool->n ? NOTHING : i;
	}
	for (i = 0; i < pool->n; i++) {
		pool->bucket[i] = NOTHING;
		if (len <= EDGES_FROM && (i == 0 || i == pool->n - 1))
			continue;
		if (reserved != NULL && reserved(arg, pool->first + i))
			continue;
		append_lease(pool, pool->free, i);
		pool->n_free++;
	}
}

struct dynamic_pool *
dynamic_pool_new(const struct prefix *prefix, uint64_t lease_s,
    const struct siphash_key *key, bool (*reserved)(void *arg, uint32_t v4),
    void *arg)
{
	struct dynamic_pool *pool;
	unsigned len;

	if (!addr_is_v4(&prefix->addr) ||
	    prefix->len < V4_MAPPED + V4_BITS - DYNAMIC_POOL_BITS_MAX)
		return NULL;
	pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return NULL;
	len = prefix->len - V4_MAPPED;
	pool->key = *key;
	pool->lease_s = lease_s;
	pool->first = addr_to_v4(&prefix->addr);
	pool->n = UINT32_C(1) << (V4_BITS - len);
	pool->free = pool->n;
	pool->lent = pool->n + 1;
	pool->bucket = calloc(pool->n, sizeof(*pool->bucket));
	pool->lease = calloc((size_t)pool->n + ENDS, sizeof(*pool->lease));
	if (pool->bucket == NULL || pool->lease == NULL) {
		dynamic_pool_free(pool);
		return NULL;
	}
	fill(pool, len, reserved, arg);
	return pool;
}

void
dynamic_pool_free(struct dynamic_pool *pool)
{
	if (pool == NULL)
		return;
	free(pool->lease);
	free(pool->bucket);
	free(pool);
}

bool
dynamic_pool_holds(const struct dynamic_pool *pool, uint32_t v4)
{
	return v4 - pool->first < pool->n;
}

/*
 * Take an address out of its ring for a host: the one its hash says, or any
 * that is free, or the one silent longest.  Returns NOTHING if there is none.
 */
static uint32_t
take(struct dynamic_pool *pool, uint32_t hash, uint64_t now_s)
{
	struct lease *lease;
	uint32_t i = hash;

	if (pool->n_free > 0) {
		lease = &pool->lease[i];
		if (lease->lent || lease->next == NOTHING)
			i = pool->lease[pool->free].next;
		pool->n_free--;
	} else if (pool->n_lent > 0) {
		i = pool->lease[pool->lent].next;
		lease = &pool->lease[i];
		if (now_s < lease->heard_s ||
		    now_s - lease->heard_s <= pool->lease_s)
			return NOTHING;
		forget_host(pool, i);
		pool->n_lent--;
	} else {
		return NOTHING;
	}
	unlink_lease(pool, i);
	return i;
}

/* Times in the ring never go back. */
static uint64_t
not_before_last(const struct dynamic_pool *pool, uint64_t heard_s)
{
	const struct lease *last = &pool->lease[pool->lease[pool->lent].prev];

	return pool->n_lent > 0 && heard_s < last->heard_s ? last->heard_s :
	    heard_s;
}

bool
dynamic_pool_lend(struct dynamic_pool *pool, const struct addr *v6,
    uint64_t now_s, uint32_t *ret)
{
	uint32_t hash = hash_of(pool, v6), i = find_host(pool, v6, hash);

	if (i != NOTHING) {
		if (pool->lease[i].heard_s < now_s) {
			unlink_lease(pool, i);
			pool->lease[i].heard_s =
			    not_before_last(pool, now_s);
			append_lease(pool, pool->lent, i);
		}
		*ret = pool->first + i;
		return true;
	}
	i = take(pool, hash, now_s);
	if (i == NOTHING)
		return false;
	give(pool, i, v6, hash, not_before_last(pool, now_s));
	pool->changes++;
	*ret = pool->first + i;
	return true;
}

bool
dynamic_pool_6to4(const struct dynamic_pool *pool, const struct addr *v6,
    uint32_t *ret)
{
	uint32_t i = find_host(pool, v6, hash_of(pool, v6));

	if (i == NOTHING)
		return false;
	*ret = pool->first + i;
	return true;
}

bool
dynamic_pool_4to6(const struct dynamic_pool *pool, uint32_t v4,
    struct addr *ret)
{
	uint32_t i = v4 - pool->first;

	if (i >= pool->n || !pool->lease[i].lent)
		return false;
	*ret = pool->lease[i].host;
	return true;
}

bool
dynamic_pool_lease(const struct dynamic_pool *pool, uint32_t v4,
    struct addr *ret, uint64_t *ret_heard_s)
{
	if (!dynamic_pool_4to6(pool, v4, ret))
		return false;
	*ret_heard_s = pool->lease[v4 - pool->first].heard_s;
	return true;
}

size_t
dynamic_pool_lent(const struct dynamic_pool *pool)
{
	return pool->n_lent;
}

size_t
dynamic_pool_size(const struct dynamic_pool *pool)
{
	return pool->n_lent + pool->n_free;
}

uint64_t
dynamic_pool_changes(const struct dynamic_pool *pool)
{
	return pool->changes;
}

/* --- leases from elsewhere ----------------------------------------------- */

enum dynamic_pool_restored
dynamic_pool_restore(struct dynamic_pool *pool, uint32_t v4,
    const struct addr *v6, uint64_t heard_s, uint64_t now_s)
{
	uint32_t i = v4 - pool->first, hash;

	if (i >= pool->n || pool->lease[i].next == NOTHING)
		return DYNAMIC_POOL_NOT_OURS;
	if (heard_s > now_s)
		heard_s = now_s;
	if (now_s - heard_s > pool->lease_s)
		return DYNAMIC_POOL_EXPIRED;
	hash = hash_of(pool, v6);
	if (pool->lease[i].lent || find_host(pool, v6, hash) != NOTHING)
		return DYNAMIC_POOL_CONFLICT;
	unlink_lease(pool, i);
	pool->n_free--;
	give(pool, i, v6, hash, not_before_last(pool, heard_s));
	return DYNAMIC_POOL_TAKEN;
}
