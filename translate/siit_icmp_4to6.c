/* SPDX-License-Identifier: ISC */
#include "translate/siit_icmp.h"

#include "translate/checksum.h"
#include "translate/wire.h"

/* RFC 7757 4.2.1, rules 2 and 3, and where we stand in for the source. */
static enum drop_reason
map_4to6(const struct pass *pass, const struct quote *q, struct pair6 *outer,
    struct pair6 *inner)
{
	const struct siit *siit = pass->siit;
	const enum address_use use = address_use_of_peer(pass);
	const uint8_t *at = pass->packet.at;
	uint32_t source = get_u32(at + IP4_SOURCE);
	uint32_t inner_destination = get_u32(q->at + IP4_DESTINATION);
	enum address_found found;
	enum drop_reason reason;

	reason = address_destination_4to6(pass, &outer->destination);
	if (reason != DROP_NONE)
		return reason;
	found = address_4to6(pass, source,
	    source == inner_destination ? use : ADDRESS_PLAIN,
	    &outer->source);
	if (found != ADDRESS_BY_EAM && found != ADDRESS_BY_PREFIX) {
		/*
		 * A router with a private address, say.  Its error must come
		 * through, and from us it may (compare RFC 6791).
		 */
		if (!siit->has_own6)
			return found == ADDRESS_NOT_GLOBAL ?
			    DROP_NOT_GLOBAL : DROP_SOURCE_UNMAPPED;
		outer->source = siit->own6;
	}
	found = address_4to6(pass, get_u32(q->at + IP4_SOURCE),
	    ADDRESS_PLAIN, &inner->source);
	if (found != ADDRESS_BY_EAM && found != ADDRESS_BY_PREFIX)
		return DROP_ICMP_INNER;
	found = address_4to6(pass, inner_destination, use,
	    &inner->destination);
	if (found != ADDRESS_BY_EAM && found != ADDRESS_BY_PREFIX)
		return DROP_ICMP_INNER;
	return DROP_NONE;
}

static uint8_t
class_of(const struct siit *siit, uint8_t tos)
{
	return siit->traffic_class == SIIT_TOS_COPY ? tos :
	    (uint8_t)siit->traffic_class;
}

/* The packet inside, translated like any other but for its TTL. */
static void
write_datagram6(const struct pass *pass, const struct quote *q,
    const struct pair6 *addr, struct message *m)
{
	const struct headers *h = &q->headers;
	uint32_t size = h->total - h->transport;
	uint64_t before, after;
	uint8_t *transport;
	struct header6 header = {
		.addr = *addr,
		.traffic_class = class_of(pass->siit, h->tos),
		.hop_limit = h->ttl,
		.protocol = h->protocol == PROTO_ICMP ? PROTO_ICMP6 :
		    h->protocol,
		.length = (uint16_t)size
	};
	uint8_t protocol = header.protocol;
	size_t n;

	if (h->has_fragment) {
		header.protocol = PROTO_FRAGMENT;
		header.length = (uint16_t)(size + FRAGMENT_HEADER);
	}
	header6_write(message_append(m, IP6_HEADER), &header);
	if (h->has_fragment)
		fragment_write(message_append(m, FRAGMENT_HEADER), protocol,
		    h);
	transport = message_append_transport(m, q, &n);
	if (h->offset != 0 || n == 0)
		return;
	after = checksum_of_addr(&addr->source) +
	    checksum_of_addr(&addr->destination);
	before = checksum_of(q->at + IP4_SOURCE, 8);
	if (h->protocol == PROTO_ICMP)
		echo_change(transport, n, transport[0] == ICMP4_ECHO ?
			ICMP6_ECHO : ICMP6_ECHO_REPLY,
		    after + size + PROTO_ICMP6);
	else
		transport_update_quote(transport, n, h->protocol,
		    checksum_change(before, after));
}

/* Of ICMP only echo messages are translated; what is cut off may be one. */
static bool
has_echo(const struct quote *q)
{
	const struct headers *h = &q->headers;

	if (h->offset != 0 || q->len <= h->transport)
		return true;
	return q->at[h->transport] == ICMP4_ECHO ||
	    q->at[h->transport] == ICMP4_ECHO_REPLY;
}

/* What is inside must be a packet that we could have translated. */
static enum drop_reason
read_quote4(const struct pass *pass, struct quote *q)
{
	const uint8_t *icmp = pass->packet.at + pass->headers.transport;

	quote_find(pass, icmp[LENGTH4], UNIT4, q);
	if (headers_read4(q->at, q->len, HEADERS_QUOTE, &q->headers) !=
	    DROP_NONE)
		return DROP_ICMP_INNER;
	if (quote_is_error(q, PROTO_ICMP, icmp4_is_error))
		return DROP_ICMP_INNER_ERROR;
	switch (q->headers.protocol) {
	case PROTO_HOP_BY_HOP:
	case PROTO_ROUTING:
	case PROTO_FRAGMENT:
	case PROTO_OPTIONS:
	case PROTO_ICMP6:
		return DROP_ICMP_INNER;
	case PROTO_ICMP:
		if (!has_echo(q))
			return DROP_ICMP_INNER;
		break;
	}
	return DROP_NONE;
}

void
pass_icmp_error_4to6(struct pass *pass)
{
	const struct headers *h = &pass->headers;
	const uint8_t *icmp = pass->packet.at + h->transport;
	struct message m = message_of(pass, IP6_HEADER, pass->siit->mtu6);
	struct pair6 outer, inner;
	enum drop_reason reason;
	struct icmp_kind kind;
	struct header6 header;
	struct quote q;

	reason = icmp_check(pass);
	if (reason == DROP_NONE)
		reason = read_quote4(pass, &q);
	if (reason == DROP_NONE)
		reason = icmp_kind_4to6(pass->siit, icmp, q.headers.total,
		    &kind);
	if (reason == DROP_NONE)
		reason = map_4to6(pass, &q, &outer, &inner);
	if (reason != DROP_NONE) {
		pass_drop(pass, reason);
		return;
	}
	write_datagram6(pass, &q, &inner, &m);
	/* RFC 4884 4.6: ICMPv6's other errors have no length attribute. */
	if (kind.type == ICMP6_UNREACHABLE || kind.type == ICMP6_TIME_EXCEEDED)
		message_append_extension(&m, q.extension, q.extension_len,
		    UNIT6);
	header = (struct header6) {
		.addr = outer,
		.traffic_class = class_of(pass->siit, h->tos),
		.hop_limit = (uint8_t)(h->ttl - (pass->again ? 0 : 1)),
		.protocol = PROTO_ICMP6,
		.length = (uint16_t)(m.len - IP6_HEADER)
	};
	header6_write(m.at, &header);
	message_write_icmp(&m, &kind, LENGTH6,
	    checksum_of(m.at + IP6_SOURCE, 32) + header.length + PROTO_ICMP6);
	message_forward(pass, &m);
}
