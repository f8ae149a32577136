/* SPDX-License-Identifier: ISC */
/*
 * source_penalty.h - for how long a source that offends is refused.
 *
 * Each offence adds milliseconds, its price, that run off by themselves.  A
 * source that was refused for what it had collected and comes back to offend
 * has its offences doubled, up to 64 times; an hour without one takes one
 * doubling back.
 * Pure: the caller says what time it is; a plain value, all zero at first.
 */
#ifndef JUMPD_SOURCE_PENALTY_H
#define JUMPD_SOURCE_PENALTY_H

#include <stdbool.h>
#include <stdint.h>

struct source_penalty {
	bool		refused;	/* since its last offence */
	uint8_t		doublings;
	uint64_t	end_ms;		/* when nothing is left of it */
	uint64_t	offended_ms;
};

/* What is left of it, milliseconds. */
uint64_t source_penalty_left_ms(const struct source_penalty *,
    uint64_t now_ms);

/* An offence; no more than `max_ms` are collected. */
void source_penalty_add(struct source_penalty *, uint32_t price_ms,
    uint32_t max_ms, uint64_t now_ms);

#endif
