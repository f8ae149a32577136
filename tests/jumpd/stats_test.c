/* SPDX-License-Identifier: ISC */
#include "jumpd/stats.h"

#include <criterion/criterion.h>

static struct jumpd_stats blocks[2];

Test(jumpd_stats, sums_all_blocks)
{
	struct jumpd_stats sum;

	counter_add(&blocks[0].value[JUMPD_STAT_ACCEPTED], 3);
	counter_add(&blocks[1].value[JUMPD_STAT_LOG_DROPPED], 4);
	counter_add(&blocks[0].value[JUMPD_STAT_LOG_DROPPED], 1);
	counter_add(&blocks[0].denied[DENY_SHED], 5);
	counter_add(&blocks[1].denied[DENY_SHED], 6);
	counter_add(&blocks[1].ended[N_END_REASONS - 1], 7);
	jumpd_stats_sum(blocks, 2, &sum);
	cr_expect_eq(counter_get(&sum.value[JUMPD_STAT_ACCEPTED]), 3);
	cr_expect_eq(counter_get(&sum.value[JUMPD_STAT_LOG_DROPPED]), 5);
	cr_expect_eq(counter_get(&sum.denied[DENY_SHED]), 11);
	cr_expect_eq(counter_get(&sum.denied[DENY_POLICY]), 0);
	cr_expect_eq(counter_get(&sum.ended[N_END_REASONS - 1]), 7);
}

Test(jumpd_stats, an_end_clears_gauges_and_keeps_counters)
{
	counter_set(&blocks[0].value[JUMPD_STAT_CHANNELS], 9);
	counter_add(&blocks[0].value[JUMPD_STAT_UP_OCTETS], 100);
	counter_add(&blocks[0].ended[END_DONE], 2);
	counter_set(&blocks[0].heartbeat_ms, 77);
	jumpd_stats_ended(&blocks[0]);
	cr_expect_eq(counter_get(&blocks[0].value[JUMPD_STAT_CHANNELS]),
	    0);
	cr_expect_eq(counter_get(&blocks[0].heartbeat_ms), 0);
	cr_expect_eq(counter_get(&blocks[0].value[JUMPD_STAT_UP_OCTETS]),
	    100);
	cr_expect_eq(counter_get(&blocks[0].ended[END_DONE]), 2);
}

Test(jumpd_stats, blocks_share_no_cache_line)
{
	cr_expect_eq(sizeof(struct jumpd_stats) % 64, 0);
	cr_expect_eq((uintptr_t)&blocks[1] % 64, 0);
}

Test(jumpd_stats, labels_are_unique)
{
	for (unsigned i = 0; i < N_JUMPD_STATS; i++)
		for (unsigned j = 0; j < i; j++)
			cr_expect_str_neq(jumpd_stat_label(i),
			    jumpd_stat_label(j));
}
