/* SPDX-License-Identifier: ISC */
#include "proxyd/stats.h"

#include <assert.h>
#include <stdbool.h>

const char *
proxyd_stat_label(enum proxyd_stat stat)
{
	static const char *const labels[] = {
#define PROXYD_STAT(id, label, kind, help) label,
		PROXYD_STATS
#undef PROXYD_STAT
	};

	assert(stat < N_PROXYD_STATS);
	return labels[stat];
}

void
worker_stats_clear_gauges(struct worker_stats *stats)
{
	enum { COUNTER, GAUGE };
	static const unsigned char kinds[] = {
#define PROXYD_STAT(id, label, kind, help) kind,
		PROXYD_STATS
#undef PROXYD_STAT
	};
	unsigned i;

	for (i = 0; i < N_PROXYD_STATS; i++)
		if (kinds[i] == GAUGE)
			counter_set(&stats->value[i], 0);
	counter_set(&stats->heartbeat_ms, 0);
}

void
worker_stats_sum(const struct worker_stats *stats, unsigned n,
    struct worker_stats *ret)
{
	struct worker_stats sum = { 0 };
	unsigned w;

	for (w = 0; w < n; w++) {
		counters_add(sum.value, stats[w].value, N_PROXYD_STATS);
		counters_add(sum.closed, stats[w].closed, N_CLOSE_REASONS);
	}
	*ret = sum;
}
