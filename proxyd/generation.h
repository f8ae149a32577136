/* SPDX-License-Identifier: ISC */
/*
 * generation.h - what workers run with between two reloads: settings, the
 * mapping image and the listening sockets.
 */
#ifndef PROXYD_GENERATION_H
#define PROXYD_GENERATION_H

#include "common/mapping_compile.h"
#include "common/workers.h"
#include "proxyd/proxyd_config.h"
#include "proxyd/worker.h"

struct generation {
	struct worker_orders orders;
	int		fds[1 + PROXYD_LISTENERS_MAX];	/* owned: the image,
							 * the listeners */
	uint32_t	names;
};

/* The one before the first. */
struct generation generation_none(void);

/*
 * Build the one after `old`, sharing the listeners that both have.  Takes
 * over the image, even on failure.  Returns false after a report; *ret then
 * holds nothing.
 */
bool generation_make(const struct proxyd_config *,
    const struct mapping_image *, const struct generation *old,
    struct generation *ret, cfgfile_report_fn *report, void *arg);

/* Close what `old` has and `kept` does not share; `kept` may be NULL. */
void generation_close(struct generation *old, const struct generation *kept);

/* As orders for workers.h; borrows from the generation. */
struct workers_orders generation_orders(const struct generation *);

#endif
