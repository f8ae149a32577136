/* SPDX-License-Identifier: ISC */
#include "proxyd/dial_plan.h"

#include <criterion/criterion.h>
#include <string.h>

static struct target_health health;
static struct target_policy policy;
static struct addr addr[3];
static struct endpoint local;	/* where the client connected to */

static void
set_up(void)
{
	static const struct siphash_key key;
	unsigned i;

	target_health_init(&health, &key);
	memset(&policy, 0, sizeof(policy));
	cr_assert_eq(prefix_parse("2001:db8::/64", 13, &policy.allow[0]), 0);
	policy.n_allow = 1;
	for (i = 0; i < 3; i++) {
		addr_parse("2001:db8::", 10, &addr[i]);
		addr[i].octet[15] = (uint8_t)(i + 1);
	}
}

TestSuite(dial_plan, .init = set_up);

static struct dial_plan
plan_for(unsigned n, uint32_t rotation, uint64_t now_ms)
{
	return dial_plan_make(addr, n, 443, &local, rotation, &policy,
	    &health, now_ms);
}

static void
expect(const struct dial_plan *plan, const char *last_octets)
{
	size_t i;

	cr_assert_eq(plan->n, strlen(last_octets), "%u targets, not %s",
	    plan->n, last_octets);
	for (i = 0; i < plan->n; i++)
		cr_assert_eq(plan->target[i].addr.octet[15],
		    last_octets[i] - '0', "place %zu of %s", i, last_octets);
}

Test(dial_plan, the_start_point_rotates)
{
	static const char *const order[] = { "123", "231", "312", "123" };
	struct dial_plan plan;
	uint32_t i;

	for (i = 0; i < 4; i++) {
		plan = plan_for(3, i, 0);
		expect(&plan, order[i]);
		cr_assert_eq(plan.target[0].port, 443);
		cr_assert(plan.track);
	}
}

Test(dial_plan, a_failed_target_comes_last)
{
	const struct endpoint failed = { addr[0], 443 };
	struct dial_plan plan;

	target_health_failed(&health, &failed, 1000);
	plan = plan_for(3, 0, 1001);
	expect(&plan, "231");
}

Test(dial_plan, when_its_hold_down_is_over_one_plan_tries_it_first)
{
	const struct endpoint failed = { addr[1], 443 };
	uint64_t later_ms = 1000 + TARGET_HEALTH_HOLD_MIN_MS + 1;
	struct dial_plan plan;

	target_health_failed(&health, &failed, 1000);
	plan = plan_for(3, 0, later_ms);
	expect(&plan, "213");
	plan = plan_for(3, 0, later_ms);
	expect(&plan, "132");
	target_health_succeeded(&health, &failed);
	plan = plan_for(3, 0, later_ms);
	expect(&plan, "123");
}

Test(dial_plan, a_single_target_is_tried_whatever_its_past)
{
	const struct endpoint failed = { addr[0], 443 };
	struct dial_plan plan;

	target_health_failed(&health, &failed, 1000);
	plan = plan_for(1, 7, 1001);
	expect(&plan, "1");
	cr_assert_not(plan.track);
}

Test(dial_plan, leaves_out_where_the_client_connected_to)
{
	struct dial_plan plan;

	local.addr = addr[1];
	local.port = 443;
	plan = plan_for(3, 0, 0);
	expect(&plan, "13");
	local.port = 80;	/* another server of this host */
	plan = plan_for(3, 0, 0);
	expect(&plan, "123");
}

Test(dial_plan, leaves_out_what_policy_forbids)
{
	struct dial_plan plan;

	addr_parse("2001:db9::1", 11, &addr[1]);
	plan = plan_for(3, 0, 0);
	expect(&plan, "13");
	addr[0] = addr[2] = addr[1];
	plan = plan_for(3, 0, 0);
	expect(&plan, "");
}
