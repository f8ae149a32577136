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
			jumpd_stat_set(&stats->value[stat], 0);
	jumpd_stat_set(&stats->heartbeat_ms, 0);
}
