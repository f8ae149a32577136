/* SPDX-License-Identifier: ISC */
/*
 * http_framing.h - what a request head says about its body and its answer.
 *
 * RFC 9112 6.1 to 6.3 decide, without their leniencies: a Content-Length is
 * one value of digits, a Transfer-Encoding is "chunked" in HTTP/1.1, and
 * there is at most one of the two.  Everything else has been read differently
 * by two recipients somewhere.  Pure.
 */
#ifndef PROXYD_HTTP_FRAMING_H
#define PROXYD_HTTP_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_framing {
	bool		bad;		/* none of the rest may be used */
	bool		chunked;
	bool		head_method;	/* the answer has no body */
	bool		upgrade;	/* 101 may answer (RFC 9110 7.8) */
	uint64_t	length;		/* of the body, unless chunked */
};

/*
 * `head[len]` is a whole request head that peek_http has found well-formed,
 * leading empty lines and the final one included.
 */
struct http_framing http_framing_read(const uint8_t *head, size_t len);

#endif
