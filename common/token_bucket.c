/* SPDX-License-Identifier: ISC */
#include "common/token_bucket.h"

enum { MILLI = 1000 };

void
token_bucket_init(struct token_bucket *bucket, uint32_t rate, uint32_t burst,
    uint64_t now_ms)
{
	bucket->rate = rate;
	bucket->burst = burst;
	bucket->level_milli = (uint64_t)burst * MILLI;
	bucket->updated_ms = now_ms;
}

/* A token a second is a thousandth of one a millisecond. */
static void
fill(struct token_bucket *bucket, uint64_t now_ms)
{
	uint64_t full_milli = (uint64_t)bucket->burst * MILLI;
	uint64_t missing_milli, passed_ms;

	if (now_ms <= bucket->updated_ms)
		return;
	passed_ms = now_ms - bucket->updated_ms;
	bucket->updated_ms = now_ms;
	if (bucket->rate == 0)
		return;
	missing_milli = full_milli - bucket->level_milli;
	if (passed_ms >= missing_milli / bucket->rate + 1)
		bucket->level_milli = full_milli;
	else
		bucket->level_milli += passed_ms * bucket->rate;
}

bool
token_bucket_take(struct token_bucket *bucket, uint64_t now_ms)
{
	fill(bucket, now_ms);
	if (bucket->level_milli < MILLI)
		return false;
	bucket->level_milli -= MILLI;
	return true;
}
