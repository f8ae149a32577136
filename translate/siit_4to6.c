/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "translate/checksum.h"
#include "translate/siit_pass.h"
#include "translate/wire.h"

enum { GROWTH = IP6_HEADER - IP4_HEADER };

void
header6_write(uint8_t out[], const struct header6 *h)
{
	put_u32(out, 6u << 28 | (uint32_t)h->traffic_class << 20);
	put_u16(out + IP6_LENGTH, h->length);
	out[IP6_NEXT] = h->protocol;
	out[IP6_HOP_LIMIT] = h->hop_limit;
	memcpy(out + IP6_SOURCE, h->addr.source.octet, 16);
	memcpy(out + IP6_DESTINATION, h->addr.destination.octet, 16);
}

void
fragment_write(uint8_t out[], uint8_t protocol, const struct headers *h)
{
	put_u16(out, (unsigned)protocol << 8);
	put_u16(out + FRAGMENT_OFFSET,
	    h->offset | (h->more ? FRAGMENT_MORE : 0u));
	put_u32(out + FRAGMENT_ID, h->ident);
}

/* --- may it go on? ------------------------------------------------------- */

static bool
is_icmp_error(const struct pass *pass)
{
	const struct headers *h = &pass->headers;

	return h->protocol == PROTO_ICMP && h->offset == 0 &&
	    h->total > h->transport &&
	    icmp4_is_error(pass->packet.at[h->transport]);
}

/*
 * Protocol numbers are copied (RFC 7915 4.1), and some would then be read as
 * IPv6 extension headers, or as ICMPv6 that nobody translated.
 */
static enum drop_reason
check_protocol(const struct pass *pass)
{
	switch (pass->headers.protocol) {
	case PROTO_HOP_BY_HOP:
	case PROTO_ROUTING:
	case PROTO_FRAGMENT:
	case PROTO_OPTIONS:
	case PROTO_ICMP6:
		return DROP_UNTRANSLATABLE_PROTOCOL;
	case PROTO_IGMP:
		return DROP_IGMP;
	case PROTO_ICMP:
		if (headers_is_part(&pass->headers))
			return DROP_FRAGMENTED_ICMP;
		break;
	}
	return DROP_NONE;
}

/* (The addresses of an ICMP error are mapped in siit_icmp_4to6.c.) */
static enum drop_reason
map_addresses(const struct pass *pass, struct pair6 *ret)
{
	const uint8_t *at = pass->packet.at;
	enum drop_reason reason;

	reason = address_destination_4to6(pass, &ret->destination);
	if (reason != DROP_NONE)
		return reason;
	switch (address_4to6(pass, get_u32(at + IP4_SOURCE),
	    address_use_of_peer(pass), &ret->source)) {
	case ADDRESS_NOT_FOUND:
		return DROP_SOURCE_UNMAPPED;
	case ADDRESS_NOT_GLOBAL:
		return DROP_NOT_GLOBAL;
	case ADDRESS_BY_EAM:
	case ADDRESS_BY_PREFIX:
		break;
	}
	return DROP_NONE;
}

/* --- sizes --------------------------------------------------------------- */

/* Octets of the largest packet it stands for, as IPv4. */
static uint32_t
segment_size(const struct pass *pass)
{
	const struct packet_offload *offload = &pass->packet.offload;
	uint32_t size;

	if (offload->gso == PACKET_GSO_NONE)
		return pass->headers.total;
	size = (uint32_t)offload->hdr_len + offload->gso_size;
	return size < pass->headers.total ? size : pass->headers.total;
}

/*
 * RFC 7915 4.1: with DF it must fit the next hop; without, it is cut to
 * lowest_mtu6.  *ret_max is 0, or what it must be cut to.
 */
static bool
check_size(struct pass *pass, uint32_t *ret_max)
{
	const struct siit *siit = pass->siit;
	const struct headers *h = &pass->headers;
	uint32_t growth = GROWTH + (h->has_fragment ? FRAGMENT_HEADER : 0u);
	uint32_t size = segment_size(pass);

	*ret_max = 0;
	if (h->df) {
		if (size + growth <= siit->mtu6)
			return true;
		pass_refuse(pass, DROP_TOO_BIG, siit->mtu6 - growth);
		return false;
	}
	if (size - h->transport + IP4_HEADER + growth > siit->lowest_mtu6)
		*ret_max = siit->lowest_mtu6;
	return true;
}

/* --- the headers --------------------------------------------------------- */

/* The new checksum of an echo message (RFC 7915 4.2). */
static void
translate_echo(struct pass *pass, uint8_t type, uint64_t addresses)
{
	uint8_t *icmp = pass->packet.at + pass->headers.transport;
	uint32_t size = pass->headers.total - pass->headers.transport;
	uint16_t before = get_u16(icmp);

	packet_finish_checksum(&pass->packet);
	icmp[0] = type;
	put_u16(icmp + ICMP_CHECKSUM,
	    checksum_update(get_u16(icmp + ICMP_CHECKSUM),
		checksum_change(before,
		    get_u16(icmp) + addresses + size + PROTO_ICMP6)));
}

/* Change what the transport's checksum says of addresses. */
static void
translate_transport(struct pass *pass, const struct pair6 *addr,
    const struct icmp_kind *kind)
{
	uint64_t before, after;

	if (pass->headers.offset != 0)
		return;
	after = checksum_of_addr(&addr->source) +
	    checksum_of_addr(&addr->destination);
	if (pass->headers.protocol == PROTO_ICMP) {
		translate_echo(pass, kind->type, after);
	} else if (transport_wants_udp(pass)) {
		transport_compute_udp(pass, after);
	} else {
		before = checksum_of(pass->packet.at + IP4_SOURCE, 8);
		transport_update(pass, checksum_change(before, after));
	}
}

/* The offload fields after `grown` octets were put before the transport. */
static void
move_offload(struct packet_offload *offload, int grown)
{
	if (offload->gso != PACKET_GSO_NONE)
		offload->hdr_len = (uint16_t)(offload->hdr_len + grown);
	if (offload->partial)
		offload->csum_start = (uint16_t)(offload->csum_start + grown);
}

/* Put the new headers where they end before the transport. */
static void
write_headers(struct pass *pass, const struct pair6 *addr)
{
	const struct headers *h = &pass->headers;
	uint8_t protocol = h->protocol == PROTO_ICMP ? PROTO_ICMP6 :
	    h->protocol;
	uint32_t size = IP6_HEADER +
	    (h->has_fragment ? FRAGMENT_HEADER : 0u);
	const struct header6 header = {
		.addr = *addr,
		.traffic_class = pass->siit->traffic_class == SIIT_TOS_COPY ?
		    h->tos : (uint8_t)pass->siit->traffic_class,
		.hop_limit = (uint8_t)(h->ttl - (pass->again ? 0 : 1)),
		.protocol = h->has_fragment ? PROTO_FRAGMENT : protocol,
		.length = (uint16_t)(h->total - h->transport + size -
		    IP6_HEADER)
	};
	struct packet *out = &pass->result->packet;

	*out = pass->packet;
	out->at += (ptrdiff_t)h->transport - (ptrdiff_t)size;
	out->headroom += h->transport;
	out->headroom -= size;
	out->len = h->total - h->transport + size;
	move_offload(&out->offload, (int)size - (int)h->transport);
	header6_write(out->at, &header);
	if (h->has_fragment)
		fragment_write(out->at + IP6_HEADER, protocol, h);
}

static void
forward(struct pass *pass, const struct pair6 *addr,
    const struct icmp_kind *kind, uint32_t max)
{
	struct packet_offload *offload = &pass->result->packet.offload;

	translate_transport(pass, addr, kind);
	write_headers(pass, addr);
	pass->result->verdict = SIIT_FORWARD;
	pass->result->reason = DROP_NONE;
	if (max == 0)
		return;
	if (offload->gso == PACKET_GSO_TCP)	/* a stream has no seams */
		offload->gso_size = (uint16_t)(max - offload->hdr_len);
	else
		pass_cut(pass, max, pass->headers.ident);
}

/* --- all together -------------------------------------------------------- */

static enum drop_reason
check_sender(const struct pass *pass)
{
	const uint8_t *at = pass->packet.at;

	/* RFC 7915 4.1: of ICMP errors it is translated all the same. */
	if (address_illegal4(get_u32(at + IP4_SOURCE)) &&
	    !is_icmp_error(pass))
		return DROP_ILLEGAL_SOURCE;
	if (address_illegal4(get_u32(at + IP4_DESTINATION)))
		return DROP_ILLEGAL_DESTINATION;
	return DROP_NONE;
}

/* What a router looks at; returns false if the pass has ended. */
static bool
check_route(struct pass *pass)
{
	const struct headers *h = &pass->headers;
	uint32_t v4 = get_u32(pass->packet.at + IP4_DESTINATION);
	enum drop_reason reason;

	if (pass->again)
		return true;
	reason = check_sender(pass);
	if (reason != DROP_NONE)
		pass_drop(pass, reason);
	else if (address_is_ours4(pass->siit, v4))
		pass_to_us(pass);
	else if (h->source_route)
		pass_refuse(pass, DROP_SOURCE_ROUTE, 0);
	else if (h->ttl <= 1)
		pass_refuse(pass, DROP_HOP_LIMIT, 0);
	else
		return true;
	return false;
}

static enum drop_reason
check_transport(const struct pass *pass, struct icmp_kind *ret)
{
	const struct headers *h = &pass->headers;
	enum drop_reason reason = check_protocol(pass);

	if (reason == DROP_NONE)
		reason = transport_check_size(pass);
	if (reason != DROP_NONE)
		return reason;
	if (h->protocol == PROTO_ICMP)
		return icmp_kind_4to6(pass->siit,
		    pass->packet.at + h->transport, 0, ret);
	return transport_check_udp_zero(pass);
}

void
pass_4to6(struct pass *pass)
{
	struct icmp_kind kind = { 0 };
	enum drop_reason reason;
	struct pair6 addr;
	uint32_t max;

	reason = headers_read4(pass->packet.at, pass->packet.len,
	    HEADERS_PACKET, &pass->headers);
	if (reason == DROP_NONE) {
		pass->packet.len = pass->headers.total;
		reason = transport_check_offload(pass);
	}
	if (reason != DROP_NONE) {
		pass_drop(pass, reason);
		return;
	}
	if (!check_route(pass))
		return;
	if (is_icmp_error(pass)) {
		pass_icmp_error_4to6(pass);
		return;
	}
	reason = map_addresses(pass, &addr);
	if (reason == DROP_NONE)
		reason = check_transport(pass, &kind);
	if (reason != DROP_NONE)
		pass_refuse(pass, reason, 0);
	else if (check_size(pass, &max))
		forward(pass, &addr, &kind, max);
}
