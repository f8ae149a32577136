/* SPDX-License-Identifier: ISC */
/*
 * source_table.h - limits for each client address, before anything is spent
 * on it.
 *
 * A source is an IPv4 address or an IPv6 /64.  A connection is half-open until
 * it has logged in.  When the half-open places are all taken, the source that
 * holds most of them gives up its oldest one for a newcomer of a source that
 * holds fewer: so one source, or a few, never keep others out, and sources
 * that hold one each are shed oldest first, while a login takes a moment only.
 *
 * Penalties (source_penalty.h): a source that has collected more than
 * `penalty_threshold_ms` by its offences is refused until it has less.
 *
 * Memory is of fixed size.  Sources stand in sets of a keyed hash table; a
 * full set forgets the source with no connections that has least penalty; if
 * all have connections, the newcomer is refused.
 *
 * Pure: the caller says what time it is (monotonic).
 */
#ifndef JUMPD_SOURCE_TABLE_H
#define JUMPD_SOURCE_TABLE_H

#include "common/prefix.h"
#include "common/siphash.h"
#include "jumpd/deny_reasons.h"

enum { SOURCE_EXEMPT_MAX = 64 };

struct source_limits {			/* 0: no limit, unless said */
	uint32_t	connections;		/* all */
	uint32_t	half_open;		/* all; 1-65536 */
	uint32_t	half_open_per_source;
	uint32_t	per_source;		/* connections */
	uint32_t	rate_per_source;	/* new ones per minute */
	uint32_t	burst_per_source;	/* new ones at once; 0 is 1 */
	uint32_t	penalty_login_ms;	/* a failed login */
	uint32_t	penalty_hang_up_ms;	/* left, or was cut off, without
						 * logging in or failing */
	uint32_t	penalty_grace_ms;	/* did not log in in time */
	uint32_t	penalty_crash_ms;	/* its process was killed */
	uint32_t	penalty_threshold_ms;
	uint32_t	penalty_max_ms;		/* 0: no penalties at all */
	uint32_t	n_exempt;		/* from all per-source limits,
						 * penalties and shedding */
	struct prefix	exempt[SOURCE_EXEMPT_MAX];
};

enum source_offence {
	SOURCE_FAILED_LOGIN,
	SOURCE_HUNG_UP,
	SOURCE_GRACE,
	SOURCE_CRASHED
};

struct source_table;

/*
 * A connection's place, embedded in the caller's own; all zero: none.  Its
 * address must not change while it has one.  Private to source_table.c.
 */
struct source_ticket {
	struct source_ticket *prev, *next;	/* half-open ones of a source,
						 * oldest first */
	uint32_t	cell;		/* 1 + index; 0: has no place */
	bool		half_open;
	bool		exempt;
};

/* `n_sources` is how many are remembered, a power of two from 64 to 2^20.
 * Returns NULL if there is no memory. */
struct source_table *source_table_new(uint32_t n_sources,
    const struct siphash_key *);
void source_table_free(struct source_table *);

/*
 * A connection has come.  DENY_NONE: it has a place, half-open, until
 * source_table_leave().  Else why not, and nothing was counted but the
 * refusal: TOTAL, HALF_OPEN, SOURCE_HALF_OPEN, SOURCE_CONNECTIONS,
 * SOURCE_RATE, PENALTY, TABLE_FULL.
 * *ret_shed is a ticket that must give up its place: its connection is to be
 * ended at once (DENY_SHED) and still has to leave; NULL if none.
 */
enum deny_reason source_table_enter(struct source_table *,
    const struct source_limits *, const struct addr *client, uint64_t now_ms,
    struct source_ticket *, struct source_ticket **ret_shed);

/* It has logged in: half-open no longer. */
void source_table_logged_in(struct source_table *, struct source_ticket *);

/* It is gone.  Leaving twice, or without having entered, is harmless. */
void source_table_leave(struct source_table *, struct source_ticket *);

/* A source misbehaved; harmless if it is not known any more, or exempt. */
void source_table_offend(struct source_table *, const struct source_limits *,
    const struct addr *client, enum source_offence, uint64_t now_ms);

/* For how long the source will be refused, 0: it will not. */
uint64_t source_table_penalty_ms(const struct source_table *,
    const struct source_limits *, const struct addr *client,
    uint64_t now_ms);

uint32_t source_table_connections(const struct source_table *);
uint32_t source_table_half_open(const struct source_table *);

/* Do limits per source not hold for this client? */
bool source_is_exempt(const struct source_limits *, const struct addr *client);

/* The client's source: IPv4 as it is, IPv6 with its last 64 bits zero. */
struct addr source_of(const struct addr *client);

#endif
