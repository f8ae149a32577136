/* SPDX-License-Identifier: ISC */
#include "common/prefix_table.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/addresses.h"

static const struct siphash_key key = { { 9, 8, 7 } };

Test(prefix_table, finds_the_longest_prefix)
{
	const struct prefix_table_entry entries[] = {
		{ prefix_of("2001:db8::/32"), 1 },
		{ prefix_of("2001:db8:1::/48"), 2 },
		{ prefix_of("2001:db8:1::1"), 3 },
		{ prefix_of("2001:db8:1:2::/63"), 4 },
	};
	static const struct {
		const char *addr;
		uint32_t value;		/* 0: none */
	} cases[] = {
		{ "2001:db8::", 1 },
		{ "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 1 },
		{ "2001:db8:1::", 2 },
		{ "2001:db8:1::1", 3 },
		{ "2001:db8:1::2", 2 },
		{ "2001:db8:1:2::", 4 },
		{ "2001:db8:1:3:ffff::", 4 },
		{ "2001:db8:1:4::", 2 },
		{ "2001:db9::", 0 },
		{ "2001:db7:ffff:ffff::", 0 },
		{ "::", 0 },
	};
	struct prefix_table *table = prefix_table_new(entries, 4, &key);
	struct addr a;
	uint32_t value;
	size_t i;

	cr_assert_not_null(table);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		a = addr_of(cases[i].addr);
		value = 99;
		cr_assert_eq(prefix_table_find(table, &a, &value),
		    cases[i].value != 0, "%s", cases[i].addr);
		cr_assert_eq(value, cases[i].value != 0 ? cases[i].value : 99,
		    "%s: %u", cases[i].addr, value);
	}
	prefix_table_free(table);
}

Test(prefix_table, holds_ipv4_prefixes_of_all_lengths)
{
	const struct prefix_table_entry entries[] = {
		{ prefix_of("0.0.0.0/0"), 1 },
		{ prefix_of("192.0.2.0/24"), 2 },
		{ prefix_of("192.0.2.128/25"), 3 },
		{ prefix_of("192.0.2.200"), 4 },
	};
	static const struct {
		const char *addr;
		uint32_t value;
	} cases[] = {
		{ "8.8.8.8", 1 }, { "192.0.2.127", 2 }, { "192.0.2.128", 3 },
		{ "192.0.2.200", 4 }, { "192.0.2.201", 3 },
		{ "192.0.3.0", 1 },
	};
	struct prefix_table *table = prefix_table_new(entries, 4, &key);
	struct addr v6 = addr_of("2001:db8::1"), a;
	uint32_t value;
	size_t i;

	cr_assert_not_null(table);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		a = addr_of(cases[i].addr);
		cr_assert(prefix_table_find(table, &a, &value));
		cr_assert_eq(value, cases[i].value, "%s", cases[i].addr);
	}
	cr_assert_not(prefix_table_find(table, &v6, &value));
	prefix_table_free(table);
}

Test(prefix_table, keeps_the_first_of_equals)
{
	const struct prefix_table_entry entries[] = {
		{ prefix_of("2001:db8::/32"), 7 },
		{ prefix_of("2001:db8::/33"), 8 },
		{ prefix_of("2001:db8::/32"), 9 },
	};
	struct prefix_table *table = prefix_table_new(entries, 3, &key);
	uint32_t value;

	cr_assert_not_null(table);
	cr_assert(prefix_table_find_exact(table, &entries[2].prefix, &value));
	cr_assert_eq(value, 7);
	cr_assert(prefix_table_find_exact(table, &entries[1].prefix, &value));
	cr_assert_eq(value, 8);
	prefix_table_free(table);
}

Test(prefix_table, can_be_empty)
{
	struct prefix_table *table = prefix_table_new(NULL, 0, &key);
	const struct prefix all = prefix_of("::/0");
	uint32_t value;

	cr_assert_not_null(table);
	cr_assert_not(prefix_table_find(table, &all.addr, &value));
	cr_assert_not(prefix_table_find_exact(table, &all, &value));
	prefix_table_free(table);
	prefix_table_free(NULL);
}

/* --- against looking at each --------------------------------------------- */

static uint32_t
chance(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1;
	return (uint32_t)(*state >> 33);
}

/* A prefix among so few that many hold one another. */
static struct prefix
random_prefix(uint64_t *state)
{
	struct prefix p = { .len = (uint8_t)(chance(state) % 129) };
	unsigned i;

	for (i = 0; i < 16; i++)
		p.addr.octet[i] = chance(state) % 4 == 0 ? 0x80 : 0;
	for (i = p.len; i < 128; i++)
		p.addr.octet[i / 8] &= (uint8_t)~(0x80u >> i % 8);
	return p;
}

static const struct prefix_table_entry *
find_slowly(const struct prefix_table_entry *entries, size_t n,
    const struct addr *a)
{
	const struct prefix_table_entry *best = NULL;
	size_t i;

	for (i = 0; i < n; i++)
		if (prefix_contains(&entries[i].prefix, a) && (best == NULL ||
		    entries[i].prefix.len > best->prefix.len))
			best = &entries[i];
	return best;
}

Test(prefix_table, agrees_with_looking_at_each)
{
	enum { N = 300, LOOKUPS = 5000 };
	const struct prefix_table_entry *want;
	struct prefix_table_entry entries[N];
	struct prefix_table *table;
	uint64_t state = 1;
	struct addr a;
	uint32_t value;
	unsigned i;

	for (i = 0; i < N; i++) {
		entries[i].prefix = random_prefix(&state);
		entries[i].value = i;
	}
	table = prefix_table_new(entries, N, &key);
	cr_assert_not_null(table);
	for (i = 0; i < LOOKUPS; i++) {
		a = random_prefix(&state).addr;
		want = find_slowly(entries, N, &a);
		cr_assert_eq(prefix_table_find(table, &a, &value),
		    want != NULL);
		cr_assert(want == NULL || value == want->value);
	}
	prefix_table_free(table);
}

Test(prefix_table, holds_hundreds_of_thousands)
{
	enum { N = 300000 };
	struct prefix_table_entry *entries = calloc(N, sizeof(*entries));
	struct prefix_table *table;
	uint32_t value, i;

	cr_assert_not_null(entries);
	for (i = 0; i < N; i++) {
		entries[i].prefix.addr = addr_of_v4(i);
		entries[i].prefix.len = 128;
		entries[i].value = i;
	}
	table = prefix_table_new(entries, N, &key);
	cr_assert_not_null(table);
	for (i = 0; i < N; i++) {
		cr_assert(prefix_table_find(table, &entries[i].prefix.addr,
		    &value));
		cr_assert_eq(value, i);
	}
	prefix_table_free(table);
	free(entries);
}
