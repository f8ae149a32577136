/* SPDX-License-Identifier: ISC */
/*
 * side.h - one of a connection's two sockets.
 *
 * Events are edge-triggered: what they said is kept here until a call would
 * block.
 */
#ifndef PROXYD_SIDE_H
#define PROXYD_SIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/loop.h"

struct side {
	struct loop_watch watch;	/* its descriptor is owned */
	bool		readable;	/* recv may have something */
	bool		writable;	/* send may take something */
	bool		ending;		/* its FIN is behind what can be read */
	bool		urgent;		/* so is something that ends a recv */
	bool		broken;		/* reset or failed: neither any more */
	bool		unprobed;	/* side_leave_unprobed() was called */
};

/* No socket yet. */
void side_init(struct side *);

/*
 * Take over a socket and watch it; one that `connects` cannot be written to
 * yet.  Returns false, with the socket taken over all the same, if there is
 * no memory.
 */
bool side_open(struct side *, struct loop *, int fd, bool connects, loop_fn *);

/* Its descriptor; -1: none. */
int side_fd(const struct side *);

/* Keep what an event said. */
void side_saw(struct side *, uint32_t events);

/* A recv that asked for `asked` octets took `got`.  Returns true if only a FIN
 * is left: the next would return 0. */
bool side_received(struct side *, size_t asked, size_t got);

/*
 * No keepalive any more.  Who has closed, and whose kernel has forgotten the
 * connection (Linux does after a minute), answers a probe with a reset.
 */
void side_leave_unprobed(struct side *);

/* It takes no more for now: an event will tell when it does. */
void side_full(struct side *, struct loop *);

/*
 * Close it, with a reset if asked to, unless a reset would destroy bytes
 * that the peer is still to get: then those go first and a FIN after them.
 * Harmless if it is closed.
 */
void side_close(struct side *, struct loop *, bool reset);

#endif
