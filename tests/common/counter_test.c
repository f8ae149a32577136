/* SPDX-License-Identifier: ISC */
#include "common/counter.h"

#include <criterion/criterion.h>

enum { N = 4 };

static _Atomic uint64_t a[N], b[N], sum[N + 1];

Test(counter, holds_what_was_set_and_added)
{
	counter_set(&a[0], UINT64_C(1) << 40);
	counter_add(&a[0], 2);
	counter_add(&a[0], UINT64_C(1) << 32);
	cr_expect_eq(counter_get(&a[0]),
	    (UINT64_C(1) << 40) + (UINT64_C(1) << 32) + 2);
	counter_set(&a[0], 0);
	cr_expect_eq(counter_get(&a[0]), 0);
	cr_expect_eq(counter_get(&a[1]), 0);
}

Test(counter, sums_go_on_from_what_is_there)
{
	unsigned i;

	for (i = 0; i < N; i++) {
		counter_set(&a[i], i + 1);
		counter_set(&b[i], 100 * i);
	}
	counter_set(&sum[N], 7);
	counters_add(sum, a, N);
	counters_add(sum, b, N);
	for (i = 0; i < N; i++) {
		cr_expect_eq(counter_get(&sum[i]), 101 * i + 1);
		cr_expect_eq(counter_get(&a[i]), i + 1);
	}
	cr_expect_eq(counter_get(&sum[N]), 7);
	counters_add(sum, a, 0);
	cr_expect_eq(counter_get(&sum[0]), 1);
}
