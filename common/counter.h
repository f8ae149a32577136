/* SPDX-License-Identifier: ISC */
/*
 * counter.h - a number that one process writes and others read.
 *
 * It lies in memory that they share.  Readers see a value that was true a
 * moment ago, never half of one; nothing is ordered by it.
 * Pure.
 */
#ifndef COMMON_COUNTER_H
#define COMMON_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

/* Only the counter's own process may call these two. */
static inline void
counter_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter,
	    atomic_load_explicit(counter, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

static inline void
counter_set(_Atomic uint64_t *counter, uint64_t value)
{
	atomic_store_explicit(counter, value, memory_order_relaxed);
}

static inline uint64_t
counter_get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Add `n` counters to the `n` at `sum`, which nobody else writes. */
static inline void
counters_add(_Atomic uint64_t *sum, const _Atomic uint64_t *counters,
    unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		counter_add(&sum[i], counter_get(&counters[i]));
}

#endif
