/* SPDX-License-Identifier: ISC */
/*
 * relay.h - bytes both ways.
 *
 * A turn copies through the worker's buffer; after RELAY_SPLICE_AFTER octets
 * in one direction it splices through a lent pipe.  What the receiver does
 * not take is kept (up to the worker's budget) and nothing more is read until
 * it is gone: a slow reader holds its sender back.
 */
#ifndef PROXYD_RELAY_H
#define PROXYD_RELAY_H

#include "proxyd/conn.h"

enum {
	RELAY_SPLICE_AFTER = 128 * 1024,
	RELAY_TURN_OCTETS = 1 << 20	/* then others have their turn */
};

struct relay_turn {
	bool	moved;		/* bytes were delivered */
	bool	again;		/* there is more to do at once */
	bool	no_memory;
	bool	turned_away;	/* a request was stopped and all before it
				 * answered: the client can be told */
};

/* Move what can be moved, pass on ends. */
struct relay_turn relay_turn(struct conn *);

#endif
