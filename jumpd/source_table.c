/* SPDX-License-Identifier: ISC */
#include "jumpd/source_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/token_bucket.h"
#include "jumpd/source_penalty.h"

enum {
	SET = 8,			/* cells looked at for a source */
	HALF_OPEN_MAX = 65536,
	NONE = 0			/* no cell: they count from 1 */
};

/* A source.  Cells with the same number of half-open connections, 1 or more,
 * are a list in the order in which they came to that number. */
struct cell {
	struct addr	source;
	bool		used;
	uint32_t	connections;
	uint32_t	half_open;
	uint32_t	prev, next;	/* cells; NONE */
	struct source_ticket ends;	/* next: its oldest half-open one */
	struct token_level rate;
	struct source_penalty penalty;
	uint64_t	used_ms;	/* last looked for */
};

struct level {
	uint32_t	first, last;	/* cells; NONE */
};

struct source_table {
	struct siphash_key key;
	uint32_t	n_cells;
	uint32_t	connections;
	uint32_t	half_open;	/* exempt ones too */
	uint32_t	most;		/* half-open ones of a source */
	struct cell	*cell;		/* owned; n_cells + 1, from 1 */
	struct level	*level;		/* owned; HALF_OPEN_MAX + 1 */
};

struct addr
source_of(const struct addr *client)
{
	struct addr source = *client;

	if (!addr_is_v4(client))
		memset(source.octet + 8, 0, 8);
	return source;
}

struct source_table *
source_table_new(uint32_t n_sources, const struct siphash_key *key)
{
	struct source_table *t = calloc(1, sizeof(*t));

	assert(n_sources >= 64 && n_sources <= 1 << 20 &&
	    (n_sources & (n_sources - 1)) == 0);
	if (t == NULL)
		return NULL;
	t->key = *key;
	t->n_cells = n_sources;
	t->cell = calloc((size_t)n_sources + 1, sizeof(*t->cell));
	t->level = calloc(HALF_OPEN_MAX + 1, sizeof(*t->level));
	if (t->cell != NULL && t->level != NULL)
		return t;
	source_table_free(t);
	return NULL;
}

void
source_table_free(struct source_table *t)
{
	if (t == NULL)
		return;
	free(t->cell);
	free(t->level);
	free(t);
}

/* ------------------------------------------------------------ cells */

/* The first cell of the source's set. */
static uint32_t
set_of(const struct source_table *t, const struct addr *source)
{
	uint64_t hash = siphash(&t->key, source->octet,
	    sizeof(source->octet));

	return 1 + (uint32_t)(hash % (t->n_cells / SET)) * SET;
}

static uint32_t
find(const struct source_table *t, const struct addr *source)
{
	uint32_t i, set = set_of(t, source);

	for (i = set; i < set + SET; i++)
		if (t->cell[i].used && addr_equal(&t->cell[i].source, source))
			return i;
	return NONE;
}

/* Is it better to forget a than b? */
static bool
rather(const struct cell *a, const struct cell *b, uint64_t now_ms)
{
	uint64_t x = source_penalty_left_ms(&a->penalty, now_ms);
	uint64_t y = source_penalty_left_ms(&b->penalty, now_ms);

	if (a->used != b->used)
		return !a->used;
	return x != y ? x < y : a->used_ms < b->used_ms;
}

/* A cell for a source that has none; NONE if its set has none to spare. */
static uint32_t
claim(struct source_table *t, const struct addr *source,
    const struct source_limits *limits, uint64_t now_ms)
{
	uint32_t i, set = set_of(t, source), best = NONE;
	struct cell *c;

	for (i = set; i < set + SET; i++)
		if (t->cell[i].connections == 0 &&
		    (best == NONE ||
			rather(&t->cell[i], &t->cell[best], now_ms)))
			best = i;
	if (best == NONE)
		return NONE;
	c = &t->cell[best];
	memset(c, 0, sizeof(*c));
	c->used = true;
	c->source = *source;
	c->ends.prev = c->ends.next = &c->ends;
	token_level_fill(&c->rate, limits->burst_per_source > 0 ?
		limits->burst_per_source :
		1, now_ms);
	return best;
}

/* ---------------------------------------------------------- shedding */

static void
unlink_cell(struct source_table *t, uint32_t i)
{
	struct cell *c = &t->cell[i];
	struct level *level = &t->level[c->half_open];

	if (c->prev != NONE)
		t->cell[c->prev].next = c->next;
	else
		level->first = c->next;
	if (c->next != NONE)
		t->cell[c->next].prev = c->prev;
	else
		level->last = c->prev;
}

static void
link_cell(struct source_table *t, uint32_t i)
{
	struct cell *c = &t->cell[i];
	struct level *level = &t->level[c->half_open];

	c->prev = level->last;
	c->next = NONE;
	if (c->prev != NONE)
		t->cell[c->prev].next = i;
	else
		level->first = i;
	level->last = i;
}

static void
set_half_open(struct source_table *t, uint32_t i, uint32_t half_open)
{
	struct cell *c = &t->cell[i];

	if (c->half_open > 0)
		unlink_cell(t, i);
	c->half_open = half_open;
	if (half_open > 0)
		link_cell(t, i);
	if (half_open > t->most)
		t->most = half_open;
	/* It was one more at most. */
	if (t->most > 0 && t->level[t->most].first == NONE)
		t->most--;
}

static void
ticket_append(struct cell *c, struct source_ticket *ticket)
{
	ticket->prev = c->ends.prev;
	ticket->next = &c->ends;
	ticket->prev->next = ticket;
	c->ends.prev = ticket;
}

/* It is half-open no longer. */
static void
close_half(struct source_table *t, struct source_ticket *ticket)
{
	if (!ticket->half_open)
		return;
	ticket->half_open = false;
	t->half_open--;
	if (ticket->exempt)
		return;
	ticket->prev->next = ticket->next;
	ticket->next->prev = ticket->prev;
	ticket->prev = ticket->next = NULL;
	set_half_open(t, ticket->cell, t->cell[ticket->cell].half_open - 1);
}

/* Make room for a newcomer whose source has `own` half-open ones.  Returns
 * who is to go, or NULL. */
static struct source_ticket *
shed(struct source_table *t, uint32_t own)
{
	struct source_ticket *oldest;

	if (t->most <= own)
		return NULL;
	oldest = t->cell[t->level[t->most].first].ends.next;
	close_half(t, oldest);
	return oldest;
}

/* ------------------------------------------------------------- enter */

bool
source_is_exempt(const struct source_limits *limits, const struct addr *client)
{
	uint32_t i;

	for (i = 0; i < limits->n_exempt; i++)
		if (prefix_contains(&limits->exempt[i], client))
			return true;
	return false;
}

static bool
too_many(uint32_t limit, uint32_t n)
{
	return limit > 0 && n >= limit;
}

/* May one more come, as far as its source goes? */
static enum deny_reason
judge_source(struct cell *c, const struct source_limits *limits,
    uint64_t now_ms)
{
	uint32_t burst = limits->burst_per_source > 0 ?
	    limits->burst_per_source :
	    1;

	if (limits->penalty_max_ms > 0 &&
	    source_penalty_left_ms(&c->penalty, now_ms) >
		limits->penalty_threshold_ms) {
		c->penalty.refused = true;
		return DENY_PENALTY;
	}
	if (too_many(limits->per_source, c->connections))
		return DENY_SOURCE_CONNECTIONS;
	if (too_many(limits->half_open_per_source, c->half_open))
		return DENY_SOURCE_HALF_OPEN;
	if (limits->rate_per_source > 0 &&
	    !token_level_has(&c->rate, limits->rate_per_source, burst, now_ms))
		return DENY_SOURCE_RATE;
	return DENY_NONE;
}

static void
count_in(struct source_table *t, const struct source_limits *limits,
    uint32_t i, uint64_t now_ms, struct source_ticket *ticket)
{
	struct cell *c = &t->cell[i];

	if (limits->rate_per_source > 0)
		token_level_take(&c->rate, limits->rate_per_source,
		    limits->burst_per_source > 0 ? limits->burst_per_source : 1,
		    now_ms);
	c->connections++;
	c->used_ms = now_ms;
	ticket->cell = i;
	ticket_append(c, ticket);
	set_half_open(t, i, c->half_open + 1);
}

/* Places in total; *ret_shed gives up its own. */
static enum deny_reason
judge_total(struct source_table *t, const struct source_limits *limits,
    uint32_t own, struct source_ticket **ret_shed)
{
	uint32_t most = limits->half_open;

	if (too_many(limits->connections, t->connections))
		return DENY_TOTAL;
	if (most == 0 || most > HALF_OPEN_MAX)
		most = HALF_OPEN_MAX;
	if (t->half_open < most)
		return DENY_NONE;
	*ret_shed = shed(t, own);
	return *ret_shed != NULL ? DENY_NONE : DENY_HALF_OPEN;
}

enum deny_reason
source_table_enter(struct source_table *t, const struct source_limits *limits,
    const struct addr *client, uint64_t now_ms, struct source_ticket *ticket,
    struct source_ticket **ret_shed)
{
	bool exempt = source_is_exempt(limits, client);
	struct addr source = source_of(client);
	enum deny_reason reason = DENY_NONE;
	uint32_t i = NONE;

	assert(ticket->cell == NONE && !ticket->exempt);
	*ret_shed = NULL;
	if (!exempt) {
		i = find(t, &source);
		if (i == NONE)
			i = claim(t, &source, limits, now_ms);
		reason = i == NONE ? DENY_TABLE_FULL :
				     judge_source(&t->cell[i], limits, now_ms);
	}
	if (reason == DENY_NONE)
		reason = judge_total(t, limits,
		    exempt ? 0 : t->cell[i].half_open, ret_shed);
	if (reason != DENY_NONE)
		return reason;
	t->connections++;
	t->half_open++;
	ticket->half_open = true;
	ticket->exempt = exempt;
	if (!exempt)
		count_in(t, limits, i, now_ms, ticket);
	return DENY_NONE;
}

void
source_table_logged_in(struct source_table *t, struct source_ticket *ticket)
{
	close_half(t, ticket);
}

void
source_table_leave(struct source_table *t, struct source_ticket *ticket)
{
	if (ticket->cell == NONE && !ticket->exempt)
		return;
	close_half(t, ticket);
	t->connections--;
	if (!ticket->exempt)
		t->cell[ticket->cell].connections--;
	memset(ticket, 0, sizeof(*ticket));
}

/* --------------------------------------------------------- penalties */

static uint32_t
price(const struct source_limits *limits, enum source_offence offence)
{
	switch (offence) {
	case SOURCE_FAILED_LOGIN:
		return limits->penalty_login_ms;
	case SOURCE_HUNG_UP:
		return limits->penalty_hang_up_ms;
	case SOURCE_GRACE:
		return limits->penalty_grace_ms;
	case SOURCE_CRASHED:
		return limits->penalty_crash_ms;
	}
	return 0;
}

void
source_table_offend(struct source_table *t, const struct source_limits *limits,
    const struct addr *client, enum source_offence offence, uint64_t now_ms)
{
	struct addr source = source_of(client);
	uint32_t i = find(t, &source);

	if (i == NONE || limits->penalty_max_ms == 0 ||
	    source_is_exempt(limits, client) || price(limits, offence) == 0)
		return;
	source_penalty_add(&t->cell[i].penalty, price(limits, offence),
	    limits->penalty_max_ms, now_ms);
}

uint64_t
source_table_penalty_ms(const struct source_table *t,
    const struct source_limits *limits, const struct addr *client,
    uint64_t now_ms)
{
	struct addr source = source_of(client);
	uint32_t i = find(t, &source);
	uint64_t left;

	if (i == NONE || limits->penalty_max_ms == 0 ||
	    source_is_exempt(limits, client))
		return 0;
	left = source_penalty_left_ms(&t->cell[i].penalty, now_ms);
	return left > limits->penalty_threshold_ms ?
	    left - limits->penalty_threshold_ms :
	    0;
}

uint32_t
source_table_connections(const struct source_table *t)
{
	return t->connections;
}

uint32_t
source_table_half_open(const struct source_table *t)
{
	return t->half_open;
}
