/* SPDX-License-Identifier: ISC */
/*
 * generation.h - the tables of one configuration of a device, the worker
 * processes that translate by them, and what they lend and count.
 *
 * A reload makes a new one; instance.c says which is in force.  With a dynamic
 * pool the leases are in memory shared with the one worker, and the file of
 * them is written from there.
 */
#ifndef TRANSLATE_GENERATION_H
#define TRANSLATE_GENERATION_H

#include "translate/instance.h"

struct generation;

/* What one begins with; all borrowed until it is freed. */
struct generation_start {
	const struct instance_ground *ground;
	const struct tun *tun;
	const struct xlatd_instance *config;
	uint32_t	number;		/* grows by one with each of a device */
	/*
	 * The one whose leases it lends again; NULL: those of the file.  If it
	 * is still there once the workers run, its worker hands over what it
	 * has lent until then.
	 */
	struct generation *before;
	void		(*adopted)(void *arg);	/* all workers translate */
	void		*arg;
};

/*
 * Take the tables over, and lend again what was lent.  Out of memory or
 * descriptors is the end of the daemon.
 */
struct generation *generation_new(const struct generation_start *,
    struct tables *);

/* Its counters are added to *past.  NULL is fine.  Not in a callback of its
 * workers. */
void generation_free(struct generation *, struct xlat_stats *past);

/* Start the workers. */
void generation_run(struct generation *);

/* Let the workers end, and kill what is left of them. */
void generation_drain(struct generation *);
void generation_kill(struct generation *);

/* The last worker has ended; so, too, if none was started. */
bool generation_gone(const struct generation *);

/* A child ended or stopped, as waitpid says: true if it was one of ours. */
bool generation_reaped(struct generation *, pid_t, int status);

/* Every 100 ms. */
void generation_tick(struct generation *, uint64_t now_ms);

/* Of the one in force: write the leases, if it is time, or now. */
void generation_leases_tick(struct generation *, uint64_t now_ms);
void generation_leases_write(struct generation *);

/* Counters added to *sum. */
void generation_count(const struct generation *, struct xlat_stats *sum);

/* A worker found that somebody has removed the device. */
bool generation_device_gone(const struct generation *);

uint32_t generation_eams(const struct generation *);

#endif
