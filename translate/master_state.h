/* SPDX-License-Identifier: ISC */
/*
 * master_state.h - what master.c and master_reload.c share; nobody else
 * includes it.
 */
#ifndef TRANSLATE_MASTER_STATE_H
#define TRANSLATE_MASTER_STATE_H

#include "common/log_writer.h"
#include "translate/instance.h"
#include "translate/master.h"

struct master {
	struct instance_ground ground;
	struct xlatd_config *config;	/* owned; what is in force */
	struct sandbox_ids ids;
	struct log_writer log;
	bool		 log_drops;	/* asked for by -v */
	uint32_t	 n;		/* instances */
	struct instance	*instance[XLATD_INSTANCES_MAX];	/* owned */
	uint32_t	 n_leaving;
	struct instance	*leaving[XLATD_INSTANCES_MAX];	/* owned; no longer
					 * configured, until they have ended */
	int		 signals;	/* owned; signalfd */
	struct event	*signal_event, *tick_event;
	bool		 ready;		/* was told once */

	/* a reload under way */
	struct xlatd_config *before;	/* owned; borrowed by instances that
					 * have not settled; NULL: none */
	bool		 reload_again;	/* SIGHUP came meanwhile */

	bool		 stopping;
	int		 status;	/* to exit with */
	uint64_t	 kill_ms;	/* when patience ends */
};

/*
 * Open the devices of the configuration and translate.  Returns false after
 * reports, with nothing open.
 */
bool master_start_instances(struct master *, cfgfile_report_fn *, void *arg);

/*
 * Begin a reload; if one is under way, another follows it.  What comes of it
 * is in the log.
 */
void master_reload(struct master *);

/* An instance has settled: is that all of them? */
void master_settled(void *master);

#endif
