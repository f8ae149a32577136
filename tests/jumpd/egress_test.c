/* SPDX-License-Identifier: ISC */
#include "jumpd/egress.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/addresses.h"

static struct endpoint
endpoint(const char *text, uint16_t port)
{
	struct endpoint ep = { .port = port };

	cr_assert(addr_parse(text, strlen(text), &ep.addr), "%s", text);
	return ep;
}

static void
add_rule(struct egress_rule *rules, uint16_t *n, const char *text,
    uint16_t first, uint16_t last)
{
	struct egress_rule *rule = &rules[(*n)++];

	rule->prefix = prefix_of(text);
	if (first == 0)
		return;
	rule->n_ports = 1;
	rule->ports[0].first = first;
	rule->ports[0].last = last;
}

static enum deny_reason
check(const struct egress_policy *p, const char *text, uint16_t port)
{
	struct endpoint to = endpoint(text, port);

	return egress_check(p, &to, NULL);
}

/* allow 2001:db8::/32 port 22 and 2200-2300, deny 2001:db8:bad::/48 and
 * telnet's port everywhere */
static struct egress_policy *
example(void)
{
	struct egress_policy *p = calloc(1, sizeof(*p));

	cr_assert_not_null(p);
	add_rule(p->allow, &p->n_allow, "2001:db8::/32", 22, 22);
	p->allow[0].ports[1].first = 2200;
	p->allow[0].ports[1].last = 2300;
	p->allow[0].n_ports = 2;
	add_rule(p->deny, &p->n_deny, "2001:db8:bad::/48", 0, 0);
	add_rule(p->deny, &p->n_deny, "2001:db8::/32", 2210, 2219);
	return p;
}

Test(egress, allows_what_a_rule_allows)
{
	static const struct {
		const char		*to;
		uint16_t		 port;
		enum deny_reason	 reason;
	} cases[] = {
		{ "2001:db8::1", 22, DENY_NONE },
		{ "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 22, DENY_NONE },
		{ "2001:db8::1", 2200, DENY_NONE },
		{ "2001:db8::1", 2300, DENY_NONE },
		{ "2001:db8::1", 2301, DENY_POLICY },
		{ "2001:db8::1", 2199, DENY_POLICY },
		{ "2001:db8::1", 21, DENY_POLICY },
		{ "2001:db8::1", 23, DENY_POLICY },
		{ "2001:db8::1", 0, DENY_POLICY_DENIED },
		{ "2001:db8::1", 2210, DENY_POLICY_DENIED },
		{ "2001:db8::1", 2219, DENY_POLICY_DENIED },
		{ "2001:db8::1", 2220, DENY_NONE },
		{ "2001:db9::1", 22, DENY_POLICY },
		{ "2001:db7:ffff::1", 22, DENY_POLICY },
		{ "2001:db8:bad::1", 22, DENY_POLICY_DENIED },
		{ "2001:db8:bae::1", 22, DENY_NONE },
		{ "2a00:1450::1", 22, DENY_POLICY },
	};
	struct egress_policy *p = example();
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(check(p, cases[i].to, cases[i].port),
		    cases[i].reason, "%s port %u: %s", cases[i].to,
		    cases[i].port,
		    deny_reason_label(check(p, cases[i].to, cases[i].port)));
	free(p);
}

Test(egress, allows_nothing_without_a_rule)
{
	struct egress_policy *p = calloc(1, sizeof(*p));

	cr_expect_eq(check(p, "2001:db8::1", 22), DENY_POLICY);
	/* and no port without one */
	add_rule(p->allow, &p->n_allow, "2001:db8::/32", 0, 0);
	cr_expect_eq(check(p, "2001:db8::1", 22), DENY_POLICY);
	free(p);
}

/* An operator who names each of them, and everything. */
Test(egress, refuses_some_whatever_the_rules_say)
{
	static const struct {
		const char		*to;
		const char		*allow;
		enum deny_reason	 reason;
	} cases[] = {
		{ "::", "::/128", DENY_SPECIAL },
		{ "::1", "::1/128", DENY_SPECIAL },
		{ "::192.0.2.1", "::/96", DENY_SPECIAL },
		{ "::ffff:192.0.2.1", "::ffff:0:0/96", DENY_SPECIAL },
		{ "::ffff:127.0.0.1", "::ffff:0:0/96", DENY_SPECIAL },
		{ "::ffff:0:192.0.2.1", "::ffff:0:0:0/96", DENY_SPECIAL },
		{ "fe80::1", "fe80::/64", DENY_SPECIAL },
		{ "febf::1", "fe80::/10", DENY_SPECIAL },
		{ "fec0::1", "fec0::/10", DENY_SPECIAL },
		{ "ff02::1", "ff02::/16", DENY_SPECIAL },
		{ "ff0e::1", "ff00::/8", DENY_SPECIAL },
		{ "64:ff9b::192.0.2.1", "64:ff9b::/96", DENY_NAT64 },
		{ "64:ff9b:1::192.0.2.1", "64:ff9b:1::/48", DENY_NAT64 },
		{ "2001:db8:64::192.0.2.1", "2001:db8:64::/96", DENY_NAT64 },
		{ "2001:db8:e::192.0.2.1", "2001:db8:e::/96", DENY_EMBED },
		{ "2001:db8::22", "2001:db8::22/128", DENY_OWN_LISTENER },
	};
	struct egress_policy *p = calloc(1, sizeof(*p));
	size_t i;

	cr_assert_not_null(p);
	add_rule(p->allow, &p->n_allow, "::/0", 1, 65535);
	p->nat64[p->n_nat64++] = prefix_of("2001:db8:64::/96");
	p->embed[p->n_embed++] = prefix_of("2001:db8:e::/96");
	p->own[p->n_own++] = endpoint("2001:db8::22", 22);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		p->n_allow = 1;
		add_rule(p->allow, &p->n_allow, cases[i].allow, 1, 65535);
		cr_expect_eq(check(p, cases[i].to, 22), cases[i].reason,
		    "%s: %s", cases[i].to,
		    deny_reason_label(check(p, cases[i].to, 22)));
		cr_expect_eq(egress_rule_useless(p, &p->allow[1]),
		    cases[i].reason == DENY_OWN_LISTENER ? DENY_NONE :
							   cases[i].reason,
		    "%s", cases[i].allow);
	}
	cr_expect_eq(egress_rule_useless(p, &p->allow[0]), DENY_NONE);
	cr_expect_eq(check(p, "2001:db8::22", 23), DENY_NONE);
	free(p);
}

Test(egress, opens_a_special_range_only_to_a_rule_that_names_it)
{
	struct egress_policy *p = calloc(1, sizeof(*p));

	cr_assert_not_null(p);
	add_rule(p->allow, &p->n_allow, "::/0", 22, 22);
	cr_expect_eq(check(p, "fd00:1::1", 22), DENY_SPECIAL);
	cr_expect_eq(check(p, "2002:c000:201::1", 22), DENY_SPECIAL);
	cr_expect_eq(check(p, "2001::1", 22), DENY_SPECIAL);
	cr_expect_eq(check(p, "100::1", 22), DENY_SPECIAL);
	add_rule(p->allow, &p->n_allow, "fd00:1::/48", 2222, 2222);
	cr_expect_eq(check(p, "fd00:1::1", 2222), DENY_NONE);
	/* the port must be the naming rule's */
	cr_expect_eq(check(p, "fd00:1::1", 22), DENY_POLICY);
	cr_expect_eq(check(p, "fd00:2::1", 22), DENY_SPECIAL);
	cr_expect_eq(check(p, "2001:db8::1", 22), DENY_NONE);
	free(p);
}

Test(egress, refuses_where_the_client_itself_connected_to)
{
	struct egress_policy *p = example();
	struct endpoint local = endpoint("2001:db8::99", 22), to = local;

	cr_expect_eq(egress_check(p, &to, &local), DENY_OWN_LISTENER);
	cr_expect_eq(egress_check(p, &to, NULL), DENY_NONE);
	to.port = 2200;
	cr_expect_eq(egress_check(p, &to, &local), DENY_NONE);
	free(p);
}

Test(egress, opens_an_address_of_this_host_only_to_a_rule_for_it)
{
	struct egress_policy *p = example();
	struct endpoint to = endpoint("2001:db8::7", 22);

	cr_expect_eq(egress_check(p, &to, NULL), DENY_NONE);
	cr_expect_eq(egress_check_own(p, &to), DENY_OWN_ADDRESS);
	add_rule(p->allow, &p->n_allow, "2001:db8::6/127", 1, 65535);
	add_rule(p->allow, &p->n_allow, "2001:db8::8/128", 1, 65535);
	cr_expect_eq(egress_check_own(p, &to), DENY_OWN_ADDRESS);
	/* the port must be that rule's */
	add_rule(p->allow, &p->n_allow, "2001:db8::7/128", 2222, 2222);
	cr_expect_eq(egress_check_own(p, &to), DENY_OWN_ADDRESS);
	to.port = 2222;
	cr_expect_eq(egress_check_own(p, &to), DENY_NONE);
	free(p);
}
