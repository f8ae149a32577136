/* SPDX-License-Identifier: ISC */
#include "translate/packet.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "translate/checksum.h"
#include "translate/headers.h"
#include "translate/wire.h"

unsigned
packet_version(const struct packet *packet)
{
	return packet->len > 0 ? packet->at[0] >> 4 : 0;
}

void
packet_finish_checksum(struct packet *packet)
{
	struct packet_offload *offload = &packet->offload;
	size_t start = offload->csum_start;
	size_t field = start + offload->csum_offset;
	uint16_t sum;

	if (!offload->partial)
		return;
	assert(field + 2 <= packet->len);
	assert(offload->gso == PACKET_GSO_NONE);
	/* The field holds the pseudo-header's sum. */
	sum = checksum_finish(
	    checksum_of(packet->at + start, packet->len - start));
	if (sum == 0 && offload->csum_offset == UDP_CHECKSUM)
		sum = 0xffff;
	put_u16(packet->at + field, sum);
	offload->partial = false;
}

unsigned
packet_segments(const struct packet *packet)
{
	const struct packet_offload *offload = &packet->offload;
	size_t payload;

	if (offload->gso == PACKET_GSO_NONE || offload->gso_size == 0 ||
	    packet->len <= offload->hdr_len)
		return 1;
	payload = packet->len - offload->hdr_len;
	return (unsigned)((payload + offload->gso_size - 1) /
	    offload->gso_size);
}

/* --- for logs ------------------------------------------------------------ */

static const char *
protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case PROTO_ICMP:
		return "ICMP";
	case PROTO_ICMP6:
		return "ICMPv6";
	case PROTO_TCP:
		return "TCP";
	case PROTO_UDP:
		return "UDP";
	}
	return NULL;
}

static struct addr
addr_at(const uint8_t *at, bool v4)
{
	struct addr addr;

	if (v4)
		return addr_of_v4(get_u32(at));
	memcpy(addr.octet, at, sizeof(addr.octet));
	return addr;
}

/* "192.0.2.1" or, with a port, "192.0.2.1:53" or "[2001:db8::1]:53". */
static char *
format_end(const struct addr *addr, bool with_port, uint16_t port,
    char out[ENDPOINT_TEXT_MAX])
{
	const struct endpoint end = { *addr, port };

	if (with_port)
		return endpoint_format(&end, out);
	return addr_format(addr, out);
}

/* Type and code, or where the fragment stands; empty for others. */
static void
format_detail(const struct packet *packet, const struct headers *h,
    char *out, size_t room)
{
	const uint8_t *icmp = packet->at + h->transport;

	out[0] = '\0';
	if (headers_is_part(h))
		snprintf(out, room, " fragment at %u", h->offset);
	else if ((h->protocol == PROTO_ICMP || h->protocol == PROTO_ICMP6) &&
	    packet->len >= h->transport + 2u)
		snprintf(out, room, " type %u code %u", icmp[0],
		    icmp[ICMP_CODE]);
}

static void
describe(const struct packet *packet, const struct headers *h, bool v4,
    char out[PACKET_TEXT_MAX])
{
	char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];
	const uint8_t *at = packet->at, *ports = at + h->transport;
	struct addr source = addr_at(at + (v4 ? IP4_SOURCE : IP6_SOURCE), v4);
	struct addr destination = addr_at(at +
	    (v4 ? IP4_DESTINATION : IP6_DESTINATION), v4);
	const char *name = protocol_name(h->protocol);
	char number[16], detail[32];
	bool has_ports = (h->protocol == PROTO_TCP ||
	    h->protocol == PROTO_UDP) && h->offset == 0 &&
	    packet->len >= h->transport + 4u;

	snprintf(number, sizeof(number), "protocol %u", h->protocol);
	format_detail(packet, h, detail, sizeof(detail));
	snprintf(out, PACKET_TEXT_MAX, "%s %s%s %s > %s, %zu octets, %s %u",
	    v4 ? "IPv4" : "IPv6", name != NULL ? name : number, detail,
	    format_end(&source, has_ports,
		has_ports ? get_u16(ports) : 0, from),
	    format_end(&destination, has_ports,
		has_ports ? get_u16(ports + 2) : 0, to),
	    packet->len, v4 ? "TTL" : "hop limit", h->ttl);
}

char *
packet_describe(const struct packet *packet, char out[PACKET_TEXT_MAX])
{
	unsigned version = packet_version(packet);
	enum drop_reason reason = DROP_BAD_VERSION;
	struct headers h;

	if (version == 4)
		reason = headers_read4(packet->at, packet->len,
		    HEADERS_QUOTE, &h);
	else if (version == 6)
		reason = headers_read6(packet->at, packet->len,
		    HEADERS_QUOTE, &h);
	if (reason == DROP_NONE)
		describe(packet, &h, version == 4, out);
	else
		snprintf(out, PACKET_TEXT_MAX,
		    "%zu octets that are no %s packet", packet->len,
		    version == 4 ? "IPv4" : version == 6 ? "IPv6" : "IP");
	return out;
}
