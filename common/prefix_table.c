/* SPDX-License-Identifier: ISC */
#include "common/prefix_table.h"

#include <assert.h>
#include <stdlib.h>

enum { N_LENGTHS = 129, N_MULTIPLIERS = 6 };

/* An address, or the prefix's part of it, in host order. */
struct key {
	uint64_t	high, low;
};

struct entry {
	struct key	key;
	uint32_t	value;
	uint8_t		len;
};

/* A length that occurs. */
struct length {
	struct key	mask;
	uint64_t	start;		/* of the hash */
	uint8_t		len;
};

/*
 * Entries lie sorted by bucket; bucket b is entry[start[b]] up to, but not
 * including, entry[start[b + 1]].
 */
struct prefix_table {
	uint64_t	 multiplier[N_MULTIPLIERS];
	uint32_t	 mask;		/* buckets less one */
	uint32_t	*start;		/* owned */
	struct entry	*entry;		/* owned */
	unsigned	 n_lengths;
	struct length	 length[N_LENGTHS];	/* longest first */
};

static uint64_t
half_of(const uint8_t *octet)
{
	uint64_t half = 0;
	unsigned i;

	for (i = 0; i < 8; i++)
		half = half << 8 | octet[i];
	return half;
}

static struct key
key_of(const struct addr *addr)
{
	return (struct key) { half_of(addr->octet),
		half_of(addr->octet + 8) };
}

static struct key
mask_of(unsigned len)
{
	if (len == 0)
		return (struct key) { 0, 0 };
	if (len <= 64)
		return (struct key) { UINT64_MAX << (64 - len), 0 };
	return (struct key) { UINT64_MAX, UINT64_MAX << (128 - len) };
}

static uint64_t
hash_start(const struct prefix_table *table, unsigned len)
{
	return table->multiplier[0] + table->multiplier[1] * len;
}

/*
 * Multiply-shift over the length and the key's four 32-bit words: two keys
 * share a bucket with probability 2/buckets over the random multipliers.
 */
static uint32_t
bucket_of(const struct prefix_table *table, const struct key *key,
    uint64_t hash)
{
	const uint64_t *m = table->multiplier + 2;

	hash += m[0] * (key->high >> 32) + m[1] * (uint32_t)key->high +
	    m[2] * (key->low >> 32) + m[3] * (uint32_t)key->low;
	return (uint32_t)(hash >> 32) & table->mask;
}

static uint32_t
bucket_of_prefix(const struct prefix_table *table,
    const struct prefix *prefix, struct key *ret_key)
{
	*ret_key = key_of(&prefix->addr);
	return bucket_of(table, ret_key, hash_start(table, prefix->len));
}

/* --- building ----------------------------------------------------------- */

static void
choose_multipliers(struct prefix_table *table, const struct siphash_key *key)
{
	uint8_t i;

	for (i = 0; i < N_MULTIPLIERS; i++)
		table->multiplier[i] = siphash(key, &i, 1);
}

static void
collect_lengths(struct prefix_table *table,
    const struct prefix_table_entry *given, size_t n)
{
	bool occurs[N_LENGTHS] = { false };
	unsigned len;
	size_t i;

	for (i = 0; i < n; i++) {
		assert(given[i].prefix.len < N_LENGTHS);
		occurs[given[i].prefix.len] = true;
	}
	for (len = N_LENGTHS; len-- > 0;)
		if (occurs[len])
			table->length[table->n_lengths++] = (struct length) {
				mask_of(len), hash_start(table, len),
				(uint8_t)len };
}

/*
 * A counting sort: start[b] is first how many entries bucket b has, then
 * where it ends, and, filled from the last entry to the first, where it
 * begins; so entries of a bucket keep their order.
 */
static void
fill(struct prefix_table *table, const struct prefix_table_entry *given,
    size_t n)
{
	uint32_t sum = 0, b;
	struct key key;
	size_t i;

	for (i = 0; i < n; i++)
		table->start[bucket_of_prefix(table, &given[i].prefix,
		    &key)]++;
	for (b = 0; b <= table->mask; b++) {
		sum += table->start[b];
		table->start[b] = sum;
	}
	table->start[b] = sum;
	for (i = n; i-- > 0;) {
		b = bucket_of_prefix(table, &given[i].prefix, &key);
		table->entry[--table->start[b]] = (struct entry) { key,
			given[i].value, given[i].prefix.len };
	}
}

struct prefix_table *
prefix_table_new(const struct prefix_table_entry *given, size_t n,
    const struct siphash_key *key)
{
	struct prefix_table *table;
	size_t buckets = 1;

	if (n > PREFIX_TABLE_MAX)
		return NULL;
	while (buckets < n)
		buckets *= 2;
	table = calloc(1, sizeof(*table));
	if (table == NULL)
		return NULL;
	table->mask = (uint32_t)(buckets - 1);
	table->start = calloc(buckets + 1, sizeof(*table->start));
	table->entry = calloc(n > 0 ? n : 1, sizeof(*table->entry));
	if (table->start == NULL || table->entry == NULL) {
		prefix_table_free(table);
		return NULL;
	}
	choose_multipliers(table, key);
	collect_lengths(table, given, n);
	fill(table, given, n);
	return table;
}

void
prefix_table_free(struct prefix_table *table)
{
	if (table == NULL)
		return;
	free(table->start);
	free(table->entry);
	free(table);
}

/* --- looking up --------------------------------------------------------- */

static const struct entry *
find(const struct prefix_table *table, uint32_t b, const struct key *key,
    unsigned len)
{
	const struct entry *entry = &table->entry[table->start[b]];
	const struct entry *end = &table->entry[table->start[b + 1]];

	for (; entry < end; entry++)
		if (entry->key.low == key->low &&
		    entry->key.high == key->high && entry->len == len)
			return entry;
	return NULL;
}

bool
prefix_table_find(const struct prefix_table *table, const struct addr *addr,
    uint32_t *ret)
{
	const struct key whole = key_of(addr);
	const struct length *length = table->length;
	const struct length *end = length + table->n_lengths;
	const struct entry *entry;
	struct key key;

	for (; length < end; length++) {
		key.high = whole.high & length->mask.high;
		key.low = whole.low & length->mask.low;
		entry = find(table, bucket_of(table, &key, length->start),
		    &key, length->len);
		if (entry != NULL) {
			*ret = entry->value;
			return true;
		}
	}
	return false;
}

bool
prefix_table_find_exact(const struct prefix_table *table,
    const struct prefix *prefix, uint32_t *ret)
{
	const struct entry *entry;
	struct key key;
	uint32_t b = bucket_of_prefix(table, prefix, &key);

	entry = find(table, b, &key, prefix->len);
	if (entry == NULL)
		return false;
	*ret = entry->value;
	return true;
}
