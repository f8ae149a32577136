/* SPDX-License-Identifier: ISC */
#include "jumpd/source_table.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/addresses.h"

static const struct siphash_key key = { { 1, 2, 3 } };

static struct addr
v4(uint32_t n)
{
	struct addr a = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff,
		(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
		(uint8_t)n } };

	return a;
}

/* A connection that comes and is shed or not. */
struct conn {
	struct source_ticket ticket;
};

static enum deny_reason
enter(struct source_table *t, const struct source_limits *l,
    const struct addr *from, uint64_t now_ms, struct conn *conn,
    struct source_ticket **shed)
{
	memset(conn, 0, sizeof(*conn));
	return source_table_enter(t, l, from, now_ms, &conn->ticket, shed);
}

Test(source_table, counts_ipv6_by_64_and_ipv4_by_address)
{
	static const struct source_limits l = { .per_source = 1 };
	struct source_table *t = source_table_new(64, &key);
	struct addr a = addr_of("2001:db8::1"), b = addr_of("2001:db8::ffff:1"),
		    c = addr_of("2001:db8:0:1::1"), d = addr_of("192.0.2.1"),
		    e = addr_of("192.0.2.2");
	struct source_ticket *shed;
	struct conn conn[5];

	cr_expect_eq(enter(t, &l, &a, 0, &conn[0], &shed), DENY_NONE);
	cr_expect_eq(enter(t, &l, &b, 0, &conn[1], &shed),
	    DENY_SOURCE_CONNECTIONS);
	cr_expect_eq(enter(t, &l, &c, 0, &conn[2], &shed), DENY_NONE);
	cr_expect_eq(enter(t, &l, &d, 0, &conn[3], &shed), DENY_NONE);
	cr_expect_eq(enter(t, &l, &e, 0, &conn[4], &shed), DENY_NONE);
	source_table_leave(t, &conn[0].ticket);
	cr_expect_eq(enter(t, &l, &b, 0, &conn[1], &shed), DENY_NONE);
	cr_expect_eq(source_table_connections(t), 4);
	source_table_free(t);
}

Test(source_table, holds_every_limit)
{
	static const struct {
		struct source_limits	 limits;
		unsigned		 sources;
		unsigned		 admitted;	/* of 10 each */
		enum deny_reason	 reason;
	} cases[] = {
		{ { 0 }, 3, 30, DENY_NONE },
		{ { .connections = 12 }, 3, 12, DENY_TOTAL },
		{ { .half_open_per_source = 4 }, 3, 12,
		    DENY_SOURCE_HALF_OPEN },
		{ { .per_source = 4 }, 3, 12, DENY_SOURCE_CONNECTIONS },
		{ { .rate_per_source = 60, .burst_per_source = 4 }, 3, 12,
		    DENY_SOURCE_RATE },
		{ { .rate_per_source = 60 }, 3, 3, DENY_SOURCE_RATE },
	};
	struct conn conn[100];
	struct source_ticket *shed;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct source_table *t = source_table_new(64, &key);
		enum deny_reason reason, last = DENY_NONE;
		unsigned n, admitted = 0;

		for (n = 0; n < 10 * cases[i].sources; n++) {
			struct addr from = v4(n % cases[i].sources);

			reason = enter(t, &cases[i].limits, &from, 5,
			    &conn[n], &shed);
			if (reason == DENY_NONE)
				admitted++;
			else
				last = reason;
			cr_expect_null(shed);
		}
		cr_expect_eq(admitted, cases[i].admitted, "case %zu: %u", i,
		    admitted);
		cr_expect_eq(last, cases[i].reason, "case %zu", i);
		cr_expect_eq(source_table_connections(t), admitted);
		for (n = 0; n < 10 * cases[i].sources; n++) {
			source_table_leave(t, &conn[n].ticket);
			source_table_leave(t, &conn[n].ticket);
		}
		cr_expect_eq(source_table_connections(t), 0);
		cr_expect_eq(source_table_half_open(t), 0);
		source_table_free(t);
	}
}

/* 200 idle half-open connections of one source do not keep 20 others out. */
Test(source_table, sheds_the_source_that_holds_most)
{
	static const struct source_limits l = { .half_open = 100 };
	struct source_table *t = source_table_new(1024, &key);
	struct addr greedy = addr_of("203.0.113.9");
	static struct conn flood[200], user[20];
	struct source_ticket *shed;
	enum deny_reason reason;
	unsigned i, admitted = 0, logged_in = 0;

	for (i = 0; i < 200; i++)
		if (enter(t, &l, &greedy, i, &flood[i], &shed) == DENY_NONE)
			admitted++;
	cr_expect_eq(admitted, 100);
	for (i = 0; i < 20; i++) {
		struct addr from = v4(1000 + i);

		reason = enter(t, &l, &from, 300 + i, &user[i], &shed);
		cr_assert_eq(reason, DENY_NONE);
		/* the oldest one goes */
		cr_expect_eq(shed, &flood[i].ticket);
		source_table_leave(t, shed);
		/* and the flood gets nothing of a place */
		cr_expect_eq(enter(t, &l, &greedy, 300 + i, &flood[i], &shed),
		    DENY_HALF_OPEN);
		source_table_logged_in(t, &user[i].ticket);
		logged_in++;
		/* its place is free for anyone, so take it */
		cr_expect_eq(enter(t, &l, &greedy, 300 + i, &flood[i], &shed),
		    DENY_NONE);
	}
	cr_expect_eq(logged_in, 20);
	cr_expect_eq(source_table_half_open(t), 100);
	cr_expect_eq(source_table_connections(t), 120);
	source_table_free(t);
}

Test(source_table, sheds_single_ones_oldest_first)
{
	static const struct source_limits l = { .half_open = 64 };
	struct source_table *t = source_table_new(4096, &key);
	static struct conn conn[1000];
	struct source_ticket *shed;
	unsigned i;

	for (i = 0; i < 1000; i++) {
		struct addr from = v4(i);

		cr_assert_eq(enter(t, &l, &from, i, &conn[i], &shed),
		    DENY_NONE);
		if (i < 64)
			cr_expect_null(shed);
		else {
			cr_assert_eq(shed, &conn[i - 64].ticket);
			source_table_leave(t, shed);
		}
	}
	source_table_free(t);
}

Test(source_table, counts_a_shed_connection_until_it_left)
{
	static const struct source_limits l = { .half_open = 2,
		.per_source = 2 };
	struct source_table *t = source_table_new(64, &key);
	struct addr a = v4(1), b = v4(2);
	struct source_ticket *shed;
	struct conn conn[4];

	enter(t, &l, &a, 0, &conn[0], &shed);
	enter(t, &l, &a, 0, &conn[1], &shed);
	cr_expect_eq(enter(t, &l, &b, 0, &conn[2], &shed), DENY_NONE);
	cr_expect_eq(shed, &conn[0].ticket);
	/* logging in after that is harmless */
	source_table_logged_in(t, shed);
	cr_expect_eq(source_table_half_open(t), 2);
	cr_expect_eq(source_table_connections(t), 3);
	cr_expect_eq(enter(t, &l, &a, 0, &conn[3], &shed),
	    DENY_SOURCE_CONNECTIONS);
	source_table_leave(t, &conn[0].ticket);
	cr_expect_eq(source_table_half_open(t), 2);
	cr_expect_eq(source_table_connections(t), 2);
	source_table_free(t);
}

Test(source_table, exempts_prefixes)
{
	struct source_limits l = { .half_open = 2, .per_source = 1,
		.half_open_per_source = 1, .rate_per_source = 1,
		.penalty_login_ms = 1000000, .penalty_max_ms = 1000000,
		.n_exempt = 1 };
	struct source_table *t = source_table_new(64, &key);
	struct addr monitor = addr_of("192.0.2.9"),
	    other = addr_of("192.0.3.9"), third = addr_of("192.0.4.9");
	struct source_ticket *shed;
	struct conn conn[5];

	cr_assert_eq(prefix_parse("192.0.2.0/24", 12, &l.exempt[0]),
	    PREFIX_OK);
	cr_expect_eq(enter(t, &l, &monitor, 0, &conn[0], &shed), DENY_NONE);
	source_table_offend(t, &l, &monitor, SOURCE_FAILED_LOGIN, 0);
	cr_expect_eq(enter(t, &l, &monitor, 0, &conn[1], &shed), DENY_NONE);
	/* never shed, but they do count */
	cr_expect_eq(enter(t, &l, &other, 0, &conn[2], &shed),
	    DENY_HALF_OPEN);
	source_table_leave(t, &conn[1].ticket);
	cr_expect_eq(enter(t, &l, &other, 0, &conn[2], &shed), DENY_NONE);
	/* an exempt one sheds others */
	cr_expect_eq(enter(t, &l, &monitor, 0, &conn[3], &shed), DENY_NONE);
	cr_expect_eq(shed, &conn[2].ticket);
	cr_expect_eq(enter(t, &l, &third, 0, &conn[4], &shed),
	    DENY_HALF_OPEN);
	source_table_logged_in(t, &conn[0].ticket);
	source_table_leave(t, &conn[0].ticket);
	source_table_leave(t, &conn[2].ticket);
	source_table_leave(t, &conn[3].ticket);
	cr_expect_eq(source_table_connections(t), 0);
	cr_expect_eq(source_table_half_open(t), 0);
	source_table_free(t);
}

static const struct source_limits penalties = { .penalty_login_ms = 5000,
	.penalty_hang_up_ms = 1000,
	.penalty_grace_ms = 10000,
	.penalty_threshold_ms = 15000,
	.penalty_max_ms = 600000 };

/* A connection so that the source is known. */
static void
visit(struct source_table *t, const struct addr *from, uint64_t now_ms,
    enum deny_reason expected)
{
	struct source_ticket *shed;
	struct conn conn;

	cr_assert_eq(enter(t, &penalties, from, now_ms, &conn, &shed),
	    expected, "at %llu", (unsigned long long)now_ms);
	source_table_leave(t, &conn.ticket);
}

Test(source_table, lets_a_few_mistakes_pass)
{
	struct source_table *t = source_table_new(64, &key);
	struct addr from = v4(1), other = v4(2);
	unsigned i;

	for (i = 0; i < 3; i++) {
		visit(t, &from, 0, DENY_NONE);
		source_table_offend(t, &penalties, &from, SOURCE_FAILED_LOGIN,
		    0);
	}
	visit(t, &from, 0, DENY_NONE);
	source_table_offend(t, &penalties, &from, SOURCE_HUNG_UP, 0);
	visit(t, &from, 0, DENY_PENALTY);
	visit(t, &other, 0, DENY_NONE);
	cr_expect_eq(source_table_penalty_ms(t, &penalties, &from, 0), 1000);
	visit(t, &from, 999, DENY_PENALTY);
	visit(t, &from, 1000, DENY_NONE);
	source_table_free(t);
}

/* Offend until it is refused; returns for how long. */
static uint64_t
offend_until_refused(struct source_table *t, const struct addr *from,
    uint64_t now_ms)
{
	uint64_t left;

	visit(t, from, now_ms, DENY_NONE);
	do {
		source_table_offend(t, &penalties, from, SOURCE_FAILED_LOGIN,
		    now_ms);
		left = source_table_penalty_ms(t, &penalties, from, now_ms);
	} while (left == 0);
	visit(t, from, now_ms, DENY_PENALTY);
	return left;
}

Test(source_table, doubles_the_penalties_of_who_comes_back)
{
	static const uint64_t expected[] = { 5000, 5000 + 5000, 20000, 40000,
		80000, 160000, 320000, 320000 };
	struct source_table *t = source_table_new(64, &key);
	struct addr from = v4(1);
	uint64_t now = 0, left;
	size_t i;

	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		left = offend_until_refused(t, &from, now);
		cr_expect_eq(left, expected[i], "round %zu: %llu", i,
		    (unsigned long long)left);
		now += left;
	}
	/* an hour of peace takes one doubling back, seven take all */
	now += 7 * 3600 * 1000;
	left = offend_until_refused(t, &from, now);
	cr_expect_leq(left, 10000, "%llu", (unsigned long long)left);
	source_table_free(t);
}

Test(source_table, has_a_longest_penalty)
{
	struct source_limits l = penalties;
	struct source_table *t = source_table_new(64, &key);
	struct addr from = v4(1);
	unsigned i;

	visit(t, &from, 0, DENY_NONE);
	for (i = 0; i < 1000; i++)
		source_table_offend(t, &l, &from, SOURCE_GRACE, 0);
	cr_expect_eq(source_table_penalty_ms(t, &l, &from, 0), 585000);
	l.penalty_max_ms = 0;	/* switched off by a reload */
	cr_expect_eq(source_table_penalty_ms(t, &l, &from, 0), 0);
	source_table_free(t);
}

/* A table of 64 sources and a thousand of them. */
Test(source_table, forgets_the_harmless_first)
{
	struct source_table *t = source_table_new(64, &key);
	struct addr bad = v4(99999);
	struct source_ticket *shed;
	struct conn live;
	unsigned i;

	visit(t, &bad, 0, DENY_NONE);
	for (i = 0; i < 10; i++)
		source_table_offend(t, &penalties, &bad, SOURCE_FAILED_LOGIN,
		    0);
	for (i = 0; i < 1000; i++) {
		struct addr from = v4(i);

		visit(t, &from, 1 + i, DENY_NONE);
	}
	visit(t, &bad, 2000, DENY_PENALTY);
	/* nor one with a connection */
	bad = v4(88888);
	cr_assert_eq(enter(t, &penalties, &bad, 3000, &live, &shed),
	    DENY_NONE);
	for (i = 0; i < 1000; i++) {
		struct addr from = v4(i);

		visit(t, &from, 3001 + i, DENY_NONE);
	}
	source_table_offend(t, &penalties, &bad, SOURCE_GRACE, 5000);
	source_table_offend(t, &penalties, &bad, SOURCE_GRACE, 5000);
	cr_expect_gt(source_table_penalty_ms(t, &penalties, &bad, 5000), 0);
	source_table_leave(t, &live.ticket);
	source_table_free(t);
}

Test(source_table, refuses_a_source_it_cannot_remember)
{
	static const struct source_limits l = { 0 };
	struct source_table *t = source_table_new(64, &key);
	static struct conn conn[1000];
	struct source_ticket *shed;
	unsigned i, admitted = 0;

	for (i = 0; i < 1000; i++) {
		struct addr from = v4(i);

		if (enter(t, &l, &from, 0, &conn[i], &shed) == DENY_NONE)
			admitted++;
	}
	cr_expect_eq(admitted, 64);
	for (i = 0; i < 1000; i++)
		source_table_leave(t, &conn[i].ticket);
	cr_expect_eq(source_table_connections(t), 0);
	source_table_free(t);
}

/* A thousand random events; the table's own counts must be what they were
 * counted to be here. */
Test(source_table, agrees_with_a_model)
{
	enum { CONNS = 300, SOURCES = 40 };
	static const struct source_limits l = { .half_open = 50,
		.half_open_per_source = 20, .per_source = 30 };
	struct source_table *t = source_table_new(1024, &key);
	static struct conn conn[CONNS];
	static bool here[CONNS], half[CONNS];
	unsigned source[CONNS], per[SOURCES], open[SOURCES];
	struct source_ticket *shed;
	uint64_t now = 0;
	unsigned step, i, n, h, most;
	uint32_t seed = 7;

	for (step = 0; step < 20000; step++) {
		seed = seed * 1664525 + 1013904223;
		i = (seed >> 8) % CONNS;
		now += seed >> 30;
		memset(per, 0, sizeof(per));
		memset(open, 0, sizeof(open));
		for (n = h = 0; n < CONNS; n++) {
			per[source[n] % SOURCES] += here[n];
			open[source[n] % SOURCES] += half[n];
			h += half[n];
		}
		cr_assert_eq(source_table_half_open(t), h);
		for (most = n = 0; n < SOURCES; n++)
			most = open[n] > most ? open[n] : most;
		if (!here[i]) {
			/* a few sources send most */
			unsigned s = (seed >> 20) % ((seed >> 5) % SOURCES + 1);
			struct addr from = v4(s);
			enum deny_reason reason, right;

			right = per[s] >= 30 ? DENY_SOURCE_CONNECTIONS :
			    open[s] >= 20    ? DENY_SOURCE_HALF_OPEN :
			    h < 50	     ? DENY_NONE :
			    most > open[s]   ? DENY_NONE :
					       DENY_HALF_OPEN;
			reason = enter(t, &l, &from, now, &conn[i], &shed);
			cr_assert_eq(reason, right, "step %u: %s for %s",
			    step, deny_reason_label(reason),
			    deny_reason_label(right));
			if (reason != DENY_NONE)
				continue;
			source[i] = s;
			cr_assert_eq(shed != NULL, h >= 50);
			here[i] = half[i] = true;
			for (n = 0; shed != NULL && n < CONNS; n++)
				if (shed == &conn[n].ticket) {
					cr_assert_eq(open[source[n]], most);
					cr_assert(half[n]);
					half[n] = false;
				}
		} else if ((seed >> 4 & 1) != 0) {
			source_table_logged_in(t, &conn[i].ticket);
			half[i] = false;
		} else {
			source_table_leave(t, &conn[i].ticket);
			here[i] = half[i] = false;
		}
	}
	source_table_free(t);
}
