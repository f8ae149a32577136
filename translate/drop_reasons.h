/* SPDX-License-Identifier: ISC */
/*
 * drop_reasons.h - why a packet was not translated: one list makes the enum,
 * the counter's label, the text and where the rule stands.
 *
 * DROP_REASON(id, label, text, rule): the label is for logs and metrics and
 * never changes its meaning; the text completes "packet dropped: ...".  A
 * reason says why, not what was sent back: see siit.h.
 */
#ifndef TRANSLATE_DROP_REASONS_H
#define TRANSLATE_DROP_REASONS_H

#define DROP_REASONS \
	DROP_REASON(NONE, "none", "it was not dropped", "") \
	/* packets that are not well-formed */ \
	DROP_REASON(TOO_SHORT, "too_short", \
	    "it ends before its headers do", "RFC 791 3.1, RFC 8200 3") \
	DROP_REASON(BAD_VERSION, "bad_version", \
	    "it is neither IPv4 nor IPv6", "RFC 791 3.1, RFC 8200 3") \
	DROP_REASON(BAD_LENGTH, "bad_length", \
	    "its length fields contradict its size", \
	    "RFC 1812 5.2.2, RFC 8200 3") \
	DROP_REASON(BAD_HEADER_CHECKSUM, "bad_header_checksum", \
	    "its IPv4 header checksum is wrong", "RFC 1812 5.2.2") \
	DROP_REASON(BAD_ICMP_CHECKSUM, "bad_icmp_checksum", \
	    "the checksum of its ICMP message is wrong", "RFC 7915 5") \
	DROP_REASON(BAD_FRAGMENT, "bad_fragment", \
	    "a fragment whose size or offset cannot be", "RFC 8200 4.5") \
	DROP_REASON(BAD_OFFLOAD, "bad_offload", \
	    "the kernel's offload header does not fit it", "") \
	DROP_REASON(TOO_LONG, "too_long", \
	    "it is longer than an IPv4 packet can be", "RFC 791 3.1") \
	/* its addresses */ \
	DROP_REASON(ILLEGAL_SOURCE, "illegal_source", \
	    "its source can be no host's", \
	    "RFC 7915 4.1, 5.1, RFC 1812 5.3.7") \
	DROP_REASON(ILLEGAL_DESTINATION, "illegal_destination", \
	    "its destination is loopback, link-local, multicast or reserved", \
	    "RFC 7915 1.2, RFC 1812 5.3.7") \
	DROP_REASON(SOURCE_UNMAPPED, "source_unmapped", \
	    "nothing maps its source", "RFC 7915 6") \
	DROP_REASON(DESTINATION_UNMAPPED, "destination_unmapped", \
	    "nothing maps its destination", "RFC 7915 6") \
	DROP_REASON(NOT_GLOBAL, "not_global", \
	    "the well-known prefix with a non-global IPv4 address", \
	    "RFC 6052 3.1") \
	DROP_REASON(POOL_EXHAUSTED, "pool_exhausted", \
	    "no address of the dynamic pool is free", "") \
	/* what routers do */ \
	DROP_REASON(HOP_LIMIT, "hop_limit", \
	    "its TTL or hop limit ran out", "RFC 7915 4.1, 5.1") \
	DROP_REASON(TOO_BIG, "too_big", \
	    "it exceeds the next hop's MTU and may not be fragmented", \
	    "RFC 7915 4.1, 5.1") \
	DROP_REASON(SOURCE_ROUTE, "source_route", \
	    "it has an unexpired source route option", "RFC 7915 4.1") \
	DROP_REASON(ROUTING_HEADER, "routing_header", \
	    "it has a Routing header with segments left", "RFC 7915 5.1") \
	DROP_REASON(EXTENSION_HEADERS, "extension_headers", \
	    "it has more extension headers than we follow", "RFC 7915 5.1") \
	DROP_REASON(OWN_ADDRESS, "own_address", \
	    "it is for the translator, which has no such service", \
	    "RFC 1122 3.2.2.1") \
	/* fragments */ \
	DROP_REASON(FRAGMENTED_EXTENSION, "fragmented_extension", \
	    "an extension header follows its Fragment header", \
	    "RFC 7915 5.1.1") \
	DROP_REASON(FRAGMENTED_ICMP, "fragmented_icmp", \
	    "a fragment of an ICMP message", "RFC 7915 1.2") \
	/* transports */ \
	DROP_REASON(UDP_NO_CHECKSUM, "udp_no_checksum", \
	    "UDP without a checksum", "RFC 7915 4.5") \
	DROP_REASON(UDP_NO_CHECKSUM_FRAGMENT, "udp_no_checksum_fragment", \
	    "a first fragment of UDP without a checksum", "RFC 7915 4.5") \
	DROP_REASON(UNTRANSLATABLE_PROTOCOL, "untranslatable_protocol", \
	    "its protocol number means something else in the other family", \
	    "RFC 7915 4.1, 5.1") \
	DROP_REASON(IGMP, "igmp", "IGMP, which stays on its link", \
	    "RFC 7915 4.2") \
	/* ICMP */ \
	DROP_REASON(ICMP_TYPE, "icmp_type", \
	    "the other ICMP has no such type", "RFC 7915 4.2, 5.2") \
	DROP_REASON(ICMP_CODE, "icmp_code", \
	    "the other ICMP has no such code", "RFC 7915 4.2, 5.2") \
	DROP_REASON(ICMP_POINTER, "icmp_pointer", \
	    "the field it points to is not in the other header", \
	    "RFC 7915 4.2, 5.2") \
	DROP_REASON(ICMP_INNER, "icmp_inner", \
	    "the packet inside the ICMP error cannot be translated", \
	    "RFC 7915 4.3, 5.3") \
	DROP_REASON(ICMP_INNER_ERROR, "icmp_inner_error", \
	    "an ICMP error about an ICMP error", "RFC 7915 4.3, 5.3") \
	/* the device */ \
	DROP_REASON(WRITE_FAILED, "write_failed", \
	    "the kernel did not take what it became", "")

enum drop_reason {
#define DROP_REASON(id, label, text, rule) DROP_##id,
	DROP_REASONS
#undef DROP_REASON
	N_DROP_REASONS
};

const char *drop_reason_label(enum drop_reason);
const char *drop_reason_text(enum drop_reason);

/* "RFC 7915 4.1", or "" where no RFC decides. */
const char *drop_reason_rule(enum drop_reason);

#endif
