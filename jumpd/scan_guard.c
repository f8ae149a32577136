/* SPDX-License-Identifier: ISC */
#include "jumpd/scan_guard.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/token_bucket.h"
#include "jumpd/source_table.h"

enum {
	SET = 8,			/* cells looked at */
	WINDOW_MS = 3600 * 1000
};

struct source_cell {
	struct addr	source;
	bool		used;
	struct token_level opens, failed;
	uint32_t	targets;	/* distinct ones in the window */
	uint64_t	window_ms;	/* when it began */
	uint64_t	used_ms;
};

struct target_cell {
	struct endpoint	target;
	bool		used;
	struct token_level opens;
	uint64_t	used_ms;
};

/* A source has asked for a target in its window. */
struct pair_cell {
	uint64_t	tag;		/* keyed hash of all three; 0: free */
	uint64_t	end_ms;		/* of the window */
};

/* What a source has used of a target's limit. */
struct share_cell {
	uint64_t	tag;		/* as above */
	uint64_t	used_ms;	/* and 1: 0 is free */
	struct token_level opens;
};

struct scan_guard {
	struct siphash_key key;
	uint32_t	n_sources, n_targets;
	struct source_cell *source;	/* owned */
	struct target_cell *target;	/* owned */
	struct pair_cell *pair;		/* owned; n_targets of them */
	struct share_cell *share;	/* owned; n_targets of them */
};

static bool
fits(uint32_t n)
{
	return n >= 64 && n <= 1 << 20 && (n & (n - 1)) == 0;
}

struct scan_guard *
scan_guard_new(uint32_t n_sources, uint32_t n_targets,
    const struct siphash_key *key)
{
	struct scan_guard *g = calloc(1, sizeof(*g));

	assert(fits(n_sources) && fits(n_targets));
	if (g == NULL)
		return NULL;
	g->key = *key;
	g->n_sources = n_sources;
	g->n_targets = n_targets;
	g->source = calloc(n_sources, sizeof(*g->source));
	g->target = calloc(n_targets, sizeof(*g->target));
	g->pair = calloc(n_targets, sizeof(*g->pair));
	g->share = calloc(n_targets, sizeof(*g->share));
	if (g->source != NULL && g->target != NULL && g->pair != NULL &&
	    g->share != NULL)
		return g;
	scan_guard_free(g);
	return NULL;
}

void
scan_guard_free(struct scan_guard *g)
{
	if (g == NULL)
		return;
	free(g->source);
	free(g->target);
	free(g->pair);
	free(g->share);
	free(g);
}

static uint32_t
set_of(uint64_t hash, uint32_t n)
{
	return (uint32_t)(hash % (n / SET)) * SET;
}

/* The cell of a source: its own, or one that is forgotten for it. */
static struct source_cell *
source_cell(struct scan_guard *g, const struct scan_limits *limits,
    const struct addr *client, uint64_t now_ms)
{
	struct addr source = source_of(client);
	uint32_t i, set = set_of(siphash(&g->key, source.octet, 16),
		g->n_sources);
	struct source_cell *c, *best = NULL;

	for (i = set; i < set + SET; i++) {
		c = &g->source[i];
		if (c->used && addr_equal(&c->source, &source)) {
			c->used_ms = now_ms;
			return c;
		}
		if (best == NULL || c->used_ms < best->used_ms)
			best = c;
	}
	memset(best, 0, sizeof(*best));
	best->used = true;
	best->source = source;
	best->used_ms = best->window_ms = now_ms;
	token_level_fill(&best->opens, limits->source_opens, now_ms);
	token_level_fill(&best->failed, limits->source_failed_dials, now_ms);
	return best;
}

static void
endpoint_octets(const struct endpoint *ep, uint8_t out[18])
{
	memcpy(out, ep->addr.octet, 16);
	out[16] = (uint8_t)(ep->port >> 8);
	out[17] = (uint8_t)ep->port;
}

static struct target_cell *
target_cell(struct scan_guard *g, const struct scan_limits *limits,
    const struct endpoint *to, uint64_t now_ms)
{
	uint8_t octets[18];
	struct target_cell *c, *best = NULL;
	uint32_t i, set;

	endpoint_octets(to, octets);
	set = set_of(siphash(&g->key, octets, sizeof(octets)), g->n_targets);
	for (i = set; i < set + SET; i++) {
		c = &g->target[i];
		if (c->used && endpoint_equal(&c->target, to)) {
			c->used_ms = now_ms;
			return c;
		}
		if (best == NULL || c->used_ms < best->used_ms)
			best = c;
	}
	best->used = true;
	best->target = *to;
	best->used_ms = now_ms;
	token_level_fill(&best->opens, limits->target_opens, now_ms);
	return best;
}

static uint64_t
pair_tag(const struct scan_guard *g, const struct addr *source,
    uint64_t window_ms, const struct endpoint *to)
{
	uint8_t octets[16 + 18 + 8];
	uint64_t tag;
	unsigned i;

	memcpy(octets, source->octet, 16);
	endpoint_octets(to, octets + 16);
	for (i = 0; i < 8; i++)
		octets[34 + i] = (uint8_t)(window_ms >> 8 * i);
	tag = siphash(&g->key, octets, sizeof(octets));
	return tag != 0 ? tag : 1;
}

/* The cell of the pair, or the one to put it in. */
static struct pair_cell *
pair_cell(struct scan_guard *g, uint64_t tag, bool *ret_known)
{
	uint32_t i, set = set_of(tag, g->n_targets);
	struct pair_cell *best = &g->pair[set];

	for (i = set; i < set + SET; i++) {
		if (g->pair[i].tag == tag) {
			*ret_known = true;
			return &g->pair[i];
		}
		if (g->pair[i].end_ms < best->end_ms)
			best = &g->pair[i];
	}
	*ret_known = false;
	return best;
}

/* Count a target of a source, if it is a new one and there is room for it. */
static bool
count_target(struct scan_guard *g, const struct scan_limits *limits,
    struct source_cell *s, const struct endpoint *to, uint64_t now_ms)
{
	struct pair_cell *pair;
	uint64_t tag;
	bool known;

	if (now_ms - s->window_ms >= WINDOW_MS) {
		s->window_ms = now_ms;
		s->targets = 0;
	}
	tag = pair_tag(g, &s->source, s->window_ms, to);
	pair = pair_cell(g, tag, &known);
	if (known)
		return true;
	if (s->targets >= limits->source_targets)
		return false;
	s->targets++;
	pair->tag = tag;
	pair->end_ms = s->window_ms + WINDOW_MS;
	return true;
}

/* A source's part of a target's limit; one that was forgotten is whole. */
static struct token_level *
share_of(struct scan_guard *g, const struct scan_limits *limits,
    const struct addr *client, const struct endpoint *to, uint64_t now_ms)
{
	struct addr source = source_of(client);
	uint64_t tag = pair_tag(g, &source, 0, to);
	uint32_t i, set = set_of(tag, g->n_targets);
	struct share_cell *best = &g->share[set];

	for (i = set; i < set + SET; i++) {
		if (g->share[i].tag == tag) {
			g->share[i].used_ms = now_ms + 1;
			return &g->share[i].opens;
		}
		if (g->share[i].used_ms < best->used_ms)
			best = &g->share[i];
	}
	best->tag = tag;
	best->used_ms = now_ms + 1;
	token_level_fill(&best->opens, limits->source_target_opens, now_ms);
	return &best->opens;
}

/* Count an open of a target, if there is room for it. */
static enum deny_reason
count_open(struct scan_guard *g, const struct scan_limits *limits,
    const struct addr *client, const struct endpoint *to, uint64_t now_ms)
{
	struct target_cell *t = target_cell(g, limits, to, now_ms);
	uint32_t most = limits->source_target_opens;
	struct token_level *share = NULL;

	if (most > 0)
		share = share_of(g, limits, client, to, now_ms);
	if (share != NULL && !token_level_has(share, most, most, now_ms))
		return DENY_SOURCE_TARGET_OPENS;
	if (!token_level_take(&t->opens, limits->target_opens,
	    limits->target_opens, now_ms))
		return DENY_TARGET_OPENS;
	if (share != NULL)
		token_level_take(share, most, most, now_ms);
	return DENY_NONE;
}

enum deny_reason
scan_guard_open(struct scan_guard *g, const struct scan_limits *limits,
    struct scan_session *session, const struct addr *client, uint64_t now_ms)
{
	struct source_cell *s;

	if (session->opens < UINT32_MAX)
		session->opens++;
	if (limits->session_opens > 0 &&
	    session->opens > limits->session_opens)
		return DENY_SESSION_OPENS;
	if (limits->session_channels > 0 &&
	    session->channels >= limits->session_channels)
		return DENY_SESSION_CHANNELS;
	s = source_cell(g, limits, client, now_ms);
	if (limits->source_failed_dials > 0 &&
	    !token_level_has(&s->failed, limits->source_failed_dials,
		limits->source_failed_dials, now_ms))
		return DENY_SOURCE_FAILED_DIALS;
	if (limits->source_opens > 0 &&
	    !token_level_take(&s->opens, limits->source_opens,
	    limits->source_opens, now_ms))
		return DENY_SOURCE_OPENS;
	session->channels++;
	return DENY_NONE;
}

void
scan_guard_close(struct scan_session *session)
{
	assert(session->channels > 0);
	session->channels--;
}

enum deny_reason
scan_guard_target(struct scan_guard *g, const struct scan_limits *limits,
    const struct addr *client, const struct endpoint *to, uint64_t now_ms)
{
	if (limits->source_targets > 0 &&
	    !count_target(g, limits, source_cell(g, limits, client, now_ms), to,
		now_ms))
		return DENY_SOURCE_TARGETS;
	if (limits->target_opens == 0)
		return DENY_NONE;
	return count_open(g, limits, client, to, now_ms);
}

void
scan_guard_failed(struct scan_guard *g, const struct scan_limits *limits,
    const struct addr *client, uint64_t now_ms)
{
	struct source_cell *s;

	if (limits->source_failed_dials == 0)
		return;
	s = source_cell(g, limits, client, now_ms);
	token_level_take(&s->failed, limits->source_failed_dials,
	    limits->source_failed_dials, now_ms);
}
