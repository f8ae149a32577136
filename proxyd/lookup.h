/* SPDX-License-Identifier: ISC */
/*
 * lookup.h - from what a peek said to the VMs that it leads to, now.
 */
#ifndef PROXYD_LOOKUP_H
#define PROXYD_LOOKUP_H

#include "proxyd/conn.h"
#include "proxyd/peek.h"

/* Borrowed from the worker's mapping or settings: copy it before either
 * changes. */
struct lookup {
	const struct addr *target;
	unsigned	n;		/* 0: none */
	uint16_t	port;
	uint8_t		flags;		/* MAPPING_* bits */
	const char	*counted_as;	/* the name limits.per_name counts: the
					 * mapping's own; "*": the default */
	size_t		counted_len;
};

struct lookup lookup_targets(const struct conn *, const struct peek *);

/*
 * May a later request that names this host use the connection?  CLOSE_NONE,
 * or why not: NOT_MAPPED, HTTP_MISDIRECTED, or MAPPING_CHANGED if it is the
 * name that the connection was opened for.
 */
enum close_reason lookup_again(const struct conn *, const struct peek *);

#endif
