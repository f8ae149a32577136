/* SPDX-License-Identifier: ISC */
#include "translate/lease_line.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/lib/hostile.h"

Test(lease_line, reads_back_what_it_writes)
{
	static const char text[] = "192.0.2.7 2001:db8::7 1732186000\n";
	struct lease_line lease = { 0 }, again = { 0 };
	char out[LEASE_LINE_MAX];

	cr_assert_eq(lease_line_parse(text, strlen(text), &lease),
	    LEASE_LINE_LEASE);
	cr_assert_eq(lease.v4, 0xc0000207);
	cr_assert_eq(lease.heard_s, 1732186000);
	lease_line_format(&lease, out);
	cr_assert_str_eq(out, text);
	/* The longest there is. */
	lease.v4 = UINT32_MAX;
	memset(lease.host.octet, 0xff, sizeof(lease.host.octet));
	lease.heard_s = UINT64_C(999999999999999999);
	lease_line_format(&lease, out);
	cr_assert_eq(lease_line_parse(out, strlen(out), &again),
	    LEASE_LINE_LEASE, "%s", out);
	cr_assert_eq(again.v4, lease.v4);
	cr_assert(addr_equal(&again.host, &lease.host));
	cr_assert_eq(again.heard_s, lease.heard_s);
}

Test(lease_line, is_a_lease_a_comment_or_nothing)
{
	static const struct {
		const char *line;
		enum lease_line_kind want;
	} cases[] = {
		{ "", LEASE_LINE_EMPTY },
		{ " \t\r\n", LEASE_LINE_EMPTY },
		{ "# 192.0.2.1 2001:db8::1 1000", LEASE_LINE_EMPTY },
		{ "192.0.2.1 2001:db8::1 1000", LEASE_LINE_LEASE },
		{ "192.0.2.1\t2001:db8::1\t0\n", LEASE_LINE_LEASE },
		{ " 192.0.2.1 2001:db8::1 1000 \r\n", LEASE_LINE_LEASE },
		{ "192.0.2.1 2001:db8::1 1000 # mine", LEASE_LINE_LEASE },
		{ "192.0.2.1", LEASE_LINE_BAD },
		{ "192.0.2.1 2001:db8::1", LEASE_LINE_BAD },
		{ "192.0.2.1 2001:db8::1 # 1000", LEASE_LINE_BAD },
		{ "192.0.2.1 2001:db8::1 x", LEASE_LINE_BAD },
		{ "192.0.2.1 2001:db8::1 -1", LEASE_LINE_BAD },
		{ "192.0.2.1 2001:db8::1 1000#", LEASE_LINE_BAD },
		{ "192.0.2.1 2001:db8::1 1000 1", LEASE_LINE_BAD },
		{ "192.0.2.1 192.0.2.7 1000", LEASE_LINE_BAD },
		{ "2001:db8::1 192.0.2.1 1000", LEASE_LINE_BAD },
		{ "192.0.2.1 2001:db8::1 9999999999999999999",
		    LEASE_LINE_BAD },
	};
	struct lease_line before, lease;
	enum lease_line_kind kind;
	size_t i;

	memset(&before, 0xa5, sizeof(before));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(&lease, &before, sizeof(lease));
		kind = lease_line_parse(cases[i].line, strlen(cases[i].line),
		    &lease);
		cr_assert_eq(kind, cases[i].want, "%s", cases[i].line);
		if (kind == LEASE_LINE_LEASE)
			cr_assert_eq(lease.v4, 0xc0000201);
		else
			cr_assert_eq(memcmp(&lease, &before, sizeof(lease)), 0,
			    "%s", cases[i].line);
	}
}

static void
parse(const uint8_t *line, size_t len, void *arg)
{
	lease_line_parse((const char *)line, len, arg);
}

Test(lease_line, survives_every_cut_and_bit_flip)
{
	static const char line[] = "192.0.2.7 2001:db8::7 1000\n";
	struct lease_line lease;

	hostile_cuts(line, strlen(line), parse, &lease);
	hostile_bit_flips(line, strlen(line), parse, &lease);
}
