/* SPDX-License-Identifier: ISC */
#include "tests/lib/guard_run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static size_t
least(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

/* An exact-size heap copy, so that a sanitizer sees reads beyond its end. */
static uint8_t *
copy_of(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert(copy != NULL);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

static bool
is_ours(const struct peek *peek)
{
	return peek->verdict == PEEK_NAME &&
	    strcmp(peek->name, "a.example") == 0;
}

void
guard_run_init(struct guard_run *run, const uint8_t *client, bool splices)
{
	memset(run, 0, sizeof(*run));
	run->client = client;
	run->refused = SIZE_MAX;
	run->splices = splices;
}

static void
stop(struct guard_run *run, enum close_reason reason)
{
	run->stopped = reason;
	run->refused = run->passed;
}

/* The connection's first head. */
static void
begin(struct guard_run *run)
{
	uint8_t *bytes = copy_of(run->client, run->offered);
	struct peek_http scan = { 0 };
	struct peek peek = peek_http(&scan, bytes, run->offered,
	    GUARD_RUN_HEAD_MAX);
	enum close_reason reason;

	if (peek.verdict == PEEK_REFUSE) {
		stop(run, peek.reason);
	} else if (peek.verdict != PEEK_MORE && !is_ours(&peek)) {
		stop(run, CLOSE_HTTP_MISDIRECTED);
	} else if (peek.verdict != PEEK_MORE) {
		reason = http_guard_begin(&run->guard, bytes, scan.scanned);
		if (reason != CLOSE_NONE) {
			stop(run, reason);
		} else {
			run->passed = scan.scanned;
			run->n_heads = 1;
			run->begun = true;
		}
	}
	free(bytes);
}

static void
check(const struct guard_run *run, const struct guard_request *request,
    size_t len)
{
	assert(request->pass <= len);
	assert((request->verdict == GUARD_STOP) ==
	    (request->reason != CLOSE_NONE));
	assert(request->verdict == GUARD_PASS || !request->in_head);
	assert(request->verdict == GUARD_HEAD || request->head_len == 0);
	assert(!run->guard.transparent || request->pass == len);
	switch (request->verdict) {
	case GUARD_PASS:
		assert(!request->in_head || request->pass < len);
		assert(len - request->pass < GUARD_RUN_HEAD_MAX);
		break;
	case GUARD_HEAD:
		assert(request->head_len > 0 &&
		    request->head_len <= GUARD_RUN_HEAD_MAX &&
		    request->head_len <= len - request->pass);
		assert(request->peek.verdict == PEEK_NAME ||
		    request->peek.verdict == PEEK_NAMELESS);
		break;
	case GUARD_WAIT:
		assert(request->pass < len);
		break;
	case GUARD_STOP:
		assert(request->peek.verdict == PEEK_REFUSE &&
		    request->peek.reason == request->reason);
		break;
	}
}

/* One call; true if there may be more to say. */
static bool
look(struct guard_run *run)
{
	size_t len = run->offered - run->passed;
	uint8_t *bytes = copy_of(run->client + run->passed, len);
	struct guard_request request = http_guard_request(&run->guard, bytes,
	    len, GUARD_RUN_HEAD_MAX);

	free(bytes);
	check(run, &request, len);
	run->passed += request.pass;
	run->in_head = request.in_head;
	run->waits = request.verdict == GUARD_WAIT;
	if (request.verdict == GUARD_STOP)
		stop(run, request.reason);
	if (request.verdict != GUARD_HEAD)
		return false;
	if (!is_ours(&request.peek)) {
		http_guard_stop(&run->guard, CLOSE_HTTP_MISDIRECTED);
		return true;
	}
	http_guard_accept(&run->guard);
	run->passed += request.head_len;
	run->n_heads++;
	return true;
}

static void
pump(struct guard_run *run)
{
	size_t n;

	if (!run->begun && run->stopped == CLOSE_NONE)
		begin(run);
	while (run->begun && run->stopped == CLOSE_NONE) {
		if (run->splices) {
			n = least(http_guard_request_body(&run->guard),
			    run->offered - run->passed);
			http_guard_request_moved(&run->guard, n);
			run->passed += n;
		}
		if (!look(run))
			break;
	}
	assert(run->stopped == CLOSE_NONE || run->passed == run->refused);
}

void
guard_run_client(struct guard_run *run, size_t n, size_t piece)
{
	size_t now;

	for (; n > 0; n -= now) {
		now = least(n, piece);
		run->offered += now;
		pump(run);
	}
}

void
guard_run_vm(struct guard_run *run, const uint8_t *bytes, size_t len,
    size_t piece)
{
	size_t now, n;
	uint8_t *copy;

	if (!run->begun)
		return;
	for (; len > 0; len -= now, bytes += now) {
		now = least(len, piece);
		n = run->splices ? least(now,
		    http_guard_response_body(&run->guard)) : 0;
		http_guard_response_moved(&run->guard, n);
		copy = copy_of(bytes + n, now - n);
		http_guard_response(&run->guard, copy, now - n);
		free(copy);
	}
	pump(run);
}

struct guard_outcome
guard_run_outcome(const struct guard_run *run)
{
	return (struct guard_outcome) {
		.passed = run->passed,
		.n_heads = run->n_heads,
		.stopped = run->stopped,
		.in_head = run->in_head,
		.waits = run->waits,
		.transparent = run->guard.transparent,
		.idle = run->begun && http_guard_idle(&run->guard),
		.answered = run->begun && http_guard_answered(&run->guard)
	};
}

bool
guard_outcome_equal(const struct guard_outcome *a,
    const struct guard_outcome *b)
{
	return a->passed == b->passed && a->n_heads == b->n_heads &&
	    a->stopped == b->stopped && a->in_head == b->in_head &&
	    a->waits == b->waits && a->transparent == b->transparent &&
	    a->idle == b->idle && a->answered == b->answered;
}
