/* SPDX-License-Identifier: ISC */
/*
 * peek_http.h - the host that an HTTP/1 request head names.
 *
 * RFC 9112 (message syntax), RFC 9110 (Host, authority) and RFC 3986 (host
 * grammar) decide; where they let a recipient be lenient and another
 * recipient might read the same bytes differently, the request is refused.
 * Pure.
 */
#ifndef PROXYD_PEEK_HTTP_H
#define PROXYD_PEEK_HTTP_H

#include "proxyd/peek.h"

/* Where the scan of a head stands; all zero to begin.  Offsets into it. */
struct peek_http {
	uint32_t	scanned;	/* octets looked at; once NAME or
					 * NAMELESS, the length of the head */
	uint32_t	part;		/* where the unfinished part begins:
					 * method, target, version, name or
					 * value of a field */
	uint32_t	host, host_len;	/* Host's value; host 0: none yet */
	uint32_t	target_host, target_host_len;	/* of absolute-form */
	uint16_t	target_port;	/* default of the target's scheme */
	uint8_t		state;		/* private to peek_http.c */
	uint8_t		method;		/* private to peek_http.c */
	uint8_t		minor;		/* HTTP/1.minor */
	bool		after_cr;	/* only LF may follow */
	enum close_reason refused;	/* NONE: not yet */
};

/*
 * `bytes[len]` is the connection's beginning; it only ever grows between
 * calls with one scan.  `max` is the longest head accepted, in octets
 * (leading empty lines and the final one included): a head not complete
 * within it is HTTP_HEAD_TOO_LONG.  What follows the head is not looked at.
 * A refusal comes with the first octet that earns it, and is repeated if it
 * is asked for again.  len and max are at most 2^31.
 */
struct peek peek_http(struct peek_http *scan, const uint8_t *bytes,
    size_t len, size_t max);

#endif
