/* SPDX-License-Identifier: ISC */
#include "common/rfc6052.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/lib/addresses.h"

/* RFC 6052 2.4, tables 1 and 2. */
static const struct {
	const char *prefix, *v6;
} table[] = {
	{ "2001:db8::/32", "2001:db8:c000:221::" },
	{ "2001:db8:100::/40", "2001:db8:1c0:2:21::" },
	{ "2001:db8:122::/48", "2001:db8:122:c000:2:2100::" },
	{ "2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::" },
	{ "2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::" },
	{ "2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33" },
	{ "64:ff9b::/96", "64:ff9b::192.0.2.33" },
};

Test(rfc6052, embeds_and_extracts_as_the_table_says)
{
	struct prefix prefix;
	struct addr v6, got;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		prefix = prefix_of(table[i].prefix);
		cr_assert(addr_parse(table[i].v6, strlen(table[i].v6), &v6));
		got = rfc6052_embed(&prefix, v4_of("192.0.2.33"));
		cr_assert(addr_equal(&got, &v6), "%s", table[i].prefix);
		cr_assert_eq(rfc6052_extract(&v6, prefix.len),
		    v4_of("192.0.2.33"), "%s", table[i].prefix);
	}
}

/* 2.2: the suffix is ignored, and so is octet u. */
Test(rfc6052, extracts_whatever_the_reserved_bits)
{
	struct prefix prefix;
	struct addr v6;
	size_t i, at;
	unsigned len;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		prefix = prefix_of(table[i].prefix);
		len = prefix.len;
		v6 = rfc6052_embed(&prefix, 0x01020304);
		if (len < 96)
			v6.octet[8] = 0xff;
		for (at = len / 8 + 5; len < 96 && at < 16; at++)
			v6.octet[at] = 0xff;
		cr_assert_eq(rfc6052_extract(&v6, len), 0x01020304, "%u",
		    len);
	}
}

Test(rfc6052, takes_six_lengths_of_prefix)
{
	static const struct {
		const char *prefix;
		enum rfc6052_error error;
	} cases[] = {
		{ "2001:db8::/32", RFC6052_OK },
		{ "2001:db8::/40", RFC6052_OK },
		{ "2001:db8::/48", RFC6052_OK },
		{ "2001:db8::/56", RFC6052_OK },
		{ "2001:db8::/64", RFC6052_OK },
		{ "2001:db8::/96", RFC6052_OK },
		{ "64:ff9b::/96", RFC6052_OK },
		{ "2001:db8::/33", RFC6052_LENGTH },
		{ "2001:db8::/72", RFC6052_LENGTH },
		{ "2001:db8::/95", RFC6052_LENGTH },
		{ "2001:db8::/97", RFC6052_LENGTH },
		{ "2001:db8::/128", RFC6052_LENGTH },
		{ "::/0", RFC6052_LENGTH },
		{ "2001:db8:0:0:100::/96", RFC6052_U_OCTET },
		{ "2001:db8:0:0:ff::/96", RFC6052_OK },
		{ "0.0.0.0/0", RFC6052_V4 },
		{ "192.0.2.0/24", RFC6052_V4 },
	};
	struct prefix prefix;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		prefix = prefix_of(cases[i].prefix);
		cr_assert_eq(rfc6052_check(&prefix), cases[i].error, "%s: %s",
		    cases[i].prefix, rfc6052_strerror(rfc6052_check(&prefix)));
	}
}

Test(rfc6052, knows_the_well_known_prefix)
{
	static const char *const others[] = { "64:ff9b:1::/96",
		"64:ff9b::/64", "64:ff9b:0:0:0:1::/96" };
	struct prefix prefix = prefix_of("64:ff9b::/96");
	size_t i;

	cr_assert(rfc6052_is_well_known(&prefix));
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		prefix = prefix_of(others[i]);
		cr_assert_not(rfc6052_is_well_known(&prefix), "%s",
		    others[i]);
	}
}

/* Each range of RFC 1918, RFC 5735 3 and RFC 6598, and its neighbours. */
Test(rfc6052, tells_global_addresses)
{
	static const struct {
		const char *first, *last;
	} ranges[] = {
		{ "0.0.0.0", "0.255.255.255" },
		{ "10.0.0.0", "10.255.255.255" },
		{ "100.64.0.0", "100.127.255.255" },
		{ "127.0.0.0", "127.255.255.255" },
		{ "169.254.0.0", "169.254.255.255" },
		{ "172.16.0.0", "172.31.255.255" },
		{ "192.0.0.0", "192.0.0.255" },
		{ "192.0.2.0", "192.0.2.255" },
		{ "192.88.99.0", "192.88.99.255" },
		{ "192.168.0.0", "192.168.255.255" },
		{ "198.18.0.0", "198.19.255.255" },
		{ "198.51.100.0", "198.51.100.255" },
		{ "203.0.113.0", "203.0.113.255" },
		{ "224.0.0.0", "255.255.255.255" },
	};
	uint32_t first, last;
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		first = v4_of(ranges[i].first);
		last = v4_of(ranges[i].last);
		cr_assert_not(rfc6052_is_global(first), "%s",
		    ranges[i].first);
		cr_assert_not(rfc6052_is_global(last), "%s", ranges[i].last);
		cr_assert(first == 0 || rfc6052_is_global(first - 1));
		cr_assert(last == UINT32_MAX || rfc6052_is_global(last + 1));
	}
	cr_assert(rfc6052_is_global(v4_of("8.8.8.8")));
}
