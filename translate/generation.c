/* SPDX-License-Identifier: ISC */
#include "translate/generation.h"

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
#include "translate/worker.h"

enum {
	HANG_MS = 5000,
	LEASES_WRITE_MS = 5000,		/* new leases are written down so often */
	LEASES_AGAIN_MS = 600 * 1000	/* and when each was heard, so often */
};

struct generation {
	struct generation_start start;	/* start.before: NULL unless its
					 * worker is to hand over */
	struct tables	 tables;
	struct xlatd_limits limits;
	struct leases	 leases;	/* of its pool; or the empty value */
	struct handover	 handover;	/* owned; 0: none */
	struct xlat_stats *stats;	/* owned; shared, a block per worker */
	struct workers	*workers;	/* owned; NULL: not started */
	bool		 draining, gone;
	uint64_t	 written_changes;	/* of leases */
	uint64_t	 write_ms;	/* when leases may be written next */
	uint64_t	 rewrite_ms;	/* when they are in any case */
};

static uint64_t
now_s(const struct generation *g)
{
	return (clock_now_ms() + g->start.ground->epoch_ms) / 1000;
}

/* --- leases ---------------------------------------------------------------- */

void
generation_leases_write(struct generation *g)
{
	const char *path = g->start.config->lease_file;
	uint64_t now_ms = clock_now_ms();
	int err;

	if (g->leases.shared == NULL || path == NULL)
		return;
	g->written_changes = atomic_load(&g->leases.shared->changes);
	g->write_ms = now_ms + LEASES_WRITE_MS;
	g->rewrite_ms = now_ms + LEASES_AGAIN_MS;
	err = leases_write(&g->leases, path);
	if (err != 0)
		log_warning("device %s: leases are not written: %s: %s",
		    g->start.tun->name, path, strerror(-err));
}

void
generation_leases_tick(struct generation *g, uint64_t now_ms)
{
	bool changed;

	if (g->leases.shared == NULL)
		return;
	changed = atomic_load(&g->leases.shared->changes) !=
	    g->written_changes;
	if ((changed && now_ms >= g->write_ms) || now_ms >= g->rewrite_ms)
		generation_leases_write(g);
}

/* Lend again what was lent: by `old`, if it lent, or by another run. */
static void
take_over_leases(struct generation *g, const struct generation *old)
{
	struct dynamic_pool *pool = g->tables.pool;
	uint32_t at = 0;

	if (old != NULL && old->leases.shared != NULL)
		leases_restore(&old->leases, pool, now_s(g));
	else
		leases_read(g->start.config->lease_file, pool, now_s(g),
		    daemon_warn, NULL);
	leases_copy(&g->leases, pool, UINT32_MAX, &at);
}

static void
say_lent(const struct generation *g)
{
	const struct dynamic_pool *pool = g->tables.pool;

	if (pool != NULL)
		log_info("device %s: %zu of %zu addresses of the pool are "
		    "lent", g->start.tun->name, leases_count(&g->leases),
		    dynamic_pool_size(pool));
}

/* --- what a generation has ------------------------------------------------- */

static size_t
stats_octets(const struct generation *g)
{
	return g->start.tun->n * sizeof(struct xlat_stats);
}

struct generation *
generation_new(const struct generation_start *start, struct tables *tables)
{
	struct generation *g = need(calloc(1, sizeof(*g)));

	g->start = *start;
	g->limits = start->config->limits;
	g->tables = *tables;
	g->tables.siit.map = g->tables.map;
	*tables = (struct tables) { 0 };
	g->stats = mmap(NULL, stats_octets(g), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g->stats == MAP_FAILED)
		log_fatal("out of memory");
	if (start->before != NULL && (g->tables.pool == NULL ||
	    start->before->tables.pool == NULL))
		g->start.before = NULL;
	if (g->tables.pool == NULL)
		return g;
	g->handover.wanted = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	g->handover.given = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (leases_new(&start->config->pool, &g->leases) != 0 ||
	    g->handover.wanted < 0 || g->handover.given < 0)
		log_fatal("out of memory or descriptors");
	g->rewrite_ms = clock_now_ms() + LEASES_AGAIN_MS;
	take_over_leases(g, g->start.before);
	return g;
}

void
generation_free(struct generation *g, struct xlat_stats *past)
{
	if (g == NULL)
		return;
	workers_free(g->workers);
	xlat_stats_sum(g->stats, g->start.tun->n, past);
	munmap(g->stats, stats_octets(g));
	if (g->tables.pool != NULL) {
		close(g->handover.wanted);
		close(g->handover.given);
	}
	leases_free(&g->leases);
	tables_free(&g->tables);
	free(g);
}

void
generation_count(const struct generation *g, struct xlat_stats *sum)
{
	xlat_stats_sum(g->stats, g->start.tun->n, sum);
}

bool
generation_device_gone(const struct generation *g)
{
	for (unsigned w = 0; w < g->start.tun->n; w++)
		if (atomic_load(&g->stats[w].device_gone) != 0)
			return true;
	return false;
}

uint32_t
generation_eams(const struct generation *g)
{
	return g->tables.n_eams;
}

/* --- its workers ----------------------------------------------------------- */

static void __attribute__((noreturn))
run_worker(void *arg, unsigned slot, int channel)
{
	struct generation *g = arg;
	const struct generation *before = g->start.before;
	const struct instance_ground *ground = g->start.ground;
	bool lends = g->tables.pool != NULL;

	const struct worker_start start = {
		.device = g->start.tun->name,
		.tun_fd = g->start.tun->fd[slot],
		.channel = channel,
		.log_fd = ground->log_fd,
		.generation = g->start.number,
		.ids = ground->ids,
		.tables = &g->tables,
		.limits = &g->limits,
		.stats = &g->stats[slot],
		.leases = lends ? &g->leases : NULL,
		.handover = lends ? &g->handover : NULL,
		.config = g->start.config,
		.leases_before = before != NULL ? &before->leases : NULL,
		.handover_before = before != NULL ? &before->handover : NULL,
		.epoch_ms = ground->epoch_ms,
		.log_drops = ground->log_drops
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
	tables_renew_pool(&g->tables, g->start.config);
	leases_restore(&g->leases, g->tables.pool, now_s(g));
}

static void
workers_adopted(void *arg, uint32_t number)
{
	struct generation *g = arg;

	(void)number;
	say_lent(g);
	g->start.before = NULL;		/* it has what there was to have */
	g->start.adopted(g->start.arg);
}

static void
workers_all_gone(void *arg)
{
	struct generation *g = arg;

	g->gone = true;
}

void
generation_run(struct generation *g)
{
	static const struct workers_ops ops = {
		.run = run_worker,
		.heartbeat_ms = worker_heartbeat_ms,
		.ended = worker_ended,
		.adopted = workers_adopted,
		.all_gone = workers_all_gone
	};
	const struct workers_orders orders = {
		.generation = g->start.number
	};

	g->workers = need(workers_new(g->start.ground->base, g->start.tun->n,
	    HANG_MS, &ops, g));
	workers_start(g->workers, &orders);
}

void
generation_drain(struct generation *g)
{
	if (g->workers == NULL || g->draining)
		return;
	g->draining = true;
	workers_drain(g->workers);
}

void
generation_kill(struct generation *g)
{
	if (!generation_gone(g))
		workers_kill(g->workers);
}

bool
generation_gone(const struct generation *g)
{
	return g->workers == NULL || g->gone;
}

bool
generation_reaped(struct generation *g, pid_t pid, int status)
{
	return g->workers != NULL && workers_reaped(g->workers, pid, status);
}

void
generation_tick(struct generation *g, uint64_t now_ms)
{
	if (g->workers != NULL)
		workers_tick(g->workers, now_ms);
}
