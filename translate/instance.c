/* SPDX-License-Identifier: ISC */
#include "translate/instance.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/need.h"
#include "translate/generation.h"
#include "translate/leases.h"
#include "translate/setup.h"

struct instance {
	const struct instance_ground *ground;	/* borrowed */
	const struct xlatd_instance *config;	/* borrowed; in force, or
						 * will be */
	struct tun	 tun;
	struct generation *now, *next;	/* owned; next: not in force yet */
	struct generation *old;		/* owned; ending */
	uint32_t	 generations;	/* so far */
	struct xlat_stats past;		/* of generations that are gone */
};

/* --- settings -------------------------------------------------------------- */

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

/* All workers of the next generation translate. */
static void
next_adopted(void *arg)
{
	struct instance *instance = arg;

	assert(instance->next != NULL && instance->old == NULL);
	instance->old = instance->now;
	instance->now = instance->next;
	instance->next = NULL;
	if (instance->old != NULL)
		generation_drain(instance->old);
	else
		instance->ground->settled(instance->ground->arg);
}

void
instance_adopt(struct instance *instance, const struct xlatd_instance *config,
    struct tables *tables)
{
	const struct xlatd_instance *before = instance->config;
	const struct generation_start start = {
		.ground = instance->ground,
		.tun = &instance->tun,
		.config = config,
		.number = ++instance->generations,
		.before = instance->now,
		.adopted = next_adopted,
		.arg = instance
	};

	instance->config = config;
	if (instance->now != NULL) {
		setup_withdraw(&instance->tun, before, config);
		if (before->offload != config->offload)
			tun_set_offloads(&instance->tun, config->offload);
		if (before->limits.queues != config->limits.queues)
			log_warning("device %s: queues: takes effect at the "
			    "next start", instance->tun.name);
	}
	instance->next = generation_new(&start, tables);
	generation_run(instance->next);
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
	return instance->now == NULL ? 0 : generation_eams(instance->now);
}

/* --- generations ----------------------------------------------------------- */

/* All there are; returns how many. */
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

static void
free_old(struct instance *instance)
{
	if (instance->old == NULL || !generation_gone(instance->old))
		return;
	generation_free(instance->old, &instance->past);
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
		if (generation_reaped(g[i], pid, status)) {
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
		generation_tick(g[i], now_ms);
	free_old(instance);
	if (instance->now != NULL)
		generation_leases_tick(instance->now, now_ms);
}

void
instance_count(const struct instance *instance, struct xlat_stats *sum)
{
	struct generation *g[3];
	unsigned n = generations(instance, g);

	xlat_stats_sum(&instance->past, 1, sum);
	for (unsigned i = 0; i < n; i++)
		generation_count(g[i], sum);
}

bool
instance_device_gone(const struct instance *instance)
{
	struct generation *g[3];
	unsigned n = generations(instance, g);

	for (unsigned i = 0; i < n; i++)
		if (generation_device_gone(g[i]))
			return true;
	return false;
}

void
instance_stop(struct instance *instance)
{
	struct generation *g[3];
	unsigned n = generations(instance, g);

	for (unsigned i = 0; i < n; i++)
		generation_drain(g[i]);
}

bool
instance_stopped(const struct instance *instance)
{
	struct generation *g[3];
	unsigned n = generations(instance, g);

	for (unsigned i = 0; i < n; i++)
		if (!generation_gone(g[i]))
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
	if (instance->now != NULL)
		generation_leases_write(instance->now);
	n = generations(instance, g);
	for (unsigned i = 0; i < n; i++) {
		generation_kill(g[i]);
		generation_free(g[i], &instance->past);
	}
	if (!instance->tun.made)
		setup_withdraw(&instance->tun, instance->config, NULL);
	tun_close(&instance->tun);
	free(instance);
}
