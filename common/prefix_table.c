/* SPDX-License-Identifier: ISC */
#include "common/prefix_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { N_LENGTHS = 129, N_WORDS = 4 };

/* An address, or the prefix's part of it, as words in host order. */
struct key {
	uint32_t	word[N_WORDS];
};

struct entry {
	struct key	key;
	uint32_t	value;
	uint8_t		len;
};

/*
 * Entries lie sorted by bucket; bucket b is entry[start[b]] up to, but not
 * including, entry[start[b + 1]].
 */
struct prefix_table {
	uint64_t	 multiplier[N_WORDS + 2];
	unsigned	 n_lengths;
	uint8_t		 length[N_LENGTHS];	/* that occur, longest first */
	uint32_t	 mask;		/* buckets less one */
	uint32_t	*start;		/* owned */
	struct entry	*entry;		/* owned */
};

static uint32_t
word_of(const uint8_t *octet)
{
	return (uint32_t)octet[0] << 24 | (uint32_t)octet[1] << 16 |
	    (uint32_t)octet[2] << 8 | octet[3];
}

static struct key
key_of(const struct addr *addr)
{
	struct key key;
	unsigned i;

	for (i = 0; i < N_WORDS; i++)
		key.word[i] = word_of(addr->octet + 4 * i);
	return key;
}

/* The key with only its first `len` bits. */
static struct key
key_cut(struct key key, unsigned len)
{
	unsigned i;

	for (i = 0; i < N_WORDS; i++) {
		if (len >= 32 * (i + 1))
			continue;
		if (len <= 32 * i)
			key.word[i] = 0;
		else
			key.word[i] &= ~(UINT32_MAX >> (len - 32 * i));
	}
	return key;
}

static bool
key_equal(const struct key *a, const struct key *b)
{
	return ((a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) |
	    (a->word[2] ^ b->word[2]) | (a->word[3] ^ b->word[3])) == 0;
}

/*
 * Multiply-shift over the words and the length: two keys share a bucket with
 * probability 2/buckets over the random multipliers.
 */
static uint32_t
bucket_of(const struct prefix_table *table, const struct key *key,
    unsigned len)
{
	const uint64_t *m = table->multiplier;

	return (uint32_t)((m[0] + m[1] * len + m[2] * key->word[0] +
	    m[3] * key->word[1] + m[4] * key->word[2] +
	    m[5] * key->word[3]) >> 32) & table->mask;
}

/* --- building ----------------------------------------------------------- */

static void
choose_multipliers(struct prefix_table *table, const struct siphash_key *key)
{
	uint8_t i;

	for (i = 0; i < N_WORDS + 2; i++)
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
			table->length[table->n_lengths++] = (uint8_t)len;
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

	for (i = 0; i < n; i++) {
		key = key_of(&given[i].prefix.addr);
		table->start[bucket_of(table, &key, given[i].prefix.len)]++;
	}
	for (b = 0; b <= table->mask; b++) {
		sum += table->start[b];
		table->start[b] = sum;
	}
	table->start[b] = sum;
	for (i = n; i-- > 0;) {
		key = key_of(&given[i].prefix.addr);
		b = bucket_of(table, &key, given[i].prefix.len);
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
probe(const struct prefix_table *table, const struct key *key, unsigned len)
{
	uint32_t b = bucket_of(table, key, len), i;
	const struct entry *entry;

	for (i = table->start[b]; i < table->start[b + 1]; i++) {
		entry = &table->entry[i];
		if (entry->len == len && key_equal(&entry->key, key))
			return entry;
	}
	return NULL;
}

bool
prefix_table_find(const struct prefix_table *table, const struct addr *addr,
    uint32_t *ret)
{
	struct key key = key_of(addr);
	const struct entry *entry;
	unsigned i;

	for (i = 0; i < table->n_lengths; i++) {
		/* Shorter and shorter, so that cutting again is enough. */
		key = key_cut(key, table->length[i]);
		entry = probe(table, &key, table->length[i]);
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
	const struct key key = key_of(&prefix->addr);
	const struct entry *entry = probe(table, &key, prefix->len);

	if (entry == NULL)
		return false;
	*ret = entry->value;
	return true;
}
