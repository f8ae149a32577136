/* SPDX-License-Identifier: ISC */
/*
 * generation.h - what jumpd runs with between two reloads: the configuration,
 * the host keys, the listening sockets and what the broker decides by.
 */
#ifndef JUMPD_GENERATION_H
#define JUMPD_GENERATION_H

#include "common/workers.h"
#include "jumpd/broker.h"
#include "jumpd/start.h"

struct generation {
	struct jumpd_config *config;	/* owned */
	struct host_keys *keys;		/* owned */
	struct broker_orders orders;
	int		fds[BROKER_ORDER_FDS];	/* owned: the settings, the
						 * mapping image, the keys */
	uint32_t	names;		/* of the mapping */
	bool		has_command;
	struct key_command_config command;
	uint32_t	n_listeners;
	int		listener[JUMPD_LISTENERS_MAX];	/* owned */
};

/* The one before the first. */
struct generation generation_none(void);

/*
 * Build the one after `old`, sharing the listeners that both have.  Takes
 * over the configuration, but only on success, and the image always.  Returns
 * false after a report; *ret then holds nothing.
 */
bool generation_make(struct jumpd_config *, const struct mapping_image *,
    const struct generation *old, struct generation *ret,
    cfgfile_report_fn *report, void *arg);

/* Release what `old` has and `kept` does not share; `kept` may be NULL. */
void generation_free(struct generation *old, const struct generation *kept);

/* Close the listeners alone: nothing new is taken. */
void generation_stop_listening(struct generation *);

/* As orders for workers.h; borrows from the generation. */
struct workers_orders generation_orders(const struct generation *);

#endif
