/* SPDX-License-Identifier: ISC */
#include "proxyd/relay.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "proxyd/http_watch.h"

enum moved {
	MOVED,		/* something was done: go on */
	BLOCKED,	/* wait for an event */
	NO_MEMORY
};

static void
drop_rest(struct worker *w, struct flow *f)
{
	if (f->rest == NULL)
		return;
	w->rest_octets -= f->rest_room;
	free(f->rest);
	f->rest = NULL;
	f->rest_len = f->held_len = f->rest_room = 0;
}

void
relay_flow_fini(struct worker *w, struct flow *f)
{
	drop_rest(w, f);
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

/* Send what an earlier turn could not. */
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
		drop_rest(w, f);
	return MOVED;
}

static enum moved
flush_pipe(struct worker *w, struct flow *f, struct side *dst)
{
	ssize_t n = splice(f->pipe.read_fd, NULL, side_fd(dst),
	    NULL, f->in_pipe, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n < 0)
		return send_failed(w, dst);
	f->octets += (uint64_t)n;
	f->in_pipe -= (uint32_t)n;
	if (f->in_pipe == 0)
		pipe_pool_put(&w->pipes, &f->pipe);
	return MOVED;
}

/* Keep what was read and could not be sent, and what may not be yet. */
static bool
keep_rest(struct worker *w, struct flow *f, const uint8_t *bytes,
    size_t unsent, const uint8_t *held_bytes, size_t held)
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

/*
 * Returns how many octets the socket took.  With `last` nothing but the FIN
 * comes behind them, and that at once, so that the kernel may wait for it and
 * send one packet instead of two.
 */
static size_t
send_some(struct worker *w, struct side *dst, const uint8_t *bytes,
    size_t len, bool last)
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

/* Read into the worker's buffer from `at` on, at most `room` octets and what
 * it has left; returns how much. */
static size_t
read_some(struct worker *w, struct flow *f, struct side *src, size_t at,
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

static enum moved
move_by_copy(struct conn *c, struct flow *f, struct side *src,
    struct side *dst)
{
	struct worker *w = c->worker;
	/* Over budget nothing may be left in our hands: look, and then take
	 * only what was sent. */
	bool look = w->rest_octets >= WORKER_REST_BUDGET;
	size_t got, sent;

	got = read_some(w, f, src, 0, WORKER_BUFFER_OCTETS,
	    look ? MSG_PEEK : 0);
	if (got == 0)
		return f->source_ended || src->readable ? MOVED : BLOCKED;
	if (f == &c->up)
		conn_settle(c);
	sent = send_some(w, dst, w->buffer, got, f->source_ended);
	f->octets += sent;
	if (look && sent > 0)
		(void)!recv(side_fd(src), w->buffer, sent, MSG_TRUNC);
	if (!look && !dst->broken &&
	    !keep_rest(w, f, w->buffer + sent, got - sent, NULL, 0))
		return NO_MEMORY;
	return MOVED;
}

/* --- directions of an HTTP connection, which the guard reads along ------- */

enum {
	SPLICE_BODY_MIN = 64 * 1024,	/* of a body, to be worth a splice */
	HTTP_TIGHT_OCTETS = 4096	/* a read when over budget */
};

static enum moved
move_requests(struct conn *c)
{
	struct worker *w = c->worker;
	struct flow *f = &c->up;
	size_t held = f->held_len, got, sent;
	struct http_passed passed;
	bool tight = w->rest_octets >= WORKER_REST_BUDGET, again;

	/* What is judged again must shrink before more is read, or a client
	 * that pipelines faster than it is answered makes us hold ever more. */
	again = f->judge_again;
	f->judge_again = false;
	got = again ? 0 :
		      read_some(w, f, &c->client, held,
			  tight ? HTTP_TIGHT_OCTETS : WORKER_BUFFER_OCTETS, 0);
	if (got == 0 && !again)
		return f->source_ended || c->client.readable ? MOVED :
							       BLOCKED;
	if (held > 0)
		memcpy(w->buffer, f->rest + f->rest_at, held);
	drop_rest(w, f);
	passed = http_watch_requests(c, w->buffer, held + got);
	if (passed.len > 0)
		conn_settle(c);
	sent = send_some(w, &c->vm, passed.bytes, passed.len, false);
	f->octets += sent;
	held = c->http->stopped != CLOSE_NONE ? 0 : held + got - passed.taken;
	if (!c->vm.broken &&
	    !keep_rest(w, f, passed.bytes + sent, passed.len - sent,
		w->buffer + passed.taken, held))
		return NO_MEMORY;
	return MOVED;
}

static enum moved
move_answers(struct conn *c)
{
	struct worker *w = c->worker;
	struct flow *f = &c->down;
	bool tight = w->rest_octets >= WORKER_REST_BUDGET;
	size_t got, sent;

	got = read_some(w, f, &c->vm, 0,
	    tight ? HTTP_TIGHT_OCTETS : WORKER_BUFFER_OCTETS, 0);
	if (got == 0)
		return f->source_ended || c->vm.readable ? MOVED : BLOCKED;
	http_watch_answers(c->http, w->buffer, got);
	sent = send_some(w, &c->client, w->buffer, got, f->source_ended);
	f->octets += sent;
	if (!c->client.broken &&
	    !keep_rest(w, f, w->buffer + sent, got - sent, NULL, 0))
		return NO_MEMORY;
	return MOVED;
}

/* How much of what comes next may be moved without a look at it. */
static uint64_t
blind_octets(const struct conn *c, const struct flow *f)
{
	if (!http_watch_active(c->http))
		return UINT64_MAX;
	if (f == &c->up)
		return f->held_len > 0 ? 0 :
		    http_guard_request_body(&c->http->guard);
	return http_guard_response_body(&c->http->guard);
}

static void
moved_blindly(struct conn *c, const struct flow *f, uint64_t n)
{
	if (!http_watch_active(c->http))
		return;
	if (f == &c->up)
		http_guard_request_moved(&c->http->guard, n);
	else
		http_guard_response_moved(&c->http->guard, n);
}

static enum moved
move_by_splice(struct conn *c, struct flow *f, struct side *src,
    uint64_t most)
{
	struct worker *w = c->worker;
	enum moved moved = MOVED;
	size_t len = most < f->pipe.octets ? (size_t)most : f->pipe.octets;
	ssize_t n;

	n = splice(side_fd(src), NULL, f->pipe.write_fd, NULL, len,
	    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n > 0) {
		f->in_pipe = (uint32_t)n;
		moved_blindly(c, f, (uint64_t)n);
		return MOVED;	/* the next step empties the pipe */
	}
	if (n < 0)
		moved = recv_failed(src);
	if (n == 0 || src->broken)
		source_ended(f, src);
	pipe_pool_put(&w->pipes, &f->pipe);
	return moved;
}

/* Nothing more of this direction is taken for now. */
static bool
held_up(const struct conn *c, const struct flow *f, const struct side *src)
{
	if (f != &c->up || !http_watch_active(c->http))
		return !src->readable;
	if (c->http->stopped != CLOSE_NONE)
		return true;
	if (f->judge_again)
		return false;
	return c->http->waiting || !src->readable;
}

static enum moved
move_some(struct conn *c, struct flow *f, struct side *src, struct side *dst)
{
	struct worker *w = c->worker;
	uint64_t blind;

	/* Since a 101 what was held is bytes like all others, and first. */
	if (f->held_len > 0 && !http_watch_active(c->http)) {
		f->rest_len += f->held_len;	/* it stands right behind */
		f->held_len = 0;
	}
	if (f->rest_len > 0)
		return dst->writable ? flush_rest(w, f, dst) : BLOCKED;
	if (f->in_pipe > 0)
		return dst->writable ? flush_pipe(w, f, dst) : BLOCKED;
	if (!dst->writable || held_up(c, f, src))
		return BLOCKED;
	blind = blind_octets(c, f);
	if (f->octets >= RELAY_SPLICE_AFTER && blind >= SPLICE_BODY_MIN &&
	    pipe_pool_get(&w->pipes, &f->pipe))
		return move_by_splice(c, f, src, blind);
	if (!http_watch_active(c->http))
		return move_by_copy(c, f, src, dst);
	return f == &c->up ? move_requests(c) : move_answers(c);
}

/* --- a turn --------------------------------------------------------------  */

/* True if requests are held that answers will make room for. */
static bool
requests_wait(const struct conn *c)
{
	return http_watch_active(c->http) &&
	    c->http->stopped == CLOSE_NONE &&
	    (c->http->waiting || c->up.judge_again);
}

/* True if all that can be delivered has been. */
static bool
flow_done(const struct conn *c, const struct flow *f, const struct side *dst)
{
	return dst->broken ||
	    (f->source_ended && f->rest_len == 0 && f->in_pipe == 0 &&
		(f->held_len == 0 || http_watch_active(c->http)) &&
		(f != &c->up || !requests_wait(c)));
}

static void
pump(struct conn *c, struct flow *f, struct side *src, struct side *dst,
    struct relay_turn *turn)
{
	uint64_t before = f->octets;
	enum moved moved = MOVED;

	while (moved == MOVED && !flow_done(c, f, dst) &&
	    f->octets - before < RELAY_TURN_OCTETS)
		moved = move_some(c, f, src, dst);
	turn->moved |= f->octets != before;
	turn->again |= moved == MOVED && !flow_done(c, f, dst);
	turn->no_memory |= moved == NO_MEMORY;
}

static void
pass_end(const struct conn *c, struct flow *f, const struct side *src,
    const struct side *dst, bool hold_fin)
{
	if (f->ended || !flow_done(c, f, dst))
		return;
	f->ended = true;
	/* When both have ended, closing says so. */
	if (!src->broken && !dst->broken && !hold_fin &&
	    !(c->up.ended && c->down.ended))
		shutdown(side_fd(dst), SHUT_WR);
}

/*
 * An answer may have made room for requests that wait, or a 101 may have
 * made the connection a plain one.
 */
static void
answers_seen(struct conn *c, struct relay_turn *turn)
{
	struct flow *f = &c->up;

	if (f->held_len > 0 && !http_watch_active(c->http)) {
		turn->again = true;
	} else if (c->http->waiting) {
		c->http->waiting = false;
		f->judge_again = true;
		turn->again = true;
	}
}

/*
 * A web server that sees its client's FIN may drop the answer it has begun,
 * so that an HTTP client's is not passed on but in the middle of a request:
 * the last answer's end ends the connection.
 */
static void
http_ends(struct conn *c, struct relay_turn *turn)
{
	bool nothing_left = http_watch_answered(c->http) &&
	    c->down.rest_len == 0 && c->down.in_pipe == 0;

	/* Nobody is left to answer what waits for an answer. */
	if (c->down.ended && c->http->waiting)
		c->up.ended = true;
	pass_end(c, &c->up, &c->client, &c->vm,
	    http_guard_between_requests(&c->http->guard));
	if (c->up.ended && nothing_left)
		c->down.ended = true;
	turn->turned_away = c->http->stopped != CLOSE_NONE &&
	    (nothing_left || c->down.ended);
}

struct relay_turn
relay_turn(struct conn *c)
{
	struct relay_turn turn = { 0 };
	uint64_t before = c->down.octets;

	pump(c, &c->up, &c->client, &c->vm, &turn);
	if (c->vm.broken)
		c->vm.readable = true;	/* it may have sent more before */
	pump(c, &c->down, &c->vm, &c->client, &turn);
	pass_end(c, &c->down, &c->vm, &c->client, false);
	if (c->http != NULL && c->down.octets != before)
		answers_seen(c, &turn);
	if (http_watch_active(c->http))
		http_ends(c, &turn);
	else
		pass_end(c, &c->up, &c->client, &c->vm, false);
	return turn;
}
