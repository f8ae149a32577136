/* SPDX-License-Identifier: ISC */
/*
 * conn_state.h - the life of a connection.
 *
 *	             NAMED           CONNECTED        HALF_CLOSED
 *	  PEEK -------------> DIAL -------------> RELAY -------> DRAIN
 *	   |                  |  ^ |                |              |
 *	   | TURNED_AWAY      |  +-+ RETRY          |              |
 *	   +-------> REFUSE <-+---------------------+--------------+
 *	                |             TURNED_AWAY
 *	                +--> CLOSED   FINISHED, ABORTED from every state
 *
 * PEEK	  reading the client's first bytes; one deadline for all of it
 * DIAL	  connecting to one target after another; a deadline each
 * RELAY  bytes both ways; the deadline moves with every byte
 * DRAIN  one direction has ended, the other goes on; a shorter such deadline
 * REFUSE the refusal is sent; waiting for the client to have read it (from
 *	  RELAY and DRAIN: a later request on the connection was refused)
 * CLOSED released
 *
 * Pure: edge code says what happened, this table says what follows.
 */
#ifndef PROXYD_CONN_STATE_H
#define PROXYD_CONN_STATE_H

#include <stdbool.h>

enum conn_state {
	CONN_PEEK,
	CONN_DIAL,
	CONN_RELAY,
	CONN_DRAIN,
	CONN_REFUSE,
	CONN_CLOSED,
	N_CONN_STATES
};

enum conn_event {
	SAW_NAMED,		/* a host, and targets for it */
	SAW_TURNED_AWAY,	/* the client gets a refusal */
	SAW_RETRY,		/* a target failed, another is left */
	SAW_CONNECTED,
	SAW_HALF_CLOSED,	/* one direction has ended */
	SAW_FINISHED,		/* nothing is left to do */
	SAW_ABORTED,		/* a reset, a deadline or a fault ends it */
	N_CONN_EVENTS
};

/* True if the event can happen in the state. */
bool conn_event_legal(enum conn_state, enum conn_event);

/* The state that follows; asserts that the pair is legal. */
enum conn_state conn_next(enum conn_state, enum conn_event);

#endif
