/* SPDX-License-Identifier: ISC */
/*
 * What admission.h promises of workers that race and die, with processes.
 */
#include "proxyd/admission.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 4, SLOTS = 64, CLIENTS = 2, HELD_MAX = 4,
	PATIENCE_MS = 60000 };

static const struct siphash_key key = { "admission_worke" };
static const struct admission_limits limits = { .total = 7, .per_client = 5,
	.per_name = 3 };

/*
 * What workers hold by their own account, never more than they do: 16 bits
 * for each, so that one exchange reads all at once.
 */
enum { TOTAL, CLIENT_0, CLIENT_1, NAME, N_WITNESSES };

struct shared {
	_Atomic uint64_t	witness[N_WITNESSES];
	_Atomic uint64_t	most[N_WITNESSES];	/* ever held */
	_Atomic uint64_t	admitted[WORKERS];
	_Atomic uint64_t	over;		/* limits exceeded */
	_Atomic uint32_t	ready;		/* workers */
	_Atomic bool		stop;
	_Alignas(64) uint8_t	table[16384];
};

static struct shared *shared;
static struct admission table;

static void
set_up(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert(shared != MAP_FAILED);
	cr_assert_leq(admission_octets(WORKERS, SLOTS),
	    sizeof(shared->table));
	admission_init(&table, shared->table, WORKERS, SLOTS, &key);
}

TestSuite(admission_workers, .init = set_up);

static struct addr
client_of(unsigned n)
{
	return (struct addr) { { [10] = 0xff, 0xff, 192, 0, 2, (uint8_t)n } };
}

static uint64_t
witnessed(uint64_t word)
{
	uint64_t sum = 0;

	for (; word != 0; word >>= 16)
		sum += word & 0xffff;
	return sum;
}

static void
see_enter(unsigned what, uint32_t worker, uint32_t limit)
{
	uint64_t one = UINT64_C(1) << 16 * worker, most, now;

	now = witnessed(atomic_fetch_add(&shared->witness[what], one) + one);
	if (now > limit)
		atomic_fetch_add(&shared->over, 1);
	most = atomic_load(&shared->most[what]);
	while (now > most && !atomic_compare_exchange_weak(
	    &shared->most[what], &most, now))
		;
}

static void
see_leave(unsigned what, uint32_t worker)
{
	atomic_fetch_sub(&shared->witness[what],
	    UINT64_C(1) << 16 * worker);
}

struct held {
	struct admission_ticket ticket;
	unsigned	client;
	bool		in;
	bool		named;
};

static void
leave(uint32_t worker, struct held *h)
{
	if (!h->in)
		return;
	if (h->named) {
		see_leave(NAME, worker);
		admission_name_leave(&table, worker, &h->ticket);
	}
	see_leave(CLIENT_0 + h->client, worker);
	see_leave(TOTAL, worker);
	admission_client_leave(&table, worker, &h->ticket);
	*h = (struct held) { 0 };
}

static void
enter(uint32_t worker, struct held *h, unsigned client)
{
	struct addr addr = client_of(client);

	h->client = client;
	h->in = admission_client_enter(&table, worker, &limits, &addr, 0,
	    &h->ticket) == ADMISSION_ADMIT;
	if (!h->in)
		return;
	atomic_fetch_add(&shared->admitted[worker], 1);
	see_enter(TOTAL, worker, limits.total);
	see_enter(CLIENT_0 + client, worker, limits.per_client);
	h->named = admission_name_enter(&table, worker, &limits, "a.example",
	    9, &h->ticket) == ADMISSION_ADMIT;
	if (h->named)
		see_enter(NAME, worker, limits.per_name);
}

/* Until told to stop; then everything is left. */
static _Noreturn void
work(uint32_t worker, uint32_t seed)
{
	struct held held[HELD_MAX] = { 0 }, *h;

	while (!atomic_load(&shared->stop)) {
		seed = seed * 1664525 + 1013904223;
		h = &held[seed >> 30];
		if (h->in)
			leave(worker, h);
		else
			enter(worker, h, seed >> 29 & 1);
	}
	for (h = held; h < held + HELD_MAX; h++)
		leave(worker, h);
	_exit(0);
}

static pid_t
start(uint32_t worker, uint32_t seed)
{
	pid_t pid = fork();

	cr_assert(pid >= 0);
	if (pid == 0)
		work(worker, seed);
	return pid;
}

static void
reap(pid_t pid, bool killed)
{
	int status;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(killed ? WIFSIGNALED(status) :
	    WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", status);
}

/* Whether as many connections as the limits say fit into what is left. */
static void
expect_empty_and_exact(const struct admission *a)
{
	struct admission_ticket ticket[WORKERS][HELD_MAX] = { 0 };
	struct addr addr = client_of(0);
	unsigned i, w, got = 0, named = 0;

	for (i = 0; i < admission_octets(WORKERS, SLOTS) / 8; i++)
		cr_assert_eq(a->words[i], 0, "word %u", i);
	for (w = 0; w < WORKERS; w++)
		for (i = 0; i < HELD_MAX; i++) {
			got += admission_client_enter(a, w, &limits, &addr, 0,
			    &ticket[w][i]) == ADMISSION_ADMIT;
			named += admission_name_enter(a, w, &limits,
			    "a.example", 9, &ticket[w][i]) == ADMISSION_ADMIT;
		}
	cr_expect_eq(got, limits.per_client, "%u", got);
	cr_expect_eq(named, limits.per_name, "%u", named);
}

static bool
limits_reached(void)
{
	return atomic_load(&shared->most[TOTAL]) >= limits.total &&
	    atomic_load(&shared->most[CLIENT_0]) >= limits.per_client &&
	    atomic_load(&shared->most[CLIENT_1]) >= limits.per_client &&
	    atomic_load(&shared->most[NAME]) >= limits.per_name;
}

/*
 * Until each worker was admitted so often and they have met at all limits,
 * for which one that has few CPUs for all of them may need some time.
 */
static void
await(uint64_t admitted)
{
	unsigned ms;
	uint32_t w;

	for (ms = 0; ms < PATIENCE_MS; ms++) {
		for (w = 0; w < WORKERS; w++)
			if (atomic_load(&shared->admitted[w]) < admitted)
				break;
		if (w == WORKERS && limits_reached())
			return;
		usleep(1000);
	}
}

static void
expect_limits_reached_but_never_exceeded(void)
{
	cr_expect_eq(shared->over, 0, "%lu times", (unsigned long)shared->over);
	cr_expect_eq(shared->most[TOTAL], limits.total);
	cr_expect_eq(shared->most[CLIENT_0], limits.per_client);
	cr_expect_eq(shared->most[CLIENT_1], limits.per_client);
	cr_expect_eq(shared->most[NAME], limits.per_name);
}

Test(admission_workers, never_exceed_a_limit_together)
{
	pid_t pid[WORKERS];
	uint32_t w;

	for (w = 0; w < WORKERS; w++)
		pid[w] = start(w, w);
	await(30000);
	atomic_store(&shared->stop, true);
	for (w = 0; w < WORKERS; w++)
		reap(pid[w], false);
	expect_limits_reached_but_never_exceeded();
	expect_empty_and_exact(&table);
}

Test(admission_workers, stay_exact_while_others_are_killed)
{
	pid_t pid[WORKERS];
	uint32_t w, seed = 7;
	unsigned round, what;

	for (w = 0; w < WORKERS; w++)
		pid[w] = start(w, w);
	for (round = 0; round < 90; round++) {
		seed = seed * 1664525 + 1013904223;
		usleep(seed >> 21);	/* up to 2 ms */
		w = round % (WORKERS - 1);	/* the last one lives on */
		kill(pid[w], SIGKILL);
		reap(pid[w], true);
		for (what = 0; what < N_WITNESSES; what++)
			atomic_fetch_and(&shared->witness[what],
			    ~(UINT64_C(0xffff) << 16 * w));
		admission_worker_ended(&table, w);
		pid[w] = start(w, seed);
	}
	await(101);
	atomic_store(&shared->stop, true);
	for (w = 0; w < WORKERS; w++) {
		reap(pid[w], false);
		cr_expect_gt(shared->admitted[w], 100, "worker %u", w);
	}
	expect_limits_reached_but_never_exceeded();
	expect_empty_and_exact(&table);
}

enum { TOKENS = 400000, TRIES = 200000 };

static _Noreturn void
take_tokens(uint32_t worker)
{
	const struct admission_limits rate = { .rate_per_client = 10,
		.burst = TOKENS };
	struct addr addr = client_of(1);
	uint64_t admitted = 0;
	unsigned i;

	atomic_fetch_add(&shared->ready, 1);
	while (atomic_load(&shared->ready) < WORKERS)
		;
	for (i = 0; i < TRIES; i++) {
		struct admission_ticket t = { 0 };

		admitted += admission_client_enter(&table, worker, &rate,
		    &addr, 0, &t) == ADMISSION_ADMIT;
		admission_client_leave(&table, worker, &t);
	}
	atomic_store(&shared->admitted[worker], admitted);
	_exit(0);
}

/* All tries are at one moment, so no token is added. */
Test(admission_workers, share_a_clients_tokens)
{
	uint64_t admitted = 0;
	pid_t pid[WORKERS];
	uint32_t w;

	for (w = 0; w < WORKERS; w++) {
		pid[w] = fork();
		cr_assert(pid[w] >= 0);
		if (pid[w] == 0)
			take_tokens(w);
	}
	for (w = 0; w < WORKERS; w++) {
		reap(pid[w], false);
		admitted += atomic_load(&shared->admitted[w]);
	}
	cr_expect_eq(admitted, TOKENS, "%lu", (unsigned long)admitted);
}

/* The worker that is killed at every instruction: it enters, and leaves. */
static _Noreturn void
be_stepped(void)
{
	struct admission_limits l = limits;
	struct admission_ticket t[2] = { { 0 }, { 0 } };
	struct addr addr = client_of(0);
	unsigned i;

	l.rate_per_client = 1;
	l.burst = 1;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(1);
	raise(SIGSTOP);
	for (i = 0; i < 2; i++) {	/* the second finds no token */
		admission_client_enter(&table, 1, &l, &addr, 0, &t[i]);
		admission_name_enter(&table, 1, &l, "a.example", 9, &t[i]);
	}
	for (i = 0; i < 2; i++) {
		admission_name_leave(&table, 1, &t[i]);
		admission_client_leave(&table, 1, &t[i]);
	}
	_exit(0);
}

/*
 * In a copy, so that the original goes on: worker 1 ends now.  Worker 0 holds
 * two connections of the client and one of the name.
 */
static void
expect_exact_if_killed_now(const uint8_t *copy, unsigned step)
{
	static _Alignas(64) uint8_t memory[sizeof(shared->table)];
	struct addr addr = client_of(0);
	struct admission a;
	unsigned w, got = 0, named = 0;

	memcpy(memory, copy, sizeof(memory));
	admission_init(&a, memory, WORKERS, SLOTS, &key);
	cr_assert_leq(admission_client_count(&a, &addr), 4, "step %u", step);
	cr_assert_leq(admission_total(&a), 4, "step %u", step);
	admission_worker_ended(&a, 1);
	cr_assert_eq(admission_client_count(&a, &addr), 2, "step %u", step);
	cr_assert_eq(admission_name_count(&a, "a.example", 9), 1);
	cr_assert_eq(admission_total(&a), 2, "step %u", step);
	for (w = 0; w < 2 * WORKERS; w++) {
		struct admission_ticket t = { 0 };

		got += admission_client_enter(&a, w / 2, &limits, &addr, 0,
		    &t) == ADMISSION_ADMIT;
		named += admission_name_enter(&a, w / 2, &limits, "a.example",
		    9, &t) == ADMISSION_ADMIT;
	}
	cr_assert_eq(got, limits.per_client - 2, "step %u: %u", step, got);
	cr_assert_eq(named, limits.per_name - 1, "step %u: %u", step, named);
}

Test(admission_workers, may_be_killed_between_any_two_instructions)
{
	static uint8_t before[sizeof(shared->table)];
	struct admission_ticket t[2] = { { 0 }, { 0 } };
	struct addr addr = client_of(0);
	unsigned step, changes = 0;
	pid_t pid;
	int status;

	admission_client_enter(&table, 0, &limits, &addr, 0, &t[0]);
	admission_client_enter(&table, 0, &limits, &addr, 0, &t[1]);
	admission_name_enter(&table, 0, &limits, "a.example", 9, &t[0]);
	pid = fork();
	cr_assert(pid >= 0);
	if (pid == 0)
		be_stepped();
	for (step = 0;; step++) {
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status))
			break;
		if (memcmp(before, shared->table, sizeof(before)) != 0) {
			memcpy(before, shared->table, sizeof(before));
			expect_exact_if_killed_now(before, step);
			changes++;
		}
		cr_assert_eq(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		cr_skip("this host forbids ptrace");
	cr_assert(WIFEXITED(status), "%x", status);
	/* As it was; 4 stores in, 3 in and 2 back, for want of a token, and
	 * a name's alone; 4 out. */
	cr_expect_eq(changes, 14, "%u changes in %u steps", changes, step);
}
