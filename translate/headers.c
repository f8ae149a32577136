/* SPDX-License-Identifier: ISC */
#include "translate/headers.h"

#include <string.h>

#include "translate/checksum.h"
#include "translate/wire.h"

enum {
	EXTENSIONS_MAX = 8,	/* a packet with more is not followed */
	EXTENSION_MIN = 8,	/* octets of an extension header */
	OPTION_END = 0,		/* RFC 791 3.1 */
	OPTION_NOP = 1,
	OPTION_LSRR = 131,
	OPTION_SSRR = 137
};

/* RFC 791 3.1: a source route is used up when the pointer passes its end. */
static bool
has_source_route(const uint8_t *option, size_t len)
{
	size_t size;

	while (len > 0 && option[0] != OPTION_END) {
		if (option[0] == OPTION_NOP) {
			option++;
			len--;
			continue;
		}
		if (len < 2 || option[1] < 2 || option[1] > len)
			return false;
		size = option[1];
		if ((option[0] == OPTION_LSRR || option[0] == OPTION_SSRR) &&
		    size >= 3 && option[2] <= size)
			return true;
		option += size;
		len -= size;
	}
	return false;
}

/* Can a fragment of this size be one?  `total` may be a quote's claim. */
static enum drop_reason
check_part(const struct headers *h)
{
	uint32_t payload = h->total - h->transport;

	if (!headers_is_part(h))
		return DROP_NONE;
	if (payload == 0 || (h->more && payload % 8 != 0) ||
	    h->offset + payload > UINT16_MAX)
		return DROP_BAD_FRAGMENT;
	return DROP_NONE;
}

enum drop_reason
headers_read4(const uint8_t *at, size_t len, enum headers_kind kind,
    struct headers *ret)
{
	unsigned fragment;

	if (len < IP4_HEADER)
		return DROP_TOO_SHORT;
	if (at[0] >> 4 != 4)
		return DROP_BAD_VERSION;
	ret->transport = (at[0] & 0xfu) * 4;
	ret->total = get_u16(at + IP4_LENGTH);
	if (ret->transport < IP4_HEADER || ret->total < ret->transport)
		return DROP_BAD_LENGTH;
	if (ret->transport > len)
		return DROP_TOO_SHORT;
	if (kind == HEADERS_PACKET) {
		if (ret->total > len)
			return DROP_BAD_LENGTH;
		if (checksum_finish(checksum_of(at, ret->transport)) != 0)
			return DROP_BAD_HEADER_CHECKSUM;
	}
	fragment = get_u16(at + IP4_FRAGMENT);
	ret->tos = at[IP4_TOS];
	ret->ttl = at[IP4_TTL];
	ret->protocol = at[IP4_PROTOCOL];
	ret->df = (fragment & IP4_DF) != 0;
	ret->more = (fragment & IP4_MF) != 0;
	ret->offset = (uint16_t)((fragment & IP4_OFFSET_MASK) * 8);
	ret->has_fragment = headers_is_part(ret);
	ret->ident = get_u16(at + IP4_ID);
	ret->segments_left = 0;
	ret->source_route = ret->transport > IP4_HEADER &&
	    has_source_route(at + IP4_HEADER, ret->transport - IP4_HEADER);
	return check_part(ret);
}

static void
read_fragment(const uint8_t *at, struct headers *ret)
{
	unsigned fragment = get_u16(at + FRAGMENT_OFFSET);

	ret->has_fragment = true;
	ret->more = (fragment & FRAGMENT_MORE) != 0;
	ret->offset = (uint16_t)(fragment & FRAGMENT_OFFSET_MASK);
	ret->ident = get_u32(at + FRAGMENT_ID);
}

/*
 * IANA's IPv6 extension header types but for ESP, behind which nothing can be
 * read: RFC 7915 5.1.1 wants none of them behind a Fragment header.
 */
static bool
is_extension(uint8_t protocol)
{
	switch (protocol) {
	case PROTO_HOP_BY_HOP:
	case PROTO_ROUTING:
	case PROTO_FRAGMENT:
	case PROTO_AH:
	case PROTO_OPTIONS:
	case PROTO_MOBILITY:
	case PROTO_HIP:
	case PROTO_SHIM6:
		return true;
	}
	return false;
}

/*
 * Follow the headers that have no meaning in IPv4 (RFC 7915 5.1) from where
 * ret->transport and ret->protocol stand.  `end` is how far they may go.
 */
static enum drop_reason
follow_extensions(const uint8_t *at, size_t end, struct headers *ret)
{
	const uint8_t *header;
	unsigned n = 0;
	size_t size;

	for (;;) {
		header = at + ret->transport;
		switch (ret->protocol) {
		case PROTO_HOP_BY_HOP:
		case PROTO_ROUTING:
		case PROTO_OPTIONS:
		case PROTO_FRAGMENT:
			break;
		default:
			return DROP_NONE;
		}
		if (++n > EXTENSIONS_MAX)
			return DROP_EXTENSION_HEADERS;
		if (end - ret->transport < EXTENSION_MIN)
			return DROP_TOO_SHORT;
		size = EXTENSION_MIN;
		if (ret->protocol == PROTO_FRAGMENT)
			read_fragment(header, ret);
		else
			size += header[1] * 8u;
		if (end - ret->transport < size)
			return DROP_TOO_SHORT;
		if (ret->protocol == PROTO_ROUTING &&
		    header[ROUTING_SEGMENTS_LEFT] != 0 &&
		    ret->segments_left == 0)
			ret->segments_left = ret->transport +
			    ROUTING_SEGMENTS_LEFT;
		ret->protocol = header[0];
		ret->transport += (uint32_t)size;
		if (ret->has_fragment)
			return is_extension(ret->protocol) ?
			    DROP_FRAGMENTED_EXTENSION : DROP_NONE;
	}
}

enum drop_reason
headers_read6(const uint8_t *at, size_t len, enum headers_kind kind,
    struct headers *ret)
{
	enum drop_reason reason;

	if (len < IP6_HEADER)
		return DROP_TOO_SHORT;
	if (at[0] >> 4 != 6)
		return DROP_BAD_VERSION;
	ret->total = IP6_HEADER + get_u16(at + IP6_LENGTH);
	if (kind == HEADERS_PACKET && ret->total > len)
		return DROP_BAD_LENGTH;
	ret->tos = (uint8_t)(get_u16(at) >> 4);
	ret->ttl = at[IP6_HOP_LIMIT];
	ret->protocol = at[IP6_NEXT];
	ret->source_route = false;
	ret->df = false;
	ret->has_fragment = false;
	ret->more = false;
	ret->offset = 0;
	ret->ident = 0;
	ret->segments_left = 0;
	ret->transport = IP6_HEADER;
	reason = follow_extensions(at, ret->total < len ? ret->total : len,
	    ret);
	return reason != DROP_NONE ? reason : check_part(ret);
}
