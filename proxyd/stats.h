/* SPDX-License-Identifier: ISC */
/*
 * stats.h - what a worker counts, in memory that all processes share.
 *
 * One block per worker slot, written by that worker alone and summed by
 * whoever reads.  PROXYD_STAT(id, label, kind, help): a counter only grows and
 * survives its worker; a gauge describes the running worker and is cleared
 * when that ends.
 */
#ifndef PROXYD_STATS_H
#define PROXYD_STATS_H

#include "common/counter.h"
#include "proxyd/close_reasons.h"

#define PROXYD_STATS \
	PROXYD_STAT(ACCEPTED, "connections_accepted", COUNTER, \
	    "connections accepted") \
	PROXYD_STAT(ACTIVE, "connections", GAUGE, "connections now") \
	PROXYD_STAT(UP_OCTETS, "up_octets", COUNTER, \
	    "octets sent to VMs on behalf of clients") \
	PROXYD_STAT(DOWN_OCTETS, "down_octets", COUNTER, \
	    "octets sent to clients on behalf of VMs") \
	PROXYD_STAT(DIAL_FAILURES, "dial_failures", COUNTER, \
	    "attempts to connect to a target that failed") \
	PROXYD_STAT(ACCEPT_PAUSES, "accept_pauses", COUNTER, \
	    "times a worker stopped accepting: full or out of resources") \
	PROXYD_STAT(LOG_DROPPED, "log_lines_dropped", COUNTER, \
	    "log lines dropped because nobody took them")

enum proxyd_stat {
#define PROXYD_STAT(id, label, kind, help) STAT_##id,
	PROXYD_STATS
#undef PROXYD_STAT
	N_PROXYD_STATS
};

struct worker_stats {
	_Alignas(64) _Atomic uint64_t heartbeat_ms;	/* monotonic; 0: never */
	_Atomic uint64_t	value[N_PROXYD_STATS];
	_Atomic uint64_t	closed[N_CLOSE_REASONS];
};

const char *proxyd_stat_label(enum proxyd_stat);

/* The worker of the block has ended. */
void worker_stats_clear_gauges(struct worker_stats *);

/* Sum `n` blocks into one, which nobody else sees. */
void worker_stats_sum(const struct worker_stats *, unsigned n,
    struct worker_stats *ret);

#endif
