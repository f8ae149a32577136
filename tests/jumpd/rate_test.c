/* SPDX-License-Identifier: ISC */
#include "jumpd/rate.h"

#include <criterion/criterion.h>

static unsigned
take_all(struct rate *r, uint32_t per_minute, uint32_t burst, uint64_t now_ms)
{
	unsigned n = 0;

	while (rate_take(r, per_minute, burst, now_ms))
		n++;
	return n;
}

Test(rate, gives_a_burst_and_then_so_many_a_minute)
{
	struct rate r;
	uint64_t now = 1000;

	rate_fill(&r, 5, now);
	cr_expect_eq(take_all(&r, 60, 5, now), 5);
	cr_expect_eq(take_all(&r, 60, 5, now + 999), 0);
	cr_expect_eq(take_all(&r, 60, 5, now + 1000), 1);
	cr_expect_eq(take_all(&r, 60, 5, now + 3000), 2);
	cr_expect_eq(take_all(&r, 60, 5, now + 60000), 5);
}

Test(rate, loses_no_fractions)
{
	struct rate r;
	uint64_t now = 0;
	unsigned n = 0;

	rate_fill(&r, 2, now);
	cr_expect_eq(take_all(&r, 7, 2, now), 2);
	for (; now <= 600000; now++)
		n += take_all(&r, 7, 2, now);
	cr_expect_eq(n, 70);
}

Test(rate, survives_extremes)
{
	struct rate r;

	rate_fill(&r, UINT32_MAX, 0);
	cr_expect(rate_take(&r, UINT32_MAX, UINT32_MAX, UINT64_MAX));
	cr_expect(rate_take(&r, UINT32_MAX, 1, 0));	/* runs backwards */
	cr_expect_not(rate_take(&r, UINT32_MAX, 1, UINT64_MAX));
	rate_fill(&r, 1, 5);
	cr_expect(rate_take(&r, 0, 1, UINT64_MAX));
	cr_expect_not(rate_take(&r, 1, 0, UINT64_MAX));	/* no burst */
}

Test(rate, holds_no_more_than_a_new_burst)
{
	struct rate r;

	rate_fill(&r, 100, 0);
	cr_expect_eq(take_all(&r, 1, 3, 0), 3);
}
