/* SPDX-License-Identifier: ISC */
#include "jumpd/rate.h"

enum { TOKEN = 60000 };		/* what one a minute fills in a minute */

void
rate_fill(struct rate *rate, uint32_t burst, uint64_t now_ms)
{
	rate->level = (uint64_t)burst * TOKEN;
	rate->at_ms = now_ms;
}

bool
rate_has(struct rate *rate, uint32_t per_minute, uint32_t burst,
    uint64_t now_ms)
{
	uint64_t most = (uint64_t)burst * TOKEN;
	uint64_t passed = now_ms > rate->at_ms ? now_ms - rate->at_ms : 0;

	/* No bucket takes longer to fill than 2^32 minutes. */
	if (passed > (uint64_t)UINT32_MAX * TOKEN ||
	    (per_minute > 0 && passed > most / per_minute))
		rate->level = most;
	else
		rate->level += passed * per_minute;
	if (rate->level > most)
		rate->level = most;
	if (now_ms > rate->at_ms)
		rate->at_ms = now_ms;
	return rate->level >= TOKEN;
}

bool
rate_take(struct rate *rate, uint32_t per_minute, uint32_t burst,
    uint64_t now_ms)
{
	if (!rate_has(rate, per_minute, burst, now_ms))
		return false;
	rate->level -= TOKEN;
	return true;
}
