/* SPDX-License-Identifier: ISC */
/*
 * http_chunked.h - where a chunked body ends (RFC 9112 7.1).
 *
 * Sizes have 1 to 16 hexadecimal digits and are at most 2^62; lines end with
 * CRLF and nothing else; extensions and trailer fields must be well-formed.
 * Whatever else a recipient might let pass is BAD, since another might read
 * it differently.  Pure; a plain value, all zero to begin.
 */
#ifndef PROXYD_HTTP_CHUNKED_H
#define PROXYD_HTTP_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_CHUNK_LINES_MAX = 8192	/* octets of one chunk's size and
					 * extensions, or of all trailers */
};

/* The largest Content-Length or chunk that is taken seriously. */
#define HTTP_LENGTH_MAX ((uint64_t)1 << 62)

enum http_chunked_end {
	HTTP_CHUNKED_OPEN,	/* more is to come */
	HTTP_CHUNKED_WHOLE,	/* what was taken ends the body */
	HTTP_CHUNKED_BAD	/* the octet after those taken is wrong */
};

struct http_chunked {
	uint64_t	size;		/* of the chunk; then what is left */
	uint16_t	octets;		/* of its line, or of the trailers */
	uint8_t		digits;		/* of the size so far */
	uint8_t		state;		/* private to http_chunked.c */
};

/* Take octets of the body; returns how many of the `len` belong to it. */
size_t http_chunked_take(struct http_chunked *, const uint8_t *bytes,
    size_t len);

enum http_chunked_end http_chunked_end(const struct http_chunked *);

/* Octets of chunk data that come next; 0 outside of it. */
uint64_t http_chunked_data(const struct http_chunked *);

/* n of them, at most, have passed unseen. */
void http_chunked_skip(struct http_chunked *, uint64_t n);

#endif
