/* SPDX-License-Identifier: ISC */
/*
 * dial_plan.h - which targets of a name to try, in which order.
 *
 * The start point rotates; targets that failed lately come last
 * (target_health.h); what target_policy.h forbids is left out, and so is
 * where the client itself connected to: a loop, through an address that this
 * host got after policy was made.  A name's only target is always tried.
 * Pure.
 */
#ifndef PROXYD_DIAL_PLAN_H
#define PROXYD_DIAL_PLAN_H

#include "common/mapping.h"
#include "common/target_policy.h"
#include "proxyd/target_health.h"

struct dial_plan {
	uint8_t		n;		/* 0: policy forbids them all */
	uint8_t		next;		/* the one being tried */
	bool		track;		/* there were several: report health */
	struct endpoint	target[MAPPING_TARGETS_MAX];
};

/*
 * Plan for `n` addresses (1-MAPPING_TARGETS_MAX) at one port, for a client
 * that connected to `local`.  `rotation` is any number that grows by one with
 * each plan.
 */
struct dial_plan dial_plan_make(const struct addr *addr, unsigned n,
    uint16_t port, const struct endpoint *local, uint32_t rotation,
    const struct target_policy *, struct target_health *, uint64_t now_ms);

#endif
