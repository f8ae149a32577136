/* SPDX-License-Identifier: ISC */
/*
 * token_bucket.h - a rate limit that never sleeps.
 *
 * Pure: the caller says what time it is.  A bucket is a plain value; copy it,
 * embed it, compare it.  It owns nothing.
 */
#ifndef COMMON_TOKEN_BUCKET_H
#define COMMON_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct token_bucket {
	uint32_t	rate;		/* tokens per second */
	uint32_t	burst;		/* most tokens held */
	uint64_t	level_milli;	/* tokens held, in thousandths */
	uint64_t	updated_ms;	/* monotonic time of `level_milli` */
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
