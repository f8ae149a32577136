/* SPDX-License-Identifier: ISC */
/*
 * tables.h - what an instance translates by: its settings and all its
 * mappings, those of mapping files included.
 *
 * Built where no packet waits, and never changed afterwards, but for the
 * dynamic pool, which belongs to whoever translates.
 */
#ifndef TRANSLATE_TABLES_H
#define TRANSLATE_TABLES_H

#include "translate/xlatd_config.h"

struct tables {
	struct siit	 siit;		/* borrows `map` */
	struct address_map *map;	/* owned */
	struct dynamic_pool *pool;	/* owned; NULL without one */
	uint32_t	 n_eams;
};

/*
 * Read the mapping files of an instance and build its tables; the pool lends
 * nothing yet.  All or nothing: returns false after reporting every problem,
 * "file:line: what is wrong" (20 of a source at most).
 */
bool tables_build(const struct xlatd_config *, const struct xlatd_instance *,
    struct tables *ret, cfgfile_report_fn *report, void *arg);

/* An empty pool in place of the one that there is, if there is one. */
void tables_renew_pool(struct tables *, const struct xlatd_instance *);

/* The empty value is fine, too. */
void tables_free(struct tables *);

#endif
