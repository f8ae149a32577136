/* SPDX-License-Identifier: ISC */
#include "jumpd/scan_guard.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct siphash_key key = { { 9, 8, 7 } };

static struct addr
client(unsigned n)
{
	struct addr a = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10,
		(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };

	return a;
}

static struct endpoint
target(unsigned n)
{
	struct endpoint ep = { .addr = { { 0x20, 1, 0xd, 0xb8 } },
		.port = 22 };

	ep.addr.octet[14] = (uint8_t)(n >> 8);
	ep.addr.octet[15] = (uint8_t)n;
	return ep;
}

Test(scan_guard, bounds_a_session)
{
	static const struct scan_limits l = { .session_channels = 3,
		.session_opens = 6 };
	struct scan_guard *g = scan_guard_new(64, 64, &key);
	struct scan_session s = { 0 };
	struct addr from = client(1);
	unsigned i;

	for (i = 0; i < 3; i++)
		cr_expect_eq(scan_guard_open(g, &l, &s, &from, 0), DENY_NONE);
	cr_expect_eq(scan_guard_open(g, &l, &s, &from, 0),
	    DENY_SESSION_CHANNELS);
	scan_guard_close(&s);
	cr_expect_eq(scan_guard_open(g, &l, &s, &from, 0), DENY_NONE);
	scan_guard_close(&s);
	/* the refused one counted */
	cr_expect_eq(scan_guard_open(g, &l, &s, &from, 0), DENY_NONE);
	scan_guard_close(&s);
	cr_expect_eq(scan_guard_open(g, &l, &s, &from, 0),
	    DENY_SESSION_OPENS);
	scan_guard_free(g);
}

Test(scan_guard, bounds_the_opens_of_a_source_over_its_sessions)
{
	static const struct scan_limits l = { .source_opens = 10 };
	struct scan_guard *g = scan_guard_new(64, 64, &key);
	struct addr from = client(1), other = client(2);
	struct scan_session s;
	unsigned i;

	for (i = 0; i < 12; i++) {
		memset(&s, 0, sizeof(s));
		cr_expect_eq(scan_guard_open(g, &l, &s, &from, i),
		    i < 10 ? DENY_NONE : DENY_SOURCE_OPENS);
	}
	cr_expect_eq(s.channels, 0);
	cr_expect_eq(scan_guard_open(g, &l, &s, &other, 20), DENY_NONE);
	cr_expect_eq(scan_guard_open(g, &l, &s, &from, 5999),
	    DENY_SOURCE_OPENS);
	cr_expect_eq(scan_guard_open(g, &l, &s, &from, 6012), DENY_NONE);
	scan_guard_free(g);
}

Test(scan_guard, bounds_the_distinct_targets_of_a_source)
{
	static const struct scan_limits l = { .source_targets = 20 };
	struct scan_guard *g = scan_guard_new(64, 4096, &key);
	struct addr from = client(1), other = client(2);
	uint64_t hour = 3600 * 1000;
	unsigned i, round;

	for (round = 0; round < 5; round++)
		for (i = 0; i < 30; i++) {
			struct endpoint to = target(i);

			cr_expect_eq(scan_guard_target(g, &l, &from, &to,
					 1000 + i),
			    i < 20 ? DENY_NONE : DENY_SOURCE_TARGETS);
		}
	/* another port is another target */
	struct endpoint to = target(0);
	to.port = 23;
	cr_expect_eq(scan_guard_target(g, &l, &from, &to, 2000),
	    DENY_SOURCE_TARGETS);
	cr_expect_eq(scan_guard_target(g, &l, &other, &to, 2000), DENY_NONE);
	cr_expect_eq(scan_guard_target(g, &l, &from, &to, hour + 999),
	    DENY_SOURCE_TARGETS);
	cr_expect_eq(scan_guard_target(g, &l, &from, &to, hour + 1000),
	    DENY_NONE);
	for (i = 0; i < 20; i++) {
		to = target(100 + i);
		cr_expect_eq(scan_guard_target(g, &l, &from, &to,
				 hour + 1001),
		    i < 19 ? DENY_NONE : DENY_SOURCE_TARGETS);
	}
	scan_guard_free(g);
}

Test(scan_guard, stops_a_source_whose_connections_fail)
{
	static const struct scan_limits l = { .source_failed_dials = 5 };
	struct scan_guard *g = scan_guard_new(64, 64, &key);
	struct scan_session s = { 0 };
	struct addr from = client(1);
	unsigned i;

	for (i = 0; i < 5; i++) {
		cr_expect_eq(scan_guard_open(g, &l, &s, &from, i), DENY_NONE);
		scan_guard_failed(g, &l, &from, i);
	}
	cr_expect_eq(scan_guard_open(g, &l, &s, &from, 10),
	    DENY_SOURCE_FAILED_DIALS);
	cr_expect_eq(scan_guard_open(g, &l, &s, &from, 12004), DENY_NONE);
	scan_guard_failed(g, &l, &from, 12004);
	cr_expect_eq(scan_guard_open(g, &l, &s, &from, 12005),
	    DENY_SOURCE_FAILED_DIALS);
	scan_guard_free(g);
}

Test(scan_guard, bounds_what_all_sources_do_to_a_target)
{
	static const struct scan_limits l = { .target_opens = 30 };
	struct scan_guard *g = scan_guard_new(64, 64, &key);
	struct endpoint to = target(1), other = target(2);
	unsigned i, admitted = 0;

	for (i = 0; i < 100; i++) {
		struct addr from = client(i);

		if (scan_guard_target(g, &l, &from, &to, 0) == DENY_NONE)
			admitted++;
		else
			cr_expect_eq(scan_guard_target(g, &l, &from, &to, 0),
			    DENY_TARGET_OPENS);
	}
	cr_expect_eq(admitted, 30);
	struct addr from = client(1);
	cr_expect_eq(scan_guard_target(g, &l, &from, &other, 0), DENY_NONE);
	cr_expect_eq(scan_guard_target(g, &l, &from, &to, 2000), DENY_NONE);
	scan_guard_free(g);
}

/* Else one source could keep all others from a target. */
Test(scan_guard, leaves_a_target_to_other_sources)
{
	static const struct scan_limits l = { .target_opens = 30,
		.source_target_opens = 10 };
	struct scan_guard *g = scan_guard_new(64, 64, &key);
	struct endpoint to = target(1), second = target(2);
	struct addr from = client(1), other = client(2);
	unsigned i;

	for (i = 0; i < 100; i++)
		cr_expect_eq(scan_guard_target(g, &l, &from, &to, 0),
		    i < 10 ? DENY_NONE : DENY_SOURCE_TARGET_OPENS);
	cr_expect_eq(scan_guard_target(g, &l, &from, &second, 0), DENY_NONE);
	/* What was refused has taken nothing from the target. */
	for (i = 0; i < 10; i++)
		cr_expect_eq(scan_guard_target(g, &l, &other, &to, 0),
		    DENY_NONE);
	other = client(3);
	for (i = 0; i < 11; i++)
		cr_expect_eq(scan_guard_target(g, &l, &other, &to, 0),
		    i < 10 ? DENY_NONE : DENY_SOURCE_TARGET_OPENS);
	/* Nor what the target refused from the source. */
	other = client(4);
	for (i = 0; i < 20; i++)
		cr_expect_eq(scan_guard_target(g, &l, &other, &to, 0),
		    DENY_TARGET_OPENS);
	cr_expect_eq(scan_guard_target(g, &l, &from, &to, 6000), DENY_NONE);
	cr_expect_eq(scan_guard_target(g, &l, &from, &to, 6000),
	    DENY_SOURCE_TARGET_OPENS);
	cr_expect_eq(scan_guard_target(g, &l, &other, &to, 6000), DENY_NONE);
	scan_guard_free(g);
}

/* More sources and targets than there is memory for: a full table errs on the
 * strict side, and never lets a source have more targets. */
Test(scan_guard, is_strict_when_its_memory_is_full)
{
	static const struct scan_limits l = { .source_targets = 50 };
	struct scan_guard *g = scan_guard_new(1024, 64, &key);
	unsigned i, s, admitted[10] = { 0 };

	for (i = 0; i < 200; i++)
		for (s = 0; s < 10; s++) {
			struct addr from = client(s);
			struct endpoint to = target(i);

			admitted[s] += scan_guard_target(g, &l, &from, &to,
					   i) == DENY_NONE;
		}
	for (s = 0; s < 10; s++)
		cr_expect_eq(admitted[s], 50, "%u", admitted[s]);
	scan_guard_free(g);
}

Test(scan_guard, limits_nothing_without_limits)
{
	static const struct scan_limits l = { 0 };
	struct scan_guard *g = scan_guard_new(64, 64, &key);
	struct scan_session s = { 0 };
	unsigned i;

	for (i = 0; i < 1000; i++) {
		struct addr from = client(i % 3);
		struct endpoint to = target(i);

		cr_expect_eq(scan_guard_open(g, &l, &s, &from, 0), DENY_NONE);
		cr_expect_eq(scan_guard_target(g, &l, &from, &to, 0),
		    DENY_NONE);
		scan_guard_failed(g, &l, &from, 0);
	}
	cr_expect_eq(s.channels, 1000);
	scan_guard_free(g);
}
