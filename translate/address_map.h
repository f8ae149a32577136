/* SPDX-License-Identifier: ISC */
/*
 * address_map.h - which IPv6 address an IPv4 address is, and the reverse:
 * explicit mappings (RFC 7757) before prefixes (RFC 6052).
 *
 * Immutable once built, so that all queues may use one and a reload swaps one
 * pointer.  Building takes time in proportion to the entries, and should be
 * done where a packet does not wait for it.  Pure but for memory.  IPv4
 * addresses are integers in host byte order.
 */
#ifndef TRANSLATE_ADDRESS_MAP_H
#define TRANSLATE_ADDRESS_MAP_H

#include "common/prefix.h"
#include "common/siphash.h"

enum {
	ADDRESS_MAP_EAMS_MAX = 1 << 22,
	ADDRESS_MAP_PREFIXES_MAX = 64
};

/*
 * RFC 7757 3.2: the IPv4 prefix (held as prefix.h holds them, 96 + n) has at
 * most as many suffix bits as the IPv6 prefix.
 */
struct eam {
	struct prefix	v4, v6;
};

/*
 * A prefix behind which IPv4 addresses are embedded.  An IPv4 address goes
 * into the prefix whose `range` holds it with the longest match, the first
 * of equals; an IPv6 address is taken out of the longest prefix that holds
 * it, and refused if that prefix's `range` does not hold what came out.
 */
struct embedding {
	struct prefix	prefix;		/* rfc6052_check() is content */
	struct prefix	range;		/* IPv4; 0.0.0.0/0 for all */
	bool		any;		/* the well-known prefix may carry
					 * non-global addresses after all, which
					 * RFC 6052 3.1 forbids */
};

enum address_map_error {
	ADDRESS_MAP_OK = 0,
	ADDRESS_MAP_NO_MEMORY,
	ADDRESS_MAP_FULL,		/* more than the limits above */
	ADDRESS_MAP_FAMILY,		/* eam.v4 or .range is not IPv4, or
					 * eam.v6 is */
	ADDRESS_MAP_SUFFIX,		/* more IPv4 suffix bits than IPv6 */
	ADDRESS_MAP_SAME_V4,		/* two EAMs with one IPv4 prefix */
	ADDRESS_MAP_SAME_V6,		/* two EAMs with one IPv6 prefix */
	ADDRESS_MAP_EMBEDDING,		/* rfc6052_check() is not content */
	ADDRESS_MAP_SAME_EMBEDDING	/* two embeddings with one prefix */
};

/* Where it went wrong: indices into what was given. */
struct address_map_problem {
	enum address_map_error error;
	size_t		index;		/* the later one */
	size_t		first;		/* SAME_*: the earlier one */
};

struct address_map;

/*
 * Copies what it is given.  Overlaps are good: the longest prefix counts, on
 * each side for itself (RFC 7757 5).  Equal prefixes are refused.  The key
 * should be random.  Returns NULL, and what is wrong in *problem, or a map
 * that the caller frees; *problem is untouched then.
 */
struct address_map *address_map_new(const struct eam *, size_t n_eams,
    const struct embedding *, size_t n_embeddings,
    const struct siphash_key *, struct address_map_problem *problem);
void address_map_free(struct address_map *);

/* A sentence fragment: "has the same IPv6 prefix as"... */
const char *address_map_strerror(enum address_map_error);

enum address_found {
	ADDRESS_NOT_FOUND = 0,
	ADDRESS_BY_EAM,
	ADDRESS_BY_PREFIX,
	ADDRESS_NOT_GLOBAL	/* found, but RFC 6052 3.1 forbids it */
};

/* *ret is untouched unless found by EAM or prefix. */
enum address_found address_map_4to6(const struct address_map *, uint32_t v4,
    struct addr *ret);
enum address_found address_map_6to4(const struct address_map *,
    const struct addr *v6, uint32_t *ret);

/*
 * The same without the EAMs, for hairpinning (RFC 7757 4.2.1); only
 * ADDRESS_BY_EAM is never returned.
 */
enum address_found address_map_4to6_by_prefix(const struct address_map *,
    uint32_t v4, struct addr *ret);

/* Does an EAM hold it? */
bool address_map_has_eam4(const struct address_map *, uint32_t v4);

#endif
