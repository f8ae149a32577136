/* SPDX-License-Identifier: ISC */
#include "proxyd/admission.h"

#include <assert.h>
#include <string.h>

/*
 * The table, in words:
 *
 *	n_workers x WORDS_PER_LINE	a worker's total, alone in its line
 *	n_workers x n_slots		cells: tag (40 bits), count (24); the
 *					cells of one set side by side, so that
 *					a sum walks through memory
 *	n_slots				buckets: tag (20 bits), full_at (44)
 *
 * A cell whose count is 0 is all 0 and free.  It stays in its place as long as
 * it counts anything, so others find it there if they have to.
 *
 * A bucket is the time when it will be full again, in microseconds modulo
 * 2^44; with the limits and the time that tells what it holds.  From then on
 * it is free.
 */
#define WORDS_PER_LINE	8
#define COUNT_BITS	24
#define COUNT_MAX	((UINT64_C(1) << COUNT_BITS) - 1)
#define TIME_BITS	44
#define TIME_MASK	((UINT64_C(1) << TIME_BITS) - 1)
#define DEBT_MAX	(UINT64_C(1) << (TIME_BITS - 2))	/* us */
#define LAG_US		(UINT64_C(1000) * ADMISSION_LAG_MS)

/* In a ticket: a slot's number from 1, or: */
#define NO_SLOT		UINT32_C(0)
#define UNTRACKED	UINT32_MAX

/* Between processes only what is lock-free is atomic. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && sizeof(long long) == 8,
    "64-bit atomics are lock-free");

static size_t
words_before_cells(uint32_t n_workers)
{
	return (size_t)n_workers * WORDS_PER_LINE;
}

size_t
admission_octets(uint32_t n_workers, uint32_t n_slots)
{
	return sizeof(uint64_t) * (words_before_cells(n_workers) +
	    ((size_t)n_workers + 1) * n_slots);
}

void
admission_init(struct admission *a, void *memory, uint32_t n_workers,
    uint32_t n_slots, const struct siphash_key *key)
{
	assert(n_workers > 0);
	assert(n_slots >= ADMISSION_SET && (n_slots & (n_slots - 1)) == 0);
	assert(((uintptr_t)memory & 63) == 0);
	a->words = memory;
	a->n_workers = n_workers;
	a->n_slots = n_slots;
	a->key = *key;
}

static _Atomic uint64_t *
total_of(const struct admission *a, uint32_t worker)
{
	assert(worker < a->n_workers);
	return a->words + (size_t)worker * WORDS_PER_LINE;
}

/* The worker's cell of that number, and after it the rest of its set. */
static _Atomic uint64_t *
cell_at(const struct admission *a, uint32_t worker, uint32_t slot)
{
	assert(worker < a->n_workers && slot < a->n_slots);
	return a->words + words_before_cells(a->n_workers) +
	    ((size_t)(slot / ADMISSION_SET) * a->n_workers + worker) *
	    ADMISSION_SET + slot % ADMISSION_SET;
}

static _Atomic uint64_t *
buckets_of(const struct admission *a)
{
	return a->words + words_before_cells(a->n_workers) +
	    (size_t)a->n_workers * a->n_slots;
}

static uint64_t
hash_of_client(const struct admission *a, const struct addr *client)
{
	uint8_t octets[17] = { 0 };

	if (addr_is_v4(client)) {
		octets[0] = 4;
		memcpy(octets + 1, client->octet + 12, 4);
	} else {
		octets[0] = 6;
		memcpy(octets + 1, client->octet, 8);	/* its /64 */
	}
	return siphash(&a->key, octets, sizeof(octets));
}

/* No name begins with the octets 4 or 6. */
static uint64_t
hash_of_name(const struct admission *a, const char *name, size_t len)
{
	return siphash(&a->key, name, len);
}

/* The first slot of the set: low bits of the hash; tags are the high ones. */
static uint32_t
set_of(const struct admission *a, uint64_t hash)
{
	return (uint32_t)hash & (a->n_slots - 1) &
	    ~(uint32_t)(ADMISSION_SET - 1);
}

static uint64_t
tag_of(uint64_t hash, unsigned low_bits)
{
	return hash >> low_bits << low_bits;
}

static uint64_t
count_in(uint64_t cell)
{
	return cell & COUNT_MAX;
}

/*
 * The worker's cell for the hash or else its first free one, and what is in
 * it; NULL: none.
 */
static _Atomic uint64_t *
find_cell(const struct admission *a, uint32_t worker, uint64_t hash,
    uint64_t *ret_cell)
{
	_Atomic uint64_t *at = cell_at(a, worker, set_of(a, hash));
	_Atomic uint64_t *end = at + ADMISSION_SET, *free_cell = NULL;
	uint64_t cell;

	*ret_cell = 0;
	for (; at < end; at++) {
		cell = atomic_load(at);
		if (count_in(cell) == 0) {
			free_cell = free_cell == NULL ? at : free_cell;
		} else if (tag_of(cell, COUNT_BITS) ==
		    tag_of(hash, COUNT_BITS)) {
			*ret_cell = cell;
			return at;
		}
	}
	return free_cell;
}

static uint64_t
sum_cells(const struct admission *a, uint64_t hash)
{
	uint64_t cell, sum = 0;
	uint32_t w;

	for (w = 0; w < a->n_workers; w++) {
		find_cell(a, w, hash, &cell);
		sum += count_in(cell);
	}
	return sum;
}

uint64_t
admission_total(const struct admission *a)
{
	uint64_t sum = 0;
	uint32_t w;

	for (w = 0; w < a->n_workers; w++)
		sum += atomic_load(total_of(a, w));
	return sum;
}

uint64_t
admission_client_count(const struct admission *a, const struct addr *client)
{
	return sum_cells(a, hash_of_client(a, client));
}

uint64_t
admission_name_count(const struct admission *a, const char *name, size_t len)
{
	return sum_cells(a, hash_of_name(a, name, len));
}

/*
 * Stores need no exchange: the worker is the only writer.  What it reads is
 * still memory of all, so nothing about it is asserted.
 */
static void
cell_leave(const struct admission *a, uint32_t worker, uint32_t *slot)
{
	_Atomic uint64_t *at;
	uint64_t cell;

	if (*slot != NO_SLOT && *slot != UNTRACKED) {
		at = cell_at(a, worker, *slot - 1);
		cell = atomic_load(at);
		atomic_store(at, count_in(cell) > 1 ? cell - 1 : 0);
	}
	*slot = NO_SLOT;
}

/* Returns false, and counts nothing, if there were more than `limit` then. */
static bool
cell_enter(const struct admission *a, uint32_t worker, uint64_t hash,
    uint32_t limit, uint32_t *slot, bool *untracked)
{
	uint64_t cell;
	_Atomic uint64_t *at = find_cell(a, worker, hash, &cell);
	uint32_t set;

	assert(*slot == NO_SLOT);
	if (at == NULL || count_in(cell) == COUNT_MAX) {
		*slot = UNTRACKED;
		*untracked = true;
		return true;
	}
	if (cell == 0)
		cell = tag_of(hash, COUNT_BITS);
	set = set_of(a, hash);
	*slot = set + (uint32_t)(at - cell_at(a, worker, set)) + 1;
	atomic_store(at, cell + 1);	/* first this, then the others */
	if (limit == 0 || sum_cells(a, hash) <= limit)
		return true;
	cell_leave(a, worker, slot);
	return false;
}

static void
total_leave(const struct admission *a, uint32_t worker)
{
	_Atomic uint64_t *total = total_of(a, worker);
	uint64_t n = atomic_load(total);

	atomic_store(total, n > 0 ? n - 1 : 0);
}

static bool
total_enter(const struct admission *a, uint32_t worker, uint32_t limit)
{
	_Atomic uint64_t *total = total_of(a, worker);

	atomic_store(total, atomic_load(total) + 1);
	if (limit == 0 || admission_total(a) <= limit)
		return true;
	total_leave(a, worker);
	return false;
}

/*
 * Microseconds until the bucket is full.  More than the limits can have made,
 * by a clock somewhat ahead of ours, is of another age: of other limits, or a
 * word left alone for so long that time has come around.
 */
static uint64_t
debt_in(uint64_t bucket, uint64_t now_us, uint64_t debt_max)
{
	uint64_t debt = (bucket - now_us) & TIME_MASK;

	return bucket == 0 || debt > debt_max + LAG_US ? 0 : debt;
}

/* The client's bucket, or else the first free one; NULL: none. */
static _Atomic uint64_t *
find_bucket(const struct admission *a, uint64_t hash, uint64_t now_us,
    uint64_t debt_max, uint64_t *ret_bucket)
{
	_Atomic uint64_t *at = buckets_of(a) + set_of(a, hash);
	_Atomic uint64_t *end = at + ADMISSION_SET, *free_bucket = NULL;
	uint64_t bucket;

	for (; at < end; at++) {
		bucket = atomic_load(at);
		if (bucket != 0 &&
		    tag_of(bucket, TIME_BITS) == tag_of(hash, TIME_BITS)) {
			*ret_bucket = bucket;
			return at;
		}
		if (free_bucket == NULL &&
		    debt_in(bucket, now_us, debt_max) == 0) {
			*ret_bucket = bucket;
			free_bucket = at;
		}
	}
	return free_bucket;
}

/*
 * Take a token.  What the bucket is to hold and whose it is are one word, so
 * that it is taken, or another client's full bucket replaced, in one step.
 */
static bool
take_token(const struct admission *a, uint64_t hash,
    const struct admission_limits *limits, uint64_t now_ms, bool *untracked)
{
	uint64_t now_us = now_ms * 1000, interval_us, debt_max, debt, bucket;
	uint64_t next;
	_Atomic uint64_t *at;

	if (limits->rate_per_client == 0)
		return true;
	interval_us = 1000000 / limits->rate_per_client;
	interval_us = interval_us > 0 ? interval_us : 1;
	debt_max = interval_us * (limits->burst > 0 ? limits->burst : 1);
	debt_max = debt_max < DEBT_MAX ? debt_max : DEBT_MAX;
	do {
		at = find_bucket(a, hash, now_us, debt_max, &bucket);
		if (at == NULL) {
			*untracked = true;
			return true;
		}
		debt = debt_in(bucket, now_us, debt_max) + interval_us;
		if (debt > debt_max)
			return false;
		next = tag_of(hash, TIME_BITS) | ((now_us + debt) & TIME_MASK);
	} while (!atomic_compare_exchange_strong(at, &bucket, next));
	return true;
}

enum admission_verdict
admission_client_enter(const struct admission *a, uint32_t worker,
    const struct admission_limits *limits, const struct addr *client,
    uint64_t now_ms, struct admission_ticket *ticket)
{
	uint64_t hash = hash_of_client(a, client);

	if (!total_enter(a, worker, limits->total))
		return ADMISSION_REFUSE_TOTAL;
	if (!cell_enter(a, worker, hash, limits->per_client,
		&ticket->slot_client, &ticket->untracked)) {
		total_leave(a, worker);
		return ADMISSION_REFUSE_CLIENT;
	}
	if (!take_token(a, hash, limits, now_ms, &ticket->untracked)) {
		admission_client_leave(a, worker, ticket);
		ticket->untracked = false;
		return ADMISSION_REFUSE_CLIENT_RATE;
	}
	return ADMISSION_ADMIT;
}

void
admission_client_leave(const struct admission *a, uint32_t worker,
    struct admission_ticket *ticket)
{
	if (ticket->slot_client == NO_SLOT)
		return;
	cell_leave(a, worker, &ticket->slot_client);
	total_leave(a, worker);
}

enum admission_verdict
admission_name_enter(const struct admission *a, uint32_t worker,
    const struct admission_limits *limits, const char *name, size_t len,
    struct admission_ticket *ticket)
{
	return cell_enter(a, worker, hash_of_name(a, name, len),
	    limits->per_name, &ticket->slot_name, &ticket->untracked) ?
	    ADMISSION_ADMIT :
	    ADMISSION_REFUSE_NAME;
}

void
admission_name_leave(const struct admission *a, uint32_t worker,
    struct admission_ticket *ticket)
{
	cell_leave(a, worker, &ticket->slot_name);
}

/* Only what counts something is written. */
void
admission_worker_ended(const struct admission *a, uint32_t worker)
{
	_Atomic uint64_t *at;
	uint32_t slot;

	for (slot = 0; slot < a->n_slots; slot++) {
		at = cell_at(a, worker, slot);
		if (atomic_load(at) != 0)
			atomic_store(at, 0);
	}
	atomic_store(total_of(a, worker), 0);
}
