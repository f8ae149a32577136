/* SPDX-License-Identifier: ISC */
/*
 * log_writer.h - the process that waits for slow logs, so that nobody else
 * has to.
 *
 * All processes write lines to one pipe without waiting (log.h); the writer
 * copies them to the real destination, which may be a file, a terminal or a
 * full pipe.  It ends when the last process that can write has ended.  The
 * master holds both ends, so a writer that dies loses at most what it held.
 */
#ifndef COMMON_LOG_WRITER_H
#define COMMON_LOG_WRITER_H

#include "common/sandbox.h"

struct log_writer {
	pid_t	pid;		/* 0: not running */
	int	read_fd;	/* owned; the pipe */
	int	write_fd;	/* owned; what log.h writes to */
	int	control;	/* owned; sends it a new destination */
	int	destination;	/* owned; where lines go */
	struct sandbox_ids ids;	/* whom the process becomes */
};

/*
 * Open `path` for appending ("stderr" is descriptor 2).  Returns a
 * descriptor owned by the caller, or -errno.
 */
int log_destination_open(const char *path);

/*
 * Make the pipe and start the process; takes over `destination`.  From then
 * on log.h in this process and its children writes to the pipe.  Returns 0
 * or -errno.
 */
int log_writer_start(struct log_writer *, const struct sandbox_ids *,
    int destination);

/* A child ended: true if it was ours.  log_writer_tick() starts another. */
bool log_writer_reaped(struct log_writer *, pid_t);

/* Call it a few times a second: starts a writer if there is none. */
void log_writer_tick(struct log_writer *);

/* Write to `destination`, which is taken over, from now on. */
void log_writer_redirect(struct log_writer *, int destination);

/*
 * Close our ends and wait, a second at most, until all is written.  log.h
 * writes to descriptor 2 again.
 */
void log_writer_stop(struct log_writer *);

#endif
