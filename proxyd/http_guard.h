/* SPDX-License-Identifier: ISC */
/*
 * http_guard.h - where one HTTP/1 request ends and the next begins, and how
 * many answers are owed.
 *
 * Give it every octet of a connection in both directions, as they come.  It
 * frames requests (RFC 9112 6), so that each later head can be judged before
 * one octet of it reaches the VM, and responses, so that it is known when all
 * answers have been given.  Whatever two recipients could frame differently
 * ends inspection safely: nothing more of it reaches the VM.
 *
 * After a 101 that was *received* only bytes move: `transparent`.
 * A connection begins with its first request head, which peek_http.h judged.
 * Pure; a plain value of fixed size (at most 192 octets) that owns nothing.
 */
#ifndef PROXYD_HTTP_GUARD_H
#define PROXYD_HTTP_GUARD_H

#include "proxyd/http_answer.h"
#include "proxyd/http_chunked.h"
#include "proxyd/http_framing.h"
#include "proxyd/peek_http.h"

enum { HTTP_GUARD_OUTSTANDING_MAX = 32 };	/* requests without an answer */

struct http_guard;	/* defined below: embed it, do not look inside but
			 * for `transparent` */

enum guard_verdict {
	GUARD_PASS,	/* the first `pass` octets may go to the VM; come back
			 * with what follows them, and with more */
	GUARD_HEAD,	/* after `pass` octets stands a whole, well-formed
			 * head of `head_len` octets: judge `peek`, then call
			 * http_guard_accept or http_guard_stop */
	GUARD_WAIT,	/* after `pass` octets no request is taken until an
			 * answer has been given: 32 are outstanding */
	GUARD_STOP	/* after `pass` octets nothing may follow, for
			 * `reason`; so it is for good, and a 101 that comes
			 * later does not make the connection transparent */
};

struct guard_request {
	enum guard_verdict verdict;
	enum close_reason reason;	/* STOP, else NONE */
	bool		in_head;	/* PASS: what follows `pass` is the
					 * beginning of a head, more than empty
					 * lines: a deadline runs */
	size_t		pass;		/* what follows is to be held; it is
					 * `len` unless a head begins */
	size_t		head_len;	/* HEAD, else 0 */
	struct peek	peek;		/* HEAD: NAME or NAMELESS; STOP:
					 * REFUSE, `reason` and head_method */
};

/*
 * Begin with the connection's first head, `head[len]`, leading empty lines
 * included, which peek_http has found to be good.  Returns CLOSE_NONE, or
 * why its body cannot be framed (HTTP_BODY_FRAMING): it must not be
 * forwarded, and the guard has stopped.
 */
enum close_reason http_guard_begin(struct http_guard *, const uint8_t *head,
    size_t len);

/*
 * Client to VM: `bytes[len]` begins where the last call's `pass` (plus an
 * accepted head) ended.  `max` is the longest head accepted.
 */
struct guard_request http_guard_request(struct http_guard *,
    const uint8_t *bytes, size_t len, size_t max);

/* The head that GUARD_HEAD showed may go to the VM: all `head_len` octets. */
void http_guard_accept(struct http_guard *);

/*
 * It may not: nothing more goes to the VM.  May be called at any other time
 * as well, but a transparent connection stays so.
 */
void http_guard_stop(struct http_guard *, enum close_reason);

/*
 * VM to client: look at `bytes[len]`, all of which may go to the client.
 * What cannot be framed, and what ends when the VM closes, is passed on
 * until it does; it never counts as answered, and no further request is
 * taken: http_guard_request says STOP, HTTP_ANSWER where the next one begins.
 */
void http_guard_response(struct http_guard *, const uint8_t *bytes,
    size_t len);

/*
 * Octets that surely belong to the body under way in a direction, so that
 * they may be moved unseen (spliced), and having moved n of them.  Without
 * bound (UINT64_MAX) once transparent, and for a response until close.
 */
uint64_t http_guard_request_body(const struct http_guard *);
void http_guard_request_moved(struct http_guard *, uint64_t n);
uint64_t http_guard_response_body(const struct http_guard *);
void http_guard_response_moved(struct http_guard *, uint64_t n);

/*
 * True if every request so far has been answered whole, and the request
 * stream is between two messages too (but for empty lines that may have been
 * held): the connection is idle.  Not once stopped or transparent.
 */
bool http_guard_idle(const struct http_guard *);

/*
 * True if every request passed on so far has been answered whole; false as
 * long as the answer under way cannot be framed, and once transparent.  A
 * request that was stopped in its body is owed no answer, unless that has
 * begun.
 */
bool http_guard_answered(const struct http_guard *);

/* True if the last request that went to the VM went there whole. */
bool http_guard_between_requests(const struct http_guard *);

/* --- private to http_guard.c --------------------------------------------- */

struct http_guard {
	bool		transparent;	/* public: only bytes move now */
	bool		stop_head_method;	/* of the head refused */
	bool		cut_short;	/* stopped in a request's body */
	uint8_t		stop_reason;
	uint8_t		request_state, response_state;
	uint8_t		n_outstanding;
	uint32_t	heads;		/* bit i: the i-th oldest outstanding
					 * request was HEAD */
	uint32_t	upgrades;	/* bit i: it asked for an upgrade */
	uint64_t	request_left, response_left;	/* of Content-Length */
	struct http_chunked request_chunked, response_chunked;
	struct http_answer answer;	/* the response head under way */
	struct peek_http scan;		/* the request head under way */
	struct http_framing shown;	/* of the head shown */
};

#endif
