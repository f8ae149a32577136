/* SPDX-License-Identifier: ISC */
/*
 * token_bucket.h - a rate limit that never sleeps.
 *
 * A bucket fills at its rate, never above its burst.  Pure: the caller says
 * what time it is.  Both structs are plain values; copy them, embed them,
 * compare them.  They own nothing.
 */
#ifndef COMMON_TOKEN_BUCKET_H
#define COMMON_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* What is in a bucket whose limits stand elsewhere, and may change: for
 * tables of many. */
struct token_level {
	uint64_t	tokens;		/* in 1/60000 */
	uint64_t	updated_ms;	/* monotonic time of `tokens` */
};

/* Full. */
void token_level_fill(struct token_level *, uint32_t burst, uint64_t now_ms);

/*
 * Is there a token at `now_ms`?  An earlier time than the last one adds none;
 * what is beyond a new, smaller burst is lost.
 */
bool token_level_has(struct token_level *, uint64_t per_minute,
    uint32_t burst, uint64_t now_ms);

/* The same, and take it.  Takes nothing if there is none. */
bool token_level_take(struct token_level *, uint64_t per_minute,
    uint32_t burst, uint64_t now_ms);

struct token_bucket {
	uint32_t	rate;		/* tokens per second */
	uint32_t	burst;		/* most tokens held */
	struct token_level level;
};

/* A full bucket. */
void token_bucket_init(struct token_bucket *, uint32_t rate, uint32_t burst,
    uint64_t now_ms);

/*
 * Take one token at `now_ms`; an earlier time than the last one adds none.
 * Returns false, and takes nothing, if there is none.
 */
bool token_bucket_take(struct token_bucket *, uint64_t now_ms);

#endif
