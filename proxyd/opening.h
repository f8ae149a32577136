/* SPDX-License-Identifier: ISC */
/*
 * opening.h - what a connection needs only until its relay begins: the
 * client's first bytes, what they were seen to say, and the targets to try.
 */
#ifndef PROXYD_OPENING_H
#define PROXYD_OPENING_H

#include "proxyd/dial_plan.h"
#include "proxyd/peek_http.h"
#include "proxyd/peek_tls.h"
#include "proxyd/proxy_header.h"
#include "proxyd/settings.h"
#include "proxyd/side.h"

struct opening {
	union {
		struct peek_http http;
		struct peek_tls	 tls;
	} scan;
	struct dial_plan plan;
	bool		expect_proxy;	/* a PROXY header is to come first */
	enum proxy_fault proxy_fault;	/* what is wrong with it */
	bool		relayed;	/* it told who the client is, and */
	struct endpoint	destination;	/* what that connected to */
	uint32_t	len, room;
	uint8_t		*bytes;		/* owned; the client's first bytes */
	uint8_t		alpn_len;	/* as the peek has it */
	uint8_t		alpn[PEEK_ALPN_MAX];
};

enum opening_result {
	OPENING_MORE,		/* nothing more to read now; undecided */
	OPENING_DECIDED,	/* the peek has a verdict */
	OPENING_PROXIED,	/* a PROXY header was read: come back for
				 * the rest, now */
	OPENING_BAD_PROXY,	/* it is none; `proxy_fault` says why */
	OPENING_END,		/* the client closed its side */
	OPENING_RESET,		/* the socket failed */
	OPENING_NO_MEMORY
};

/* Returns NULL if there is no memory. */
struct opening *opening_new(bool expect_proxy);

/*
 * Put `len` octets in the place of the first `old` ones (0: in front of
 * them all).  Returns false if there is no memory.
 */
bool opening_replace(struct opening *, size_t old, const uint8_t *,
    size_t len);

void opening_free(struct opening *);

/*
 * Read what there is, through buffer[], until the peek of the service has a
 * verdict; *ret is it on OPENING_DECIDED.  If a PROXY header is expected it
 * is read and removed first; *ret_header is it on OPENING_PROXIED.  Bytes
 * beyond the limit of a peek stay in the socket.  `buffer` has room for any
 * limit.
 */
enum opening_result opening_read(struct opening *, struct side *,
    enum service,
    const struct proxyd_settings *, uint8_t *buffer, struct peek *ret,
    struct proxy_header *ret_header);

#endif
