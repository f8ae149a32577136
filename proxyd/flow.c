/* SPDX-License-Identifier: ISC */
#include "proxyd/flow.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void
flow_drop_rest(struct worker *w, struct flow *f)
{
	if (f->rest == NULL)
		return;
	w->rest_octets -= f->rest_room;
	free(f->rest);
	f->rest = NULL;
	f->rest_len = f->held_len = f->rest_room = 0;
}

void
flow_fini(struct worker *w, struct flow *f)
{
	flow_drop_rest(w, f);
	if (f->in_pipe > 0) {
		pipe_pool_drop(&w->pipes, &f->pipe);
		f->in_pipe = 0;
	}
}

/* What a failed send or recv means. */
static enum moved
send_failed(struct worker *w, struct side *side)
{
	if (errno == EAGAIN) {
		side_full(side, &w->loop);
		return BLOCKED;
	}
	if (errno != EINTR)
		side->broken = true;
	return MOVED;
}

static enum moved
recv_failed(struct side *side)
{
	if (errno == EAGAIN) {
		side->readable = false;
		return BLOCKED;
	}
	if (errno != EINTR)
		side->broken = true;
	return MOVED;
}

static void
source_ended(struct flow *f, struct side *src)
{
	f->source_ended = true;
	src->readable = false;
}

static enum moved
flush_rest(struct worker *w, struct flow *f, struct side *dst)
{
	ssize_t n = send(side_fd(dst), f->rest + f->rest_at,
	    f->rest_len, MSG_NOSIGNAL);

	if (n < 0)
		return send_failed(w, dst);
	f->octets += (uint64_t)n;
	f->rest_at += (uint32_t)n;
	f->rest_len -= (uint32_t)n;
	if (f->rest_len == 0 && f->held_len == 0)
		flow_drop_rest(w, f);
	return MOVED;
}

static enum moved
flush_pipe(struct worker *w, struct flow *f, struct side *dst)
{
	ssize_t n = splice(f->pipe.read_fd, NULL, side_fd(dst), NULL,
	    f->in_pipe, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n < 0)
		return send_failed(w, dst);
	f->octets += (uint64_t)n;
	f->in_pipe -= (uint32_t)n;
	if (f->in_pipe == 0)
		pipe_pool_put(&w->pipes, &f->pipe);
	return MOVED;
}

enum moved
flow_flush(struct worker *w, struct flow *f, struct side *dst)
{
	return f->rest_len > 0 ? flush_rest(w, f, dst) : flush_pipe(w, f, dst);
}

enum moved
flow_fill_pipe(struct worker *w, struct flow *f, struct side *src,
    uint64_t most)
{
	enum moved moved = MOVED;
	size_t len = most < f->pipe.octets ? (size_t)most : f->pipe.octets;
	ssize_t n;

	n = splice(side_fd(src), NULL, f->pipe.write_fd, NULL, len,
	    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n > 0) {
		f->in_pipe = (uint32_t)n;
		return MOVED;
	}
	if (n < 0)
		moved = recv_failed(src);
	if (n == 0 || src->broken)
		source_ended(f, src);
	pipe_pool_put(&w->pipes, &f->pipe);
	return moved;
}

bool
flow_keep(struct worker *w, struct flow *f, const uint8_t *bytes, size_t unsent,
    const uint8_t *held_bytes, size_t held)
{
	assert(f->rest == NULL);
	if (unsent + held == 0)
		return true;
	f->rest = malloc(unsent + held);
	if (f->rest == NULL)
		return false;
	memcpy(f->rest, bytes, unsent);
	if (held > 0)
		memcpy(f->rest + unsent, held_bytes, held);
	f->rest_at = 0;
	f->rest_len = (uint32_t)unsent;
	f->held_len = (uint32_t)held;
	f->rest_room = (uint32_t)(unsent + held);
	w->rest_octets += f->rest_room;
	return true;
}

size_t
flow_send(struct worker *w, struct side *dst, const uint8_t *bytes, size_t len,
    bool last)
{
	ssize_t n;

	if (len == 0)
		return 0;
	n = send(side_fd(dst), bytes, len,
	    MSG_NOSIGNAL | (last ? MSG_MORE : 0));
	if (n < 0) {
		send_failed(w, dst);
		return 0;
	}
	if ((size_t)n < len)
		side_full(dst, &w->loop);
	return (size_t)n;
}

size_t
flow_read(struct worker *w, struct flow *f, struct side *src, size_t at,
    size_t room, int flags)
{
	ssize_t n;

	if (room > WORKER_BUFFER_OCTETS - at)
		room = WORKER_BUFFER_OCTETS - at;
	if (!src->readable || room == 0)
		return 0;	/* and a recv of nothing looks like the end */
	n = recv(side_fd(src), w->buffer + at, room, flags);
	if (n > 0) {
		if ((flags & MSG_PEEK) == 0 &&
		    side_received(src, room, (size_t)n))
			source_ended(f, src);
		return (size_t)n;
	}
	if (n < 0)
		recv_failed(src);
	if (n == 0 || src->broken)
		source_ended(f, src);
	return 0;
}
