/* SPDX-License-Identifier: ISC */
/*
 * worker.h - one process that carries connections.
 *
 * The master forks it and sends it orders; everything a peer sends is read
 * here, without rights.
 */
#ifndef PROXYD_WORKER_H
#define PROXYD_WORKER_H

#include "common/deadline.h"
#include "common/loop.h"
#include "common/mapping.h"
#include "common/sandbox.h"
#include "proxyd/admission.h"
#include "proxyd/pipe_pool.h"
#include "proxyd/settings.h"
#include "proxyd/stats.h"
#include "proxyd/target_health.h"

enum { TICK_MS = 100 };

/* Where a worker accepts; its descriptor travels beside it. */
struct worker_listener {
	struct endpoint	at;
	enum service	service;
	struct proxyd_accept_proxy accept_proxy;
};

/* What the master tells a worker; descriptor 0 is the mapping image, then
 * come the listeners' in order. */
struct worker_orders {
	uint32_t	generation;
	uint32_t	n_listeners;
	uint64_t	image_octets;
	struct worker_listener listener[PROXYD_LISTENERS_MAX];
	struct proxyd_settings settings;
};

/* In memory that the master and all workers map. */
struct proxyd_shared {
	_Atomic uint32_t	stop_now;	/* end at the next tick */
	_Atomic uint64_t	master_log_dropped;
	struct worker_stats	stats[PROXYD_WORKERS_MAX];
	struct target_health	health;
};

/* One deadline list for each way a connection can run out of time. */
enum deadline_kind {
	DEADLINE_PEEK,
	DEADLINE_CONNECT,
	DEADLINE_SETTLE,	/* see conn_settle() */
	DEADLINE_IDLE,
	DEADLINE_DRAIN,
	DEADLINE_REMOVED,	/* its name is mapped no longer */
	DEADLINE_LINGER,
	N_DEADLINE_KINDS
};

/* What watches a listener. */
struct worker_door {
	struct loop_watch watch;
	struct worker	*worker;	/* borrowed */
	unsigned	 number;	/* of the listener */
};

struct worker {
	struct loop	 loop;
	unsigned	 slot;
	struct proxyd_shared *shared;	/* borrowed from the master's map */
	struct worker_stats *stats;	/* ours, in `shared` */
	struct proxyd_settings settings;
	struct mapping	 mapping;	/* borrows mapping_map */
	void		*mapping_map;	/* owned: unmapped at the next */

	int		 channel;	/* owned; to the master */
	struct loop_watch channel_watch;
	bool		 accepting;	/* the listeners are watched */
	unsigned	 fair_share;	/* with more, others go first */
	bool		 draining;
	bool		 done;
	uint64_t	 tick_ms;	/* when the next tick is due */
	uint64_t	 drain_ms;	/* when draining ends */
	unsigned	 n_listeners;
	struct worker_listener listener[PROXYD_LISTENERS_MAX];
	int		 listener_fd[PROXYD_LISTENERS_MAX];	/* owned */
	struct worker_door door[PROXYD_LISTENERS_MAX];

	uint64_t	 now_ms;	/* when the current events were taken */
	struct deadline_list deadlines[N_DEADLINE_KINDS];
	unsigned	 n_conns, conns_max, fds_max;
	struct admission admission;	/* borrows shared memory */
	struct admission_limits limits;	/* from `settings` */
	uint64_t	 unique;	/* random: tells this process's
					 * connections from all others */
	uint32_t	 n_opened;
	unsigned	 n_refused;	/* not told in the log yet */
	uint64_t	 refused_ms;	/* when it was told last */
	enum close_reason refused_reason;	/* of the last one */
	struct endpoint	 refused_peer;
	uint32_t	 rotation;	/* start point of dial plans */
	uint32_t	 source_rotation;	/* and of source addresses */
	struct deadline_list again;	/* relays that have more to do */
	unsigned	 n_again;
	struct pipe_pool pipes;
	size_t		 rest_octets;	/* unsent data held for all */
	size_t		 rest_peak;	/* most of it, as ticks saw it */
	uint8_t		*buffer;	/* owned; WORKER_BUFFER_OCTETS */
	uint8_t		*rewritten;	/* owned; room for a buffer's requests
					 * with their heads rewritten */
};

enum {
	WORKER_BUFFER_OCTETS = 256 * 1024,
	WORKER_REST_BUDGET = 64 << 20	/* octets of unsent data in memory */
};

/* What a worker begins with; all borrowed from the master's memory, of which
 * the worker has a copy. */
struct worker_start {
	unsigned	slot;
	int		channel;
	int		log_fd;
	const struct sandbox_ids *ids;
	struct proxyd_shared *shared;
	const struct admission *admission;
	const struct worker_orders *orders;
	const int	*fds;		/* that go with the orders */
	size_t		n_fds;
};

/* Be a worker.  Never returns. */
void worker_run(const struct worker_start *) __attribute__((noreturn));

/* A connection was released: there is room for another. */
void worker_conn_closed(struct worker *);

#endif
