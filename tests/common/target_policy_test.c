/* SPDX-License-Identifier: ISC */
#include "common/target_policy.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/addresses.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static struct target_policy policy;

static struct endpoint
endpoint_of(const char *text, uint16_t port)
{
	struct endpoint ep = { .port = port };

	cr_assert(addr_parse(text, strlen(text), &ep.addr), "%s", text);
	return ep;
}

static void
allow(const char *text)
{
	policy.allow[policy.n_allow++] = prefix_of(text);
}

static void
nat64(const char *text)
{
	policy.nat64[policy.n_nat64++] = prefix_of(text);
}

static void
embed(const char *text)
{
	policy.embed[policy.n_embed++] = prefix_of(text);
}

static void
set_up(void)
{
	memset(&policy, 0, sizeof(policy));
}

TestSuite(target_policy, .init = set_up);

static void
expect(const char *addr, enum target_verdict want)
{
	struct endpoint ep = endpoint_of(addr, 443);
	enum target_verdict verdict = target_policy_check(&policy, &ep);

	cr_assert_eq(verdict, want, "%s %s", addr,
	    target_verdict_text(verdict));
}

Test(target_policy, nothing_is_allowed_unless_a_prefix_does)
{
	expect("2001:db8::1", TARGET_NOT_ALLOWED);
	expect("::1", TARGET_SPECIAL);
	allow("2001:db8:1::/48");
	allow("2001:db8:2::1");
	expect("2001:db8:1::1", TARGET_ALLOWED);
	expect("2001:db8:2::1", TARGET_ALLOWED);
	expect("2001:db8:2::2", TARGET_NOT_ALLOWED);
	expect("2001:db8::1", TARGET_NOT_ALLOWED);
}

Test(target_policy, a_wide_prefix_opens_no_special_range)
{
	static const char *const special[] = { "::", "::1", "127.0.0.1",
		"192.0.2.1", "::127.0.0.1", "::ffff:0:127.0.0.1",
		"64:ff9b::127.0.0.1", "64:ff9b:1::1", "100::1", "2001::1",
		"2001:20::1", "2002:7f00:1::", "fd00::1", "fe80::1",
		"fec0::1", "ff02::1" };
	size_t i;

	allow("::/0");
	expect("2001:db8::1", TARGET_ALLOWED);
	for (i = 0; i < N(special); i++)
		expect(special[i], TARGET_SPECIAL);
}

Test(target_policy, a_prefix_inside_a_special_range_opens_only_itself)
{
	allow("::/0");
	allow("fd00:1::/48");
	expect("fd00:1::1", TARGET_ALLOWED);
	expect("fd00:2::1", TARGET_SPECIAL);
	allow("fc00::/7");
	expect("fd00:2::1", TARGET_ALLOWED);
	expect("fe80::1", TARGET_SPECIAL);
	allow("127.0.0.0/8");
	expect("127.0.0.1", TARGET_ALLOWED);
	expect("10.0.0.1", TARGET_SPECIAL);
}

Test(target_policy, a_prefix_around_the_most_specific_range_is_too_wide)
{
	allow("::/96");
	expect("::2", TARGET_ALLOWED);
	expect("::1", TARGET_SPECIAL);
	allow("::1");
	expect("::1", TARGET_ALLOWED);
	allow("2001::/23");
	expect("2001:40::1", TARGET_ALLOWED);
	expect("2001::1", TARGET_SPECIAL);
}

Test(target_policy, the_operators_nat64_prefixes_are_closed_likewise)
{
	allow("2001:db8::/32");
	nat64("2001:db8:64::/96");
	expect("2001:db8:64::192.0.2.1", TARGET_NAT64);
	expect("2001:db8:64:1::1", TARGET_ALLOWED);
	allow("2001:db8:64::/64");
	expect("2001:db8:64::192.0.2.1", TARGET_NAT64);
	allow("2001:db8:64::192.0.2.0/120");
	expect("2001:db8:64::192.0.2.1", TARGET_ALLOWED);
	expect("2001:db8:64::198.51.100.1", TARGET_NAT64);
}

Test(target_policy, a_nat64_prefix_in_a_special_range_is_closed_twice)
{
	nat64("fd64::/96");
	allow("fd00::/8");
	expect("fd64::192.0.2.1", TARGET_NAT64);
	expect("fd65::1", TARGET_ALLOWED);
	nat64("64:ff9b:1::/96");
	allow("64:ff9b:1::/48");
	expect("64:ff9b:1::192.0.2.1", TARGET_NAT64);
	allow("64:ff9b:1::/96");
	expect("64:ff9b:1::192.0.2.1", TARGET_ALLOWED);
}

Test(target_policy, embed_prefixes_are_never_targets)
{
	embed("2001:db8:e::/96");
	embed("fd00:e::/96");
	allow("2001:db8::/32");
	expect("2001:db8:e::192.0.2.1", TARGET_EMBED);
	expect("2001:db8:e:0:0:1::1", TARGET_ALLOWED);
	/* Not even when named, nor in what is closed anyway. */
	allow("2001:db8:e::192.0.2.1");
	allow("2001:db8:e::/96");
	expect("2001:db8:e::192.0.2.1", TARGET_EMBED);
	expect("fd00:e::1", TARGET_EMBED);
	expect("fd00:f::1", TARGET_SPECIAL);
	nat64("2001:db8:e::/96");
	expect("2001:db8:e::192.0.2.1", TARGET_EMBED);
	policy.own[policy.n_own++] = endpoint_of("2001:db8:e::1", 443);
	expect("2001:db8:e::1", TARGET_OWN_LISTENER);
}

Test(target_policy, our_own_listeners_are_never_targets)
{
	struct endpoint ep = endpoint_of("2001:db8::1", 443);

	allow("2001:db8::1");
	policy.own[policy.n_own++] = endpoint_of("2001:db8::2", 443);
	policy.own[policy.n_own++] = ep;
	cr_assert_eq(target_policy_check(&policy, &ep), TARGET_OWN_LISTENER);
	ep.port = 8443;
	cr_assert_eq(target_policy_check(&policy, &ep), TARGET_ALLOWED);
	/* Even one in a special range: the text tells the nearer reason. */
	policy.own[policy.n_own++] = endpoint_of("::1", 443);
	expect("::1", TARGET_OWN_LISTENER);
}

Test(target_policy, the_tables_are_used_to_their_ends)
{
	char text[32];
	unsigned i;

	for (i = 0; i < TARGET_POLICY_ALLOW_MAX; i++) {
		snprintf(text, sizeof(text), "2001:db8:%x::/48", i);
		allow(text);
	}
	for (i = 0; i < TARGET_POLICY_NAT64_MAX; i++) {
		snprintf(text, sizeof(text), "2001:db8:%x:1::/96", i);
		nat64(text);
	}
	for (i = 0; i < TARGET_POLICY_EMBED_MAX; i++) {
		snprintf(text, sizeof(text), "2001:db8:%x:2::/96", i);
		embed(text);
	}
	for (i = 0; i < TARGET_POLICY_OWN_MAX; i++)
		policy.own[policy.n_own++] = endpoint_of("2001:db8::1",
		    (uint16_t)i);
	expect("2001:db8:ff::1", TARGET_ALLOWED);
	expect("2001:db8:100::1", TARGET_NOT_ALLOWED);
	expect("2001:db8:f:1::1", TARGET_NAT64);
	expect("2001:db8:10:1::1", TARGET_ALLOWED);
	expect("2001:db8:3:2::1", TARGET_EMBED);
	expect("2001:db8:4:2::1", TARGET_ALLOWED);
	expect("2001:db8::1", TARGET_OWN_LISTENER);
}

Test(target_policy, each_verdict_has_its_text)
{
	enum target_verdict a, b;

	for (a = TARGET_ALLOWED; a <= TARGET_OWN_LISTENER; a++) {
		cr_assert_not_null(target_verdict_text(a));
		for (b = TARGET_ALLOWED; b < a; b++)
			cr_assert_str_neq(target_verdict_text(a),
			    target_verdict_text(b));
	}
}
