/* SPDX-License-Identifier: ISC */
#include "common/token_bucket.h"

#include <criterion/criterion.h>

static unsigned
take_all(struct token_bucket *bucket, uint64_t now_ms)
{
	unsigned n = 0;

	while (token_bucket_take(bucket, now_ms))
		n++;
	return n;
}

Test(token_bucket, is_full_at_first)
{
	struct token_bucket bucket;

	token_bucket_init(&bucket, 10, 7, 12345);
	cr_assert_eq(take_all(&bucket, 12345), 7);
	cr_assert_not(token_bucket_take(&bucket, 12345));
}

Test(token_bucket, fills_at_its_rate)
{
	struct token_bucket bucket;

	token_bucket_init(&bucket, 10, 100, 0);
	take_all(&bucket, 0);
	cr_assert_not(token_bucket_take(&bucket, 99));
	cr_assert(token_bucket_take(&bucket, 100));
	cr_assert_not(token_bucket_take(&bucket, 199));
	cr_assert_eq(take_all(&bucket, 1200), 11);
}

/* However often it is asked, nothing is lost in between. */
Test(token_bucket, loses_no_fractions)
{
	struct token_bucket bucket;
	unsigned taken = 0;
	uint64_t now_ms;

	token_bucket_init(&bucket, 3, 1, 0);
	for (now_ms = 1; now_ms <= 100000; now_ms++)
		taken += token_bucket_take(&bucket, now_ms);
	cr_assert(taken >= 300 && taken <= 301, "%u", taken);
}

Test(token_bucket, never_holds_more_than_the_burst)
{
	struct token_bucket bucket;

	token_bucket_init(&bucket, UINT32_MAX, 5, 0);
	cr_assert_eq(take_all(&bucket, 1), 5);
	cr_assert_eq(take_all(&bucket, UINT64_MAX), 5);
	token_bucket_init(&bucket, 1, UINT32_MAX, 0);
	bucket.level.tokens = 0;
	cr_assert(token_bucket_take(&bucket, UINT64_MAX));
	cr_assert_eq(bucket.level.tokens, (UINT32_MAX - UINT64_C(1)) * 60000);
}

Test(token_bucket, gives_nothing_for_going_back_in_time)
{
	struct token_bucket bucket;

	token_bucket_init(&bucket, 1000, 1, 5000);
	cr_assert(token_bucket_take(&bucket, 5000));
	cr_assert_not(token_bucket_take(&bucket, 1));
	cr_assert_not(token_bucket_take(&bucket, 5000));
	cr_assert(token_bucket_take(&bucket, 5001));
}

Test(token_bucket, of_rate_or_burst_zero_gives_no_more)
{
	struct token_bucket bucket;

	token_bucket_init(&bucket, 0, 2, 0);
	cr_assert_eq(take_all(&bucket, 0), 2);
	cr_assert_not(token_bucket_take(&bucket, UINT64_MAX));
	token_bucket_init(&bucket, 1000, 0, 0);
	cr_assert_not(token_bucket_take(&bucket, UINT64_MAX));
}

/* --- limits that stand elsewhere ------------------------------------------ */

static unsigned
take_level(struct token_level *r, uint32_t per_minute, uint32_t burst,
    uint64_t now_ms)
{
	unsigned n = 0;

	while (token_level_take(r, per_minute, burst, now_ms))
		n++;
	return n;
}

Test(token_level, gives_a_burst_and_then_so_many_a_minute)
{
	struct token_level r;
	uint64_t now = 1000;

	token_level_fill(&r, 5, now);
	cr_expect_eq(take_level(&r, 60, 5, now), 5);
	cr_expect_eq(take_level(&r, 60, 5, now + 999), 0);
	cr_expect_eq(take_level(&r, 60, 5, now + 1000), 1);
	cr_expect_eq(take_level(&r, 60, 5, now + 3000), 2);
	cr_expect_eq(take_level(&r, 60, 5, now + 60000), 5);
}

Test(token_level, loses_no_fractions)
{
	struct token_level r;
	uint64_t now = 0;
	unsigned n = 0;

	token_level_fill(&r, 2, now);
	cr_expect_eq(take_level(&r, 7, 2, now), 2);
	for (; now <= 600000; now++)
		n += take_level(&r, 7, 2, now);
	cr_expect_eq(n, 70);
}

Test(token_level, survives_extremes)
{
	struct token_level r;

	token_level_fill(&r, UINT32_MAX, 0);
	cr_expect(token_level_take(&r, UINT32_MAX, UINT32_MAX, UINT64_MAX));
	/* Time runs backwards. */
	cr_expect(token_level_take(&r, UINT32_MAX, 1, 0));
	cr_expect_not(token_level_take(&r, UINT32_MAX, 1, UINT64_MAX));
	token_level_fill(&r, 1, 5);
	cr_expect(token_level_take(&r, 0, 1, UINT64_MAX));
	cr_expect_not(token_level_take(&r, 1, 0, UINT64_MAX));	/* no burst */
}

Test(token_level, holds_no_more_than_a_new_burst)
{
	struct token_level r;

	token_level_fill(&r, 100, 0);
	cr_expect_eq(take_level(&r, 1, 3, 0), 3);
}
