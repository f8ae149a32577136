/* SPDX-License-Identifier: ISC */
#include "translate/xlat_stats.h"

#include <criterion/criterion.h>
#include <string.h>

Test(xlat_stats, labels_differ)
{
	for (unsigned i = 0; i < N_XLAT_STATS; i++)
		for (unsigned j = 0; j < i; j++)
			cr_expect_str_neq(
			    xlat_stat_label((enum xlat_stat)i),
			    xlat_stat_label((enum xlat_stat)j));
}

Test(xlat_stats, are_summed_over_workers)
{
	struct xlat_stats stats[3] = { { 0 } }, sum = { 0 };

	for (unsigned w = 0; w < 3; w++) {
		counter_add(&stats[w].value[XLAT_FORWARDED], w + 1);
		counter_add(&stats[w].dropped[DROP_HOP_LIMIT], 10 * w);
	}
	xlat_stats_sum(stats, 3, &sum);
	xlat_stats_sum(stats, 1, &sum);
	cr_expect_eq(counter_get(&sum.value[XLAT_FORWARDED]), 7);
	cr_expect_eq(counter_get(&sum.dropped[DROP_HOP_LIMIT]), 30);
	cr_expect_eq(counter_get(&sum.value[XLAT_CUT]), 0);
}

Test(xlat_stats, are_told_but_for_zeros)
{
	struct xlat_stats stats = { 0 };
	char text[256];

	cr_expect_eq(xlat_stats_format(&stats, false, text, sizeof(text)), 0);
	cr_expect_str_eq(text, "");
	counter_add(&stats.value[XLAT_IN4_PACKETS], 12);
	counter_add(&stats.value[XLAT_FORWARDED], UINT64_MAX);
	counter_add(&stats.dropped[DROP_TOO_SHORT], 3);
	xlat_stats_format(&stats, false, text, sizeof(text));
	cr_expect_str_eq(text, "in4_packets=12 forwarded=18446744073709551615");
	cr_expect_eq(xlat_stats_format(&stats, true, text, sizeof(text)),
	    strlen("too_short=3"));
	cr_expect_str_eq(text, "too_short=3");
}

/* Whatever the room, no number is cut. */
Test(xlat_stats, are_cut_between_numbers)
{
	struct xlat_stats stats = { 0 };
	char whole[4096], text[4096];
	size_t len;

	for (unsigned i = 0; i < N_DROP_REASONS; i++)
		counter_add(&stats.dropped[i], i + 1);
	len = xlat_stats_format(&stats, true, whole, sizeof(whole));
	cr_assert_eq(len, strlen(whole));
	for (size_t room = 1; room <= len + 1; room++) {
		size_t n = xlat_stats_format(&stats, true, text, room);

		cr_expect_eq(n, strlen(text));
		cr_expect_lt(n, room);
		cr_expect_eq(memcmp(text, whole, n), 0);
		cr_expect(whole[n] == '\0' || whole[n] == ' ' || n == 0,
		    "%zu: %s", room, text);
	}
}
