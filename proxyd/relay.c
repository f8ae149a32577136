/* SPDX-License-Identifier: ISC */
#include "proxyd/relay.h"

#include <string.h>
#include <sys/socket.h>

#include "proxyd/http_watch.h"

static enum moved
move_by_copy(struct conn *c, struct flow *f, struct side *src,
    struct side *dst)
{
	struct worker *w = c->worker;
	/* Over budget nothing may be left in our hands: look, and then take
	 * only what was sent. */
	bool look = w->rest_octets >= WORKER_REST_BUDGET;
	size_t got, sent;

	got = flow_read(w, f, src, 0, WORKER_BUFFER_OCTETS,
	    look ? MSG_PEEK : 0);
	if (got == 0)
		return f->source_ended || src->readable ? MOVED : BLOCKED;
	if (f == &c->up)
		conn_settle(c);
	sent = flow_send(w, dst, w->buffer, got, f->source_ended);
	f->octets += sent;
	if (look && sent > 0)
		(void)!recv(side_fd(src), w->buffer, sent, MSG_TRUNC);
	if (!look && !dst->broken &&
	    !flow_keep(w, f, w->buffer + sent, got - sent, NULL, 0))
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
		      flow_read(w, f, &c->client, held,
			  tight ? HTTP_TIGHT_OCTETS : WORKER_BUFFER_OCTETS, 0);
	if (got == 0 && !again)
		return f->source_ended || c->client.readable ? MOVED :
							       BLOCKED;
	if (held > 0)
		memcpy(w->buffer, f->rest + f->rest_at, held);
	flow_drop_rest(w, f);
	passed = http_watch_requests(c, w->buffer, held + got);
	if (passed.len > 0)
		conn_settle(c);
	sent = flow_send(w, &c->vm, passed.bytes, passed.len, false);
	f->octets += sent;
	held = c->http->stopped != CLOSE_NONE ? 0 : held + got - passed.taken;
	if (!c->vm.broken &&
	    !flow_keep(w, f, passed.bytes + sent, passed.len - sent,
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

	got = flow_read(w, f, &c->vm, 0,
	    tight ? HTTP_TIGHT_OCTETS : WORKER_BUFFER_OCTETS, 0);
	if (got == 0)
		return f->source_ended || c->vm.readable ? MOVED : BLOCKED;
	http_watch_answers(c->http, w->buffer, got);
	sent = flow_send(w, &c->client, w->buffer, got, f->source_ended);
	f->octets += sent;
	if (!c->client.broken &&
	    !flow_keep(w, f, w->buffer + sent, got - sent, NULL, 0))
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
	enum moved moved = flow_fill_pipe(c->worker, f, src, most);

	if (f->in_pipe > 0)
		moved_blindly(c, f, f->in_pipe);
	return moved;		/* the next step empties the pipe */
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
	if (f->rest_len > 0 || f->in_pipe > 0)
		return dst->writable ? flow_flush(w, f, dst) : BLOCKED;
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

/* All that can be delivered has been. */
static bool
delivered(const struct conn *c, const struct flow *f, const struct side *dst)
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

	while (moved == MOVED && !delivered(c, f, dst) &&
	    f->octets - before < RELAY_TURN_OCTETS)
		moved = move_some(c, f, src, dst);
	turn->moved |= f->octets != before;
	turn->again |= moved == MOVED && !delivered(c, f, dst);
	turn->no_memory |= moved == NO_MEMORY;
}

static void
pass_end(const struct conn *c, struct flow *f, const struct side *src,
    const struct side *dst, bool hold_fin)
{
	if (f->ended || !delivered(c, f, dst))
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
