/* SPDX-License-Identifier: ISC */
/*
 * side.h - one of a connection's two sockets.
 *
 * Events are edge-triggered: what they said is kept here until a call would
 * block.
 */
#ifndef PROXYD_SIDE_H
#define PROXYD_SIDE_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>

struct side {
	struct event	event;		/* its descriptor is owned; -1: none */
	bool		readable;	/* recv may have something */
	bool		writable;	/* send may take something */
	bool		broken;		/* reset or failed: neither any more */
};

/* No socket yet. */
void side_init(struct side *, struct event_base *);

/* Take over a socket and watch it.  Returns false, with the socket taken
 * over all the same, if there is no memory. */
bool side_open(struct side *, int fd, event_callback_fn, void *arg);

int side_fd(const struct side *);

/* Keep what an event said. */
void side_saw(struct side *, short what);

/*
 * Look for an error that nobody would notice while the side is not read
 * because the other is slow.
 */
void side_check(struct side *);

/*
 * Close it, with a reset if asked to, unless a reset would destroy bytes
 * that the peer is still to get: then those go first and a FIN after them.
 * Harmless if it is closed.
 */
void side_close(struct side *, bool reset);

#endif
