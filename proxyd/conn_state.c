/* SPDX-License-Identifier: ISC */
#include "proxyd/conn_state.h"

#include <assert.h>

/* 0: the event cannot happen in the state; otherwise the next state + 1. */
#define TO(state) (CONN_##state + 1)

static const unsigned char next[N_CONN_STATES][N_CONN_EVENTS] = {
	[CONN_PEEK] = {
		[SAW_NAMED] = TO(DIAL),
		[SAW_TURNED_AWAY] = TO(REFUSE),
		[SAW_FINISHED] = TO(CLOSED),
		[SAW_ABORTED] = TO(CLOSED),
	},
	[CONN_DIAL] = {
		[SAW_RETRY] = TO(DIAL),
		[SAW_CONNECTED] = TO(RELAY),
		[SAW_TURNED_AWAY] = TO(REFUSE),
		[SAW_FINISHED] = TO(CLOSED),
		[SAW_ABORTED] = TO(CLOSED),
	},
	[CONN_RELAY] = {
		[SAW_HALF_CLOSED] = TO(DRAIN),
		[SAW_TURNED_AWAY] = TO(REFUSE),
		[SAW_FINISHED] = TO(CLOSED),
		[SAW_ABORTED] = TO(CLOSED),
	},
	[CONN_DRAIN] = {
		[SAW_TURNED_AWAY] = TO(REFUSE),
		[SAW_FINISHED] = TO(CLOSED),
		[SAW_ABORTED] = TO(CLOSED),
	},
	[CONN_REFUSE] = {
		[SAW_FINISHED] = TO(CLOSED),
		[SAW_ABORTED] = TO(CLOSED),
	},
};

bool
conn_event_legal(enum conn_state state, enum conn_event event)
{
	return state < N_CONN_STATES && event < N_CONN_EVENTS &&
	    next[state][event] != 0;
}

enum conn_state
conn_next(enum conn_state state, enum conn_event event)
{
	assert(conn_event_legal(state, event));
	return (enum conn_state)(next[state][event] - 1);
}
