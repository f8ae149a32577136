/* SPDX-License-Identifier: ISC */
/*
 * egress.h - which addresses and ports may be connected to at all.
 *
 * Judged on the address that is connected, never on the name.  A target must
 * match an `allow` rule and no `deny` rule; no `allow` rule allows nothing.
 * Refused always, whatever the rules say: IPv4 in every notation inside IPv6
 * (v4-mapped, v4-compatible, v4-translated), unspecified, loopback,
 * link-local, multicast, the well-known and local-use NAT64 prefixes, the
 * operator's NAT64 and embed prefixes, and our own listeners.  Other
 * special-purpose ranges (ULA, 6to4, Teredo...: prefix.h) are refused unless an
 * `allow` rule's prefix lies wholly inside the range: "fd00:1::/48" opens that
 * ULA, "::/0" does not.  Other addresses of this host are refused unless an
 * `allow` rule is for that very address: from here, its services would take a
 * stranger for itself.
 * Pure; a plain value of fixed size, so that it can be sent to the broker.
 */
#ifndef JUMPD_EGRESS_H
#define JUMPD_EGRESS_H

#include "common/prefix.h"
#include "jumpd/deny_reasons.h"

enum {
	EGRESS_RULES_MAX = 256,		/* of `allow`, and of `deny` */
	EGRESS_PORTS_MAX = 8,		/* ranges of one rule */
	EGRESS_NAT64_MAX = 16,
	EGRESS_EMBED_MAX = 4,
	EGRESS_OWN_MAX = 512
};

struct egress_ports {
	uint16_t	first, last;	/* first <= last */
};

struct egress_rule {
	struct prefix	prefix;
	uint8_t		n_ports;	/* allow: 0 allows nothing, the
					 * configuration puts 22; deny: 0 is
					 * every port */
	struct egress_ports ports[EGRESS_PORTS_MAX];
};

struct egress_policy {
	uint16_t	n_allow, n_deny, n_nat64, n_embed, n_own;
	struct egress_rule allow[EGRESS_RULES_MAX];
	struct egress_rule deny[EGRESS_RULES_MAX];
	struct prefix	nat64[EGRESS_NAT64_MAX];
	struct prefix	embed[EGRESS_EMBED_MAX];
	struct endpoint	own[EGRESS_OWN_MAX];	/* where we listen; port as
						 * it is */
};

/*
 * DENY_NONE, or why not: OWN_LISTENER, EMBED, NAT64, SPECIAL, POLICY_DENIED,
 * POLICY.  `local` is where the client itself connected to, or NULL: that
 * endpoint is ours too, even if a wildcard listens there.
 */
enum deny_reason egress_check(const struct egress_policy *,
    const struct endpoint *to, const struct endpoint *local);

/* Of an address that is this host's, and that egress_check() allows: DENY_NONE
 * or OWN_ADDRESS. */
enum deny_reason egress_check_own(const struct egress_policy *,
    const struct endpoint *to);

/* For -t: could this `allow` rule ever allow anything?  DENY_NONE, or SPECIAL
 * or NAT64 if its whole prefix is refused always. */
enum deny_reason egress_rule_useless(const struct egress_policy *,
    const struct egress_rule *allow);

#endif
