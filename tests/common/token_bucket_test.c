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
	bucket.level_milli = 0;
	cr_assert(token_bucket_take(&bucket, UINT64_MAX));
	cr_assert_eq(bucket.level_milli, UINT32_MAX * UINT64_C(1000) - 1000);
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
