/* SPDX-License-Identifier: ISC */
#include "translate/xlat_stats.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

const char *
xlat_stat_label(enum xlat_stat stat)
{
	static const char *const labels[] = {
#define XLAT_STAT(id, label, help) label,
		XLAT_STATS
#undef XLAT_STAT
	};

	assert(stat < N_XLAT_STATS);
	return labels[stat];
}

void
xlat_stats_sum(const struct xlat_stats *stats, unsigned n,
    struct xlat_stats *sum)
{
	for (unsigned w = 0; w < n; w++) {
		counters_add(sum->value, stats[w].value, N_XLAT_STATS);
		counters_add(sum->dropped, stats[w].dropped, N_DROP_REASONS);
	}
}

size_t
xlat_stats_format(const struct xlat_stats *stats, bool drops, char *out,
    size_t room)
{
	unsigned n = drops ? (unsigned)N_DROP_REASONS : (unsigned)N_XLAT_STATS;
	size_t len = 0;
	int more;

	assert(room > 0);
	out[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		uint64_t value = counter_get(drops ? &stats->dropped[i] :
		    &stats->value[i]);

		if (value == 0)
			continue;
		more = snprintf(out + len, room - len, "%s%s=%" PRIu64,
		    len == 0 ? "" : " ", drops ?
		    drop_reason_label((enum drop_reason)i) :
		    xlat_stat_label((enum xlat_stat)i), value);
		if (more < 0 || (size_t)more >= room - len) {
			out[len] = '\0';
			break;
		}
		len += (size_t)more;
	}
	return len;
}
