/* SPDX-License-Identifier: ISC */
/*
 * worker.h - one process that translates the packets of one queue.
 *
 * The master forks it with everything it needs: the tables, which are the
 * master's memory at that moment and never change here, and the queue's
 * descriptor.  It has no rights, opens nothing, and ends when the master
 * closes the channel or dies: at once, since packets that wait in the queue
 * are the next worker's.
 *
 * Several queues are several processes, not threads.  Threads would share
 * nothing that these do not: the tables are the same pages until somebody
 * writes to them, and nobody does.  And where a packet that crashes or hangs
 * a thread ends all of them, here one queue waits until its next worker runs.
 * A reload is new processes with new tables, so that the packet path has no
 * lock, no reference count and no moment at which memory may be freed.  The
 * price is some 200 KiB for each queue.
 */
#ifndef TRANSLATE_WORKER_H
#define TRANSLATE_WORKER_H

#include "common/sandbox.h"
#include "translate/leases.h"
#include "translate/tables.h"
#include "translate/xlat_stats.h"

/*
 * How the only worker of an instance with a dynamic pool hands its queue and
 * its leases over to the next one, without the master: two eventfd(2)s, which
 * stay signalled.
 */
struct handover {
	int		wanted;		/* the next worker is ready */
	int		given;		/* this one reads no more */
};

/* What a worker begins with; all borrowed. */
struct worker_start {
	const char	*device;	/* for logs */
	int		tun_fd;
	int		channel;
	int		log_fd;
	uint32_t	generation;	/* what it tells the channel */
	const struct sandbox_ids *ids;
	struct tables	*tables;	/* only the pool changes */
	const struct xlatd_limits *limits;
	struct xlat_stats *stats;	/* its own block */

	/* With a dynamic pool, else NULL: */
	struct leases	*leases;	/* what this worker lends */
	const struct handover *handover;	/* its own */
	const struct xlatd_instance *config;	/* of the pool */
	/* The worker before, NULL if there is none; some of what it lent is
	 * in the tables' pool and in `leases` already. */
	const struct leases *leases_before;
	const struct handover *handover_before;

	uint64_t	epoch_ms;	/* what, added to the monotonic clock,
					 * makes it the time of day */
	bool		log_drops;
};

/* Be a worker.  Never returns. */
void worker_run(const struct worker_start *) __attribute__((noreturn));

#endif
