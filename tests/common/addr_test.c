/* SPDX-License-Identifier: ISC */
#include "common/addr.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "tests/lib/addresses.h"
#include "tests/lib/hostile.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

Test(addr, an_ipv6_literal_becomes_its_octets)
{
	static const uint8_t octets[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0xaa, 0x64 };
	struct addr addr = addr_of("2001:DB8::aa64");

	cr_assert_arr_eq(addr.octet, octets, 16);
	cr_assert_not(addr_is_v4(&addr));
}

Test(addr, ipv4_is_held_v4_mapped)
{
	static const uint8_t octets[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0xff, 0xff, 192, 0, 2, 1 };
	struct addr v4 = addr_of("192.0.2.1");
	struct addr mapped = addr_of("::ffff:192.0.2.1");

	cr_assert_arr_eq(v4.octet, octets, 16);
	cr_assert(addr_is_v4(&v4));
	cr_assert(addr_equal(&v4, &mapped));
}

Test(addr, an_ipv4_address_is_an_integer_too)
{
	struct addr v4 = addr_of("192.0.2.1"), made = addr_of_v4(0xc0000201);

	cr_assert(addr_equal(&v4, &made));
	cr_assert_eq(addr_to_v4(&v4), 0xc0000201);
	made = addr_of_v4(0xffffffff);
	cr_assert_eq(addr_to_v4(&made), 0xffffffff);
}

Test(addr, what_is_no_literal_is_refused_and_changes_nothing)
{
	static const char *const bad[] = { "", " ", "1", "1.2.3", "1.2.3.4.5",
		"1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "0x7f.0.0.1",
		"127.1", "1.2.3.4/8", ":", ":::", "1::2::3", "12345::",
		"1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
		"::g", "[::1]", "::1%lo", "fe80::1%1", "::1.2.3", "::1 ",
		"::1.2.3.4:5", "host", "1.2.3.4:80",
		/* one octet more than the longest literal */
		"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2550" };
	struct addr addr, before;
	size_t i;

	memset(&before, 0xa5, sizeof(before));
	for (i = 0; i < N(bad); i++) {
		addr = before;
		cr_assert_not(addr_parse(bad[i], strlen(bad[i]), &addr), "%s",
		    bad[i]);
		cr_assert(addr_equal(&addr, &before), "%s", bad[i]);
	}
}

Test(addr, the_length_and_not_a_nul_ends_the_text)
{
	struct addr addr, one = addr_of("::1");

	cr_assert(addr_parse("::1234", 3, &addr));
	cr_assert(addr_equal(&addr, &one));
	cr_assert_not(addr_parse("::1\0", 4, &addr));
	cr_assert_not(addr_parse("::1\0::1", 7, &addr));
	cr_assert_not(addr_parse("\0::1", 4, &addr));
	cr_assert_not(addr_parse(NULL, 0, &addr));
}

Test(addr, the_longest_literal_is_read)
{
	static const char longest[] =
	    "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255";
	struct addr addr = addr_of(longest);
	char out[ADDR_TEXT_MAX];

	cr_assert_eq(strlen(longest), ADDR_TEXT_MAX - 1);
	cr_assert_str_eq(addr_format(&addr, out),
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

Test(addr, text_is_the_one_of_rfc_5952)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "0:0:0:0:0:0:0:0", "::" },
		{ "0:0:0:0:0:0:0:1", "::1" },
		{ "1:0:0:0:0:0:0:0", "1::" },
		{ "0:1:0:0:0:0:0:0", "0:1::" },
		{ "0:0:0:0:0:0:1:0", "::1:0" },
		{ "2001:0DB8::0001", "2001:db8::1" },
		{ "2001:db8:0:0:0:0:2:1", "2001:db8::2:1" },
		/* 4.2.2: one zero group is not shortened */
		{ "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		/* 4.2.3: the longest run, of equals the first */
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "0:0:1:0:0:1:0:0", "::1:0:0:1:0:0" },
		{ "1:0:0:2:3:0:0:0", "1:0:0:2:3::" },
		/* glibc writes these with a dotted quad */
		{ "::1.2.3.4", "::102:304" },
		{ "::ffff:0:1.2.3.4", "::ffff:0:102:304" },
		{ "64:ff9b::192.0.2.1", "64:ff9b::c000:201" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "::fffe:1.2.3.4", "::fffe:102:304" },
	};
	char out[ADDR_TEXT_MAX];
	struct addr addr;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		addr = addr_of(cases[i].in);
		cr_assert_str_eq(addr_format(&addr, out), cases[i].out, "%s",
		    cases[i].in);
	}
}

Test(addr, text_reads_back_as_the_same_address_for_every_zero_pattern)
{
	char out[ADDR_TEXT_MAX];
	struct addr addr, back;
	unsigned pattern, i;

	for (pattern = 0; pattern < 256; pattern++) {
		memset(&addr, 0, sizeof(addr));
		for (i = 0; i < 8; i++)
			addr.octet[2 * i + 1] = (uint8_t)(pattern >> i & 1);
		back = addr_of(addr_format(&addr, out));
		cr_assert(addr_equal(&addr, &back), "%s", out);
		cr_assert_null(strstr(out, ":::"), "%s", out);
	}
}

/* inet_pton reads independently of addr_parse, and knows all of RFC 4291. */
Test(addr, text_of_random_groups_is_read_alike_by_inet_pton)
{
	char out[ADDR_TEXT_MAX];
	uint8_t back[16];
	struct addr addr;
	unsigned i, bit;
	uint32_t seed = 1;

	for (i = 0; i < 256 * 64; i++) {
		memset(&addr, 0, sizeof(addr));
		for (bit = 0; bit < 128; bit++) {
			seed = seed * 1664525 + 1013904223;
			if ((i >> bit / 16 & 1) != 0 && seed >> 30 == 0)
				addr.octet[bit / 8] |= (uint8_t)(1 << bit % 8);
		}
		addr_format(&addr, out);
		if (addr_is_v4(&addr))
			continue;	/* a dotted quad */
		cr_assert_eq(inet_pton(AF_INET6, out, back), 1, "%s", out);
		cr_assert_arr_eq(back, addr.octet, 16, "%s", out);
		cr_assert_null(strpbrk(out, "ABCDEF."), "%s", out);
	}
}

Test(addr, an_endpoint_is_written_with_its_port)
{
	struct endpoint v6 = { addr_of("2001:db8::1"), 443 };
	struct endpoint v4 = { addr_of("192.0.2.1"), 0 };
	struct endpoint longest = { addr_of(
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 65535 };
	char out[ENDPOINT_TEXT_MAX];

	cr_assert_str_eq(endpoint_format(&v6, out), "[2001:db8::1]:443");
	cr_assert_str_eq(endpoint_format(&v4, out), "192.0.2.1:0");
	cr_assert_str_eq(endpoint_format(&longest, out),
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

Test(addr, endpoints_are_equal_in_address_and_port)
{
	struct endpoint a = { addr_of("2001:db8::1"), 443 }, b = a;

	cr_assert(endpoint_equal(&a, &b));
	b.port = 80;
	cr_assert_not(endpoint_equal(&a, &b));
	b = a;
	b.addr.octet[15] = 2;
	cr_assert_not(endpoint_equal(&a, &b));
	b = a;
	b.addr.octet[0] ^= 1;
	cr_assert_not(endpoint_equal(&a, &b));
}

static void
read_hostile(const uint8_t *bytes, size_t len, void *arg)
{
	char out[ADDR_TEXT_MAX];
	struct addr addr, back;

	(void)arg;
	if (!addr_parse((const char *)bytes, len, &addr))
		return;
	back = addr_of(addr_format(&addr, out));
	cr_assert(addr_equal(&addr, &back), "%s", out);
}

Test(addr, survives_every_cut_and_bit_flip)
{
	static const char *const good[] = { "2001:db8:0:1::aa64",
		"192.0.2.255", "::ffff:192.0.2.1" };
	size_t i;

	for (i = 0; i < N(good); i++) {
		hostile_cuts(good[i], strlen(good[i]), read_hostile, NULL);
		hostile_bit_flips(good[i], strlen(good[i]), read_hostile,
		    NULL);
	}
}
