/* SPDX-License-Identifier: ISC */
/*
 * mapping_layout.h - how a mapping lies in memory; for mapping.c, which reads
 * it, and mapping_builder.c, which writes it, alone.
 *
 *	header | entries | slots
 *
 * Entries are packed in the order they came, each padded with zeros to
 * MAPPING_ALIGN.  The slots are an open-addressing hash table with linear
 * probing: an entry stands in the first slot that was free from (tag mod
 * n_slots) on.  Entries with the same name (and disjoint services) have a
 * slot each.  Integers are the host's: an image never leaves it.
 */
#ifndef COMMON_MAPPING_LAYOUT_H
#define COMMON_MAPPING_LAYOUT_H

#include "common/mapping.h"
#include "common/siphash.h"

#define MAPPING_MAGIC UINT32_C(0x70476d50)	/* tells byte orders apart */

enum {
	MAPPING_VERSION = 1,
	MAPPING_ALIGN = 4,
	MAPPING_SLOTS_MIN = 16,
	MAPPING_AHEAD = 16,	/* slots on their way to the cache */
	/*
	 * Adjacent slots in use.  At most 11/16 are, so with a random key a
	 * table of any size has a longer run once in 10^20 times.
	 */
	MAPPING_RUN_MAX = 4096
};

/* Octets of an image: a slot's 32-bit offset reaches all of it. */
#define MAPPING_OCTETS_MAX (UINT64_C(1) << 31)

struct mapping_header {
	uint32_t	magic;
	uint32_t	version;
	uint64_t	octets;		/* of the whole image */
	struct siphash_key key;
	uint64_t	depths[2];	/* bit n: a pattern has n labels after
					 * its "*" (RFC 1035: 127 at most) */
	uint32_t	n_names;
	uint32_t	n_slots;	/* a power of two */
	uint32_t	slots_at;	/* where the entries end */
	uint32_t	reserved;	/* 0 */
};

struct mapping_slot {
	uint32_t	tag;		/* mapping_tag of the entry's name */
	uint32_t	entry;		/* octets from the start of the image;
					 * 0: free, and the tag is 0 too */
};

_Static_assert(sizeof(struct mapping_header) == 64, "no padding");
_Static_assert(sizeof(struct mapping_slot) == 8, "no padding");
_Static_assert(sizeof(struct mapping_entry) == 12, "no padding");

static inline uint32_t
mapping_tag(const struct siphash_key *key, const char *name, size_t len)
{
	return (uint32_t)siphash(key, name, len);
}

/* Octets an entry takes without its padding, and with it. */
static inline size_t
mapping_entry_octets(const struct mapping_entry *e)
{
	return sizeof(*e) + e->n_targets * sizeof(e->target[0]) + e->name_len;
}

static inline size_t
mapping_padded(size_t octets)
{
	return (octets + MAPPING_ALIGN - 1) / MAPPING_ALIGN * MAPPING_ALIGN;
}

/* How many entries so many slots may hold. */
static inline uint32_t
mapping_slots_hold(uint32_t n_slots)
{
	return n_slots / 16 * 11;
}

/* Note in `depths` how many labels a pattern has; nothing for a name. */
static inline void
mapping_note_depth(uint64_t depths[2], const char *name, size_t len)
{
	unsigned labels = 0;
	size_t i;

	if (name[0] != '*')
		return;
	for (i = 0; i < len; i++)
		labels += name[i] == '.';
	depths[labels / 64 % 2] |= UINT64_C(1) << labels % 64;
}

#endif
