/* SPDX-License-Identifier: ISC */
/*
 * pipe_pool.h - empty pipes to splice through.
 *
 * Pipes of unprivileged users are limited per user
 * (/proc/sys/fs/pipe-user-pages-soft), so a worker has a few and lends them
 * for one turn.  Who gets none copies.
 */
#ifndef PROXYD_PIPE_POOL_H
#define PROXYD_PIPE_POOL_H

#include <stdbool.h>
#include <stdint.h>

enum {
	PIPE_POOL_MAX = 32,		/* pipes a worker has at most */
	PIPE_POOL_OCTETS = 1 << 20,	/* size asked for */
	PIPE_POOL_OCTETS_MIN = 1 << 18,	/* a smaller one is not worth it */
	PIPE_POOL_RETRY = 1024		/* ask the kernel again after so many */
};

struct pipe_ends {
	int	read_fd, write_fd;	/* owned; -1: none */
	uint32_t octets;		/* how much it holds */
};

struct pipe_pool {
	struct pipe_ends free[PIPE_POOL_MAX];	/* all empty */
	unsigned	n_free;
	unsigned	n_made;		/* free and lent */
	unsigned	refused;	/* since the kernel last gave none; 0:
					 * it would */
};

/* Lend an empty pipe; false if there is none. */
bool pipe_pool_get(struct pipe_pool *, struct pipe_ends *ret);

/* Give it back, empty. */
void pipe_pool_put(struct pipe_pool *, struct pipe_ends *);

/* Close a pipe that may hold bytes nobody wants. */
void pipe_pool_drop(struct pipe_pool *, struct pipe_ends *);

/* Close all free ones. */
void pipe_pool_fini(struct pipe_pool *);

#endif
