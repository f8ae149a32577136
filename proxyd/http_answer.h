/* SPDX-License-Identifier: ISC */
/*
 * http_answer.h - a response head, octet by octet: its status and how its
 * body ends (RFC 9112 4, 5, 6.3).
 *
 * Nothing is kept but what decides that.  It is as lenient as RFC 9112 2.2
 * lets a recipient be (lines may end with LF alone): the answer has the
 * client's own VM as its origin, and what is not understood only ends the
 * connection's use.  Pure; a plain value, all zero to begin.
 */
#ifndef PROXYD_HTTP_ANSWER_H
#define PROXYD_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_ANSWER_HEAD_MAX = 65536 };	/* octets */

enum http_answer_end {
	HTTP_ANSWER_OPEN,	/* more of the head is to come */
	HTTP_ANSWER_WHOLE,	/* what was taken ends the head */
	HTTP_ANSWER_BAD		/* it is no head, or too long */
};

enum http_answer_body {
	HTTP_BODY_NONE,
	HTTP_BODY_LENGTH,	/* `length` octets */
	HTTP_BODY_CHUNKED,
	HTTP_BODY_UNTIL_CLOSE	/* or not to be trusted */
};

struct http_answer {	/* private but for `status` and `length` */
	uint64_t	length;		/* of Content-Length, if has_length */
	uint64_t	value;		/* of the one under way */
	uint32_t	octets;		/* of the head */
	uint16_t	status;		/* of three digits, once WHOLE */
	uint8_t		state;
	uint8_t		at;		/* octets of the word under way */
	uint8_t		word;		/* how it compares, see the .c */
	bool		after_cr;	/* only LF may follow */
	bool		http_1_0;
	bool		has_length, bad_length;
	bool		has_coding;	/* Transfer-Encoding */
	bool		chunked;	/* it is the last one so far */
	bool		bad_coding;	/* chunked is not last, or twice */
};

/* Take octets of the head; returns how many of the `len` belong to it. */
size_t http_answer_take(struct http_answer *, const uint8_t *bytes,
    size_t len);

enum http_answer_end http_answer_end(const struct http_answer *);

/* Of a WHOLE one, which answers HEAD or not.  RFC 9112 6.3. */
enum http_answer_body http_answer_body(const struct http_answer *,
    bool to_head);

#endif
