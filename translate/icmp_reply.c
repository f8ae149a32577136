/* SPDX-License-Identifier: ISC */
#include "translate/icmp_reply.h"

#include <assert.h>
#include <string.h>

#include "translate/checksum.h"
#include "translate/headers.h"
#include "translate/siit_pass.h"
#include "translate/wire.h"

enum {
	OUR_TTL = 64,
	TOS_CONTROL = 0xc0	/* RFC 1812 4.3.2.5: internetwork control */
};

/* --- errors -------------------------------------------------------------- */

/* RFC 1812 4.3.2.7. */
static bool
may_answer4(const uint8_t *at, size_t len, const struct headers *h)
{
	uint32_t source = get_u32(at + IP4_SOURCE);

	if (h->offset != 0 || address_illegal4(source) ||
	    get_u32(at + IP4_DESTINATION) >> 29 == 7)
		return false;
	return h->protocol != PROTO_ICMP ||
	    (len > h->transport && !icmp4_is_error(at[h->transport]));
}

/*
 * RFC 4443 2.4 (e).  (e.3)'s exceptions for multicast do not concern us, who
 * translate none.
 */
static bool
may_answer6(const uint8_t *at, size_t len, const struct headers *h)
{
	uint8_t type;

	if (address_illegal6(at + IP6_SOURCE) ||
	    at[IP6_DESTINATION] == 0xff)
		return false;
	if (h->protocol != PROTO_ICMP6)
		return true;
	if (h->offset != 0 || len <= h->transport)
		return false;
	type = at[h->transport];
	return !icmp6_is_error(type) && type != ICMP6_REDIRECT;
}

/*
 * Headers of a packet that may be one we could not follow to its end; then
 * as far as they were read.
 */
static bool
read_headers(const struct packet *packet, struct headers *ret)
{
	enum drop_reason reason;

	if (packet_version(packet) == 4)
		reason = headers_read4(packet->at, packet->len,
		    HEADERS_PACKET, ret);
	else
		reason = headers_read6(packet->at, packet->len,
		    HEADERS_PACKET, ret);
	return reason == DROP_NONE || reason == DROP_EXTENSION_HEADERS ||
	    reason == DROP_FRAGMENTED_EXTENSION;
}

/*
 * The quote of a super-packet is to be that of its first segment: its length
 * in the headers, not that of all.  `total` is the segment's.
 */
static void
quote_segment(uint8_t *quote, size_t len, const struct headers *h,
    uint32_t total)
{
	if (quote[0] >> 4 == 4) {
		put_u16(quote + IP4_LENGTH, total);
		put_u16(quote + IP4_CHECKSUM, 0);
		put_u16(quote + IP4_CHECKSUM,
		    checksum_finish(checksum_of(quote, h->transport)));
	} else {
		put_u16(quote + IP6_LENGTH, total - IP6_HEADER);
	}
	if (h->protocol == PROTO_UDP && len >= h->transport + UDP_HEADER)
		put_u16(quote + h->transport + UDP_LENGTH,
		    total - h->transport);
}

/*
 * A partial checksum completed in the quote, over the segment's `total`
 * octets, so that the sender sees what it would have put on the wire.
 */
static void
quote_checksum(uint8_t *quote, size_t len, const struct packet *packet,
    const struct headers *h, uint32_t total)
{
	const struct packet_offload *offload = &packet->offload;
	size_t start = offload->csum_start;
	size_t field = start + offload->csum_offset, in_quote;
	uint64_t sum;

	if (!offload->partial || start < h->transport || field + 2 > len ||
	    field + 2 > total)
		return;
	/* The pseudo-header's sum has the length of all in it. */
	in_quote = len < total ? len : total;
	sum = checksum_change(h->total, total);
	if (in_quote % 2 != start % 2)
		in_quote--;
	sum += checksum_of(quote + start, in_quote - start);
	sum += checksum_of(packet->at + in_quote, total - in_quote);
	put_u16(quote + field, checksum_finish(sum));
}

/* Copy what of the packet is quoted; returns how much. */
static size_t
write_quote(const struct packet *packet, const struct headers *h, size_t max,
    uint8_t *out)
{
	const struct packet_offload *offload = &packet->offload;
	uint32_t total = h->total;
	size_t len;

	if (offload->gso != PACKET_GSO_NONE &&
	    (uint32_t)offload->hdr_len + offload->gso_size < total)
		total = (uint32_t)offload->hdr_len + offload->gso_size;
	len = total < max ? total : max;
	memcpy(out, packet->at, len);
	if (total != h->total)
		quote_segment(out, len, h, total);
	quote_checksum(out, len, packet, h, total);
	return len;
}

static void
write_icmp(uint8_t *icmp, size_t len, const struct icmp_error *error,
    uint64_t pseudo)
{
	icmp[0] = error->type;
	icmp[ICMP_CODE] = error->code;
	put_u16(icmp + ICMP_CHECKSUM, 0);
	put_u32(icmp + ICMP_REST, error->rest);
	put_u16(icmp + ICMP_CHECKSUM,
	    checksum_finish(pseudo + checksum_of(icmp, len)));
}

static size_t
write4(const struct packet *packet, const struct headers *h,
    const struct icmp_error *error, const struct addr *from, uint8_t *out)
{
	size_t len = IP4_HEADER + ICMP_HEADER;
	struct header4 header = {
		.addr = { addr_to_v4(from),
			get_u32(packet->at + IP4_SOURCE), false },
		.tos = TOS_CONTROL,
		.ttl = OUR_TTL,
		.protocol = PROTO_ICMP,
		/* RFC 6864 4: with DF it needs no identification. */
		.fragment = IP4_DF
	};

	len += write_quote(packet, h, ICMP4_ERROR_MAX - len, out + len);
	header.total = (uint16_t)len;
	header4_write(out, &header);
	write_icmp(out + IP4_HEADER, len - IP4_HEADER, error, 0);
	return len;
}

static size_t
write6(const struct packet *packet, const struct headers *h,
    const struct icmp_error *error, const struct addr *from, uint8_t *out)
{
	size_t len = IP6_HEADER + ICMP_HEADER;
	struct header6 header = {
		.addr.source = *from,
		.hop_limit = OUR_TTL,
		.protocol = PROTO_ICMP6
	};

	memcpy(header.addr.destination.octet, packet->at + IP6_SOURCE, 16);
	len += write_quote(packet, h, ICMP6_ERROR_MAX - len, out + len);
	header.length = (uint16_t)(len - IP6_HEADER);
	header6_write(out, &header);
	write_icmp(out + IP6_HEADER, header.length, error,
	    checksum_of(out + IP6_SOURCE, 32) + header.length + PROTO_ICMP6);
	return len;
}

size_t
icmp_error_write(const struct packet *packet, const struct icmp_error *error,
    const struct addr *from, uint8_t *out)
{
	struct headers h;

	if (!read_headers(packet, &h))
		return 0;
	if (packet_version(packet) == 4)
		return may_answer4(packet->at, packet->len, &h) ?
		    write4(packet, &h, error, from, out) : 0;
	return may_answer6(packet->at, packet->len, &h) ?
	    write6(packet, &h, error, from, out) : 0;
}

/* --- ping ---------------------------------------------------------------- */

/* The ICMP header of a whole request whose checksum is right, or NULL. */
static uint8_t *
find_request(const struct packet *packet, const struct headers *h,
    uint8_t protocol, uint8_t type, uint64_t pseudo)
{
	uint8_t *icmp = packet->at + h->transport;
	uint32_t size = h->total - h->transport;

	if (h->protocol != protocol || headers_is_part(h) ||
	    size < ICMP_HEADER || icmp[0] != type)
		return NULL;
	if (!packet->offload.partial &&
	    checksum_finish(pseudo + checksum_of(icmp, size)) != 0)
		return NULL;
	return icmp;
}

static void
change_type(uint8_t *icmp, uint8_t type)
{
	uint16_t before = get_u16(icmp);

	icmp[0] = type;
	put_u16(icmp + ICMP_CHECKSUM,
	    checksum_update(get_u16(icmp + ICMP_CHECKSUM),
		checksum_change(before, get_u16(icmp))));
}

/* Put a header of `size` octets right before the message. */
static void
shrink(struct packet *packet, const struct headers *h, size_t size)
{
	packet->at += h->transport - size;
	packet->headroom += h->transport - size;
	packet->len = h->total - h->transport + size;
	packet->offload = (struct packet_offload) { 0 };
}

static bool
answer4(struct packet *packet, const struct headers *h)
{
	uint8_t *icmp = find_request(packet, h, PROTO_ICMP, ICMP4_ECHO, 0);
	struct header4 header;

	if (icmp == NULL)
		return false;
	header = (struct header4) {
		.addr = { get_u32(packet->at + IP4_DESTINATION),
			get_u32(packet->at + IP4_SOURCE), false },
		.tos = h->tos,
		.ttl = OUR_TTL,
		.protocol = PROTO_ICMP,
		.ident = (uint16_t)h->ident,
		.fragment = h->df ? IP4_DF : 0
	};
	packet_finish_checksum(packet);
	change_type(icmp, ICMP4_ECHO_REPLY);
	shrink(packet, h, IP4_HEADER);
	header.total = (uint16_t)packet->len;
	header4_write(packet->at, &header);
	return true;
}

static bool
answer6(struct packet *packet, const struct headers *h)
{
	struct header6 header = {
		.traffic_class = h->tos,
		.hop_limit = OUR_TTL,
		.protocol = PROTO_ICMP6
	};
	uint8_t *icmp;

	icmp = find_request(packet, h, PROTO_ICMP6, ICMP6_ECHO,
	    checksum_of(packet->at + IP6_SOURCE, 32) + h->total -
		h->transport + PROTO_ICMP6);
	if (icmp == NULL || h->segments_left != 0)
		return false;
	memcpy(header.addr.source.octet, packet->at + IP6_DESTINATION, 16);
	memcpy(header.addr.destination.octet, packet->at + IP6_SOURCE, 16);
	packet_finish_checksum(packet);
	change_type(icmp, ICMP6_ECHO_REPLY);
	shrink(packet, h, IP6_HEADER);
	header.length = (uint16_t)(packet->len - IP6_HEADER);
	header6_write(packet->at, &header);
	return true;
}

bool
icmp_echo_answer(struct packet *packet)
{
	struct headers h;

	if (packet_version(packet) == 4)
		return headers_read4(packet->at, packet->len, HEADERS_PACKET,
			   &h) == DROP_NONE && answer4(packet, &h);
	return headers_read6(packet->at, packet->len, HEADERS_PACKET, &h) ==
	    DROP_NONE && answer6(packet, &h);
}
