/* SPDX-License-Identifier: ISC */
/*
 * peek_tls.h - the host that a TLS ClientHello names (SNI, RFC 6066 3).
 *
 * First only record and handshake lengths are looked at, until the hello is
 * whole (it may span any number of records, RFC 8446 5.1); then client_hello.h
 * asks OpenSSL once.  Pure.
 */
#ifndef PROXYD_PEEK_TLS_H
#define PROXYD_PEEK_TLS_H

#include "proxyd/peek.h"

/* Where the walk over records stands; all zero to begin. */
struct peek_tls {
	uint32_t	record;		/* where the next record begins */
	uint32_t	hello;		/* handshake octets in records before */
	uint32_t	hello_len;	/* octets of the handshake message,
					 * header included; 0: not known yet */
	uint8_t		header[4];	/* handshake header as far as seen */
};

/*
 * `bytes[len]` is the connection's beginning; it only ever grows between
 * calls with one scan.  A hello not complete within `max` octets on the wire
 * is TLS_HELLO_TOO_LONG, as soon as that is certain.  Octets after the hello
 * in its last record are refused (RFC 8446 5.1); records that follow are not
 * looked at.  `alert` is 0 where nothing should be said: what is not TLS.
 * max is at most 2^31.
 */
struct peek peek_tls(struct peek_tls *scan, const uint8_t *bytes, size_t len,
    size_t max);

#endif
