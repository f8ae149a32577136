/* SPDX-License-Identifier: ISC */
/*
 * instance.h - one translator: a device, the tables in force, and a worker
 * process for each queue.
 *
 * A reload makes the next generation beside the one in force: its workers
 * read from the same queues, and only when all do are the old ones told to
 * end, so that no packet waits or is lost.  With a dynamic pool, from which no
 * two may lend, the old worker hands over to the new one (worker.h).
 *
 * Problems are logged.  All belongs to the master's one thread.
 */
#ifndef TRANSLATE_INSTANCE_H
#define TRANSLATE_INSTANCE_H

#include <event2/event.h>

#include "common/sandbox.h"
#include "translate/tables.h"
#include "translate/tun.h"
#include "translate/xlat_stats.h"

struct instance;

/* What all instances share; borrowed. */
struct instance_ground {
	struct event_base *base;
	const struct sandbox_ids *ids;
	int		log_fd;
	uint64_t	epoch_ms;	/* see worker.h */
	bool		log_drops;
	/* An instance has settled: what is in force is what was asked for
	 * last. */
	void		(*settled)(void *arg);
	void		*arg;
};

/*
 * Open the device and set it up.  Nothing runs yet.  Returns NULL with what is
 * wrong in problem[room].  `ground` is borrowed.
 */
struct instance *instance_open(const struct instance_ground *,
    const struct xlatd_instance *, char *problem, size_t room);

/*
 * Get ready for other settings of the same device: what may fail happens
 * here.  Returns false with what is wrong in problem[room]; nothing has
 * changed then.  instance_adopt or instance_forgo must follow.
 */
bool instance_prepare(struct instance *, const struct xlatd_instance *next,
    char *problem, size_t room);
void instance_forgo(struct instance *, const struct xlatd_instance *next);

/*
 * Translate by these tables, which are taken over, and settings, which are
 * borrowed until the next ones have settled.  The instance must be settled.
 */
void instance_adopt(struct instance *, const struct xlatd_instance *,
    struct tables *);

bool instance_settled(const struct instance *);

/* What is in force, or will be. */
const struct xlatd_instance *instance_config(const struct instance *);
unsigned instance_offloads(const struct instance *);
uint32_t instance_eams(const struct instance *);

/* A child ended or stopped, as waitpid says: true if it was one of ours. */
bool instance_reaped(struct instance *, pid_t, int status);

/* Every 100 ms. */
void instance_tick(struct instance *, uint64_t now_ms);

/* Counters since the instance was opened, added to *sum. */
void instance_count(const struct instance *, struct xlat_stats *sum);

/* True once somebody has removed the device. */
bool instance_device_gone(const struct instance *);

/* End the workers; instance_stopped says when they are gone. */
void instance_stop(struct instance *);
bool instance_stopped(const struct instance *);

/* End what is left, write the leases, close the device, free. */
void instance_close(struct instance *);

#endif
