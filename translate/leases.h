/* SPDX-License-Identifier: ISC */
/*
 * leases.h - who has which address of a dynamic pool, where it outlives the
 * process that lends them: in memory that master and worker share, and on
 * disk.
 *
 * The worker alone writes to the memory; the master reads it at any time, and
 * writes the file.  The file has a line for each lease, "IPv4 IPv6 SECOND",
 * as lease_line.h says; blank lines and comments are left out.
 */
#ifndef TRANSLATE_LEASES_H
#define TRANSLATE_LEASES_H

#include <stdatomic.h>

#include "common/cfgfile.h"
#include "translate/dynamic_pool.h"

struct lease {
	_Atomic uint64_t heard_s;	/* 0: not lent, or being written */
	struct addr	 v6;
};

/* The shared memory. */
struct leases_shared {
	_Atomic uint64_t changes;	/* grows with each new lease */
	struct lease	 lease[];
};

struct leases {
	uint32_t	first;		/* IPv4 address of lease[0] */
	uint32_t	n;
	struct leases_shared *shared;	/* owned; NULL: none */
};

/* Memory for a pool's leases, none yet.  Returns 0 or -errno. */
int leases_new(const struct prefix *pool, struct leases *ret);

/* The empty value is fine, too. */
void leases_free(struct leases *);

/* --- for the worker ------------------------------------------------------- */

/* A host got an address, or was heard again. */
void leases_put(struct leases *, uint32_t v4, const struct addr *v6,
    uint64_t heard_s);

/*
 * Copy the leases of at most `most` addresses of the pool, from the *at'th on:
 * 0 at first, and again after the last one.
 */
void leases_copy(struct leases *, const struct dynamic_pool *, uint32_t most,
    uint32_t *at);

/* --- for the master ------------------------------------------------------- */

/* How many there are. */
size_t leases_count(const struct leases *);

/* Lend in an empty pool what is lent here and still holds. */
void leases_restore(const struct leases *, struct dynamic_pool *,
    uint64_t now_s);

/*
 * Lend in the pool what is lent in `from` and not in `known`, which is of the
 * same pool.  Returns false if that contradicts what the pool lends already:
 * then leases_restore to an empty one is what helps.
 */
bool leases_catch_up(const struct leases *from, const struct leases *known,
    struct dynamic_pool *, uint64_t now_s);

/*
 * Lend in the pool what the file says; a missing file says nothing.  A line
 * that is no lease is reported and left out.  Returns false after reporting
 * that it could not be read.
 */
bool leases_read(const char *path, struct dynamic_pool *, uint64_t now_s,
    cfgfile_report_fn *report, void *arg);

/* Whether there can be such a file: 0, or -errno of its folder. */
int leases_check(const char *path);

/* Put a new file in place of the old one, whole.  Returns 0 or -errno. */
int leases_write(const struct leases *, const char *path);

#endif
