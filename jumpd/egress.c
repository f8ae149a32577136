/* SPDX-License-Identifier: ISC */
#include "jumpd/egress.h"

/*
 * What no rule opens: addresses that stand for IPv4 or for this host, and
 * those that mean something else on each link.
 */
#define PREFIX(bits, ...) \
	{ .addr = { { __VA_ARGS__ } }, .len = (bits) }

static const struct prefix never[] = {
	PREFIX(96, 0),		/* unspecified, loopback, v4-compatible */
	PREFIX(96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff),
	PREFIX(96, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff),	/* RFC 2765 */
	PREFIX(10, 0xfe, 0x80),
	PREFIX(10, 0xfe, 0xc0),	/* site-local: as ambiguous, RFC 3879 */
	PREFIX(8, 0xff),
};

static const struct prefix nat64[] = {
	PREFIX(96, 0, 0x64, 0xff, 0x9b),		/* RFC 6052 */
	PREFIX(48, 0, 0x64, 0xff, 0x9b, 0, 1),	/* RFC 8215 */
};

static bool
in_any(const struct prefix *prefix, size_t n, const struct addr *addr)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (prefix_contains(&prefix[i], addr))
			return true;
	return false;
}

static bool
has_port(const struct egress_rule *rule, uint16_t port)
{
	unsigned i;

	for (i = 0; i < rule->n_ports; i++)
		if (port >= rule->ports[i].first && port <= rule->ports[i].last)
			return true;
	return false;
}

static bool
own(const struct egress_policy *p, const struct endpoint *to,
    const struct endpoint *local)
{
	unsigned i;

	if (local != NULL && endpoint_equal(to, local))
		return true;
	for (i = 0; i < p->n_own; i++)
		if (endpoint_equal(to, &p->own[i]))
			return true;
	return false;
}

static bool
denied(const struct egress_policy *p, const struct endpoint *to)
{
	unsigned i;

	for (i = 0; i < p->n_deny; i++)
		if (prefix_contains(&p->deny[i].prefix, &to->addr) &&
		    (p->deny[i].n_ports == 0 ||
		    has_port(&p->deny[i], to->port)))
			return true;
	return false;
}

/* An `allow` rule's prefix holds the address and, if a range is given, lies
 * within it. */
static bool
named(const struct egress_policy *p, const struct addr *addr,
    const struct prefix *range)
{
	unsigned i;

	for (i = 0; i < p->n_allow; i++)
		if (prefix_contains(&p->allow[i].prefix, addr) &&
		    prefix_within(&p->allow[i].prefix, range))
			return true;
	return false;
}

/* The rule that allows it must itself name the special range. */
static bool
allowed(const struct egress_policy *p, const struct endpoint *to,
    const struct prefix *range)
{
	const struct egress_rule *rule;
	unsigned i;

	for (i = 0; i < p->n_allow; i++) {
		rule = &p->allow[i];
		if (prefix_contains(&rule->prefix, &to->addr) &&
		    (range == NULL || prefix_within(&rule->prefix, range)) &&
		    has_port(rule, to->port))
			return true;
	}
	return false;
}

enum deny_reason
egress_check(const struct egress_policy *p, const struct endpoint *to,
    const struct endpoint *local)
{
	const struct special_range *special = special_range_find(&to->addr);
	const struct prefix *range = special != NULL ? &special->prefix : NULL;

	if (own(p, to, local))
		return DENY_OWN_LISTENER;
	if (in_any(p->embed, p->n_embed, &to->addr))
		return DENY_EMBED;
	if (in_any(nat64, sizeof(nat64) / sizeof(nat64[0]), &to->addr) ||
	    in_any(p->nat64, p->n_nat64, &to->addr))
		return DENY_NAT64;
	if (in_any(never, sizeof(never) / sizeof(never[0]), &to->addr))
		return DENY_SPECIAL;
	if (range != NULL && !named(p, &to->addr, range))
		return DENY_SPECIAL;
	if (to->port == 0 || denied(p, to))
		return DENY_POLICY_DENIED;
	return allowed(p, to, range) ? DENY_NONE : DENY_POLICY;
}

enum deny_reason
egress_check_own(const struct egress_policy *p, const struct endpoint *to)
{
	const struct prefix itself = { .addr = to->addr, .len = 128 };

	return allowed(p, to, &itself) ? DENY_NONE : DENY_OWN_ADDRESS;
}

static bool
within_any(const struct prefix *inner, const struct prefix *outer, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (prefix_within(inner, &outer[i]))
			return true;
	return false;
}

enum deny_reason
egress_rule_useless(const struct egress_policy *p,
    const struct egress_rule *allow)
{
	if (within_any(&allow->prefix, p->embed, p->n_embed))
		return DENY_EMBED;
	if (within_any(&allow->prefix, nat64,
		sizeof(nat64) / sizeof(nat64[0])) ||
	    within_any(&allow->prefix, p->nat64, p->n_nat64))
		return DENY_NAT64;
	if (within_any(&allow->prefix, never, sizeof(never) / sizeof(never[0])))
		return DENY_SPECIAL;
	return DENY_NONE;
}
