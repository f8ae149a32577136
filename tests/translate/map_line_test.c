/* SPDX-License-Identifier: ISC */
#include "translate/map_line.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/hostile.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static enum map_line
parse(const char *line, struct eam *eam, char problem[MAP_LINE_PROBLEM_MAX])
{
	return map_line_parse(line, strlen(line), eam, problem);
}

Test(map_line, is_an_ipv4_and_an_ipv6_prefix)
{
	static const struct {
		const char *line, *v4, *v6;
	} cases[] = {
		{ "192.0.2.1 2001:db8::1", "192.0.2.1/32",
		    "2001:db8::1/128" },
		{ "192.0.2.1\t2001:db8::1\n", "192.0.2.1/32",
		    "2001:db8::1/128" },
		{ "  192.0.2.0/24  \t 2001:db8:1::/120 \r\n", "192.0.2.0/24",
		    "2001:db8:1::/120" },
		{ "192.0.2.128/26 2001:db8:dddd::/64 # RFC 7757",
		    "192.0.2.128/26", "2001:db8:dddd::/64" },
		{ "0.0.0.0/0 2001:db8:ff00::/40", "0.0.0.0/0",
		    "2001:db8:ff00::/40" },
		{ "192.0.2.1/32 2001:db8::1/128 #", "192.0.2.1/32",
		    "2001:db8::1/128" },
	};
	char problem[MAP_LINE_PROBLEM_MAX] = "", text[PREFIX_TEXT_MAX];
	struct eam eam;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		cr_assert_eq(parse(cases[i].line, &eam, problem),
		    MAP_LINE_EAM, "%s: %s", cases[i].line, problem);
		cr_assert_str_eq(prefix_format(&eam.v4, text), cases[i].v4);
		cr_assert_str_eq(prefix_format(&eam.v6, text), cases[i].v6);
	}
}

Test(map_line, may_be_blank_or_a_comment)
{
	static const char *const lines[] = { "", "\n", "\r\n", "  \t ",
		"# 192.0.2.1 2001:db8::1", "   # x\n", "#" };
	char problem[MAP_LINE_PROBLEM_MAX];
	struct eam eam;
	size_t i;

	for (i = 0; i < N(lines); i++)
		cr_assert_eq(parse(lines[i], &eam, problem), MAP_LINE_EMPTY,
		    "%s", lines[i]);
}

Test(map_line, that_is_bad_is_told_by_column)
{
	static const struct {
		const char *line, *problem;
	} cases[] = {
		{ "192.0.2.1", "IPv6 prefix: is missing" },
		{ "192.0.2.1 #2001:db8::1", "IPv6 prefix: is missing" },
		{ "2001:db8::1 192.0.2.1",
		    "IPv4 prefix: \"2001:db8::1\" is not an IPv4 prefix" },
		{ "::ffff:192.0.2.1 192.0.2.1",
		    "IPv6 prefix: \"192.0.2.1\" is not an IPv6 prefix" },
		{ "192.0.2.1 192.0.2.1",
		    "IPv6 prefix: \"192.0.2.1\" is not an IPv6 prefix" },
		{ "192.0.2.1/24 2001:db8::/120",
		    "IPv4 prefix: \"192.0.2.1/24\" has bits set beyond its "
		    "length" },
		{ "192.0.2.0/33 2001:db8::/120",
		    "IPv4 prefix: \"192.0.2.0/33\" has a length beyond its "
		    "address's bits" },
		{ "192.0.2.0/24 2001:db8::/129",
		    "IPv6 prefix: \"2001:db8::/129\" has a length beyond its "
		    "address's bits" },
		{ "192.0.2.0/24 2001:db8::/121",
		    "IPv6 prefix: \"2001:db8::/121\" has fewer addresses "
		    "than the IPv4 prefix" },
		{ "host 2001:db8::1",
		    "IPv4 prefix: \"host\" is not an address prefix" },
		{ "192.0.2.1 2001:db8::1 x",
		    "line: \"x\" is one word too many" },
		{ "192.0.2.1 \x1b[31m\"",
		    "IPv6 prefix: \"\\x1b[31m\\\"\" is not an address "
		    "prefix" },
		{ "192.0.2.1,2001:db8::1",
		    "IPv4 prefix: \"192.0.2.1,2001:db8::1\" is not an "
		    "address prefix" },
	};
	char problem[MAP_LINE_PROBLEM_MAX];
	struct eam eam, before;
	size_t i;

	memset(&before, 0xa5, sizeof(before));
	for (i = 0; i < N(cases); i++) {
		memcpy(&eam, &before, sizeof(eam));
		cr_assert_eq(parse(cases[i].line, &eam, problem),
		    MAP_LINE_BAD, "%s", cases[i].line);
		cr_assert_str_eq(problem, cases[i].problem);
		cr_assert_eq(memcmp(&eam, &before, sizeof(eam)), 0);
	}
}

Test(map_line, is_of_addresses_that_hosts_can_have)
{
	static const char *const v4[] = { "0.0.0.0", "0.1.2.0/24",
		"127.0.0.1", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.1",
		"224.0.0.0/3", "255.255.255.255" };
	static const char *const v6[] = { "::", "::1", "fe80::1", "febf::/16",
		"ff02::1", "ff00::/8" };
	static const char *const good[] = { "1.0.0.0 ::2",
		"0.0.0.0/0 2001:db8:ff00::/40", "126.0.0.0/7 2001:db8::/100",
		"192.0.2.0/24 ::/0", "169.255.0.1 fec0::1",
		"223.255.255.255 fe7f::1", "192.0.2.1 fd00::1" };
	char problem[MAP_LINE_PROBLEM_MAX], line[100];
	struct eam eam;
	size_t i;

	for (i = 0; i < N(v4); i++) {
		snprintf(line, sizeof(line), "%s 2001:db8::/32", v4[i]);
		cr_assert_eq(parse(line, &eam, problem), MAP_LINE_BAD, "%s",
		    line);
		cr_assert_not_null(strstr(problem, "can be no host's"));
	}
	for (i = 0; i < N(v6); i++) {
		snprintf(line, sizeof(line), "192.0.2.1 %s", v6[i]);
		cr_assert_eq(parse(line, &eam, problem), MAP_LINE_BAD, "%s",
		    line);
		cr_assert_not_null(strstr(problem, "can be no host's"));
	}
	for (i = 0; i < N(good); i++)
		cr_assert_eq(parse(good[i], &eam, problem), MAP_LINE_EAM,
		    "%s: %s", good[i], problem);
}

Test(map_line, may_not_be_endless)
{
	char line[MAP_LINE_MAX + 2], problem[MAP_LINE_PROBLEM_MAX];
	struct eam eam;

	memset(line, ' ', sizeof(line));
	cr_assert_eq(map_line_parse(line, MAP_LINE_MAX, &eam, problem),
	    MAP_LINE_EMPTY);
	cr_assert_eq(map_line_parse(line, MAP_LINE_MAX + 1, &eam, problem),
	    MAP_LINE_BAD);
	cr_assert_str_eq(problem, "line: is too long");
}

static void
check(const uint8_t *line, size_t len, void *arg)
{
	char problem[MAP_LINE_PROBLEM_MAX] = "";
	struct eam eam;
	size_t i;

	(void)arg;
	if (map_line_parse((const char *)line, len, &eam, problem) !=
	    MAP_LINE_BAD)
		return;
	cr_assert_not_null(strstr(problem, ": "));
	for (i = 0; problem[i] != '\0'; i++)
		cr_assert(problem[i] >= ' ' && problem[i] < 0x7f);
}

Test(map_line, survives_every_cut_and_bit_flip)
{
	static const char line[] =
	    "192.0.2.128/26\t2001:db8:dddd::/64  # figure 1\r\n";

	hostile_cuts(line, strlen(line), check, NULL);
	hostile_bit_flips(line, strlen(line), check, NULL);
}
