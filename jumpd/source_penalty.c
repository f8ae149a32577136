/* SPDX-License-Identifier: ISC */
#include "jumpd/source_penalty.h"

enum {
	DOUBLINGS_MAX = 6,
	FORGIVE_MS = 3600 * 1000	/* without offence: a doubling less */
};

uint64_t
source_penalty_left_ms(const struct source_penalty *p, uint64_t now_ms)
{
	return p->end_ms > now_ms ? p->end_ms - now_ms : 0;
}

/* How often its offences are doubled now. */
static void
set_doublings(struct source_penalty *p, uint64_t now_ms)
{
	uint64_t forgiven = now_ms > p->offended_ms ?
	    (now_ms - p->offended_ms) / FORGIVE_MS :
	    0;

	p->doublings = forgiven < p->doublings ?
	    (uint8_t)(p->doublings - forgiven) :
	    0;
	if (p->refused && p->doublings < DOUBLINGS_MAX)
		p->doublings++;
	p->refused = false;
	p->offended_ms = now_ms;
}

void
source_penalty_add(struct source_penalty *p, uint32_t price_ms,
    uint32_t max_ms, uint64_t now_ms)
{
	uint64_t left;

	set_doublings(p, now_ms);
	left = source_penalty_left_ms(p, now_ms) +
	    ((uint64_t)price_ms << p->doublings);
	p->end_ms = now_ms + (left > max_ms ? max_ms : left);
}
