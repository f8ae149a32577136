/* SPDX-License-Identifier: ISC */
#include "tests/lib/addresses.h"

#include <criterion/criterion.h>
#include <string.h>

struct addr
addr_of(const char *text)
{
	struct addr addr;

	cr_assert(addr_parse(text, strlen(text), &addr), "%s", text);
	return addr;
}

uint32_t
v4_of(const char *text)
{
	struct addr addr = addr_of(text);

	cr_assert(addr_is_v4(&addr), "%s", text);
	return addr_to_v4(&addr);
}

struct prefix
prefix_of(const char *text)
{
	struct prefix prefix;

	cr_assert_eq(prefix_parse(text, strlen(text), &prefix), PREFIX_OK,
	    "%s", text);
	return prefix;
}

void
expect_addr(const struct addr *addr, const char *wanted)
{
	char text[ADDR_TEXT_MAX];

	cr_expect_str_eq(addr_format(addr, text), wanted);
}

void
expect_prefix(const struct prefix *prefix, const char *wanted)
{
	char text[PREFIX_TEXT_MAX];

	cr_expect_str_eq(prefix_format(prefix, text), wanted);
}
