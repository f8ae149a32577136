/* SPDX-License-Identifier: ISC */
/*
 * resolver.h - names to IPv6 addresses, by DNS, without waiting.
 *
 * c-ares asks and reads the answers; which addresses may be connected is the
 * caller's to say.  Only name servers that were configured are asked, never a
 * file; a name is asked for as it stands, without search list.  Whoever asks
 * has a deadline of his own: c-ares repeats itself for some seconds more.
 */
#ifndef JUMPD_RESOLVER_H
#define JUMPD_RESOLVER_H

#include "common/loop.h"
#include "jumpd/deny_reasons.h"
#include "jumpd/settings.h"

enum {
	RESOLVER_QUERIES_MAX = 4096,	/* at once, given up ones too */
	RESOLVER_ADDRESSES_MAX = 16	/* of a name; more are left out */
};

struct resolver;
struct resolver_query;

/*
 * DENY_NONE: there are `n` addresses, 1 or more, borrowed.  Otherwise
 * DENY_NAME_UNKNOWN, _NAME_NO_IPV6, _DNS_FAILED, _DNS_TIMEOUT, _NO_MEMORY.
 * The query is gone when this is called; it may ask for something else.
 */
typedef void resolver_fn(void *arg, enum deny_reason,
    const struct addr *address, unsigned n);

/*
 * To be made before the sandbox closes: c-ares seeds its random numbers from
 * a file.  The loop is borrowed.  NULL: out of memory.
 */
struct resolver *resolver_new(struct loop *);
void resolver_free(struct resolver *);

/* Ask these from now on; queries under way go on with those they have. */
void resolver_set_servers(struct resolver *, const struct endpoint *,
    unsigned n);

/*
 * Ask for a normalised name.  DENY_NONE: *ret is the query, and `fn` will be
 * called once, later.  Otherwise why not (DENY_PENDING: too many), and `fn`
 * will not be called.
 */
enum deny_reason resolver_ask(struct resolver *, const char *name,
    resolver_fn *fn, void *arg, struct resolver_query **ret);

/* `fn` will not be called. */
void resolver_cancel(struct resolver_query *);

/* Every 100 ms or so: what has timed out. */
void resolver_tick(struct resolver *);

/* Queries under way, given up ones too. */
unsigned resolver_busy(const struct resolver *);

#endif
