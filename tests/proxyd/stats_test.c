/* SPDX-License-Identifier: ISC */
#include "proxyd/stats.h"

#include <criterion/criterion.h>
#include <string.h>

static struct worker_stats blocks[2];

Test(stats, sums_all_blocks)
{
	struct worker_stats sum;

	counter_add(&blocks[0].value[STAT_ACCEPTED], 3);
	counter_add(&blocks[1].value[STAT_ACCEPTED], 4);
	counter_add(&blocks[1].closed[CLOSE_DONE], 5);
	worker_stats_sum(blocks, 2, &sum);
	cr_assert_eq(counter_get(&sum.value[STAT_ACCEPTED]), 7);
	cr_assert_eq(counter_get(&sum.closed[CLOSE_DONE]), 5);
	cr_assert_eq(counter_get(&sum.closed[CLOSE_IDLE]), 0);
}

Test(stats, a_workers_end_clears_gauges_and_keeps_counters)
{
	counter_set(&blocks[0].value[STAT_ACTIVE], 9);
	counter_add(&blocks[0].value[STAT_UP_OCTETS], 100);
	counter_set(&blocks[0].heartbeat_ms, 77);
	worker_stats_clear_gauges(&blocks[0]);
	cr_assert_eq(counter_get(&blocks[0].value[STAT_ACTIVE]), 0);
	cr_assert_eq(counter_get(&blocks[0].heartbeat_ms), 0);
	cr_assert_eq(counter_get(&blocks[0].value[STAT_UP_OCTETS]), 100);
}

Test(stats, blocks_of_two_workers_share_no_cache_line)
{
	cr_assert_eq(sizeof(struct worker_stats) % 64, 0);
	cr_assert_eq((uintptr_t)&blocks[1] % 64, 0);
}

Test(stats, labels_are_unique)
{
	unsigned i, j;

	for (i = 0; i < N_PROXYD_STATS; i++)
		for (j = 0; j < i; j++)
			cr_assert_str_neq(proxyd_stat_label(i),
			    proxyd_stat_label(j));
}
