/* SPDX-License-Identifier: ISC */
/*
 * master_state.h - what master.c and master_reload.c share; nobody else
 * includes it.
 */
#ifndef PROXYD_MASTER_STATE_H
#define PROXYD_MASTER_STATE_H

#include <event2/event.h>

#include "common/log_writer.h"
#include "common/mapping_compile.h"
#include "proxyd/generation.h"

struct master {
	struct event_base *base;
	struct proxyd_config *config;	/* owned; what is in force */
	struct sandbox_ids ids;
	struct proxyd_shared *shared;	/* owned */
	struct admission admission;	/* in memory that is owned */
	struct log_writer log;
	struct workers	*workers;	/* owned */
	struct generation now;
	unsigned	 n_workers;
	int		 signals;	/* owned; signalfd */
	struct event	*signal_event, *tick_event, *compile_event;
	bool		 ready;		/* was told once */

	/* a reload under way */
	struct proxyd_config *next;	/* owned; NULL: none */
	struct mapping_compile compile;
	bool		 reload_again;	/* SIGHUP came meanwhile */

	bool		 stopping;
	uint64_t	 kill_ms;	/* when patience ends */
};

/*
 * Begin a reload; if one is under way, another follows it.  What comes of it
 * is in the log.
 */
void master_reload(struct master *);

#endif
