/* SPDX-License-Identifier: ISC */
#include "common/token_bucket.h"

enum { TOKEN = 60000 };		/* what one a minute fills in a minute */

void
token_level_fill(struct token_level *level, uint32_t burst, uint64_t now_ms)
{
	level->tokens = (uint64_t)burst * TOKEN;
	level->updated_ms = now_ms;
}

bool
token_level_has(struct token_level *level, uint64_t per_minute,
    uint32_t burst, uint64_t now_ms)
{
	uint64_t most = (uint64_t)burst * TOKEN;
	uint64_t missing = level->tokens < most ? most - level->tokens : 0;
	uint64_t passed_ms = 0;

	if (now_ms > level->updated_ms) {
		passed_ms = now_ms - level->updated_ms;
		level->updated_ms = now_ms;
	}
	/* So the product is at most `missing`. */
	if (missing == 0 ||
	    (per_minute > 0 && passed_ms > missing / per_minute))
		level->tokens = most;
	else
		level->tokens += passed_ms * per_minute;
	return level->tokens >= TOKEN;
}

bool
token_level_take(struct token_level *level, uint64_t per_minute,
    uint32_t burst, uint64_t now_ms)
{
	if (!token_level_has(level, per_minute, burst, now_ms))
		return false;
	level->tokens -= TOKEN;
	return true;
}

void
token_bucket_init(struct token_bucket *bucket, uint32_t rate, uint32_t burst,
    uint64_t now_ms)
{
	bucket->rate = rate;
	bucket->burst = burst;
	token_level_fill(&bucket->level, burst, now_ms);
}

bool
token_bucket_take(struct token_bucket *bucket, uint64_t now_ms)
{
	return token_level_take(&bucket->level, (uint64_t)bucket->rate * 60,
	    bucket->burst, now_ms);
}
