/* SPDX-License-Identifier: ISC */
/*
 * flow.h - one direction of a connection: from a socket through the worker's
 * buffer or a lent pipe to the other socket.
 *
 * What the receiver does not take is kept, and counted in the worker's
 * rest_octets.
 */
#ifndef PROXYD_FLOW_H
#define PROXYD_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/pipe_pool.h"
#include "proxyd/side.h"
#include "proxyd/worker.h"

struct flow {
	uint64_t	octets;		/* given to the receiving socket */
	uint8_t		*rest;		/* owned; read but not yet sent: */
	uint32_t	rest_at, rest_len;	/* to be sent, and behind it */
	uint32_t	held_len;	/* held back by http_watch.h */
	uint32_t	rest_room;
	uint32_t	in_pipe;	/* octets that `pipe` holds */
	struct pipe_ends pipe;		/* lent while in_pipe > 0 */
	bool		judge_again;	/* look at what is held once more */
	bool		source_ended;	/* FIN or failure was read */
	bool		ended;		/* ... and all before it delivered */
};

enum moved {
	MOVED,		/* something was done: go on */
	BLOCKED,	/* wait for an event */
	NO_MEMORY
};

/*
 * Read into the worker's buffer from `at` on, at most `room` octets and what
 * it has left; `flags` are recv's.  Returns how many octets came; with 0 the
 * source has ended, failed, or nothing is there yet (see `source_ended` and
 * `src->readable`).
 */
size_t flow_read(struct worker *, struct flow *, struct side *src, size_t at,
    size_t room, int flags);

/*
 * Returns how many octets the socket took.  With `last` nothing but the FIN
 * comes behind them, and that at once, so that the kernel may wait for it and
 * send one packet instead of two.
 */
size_t flow_send(struct worker *, struct side *dst, const uint8_t *bytes,
    size_t len, bool last);

/*
 * Keep what was read and could not be sent, and behind it what may not be
 * yet.  Nothing is kept so far.  Returns false if there is no memory.
 */
bool flow_keep(struct worker *, struct flow *, const uint8_t *unsent,
    size_t unsent_len, const uint8_t *held, size_t held_len);

/* Forget what is kept. */
void flow_drop_rest(struct worker *, struct flow *);

/* Send of what is kept, or else of what the pipe holds: one of them there is.
 */
enum moved flow_flush(struct worker *, struct flow *, struct side *dst);

/*
 * Splice at most `most` octets into the pipe that was just lent; `in_pipe`
 * says how many.  With none it is given back.
 */
enum moved flow_fill_pipe(struct worker *, struct flow *, struct side *src,
    uint64_t most);

/* Release what a direction holds. */
void flow_fini(struct worker *, struct flow *);

#endif
