/* SPDX-License-Identifier: ISC */
#include "proxyd/target_health.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <string.h>

/*
 * The module once more, its functions called gapped_...: before each atomic
 * step of theirs is a gap, where another worker may act or this one may die.
 */
static void (*in_gap)(void);	/* called once, in gap number */
static unsigned gap_number;

static void
gap(void)
{
	void (*act)(void) = in_gap;

	if (act == NULL || gap_number-- > 0)
		return;
	in_gap = NULL;
	act();
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#define target_health_init	gapped_init
#define target_health_ask	gapped_ask
#define target_health_succeeded	gapped_succeeded
#define target_health_failed	gapped_failed
#undef atomic_load
#undef atomic_store
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_weak
#define atomic_load(at)		(gap(), *(at))
#define atomic_store(at, to)	(gap(), (void)(*(at) = (to)))
#define atomic_compare_exchange_strong(at, was, to) \
	(gap(), atomic_compare_exchange_strong_explicit(at, was, to, \
	    memory_order_seq_cst, memory_order_seq_cst))
#define atomic_compare_exchange_weak atomic_compare_exchange_strong
#include "proxyd/target_health.c"
#undef target_health_init
#undef target_health_ask
#undef target_health_succeeded
#undef target_health_failed
#pragma GCC diagnostic pop

enum { N_THREADS = 4 };

static const struct siphash_key hash_key = { "0123456789abcde" };
static struct target_health table, *const health = &table;

static void
set_up(void)
{
	target_health_init(health, &hash_key);
}

TestSuite(target_health, .init = set_up);

static struct endpoint
target(uint32_t n)
{
	struct endpoint ep = { .addr.octet = { 0x20, 0x01, 0x0d, 0xb8 },
		.port = 443 };

	ep.addr.octet[12] = (uint8_t)(n >> 24);
	ep.addr.octet[13] = (uint8_t)(n >> 16);
	ep.addr.octet[14] = (uint8_t)(n >> 8);
	ep.addr.octet[15] = (uint8_t)n;
	return ep;
}

static void
expect(uint32_t n, uint64_t now_ms, enum target_state want)
{
	struct endpoint ep = target(n);

	cr_assert_eq(target_health_ask(health, &ep, now_ms), want,
	    "target %u at %ju", n, (uintmax_t)now_ms);
}

static void
fail(uint32_t n, uint64_t now_ms)
{
	struct endpoint ep = target(n);

	target_health_failed(health, &ep, now_ms);
}

static void
succeed(uint32_t n)
{
	struct endpoint ep = target(n);

	target_health_succeeded(health, &ep);
}

static unsigned
slots_taken(void)
{
	unsigned i, n = 0;

	for (i = 0; i < TARGET_HEALTH_SLOTS; i++)
		n += atomic_load(&health->slot[i].key) != 0;
	return n;
}

/* --- one worker --------------------------------------------------------- */

Test(target_health, a_target_that_never_failed_is_up_and_has_no_slot)
{
	expect(1, 0, TARGET_UP);
	succeed(1);
	expect(1, UINT32_MAX, TARGET_UP);
	cr_assert_eq(slots_taken(), 0);
}

Test(target_health, the_hold_down_doubles_from_2_to_60_seconds)
{
	static const uint64_t seconds[] = { 2, 4, 8, 16, 32, 60, 60, 60 };
	uint64_t now_ms = 123456;
	size_t i;

	for (i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		fail(1, now_ms);
		expect(1, now_ms, TARGET_HELD);
		expect(1, now_ms + 1000 * seconds[i] - 1, TARGET_HELD);
		now_ms += 1000 * seconds[i];
		expect(1, now_ms, TARGET_PROBE);
	}
}

Test(target_health, a_thousand_failures_hold_it_no_longer_than_six)
{
	uint64_t now_ms = 0;
	unsigned i;

	for (i = 0; i < 1000; i++) {
		fail(1, now_ms);
		now_ms += TARGET_HEALTH_HOLD_MAX_MS;
		expect(1, now_ms, TARGET_PROBE);
		expect(1, now_ms, TARGET_HELD);
	}
}

Test(target_health, failing_together_counts_once)
{
	unsigned i;

	for (i = 0; i < 100; i++)
		fail(1, 5000 + i);
	expect(1, 5000 + 1999, TARGET_HELD);
	expect(1, 5000 + 2000, TARGET_PROBE);
	fail(1, 7000);
	expect(1, 7000 + 3999, TARGET_HELD);
	expect(1, 7000 + 4000, TARGET_PROBE);
}

Test(target_health, a_probe_nobody_reported_on_is_forgotten)
{
	fail(1, 0);
	expect(1, 2000, TARGET_PROBE);
	expect(1, 2000, TARGET_HELD);
	expect(1, 2000 + TARGET_HEALTH_PROBE_MS - 1, TARGET_HELD);
	expect(1, 2000 + TARGET_HEALTH_PROBE_MS, TARGET_PROBE);
	expect(1, 2000 + TARGET_HEALTH_PROBE_MS, TARGET_HELD);
	/* What was forgotten is no failure: the next one is the second. */
	fail(1, 20000);
	expect(1, 20000 + 3999, TARGET_HELD);
	expect(1, 20000 + 4000, TARGET_PROBE);
}

Test(target_health, a_failed_probe_holds_again_and_at_once)
{
	fail(1, 0);
	expect(1, 2000, TARGET_PROBE);
	fail(1, 2001);
	expect(1, 2001 + 3999, TARGET_HELD);
	expect(1, 2001 + 4000, TARGET_PROBE);
}

Test(target_health, a_success_clears_it)
{
	fail(1, 0);
	expect(1, 2000, TARGET_PROBE);
	fail(1, 2000);
	succeed(1);
	expect(1, 2000, TARGET_UP);
	cr_assert_eq(slots_taken(), 0);
	fail(1, 3000);
	expect(1, 3000 + 1999, TARGET_HELD);
	expect(1, 3000 + 2000, TARGET_PROBE);
}

Test(target_health, address_and_port_make_a_target)
{
	struct endpoint ep = target(1);

	fail(1, 0);
	ep.port = 80;
	cr_assert_eq(target_health_ask(health, &ep, 0), TARGET_UP);
	ep.port = 443 ^ 0x8000;
	cr_assert_eq(target_health_ask(health, &ep, 0), TARGET_UP);
	expect(2, 0, TARGET_UP);
	target_health_succeeded(health, &ep);
	expect(1, 0, TARGET_HELD);
}

Test(target_health, a_worker_whose_clock_is_behind_sees_it_held)
{
	fail(1, 1000);
	expect(1, 997, TARGET_HELD);
	fail(1, 997);
	expect(1, 2999, TARGET_HELD);
	expect(1, 3000, TARGET_PROBE);
	expect(1, 2996, TARGET_HELD);
	fail(1, 2996);		/* the probe's report, from a slow clock */
	expect(1, 2996 + 4000, TARGET_PROBE);
}

/* --- a full table ------------------------------------------------------- */

/* Find targets whose slots are the same ones, in an empty table. */
static void
find_colliding(uint32_t *ret, unsigned n)
{
	struct target_health_slot *home = &health->slot[0];
	unsigned found = 0;
	uint32_t t;

	fail(0, 0);
	while (atomic_load(&home->key) == 0)
		home++;
	succeed(0);
	for (t = 1; found < n; t++) {
		fail(t, 0);
		if (atomic_load(&home->key) != 0)
			ret[found++] = t;
		succeed(t);
	}
	cr_assert_eq(slots_taken(), 0);
}

Test(target_health, as_many_as_there_are_slots_are_remembered)
{
	uint32_t t[TARGET_HEALTH_PROBES];
	unsigned i;

	find_colliding(t, TARGET_HEALTH_PROBES);
	for (i = 0; i < TARGET_HEALTH_PROBES; i++)
		fail(t[i], i);
	for (i = 0; i < TARGET_HEALTH_PROBES; i++)
		expect(t[i], i, TARGET_HELD);
	/* One that leaves does not hide those behind it. */
	succeed(t[0]);
	for (i = 1; i < TARGET_HEALTH_PROBES; i++)
		expect(t[i], i, TARGET_HELD);
	fail(t[7], 2007);
	cr_assert_eq(slots_taken(), TARGET_HEALTH_PROBES - 1,
	    "a target has one slot, though one before it is free");
}

Test(target_health, if_full_the_one_whose_hold_ends_first_is_replaced)
{
	uint32_t t[TARGET_HEALTH_PROBES + 2];
	unsigned i;

	find_colliding(t, TARGET_HEALTH_PROBES + 2);
	for (i = 0; i < TARGET_HEALTH_PROBES; i++)
		fail(t[i], i == 3 ? 100 : i == 5 ? 200 : 300 + i);
	fail(t[8], 1000);
	expect(t[8], 1000, TARGET_HELD);
	expect(t[8], 2999, TARGET_HELD);
	expect(t[3], 1000, TARGET_UP);
	fail(t[9], 1001);
	expect(t[9], 1001, TARGET_HELD);
	expect(t[5], 1001, TARGET_UP);
	for (i = 0; i < TARGET_HEALTH_PROBES; i++)
		expect(t[i], 1001, i == 3 || i == 5 ? TARGET_UP : TARGET_HELD);
	cr_assert_eq(slots_taken(), TARGET_HEALTH_PROBES);
}

Test(target_health, what_replaces_another_begins_anew)
{
	uint32_t t[TARGET_HEALTH_PROBES + 1];
	unsigned i;

	find_colliding(t, TARGET_HEALTH_PROBES + 1);
	for (i = 0; i < TARGET_HEALTH_PROBES; i++) {
		fail(t[i], 0);
		fail(t[i], 2000);
		fail(t[i], 6000);	/* till 14000 */
	}
	fail(t[8], 20000);
	expect(t[8], 20000 + 1999, TARGET_HELD);
	expect(t[8], 20000 + 2000, TARGET_PROBE);
}

/* --- workers that come between ------------------------------------------ */

static enum target_state theirs;

static void
they_ask(void)
{
	const struct endpoint ep = target(1);

	theirs = target_health_ask(health, &ep, 2000);
}

Test(target_health, one_probes_wherever_another_comes_between)
{
	const struct endpoint ep = target(1);
	enum target_state mine;
	unsigned i;

	for (i = 0;; i++) {
		target_health_init(health, &hash_key);
		fail(1, 0);
		in_gap = they_ask;
		gap_number = i;
		mine = gapped_ask(health, &ep, 2000);
		if (in_gap != NULL)
			break;		/* it has no such gap */
		cr_assert((mine == TARGET_PROBE && theirs == TARGET_HELD) ||
		    (mine == TARGET_HELD && theirs == TARGET_PROBE),
		    "gap %u: %d and %d", i, (int)mine, (int)theirs);
	}
	cr_assert(i > 2);
	in_gap = NULL;
}

static void
they_fail_twice(void)
{
	fail(1, 2000);
	fail(1, 6000);		/* the third: held till 14000 */
}

Test(target_health, a_failure_reported_late_shortens_nothing)
{
	const struct endpoint ep = target(1);
	unsigned i;

	for (i = 0;; i++) {
		target_health_init(health, &hash_key);
		fail(1, 0);
		in_gap = they_fail_twice;
		gap_number = i;
		gapped_failed(health, &ep, 2000);
		if (in_gap != NULL)
			break;
		expect(1, 13999, TARGET_HELD);
		expect(1, 14000, TARGET_PROBE);
	}
	cr_assert(i > 2);
	in_gap = NULL;
}

/* --- workers that die --------------------------------------------------- */

static jmp_buf death;

static void
die(void)
{
	longjmp(death, 1);
}

/* Do something to a target and die in that gap; false if there is none. */
static bool
died_in_gap(unsigned number, char what, uint32_t n)
{
	const struct endpoint ep = target(n);

	in_gap = die;
	gap_number = number;
	if (setjmp(death) != 0)
		return true;
	if (what == 'a')		/* ask */
		gapped_ask(health, &ep, 20000);
	else if (what == 's')		/* succeeded */
		gapped_succeeded(health, &ep);
	else
		gapped_failed(health, &ep, 20000);
	in_gap = NULL;
	return false;
}

/* When all targets succeed no slot is left; then they fail as if new. */
static void
expect_usable(const uint32_t *t, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		succeed(t[i]);
	cr_assert_eq(slots_taken(), 0);
	for (i = 0; i < n; i++) {
		fail(t[i], 30000);
		expect(t[i], 30000 + 1999, TARGET_HELD);
		expect(t[i], 30000 + 2000, TARGET_PROBE);
		succeed(t[i]);
	}
}

/* With the first n of t[] in the table, die in every gap of one action. */
static void
die_in_each_gap(const uint32_t *t, unsigned n, char what, uint32_t who)
{
	unsigned number, i;

	for (number = 0;; number++) {
		target_health_init(health, &hash_key);
		for (i = 0; i < n; i++)
			fail(t[i], i);
		if (!died_in_gap(number, what, who))
			break;
		expect_usable(t, TARGET_HEALTH_PROBES + 1);
	}
	cr_assert(number > 0);
}

Test(target_health, a_worker_that_dies_anywhere_leaves_the_table_usable)
{
	uint32_t t[TARGET_HEALTH_PROBES + 1];
	const char *what;
	unsigned n;

	find_colliding(t, TARGET_HEALTH_PROBES + 1);
	for (n = 1; n <= TARGET_HEALTH_PROBES; n++) {
		for (what = "asf"; *what != '\0'; what++) {
			die_in_each_gap(t, n, *what, t[n - 1]);	/* in it */
			die_in_each_gap(t, n, *what, t[n]);	/* new */
		}
	}
}

Test(target_health, a_slot_without_a_failure_holds_nothing)
{
	unsigned number;

	/* It dies ever later: the slot is not there, empty, written. */
	for (number = 0; slots_taken() == 0; number++)
		cr_assert(died_in_gap(number, 'f', 1));
	expect(1, 20000, TARGET_UP);
	fail(1, 20000);
	expect(1, 20000 + 1999, TARGET_HELD);
	expect(1, 20000 + 2000, TARGET_PROBE);
}

Test(target_health, what_a_dead_worker_left_in_a_free_slot_is_not_inherited)
{
	struct target_health_slot *s = &health->slot[0];
	unsigned i;

	for (i = 0; i < 6; i++)
		fail(1, 60000 * i);
	while (s->key == 0)
		s++;
	s->key = 0;
	expect(1, 300000, TARGET_UP);
	fail(1, 300000);
	expect(1, 300000 + 1999, TARGET_HELD);
	expect(1, 300000 + 2000, TARGET_PROBE);
}

/* --- workers side by side ----------------------------------------------- */

enum { N_TARGETS = 2 * TARGET_HEALTH_SLOTS };	/* so that slots run out */

/* Do anything to any target, in an order that `seed` makes. */
static void
hammer(uint32_t seed, unsigned steps)
{
	struct endpoint ep;
	uint64_t now_ms;
	unsigned i;

	for (i = 0; i < steps; i++) {
		seed = seed * 1664525 + 1013904223;
		ep = target((seed >> 8) % N_TARGETS);
		now_ms = 10 * (uint64_t)i + (seed >> 30);
		if ((seed >> 24 & 7) == 0)
			target_health_succeeded(health, &ep);
		else if ((seed >> 24 & 7) < 5)
			target_health_failed(health, &ep, now_ms);
		else
			target_health_ask(health, &ep, now_ms);
	}
}

/*
 * Every slot still belongs to a target that finds it: when all succeed, as
 * often as a target can have slots, none is left.  Then it serves as new.
 */
static void
expect_whole_table(void)
{
	unsigned i, t;

	cr_assert(slots_taken() > 0, "nothing was done to it");
	for (i = 0; i < TARGET_HEALTH_PROBES; i++)
		for (t = 0; t < N_TARGETS; t++)
			succeed(t);
	cr_assert_eq(slots_taken(), 0);
	for (t = 0; t < N_TARGETS; t++) {
		fail(t, 100);
		expect(t, 100, TARGET_HELD);
		expect(t, 2099, TARGET_HELD);
		expect(t, 2100, TARGET_PROBE);
		expect(t, 2100, TARGET_HELD);
		succeed(t);
		expect(t, 2100, TARGET_UP);
	}
	cr_assert_eq(slots_taken(), 0);
}

static void
run_threads(void *(*body)(void *))
{
	pthread_t thread[N_THREADS];
	uintptr_t i;

	for (i = 0; i < N_THREADS; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, body,
		    (void *)i), 0);
	for (i = 0; i < N_THREADS; i++)
		pthread_join(thread[i], NULL);
}

static void *
hammer_thread(void *arg)
{
	hammer((uint32_t)(uintptr_t)arg, 200000);
	return NULL;
}

Test(target_health, workers_at_once_lose_no_slot)
{
	run_threads(hammer_thread);
	expect_whole_table();
}

enum {
	ROUNDS = 2000,		/* probes */
	TURNS_MAX = 50000000	/* far more than they take */
};

static _Atomic uint64_t clock_ms;
static _Atomic unsigned probing, probed, together, vanished;

/*
 * Ask at a time of one's own until it is one's turn to probe.  Only who has
 * reported moves the clock, so no probe is forgotten meanwhile.
 */
static void *
probe(void *arg)
{
	const uint64_t skew_ms = 3 * (uintptr_t)arg;
	const struct endpoint ep = target(1);
	enum target_state state;
	uint64_t now_ms;
	unsigned turn;

	for (turn = 0; probed < ROUNDS && turn < TURNS_MAX; turn++) {
		now_ms = clock_ms + skew_ms;
		state = target_health_ask(health, &ep, now_ms);
		vanished += state == TARGET_UP;
		if (state != TARGET_PROBE) {
			if (turn % 64 == 0)
				sched_yield();
			continue;
		}
		together += probing++ > 0;
		sched_yield();
		probing--;
		target_health_failed(health, &ep, now_ms);
		probed++;
		clock_ms += TARGET_HEALTH_HOLD_MAX_MS + 100;
	}
	return NULL;
}

Test(target_health, of_workers_at_once_one_probes)
{
	fail(1, 0);
	clock_ms = TARGET_HEALTH_HOLD_MIN_MS;
	run_threads(probe);
	cr_assert_eq(together, 0, "%u probes while another ran", together);
	cr_assert_eq(vanished, 0, "%u times forgotten", vanished);
	cr_assert(probed >= ROUNDS, "only %u probes", probed);
}
