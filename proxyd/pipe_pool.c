/* SPDX-License-Identifier: ISC */
#include "proxyd/pipe_pool.h"

#include <fcntl.h>
#include <unistd.h>

static bool
make_pipe(struct pipe_ends *ret)
{
	int fds[2], octets;

	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0)
		return false;
	octets = fcntl(fds[1], F_SETPIPE_SZ, PIPE_POOL_OCTETS);
	if (octets < 0)
		octets = fcntl(fds[1], F_SETPIPE_SZ, PIPE_POOL_OCTETS_MIN);
	if (octets < PIPE_POOL_OCTETS_MIN) {
		close(fds[0]);
		close(fds[1]);
		return false;
	}
	ret->read_fd = fds[0];
	ret->write_fd = fds[1];
	ret->octets = (uint32_t)octets;
	return true;
}

bool
pipe_pool_get(struct pipe_pool *pool, struct pipe_ends *ret)
{
	if (pool->n_free > 0) {
		*ret = pool->free[--pool->n_free];
		return true;
	}
	if (pool->n_made == PIPE_POOL_MAX)
		return false;
	if (pool->refused % PIPE_POOL_RETRY != 0 || !make_pipe(ret)) {
		pool->refused++;
		return false;
	}
	pool->refused = 0;
	pool->n_made++;
	return true;
}

void
pipe_pool_put(struct pipe_pool *pool, struct pipe_ends *pipe)
{
	pool->free[pool->n_free++] = *pipe;
	pipe->read_fd = pipe->write_fd = -1;
}

void
pipe_pool_drop(struct pipe_pool *pool, struct pipe_ends *pipe)
{
	close(pipe->read_fd);
	close(pipe->write_fd);
	pipe->read_fd = pipe->write_fd = -1;
	pool->n_made--;
	pool->refused = 0;
}

void
pipe_pool_fini(struct pipe_pool *pool)
{
	while (pool->n_free > 0)
		pipe_pool_drop(pool, &pool->free[--pool->n_free]);
}
