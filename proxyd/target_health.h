/* SPDX-License-Identifier: ISC */
/*
 * target_health.h - which targets failed lately, shared by all workers.
 *
 * A fixed-size table in memory that all workers map: only targets that failed
 * have a slot.  After a failure a target is held down for 2 s, doubling with
 * each further failure to 60 s; when its hold-down is over, one connection at
 * a time may probe it.  A success clears it.  Lock-free (C11 atomics);
 * a worker that dies at any point leaves the table usable.  Health is advice
 * about order only: no verdict here ever forbids a connection.
 * Pure: the caller owns the memory and says what time it is.
 */
#ifndef PROXYD_TARGET_HEALTH_H
#define PROXYD_TARGET_HEALTH_H

#include <stdatomic.h>

#include "common/addr.h"
#include "common/siphash.h"

enum {
	TARGET_HEALTH_SLOTS = 4096,	/* a power of two */
	TARGET_HEALTH_PROBES = 8,	/* slots looked at for one target */
	TARGET_HEALTH_HOLD_MIN_MS = 2000,
	TARGET_HEALTH_HOLD_MAX_MS = 60000,
	TARGET_HEALTH_PROBE_MS = 10000	/* a probe nobody reported on is
					 * forgotten after this */
};

struct target_health_slot {
	_Atomic uint64_t	key;	/* keyed hash of the endpoint; 0 free */
	_Atomic uint64_t	state;	/* private to target_health.c */
};

struct target_health {
	struct siphash_key	hash_key;	/* random, set by init */
	struct target_health_slot slot[TARGET_HEALTH_SLOTS];
};

enum target_state {
	TARGET_UP,	/* no failure on record */
	TARGET_PROBE,	/* its hold-down is over and this caller, alone, is
			 * to try it now, and to report how it went */
	TARGET_HELD	/* try it last */
};

void target_health_init(struct target_health *, const struct siphash_key *);

/*
 * What to do with a target at `now_ms` (monotonic, the same clock in all
 * workers).  TARGET_PROBE is given to one caller until it reports or
 * TARGET_HEALTH_PROBE_MS pass.
 */
enum target_state target_health_ask(struct target_health *,
    const struct endpoint *, uint64_t now_ms);

/* A connection to the target succeeded. */
void target_health_succeeded(struct target_health *, const struct endpoint *);

/*
 * A connection to the target failed.  A failure while the target is already
 * held down (many connections fail together) does not lengthen it.
 * If all slots for the target are taken, the one whose hold-down ends first
 * is replaced.
 */
void target_health_failed(struct target_health *, const struct endpoint *,
    uint64_t now_ms);

#endif
