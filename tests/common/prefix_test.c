/* SPDX-License-Identifier: ISC */
#include "common/prefix.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/addresses.h"
#include "tests/lib/hostile.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

Test(prefix, is_read_and_written)
{
	static const struct {
		const char	*in, *out;
		unsigned	 len;
	} cases[] = {
		{ "2001:db8::/32", "2001:db8::/32", 32 },
		{ "::/0", "::/0", 0 },
		{ "2001:db8::1", "2001:db8::1/128", 128 },
		{ "2001:db8::1/128", "2001:db8::1/128", 128 },
		{ "2001:db8::/33", "2001:db8::/33", 33 },
		{ "2001:db8:8000::/33", "2001:db8:8000::/33", 33 },
		{ "8000::/1", "8000::/1", 1 },
		{ "192.0.2.0/24", "192.0.2.0/24", 120 },
		{ "192.0.2.1", "192.0.2.1/32", 128 },
		{ "0.0.0.0/0", "0.0.0.0/0", 96 },
		{ "::ffff:0:0/96", "0.0.0.0/0", 96 },
		{ "::ffff:192.0.2.0/120", "192.0.2.0/24", 120 },
		{ "64:ff9b::/96", "64:ff9b::/96", 96 },
	};
	char out[PREFIX_TEXT_MAX];
	struct prefix p;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		p = prefix_of(cases[i].in);
		cr_assert_eq(p.len, cases[i].len, "%s", cases[i].in);
		cr_assert_str_eq(prefix_format(&p, out), cases[i].out, "%s",
		    cases[i].in);
	}
}

Test(prefix, an_error_says_what_is_wrong_and_changes_nothing)
{
	static const struct {
		const char		*in;
		enum prefix_error	 error;
	} cases[] = {
		{ "", PREFIX_SYNTAX },
		{ "/", PREFIX_SYNTAX },
		{ "/64", PREFIX_SYNTAX },
		{ "2001:db8::/", PREFIX_SYNTAX },
		{ "2001:db8::/x", PREFIX_SYNTAX },
		{ "2001:db8::/+32", PREFIX_SYNTAX },
		{ "2001:db8::/-1", PREFIX_SYNTAX },
		{ "2001:db8::/032", PREFIX_SYNTAX },
		{ "2001:db8::/00", PREFIX_SYNTAX },
		{ "2001:db8::/32 ", PREFIX_SYNTAX },
		{ "2001:db8:: /32", PREFIX_SYNTAX },
		{ "2001:db8::/32/32", PREFIX_SYNTAX },
		{ "2001:db8::/0x20", PREFIX_SYNTAX },
		{ "2001:db8::/1280", PREFIX_SYNTAX },
		{ "[2001:db8::]/32", PREFIX_SYNTAX },
		{ "192.0.2/24", PREFIX_SYNTAX },
		{ "192.0.2.0/255.255.255.0", PREFIX_SYNTAX },
		{ "2001:db8::/129", PREFIX_LENGTH },
		{ "2001:db8::/256", PREFIX_LENGTH },
		{ "192.0.2.0/33", PREFIX_LENGTH },
		{ "192.0.2.0/120", PREFIX_LENGTH },
		{ "2001:db8::1/127", PREFIX_HOST_BITS },
		{ "2001:db8:8000::/32", PREFIX_HOST_BITS },
		{ "::1/0", PREFIX_HOST_BITS },
		{ "192.0.2.1/24", PREFIX_HOST_BITS },
		{ "192.0.2.0/0", PREFIX_HOST_BITS },
		{ "::ffff:0:0/24", PREFIX_HOST_BITS },
	};
	struct prefix p, before;
	size_t i;

	memset(&before, 0xa5, sizeof(before));
	for (i = 0; i < N(cases); i++) {
		memcpy(&p, &before, sizeof(p));
		cr_assert_eq(prefix_parse(cases[i].in, strlen(cases[i].in),
		    &p), cases[i].error, "%s", cases[i].in);
		cr_assert_arr_eq(&p, &before, sizeof(p), "%s", cases[i].in);
	}
}

Test(prefix, embedded_nuls_are_refused)
{
	struct prefix p;

	cr_assert_eq(prefix_parse("::\0/64", 6, &p), PREFIX_SYNTAX);
	cr_assert_eq(prefix_parse("::/64\0", 6, &p), PREFIX_SYNTAX);
	cr_assert_eq(prefix_parse("::/6\0", 5, &p), PREFIX_SYNTAX);
	cr_assert_eq(prefix_parse(NULL, 0, &p), PREFIX_SYNTAX);
}

Test(prefix, each_error_has_its_text)
{
	enum prefix_error a, b;

	for (a = PREFIX_OK; a <= PREFIX_HOST_BITS; a++) {
		cr_assert_not_null(prefix_strerror(a));
		for (b = PREFIX_OK; b < a; b++)
			cr_assert_str_neq(prefix_strerror(a),
			    prefix_strerror(b));
	}
}

Test(prefix, contains_what_agrees_in_every_bit_of_its_length)
{
	const struct addr whole = addr_of(
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	struct prefix p = { .len = 0 };
	struct addr addr;
	unsigned len, bit;

	for (len = 0; len <= 128; len++) {
		p.len = (uint8_t)len;
		memset(&p.addr, 0, sizeof(p.addr));
		for (bit = 0; bit < len; bit++)
			p.addr.octet[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		cr_assert(prefix_contains(&p, &whole), "/%u", len);
		for (bit = 0; bit < 128; bit++) {
			addr = whole;
			addr.octet[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			cr_assert_eq(prefix_contains(&p, &addr), bit >= len,
			    "/%u, bit %u", len, bit);
		}
	}
}

Test(prefix, lies_within_another_if_all_of_it_does)
{
	static const struct {
		const char	*inner, *outer;
		bool		 within;
	} cases[] = {
		{ "2001:db8::/48", "2001:db8::/32", true },
		{ "2001:db8::/32", "2001:db8::/32", true },
		{ "2001:db8::/32", "2001:db8::/48", false },
		{ "2001:db9::/48", "2001:db8::/32", false },
		{ "::/0", "::/0", true },
		{ "fd00::/8", "::/0", true },
		{ "::/0", "fd00::/8", false },
		{ "fd00:1::/48", "fc00::/7", true },
		{ "192.0.2.0/25", "192.0.2.0/24", true },
		{ "0.0.0.0/0", "::/0", true },
		{ "::/0", "0.0.0.0/0", false },
	};
	struct prefix inner, outer;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		inner = prefix_of(cases[i].inner);
		outer = prefix_of(cases[i].outer);
		cr_assert_eq(prefix_within(&inner, &outer), cases[i].within,
		    "%s in %s", cases[i].inner, cases[i].outer);
	}
}

/* The address whose first `len` bits are those of `addr`, the others 0. */
static struct addr
masked(struct addr addr, unsigned len)
{
	unsigned bit;

	for (bit = len; bit < 128; bit++)
		addr.octet[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
	return addr;
}

Test(prefix, host_bits_begin_right_behind_every_length)
{
	const struct addr whole = addr_of(
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	char text[PREFIX_TEXT_MAX], out[ADDR_TEXT_MAX];
	struct addr addr;
	struct prefix p;
	unsigned len, set;

	for (len = 0; len <= 128; len++) {
		for (set = 0; set <= 128; set++) {
			addr = masked(whole, set);
			snprintf(text, sizeof(text), "%s/%u",
			    addr_format(&addr, out), len);
			cr_assert_eq(prefix_parse(text, strlen(text), &p),
			    set <= len ? PREFIX_OK : PREFIX_HOST_BITS, "%s",
			    text);
		}
	}
}

Test(prefix, ipv4_has_the_lengths_0_to_32)
{
	char text[PREFIX_TEXT_MAX], out[PREFIX_TEXT_MAX];
	enum prefix_error want;
	unsigned len, set;
	uint32_t mask;
	struct prefix p;

	for (len = 0; len <= 40; len++) {
		for (set = 0; set <= 32; set++) {
			mask = set > 0 ? UINT32_MAX << (32 - set) : 0;
			snprintf(text, sizeof(text), "%u.%u.%u.%u/%u",
			    mask >> 24, mask >> 16 & 0xff, mask >> 8 & 0xff,
			    mask & 0xff, len);
			want = len > 32 ? PREFIX_LENGTH :
			    set <= len ? PREFIX_OK : PREFIX_HOST_BITS;
			cr_assert_eq(prefix_parse(text, strlen(text), &p),
			    want, "%s", text);
			if (want != PREFIX_OK)
				continue;
			cr_assert_eq(p.len, 96 + len, "%s", text);
			cr_assert_str_eq(prefix_format(&p, out), text);
		}
	}
}

static unsigned
bit_of(const struct addr *addr, unsigned bit)
{
	return addr->octet[bit / 8] >> (7 - bit % 8) & 1;
}

/* Bit by bit, as the definition has it. */
static unsigned
common_bits(const struct addr *a, const struct addr *b)
{
	unsigned bit;

	for (bit = 0; bit < 128 && bit_of(a, bit) == bit_of(b, bit); bit++)
		;
	return bit;
}

Test(prefix, contains_and_within_agree_with_bit_by_bit)
{
	struct prefix p, q;
	uint32_t seed = 1;
	struct addr a, b;
	unsigned i, j, common;

	for (i = 0; i < 20000; i++) {
		for (j = 0; j < 16; j++) {
			seed = seed * 1664525 + 1013904223;
			a.octet[j] = (uint8_t)(seed >> 24);
		}
		b = a;
		seed = seed * 1664525 + 1013904223;
		b.octet[seed >> 28] ^= (uint8_t)(seed >> 20);
		common = common_bits(&a, &b);
		p.len = (uint8_t)((seed >> 8 & 0xff) % 129);
		q.len = (uint8_t)((seed & 0xff) % 129);
		p.addr = masked(a, p.len);
		q.addr = masked(b, q.len);
		cr_assert_eq(prefix_contains(&p, &b), common >= p.len,
		    "%u bits, /%u", common, p.len);
		cr_assert_eq(prefix_within(&q, &p),
		    q.len >= p.len && common >= p.len,
		    "%u bits, /%u in /%u", common, q.len, p.len);
	}
}

/* One up or down; false beyond either end of all addresses. */
static bool
neighbour(struct addr *addr, bool up)
{
	unsigned i;

	for (i = 16; i-- > 0;) {
		addr->octet[i] = (uint8_t)(addr->octet[i] + (up ? 1 : 255));
		if (addr->octet[i] != (up ? 0 : 255))
			return true;
	}
	return false;
}

static void
expect_range(const char *prefix, const struct addr *addr, const char *name)
{
	const struct special_range *range = special_range_find(addr);
	const char *found = range != NULL ? range->name : "";
	char out[ADDR_TEXT_MAX];

	cr_assert_str_eq(found, name, "%s: %s", prefix,
	    addr_format(addr, out));
}

/* What the first, the last and the two addresses outside are ("": none). */
Test(prefix, special_ranges_end_where_their_prefixes_do)
{
	static const struct {
		const char *prefix, *before, *first, *last, *after;
	} cases[] = {
		{ "::/128", "", "unspecified", "unspecified", "loopback" },
		{ "::1/128", "unspecified", "loopback", "loopback",
		    "IPv4-compatible" },
		{ "::/96", "", "unspecified", "IPv4-compatible", "" },
		{ "0.0.0.0/0", "", "IPv4-mapped", "IPv4-mapped", "" },
		{ "::ffff:0:0:0/96", "", "IPv4-translated",
		    "IPv4-translated", "" },
		{ "64:ff9b::/96", "", "NAT64", "NAT64", "" },
		{ "64:ff9b:1::/48", "", "local-use NAT64",
		    "local-use NAT64", "" },
		{ "100::/64", "", "discard-only", "discard-only", "dummy" },
		{ "100:0:0:1::/64", "discard-only", "dummy", "dummy", "" },
		{ "2001::/32", "", "Teredo", "Teredo",
		    "IETF protocol assignments" },
		{ "2001::/23", "", "Teredo", "IETF protocol assignments",
		    "" },
		{ "2001:1::1/128", "IETF protocol assignments",
		    "PCP anycast", "PCP anycast", "TURN anycast" },
		{ "2001:1::2/128", "PCP anycast", "TURN anycast",
		    "TURN anycast", "DNS-SD SRP anycast" },
		{ "2001:1::3/128", "TURN anycast", "DNS-SD SRP anycast",
		    "DNS-SD SRP anycast", "IETF protocol assignments" },
		{ "2001:2::/48", "IETF protocol assignments",
		    "benchmarking", "benchmarking",
		    "IETF protocol assignments" },
		{ "2001:3::/32", "IETF protocol assignments", "AMT", "AMT",
		    "IETF protocol assignments" },
		{ "2001:4:112::/48", "IETF protocol assignments", "AS112",
		    "AS112", "IETF protocol assignments" },
		{ "2001:10::/28", "IETF protocol assignments", "ORCHID",
		    "ORCHID", "ORCHIDv2" },
		{ "2001:20::/28", "ORCHID", "ORCHIDv2", "ORCHIDv2",
		    "drone remote ID" },
		{ "2001:30::/28", "ORCHIDv2", "drone remote ID",
		    "drone remote ID", "IETF protocol assignments" },
		{ "2001:db8::/32", "", "", "", "" },
		{ "2002::/16", "", "6to4", "6to4", "" },
		{ "2620:4f:8000::/48", "", "AS112", "AS112", "" },
		{ "3fff::/20", "", "", "", "" },
		{ "5f00::/16", "", "segment routing", "segment routing",
		    "" },
		{ "fc00::/7", "", "unique local", "unique local", "" },
		{ "fe80::/10", "", "link-local", "link-local",
		    "site-local" },
		{ "fec0::/10", "link-local", "site-local", "site-local",
		    "multicast" },
		{ "ff00::/8", "site-local", "multicast", "multicast", "" },
	};
	struct addr first, last;
	struct prefix p;
	unsigned bit;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		p = prefix_of(cases[i].prefix);
		first = last = p.addr;
		for (bit = p.len; bit < 128; bit++)
			last.octet[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		expect_range(cases[i].prefix, &first, cases[i].first);
		expect_range(cases[i].prefix, &last, cases[i].last);
		if (neighbour(&first, false))
			expect_range(cases[i].prefix, &first,
			    cases[i].before);
		if (neighbour(&last, true))
			expect_range(cases[i].prefix, &last, cases[i].after);
	}
}

/* Addresses within each range, and some well outside. */
Test(prefix, the_most_specific_special_range_is_found)
{
	static const struct {
		const char *addr, *name;
	} cases[] = {
		{ "::2", "IPv4-compatible" },
		{ "::127.0.0.1", "IPv4-compatible" },
		{ "192.0.2.1", "IPv4-mapped" },
		{ "::ffff:0:127.0.0.1", "IPv4-translated" },
		{ "64:ff9b::127.0.0.1", "NAT64" },
		{ "100::1", "discard-only" },
		{ "2001:0:ffff::", "Teredo" },
		{ "2001:1::", "IETF protocol assignments" },
		{ "2001:2::1", "benchmarking" },
		{ "2001:40::", "IETF protocol assignments" },
		{ "2001:200::", NULL },
		{ "2001:db8::1", NULL },
		{ "2606:4700::1", NULL },
		{ "2620:4f:8000::1", "AS112" },
		{ "fd00:1::1", "unique local" },
		{ "ff02::1", "multicast" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast" },
	};
	const struct special_range *range;
	struct addr addr;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		addr = addr_of(cases[i].addr);
		range = special_range_find(&addr);
		if (cases[i].name == NULL)
			cr_assert_null(range, "%s", cases[i].addr);
		else {
			cr_assert_not_null(range, "%s", cases[i].addr);
			cr_assert_str_eq(range->name, cases[i].name, "%s",
			    cases[i].addr);
		}
	}
}

static void
read_hostile(const uint8_t *bytes, size_t len, void *arg)
{
	char out[PREFIX_TEXT_MAX];
	struct prefix p, back;

	(void)arg;
	if (prefix_parse((const char *)bytes, len, &p) != PREFIX_OK)
		return;
	cr_assert(p.len <= 128);
	back = prefix_of(prefix_format(&p, out));
	cr_assert_eq(p.len, back.len, "%s", out);
	cr_assert(addr_equal(&p.addr, &back.addr), "%s", out);
}

Test(prefix, survives_every_cut_and_bit_flip)
{
	static const char *const good[] = { "2001:db8:0:1::/64",
		"192.0.2.0/24", "::ffff:192.0.2.0/120", "2001:db8::1" };
	size_t i;

	for (i = 0; i < N(good); i++) {
		hostile_cuts(good[i], strlen(good[i]), read_hostile, NULL);
		hostile_bit_flips(good[i], strlen(good[i]), read_hostile,
		    NULL);
	}
}
