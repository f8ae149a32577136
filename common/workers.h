/* SPDX-License-Identifier: ISC */
/*
 * workers.h - a master's worker processes: start, order, watch, replace.
 *
 * Each slot holds one process and one SOCK_SEQPACKET channel.  Orders go down
 * the channel; the worker answers each with its generation (a uint32_t) once
 * it has taken effect.  The end of the channel, whether the master closed it
 * or died, tells a worker to drain: serve what it has, take nothing new, end.
 *
 * A worker that ends is replaced at once, then with a back-off that doubles
 * from 50 ms to 800 ms while its replacements keep ending young.  One that is
 * stopped (SIGSTOP) for half a second, or whose heartbeat is older than
 * `hang_ms`, is killed and replaced.
 */
#ifndef COMMON_WORKERS_H
#define COMMON_WORKERS_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { WORKERS_MAX = 64 };

struct workers;

struct workers_ops {
	/*
	 * In the child: be worker number `slot` and never return.  The first
	 * thing it owes the channel is the generation it began with.
	 */
	void	(*run)(void *arg, unsigned slot, int channel)
		    __attribute__((noreturn));
	/* When slot's worker last showed life (CLOCK_MONOTONIC ms). */
	uint64_t (*heartbeat_ms)(void *arg, unsigned slot);
	/* slot's worker has ended; its shared state may be cleared. */
	void	(*ended)(void *arg, unsigned slot);
	/* All running workers have taken this generation's orders. */
	void	(*adopted)(void *arg, uint32_t generation);
	/* After workers_drain: none is left. */
	void	(*all_gone)(void *arg);
};

/* Orders for all workers; borrowed until the next ones. */
struct workers_orders {
	uint32_t	 generation;	/* grows by one */
	const void	*message;
	size_t		 len;
	const int	*fds;
	size_t		 n_fds;
};

/* Returns NULL if there is no memory.  `ops` and `arg` are borrowed. */
struct workers *workers_new(struct event_base *, unsigned n, uint32_t hang_ms,
    const struct workers_ops *, void *arg);

/* Close all channels and forget; the processes drain on their own. */
void workers_free(struct workers *);

/* Start one process a slot, with the orders they begin with. */
void workers_start(struct workers *, const struct workers_orders *);

/* Send new orders to all; who cannot take them now gets them later. */
void workers_order(struct workers *, const struct workers_orders *);

/* A child ended or stopped, as waitpid says: true if it was one of ours. */
bool workers_reaped(struct workers *, pid_t, int status);

/* Look for hangs, start what waits for its back-off; every 100 ms. */
void workers_tick(struct workers *, uint64_t now_ms);

/* Let all drain and replace none. */
void workers_drain(struct workers *);

/* Kill what is left. */
void workers_kill(struct workers *);

/* Processes that exist now. */
unsigned workers_running(const struct workers *);

#endif
