/* SPDX-License-Identifier: ISC */
#include "proxyd/dial_plan.h"

#include <assert.h>

static void
append(struct dial_plan *plan, const struct endpoint *from, unsigned n)
{
	while (n-- > 0)
		plan->target[plan->n++] = *from++;
}

struct dial_plan
dial_plan_make(const struct addr *addr, unsigned n, uint16_t port,
    const struct endpoint *local, uint32_t rotation,
    const struct target_policy *policy, struct target_health *health,
    uint64_t now_ms)
{
	struct dial_plan plan = { .track = n > 1 };
	struct endpoint by_state[3][MAPPING_TARGETS_MAX], at;
	unsigned i, count[3] = { 0 };
	enum target_state state;

	assert(n >= 1 && n <= MAPPING_TARGETS_MAX);
	for (i = 0; i < n; i++) {
		at.addr = addr[(rotation + i) % n];
		at.port = port;
		if (target_policy_check(policy, &at) != TARGET_ALLOWED ||
		    endpoint_equal(&at, local))
			continue;
		state = plan.track ? target_health_ask(health, &at, now_ms) :
				     TARGET_UP;
		by_state[state][count[state]++] = at;
	}
	/* Who was asked to probe must do so, or nobody does for a while. */
	append(&plan, by_state[TARGET_PROBE], count[TARGET_PROBE]);
	append(&plan, by_state[TARGET_UP], count[TARGET_UP]);
	append(&plan, by_state[TARGET_HELD], count[TARGET_HELD]);
	return plan;
}
