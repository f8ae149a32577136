/* SPDX-License-Identifier: ISC */
#include "common/target_policy.h"

#include <assert.h>

/* Some allow prefix holds the address and, if given, lies within `range`. */
static bool
allowed_by_name(const struct target_policy *p, const struct addr *addr,
    const struct prefix *range)
{
	unsigned i;

	for (i = 0; i < p->n_allow; i++)
		if (prefix_contains(&p->allow[i], addr) &&
		    (range == NULL || prefix_within(&p->allow[i], range)))
			return true;
	return false;
}

enum target_verdict
target_policy_check_address(const struct target_policy *p,
    const struct addr *to)
{
	const struct special_range *range = special_range_find(to);
	unsigned i;

	for (i = 0; i < p->n_embed; i++)
		if (prefix_contains(&p->embed[i], to))
			return TARGET_EMBED;
	if (range != NULL && !allowed_by_name(p, to, &range->prefix))
		return TARGET_SPECIAL;
	for (i = 0; i < p->n_nat64; i++)
		if (prefix_contains(&p->nat64[i], to) &&
		    !allowed_by_name(p, to, &p->nat64[i]))
			return TARGET_NAT64;
	return allowed_by_name(p, to, NULL) ? TARGET_ALLOWED :
					      TARGET_NOT_ALLOWED;
}

bool
target_policy_is_own(const struct target_policy *p, const struct endpoint *to)
{
	unsigned i;

	for (i = 0; i < p->n_own; i++)
		if (endpoint_equal(&p->own[i], to))
			return true;
	return false;
}

enum target_verdict
target_policy_check(const struct target_policy *p, const struct endpoint *to)
{
	return target_policy_is_own(p, to) ? TARGET_OWN_LISTENER :
		target_policy_check_address(p, &to->addr);
}

const char *
target_verdict_text(enum target_verdict verdict)
{
	switch (verdict) {
	case TARGET_ALLOWED:
		return "is allowed";
	case TARGET_NOT_ALLOWED:
		return "is in no prefix of allow_targets";
	case TARGET_SPECIAL:
		return "is in a special-purpose range that allow_targets "
		       "does not name";
	case TARGET_NAT64:
		return "is in a NAT64 prefix that allow_targets does not name";
	case TARGET_EMBED:
		return "is in the embed prefix, whose addresses are clients";
	case TARGET_OWN_LISTENER:
		return "is one of our own listeners";
	}
	assert(false);
	return NULL;
}
