/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "jumpd/deny_reasons.h"
#include "jumpd/end_reasons.h"
#include "jumpd/stats.h"

static void
is_label(const char *label)
{
	const char *c;

	cr_expect_neq(label[0], '\0');
	for (c = label; *c != '\0'; c++)
		cr_expect(islower((unsigned char)*c) || *c == '_' ||
			isdigit((unsigned char)*c), "%s", label);
}

Test(reasons, have_labels_of_their_own)
{
	enum deny_reason d, e;
	enum end_reason x, y;

	for (d = 0; d < N_DENY_REASONS; d++) {
		is_label(deny_reason_label(d));
		cr_expect_neq(deny_reason_text(d)[0], '\0');
		for (e = 0; e < d; e++)
			cr_expect_str_neq(deny_reason_label(d),
			    deny_reason_label(e));
	}
	for (x = 0; x < N_END_REASONS; x++) {
		is_label(end_reason_label(x));
		cr_expect_neq(end_reason_text(x)[0], '\0');
		for (y = 0; y < x; y++)
			cr_expect_str_neq(end_reason_label(x),
			    end_reason_label(y));
	}
}

Test(stats, clears_gauges_when_a_process_ends)
{
	static struct jumpd_stats stats;
	enum jumpd_stat s;

	for (s = 0; s < N_JUMPD_STATS; s++) {
		is_label(jumpd_stat_label(s));
		cr_expect_neq(jumpd_stat_help(s)[0], '\0');
		counter_add(&stats.value[s], 3);
	}
	jumpd_stats_ended(&stats);
	cr_expect_eq(stats.value[JUMPD_STAT_ACCEPTED], 3);
	cr_expect_eq(stats.value[JUMPD_STAT_LOGINS], 3);
	cr_expect_eq(stats.value[JUMPD_STAT_SESSIONS], 0);
	cr_expect_eq(stats.value[JUMPD_STAT_CHANNELS], 0);
	cr_expect_eq(stats.value[JUMPD_STAT_HALF_OPEN], 0);
}
