/* SPDX-License-Identifier: ISC */
/*
 * admission.h - how many connections may be at once, and how many new ones a
 * second, over all workers.
 *
 * Counts and token buckets live in one fixed-size piece of memory that all
 * workers map.  Each worker has a column, which it alone writes: its total,
 * and a cell for each client and name it has connections of, found by keyed
 * hash among the ADMISSION_SET cells of one set.  A sum over the columns is
 * compared with the limit.  Token buckets are shared, one word each.
 *
 * Exact, over workers: whoever enters counts itself first and looks at the
 * other columns then (sequentially consistent), and takes its count back if
 * there are too many.  So
 *  - connections admitted and not yet left never exceed the limit;
 *  - one is refused early only if another worker lets one of the same client
 *    (name, or any for the total) in or out within these nanoseconds, or died
 *    and has not been reported yet;
 *  - a client never gets more than `burst` tokens and `rate_per_client` more
 *    each second (up to 1000 a second to 0.1 %, by the clock of the worker
 *    that is ahead), but for one token for each further worker in a race to
 *    make its bucket.  It gets fewer with a `burst` of 1, whose bucket loses
 *    what flows between two milliseconds, and if it returns 203.6 days (2^44
 *    microseconds) after its last connection, to within the time its bucket
 *    took to fill: that much is still missing then.
 * A client or name shares the count of another in its set if 40 bits of the
 * hash agree, a bucket if 20 bits do: 1 in 2^36 and 1 in 2^16 in a full set.
 *
 * A worker may be killed between any two instructions: each change is the
 * store of one word, and admission_worker_ended() removes what it held, but
 * for the tokens it took.  Nothing blocks and nobody waits (C11 atomics).
 *
 * Limits are the caller's at each call, so a reload holds at once.  All
 * workers are to use the same ones, but for the moment of a reload.
 *
 * Pure: the caller owns the memory and says what time it is.
 */
#ifndef PROXYD_ADMISSION_H
#define PROXYD_ADMISSION_H

#include <stdatomic.h>

#include "common/addr.h"
#include "common/siphash.h"

enum {
	ADMISSION_SET = 16,	/* cells looked at for a client or name */
	ADMISSION_LAG_MS = 2000	/* how far a worker's clock may be behind */
};

/*
 * Where the table is.  Every process keeps its own, outside of the table, so
 * that a worker taken over can falsify counts but lead nobody out of bounds.
 */
struct admission {
	_Atomic uint64_t *words;	/* borrowed: the shared memory */
	uint32_t	n_workers;
	uint32_t	n_slots;
	struct siphash_key key;
};

struct admission_limits {	/* 0: no limit */
	uint32_t	total;		/* connections */
	uint32_t	per_client;	/* connections of an IPv4 address or an
					 * IPv6 /64 */
	uint32_t	per_name;	/* connections */
	uint32_t	rate_per_client;	/* new ones per second */
	uint32_t	burst;		/* new ones at once; 0 is taken as 1 */
};

enum admission_verdict {
	ADMISSION_ADMIT,
	ADMISSION_REFUSE_TOTAL,
	ADMISSION_REFUSE_CLIENT,
	ADMISSION_REFUSE_CLIENT_RATE,
	ADMISSION_REFUSE_NAME
};

/*
 * What a connection is counted as; all zero: not at all.  Leaving empties it
 * again, so that leaving twice, or without having entered, is harmless.
 */
struct admission_ticket {
	uint32_t	slot_client;	/* private to admission.c */
	uint32_t	slot_name;	/* private to admission.c */
	bool		untracked;	/* admitted without one of the limits,
					 * as the set was full; the caller may
					 * count these */
};

/*
 * Octets of memory for `n_workers` columns.  n_slots is a power of two and at
 * least ADMISSION_SET: cells of a column, and token buckets.  Up to a third
 * of them in use, no set is full in practice; 65,536 slots are 1.5 MiB for two
 * workers and 512 KiB for each further one.
 */
size_t admission_octets(uint32_t n_workers, uint32_t n_slots);

/*
 * `memory` (aligned to 64 octets, as mmap's is) is all zero in the beginning;
 * it isn't written here, so that each process can do this by itself with
 * the same arguments.  The key is random and the same for all.
 */
void admission_init(struct admission *, void *memory, uint32_t n_workers,
    uint32_t n_slots, const struct siphash_key *key);

/*
 * A connection of `client` has come to `worker` (< n_workers), which alone
 * calls this for its number, in one thread.  `now_ms` is monotonic and the
 * same clock in all workers.  Admitted: it counts in total and for its client
 * until admission_client_leave() and has taken a token.  Refused: it counts
 * nowhere and has taken none.  The ticket is to be empty.
 */
enum admission_verdict admission_client_enter(const struct admission *,
    uint32_t worker, const struct admission_limits *,
    const struct addr *client, uint64_t now_ms, struct admission_ticket *);
void admission_client_leave(const struct admission *, uint32_t worker,
    struct admission_ticket *);

/*
 * The connection is for the name (normalised, hostname.h; or whatever names
 * are counted as, if it cannot be mistaken for another).  ADMIT or
 * REFUSE_NAME; refused, it still counts in total and for its client.
 */
enum admission_verdict admission_name_enter(const struct admission *,
    uint32_t worker, const struct admission_limits *, const char *name,
    size_t len, struct admission_ticket *);
void admission_name_leave(const struct admission *, uint32_t worker,
    struct admission_ticket *);

/*
 * `worker` is dead (reaped) and not replaced yet: none of its connections
 * exists any more.  The others may be doing anything meanwhile.
 */
void admission_worker_ended(const struct admission *, uint32_t worker);

/* How many are counted now; while workers run, approximately. */
uint64_t admission_total(const struct admission *);
uint64_t admission_client_count(const struct admission *,
    const struct addr *client);
uint64_t admission_name_count(const struct admission *, const char *name,
    size_t len);

#endif
