/* SPDX-License-Identifier: ISC */
/*
 * siit_icmp.h - ICMP errors, with the packet inside and RFC 4884's extensions:
 * what both directions share.  Nobody but siit_icmp*.c includes it.
 */
#ifndef TRANSLATE_SIIT_ICMP_H
#define TRANSLATE_SIIT_ICMP_H

#include "translate/siit_pass.h"

enum {	/* RFC 4884 */
	LENGTH4 = 5,		/* where ICMP has the length attribute */
	LENGTH6 = 4,		/* where ICMPv6 has it */
	UNIT4 = 4,		/* octets that the attribute counts */
	UNIT6 = 8
};

enum { ERROR_MAX = 1280 };	/* octets of a translated error */

/* The packet inside an ICMP error. */
struct quote {
	const uint8_t	*at;
	size_t		 len;		/* as much as there is of it */
	struct headers	 headers;
	const uint8_t	*extension;	/* RFC 4884, behind it */
	size_t		 extension_len;
};

/*
 * Find the packet inside the error, which has `words` of `unit` octets if it
 * says so.  A length that cannot be means none: one beyond the message, and one
 * of less than the 128 octets that a datagram before extensions must have
 * (RFC 4884 4).  Then all of it is the packet, which says itself where it ends.
 */
void quote_find(const struct pass *, uint8_t words, unsigned unit,
    struct quote *ret);

/* Is it an error, about which there may be none (RFC 7915 4.3, 5.3)? */
bool quote_is_error(const struct quote *, uint8_t protocol,
    bool (*is_error)(uint8_t type));

/*
 * The new message, in the queue's room.  It is written in order: room for its
 * own headers, the datagram, the extension; then the headers before them.
 */
struct message {
	uint8_t		*at;		/* the outer IP header */
	size_t		 header;	/* octets of it */
	size_t		 len, max;	/* octets in all, so far and at most */
	unsigned	 words;		/* RFC 4884's length attribute */
};

struct message message_of(struct pass *, size_t header, size_t max);

/* Append n octets that are written there; returns where. */
uint8_t *message_append(struct message *, size_t n);

/*
 * Append the quote's transport, or as much as there is room for; *ret_len
 * octets.  Returns where it stands.
 */
uint8_t *message_append_transport(struct message *, const struct quote *,
    size_t *ret_len);

/*
 * Append the extension structure where it belongs and fits; else the message
 * goes without one (RFC 7915 4.2 wants it truncated).
 */
void message_append_extension(struct message *, const uint8_t *extension,
    size_t len, unsigned unit);

/* The ICMP header with its checksum: the last thing to be written. */
void message_write_icmp(struct message *, const struct icmp_kind *,
    size_t length_at, uint64_t pseudo);

/* It is what the packet was translated to. */
void message_forward(struct pass *, const struct message *);

/*
 * The type and checksum of an echo message inside, as far as its `len` octets
 * go; `change` is that of the pseudo-headers.
 */
void echo_change(uint8_t *icmp, size_t len, uint8_t type, uint64_t change);

#endif
