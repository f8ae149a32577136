/* SPDX-License-Identifier: ISC */
/*
 * dynamic_pool.h - IPv4 addresses lent to IPv6 hosts, one to one.
 *
 * A host that nothing else maps gets an address of the pool with its first
 * packet and keeps it for at least the lease time after its last one; only
 * when no other is left does the host that has been silent longest lose its
 * address.  Which one a host gets depends on its own address, so that it may
 * well get the same one again.  Bounded: all memory is taken at once, and
 * every call but dynamic_pool_new() takes the same short time.  Pure: time is
 * an argument, wall-clock seconds so that leases mean something after a
 * restart.  One thread.  IPv4 addresses are integers in host byte order.
 */
#ifndef TRANSLATE_DYNAMIC_POOL_H
#define TRANSLATE_DYNAMIC_POOL_H

#include "common/prefix.h"
#include "common/siphash.h"

enum { DYNAMIC_POOL_BITS_MAX = 20 };	/* a /12 */

struct dynamic_pool;

/*
 * `prefix` is IPv4, /12 to /32.  Of a prefix shorter than /31 the first and
 * the last address are not lent; nor is an address for which `reserved` (may
 * be NULL) says true.  Returns NULL if there is no memory; the caller frees.
 */
struct dynamic_pool *dynamic_pool_new(const struct prefix *prefix,
    uint64_t lease_s, const struct siphash_key *,
    bool (*reserved)(void *arg, uint32_t v4), void *arg);
void dynamic_pool_free(struct dynamic_pool *);

/* Is the address one of the pool's, lent or not? */
bool dynamic_pool_holds(const struct dynamic_pool *, uint32_t v4);

/*
 * The host's address, lent now if need be; its silence ends.  Returns false,
 * and leaves *ret alone, if none is free.
 */
bool dynamic_pool_lend(struct dynamic_pool *, const struct addr *v6,
    uint64_t now_s, uint32_t *ret);

/*
 * The host's address if it has one, and who has an address: these change
 * nothing, so packets to a host do not prolong its lease.  Both return false,
 * and leave *ret alone, if there is no such lease.
 */
bool dynamic_pool_6to4(const struct dynamic_pool *, const struct addr *v6,
    uint32_t *ret);
bool dynamic_pool_4to6(const struct dynamic_pool *, uint32_t v4,
    struct addr *ret);

/* Addresses lent, and the most that can be. */
size_t dynamic_pool_lent(const struct dynamic_pool *);
size_t dynamic_pool_size(const struct dynamic_pool *);

/*
 * Counts changes worth keeping (a host got an address it did not have), so
 * that the caller knows when to write the leases down.
 */
uint64_t dynamic_pool_changes(const struct dynamic_pool *);

/*
 * Who has an address, and when that host was heard last, in the seconds of
 * `now_s`.  Returns false, and leaves both alone, if nobody has.
 */
bool dynamic_pool_lease(const struct dynamic_pool *, uint32_t v4,
    struct addr *ret, uint64_t *ret_heard_s);

enum dynamic_pool_restored {
	DYNAMIC_POOL_TAKEN = 0,
	DYNAMIC_POOL_NOT_OURS,		/* an address that is not lent here */
	DYNAMIC_POOL_EXPIRED,		/* the lease is over */
	DYNAMIC_POOL_CONFLICT		/* one of them has another */
};

/*
 * Lend what was lent elsewhere, at another time or by another pool.  Leases
 * should come in the order in which their hosts were heard: one that comes too
 * late counts as heard when the one before it was, and a second after `now_s`
 * as now.
 */
enum dynamic_pool_restored dynamic_pool_restore(struct dynamic_pool *,
    uint32_t v4, const struct addr *v6, uint64_t heard_s, uint64_t now_s);

#endif
