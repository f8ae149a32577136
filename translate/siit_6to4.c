/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "translate/checksum.h"
#include "translate/siit_pass.h"
#include "translate/wire.h"

enum {
	DF_ABOVE = 1260,	/* RFC 7915 5.1: larger packets get DF */
	GROWTH = IP6_HEADER - IP4_HEADER
};

void
header4_write(uint8_t out[], const struct header4 *h)
{
	put_u16(out, 0x4500u | h->tos);
	put_u16(out + IP4_LENGTH, h->total);
	put_u16(out + IP4_ID, h->ident);
	put_u16(out + IP4_FRAGMENT, h->fragment);
	put_u16(out + IP4_TTL, (unsigned)h->ttl << 8 | h->protocol);
	put_u16(out + IP4_CHECKSUM, 0);
	put_u32(out + IP4_SOURCE, h->addr.source);
	put_u32(out + IP4_DESTINATION, h->addr.destination);
	put_u16(out + IP4_CHECKSUM,
	    checksum_finish(checksum_of(out, IP4_HEADER)));
}

uint16_t
header4_df(size_t total)
{
	return total > DF_ABOVE ? IP4_DF : 0;
}

/* --- may it go on? ------------------------------------------------------- */

static bool
is_icmp_error(const struct pass *pass)
{
	const struct headers *h = &pass->headers;

	return h->protocol == PROTO_ICMP6 && h->offset == 0 &&
	    h->total > h->transport &&
	    icmp6_is_error(pass->packet.at[h->transport]);
}

static struct addr
addr_at(const struct pass *pass, size_t offset)
{
	struct addr addr;

	memcpy(addr.octet, pass->packet.at + offset, sizeof(addr.octet));
	return addr;
}

static bool
is_our_own6(const struct siit *siit, const struct addr *v6)
{
	return siit->has_own6 && addr_equal(v6, &siit->own6);
}

/* Where it goes; returns false if the pass has ended. */
static bool
map_destination(struct pass *pass, struct pair4 *ret)
{
	struct addr v6 = addr_at(pass, IP6_DESTINATION);
	enum address_found found;

	if (is_our_own6(pass->siit, &v6)) {
		pass_to_us(pass);
		return false;
	}
	found = address_6to4(pass, &v6, false, &ret->destination);
	if (found == ADDRESS_NOT_FOUND) {
		pass_refuse(pass, DROP_DESTINATION_UNMAPPED, 0);
	} else if (found == ADDRESS_NOT_GLOBAL) {
		pass_refuse(pass, DROP_NOT_GLOBAL, 0);
	} else if (address_is_ours4(pass->siit, ret->destination)) {
		pass_to_us(pass);
	} else if (address_illegal4(ret->destination)) {
		pass_refuse(pass, DROP_ILLEGAL_DESTINATION, 0);
	} else {
		ret->hairpin = found == ADDRESS_BY_PREFIX &&
		    pass->siit->hairpin == SIIT_HAIRPIN_INTRINSIC &&
		    address_has_host(pass, ret->destination);
		return true;
	}
	return false;
}

/* What a router looks at; returns false if the pass has ended. */
static bool
check_route(struct pass *pass, struct pair4 *addr)
{
	const struct headers *h = &pass->headers;
	const uint8_t *at = pass->packet.at;

	if (address_illegal6(at + IP6_SOURCE))
		pass_drop(pass, DROP_ILLEGAL_SOURCE);
	else if (address_illegal6(at + IP6_DESTINATION))
		pass_drop(pass, DROP_ILLEGAL_DESTINATION);
	else if (!map_destination(pass, addr))
		return false;
	else if (h->segments_left != 0)
		pass_refuse(pass, DROP_ROUTING_HEADER, h->segments_left);
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
	enum drop_reason reason;

	/* ICMP's number would be read as IPv4's own ICMP. */
	if (h->protocol == PROTO_ICMP)
		return DROP_UNTRANSLATABLE_PROTOCOL;
	if (h->protocol == PROTO_ICMP6 && headers_is_part(h))
		return DROP_FRAGMENTED_ICMP;
	reason = transport_check_size(pass);
	if (reason != DROP_NONE)
		return reason;
	if (h->protocol == PROTO_ICMP6)
		return icmp_kind_6to4(pass->siit,
		    pass->packet.at + h->transport, false, ret);
	return DROP_NONE;
}

/* --- sizes --------------------------------------------------------------- */

/* Octets of the largest transport packet it stands for. */
static uint32_t
segment_size(const struct pass *pass)
{
	const struct packet_offload *offload = &pass->packet.offload;
	const struct headers *h = &pass->headers;
	uint32_t size = h->total - h->transport, segment;

	if (offload->gso == PACKET_GSO_NONE)
		return size;
	segment = offload->hdr_len - h->transport + offload->gso_size;
	return segment < size ? segment : size;
}

/*
 * IPv4 cannot say how long it is, and its sender cannot be told: of other
 * packets check_size() says that they are too big.  (Linux makes no
 * super-packets as long as that.)
 */
static bool
is_too_long(const struct pass *pass, const struct pair4 *addr)
{
	const struct headers *h = &pass->headers;

	return (h->has_fragment || addr->hairpin ||
		   pass->packet.offload.gso != PACKET_GSO_NONE) &&
	    h->total - h->transport + IP4_HEADER > UINT16_MAX;
}

/*
 * RFC 7915 5.1: what could be 1280 octets large, and fragments, are cut for
 * an IPv4 link that is smaller; larger packets make their sender learn.
 * *ret_max is 0, or what it must be cut to.
 */
static bool
check_size(struct pass *pass, uint32_t *ret_max)
{
	const struct siit *siit = pass->siit;
	const struct headers *h = &pass->headers;
	uint32_t segment = segment_size(pass), mtu;

	*ret_max = 0;
	if (IP4_HEADER + segment <= siit->mtu4)
		return true;
	if (h->has_fragment || h->transport + segment <= SIIT_MTU_MIN) {
		*ret_max = siit->mtu4;
		return true;
	}
	mtu = siit->mtu4 + GROWTH;
	if (mtu > siit->mtu6)
		mtu = siit->mtu6;
	pass_refuse(pass, DROP_TOO_BIG,
	    mtu > SIIT_MTU_MIN ? mtu : SIIT_MTU_MIN);
	return false;
}

/* --- the headers --------------------------------------------------------- */

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
		checksum_change(before + addresses + size + PROTO_ICMP6,
		    get_u16(icmp))));
}

static void
translate_transport(struct pass *pass, const struct pair4 *addr,
    const struct icmp_kind *kind)
{
	uint64_t before, after;

	if (pass->headers.offset != 0)
		return;
	before = checksum_of(pass->packet.at + IP6_SOURCE, 32);
	after = (uint64_t)addr->source + addr->destination;
	if (pass->headers.protocol == PROTO_ICMP6)
		translate_echo(pass, kind->type, before);
	else
		transport_update(pass, checksum_change(before, after));
}

/* Put the new header where it ends before the transport. */
static void
write_header(struct pass *pass, const struct pair4 *addr)
{
	const struct headers *h = &pass->headers;
	struct packet *out = &pass->result->packet;
	uint32_t shrunk = h->transport - IP4_HEADER;
	struct header4 header = {
		.addr = *addr,
		.tos = pass->siit->tos == SIIT_TOS_COPY ? h->tos :
		    (uint8_t)pass->siit->tos,
		.ttl = (uint8_t)(h->ttl - 1),
		.protocol = h->protocol == PROTO_ICMP6 ? PROTO_ICMP :
		    h->protocol,
		.total = (uint16_t)(h->total - shrunk)
	};

	*out = pass->packet;
	out->at += shrunk;
	out->headroom += shrunk;
	out->len -= shrunk;
	if (out->offload.gso != PACKET_GSO_NONE)
		out->offload.hdr_len =
		    (uint16_t)(out->offload.hdr_len - shrunk);
	if (out->offload.partial)
		out->offload.csum_start =
		    (uint16_t)(out->offload.csum_start - shrunk);
	if (h->has_fragment) {
		header.ident = (uint16_t)h->ident;
		header.fragment = (uint16_t)(h->offset / 8 |
		    (h->more ? IP4_MF : 0u));
	} else {
		header.ident = pass_ident(pass, addr, header.protocol,
		    packet_segments(out));
		header.fragment = header4_df(IP4_HEADER + segment_size(pass));
	}
	header4_write(out->at, &header);
}

void
pass_hairpin(struct pass *pass)
{
	pass->packet = pass->result->packet;
	pass->again = true;
	pass_4to6(pass);
	pass->result->hairpinned = true;
}

static void
forward(struct pass *pass, const struct pair4 *addr,
    const struct icmp_kind *kind, uint32_t max)
{
	struct packet_offload *offload = &pass->result->packet.offload;

	translate_transport(pass, addr, kind);
	write_header(pass, addr);
	pass->result->verdict = SIIT_FORWARD;
	pass->result->reason = DROP_NONE;
	if (addr->hairpin)
		pass_hairpin(pass);
	else if (max == 0)
		return;
	else if (offload->gso == PACKET_GSO_TCP)
		offload->gso_size = (uint16_t)(max - offload->hdr_len);
	else
		pass_cut(pass, max,
		    get_u16(pass->result->packet.at + IP4_ID));
}

/* --- all together -------------------------------------------------------- */

void
pass_6to4(struct pass *pass)
{
	struct icmp_kind kind = { 0 };
	enum drop_reason reason;
	struct pair4 addr;
	uint32_t max = 0;

	reason = headers_read6(pass->packet.at, pass->packet.len,
	    HEADERS_PACKET, &pass->headers);
	if (reason == DROP_NONE) {
		pass->packet.len = pass->headers.total;
		reason = transport_check_offload(pass);
	}
	if (reason != DROP_NONE) {
		pass_refuse(pass, reason, 0);
		return;
	}
	if (!check_route(pass, &addr))
		return;
	if (is_icmp_error(pass)) {
		pass_icmp_error_6to4(pass, addr.destination);
		return;
	}
	reason = check_transport(pass, &kind);
	if (reason == DROP_NONE)
		reason = address_source_6to4(pass, false, &addr.source);
	if (reason == DROP_NONE && is_too_long(pass, &addr))
		reason = DROP_TOO_LONG;
	if (reason != DROP_NONE)
		pass_refuse(pass, reason, 0);
	else if (addr.hairpin || check_size(pass, &max))
		forward(pass, &addr, &kind, max);
}
