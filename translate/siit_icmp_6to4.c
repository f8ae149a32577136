/* SPDX-License-Identifier: ISC */
#include "translate/siit_icmp.h"

#include <string.h>

#include "translate/checksum.h"
#include "translate/wire.h"

enum {	/* RFC 4884 7, RFC 5837 4: the interface that a datagram arrived on */
	STRUCTURE_HEADER = 4,
	STRUCTURE_VERSION = 2,
	OBJECT_SIZE = 24,
	OBJECT_CLASS = 2,
	OBJECT_IP_ADDRESS = 4,	/* C-Type: role 0, with an address */
	AFI_IPV6 = 2
};

/* ret->hairpin: RFC 7757 4.2.2, B2 and B3 hold. */
static enum drop_reason
map_inner_6to4(const struct pass *pass, const struct quote *q,
    struct pair4 *ret)
{
	enum address_found found;
	struct addr v6;

	memcpy(v6.octet, q->at + IP6_DESTINATION, sizeof(v6.octet));
	found = address_6to4(pass, &v6, false, &ret->destination);
	if (found != ADDRESS_BY_EAM && found != ADDRESS_BY_PREFIX)
		return DROP_ICMP_INNER;
	memcpy(v6.octet, q->at + IP6_SOURCE, sizeof(v6.octet));
	found = address_6to4(pass, &v6, false, &ret->source);
	if (found != ADDRESS_BY_EAM && found != ADDRESS_BY_PREFIX)
		return DROP_ICMP_INNER;
	ret->hairpin = found == ADDRESS_BY_PREFIX &&
	    pass->siit->hairpin == SIIT_HAIRPIN_INTRINSIC &&
	    address_has_host(pass, ret->source);
	return DROP_NONE;
}

static uint8_t
tos_of(const struct siit *siit, uint8_t traffic_class)
{
	return siit->tos == SIIT_TOS_COPY ? traffic_class :
	    (uint8_t)siit->tos;
}

static void
write_datagram4(const struct pass *pass, const struct quote *q,
    const struct pair4 *addr, struct message *m)
{
	const struct headers *h = &q->headers;
	uint32_t size = h->total - h->transport;
	uint64_t before, after;
	uint8_t *transport;
	struct header4 header = {
		.addr = *addr,
		.tos = tos_of(pass->siit, h->tos),
		.ttl = h->ttl,
		.protocol = h->protocol == PROTO_ICMP6 ? PROTO_ICMP :
		    h->protocol,
		.total = (uint16_t)(IP4_HEADER + size),
		.ident = (uint16_t)h->ident
	};
	size_t n;

	if (h->has_fragment)
		header.fragment = (uint16_t)(h->offset / 8 |
		    (h->more ? IP4_MF : 0u));
	else
		header.fragment = header4_df(header.total);
	header4_write(message_append(m, IP4_HEADER), &header);
	transport = message_append_transport(m, q, &n);
	if (h->offset != 0 || n == 0)
		return;
	before = checksum_of(q->at + IP6_SOURCE, 32);
	after = (uint64_t)addr->source + addr->destination;
	if (h->protocol == PROTO_ICMP6)
		echo_change(transport, n, transport[0] == ICMP6_ECHO ?
			ICMP4_ECHO : ICMP4_ECHO_REPLY,
		    checksum_change(before + size + PROTO_ICMP6, 0));
	else
		transport_update_quote(transport, n, h->protocol,
		    checksum_change(before, after));
}

/* Of ICMPv6 only echo messages are translated; what is cut off may be one. */
static bool
has_echo(const struct quote *q)
{
	const struct headers *h = &q->headers;

	if (h->offset != 0 || q->len <= h->transport)
		return true;
	return q->at[h->transport] == ICMP6_ECHO ||
	    q->at[h->transport] == ICMP6_ECHO_REPLY;
}

/* What is inside must be a packet that we could have translated. */
static enum drop_reason
read_quote6(const struct pass *pass, struct quote *q)
{
	const uint8_t *icmp = pass->packet.at + pass->headers.transport;
	bool extended = icmp[0] == ICMP6_UNREACHABLE ||
	    icmp[0] == ICMP6_TIME_EXCEEDED;

	quote_find(pass, extended ? icmp[LENGTH6] : 0, UNIT6, q);
	if (headers_read6(q->at, q->len, HEADERS_QUOTE, &q->headers) !=
	    DROP_NONE)
		return DROP_ICMP_INNER;
	if (quote_is_error(q, PROTO_ICMP6, icmp6_is_error))
		return DROP_ICMP_INNER_ERROR;
	if (q->headers.protocol == PROTO_ICMP ||
	    IP4_HEADER + q->headers.total - q->headers.transport > UINT16_MAX)
		return DROP_ICMP_INNER;
	if (q->headers.protocol == PROTO_ICMP6 && !has_echo(q))
		return DROP_ICMP_INNER;
	return DROP_NONE;
}

/*
 * RFC 6791 4: tell the router's own address in an RFC 5837 object, behind the
 * extensions there are or as the only one.  out[max] holds `len` octets of
 * extensions; returns how many it holds then.
 */
static size_t
add_address(const uint8_t *router, uint8_t *out, size_t len, size_t max)
{
	uint8_t *object;

	if (len == 0) {
		len = STRUCTURE_HEADER;
		put_u32(out, (uint32_t)STRUCTURE_VERSION << 28);
	} else if (len < STRUCTURE_HEADER || len % 4 != 0 ||
	    out[0] >> 4 != STRUCTURE_VERSION ||
	    (get_u16(out + 2) != 0 &&
		checksum_finish(checksum_of(out, len)) != 0)) {
		return len;	/* nothing that one could append to */
	}
	if (len + OBJECT_SIZE > max)
		return len;
	object = out + len;
	put_u16(object, OBJECT_SIZE);
	object[2] = OBJECT_CLASS;
	object[3] = OBJECT_IP_ADDRESS;
	put_u32(object + 4, (uint32_t)AFI_IPV6 << 16);
	memcpy(object + 8, router, 16);
	len += OBJECT_SIZE;
	put_u16(out + 2, 0);
	put_u16(out + 2, checksum_finish(checksum_of(out, len)));
	return len;
}

static void
append_extension4(const struct pass *pass, const struct quote *q,
    bool hide_source, struct message *m)
{
	uint8_t extension[ERROR_MAX];
	size_t len = q->extension_len;

	if (len > sizeof(extension))
		len = 0;
	if (len > 0)
		memcpy(extension, q->extension, len);
	if (hide_source && pass->siit->pool_extension)
		len = add_address(pass->packet.at + IP6_SOURCE, extension,
		    len, sizeof(extension));
	message_append_extension(m, extension, len, UNIT4);
}

void
pass_icmp_error_6to4(struct pass *pass, uint32_t destination)
{
	const struct headers *h = &pass->headers;
	const uint8_t *icmp = pass->packet.at + h->transport;
	struct message m = message_of(pass, IP4_HEADER, pass->siit->mtu4);
	struct pair4 outer = { .destination = destination }, inner;
	enum drop_reason reason;
	struct header4 header;
	struct icmp_kind kind;
	struct quote q;

	reason = icmp_check(pass);
	if (reason == DROP_NONE)
		reason = read_quote6(pass, &q);
	if (reason == DROP_NONE)
		reason = icmp_kind_6to4(pass->siit, icmp,
		    q.headers.has_fragment, &kind);
	if (reason == DROP_NONE)
		reason = address_source_6to4(pass, true, &outer.source);
	if (reason == DROP_NONE)
		reason = map_inner_6to4(pass, &q, &inner);
	if (reason != DROP_NONE) {
		pass_drop(pass, reason);
		return;
	}
	write_datagram4(pass, &q, &inner, &m);
	append_extension4(pass, &q, address_is_ours4(pass->siit, outer.source),
	    &m);
	header = (struct header4) {
		.addr = outer,
		.tos = tos_of(pass->siit, h->tos),
		.ttl = (uint8_t)(h->ttl - 1),
		.protocol = PROTO_ICMP,
		.total = (uint16_t)m.len,
		.ident = pass_ident(pass, &outer, PROTO_ICMP, 1),
		.fragment = header4_df(m.len)
	};
	header4_write(m.at, &header);
	message_write_icmp(&m, &kind, LENGTH4, 0);
	message_forward(pass, &m);
	if (inner.hairpin)
		pass_hairpin(pass);
}
