/* SPDX-License-Identifier: ISC */
#include "jumpd/stats.h"

#include <assert.h>
#include <stdbool.h>

enum { COUNTER, GAUGE };

const char *
jumpd_stat_label(enum jumpd_stat stat)
{
	static const char *const labels[] = {
#define JUMPD_STAT(id, label, kind, help) label,
		JUMPD_STATS
#undef JUMPD_STAT
	};

	assert(stat < N_JUMPD_STATS);
	return labels[stat];
}

const char *
jumpd_stat_help(enum jumpd_stat stat)
{
	static const char *const helps[] = {
#define JUMPD_STAT(id, label, kind, help) help,
		JUMPD_STATS
#undef JUMPD_STAT
	};

	assert(stat < N_JUMPD_STATS);
	return helps[stat];
}

void
jumpd_stats_ended(struct jumpd_stats *stats)
{
	static const int kinds[] = {
#define JUMPD_STAT(id, label, kind, help) kind,
		JUMPD_STATS
#undef JUMPD_STAT
	};
	enum jumpd_stat stat;

	for (stat = 0; stat < N_JUMPD_STATS; stat++)
		if (kinds[stat] == GAUGE)
			counter_set(&stats->value[stat], 0);
	counter_set(&stats->heartbeat_ms, 0);
}

void
jumpd_stats_sum(const struct jumpd_stats *stats, unsigned n,
    struct jumpd_stats *ret)
{
	struct jumpd_stats sum = { 0 };
	unsigned b;

	for (b = 0; b < n; b++) {
		counters_add(sum.value, stats[b].value, N_JUMPD_STATS);
		counters_add(sum.denied, stats[b].denied, N_DENY_REASONS);
		counters_add(sum.ended, stats[b].ended, N_END_REASONS);
	}
	*ret = sum;
}
