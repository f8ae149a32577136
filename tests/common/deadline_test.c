/* SPDX-License-Identifier: ISC */
#include "common/deadline.h"

#include <criterion/criterion.h>

static struct deadline_list list;

static void
set_up(void)
{
	deadline_list_init(&list);
}

TestSuite(deadline, .init = set_up);

Test(deadline, an_empty_list_has_none)
{
	cr_assert_null(deadline_expired(&list, UINT64_MAX));
}

Test(deadline, runs_out_in_order_and_not_before_its_time)
{
	struct deadline a = { 0 }, b = { 0 };

	deadline_set(&list, &a, 100);
	deadline_set(&list, &b, 200);
	cr_assert_null(deadline_expired(&list, 99));
	cr_assert_eq(deadline_expired(&list, 100), &a);
	deadline_clear(&a);
	cr_assert_null(deadline_expired(&list, 199));
	cr_assert_eq(deadline_expired(&list, 200), &b);
}

Test(deadline, setting_again_moves_it_to_the_end)
{
	struct deadline a = { 0 }, b = { 0 };

	deadline_set(&list, &a, 100);
	deadline_set(&list, &b, 200);
	deadline_set(&list, &a, 300);
	cr_assert_eq(deadline_expired(&list, 1000), &b);
	deadline_clear(&b);
	cr_assert_eq(deadline_expired(&list, 1000), &a);
	cr_assert_eq(a.at_ms, 300);
}

Test(deadline, moves_from_one_list_to_another)
{
	struct deadline_list other;
	struct deadline a = { 0 };

	deadline_list_init(&other);
	deadline_set(&list, &a, 1);
	deadline_set(&other, &a, 2);
	cr_assert_null(deadline_expired(&list, UINT64_MAX));
	cr_assert_eq(deadline_expired(&other, UINT64_MAX), &a);
}

Test(deadline, keeps_order_when_a_time_lies_before_the_latest)
{
	struct deadline a = { 0 }, b = { 0 };

	deadline_set(&list, &a, 500);
	deadline_set(&list, &b, 100);
	cr_assert_eq(b.at_ms, 500);
	cr_assert_null(deadline_expired(&list, 499));
}

Test(deadline, a_cap_brings_later_ones_forward_and_leaves_the_others)
{
	struct deadline a = { 0 }, b = { 0 }, c = { 0 };

	deadline_set(&list, &a, 100);
	deadline_set(&list, &b, 1000);
	deadline_set(&list, &c, 2000);
	deadline_list_cap(&list, 300);
	cr_assert_eq(a.at_ms, 100);
	cr_assert_eq(b.at_ms, 300);
	cr_assert_eq(c.at_ms, 300);
}

Test(deadline, clearing_twice_is_harmless)
{
	struct deadline a = { 0 };

	deadline_clear(&a);
	deadline_set(&list, &a, 1);
	deadline_clear(&a);
	deadline_clear(&a);
	cr_assert_null(deadline_expired(&list, UINT64_MAX));
}
