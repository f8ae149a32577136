/* SPDX-License-Identifier: ISC */
#include "translate/instance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/daemon_start.h"
#include "common/log.h"
#include "common/need.h"
#include "common/workers.h"
#include "translate/leases.h"
#include "translate/setup.h"
#include "translate/worker.h"

enum {
	HANG_MS = 5000,
	LEASES_WRITE_MS = 5000,		/* new leases are written down so often */
	LEASES_AGAIN_MS = 600 * 1000,	/* and when each was heard, so often */
	PROBLEM_MAX = 256
};

/* Tables, and the workers that translate by them. */
struct generation {
	struct instance	*instance;	/* borrowed */
	struct tables	 tables;
	struct xlatd_limits limits;
	struct leases	 leases;	/* of its pool; or the empty value */
	struct handover	 handover;	/* owned; 0: none */
	const struct generation *before;	/* borrowed; the one that hands
					 * its leases over; NULL: none */
	struct xlat_stats *stats;	/* owned; shared, a block per worker */
	struct workers	*workers;	/* owned; NULL: not started */
	bool		 draining, gone;
};

struct instance {
	const struct instance_ground *ground;	/* borrowed */
	const struct xlatd_instance *config;	/* borrowed; in force, or
						 * will be */
	struct tun	 tun;
	struct generation *now, *next;	/* owned; next: not in force yet */
	struct generation *old;		/* owned; ending */
	bool		 stopping;
	uint32_t	 generations;	/* so far */
	struct xlat_stats past;		/* of generations that are gone */
	uint64_t	 written_changes;	/* of leases */
	uint64_t	 write_ms;	/* when leases may be written next */
	uint64_t	 rewrite_ms;	/* when they are in any case */
};

static uint64_t
now_s(const struct instance *instance)
{
	return (clock_now_ms() + instance->ground->epoch_ms) / 1000;
}

/* --- leases ---------------------------------------------------------------- */

static void
write_leases(struct instance *instance)
{
	const struct generation *g = instance->now;
	const char *path = instance->config->lease_file;
	uint64_t now_ms = clock_now_ms();
	int err;

	if (g == NULL || g->leases.shared == NULL || path == NULL)
		return;
	instance->written_changes = atomic_load(&g->leases.shared->changes);
	instance->write_ms = now_ms + LEASES_WRITE_MS;
	instance->rewrite_ms = now_ms + LEASES_AGAIN_MS;
	err = leases_write(&g->leases, path);
	if (err != 0)
		log_warning("device %s: leases are not written: %s: %s",
		    instance->tun.name, path, strerror(-err));
}

static void
leases_tick(struct instance *instance, uint64_t now_ms)
{
	const struct generation *g = instance->now;
	bool changed;

	if (g == NULL || g->leases.shared == NULL)
		return;
	changed = atomic_load(&g->leases.shared->changes) !=
	    instance->written_changes;
	if ((changed && now_ms >= instance->write_ms) ||
	    now_ms >= instance->rewrite_ms)
		write_leases(instance);
}

/* Lend again what was lent: by `old`, if it lent, or by another run. */
static void
take_over_leases(struct generation *g, const struct generation *old)
{
	struct instance *instance = g->instance;
	struct dynamic_pool *pool = g->tables.pool;
	uint32_t at = 0;

	if (pool == NULL)
		return;
	if (old != NULL && old->leases.shared != NULL)
		leases_restore(&old->leases, pool, now_s(instance));
	else
		leases_read(instance->config->lease_file, pool,
		    now_s(instance), daemon_warn, NULL);
	leases_copy(&g->leases, pool, UINT32_MAX, &at);
}

static void
say_lent(const struct generation *g)
{
	const struct dynamic_pool *pool = g->tables.pool;

	if (pool != NULL)
		log_info("device %s: %zu of %zu addresses of the pool are "
		    "lent", g->instance->tun.name, leases_count(&g->leases),
		    dynamic_pool_size(pool));
}

/* --- generations ----------------------------------------------------------- */

static size_t
stats_octets(const struct instance *instance)
{
	return instance->tun.n * sizeof(struct xlat_stats);
}

static struct generation *	/* owned by the caller */
generation_new(struct instance *instance, struct tables *tables)
{
	struct generation *g = need(calloc(1, sizeof(*g)));

	g->instance = instance;
	g->limits = instance->config->limits;
	g->tables = *tables;
	g->tables.siit.map = g->tables.map;
	*tables = (struct tables) { 0 };
	g->stats = mmap(NULL, stats_octets(instance), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g->stats == MAP_FAILED)
		log_fatal("out of memory");
	if (g->tables.pool == NULL)
		return g;
	g->handover.wanted = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	g->handover.given = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (leases_new(&instance->config->pool, &g->leases) != 0 ||
	    g->handover.wanted < 0 || g->handover.given < 0)
		log_fatal("out of memory or descriptors");
	return g;
}

static void
generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	workers_free(g->workers);
	xlat_stats_sum(g->stats, g->instance->tun.n, &g->instance->past);
	munmap(g->stats, stats_octets(g->instance));
	if (g->tables.pool != NULL) {
		close(g->handover.wanted);
		close(g->handover.given);
	}
	leases_free(&g->leases);
	tables_free(&g->tables);
	free(g);
}

static void __attribute__((noreturn))
run_worker(void *arg, unsigned slot, int channel)
{
	struct generation *g = arg;
	const struct instance *instance = g->instance;
	bool lends = g->tables.pool != NULL;

	const struct worker_start start = {
		.device = instance->tun.name,
		.tun_fd = instance->tun.fd[slot],
		.channel = channel,
		.log_fd = instance->ground->log_fd,
		.generation = instance->generations,
		.ids = instance->ground->ids,
		.tables = &g->tables,
		.limits = &g->limits,
		.stats = &g->stats[slot],
		.leases = lends ? &g->leases : NULL,
		.handover = lends ? &g->handover : NULL,
		.config = instance->config,
		.leases_before = g->before != NULL ? &g->before->leases : NULL,
		.handover_before = g->before != NULL ? &g->before->handover :
		    NULL,
		.epoch_ms = instance->ground->epoch_ms,
		.log_drops = instance->ground->log_drops
	};

	worker_run(&start);
}

static uint64_t
worker_heartbeat_ms(void *arg, unsigned slot)
{
	struct generation *g = arg;

	return atomic_load(&g->stats[slot].heartbeat_ms);
}

/* What the worker lent is in the shared memory; the master's own pool, which
 * the next worker gets, must know it too. */
static void
worker_ended(void *arg, unsigned slot)
{
	struct generation *g = arg;

	(void)slot;
	if (g->tables.pool == NULL || g->draining)
		return;
	tables_renew_pool(&g->tables, g->instance->config);
	leases_restore(&g->leases, g->tables.pool, now_s(g->instance));
}

static void
drain(struct generation *g)
{
	if (g->draining)
		return;
	g->draining = true;
	workers_drain(g->workers);
}

/* All workers of a generation translate. */
static void
generation_adopted(void *arg, uint32_t number)
{
	struct generation *g = arg;
	struct instance *instance = g->instance;

	(void)number;
	if (g != instance->next)
		return;
	say_lent(g);
	g->before = NULL;	/* it has what there was to have */
	instance->old = instance->now;
	instance->now = g;
	instance->next = NULL;
	if (instance->old != NULL && !instance->old->gone)
		drain(instance->old);
	if (instance->old == NULL)
		instance->ground->settled(instance->ground->arg);
}

/* The last worker of a generation has ended. */
static void
generation_gone(void *arg)
{
	struct generation *g = arg;

	g->gone = true;
}

static void
generation_start(struct generation *g)
{
	static const struct workers_ops ops = {
		.run = run_worker,
		.heartbeat_ms = worker_heartbeat_ms,
		.ended = worker_ended,
		.adopted = generation_adopted,
		.all_gone = generation_gone
	};
	struct instance *instance = g->instance;
	const struct workers_orders orders = {
		.generation = ++instance->generations
	};

	g->workers = need(workers_new(instance->ground->base, instance->tun.n,
	    HANG_MS, &ops, g));
	workers_start(g->workers, &orders);
}

/* --- an instance ----------------------------------------------------------- */

/* What may fail of the change from `now`, NULL at first, to `next`. */
static bool
prepare(struct instance *instance, const struct xlatd_instance *now,
    const struct xlatd_instance *next, char *problem, size_t room)
{
	int err = next->has_pool ? leases_check(next->lease_file) : 0;

	if (err == 0)
		return setup_apply(&instance->tun, now, next, problem, room);
	snprintf(problem, room, "device %s: the folder of %s: %s",
	    instance->tun.name, next->lease_file, strerror(-err));
	return false;
}

struct instance *
instance_open(const struct instance_ground *ground,
    const struct xlatd_instance *config, char *problem, size_t room)
{
	struct instance *instance = need(calloc(1, sizeof(*instance)));

	instance->ground = ground;
	instance->config = config;
	if (!tun_open(config->device, config->limits.queues, &instance->tun,
	    problem, room)) {
		free(instance);
		return NULL;
	}
	tun_set_offloads(&instance->tun, config->offload);
	if (!prepare(instance, NULL, config, problem, room)) {
		tun_close(&instance->tun);
		free(instance);
		return NULL;
	}
	return instance;
}

bool
instance_prepare(struct instance *instance, const struct xlatd_instance *next,
    char *problem, size_t room)
{
	return prepare(instance, instance->config, next, problem, room);
}

void
instance_forgo(struct instance *instance, const struct xlatd_instance *next)
{
	setup_undo(&instance->tun, instance->config, next);
}

void
instance_adopt(struct instance *instance, const struct xlatd_instance *config,
    struct tables *tables)
{
	const struct xlatd_instance *before = instance->config;

	instance->config = config;
	if (instance->now != NULL) {
		setup_withdraw(&instance->tun, before, config);
		if (before->offload != config->offload)
			tun_set_offloads(&instance->tun, config->offload);
		if (before->limits.queues != config->limits.queues)
			log_warning("device %s: queues: takes effect at the "
			    "next start", instance->tun.name);
	}
	instance->next = generation_new(instance, tables);
	instance->rewrite_ms = clock_now_ms() + LEASES_AGAIN_MS;
	take_over_leases(instance->next, instance->now);
	if (instance->now != NULL && instance->now->tables.pool != NULL &&
	    instance->next->tables.pool != NULL)
		instance->next->before = instance->now;
	generation_start(instance->next);
}

bool
instance_settled(const struct instance *instance)
{
	return instance->next == NULL && instance->old == NULL;
}

const struct xlatd_instance *
instance_config(const struct instance *instance)
{
	return instance->config;
}

unsigned
instance_offloads(const struct instance *instance)
{
	return instance->tun.offloads;
}

uint32_t
instance_eams(const struct instance *instance)
{
	return instance->now == NULL ? 0 : instance->now->tables.n_eams;
}

/* All generations there are; returns how many. */
static unsigned
generations(const struct instance *instance, struct generation *ret[3])
{
	unsigned n = 0;

	if (instance->old != NULL)
		ret[n++] = instance->old;
	if (instance->now != NULL)
		ret[n++] = instance->now;
	if (instance->next != NULL)
		ret[n++] = instance->next;
	return n;
}

/* Not in a callback of its workers, which it owns. */
static void
free_old(struct instance *instance)
{
	if (instance->old == NULL || !instance->old->gone)
		return;
	generation_free(instance->old);
	instance->old = NULL;
	if (instance_settled(instance))
		instance->ground->settled(instance->ground->arg);
}

bool
instance_reaped(struct instance *instance, pid_t pid, int status)
{
	struct generation *g[3];
	unsigned n = generations(instance, g);

	for (unsigned i = 0; i < n; i++)
		if (g[i]->workers != NULL &&
		    workers_reaped(g[i]->workers, pid, status)) {
			free_old(instance);
			return true;
		}
	return false;
}

void
instance_tick(struct instance *instance, uint64_t now_ms)
{
	struct generation *g[3];
	unsigned n = generations(instance, g);

	for (unsigned i = 0; i < n; i++)
		if (g[i]->workers != NULL)
			workers_tick(g[i]->workers, now_ms);
	free_old(instance);
	leases_tick(instance, now_ms);
}

void
instance_count(const struct instance *instance, struct xlat_stats *sum)
{
	struct generation *g[3];
	unsigned n = generations(instance, g);

	xlat_stats_sum(&instance->past, 1, sum);
	for (unsigned i = 0; i < n; i++)
		xlat_stats_sum(g[i]->stats, instance->tun.n, sum);
}

bool
instance_device_gone(const struct instance *instance)
{
	struct generation *g[3];
	unsigned n = generations(instance, g);

	for (unsigned i = 0; i < n; i++)
		for (unsigned w = 0; w < instance->tun.n; w++)
			if (atomic_load(&g[i]->stats[w].device_gone) != 0)
				return true;
	return false;
}

void
instance_stop(struct instance *instance)
{
	struct generation *g[3];
	unsigned n = generations(instance, g);

	instance->stopping = true;
	for (unsigned i = 0; i < n; i++)
		if (g[i]->workers != NULL)
			drain(g[i]);
}

bool
instance_stopped(const struct instance *instance)
{
	struct generation *g[3];
	unsigned n = generations(instance, g);

	for (unsigned i = 0; i < n; i++)
		if (g[i]->workers != NULL && !g[i]->gone)
			return false;
	return true;
}

void
instance_close(struct instance *instance)
{
	struct generation *g[3];
	unsigned n;

	if (instance == NULL)
		return;
	write_leases(instance);
	n = generations(instance, g);
	for (unsigned i = 0; i < n; i++) {
		if (g[i]->workers != NULL && !g[i]->gone)
			workers_kill(g[i]->workers);
		generation_free(g[i]);
	}
	if (!instance->tun.made)
		setup_withdraw(&instance->tun, instance->config, NULL);
	tun_close(&instance->tun);
	free(instance);
}
