/* SPDX-License-Identifier: ISC */
#include "translate/address_map.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/addresses.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct siphash_key key = { { 3, 1, 4, 1, 5 } };

static struct eam
eam_of(const char *v4, const char *v6)
{
	return (struct eam) { prefix_of(v4), prefix_of(v6) };
}

static struct address_map *
map_of(const struct eam *eams, size_t n, const char *prefix)
{
	struct embedding embedding = { prefix_of(prefix),
		prefix_of("0.0.0.0/0"), true };
	struct address_map_problem problem;
	struct address_map *map = address_map_new(eams, n, &embedding, 1,
	    &key, &problem);

	cr_assert_not_null(map);
	return map;
}

static void
expect_pair(const struct address_map *map, const char *v4, const char *v6,
    enum address_found found)
{
	struct addr want = addr_of(v6), got6;
	uint32_t got4;

	cr_assert_eq(address_map_4to6(map, v4_of(v4), &got6), found, "%s",
	    v4);
	cr_assert(addr_equal(&got6, &want), "%s", v4);
	cr_assert_eq(address_map_6to4(map, &want, &got4), found, "%s", v6);
	cr_assert_eq(got4, v4_of(v4), "%s", v6);
}

/* RFC 7757 3.2 figure 1, appendix B figure 7. */
Test(address_map, translates_rfc_7757s_examples)
{
	const struct eam eams[] = {
		eam_of("192.0.2.1", "2001:db8:aaaa::"),
		eam_of("192.0.2.2/32", "2001:db8:bbbb::b/128"),
		eam_of("192.0.2.16/28", "2001:db8:cccc::/124"),
		eam_of("192.0.2.128/26", "2001:db8:dddd::/64"),
		eam_of("192.0.2.192/29", "2001:db8:eeee:8::/62"),
		eam_of("192.0.2.224/31", "64:ff9b::/127"),
	};
	static const char *const pairs[][2] = {
		{ "192.0.2.1", "2001:db8:aaaa::" },
		{ "192.0.2.2", "2001:db8:bbbb::b" },
		{ "192.0.2.16", "2001:db8:cccc::" },
		{ "192.0.2.24", "2001:db8:cccc::8" },
		{ "192.0.2.31", "2001:db8:cccc::f" },
		{ "192.0.2.128", "2001:db8:dddd::" },
		{ "192.0.2.152", "2001:db8:dddd:0:6000::" },
		{ "192.0.2.183", "2001:db8:dddd:0:dc00::" },
		{ "192.0.2.191", "2001:db8:dddd:0:fc00::" },
		{ "192.0.2.195", "2001:db8:eeee:9:8000::" },
		{ "192.0.2.225", "64:ff9b::1" },
	};
	struct address_map *map = map_of(eams, N(eams), "64:ff9b::/96");
	struct addr v6;
	size_t i;

	for (i = 0; i < N(pairs); i++) {
		expect_pair(map, pairs[i][0], pairs[i][1], ADDRESS_BY_EAM);
		cr_assert(address_map_has_eam4(map, v4_of(pairs[i][0])));
	}
	expect_pair(map, "192.0.2.248", "64:ff9b::c000:2f8",
	    ADDRESS_BY_PREFIX);
	cr_assert_not(address_map_has_eam4(map, v4_of("192.0.2.248")));
	/* Bits behind the IPv4 suffix are discarded (3.3.2). */
	v6 = addr_of("2001:db8:dddd:0:6123:4567:89ab:cdef");
	{
		uint32_t v4;

		cr_assert_eq(address_map_6to4(map, &v6, &v4),
		    ADDRESS_BY_EAM);
		cr_assert_eq(v4, v4_of("192.0.2.152"));
	}
	address_map_free(map);
}

/* Suffixes of each length, at each place. */
Test(address_map, puts_suffixes_of_all_lengths_in_all_places)
{
	struct address_map *map;
	struct eam eam = { .v4.addr = addr_of_v4(0) };
	unsigned len4, len6;
	uint32_t v4, got;
	struct addr v6;

	for (len4 = 0; len4 <= 32; len4++) {
		for (len6 = 0; len6 <= 96 + len4; len6++) {
			memset(&eam.v6, 0, sizeof(eam.v6));
			eam.v4.len = (uint8_t)(96 + len4);
			eam.v6.len = (uint8_t)len6;
			map = map_of(&eam, 1, "2001:db8::/96");
			v4 = len4 == 32 ? 0 : 0xa5c3e197 >> len4;
			cr_assert_eq(address_map_4to6(map, v4, &v6),
			    ADDRESS_BY_EAM);
			cr_assert(prefix_contains(&eam.v6, &v6));
			cr_assert_eq(address_map_6to4(map, &v6, &got),
			    ADDRESS_BY_EAM);
			cr_assert_eq(got, v4, "/%u and /%u", len4, len6);
			address_map_free(map);
		}
	}
}

Test(address_map, takes_overlaps_each_side_for_itself)
{
	/* RFC 7757 5, figure 2. */
	const struct eam eams[] = {
		eam_of("0.0.0.0/0", "2001:db8:ff00::/40"),
		eam_of("198.51.100.64/32", "2001:db8::abcd/128"),
	};
	struct address_map *map = map_of(eams, N(eams), "64:ff9b::/96");
	struct addr v6 = addr_of("2001:db8:ffc6:3364:4000::"), other;
	uint32_t v4;

	expect_pair(map, "198.51.100.64", "2001:db8::abcd", ADDRESS_BY_EAM);
	cr_assert_eq(address_map_6to4(map, &v6, &v4), ADDRESS_BY_EAM);
	cr_assert_eq(v4, v4_of("198.51.100.64"));
	cr_assert_eq(address_map_4to6(map, v4_of("198.51.100.65"), &other),
	    ADDRESS_BY_EAM);
	v6 = addr_of("2001:db8:ffc6:3364:4100::");
	cr_assert(addr_equal(&other, &v6));
	address_map_free(map);
}

Test(address_map, chooses_among_prefixes_by_range_and_length)
{
	const struct embedding embeddings[] = {
		{ prefix_of("2001:db8:64::/96"), prefix_of("0.0.0.0/0"),
		    false },
		{ prefix_of("2001:db8:65::/96"), prefix_of("10.0.0.0/8"),
		    false },
		{ prefix_of("2001:db8::/32"), prefix_of("10.1.0.0/16"),
		    false },
		{ prefix_of("2001:db8:66::/96"), prefix_of("0.0.0.0/0"),
		    false },
	};
	struct address_map_problem problem;
	struct address_map *map = address_map_new(NULL, 0, embeddings,
	    N(embeddings), &key, &problem);
	struct addr v6;
	uint32_t v4;

	cr_assert_not_null(map);
	expect_pair(map, "192.0.2.1", "2001:db8:64::192.0.2.1",
	    ADDRESS_BY_PREFIX);
	expect_pair(map, "10.2.3.4", "2001:db8:65::10.2.3.4",
	    ADDRESS_BY_PREFIX);
	expect_pair(map, "10.1.2.3", "2001:db8:a01:203::",
	    ADDRESS_BY_PREFIX);
	/* The second of equal ranges is read, if never written. */
	v6 = addr_of("2001:db8:66::192.0.2.1");
	cr_assert_eq(address_map_6to4(map, &v6, &v4), ADDRESS_BY_PREFIX);
	cr_assert_eq(v4, v4_of("192.0.2.1"));
	/* What is outside a prefix's range is refused. */
	v6 = addr_of("2001:db8:65::192.0.2.1");
	cr_assert_eq(address_map_6to4(map, &v6, &v4), ADDRESS_NOT_FOUND);
	v6 = addr_of("2001:db8:a02:203::");
	cr_assert_eq(address_map_6to4(map, &v6, &v4), ADDRESS_NOT_FOUND);
	v6 = addr_of("2001:db9::1");
	cr_assert_eq(address_map_6to4(map, &v6, &v4), ADDRESS_NOT_FOUND);
	address_map_free(map);
}

Test(address_map, keeps_non_global_addresses_out_of_the_well_known_prefix)
{
	struct embedding embedding = { prefix_of("64:ff9b::/96"),
		prefix_of("0.0.0.0/0"), false };
	struct addr v6 = addr_of("64:ff9b::10.0.0.1"), untouched = v6;
	struct eam eam = eam_of("10.0.0.7", "2001:db8::7");
	struct address_map_problem problem;
	struct address_map *map;
	uint32_t v4 = 7;

	map = address_map_new(&eam, 1, &embedding, 1, &key, &problem);
	cr_assert_not_null(map);
	cr_assert_eq(address_map_6to4(map, &v6, &v4), ADDRESS_NOT_GLOBAL);
	cr_assert_eq(v4, 7);
	cr_assert_eq(address_map_4to6(map, v4_of("10.0.0.1"), &v6),
	    ADDRESS_NOT_GLOBAL);
	cr_assert(addr_equal(&v6, &untouched));
	expect_pair(map, "8.8.8.8", "64:ff9b::8.8.8.8", ADDRESS_BY_PREFIX);
	/* Only the prefix is meant. */
	expect_pair(map, "10.0.0.7", "2001:db8::7", ADDRESS_BY_EAM);
	address_map_free(map);
	embedding.any = true;
	map = address_map_new(NULL, 0, &embedding, 1, &key, &problem);
	cr_assert_not_null(map);
	expect_pair(map, "10.0.0.1", "64:ff9b::10.0.0.1",
	    ADDRESS_BY_PREFIX);
	address_map_free(map);
}

Test(address_map, can_leave_out_the_eams)
{
	const struct eam eam = eam_of("192.0.2.1", "2001:db8::1");
	struct address_map *map = map_of(&eam, 1, "64:ff9b::/96");
	struct addr v6, want = addr_of("64:ff9b::192.0.2.1");

	cr_assert_eq(address_map_4to6_by_prefix(map, v4_of("192.0.2.1"),
	    &v6), ADDRESS_BY_PREFIX);
	cr_assert(addr_equal(&v6, &want));
	address_map_free(map);
}

Test(address_map, refuses_what_contradicts_itself)
{
	static const struct {
		const char *v4[2], *v6[2], *prefix[2], *range;
		struct address_map_problem want;
	} cases[] = {
		{ { "192.0.2.0/24", "192.0.2.0/24" },
		    { "2001:db8:1::/120", "2001:db8:2::/120" }, { 0 }, 0,
		    { ADDRESS_MAP_SAME_V4, 1, 0 } },
		{ { "192.0.2.1", "192.0.2.2" },
		    { "2001:db8::1", "2001:db8::1" }, { 0 }, 0,
		    { ADDRESS_MAP_SAME_V6, 1, 0 } },
		{ { "192.0.2.1", "192.0.2.0/24" },
		    { "2001:db8::1", "2001:db8::/121" }, { 0 }, 0,
		    { ADDRESS_MAP_SUFFIX, 1, 1 } },
		{ { "192.0.2.0/31", 0 }, { "2001:db8::1", 0 }, { 0 }, 0,
		    { ADDRESS_MAP_SUFFIX, 0, 0 } },
		{ { "2001:db8::1", 0 }, { "2001:db8::1", 0 }, { 0 }, 0,
		    { ADDRESS_MAP_FAMILY, 0, 0 } },
		{ { "192.0.2.1", 0 }, { "192.0.2.1", 0 }, { 0 }, 0,
		    { ADDRESS_MAP_FAMILY, 0, 0 } },
		{ { 0 }, { 0 }, { "2001:db8::/97", 0 }, "0.0.0.0/0",
		    { ADDRESS_MAP_EMBEDDING, 0, 0 } },
		{ { 0 }, { 0 }, { "2001:db8::/96", 0 }, "2001:db8::/32",
		    { ADDRESS_MAP_FAMILY, 0, 0 } },
		{ { 0 }, { 0 }, { "2001:db8::/96", "2001:db8::/96" },
		    "0.0.0.0/0", { ADDRESS_MAP_SAME_EMBEDDING, 1, 0 } },
	};
	struct address_map_problem problem;
	struct embedding embedding[2];
	size_t i, j, n_eams, n;
	struct eam eam[2];

	for (i = 0; i < N(cases); i++) {
		for (j = n_eams = n = 0; j < 2; j++) {
			if (cases[i].v4[j] != NULL)
				eam[n_eams++] = eam_of(cases[i].v4[j],
				    cases[i].v6[j]);
			if (cases[i].prefix[j] != NULL)
				embedding[n++] = (struct embedding) {
					prefix_of(cases[i].prefix[j]),
					prefix_of(cases[i].range), false };
		}
		cr_assert_null(address_map_new(eam, n_eams, embedding, n,
		    &key, &problem), "case %zu", i);
		cr_assert_eq(problem.error, cases[i].want.error,
		    "case %zu: %s", i, address_map_strerror(problem.error));
		cr_assert_eq(problem.index, cases[i].want.index, "%zu", i);
		cr_assert_eq(problem.first, cases[i].want.first, "%zu", i);
	}
}

Test(address_map, is_bounded)
{
	struct address_map_problem problem;
	const struct embedding embedding = { prefix_of("2001:db8::/96"),
		prefix_of("0.0.0.0/0"), false };
	const struct eam eam = eam_of("192.0.2.1", "2001:db8::1");

	cr_assert_null(address_map_new(&eam, ADDRESS_MAP_EAMS_MAX + 1, NULL,
	    0, &key, &problem));
	cr_assert_eq(problem.error, ADDRESS_MAP_FULL);
	cr_assert_null(address_map_new(NULL, 0, &embedding,
	    ADDRESS_MAP_PREFIXES_MAX + 1, &key, &problem));
	cr_assert_eq(problem.error, ADDRESS_MAP_FULL);
}

Test(address_map, can_be_empty)
{
	struct address_map_problem problem;
	struct address_map *map = address_map_new(NULL, 0, NULL, 0, &key,
	    &problem);
	struct addr v6 = addr_of("2001:db8::1");
	uint32_t v4;

	cr_assert_not_null(map);
	cr_assert_eq(address_map_4to6(map, 1, &v6), ADDRESS_NOT_FOUND);
	cr_assert_eq(address_map_6to4(map, &v6, &v4), ADDRESS_NOT_FOUND);
	address_map_free(map);
	address_map_free(NULL);
}
