/* SPDX-License-Identifier: ISC */
/*
 * wire.h - where the fields of headers lie, and big-endian access to them.
 *
 * For octets whose presence was checked before; for others there is bytes.h.
 * Pure.
 */
#ifndef TRANSLATE_WIRE_H
#define TRANSLATE_WIRE_H

#include <stdint.h>

enum {	/* RFC 791 3.1 */
	IP4_TOS = 1,
	IP4_LENGTH = 2,
	IP4_ID = 4,
	IP4_FRAGMENT = 6,	/* flags and offset */
	IP4_TTL = 8,
	IP4_PROTOCOL = 9,
	IP4_CHECKSUM = 10,
	IP4_SOURCE = 12,
	IP4_DESTINATION = 16,
	IP4_HEADER = 20,	/* octets without options */
	IP4_DF = 0x4000,
	IP4_MF = 0x2000,
	IP4_OFFSET_MASK = 0x1fff
};

enum {	/* RFC 8200 3, 4 */
	IP6_LENGTH = 4,
	IP6_NEXT = 6,
	IP6_HOP_LIMIT = 7,
	IP6_SOURCE = 8,
	IP6_DESTINATION = 24,
	IP6_HEADER = 40,
	FRAGMENT_NEXT = 0,
	FRAGMENT_OFFSET = 2,	/* in eights of octets << 3, and flags */
	FRAGMENT_ID = 4,
	FRAGMENT_HEADER = 8,
	FRAGMENT_MORE = 1,
	FRAGMENT_OFFSET_MASK = 0xfff8,
	ROUTING_SEGMENTS_LEFT = 3
};

enum {	/* RFC 9293 3.1, RFC 768, RFC 792, RFC 4443 2.1 */
	TCP_DATA_OFFSET = 12,
	TCP_CHECKSUM = 16,
	TCP_HEADER = 20,
	UDP_LENGTH = 4,
	UDP_CHECKSUM = 6,
	UDP_HEADER = 8,
	ICMP_CODE = 1,
	ICMP_CHECKSUM = 2,
	ICMP_REST = 4,
	ICMP_HEADER = 8
};

enum {	/* IANA protocol numbers */
	PROTO_HOP_BY_HOP = 0,
	PROTO_ICMP = 1,
	PROTO_IGMP = 2,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_ESP = 50,
	PROTO_AH = 51,
	PROTO_ICMP6 = 58,
	PROTO_NONE = 59,
	PROTO_OPTIONS = 60,
	PROTO_MOBILITY = 135,
	PROTO_HIP = 139,
	PROTO_SHIM6 = 140
};

enum {	/* RFC 792, RFC 1812 5.2.7: types, and codes of some */
	ICMP4_ECHO_REPLY = 0,
	ICMP4_UNREACHABLE = 3,
	ICMP4_QUENCH = 4,
	ICMP4_REDIRECT = 5,
	ICMP4_ECHO = 8,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP4_PARAMETER = 12,
	ICMP4_HOST = 1,
	ICMP4_PROTOCOL = 2,
	ICMP4_PORT = 3,
	ICMP4_TOO_BIG = 4,
	ICMP4_SOURCE_ROUTE = 5,
	ICMP4_HOST_PROHIBITED = 10,
	ICMP4_PROHIBITED = 13,
	ICMP4_BAD_LENGTH = 2
};

enum {	/* RFC 4443: types, and codes of some */
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAMETER = 4,
	ICMP6_INFORMATIONAL = 128,	/* this and all above are no errors */
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_REDIRECT = 137,
	ICMP6_NO_ROUTE = 0,
	ICMP6_PROHIBITED = 1,
	ICMP6_PORT = 4,
	ICMP6_NEXT_HEADER = 1
};

static inline uint16_t
get_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t
get_u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	    (uint32_t)at[2] << 8 | at[3];
}

static inline void
put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void
put_u32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

#endif
