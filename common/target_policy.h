/* SPDX-License-Identifier: ISC */
/*
 * target_policy.h - which addresses may be connected to at all.
 *
 * A target must lie in an `allow` prefix.  If it also lies in a special range
 * (prefix.h) or in one of the operator's NAT64 prefixes, an allow prefix that
 * lies wholly inside that range must name it: "fd00:1::/48" opens that ULA,
 * "::/0" does not.  Our own listeners are never targets: it would be a loop.
 * Nor are embed prefixes, whose addresses stand for IPv4 clients, whatever
 * the allow prefixes say.
 * Pure; a plain value of fixed size, so that it can be sent to a worker.
 */
#ifndef COMMON_TARGET_POLICY_H
#define COMMON_TARGET_POLICY_H

#include "common/prefix.h"

enum {
	TARGET_POLICY_ALLOW_MAX = 256,
	TARGET_POLICY_NAT64_MAX = 16,
	TARGET_POLICY_EMBED_MAX = 4,
	TARGET_POLICY_OWN_MAX = 512
};

struct target_policy {
	uint16_t	n_allow, n_nat64, n_embed, n_own;
	struct prefix	allow[TARGET_POLICY_ALLOW_MAX];
	struct prefix	nat64[TARGET_POLICY_NAT64_MAX];
	struct prefix	embed[TARGET_POLICY_EMBED_MAX];
	struct endpoint	own[TARGET_POLICY_OWN_MAX];	/* where we listen */
};

enum target_verdict {
	TARGET_ALLOWED = 0,
	TARGET_NOT_ALLOWED,	/* in no allow prefix */
	TARGET_SPECIAL,		/* in a special range nobody named */
	TARGET_NAT64,		/* in a NAT64 prefix nobody named */
	TARGET_EMBED,		/* in an embed prefix */
	TARGET_OWN_LISTENER
};

enum target_verdict target_policy_check(const struct target_policy *,
    const struct endpoint *);

/* The two halves of it: an endpoint of ours, and else what its address is;
 * never TARGET_OWN_LISTENER. */
bool target_policy_is_own(const struct target_policy *,
    const struct endpoint *);
enum target_verdict target_policy_check_address(const struct target_policy *,
    const struct addr *);

/* What is wrong, as a sentence fragment for messages. */
const char *target_verdict_text(enum target_verdict);

#endif
