/* SPDX-License-Identifier: ISC */
#include "translate/checksum.h"
#include "translate/siit_pass.h"
#include "translate/wire.h"

enum {
	PROTO_DCCP = 33,
	PROTO_UDP_LITE = 136,
	DCCP_CHECKSUM = 6,	/* RFC 4340 5.1 */
	DCCP_HEADER = 12,
	NO_CHECKSUM = -1
};

/* Where a checksum over the pseudo-header stands, or NO_CHECKSUM. */
static int
checksum_offset(uint8_t protocol)
{
	switch (protocol) {
	case PROTO_TCP:
		return TCP_CHECKSUM;
	case PROTO_UDP:
	case PROTO_UDP_LITE:	/* RFC 3828 3.1: where UDP has it */
		return UDP_CHECKSUM;
	case PROTO_DCCP:
		return DCCP_CHECKSUM;
	}
	return NO_CHECKSUM;
}

/*
 * The least of a transport header that makes sense: what we change must be
 * there, in a first fragment too.
 */
static uint32_t
header_min(uint8_t protocol)
{
	switch (protocol) {
	case PROTO_TCP:
		return TCP_HEADER;
	case PROTO_DCCP:
		return DCCP_HEADER;
	case PROTO_UDP:
	case PROTO_UDP_LITE:
	case PROTO_ICMP:
	case PROTO_ICMP6:
		return ICMP_HEADER;
	}
	return 0;
}

/* UDP's 0 means "none", so a sum that comes out as 0 is written as ffff. */
static bool
zero_means_none(uint8_t protocol)
{
	return protocol == PROTO_UDP || protocol == PROTO_UDP_LITE;
}

static void
update(uint8_t *field, uint8_t protocol, uint64_t change)
{
	uint16_t sum;

	if (protocol == PROTO_UDP && get_u16(field) == 0)
		return;
	sum = checksum_update(get_u16(field), change);
	if (sum == 0 && zero_means_none(protocol))
		sum = 0xffff;
	put_u16(field, sum);
}

/* Is the transport's own checksum the partial one? */
static bool
is_partial(const struct pass *pass)
{
	const struct packet_offload *offload = &pass->packet.offload;

	return offload->partial &&
	    offload->csum_start == pass->headers.transport &&
	    offload->csum_offset == checksum_offset(pass->headers.protocol);
}

enum drop_reason
transport_check_size(const struct pass *pass)
{
	const struct headers *h = &pass->headers;

	if (h->offset == 0 &&
	    h->total - h->transport < header_min(h->protocol))
		return DROP_TOO_SHORT;
	return DROP_NONE;
}

void
transport_update(struct pass *pass, uint64_t change)
{
	const struct headers *h = &pass->headers;
	int offset = checksum_offset(h->protocol);
	uint8_t *field;

	if (offset == NO_CHECKSUM)
		return;
	field = pass->packet.at + h->transport + offset;
	if (is_partial(pass))	/* it holds a sum, not its complement */
		put_u16(field, checksum_fold(get_u16(field) + change));
	else
		update(field, h->protocol, change);
}

void
transport_update_quote(uint8_t *at, size_t len, uint8_t protocol,
    uint64_t change)
{
	int offset = checksum_offset(protocol);

	if (offset != NO_CHECKSUM && (size_t)offset + 2 <= len)
		update(at + offset, protocol, change);
}

/* Only what the kernel may rightly hand us as a super-packet is one. */
static enum drop_reason
check_gso(struct pass *pass)
{
	struct packet_offload *offload = &pass->packet.offload;
	const struct headers *h = &pass->headers;
	uint32_t size = UDP_HEADER, rest = h->total - h->transport;

	if (h->protocol !=
	    (offload->gso == PACKET_GSO_TCP ? PROTO_TCP : PROTO_UDP) ||
	    h->has_fragment || !is_partial(pass) || offload->gso_size == 0 ||
	    rest < header_min(h->protocol))
		return DROP_BAD_OFFLOAD;
	if (offload->gso == PACKET_GSO_TCP)
		size = (pass->packet.at[h->transport + TCP_DATA_OFFSET] >> 4) *
		    4u;
	if (size < header_min(h->protocol) || size >= rest)
		return DROP_BAD_OFFLOAD;
	offload->hdr_len = (uint16_t)(h->transport + size);
	return DROP_NONE;
}

/*
 * A checksum to be made is behind the headers, in a whole packet.  It may be
 * that of a packet in a tunnel, but ICMP is none.
 */
static bool
partial_fits(const struct packet_offload *offload, const struct headers *h)
{
	if (offload->csum_start < h->transport ||
	    offload->csum_start + offload->csum_offset + 2u > h->total ||
	    headers_is_part(h))
		return false;
	return (h->protocol != PROTO_ICMP && h->protocol != PROTO_ICMP6) ||
	    (offload->csum_start == h->transport &&
		offload->csum_offset == ICMP_CHECKSUM);
}

enum drop_reason
transport_check_offload(struct pass *pass)
{
	struct packet_offload *offload = &pass->packet.offload;

	if (offload->gso == PACKET_GSO_NONE && !offload->partial)
		return DROP_NONE;
	if (offload->partial && !partial_fits(offload, &pass->headers))
		return DROP_BAD_OFFLOAD;
	if (offload->gso != PACKET_GSO_NONE)
		return check_gso(pass);
	return DROP_NONE;
}

/* UDP that the other family does not take as it is. */
static bool
has_no_checksum(const struct pass *pass)
{
	const struct headers *h = &pass->headers;

	return h->protocol == PROTO_UDP && h->offset == 0 &&
	    get_u16(pass->packet.at + h->transport + UDP_CHECKSUM) == 0 &&
	    !is_partial(pass);
}

enum drop_reason
transport_check_udp_zero(const struct pass *pass)
{
	const struct headers *h = &pass->headers;
	unsigned size;

	if (!has_no_checksum(pass))
		return DROP_NONE;
	switch (pass->siit->udp_zero) {
	case SIIT_UDP_ZERO_PASS:
		return DROP_NONE;
	case SIIT_UDP_ZERO_DROP:
		return DROP_UDP_NO_CHECKSUM;
	case SIIT_UDP_ZERO_COMPUTE:
		break;
	}
	if (headers_is_part(h))
		return DROP_UDP_NO_CHECKSUM_FRAGMENT;
	size = get_u16(pass->packet.at + h->transport + UDP_LENGTH);
	if (size < UDP_HEADER || size > h->total - h->transport)
		return DROP_BAD_LENGTH;
	return DROP_NONE;
}

bool
transport_wants_udp(const struct pass *pass)
{
	return pass->siit->udp_zero == SIIT_UDP_ZERO_COMPUTE &&
	    has_no_checksum(pass);
}

void
transport_compute_udp(struct pass *pass, uint64_t addresses)
{
	uint8_t *udp = pass->packet.at + pass->headers.transport;
	unsigned size = get_u16(udp + UDP_LENGTH);
	uint16_t sum;

	/* Of a packet inside, whose checksum is part of our sum. */
	packet_finish_checksum(&pass->packet);
	sum = checksum_finish(addresses + PROTO_UDP + size +
	    checksum_of(udp, size));
	put_u16(udp + UDP_CHECKSUM, sum != 0 ? sum : 0xffff);
}
