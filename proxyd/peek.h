/* SPDX-License-Identifier: ISC */
/*
 * peek.h - what the first bytes of a connection say about its host.
 *
 * Each protocol has its peek: give it all bytes seen so far, again and again
 * as more arrive, with the same scan state; it never reads a byte twice for
 * long, so a client that sends one byte at a time costs linear work.
 * Pure.
 */
#ifndef PROXYD_PEEK_H
#define PROXYD_PEEK_H

#include "common/hostname.h"
#include "proxyd/close_reasons.h"

enum peek_verdict {
	PEEK_MORE,	/* undecided: come back with more bytes */
	PEEK_NAME,	/* `name` is the host */
	PEEK_NAMELESS,	/* well-formed, but names no host: a default target
			 * may take it; `reason` says why if there is none */
	PEEK_REFUSE	/* `reason` says why */
};

enum { PEEK_ALPN_MAX = 32 };	/* octets of a protocol id that is kept */

struct peek {
	enum peek_verdict verdict;
	enum close_reason reason;	/* NAMELESS and REFUSE, else NONE */
	uint8_t		alert;		/* TLS REFUSE and NAMELESS: the alert
					 * to answer (RFC 8446 6) */
	bool		head_method;	/* HTTP: a HEAD request; its refusal
					 * has no body */
	uint8_t		alpn_len;	/* TLS, not REFUSE: of the first protocol
					 * id that the client offers (RFC 7301
					 * 3.1); 0: none, or too long */
	uint8_t		alpn[PEEK_ALPN_MAX];
	size_t		name_len;	/* NAME */
	char		name[HOSTNAME_MAX + 1];	/* normalised, NUL-ended */
};

#endif
