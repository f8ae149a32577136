/* SPDX-License-Identifier: ISC */
#include "proxyd/admission.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/addresses.h"

enum { WORKERS = 3, SLOTS = 1024 };

static const struct siphash_key key = { "admission_test." };
static const struct admission_limits unlimited;
static struct admission table;
static void *memory;

static void *
zeroed(size_t len)
{
	void *p = aligned_alloc(64, (len + 63) & ~(size_t)63);

	cr_assert_not_null(p);
	memset(p, 0, len);
	return p;
}

static void
set_up_slots(uint32_t n_slots)
{
	free(memory);
	memory = zeroed(admission_octets(WORKERS, n_slots));
	admission_init(&table, memory, WORKERS, n_slots, &key);
}

static void
set_up(void)
{
	set_up_slots(SLOTS);
}

static void
tear_down(void)
{
	free(memory);
	memory = NULL;
}

TestSuite(admission, .init = set_up, .fini = tear_down);

static struct addr
nth_client(uint32_t n)
{
	struct addr addr = addr_of("10.0.0.0");

	addr.octet[13] = (uint8_t)(n >> 16);
	addr.octet[14] = (uint8_t)(n >> 8);
	addr.octet[15] = (uint8_t)n;
	return addr;
}

static enum admission_verdict
enter(uint32_t worker, const struct admission_limits *limits,
    const char *client, uint64_t now_ms, struct admission_ticket *ticket)
{
	struct addr addr = addr_of(client);

	memset(ticket, 0, sizeof(*ticket));
	return admission_client_enter(&table, worker, limits, &addr, now_ms,
	    ticket);
}

static uint64_t
count_of(const char *client)
{
	struct addr addr = addr_of(client);

	return admission_client_count(&table, &addr);
}

/* Whether anything is counted anywhere; token buckets aside. */
static bool
counts_nothing(const struct admission *a)
{
	size_t i, n = admission_octets(a->n_workers, a->n_slots) / 8 -
	    a->n_slots;

	for (i = 0; i < n; i++)
		if (a->words[i] != 0)
			return false;
	return true;
}

Test(admission, is_as_large_as_promised)
{
	cr_expect_leq(admission_octets(2, 65536), 1536 * 1024 + 128);
	cr_expect_leq(admission_octets(3, 65536) - admission_octets(2, 65536),
	    512 * 1024 + 64);
}

Test(admission, holds_each_limit_over_all_workers)
{
	static const struct {
		struct admission_limits limits;
		enum admission_verdict client, name;
	} cases[] = {
		{ { .total = 5 }, ADMISSION_REFUSE_TOTAL, ADMISSION_ADMIT },
		{ { .per_client = 5 }, ADMISSION_REFUSE_CLIENT,
		    ADMISSION_ADMIT },
		{ { .rate_per_client = 1, .burst = 5 },
		    ADMISSION_REFUSE_CLIENT_RATE, ADMISSION_ADMIT },
		{ { .per_name = 5 }, ADMISSION_ADMIT, ADMISSION_REFUSE_NAME },
		{ { 0 }, ADMISSION_ADMIT, ADMISSION_ADMIT },
	};
	struct admission_ticket held[5], extra;
	size_t c, i;

	for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		const struct admission_limits *l = &cases[c].limits;

		set_up();
		for (i = 0; i < 5; i++) {
			cr_assert_eq(enter(i % WORKERS, l, "192.0.2.1", 0,
			    &held[i]), ADMISSION_ADMIT, "case %zu", c);
			cr_assert_eq(admission_name_enter(&table, i % WORKERS,
			    l, "a.example", 9, &held[i]), ADMISSION_ADMIT);
		}
		for (i = 0; i < WORKERS; i++) {
			cr_expect_eq(enter(i, l, "192.0.2.1", 0, &extra),
			    cases[c].client, "case %zu", c);
			cr_expect_eq(admission_total(&table),
			    cases[c].client == ADMISSION_ADMIT ? 6 : 5,
			    "case %zu", c);
			cr_expect_eq(admission_name_enter(&table, i, l,
			    "a.example", 9, &extra), cases[c].name,
			    "case %zu", c);
			admission_name_leave(&table, i, &extra);
			admission_client_leave(&table, i, &extra);
		}
		cr_expect_eq(admission_total(&table), 5, "case %zu", c);
		cr_expect_eq(count_of("192.0.2.1"), 5);
		cr_expect_eq(admission_name_count(&table, "a.example", 9), 5);
		admission_name_leave(&table, 4 % WORKERS, &held[4]);
		admission_client_leave(&table, 4 % WORKERS, &held[4]);
		cr_expect_eq(enter(0, l, "192.0.2.1", 1000, &held[4]),
		    ADMISSION_ADMIT, "case %zu", c);
		cr_expect_eq(admission_name_enter(&table, 0, l, "a.example",
		    9, &held[4]), ADMISSION_ADMIT, "case %zu", c);
		for (i = 0; i < 5; i++) {
			admission_name_leave(&table, i == 4 ? 0 : i % WORKERS,
			    &held[i]);
			admission_client_leave(&table,
			    i == 4 ? 0 : i % WORKERS, &held[i]);
		}
		cr_expect(counts_nothing(&table), "case %zu", c);
	}
}

Test(admission, counts_a_v4_address_and_a_v6_64_as_one_client)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.0", false },
		{ "192.0.2.1", "193.0.2.1", false },
		{ "0.0.0.0", "::", false },
		{ "2001:db8::1", "2001:db8::2", true },
		{ "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", true },
		{ "2001:db8::1", "2001:db8:0:1::1", false },
		{ "2001:db8::1", "3001:db8::1", false },
		{ "::1", "::fffe:192.0.2.1", true },
	};
	const struct admission_limits one = { .per_client = 1 };
	struct admission_ticket first, second;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(enter(0, &one, cases[i].a, 0, &first),
		    ADMISSION_ADMIT);
		cr_expect_eq(enter(1, &one, cases[i].b, 0, &second),
		    cases[i].same ? ADMISSION_REFUSE_CLIENT : ADMISSION_ADMIT,
		    "%s %s", cases[i].a, cases[i].b);
		admission_client_leave(&table, 0, &first);
		admission_client_leave(&table, 1, &second);
	}
	cr_expect(counts_nothing(&table));
}

Test(admission, judges_by_the_limits_of_the_moment)
{
	struct admission_limits limits = { 0 };
	struct admission_ticket ticket[4];
	unsigned i;

	for (i = 0; i < 3; i++)
		cr_assert_eq(enter(i, &limits, "192.0.2.1", 0, &ticket[i]),
		    ADMISSION_ADMIT);
	limits.per_client = 2;	/* what was unlimited has been counted */
	cr_expect_eq(enter(0, &limits, "192.0.2.1", 0, &ticket[3]),
	    ADMISSION_REFUSE_CLIENT);
	admission_client_leave(&table, 0, &ticket[0]);
	cr_expect_eq(enter(0, &limits, "192.0.2.1", 0, &ticket[3]),
	    ADMISSION_REFUSE_CLIENT);
	admission_client_leave(&table, 1, &ticket[1]);
	cr_expect_eq(enter(0, &limits, "192.0.2.1", 0, &ticket[3]),
	    ADMISSION_ADMIT);
	limits.per_client = 3;
	cr_expect_eq(enter(0, &limits, "192.0.2.1", 0, &ticket[0]),
	    ADMISSION_ADMIT);
}

Test(admission, leaves_harmlessly_twice_or_never_having_entered)
{
	const struct admission_limits one = { .total = 1 };
	struct admission_ticket ticket = { 0 }, other;

	admission_name_leave(&table, 0, &ticket);
	admission_client_leave(&table, 0, &ticket);
	cr_assert_eq(enter(0, &one, "192.0.2.1", 0, &ticket),
	    ADMISSION_ADMIT);
	cr_assert_eq(enter(0, &one, "192.0.2.2", 0, &other),
	    ADMISSION_REFUSE_TOTAL);
	admission_client_leave(&table, 0, &other);
	cr_expect_eq(admission_total(&table), 1);
	admission_client_leave(&table, 0, &ticket);
	cr_assert_eq(enter(0, &one, "192.0.2.1", 0, &other),
	    ADMISSION_ADMIT);
	admission_client_leave(&table, 0, &ticket);
	cr_expect_eq(admission_total(&table), 1);
	cr_expect_eq(count_of("192.0.2.1"), 1);
}

/* One set only, so that the 17th client has no room. */
Test(admission, admits_untracked_if_the_set_is_full)
{
	const struct admission_limits limits = { .total = 18, .per_client = 1,
		.per_name = 1 };
	struct admission_ticket ticket[18] = { 0 };
	struct addr addr;
	uint32_t i;

	set_up_slots(ADMISSION_SET);
	for (i = 0; i < 18; i++) {
		addr = nth_client(i);
		cr_assert_eq(admission_client_enter(&table, 0, &limits, &addr,
		    0, &ticket[i]), ADMISSION_ADMIT, "%u", i);
		cr_expect_eq(ticket[i].untracked, i >= 16, "%u", i);
		cr_expect_eq(admission_client_count(&table, &addr), i < 16);
	}
	for (i = 0; i < 2; i++) {
		cr_expect_eq(admission_name_enter(&table, 0, &limits, "a", 1,
		    &ticket[i]), ADMISSION_ADMIT);
		cr_expect(ticket[i].untracked);
	}
	cr_expect_eq(admission_total(&table), 18, "the total counts all");
	admission_name_leave(&table, 0, &ticket[0]);
	for (i = 16; i < 18; i++)
		admission_client_leave(&table, 0, &ticket[i]);
	cr_expect_eq(admission_total(&table), 16);
	for (i = 0; i < 16; i++) {
		addr = nth_client(i);
		cr_expect_eq(admission_client_count(&table, &addr), 1);
	}
	/* A cell that counts nothing any more is the next one's. */
	admission_client_leave(&table, 0, &ticket[7]);
	addr = nth_client(17);
	ticket[17] = (struct admission_ticket) { 0 };
	cr_expect_eq(admission_client_enter(&table, 0, &limits, &addr, 0,
	    &ticket[17]), ADMISSION_ADMIT);
	cr_expect(!ticket[17].untracked);
	cr_expect_eq(admission_client_enter(&table, 1, &limits, &addr, 0,
	    &ticket[7]), ADMISSION_REFUSE_CLIENT);
}

Test(admission, has_room_for_a_third_of_its_slots)
{
	struct admission_ticket ticket;
	unsigned untracked = 0;
	struct addr addr;
	uint32_t i;

	set_up_slots(65536);
	for (i = 0; i < 65536 / 3; i++) {
		addr = nth_client(i);
		ticket = (struct admission_ticket) { 0 };
		admission_client_enter(&table, 0, &unlimited, &addr, 0,
		    &ticket);
		untracked += ticket.untracked;
	}
	cr_expect_leq(untracked, 3, "%u", untracked);
}

/* How many of `n` tries at one moment get a token. */
static unsigned
tokens(const struct admission_limits *limits, uint64_t now_ms, unsigned n)
{
	struct admission_ticket ticket;
	unsigned i, got = 0;

	for (i = 0; i < n; i++) {
		if (enter(i % WORKERS, limits, "192.0.2.1", now_ms,
			&ticket) == ADMISSION_ADMIT)
			got++;
		admission_client_leave(&table, i % WORKERS, &ticket);
	}
	return got;
}

#define WRAP_MS	((UINT64_C(1) << 44) / 1000)	/* of a bucket's time */

Test(admission, gives_burst_at_once_and_rate_each_second)
{
	static const uint32_t rates[] = { 1, 2, 3, 7, 10, 999, 1000 };
	static const uint32_t bursts[] = { 0, 1, 2, 10, 100 };
	static const uint64_t starts[] = { 0, 1, 123456789, WRAP_MS / 2,
		WRAP_MS - 1, WRAP_MS - 1500, WRAP_MS, WRAP_MS + 1,
		3 * WRAP_MS - 700, UINT64_MAX / 1000, UINT64_MAX / 1000 - 900,
		UINT64_MAX - 20000 };
	size_t r, b, s;
	unsigned burst, ms;

	for (r = 0; r < sizeof(rates) / sizeof(rates[0]); r++)
	for (b = 0; b < sizeof(bursts) / sizeof(bursts[0]); b++)
	for (s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
		struct admission_limits l = { .rate_per_client = rates[r],
			.burst = bursts[b] };
		uint64_t t = starts[s], got = 0;

		set_up_slots(ADMISSION_SET);
		burst = bursts[b] > 0 ? bursts[b] : 1;
		cr_expect_eq(tokens(&l, t, burst + 5), burst,
		    "rate %u burst %u start %zu", rates[r], burst, s);
		for (ms = 1; ms <= 2000; ms++)
			got += tokens(&l, t + ms, 2);
		/* A bucket of one loses what it gets between two
		 * milliseconds. */
		cr_expect(burst == 1 ?
		    got >= rates[r] && got <= 2 * rates[r] :
		    got == 2 * rates[r],
		    "rate %u burst %u start %zu: %lu", rates[r], burst, s,
		    (unsigned long)got);
	}
}

Test(admission, has_a_full_bucket_after_any_long_idle_time)
{
	static const uint64_t idle[] = { 10000, 86400000, WRAP_MS / 4,
		WRAP_MS / 4 + 1, WRAP_MS / 2, WRAP_MS / 2 + 1,
		WRAP_MS - 20000, WRAP_MS + 11000,
		(UINT64_C(10) << 40) + 11000 };
	const struct admission_limits l = { .rate_per_client = 1,
		.burst = 10 };
	size_t i;

	for (i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
		set_up();
		cr_expect_eq(tokens(&l, 5000, 20), 10);
		cr_expect_eq(tokens(&l, 5000 + idle[i], 20), 10, "%zu", i);
	}
}

Test(admission, keeps_to_the_rate_if_a_workers_clock_is_behind)
{
	const struct admission_limits l = { .rate_per_client = 10,
		.burst = 2 };

	cr_expect_eq(tokens(&l, 100000, 5), 2);
	cr_expect_eq(tokens(&l, 100000 - 1, 5), 0);
	cr_expect_eq(tokens(&l, 100000 - ADMISSION_LAG_MS, 5), 0);
	cr_expect_eq(tokens(&l, 100099, 5), 0);
	cr_expect_eq(tokens(&l, 100100, 5), 1);
}

Test(admission, forgives_what_new_limits_could_not_have_made)
{
	const struct admission_limits old = { .rate_per_client = 1,
		.burst = 3600 };
	const struct admission_limits new = { .rate_per_client = 10,
		.burst = 5 };

	cr_expect_eq(tokens(&old, 0, 4000), 3600);
	cr_expect_eq(tokens(&new, 1, 10), 5);
	cr_expect_eq(tokens(&new, 501, 10), 5);
}

Test(admission, takes_no_token_for_a_refused_connection)
{
	const struct admission_limits l = { .total = 1, .per_client = 1,
		.rate_per_client = 1, .burst = 2 };
	struct admission_ticket first, ticket;
	unsigned i;

	cr_assert_eq(enter(0, &l, "192.0.2.1", 0, &first), ADMISSION_ADMIT);
	for (i = 0; i < 10; i++)
		cr_expect_neq(enter(1, &l, "192.0.2.1", 0, &ticket),
		    ADMISSION_ADMIT);
	admission_client_leave(&table, 0, &first);
	cr_expect_eq(tokens(&l, 0, 5), 1);
	cr_expect(counts_nothing(&table), "nor counts it");
}

Test(admission, bears_extreme_limits)
{
	const struct admission_limits l = { UINT32_MAX, UINT32_MAX,
		UINT32_MAX, UINT32_MAX, UINT32_MAX };
	const struct admission_limits slow = { .rate_per_client = 1,
		.burst = UINT32_MAX };

	cr_expect_eq(tokens(&l, 0, 1000), 1000);
	cr_expect_eq(tokens(&slow, UINT64_MAX, 1000), 1000);
}

/* A bucket's place is another's as soon as it is full, not before. */
Test(admission, reuses_buckets_when_they_are_full_again)
{
	const struct admission_limits l = { .rate_per_client = 1, .burst = 2 };
	struct admission_ticket ticket;
	struct addr addr;
	uint32_t i;

	set_up_slots(ADMISSION_SET);
	for (i = 0; i < 40; i++) {
		addr = nth_client(i);
		ticket = (struct admission_ticket) { 0 };
		cr_expect_eq(admission_client_enter(&table, 0, &l, &addr,
		    i < 20 ? 0 : 1000, &ticket), ADMISSION_ADMIT);
		cr_expect_eq(ticket.untracked, i % 20 >= 16, "%u", i);
		admission_client_leave(&table, 0, &ticket);
	}
}

Test(admission, forgets_an_ended_worker_and_no_other)
{
	const struct admission_limits l = { .per_client = 6 };
	struct admission_ticket ticket[6];
	unsigned i;

	for (i = 0; i < 6; i++) {
		cr_assert_eq(enter(i % WORKERS, &l, "192.0.2.1", 0,
		    &ticket[i]), ADMISSION_ADMIT);
		admission_name_enter(&table, i % WORKERS, &l, "a", 1,
		    &ticket[i]);
	}
	admission_worker_ended(&table, 1);
	cr_expect_eq(admission_total(&table), 4);
	cr_expect_eq(count_of("192.0.2.1"), 4);
	cr_expect_eq(admission_name_count(&table, "a", 1), 4);
	for (i = 0; i < 6; i++) {
		if (i % WORKERS == 1)
			continue;
		admission_name_leave(&table, i % WORKERS, &ticket[i]);
		admission_client_leave(&table, i % WORKERS, &ticket[i]);
	}
	cr_expect(counts_nothing(&table));
}
