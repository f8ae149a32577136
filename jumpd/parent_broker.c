/* SPDX-License-Identifier: ISC */
/*
 * parent_broker.c - the processes that the parent keeps running: the broker,
 * and the one for authorized_keys_command.
 */
#include "jumpd/parent_state.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/notify.h"

enum { HANG_MS = 5000 };

static void __attribute__((noreturn))
run_broker(void *arg, unsigned slot, int channel)
{
	struct parent *p = arg;
	const struct broker_start start = { .channel = channel,
		.sessions = p->of_broker,
		.command = p->to_command,	/* a reload may need it */
		.log_fd = p->log.write_fd,
		.ids = &p->ids,
		.stats = &p->stats[STATS_BROKER],
		.orders = &p->now.orders,
		.fds = p->now.fds };

	(void)slot;
	broker_run(&start);
}

static uint64_t
broker_heartbeat_ms(void *arg, unsigned slot)
{
	struct parent *p = arg;

	(void)slot;
	return atomic_load_explicit(&p->stats[STATS_BROKER].heartbeat_ms,
	    memory_order_relaxed);
}

static void
broker_ended(void *arg, unsigned slot)
{
	struct parent *p = arg;

	(void)slot;
	p->broker++;
	jumpd_stats_ended(&p->stats[STATS_BROKER]);
}

static void
orders_adopted(void *arg, uint32_t generation)
{
	struct parent *p = arg;
	char status[128];

	(void)generation;
	log_info("%s: %u users, %u names, %u listeners",
	    p->ready ? "reloaded" : "ready",
	    p->now.config->settings.auth.n_users, p->now.names,
	    p->now.n_listeners);
	snprintf(status, sizeof(status), "READY=1\nSTATUS=%u users, %u names",
	    p->now.config->settings.auth.n_users, p->now.names);
	notify(status);
	p->ready = true;
}

static void
broker_gone(void *arg)
{
	struct parent *p = arg;

	if (p->n_sessions == 0)
		event_base_loopbreak(p->base);
}

void
parent_start_broker(struct parent *p)
{
	static const struct workers_ops ops = { .run = run_broker,
		.heartbeat_ms = broker_heartbeat_ms,
		.ended = broker_ended,
		.adopted = orders_adopted,
		.all_gone = broker_gone };
	struct workers_orders orders = generation_orders(&p->now);

	p->workers = workers_new(p->base, 1, HANG_MS, &ops, p);
	if (p->workers == NULL)
		log_fatal("out of memory");
	workers_start(p->workers, &orders);
}

void
parent_start_command(struct parent *p)
{
	if (p->command_pid != 0)
		kill(p->command_pid, SIGTERM);
	p->command_pid = 0;
	if (!p->now.has_command || p->stopping)
		return;
	p->command_pid = fork();
	if (p->command_pid == 0)
		key_command_run(&p->now.command, p->of_command,
		    p->log.write_fd);
	if (p->command_pid < 0) {
		log_error("authorized_keys_command: fork: %s",
		    strerror(errno));
		p->command_pid = 0;
	}
}
