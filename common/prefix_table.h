/* SPDX-License-Identifier: ISC */
/*
 * prefix_table.h - longest-prefix match over one family's prefixes.
 *
 * Immutable once built, so that many threads may look things up and a reload
 * swaps one pointer.  Building takes time and memory in proportion to the
 * entries; a look-up takes one probe for each length that occurs, whatever
 * the number of entries.  Pure but for memory.
 */
#ifndef COMMON_PREFIX_TABLE_H
#define COMMON_PREFIX_TABLE_H

#include <stddef.h>

#include "common/prefix.h"
#include "common/siphash.h"

enum { PREFIX_TABLE_MAX = 1 << 24 };	/* most entries */

struct prefix_table;

struct prefix_table_entry {
	struct prefix	prefix;
	uint32_t	value;		/* the caller's, as is */
};

/*
 * Copies n entries in any order.  Of equal prefixes the first counts.
 * The key should be random: who chooses the prefixes must not be able to
 * choose what collides.  Returns NULL if there is no memory or n is more than
 * PREFIX_TABLE_MAX; the caller frees it.
 */
struct prefix_table *prefix_table_new(const struct prefix_table_entry *,
    size_t n, const struct siphash_key *);
void prefix_table_free(struct prefix_table *);

/*
 * The value of the longest prefix that contains the address.  Returns false,
 * and leaves *ret alone, if none does.
 */
bool prefix_table_find(const struct prefix_table *, const struct addr *,
    uint32_t *ret);

/* The same for exactly this prefix. */
bool prefix_table_find_exact(const struct prefix_table *,
    const struct prefix *, uint32_t *ret);

#endif
