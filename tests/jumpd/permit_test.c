/* SPDX-License-Identifier: ISC */
#include "jumpd/permit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/hostile.h"

static struct permit_list *
list_of(const char *text)
{
	struct permit_list *list = NULL;
	bool memory;

	cr_assert(permit_add(&list, text, strlen(text), &memory), "%s", text);
	return list;
}

/* `host` was asked for, with `port`, and leads to `to`. */
static bool
permits(const struct permit_list *list, const char *host, const char *to,
    uint16_t port)
{
	struct jump_target asked;
	struct addr met;

	cr_assert_eq(jump_target_parse(host, strlen(host), port, &asked),
	    DENY_NONE, "%s", host);
	cr_assert(addr_parse(to, strlen(to), &met));
	return permit_check(list, &asked, &met);
}

Test(permit, compares_names_with_what_was_asked_and_addresses_with_what_is_met)
{
	static const struct {
		const char	*list, *host, *to;
		uint16_t	 port;
		bool		 good;
	} cases[] = {
		{ "vm1.example:22", "VM1.example.", "2001:db8::1", 22, true },
		{ "VM1.Example.:22", "vm1.example", "2001:db8::1", 22, true },
		{ "vm1.example:22", "vm1.example", "2001:db8::1", 23, false },
		{ "vm1.example:*", "vm1.example", "2001:db8::1", 23, true },
		{ "vm1.example:22", "vm2.example", "2001:db8::1", 22, false },
		{ "vm1.example:22", "a.vm1.example", "2001:db8::1", 22,
		    false },
		{ "vm1.example:22", "2001:db8::1", "2001:db8::1", 22, false },
		{ "[2001:db8::1]:22", "2001:db8::1", "2001:db8::1", 22,
		    true },
		{ "[2001:db8::1]:22", "vm1", "2001:db8::1", 22, true },
		{ "[2001:db8::1]:22", "vm1", "2001:db8::2", 22, false },
		{ "[2001:DB8:0::1]:22", "vm1", "2001:db8::1", 22, true },
		{ "[2001:db8::/32]:22", "vm1", "2001:db8:5::1", 22, true },
		{ "[2001:db8::/32]:22", "vm1", "2001:db9::1", 22, false },
		{ "[2001:db8::/32]:*", "vm1", "2001:db8::1", 65535, true },
		{ "*:22", "vm1", "2001:db8::1", 22, true },
		{ "*:22", "vm1", "2001:db8::1", 23, false },
		{ "[*]:22", "vm1", "2001:db8::1", 22, true },
		{ "*:*", "2001:db8::1", "2001:db8::1", 9, true },
		{ "[::/0]:22", "vm1", "2001:db8::1", 22, true },
		{ "192.0.2.1:22", "vm1", "2001:db8::1", 22, false },
		{ "0.0.0.0/0:22", "vm1", "::ffff:192.0.2.1", 22, false },
		{ "a:1,b:2,c:3", "c", "2001:db8::1", 3, true },
		{ "a:1,b:2,c:3", "c", "2001:db8::1", 2, false },
	};
	struct permit_list *list;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		list = list_of(cases[i].list);
		cr_expect_eq(permits(list, cases[i].host, cases[i].to,
				 cases[i].port),
		    cases[i].good, "%s for %s", cases[i].list, cases[i].host);
		permit_free(list);
	}
	cr_expect(permits(NULL, "vm1", "2001:db8::1", 22));
}

/* A mapping may lead to another port: that is the operator's business. */
Test(permit, compares_ports_with_what_was_asked)
{
	static const char *const hosts[] = { "vm1:", "*:", "[*]:",
		"[2001:db8::/32]:", "[2001:db8::1]:" };
	struct permit_list *list;
	struct jump_target asked;
	char text[64];
	size_t i;

	cr_assert_eq(jump_target_parse("vm1", 3, 22, &asked), DENY_NONE);
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		snprintf(text, sizeof(text), "%s22", hosts[i]);
		list = list_of(text);
		cr_expect(permits(list, "vm1", "2001:db8::1", 22), "%s", text);
		cr_expect(permit_may(list, &asked), "%s", text);
		permit_free(list);
		snprintf(text, sizeof(text), "%s2222", hosts[i]);
		list = list_of(text);
		cr_expect_not(permits(list, "vm1", "2001:db8::1", 22), "%s",
		    text);
		cr_expect_not(permit_may(list, &asked), "%s", text);
		permit_free(list);
	}
}

Test(permit, refuses_malformed_elements)
{
	static const char *const bad[] = { "", "vm1", "22", ":22", "vm1:",
		"vm1:0", "vm1:65536", "vm1:022", "vm1:22x", "vm1:-1",
		"vm1:22,", ",vm1:22", "vm1:22,,vm2:22", "vm1:22 ", " vm1:22",
		"2001:db8::1:22", "[2001:db8::1]", "[2001:db8::1]22",
		"[2001:db8::1:22", "2001:db8::1]:22", "[]:22", "[2001:db8::1/32]:22",
		"*.example.com:22", "vm?:22", "vm1:**", "vm1:22-23",
		"[fe80::1%eth0]:22", "v\"m:22", "vm1:22\n" };
	struct permit_list *list;
	bool memory;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		list = NULL;
		cr_expect_not(permit_add(&list, bad[i], strlen(bad[i]),
				  &memory),
		    "%s", bad[i]);
		cr_expect_null(list);
		cr_expect_not(memory);
	}
}

Test(permit, adds_all_of_a_list_or_nothing)
{
	struct permit_list *list = list_of("a:1");
	bool memory;

	cr_expect_not(permit_add(&list, "b:2,c:x", 7, &memory));
	cr_expect(permits(list, "a", "2001:db8::1", 1));
	cr_expect_not(permits(list, "b", "2001:db8::1", 2));
	cr_expect(permit_add(&list, "b:2,c:3", 7, &memory));
	cr_expect(permits(list, "a", "2001:db8::1", 1));
	cr_expect(permits(list, "b", "2001:db8::1", 2));
	cr_expect(permits(list, "c", "2001:db8::1", 3));
	permit_free(list);
}

Test(permit, has_a_bound)
{
	char text[PERMIT_TEXT_MAX];
	struct permit_list *list = NULL;
	size_t i, n = 0;
	bool memory;

	for (i = 0; i < PERMIT_RULES_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%sv%zu:22",
		    i > 0 ? "," : "", i);
	cr_assert(permit_add(&list, text, n, &memory));
	cr_expect(permits(list, "v0", "2001:db8::1", 22));
	cr_expect(permits(list, "v255", "2001:db8::1", 22));
	cr_expect_not(permit_add(&list, "one-more:22", 11, &memory));
	cr_expect_not(memory);
	permit_free(list);
}

Test(permit, looks_no_name_up_that_is_not_permitted)
{
	struct permit_list *names = list_of("a:1,b:2");
	struct permit_list *both = list_of("a:1,[2001:db8::1]:22");
	struct jump_target a, c;

	cr_assert_eq(jump_target_parse("a", 1, 1, &a), DENY_NONE);
	cr_assert_eq(jump_target_parse("c", 1, 9, &c), DENY_NONE);
	cr_expect(permit_may(names, &a));
	a.port = 9;
	cr_expect_not(permit_may(names, &a));
	cr_expect_not(permit_may(names, &c));
	cr_expect_not(permit_may(both, &c));
	c.port = 22;
	cr_expect(permit_may(both, &c));
	cr_expect(permit_may(NULL, &c));
	permit_free(names);
	permit_free(both);
}

static void
adds(const uint8_t *bytes, size_t len, void *arg)
{
	struct permit_list *list = NULL;
	bool memory;

	(void)arg;
	if (permit_add(&list, (const char *)bytes, len, &memory))
		permits(list, "vm1", "2001:db8::1", 22);
	permit_free(list);
}

Test(permit, survives_every_cut_and_bit_flip)
{
	static const char text[] = "[2001:db8::/32]:22,vm1.example:*,*:80,"
				   "[2001:db8::1]:443,192.0.2.0/24:1";

	hostile_cuts(text, sizeof(text) - 1, adds, NULL);
	hostile_bit_flips(text, sizeof(text) - 1, adds, NULL);
}

Test(from, matches_as_sshd_does)
{
	static const struct {
		const char	*patterns, *client;
		enum from_match	 answer;
	} cases[] = {
		{ "192.0.2.7", "192.0.2.7", FROM_MATCH },
		{ "192.0.2.7", "192.0.2.8", FROM_NO_MATCH },
		{ "192.0.2.0/24", "192.0.2.8", FROM_MATCH },
		{ "192.0.2.*", "192.0.2.8", FROM_MATCH },
		{ "192.0.2.?", "192.0.2.8", FROM_MATCH },
		{ "192.0.2.?", "192.0.2.88", FROM_NO_MATCH },
		{ "*", "192.0.2.8", FROM_MATCH },
		{ "*", "2001:db8::1", FROM_MATCH },
		{ "*8", "192.0.2.8", FROM_MATCH },
		{ "1*2*8", "192.0.2.8", FROM_MATCH },
		{ "1*2*9", "192.0.2.8", FROM_NO_MATCH },
		{ "2001:DB8::1", "2001:db8::1", FROM_MATCH },
		{ "2001:db8::/32", "2001:db8:5::1", FROM_MATCH },
		{ "2001:DB8:*", "2001:db8:5::1", FROM_MATCH },
		{ "192.0.2.0/24,!192.0.2.8", "192.0.2.7", FROM_MATCH },
		{ "192.0.2.0/24,!192.0.2.8", "192.0.2.8", FROM_NO_MATCH },
		{ "!192.0.2.8,192.0.2.0/24", "192.0.2.8", FROM_NO_MATCH },
		{ "!192.0.2.8", "192.0.2.7", FROM_NO_MATCH },
		{ "!192.0.2.0/24,*", "192.0.2.7", FROM_NO_MATCH },
		{ "!192.0.2.0/24,*", "198.51.100.1", FROM_MATCH },
		{ "::/0", "192.0.2.8", FROM_NO_MATCH },
		{ "0.0.0.0/0", "192.0.2.8", FROM_MATCH },
		{ "0.0.0.0/0", "2001:db8::1", FROM_NO_MATCH },
		{ "home.example", "192.0.2.8", FROM_NO_MATCH },
		{ "", "192.0.2.8", FROM_MALFORMED },
		{ "192.0.2.8,", "192.0.2.8", FROM_MALFORMED },
		{ ",192.0.2.8", "192.0.2.8", FROM_MALFORMED },
		{ "!", "192.0.2.8", FROM_MALFORMED },
		{ "192.0.2.8/24", "192.0.2.8", FROM_MALFORMED },
		{ "192.0.2.0/33", "192.0.2.8", FROM_MALFORMED },
		{ "192.0.2.0/24,x/y", "192.0.2.8", FROM_MALFORMED },
	};
	struct addr client;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert(addr_parse(cases[i].client, strlen(cases[i].client),
		    &client));
		cr_expect_eq(from_check(cases[i].patterns,
				 strlen(cases[i].patterns), &client),
		    cases[i].answer, "%s for %s", cases[i].patterns,
		    cases[i].client);
	}
}

Test(from, takes_no_longer_for_a_nasty_pattern)
{
	static const char pattern[] = "*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1*1x";
	struct addr client;

	cr_assert(addr_parse("1111:1111:1111:1111:1111:1111:1111:1111", 39,
	    &client));
	cr_expect_eq(from_check(pattern, sizeof(pattern) - 1, &client),
	    FROM_NO_MATCH);
}

Test(source_address, has_no_patterns)
{
	static const struct {
		const char	*list;
		enum from_match	 answer;
	} cases[] = { { "192.0.2.7", FROM_MATCH },
		{ "198.51.100.1,192.0.2.0/24", FROM_MATCH },
		{ "198.51.100.1", FROM_NO_MATCH }, { "::/0", FROM_NO_MATCH },
		{ "*", FROM_MALFORMED }, { "!192.0.2.7", FROM_MALFORMED },
		{ "192.0.2.7,x", FROM_MALFORMED }, { "", FROM_MALFORMED } };
	struct addr client;
	size_t i;

	cr_assert(addr_parse("192.0.2.7", 9, &client));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(source_address_check(cases[i].list,
				 strlen(cases[i].list), &client),
		    cases[i].answer, "%s", cases[i].list);
}
