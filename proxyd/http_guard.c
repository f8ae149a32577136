/* SPDX-License-Identifier: ISC */
#include "proxyd/http_guard.h"

#include <assert.h>
#include <string.h>

_Static_assert(sizeof(struct http_guard) <= 192, "see http_guard.h");

enum request_state {
	BETWEEN = 0,	/* nothing of a head yet but empty lines */
	IN_HEAD,
	SHOWN,		/* a head was shown and is not yet accepted */
	IN_LENGTH,
	IN_CHUNKED,
	STOPPED
};

enum response_state {
	ANSWER_HEAD = 0,	/* at its first octet, or inside */
	ANSWER_LENGTH,
	ANSWER_CHUNKED,
	ANSWER_UNTIL_CLOSE	/* or not to be framed */
};

/* An accepted request goes on to its body, and an answer is owed. */
static void
request_begin(struct http_guard *guard, const struct http_framing *framing)
{
	uint32_t bit = (uint32_t)1 << guard->n_outstanding;

	assert(guard->n_outstanding < HTTP_GUARD_OUTSTANDING_MAX);
	if (framing->head_method)
		guard->heads |= bit;
	if (framing->upgrade)
		guard->upgrades |= bit;
	guard->n_outstanding++;
	guard->request_left = framing->length;
	guard->request_chunked = (struct http_chunked) { 0 };
	guard->scan = (struct peek_http) { 0 };
	guard->request_state = framing->chunked ? IN_CHUNKED :
	    framing->length > 0 ? IN_LENGTH : BETWEEN;
}

enum close_reason
http_guard_begin(struct http_guard *guard, const uint8_t *head, size_t len)
{
	struct http_framing framing = http_framing_read(head, len);

	memset(guard, 0, sizeof(*guard));
	if (framing.bad) {
		guard->stop_head_method = framing.head_method;
		http_guard_stop(guard, CLOSE_HTTP_BODY_FRAMING);
		return CLOSE_HTTP_BODY_FRAMING;
	}
	request_begin(guard, &framing);
	return CLOSE_NONE;
}

static struct guard_request
stopped(const struct http_guard *guard, size_t pass)
{
	enum close_reason reason = (enum close_reason)guard->stop_reason;

	return (struct guard_request) {
		.verdict = GUARD_STOP,
		.reason = reason,
		.pass = pass,
		.peek = {
			.verdict = PEEK_REFUSE,
			.reason = reason,
			.head_method = guard->stop_head_method
		}
	};
}

static struct guard_request
stop(struct http_guard *guard, size_t pass, enum close_reason reason,
    bool head_method)
{
	guard->stop_head_method = head_method;
	http_guard_stop(guard, reason);
	return stopped(guard, pass);
}

/* A well-formed head stands at `head`, `pass` octets after the beginning. */
static struct guard_request
show(struct http_guard *guard, const uint8_t *head, size_t pass,
    const struct peek *peek)
{
	struct http_framing framing = http_framing_read(head,
	    guard->scan.scanned);

	if (framing.bad)
		return stop(guard, pass, CLOSE_HTTP_BODY_FRAMING,
		    framing.head_method);
	guard->request_state = SHOWN;
	guard->shown = framing;
	return (struct guard_request) {
		.verdict = GUARD_HEAD,
		.pass = pass,
		.head_len = guard->scan.scanned,
		.peek = *peek
	};
}

/* More than empty lines have been seen of a head that is not yet whole. */
static bool
has_begun(const struct peek_http *scan, const uint8_t *head)
{
	return scan->part > 0 || (scan->scanned > 0 && head[0] != '\r');
}

/* The head, or its beginning, in bytes[pass...len). */
static struct guard_request
look_at_head(struct http_guard *guard, const uint8_t *bytes, size_t pass,
    size_t len, size_t max)
{
	struct guard_request request = { .verdict = GUARD_PASS, .pass = pass };
	const uint8_t *head = bytes + pass;
	struct peek peek;

	if (guard->response_state == ANSWER_UNTIL_CLOSE)
		return stop(guard, pass, CLOSE_HTTP_ANSWER, false);
	if (guard->n_outstanding == HTTP_GUARD_OUTSTANDING_MAX) {
		request.verdict = GUARD_WAIT;
		return request;
	}
	peek = peek_http(&guard->scan, head, len - pass, max);
	switch (peek.verdict) {
	case PEEK_MORE:
		request.in_head = has_begun(&guard->scan, head);
		guard->request_state = request.in_head ? IN_HEAD : BETWEEN;
		break;
	case PEEK_REFUSE:
		return stop(guard, pass, peek.reason, peek.head_method);
	case PEEK_NAME:
	case PEEK_NAMELESS:
		return show(guard, head, pass, &peek);
	}
	return request;
}

/* How many of the octets belong to the body under way. */
static size_t
take_body(struct http_guard *guard, const uint8_t *bytes, size_t len)
{
	size_t n = 0;

	if (guard->request_state == IN_LENGTH) {
		n = len < guard->request_left ? len :
		    (size_t)guard->request_left;
		http_guard_request_moved(guard, n);
	} else if (guard->request_state == IN_CHUNKED) {
		n = http_chunked_take(&guard->request_chunked, bytes, len);
		if (http_chunked_end(&guard->request_chunked) ==
		    HTTP_CHUNKED_WHOLE)
			guard->request_state = BETWEEN;
	}
	return n;
}

struct guard_request
http_guard_request(struct http_guard *guard, const uint8_t *bytes, size_t len,
    size_t max)
{
	struct guard_request request = { .verdict = GUARD_PASS, .pass = len };
	size_t pass;

	if (guard->request_state == STOPPED)
		return stopped(guard, 0);
	if (guard->transparent)
		return request;
	pass = take_body(guard, bytes, len);
	if (guard->request_state == IN_CHUNKED &&
	    http_chunked_end(&guard->request_chunked) == HTTP_CHUNKED_BAD)
		return stop(guard, pass, CLOSE_HTTP_CHUNK, false);
	if (pass == len)
		return request;
	return look_at_head(guard, bytes, pass, len, max);
}

void
http_guard_accept(struct http_guard *guard)
{
	assert(guard->request_state == SHOWN);
	request_begin(guard, &guard->shown);
}

bool
http_guard_between_requests(const struct http_guard *guard)
{
	return guard->request_state != IN_LENGTH &&
	    guard->request_state != IN_CHUNKED;
}

void
http_guard_stop(struct http_guard *guard, enum close_reason reason)
{
	if (guard->transparent)
		return;
	if (guard->request_state == SHOWN)
		guard->stop_head_method = guard->shown.head_method;
	if (!http_guard_between_requests(guard))
		guard->cut_short = true;
	guard->request_state = STOPPED;
	guard->stop_reason = (uint8_t)reason;
}

/* The oldest outstanding request has been answered. */
static void
answer_done(struct http_guard *guard)
{
	guard->n_outstanding--;
	guard->heads >>= 1;
	guard->upgrades >>= 1;
	guard->response_state = ANSWER_HEAD;
}

/* RFC 9110 7.8, 15.2.2: the protocol changes if the client asked for it. */
static void
on_switching(struct http_guard *guard)
{
	if ((guard->upgrades & 1) != 0 && guard->request_state != STOPPED)
		guard->transparent = true;
	else
		guard->response_state = ANSWER_UNTIL_CLOSE;
}

static void
on_answer_head(struct http_guard *guard)
{
	struct http_answer answer = guard->answer;

	guard->answer = (struct http_answer) { 0 };
	if (answer.status == 101) {
		on_switching(guard);
		return;
	}
	if (answer.status < 200)
		return;		/* interim: RFC 9110 15.2 */
	switch (http_answer_body(&answer, (guard->heads & 1) != 0)) {
	case HTTP_BODY_NONE:
		answer_done(guard);
		break;
	case HTTP_BODY_LENGTH:
		guard->response_state = ANSWER_LENGTH;
		guard->response_left = answer.length;
		if (answer.length == 0)
			answer_done(guard);
		break;
	case HTTP_BODY_CHUNKED:
		guard->response_state = ANSWER_CHUNKED;
		guard->response_chunked = (struct http_chunked) { 0 };
		break;
	case HTTP_BODY_UNTIL_CLOSE:
		guard->response_state = ANSWER_UNTIL_CLOSE;
		break;
	}
}

/* One part of an answer; returns its octets, at least one of them. */
static size_t
take_answer_head(struct http_guard *guard, const uint8_t *bytes, size_t len)
{
	size_t n;

	if (guard->n_outstanding == 0) {	/* RFC 9112 9.2 */
		guard->response_state = ANSWER_UNTIL_CLOSE;
		return len;
	}
	n = http_answer_take(&guard->answer, bytes, len);
	switch (http_answer_end(&guard->answer)) {
	case HTTP_ANSWER_OPEN:
		break;
	case HTTP_ANSWER_WHOLE:
		on_answer_head(guard);
		break;
	case HTTP_ANSWER_BAD:
		guard->response_state = ANSWER_UNTIL_CLOSE;
		break;
	}
	return n;
}

static size_t
take_answer_chunked(struct http_guard *guard, const uint8_t *bytes, size_t len)
{
	size_t n = http_chunked_take(&guard->response_chunked, bytes, len);

	switch (http_chunked_end(&guard->response_chunked)) {
	case HTTP_CHUNKED_OPEN:
		break;
	case HTTP_CHUNKED_WHOLE:
		answer_done(guard);
		break;
	case HTTP_CHUNKED_BAD:
		guard->response_state = ANSWER_UNTIL_CLOSE;
		break;
	}
	return n;
}

void
http_guard_response(struct http_guard *guard, const uint8_t *bytes, size_t len)
{
	size_t at = 0, n;

	while (at < len && !guard->transparent) {
		switch ((enum response_state)guard->response_state) {
		case ANSWER_HEAD:
			at += take_answer_head(guard, bytes + at, len - at);
			break;
		case ANSWER_LENGTH:
			n = len - at < guard->response_left ? len - at :
			    (size_t)guard->response_left;
			http_guard_response_moved(guard, n);
			at += n;
			break;
		case ANSWER_CHUNKED:
			at += take_answer_chunked(guard, bytes + at, len - at);
			break;
		case ANSWER_UNTIL_CLOSE:
			return;
		}
	}
}

uint64_t
http_guard_request_body(const struct http_guard *guard)
{
	if (guard->transparent)
		return UINT64_MAX;
	return guard->request_state == IN_LENGTH ? guard->request_left :
	    guard->request_state == IN_CHUNKED ?
	    http_chunked_data(&guard->request_chunked) : 0;
}

void
http_guard_request_moved(struct http_guard *guard, uint64_t n)
{
	assert(n <= http_guard_request_body(guard));
	if (n == 0 || guard->transparent)
		return;
	if (guard->request_state == IN_CHUNKED) {
		http_chunked_skip(&guard->request_chunked, n);
		return;
	}
	guard->request_left -= n;
	if (guard->request_left == 0)
		guard->request_state = BETWEEN;
}

uint64_t
http_guard_response_body(const struct http_guard *guard)
{
	if (guard->transparent)
		return UINT64_MAX;
	switch ((enum response_state)guard->response_state) {
	case ANSWER_LENGTH:
		return guard->response_left;
	case ANSWER_CHUNKED:
		return http_chunked_data(&guard->response_chunked);
	case ANSWER_UNTIL_CLOSE:
		return UINT64_MAX;
	case ANSWER_HEAD:
		break;
	}
	return 0;
}

void
http_guard_response_moved(struct http_guard *guard, uint64_t n)
{
	assert(n <= http_guard_response_body(guard));
	if (n == 0 || guard->transparent)
		return;
	if (guard->response_state == ANSWER_CHUNKED)
		http_chunked_skip(&guard->response_chunked, n);
	if (guard->response_state != ANSWER_LENGTH)
		return;
	guard->response_left -= n;
	if (guard->response_left == 0)
		answer_done(guard);
}

bool
http_guard_idle(const struct http_guard *guard)
{
	return guard->request_state == BETWEEN &&
	    http_guard_answered(guard);
}

bool
http_guard_answered(const struct http_guard *guard)
{
	/* what a 101 answers stays outstanding */
	return guard->response_state == ANSWER_HEAD &&
	    (guard->n_outstanding == 0 ||
		(guard->cut_short && guard->n_outstanding == 1 &&
		    guard->answer.octets == 0));
}
