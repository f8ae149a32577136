/* SPDX-License-Identifier: ISC */
#include "translate/address_map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/prefix_table.h"
#include "common/rfc6052.h"
#include "translate/bits.h"

enum { V4_MAPPED = 96 };	/* IPv4 prefixes are held as 96 + n bits */

/*
 * An EAM ready for use: the IPv4 suffix stands `shift` bits above the end of
 * the IPv6 address, right behind the prefix.
 */
struct pair {
	struct bits	v6;
	uint32_t	v4;
	uint32_t	suffix;		/* mask of the IPv4 suffix bits */
	uint8_t		shift;		/* 0-128 */
};

struct rule {	/* an embedding ready for use */
	struct prefix	prefix;
	struct bits	mask;
	struct bits	value;
	uint32_t	range_mask, range;
	bool		only_global;
};

struct address_map {
	struct pair	*pair;		/* owned */
	struct prefix_table *by_v4;	/* owned; values are indices of pair */
	struct prefix_table *by_v6;	/* owned; likewise */
	size_t		 n_rules;
	/* Both with the longest first. */
	struct rule	 by_prefix[ADDRESS_MAP_PREFIXES_MAX];
	struct rule	 by_range[ADDRESS_MAP_PREFIXES_MAX];
};

static uint32_t
mask_v4(unsigned len)
{
	return len == 0 ? 0 : UINT32_MAX << (32 - len);
}

/* --- building ----------------------------------------------------------- */

static bool
is_v4_prefix(const struct prefix *prefix)
{
	return prefix->len >= V4_MAPPED && addr_is_v4(&prefix->addr);
}

static enum address_map_error
check_eam(const struct eam *eam)
{
	if (!is_v4_prefix(&eam->v4) || is_v4_prefix(&eam->v6))
		return ADDRESS_MAP_FAMILY;
	/* Both hold 128 bits, so prefix lengths compare as suffixes do. */
	if (eam->v4.len < eam->v6.len)
		return ADDRESS_MAP_SUFFIX;
	return ADDRESS_MAP_OK;
}

static struct pair
pair_of(const struct eam *eam)
{
	return (struct pair) {
		.v6 = bits_of(&eam->v6.addr),
		.v4 = addr_to_v4(&eam->v4.addr),
		.suffix = ~mask_v4(eam->v4.len - V4_MAPPED),
		.shift = (uint8_t)(eam->v4.len - eam->v6.len)
	};
}

static struct rule
rule_of(const struct embedding *e)
{
	struct rule rule = {
		.prefix = e->prefix,
		.value = bits_of(&e->prefix.addr),
		.range_mask = mask_v4(e->range.len - V4_MAPPED),
		.range = addr_to_v4(&e->range.addr),
		.only_global = !e->any && rfc6052_is_well_known(&e->prefix)
	};
	unsigned len = e->prefix.len;

	rule.mask.high = len >= 64 ? UINT64_MAX : UINT64_MAX << (64 - len);
	rule.mask.low = len > 64 ? UINT64_MAX << (128 - len) : 0;
	return rule;
}

/* Put the rule behind those that are as long or longer. */
static void
insert_rule(struct rule *rules, size_t n, const struct rule *rule,
    bool (*longer)(const struct rule *, const struct rule *))
{
	size_t i;

	for (i = n; i > 0 && longer(rule, &rules[i - 1]); i--)
		rules[i] = rules[i - 1];
	rules[i] = *rule;
}

static bool
prefix_longer(const struct rule *a, const struct rule *b)
{
	return a->prefix.len > b->prefix.len;
}

static bool
range_longer(const struct rule *a, const struct rule *b)
{
	return a->range_mask > b->range_mask;
}

static bool
same_prefix(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && addr_equal(&a->addr, &b->addr);
}

/* Returns false with *problem set. */
static bool
fail(struct address_map_problem *problem, enum address_map_error error,
    size_t index, size_t first)
{
	*problem = (struct address_map_problem) { error, index, first };
	return false;
}

static bool
add_embeddings(struct address_map *map, const struct embedding *e, size_t n,
    struct address_map_problem *problem)
{
	struct rule rule;
	size_t i, j;

	for (i = 0; i < n; i++) {
		if (rfc6052_check(&e[i].prefix) != RFC6052_OK)
			return fail(problem, ADDRESS_MAP_EMBEDDING, i, i);
		if (!is_v4_prefix(&e[i].range))
			return fail(problem, ADDRESS_MAP_FAMILY, i, i);
		for (j = 0; j < i; j++)
			if (same_prefix(&e[i].prefix, &e[j].prefix))
				return fail(problem,
				    ADDRESS_MAP_SAME_EMBEDDING, i, j);
		rule = rule_of(&e[i]);
		insert_rule(map->by_prefix, i, &rule, prefix_longer);
		insert_rule(map->by_range, i, &rule, range_longer);
	}
	map->n_rules = n;
	return true;
}

/* The first of two equal prefixes, of which the table holds the first. */
static bool
check_twice(const struct prefix_table *table,
    const struct prefix_table_entry *entry, size_t n,
    enum address_map_error error, struct address_map_problem *problem)
{
	uint32_t first;
	size_t i;

	for (i = 0; i < n; i++)
		if (prefix_table_find_exact(table, &entry[i].prefix, &first) &&
		    first != i)
			return fail(problem, error, i, first);
	return true;
}

static bool
add_eams(struct address_map *map, const struct eam *eam, size_t n,
    struct prefix_table_entry *entry, const struct siphash_key *key,
    struct address_map_problem *problem)
{
	enum address_map_error error;
	size_t i;

	for (i = 0; i < n; i++) {
		error = check_eam(&eam[i]);
		if (error != ADDRESS_MAP_OK)
			return fail(problem, error, i, i);
		map->pair[i] = pair_of(&eam[i]);
		entry[i].prefix = eam[i].v4;
		entry[i].value = (uint32_t)i;
	}
	map->by_v4 = prefix_table_new(entry, n, key);
	if (map->by_v4 == NULL)
		return fail(problem, ADDRESS_MAP_NO_MEMORY, 0, 0);
	if (!check_twice(map->by_v4, entry, n, ADDRESS_MAP_SAME_V4, problem))
		return false;
	for (i = 0; i < n; i++)
		entry[i].prefix = eam[i].v6;
	map->by_v6 = prefix_table_new(entry, n, key);
	if (map->by_v6 == NULL)
		return fail(problem, ADDRESS_MAP_NO_MEMORY, 0, 0);
	return check_twice(map->by_v6, entry, n, ADDRESS_MAP_SAME_V6, problem);
}

struct address_map *
address_map_new(const struct eam *eam, size_t n_eams,
    const struct embedding *embedding, size_t n_embeddings,
    const struct siphash_key *key, struct address_map_problem *problem)
{
	struct prefix_table_entry *entry;
	struct address_map *map;
	bool good;

	if (n_eams > ADDRESS_MAP_EAMS_MAX ||
	    n_embeddings > ADDRESS_MAP_PREFIXES_MAX) {
		fail(problem, ADDRESS_MAP_FULL, 0, 0);
		return NULL;
	}
	map = calloc(1, sizeof(*map));
	entry = calloc(n_eams + 1, sizeof(*entry));
	if (map != NULL)
		map->pair = calloc(n_eams + 1, sizeof(*map->pair));
	if (map == NULL || entry == NULL || map->pair == NULL)
		good = fail(problem, ADDRESS_MAP_NO_MEMORY, 0, 0);
	else
		good = add_embeddings(map, embedding, n_embeddings, problem) &&
		    add_eams(map, eam, n_eams, entry, key, problem);
	free(entry);
	if (good)
		return map;
	address_map_free(map);
	return NULL;
}

void
address_map_free(struct address_map *map)
{
	if (map == NULL)
		return;
	prefix_table_free(map->by_v6);
	prefix_table_free(map->by_v4);
	free(map->pair);
	free(map);
}

const char *
address_map_strerror(enum address_map_error error)
{
	switch (error) {
	case ADDRESS_MAP_OK:
		return "nothing is wrong";
	case ADDRESS_MAP_NO_MEMORY:
		return "out of memory";
	case ADDRESS_MAP_FULL:
		return "too many mappings or prefixes";
	case ADDRESS_MAP_FAMILY:
		return "is not of the family it must be";
	case ADDRESS_MAP_SUFFIX:
		return "has more IPv4 addresses than IPv6 ones";
	case ADDRESS_MAP_SAME_V4:
		return "has the same IPv4 prefix as";
	case ADDRESS_MAP_SAME_V6:
		return "has the same IPv6 prefix as";
	case ADDRESS_MAP_EMBEDDING:
		return "cannot have IPv4 addresses behind it";
	case ADDRESS_MAP_SAME_EMBEDDING:
		return "is the same prefix as";
	}
	assert(false);
	return NULL;
}

/* --- looking up --------------------------------------------------------- */

enum address_found
address_map_4to6_by_prefix(const struct address_map *map, uint32_t v4,
    struct addr *ret)
{
	const struct rule *rule;
	size_t i;

	for (i = 0; i < map->n_rules; i++) {
		rule = &map->by_range[i];
		if ((v4 & rule->range_mask) != rule->range)
			continue;
		if (rule->only_global && !rfc6052_is_global(v4))
			return ADDRESS_NOT_GLOBAL;
		*ret = rfc6052_embed(&rule->prefix, v4);
		return ADDRESS_BY_PREFIX;
	}
	return ADDRESS_NOT_FOUND;
}

enum address_found
address_map_4to6(const struct address_map *map, uint32_t v4,
    struct addr *ret)
{
	const struct addr key = addr_of_v4(v4);
	const struct pair *pair;
	struct bits suffix;
	uint32_t i;

	if (!prefix_table_find(map->by_v4, &key, &i))
		return address_map_4to6_by_prefix(map, v4, ret);
	pair = &map->pair[i];
	suffix = bits_shift_left(v4 & pair->suffix, pair->shift);
	*ret = bits_addr((struct bits) { pair->v6.high | suffix.high,
	    pair->v6.low | suffix.low });
	return ADDRESS_BY_EAM;
}

static enum address_found
extract(const struct address_map *map, const struct addr *v6, uint32_t *ret)
{
	const struct bits bits = bits_of(v6);
	const struct rule *rule;
	uint32_t v4;
	size_t i;

	for (i = 0; i < map->n_rules; i++) {
		rule = &map->by_prefix[i];
		if ((bits.high & rule->mask.high) != rule->value.high ||
		    (bits.low & rule->mask.low) != rule->value.low)
			continue;
		v4 = rfc6052_extract(v6, rule->prefix.len);
		if ((v4 & rule->range_mask) != rule->range)
			return ADDRESS_NOT_FOUND;
		if (rule->only_global && !rfc6052_is_global(v4))
			return ADDRESS_NOT_GLOBAL;
		*ret = v4;
		return ADDRESS_BY_PREFIX;
	}
	return ADDRESS_NOT_FOUND;
}

enum address_found
address_map_6to4(const struct address_map *map, const struct addr *v6,
    uint32_t *ret)
{
	const struct pair *pair;
	uint32_t i;

	if (!prefix_table_find(map->by_v6, v6, &i))
		return extract(map, v6, ret);
	pair = &map->pair[i];
	*ret = pair->v4 | (bits_shift_right(bits_of(v6), pair->shift) &
	    pair->suffix);
	return ADDRESS_BY_EAM;
}

bool
address_map_has_eam4(const struct address_map *map, uint32_t v4)
{
	const struct addr key = addr_of_v4(v4);
	uint32_t i;

	return prefix_table_find(map->by_v4, &key, &i);
}
