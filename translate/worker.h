/* SPDX-License-Identifier: ISC */
/*
 * worker.h - one process that translates the packets of one queue.
 *
 * The master forks it with everything it needs: the tables, which are the
 * master's memory at that moment and never change here, and the queue's
 * descriptor.  It has no rights, opens nothing, and ends when the master
 * closes the channel or dies: at once, since packets that wait in the queue
 * are the next worker's.
 */
#ifndef TRANSLATE_WORKER_H
#define TRANSLATE_WORKER_H

#include "common/sandbox.h"
#include "translate/leases.h"
#include "translate/tables.h"
#include "translate/xlat_stats.h"

/* What a worker begins with; all borrowed. */
struct worker_start {
	const char	*device;	/* for logs */
	int		tun_fd;
	int		channel;
	int		log_fd;
	uint32_t	generation;	/* what it tells the channel */
	const struct sandbox_ids *ids;
	const struct tables *tables;
	const struct xlatd_limits *limits;
	struct xlat_stats *stats;	/* its own block */
	struct leases	*leases;	/* NULL without a dynamic pool */
	uint64_t	epoch_ms;	/* what, added to the monotonic clock,
					 * makes it the time of day */
	bool		log_drops;
};

/* Be a worker.  Never returns. */
void worker_run(const struct worker_start *) __attribute__((noreturn));

#endif
