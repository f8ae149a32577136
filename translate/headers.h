/* SPDX-License-Identifier: ISC */
/*
 * headers.h - what the IP headers of a packet say, up to the transport.
 *
 * Pure.  Addresses stay in the packet: read them from there.
 */
#ifndef TRANSLATE_HEADERS_H
#define TRANSLATE_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "translate/drop_reasons.h"

struct headers {
	uint8_t		tos;		/* or traffic class */
	uint8_t		ttl;		/* or hop limit */
	uint8_t		protocol;	/* what follows: the transport */
	bool		source_route;	/* IPv4: an unexpired option */
	bool		df;		/* IPv4 */
	bool		has_fragment;	/* IPv6: there is a Fragment header;
					 * IPv4: it is a fragment */
	bool		more;		/* fragments follow */
	uint16_t	offset;		/* of the fragment, octets */
	uint32_t	ident;		/* 16 bits of IPv4; 0 without one */
	uint32_t	total;		/* octets the headers claim in all */
	uint32_t	transport;	/* octets before the transport */
	uint32_t	segments_left;	/* IPv6: where a Routing header's
					 * non-zero field stands, or 0 */
};

enum headers_kind {
	HEADERS_PACKET,		/* all is there, and checked */
	HEADERS_QUOTE		/* from inside an ICMP error: cut anywhere
				 * behind the IP headers, and the checksum not
				 * looked at */
};

/*
 * Read the headers of an IPv4 or IPv6 packet of `len` octets.  Returns
 * DROP_NONE or what is wrong; *ret is only whole for DROP_NONE.  Then
 * transport <= len and transport <= total, and of a HEADERS_PACKET
 * total <= len: octets beyond are padding.
 */
enum drop_reason headers_read4(const uint8_t *, size_t len,
    enum headers_kind, struct headers *ret);
enum drop_reason headers_read6(const uint8_t *, size_t len,
    enum headers_kind, struct headers *ret);

/* A fragment that is not the whole: RFC 6946's atomic ones are not. */
static inline bool
headers_is_part(const struct headers *h)
{
	return h->more || h->offset != 0;
}

#endif
