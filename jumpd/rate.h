/* SPDX-License-Identifier: ISC */
/*
 * rate.h - so many a minute, and no sleeping.
 *
 * A bucket holds tokens, fills by `per_minute` and never above `burst`.
 * Pure; a plain value.  The caller says what time it is, and the limits at
 * each call.
 */
#ifndef JUMPD_RATE_H
#define JUMPD_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
	uint64_t	level;		/* tokens, in 1/60000 */
	uint64_t	at_ms;		/* when it was that much */
};

/* Full. */
void rate_fill(struct rate *, uint32_t burst, uint64_t now_ms);

/* Is there a token now? */
bool rate_has(struct rate *, uint32_t per_minute, uint32_t burst,
    uint64_t now_ms);

/* Take one, if there is. */
bool rate_take(struct rate *, uint32_t per_minute, uint32_t burst,
    uint64_t now_ms);

#endif
