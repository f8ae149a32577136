/* SPDX-License-Identifier: ISC */
#include "tests/lib/packet_make.h"

#include <assert.h>
#include <string.h>

#include "tests/lib/packet_check.h"

enum { TCP = 6, UDP = 17, ICMP = 1, ICMP6 = 58, OPTIONS = 60, FRAGMENT = 44,
	OTHER = 132, DF = 0x4000, MF = 0x2000 };

uint32_t
chance_u32(struct chance *chance)
{
	uint64_t x = chance->state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	chance->state = x;
	return (uint32_t)(x >> 16);
}

uint32_t
chance_below(struct chance *chance, uint32_t n)
{
	return chance_u32(chance) % n;
}

static void
set16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void
fill(struct chance *chance, uint8_t *at, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		at[i] = (uint8_t)chance_u32(chance);
}

static uint8_t
protocol_of(const struct packet_make *make, struct chance *chance, bool v4)
{
	switch (make->kind) {
	case PACKET_MAKE_TCP:
		return TCP;
	case PACKET_MAKE_UDP:
		return UDP;
	case PACKET_MAKE_ECHO:
		return v4 ? ICMP : ICMP6;
	case PACKET_MAKE_PART:
		return chance_below(chance, 2) == 0 ? UDP : OTHER;
	case PACKET_MAKE_OTHER:
	case N_PACKET_MAKE:
		break;
	}
	return OTHER;
}

static size_t
header_of(uint8_t protocol, struct chance *chance)
{
	switch (protocol) {
	case TCP:
		return 20 + 4 * chance_below(chance, 11);
	case UDP:
	case ICMP:
	case ICMP6:
		return 8;
	}
	return 0;
}

static uint32_t
pseudo_sum(const struct packet_make *make, uint8_t protocol, size_t len)
{
	bool v4 = addr_is_v4(&make->source);
	size_t from = v4 ? 12 : 0;

	return (uint32_t)plain_sum(make->source.octet + from, 16 - from, 0) +
	    plain_sum(make->destination.octet + from, 16 - from, 0) +
	    protocol + (uint32_t)len;
}

/* The transport header's fixed fields and the sum, over random octets. */
static void
finish_transport(const struct packet_make *make, uint8_t protocol,
    uint8_t *at, size_t header, size_t len)
{
	uint32_t sum = pseudo_sum(make, protocol, len);
	size_t field = 2;

	if (protocol == TCP) {
		at[12] = (uint8_t)(header / 4 << 4);
		field = 16;
	} else if (protocol == UDP) {
		set16(at + 4, (unsigned)len);
		field = 6;
	} else if (protocol == ICMP || protocol == ICMP6) {
		at[0] = protocol == ICMP ? (at[0] & 1 ? 8 : 0) :
		    at[0] & 1 ? 128 : 129;
		at[1] = 0;
		if (protocol == ICMP)
			sum = 0;
	} else {
		return;
	}
	set16(at + field, 0);
	sum = plain_sum(at, len, sum) ^ 0xffffu;
	set16(at + field, sum == 0 && protocol == UDP ? 0xffff : sum);
}

static size_t
make4(const struct packet_make *make, struct chance *chance, uint8_t protocol,
    const uint8_t *transport, size_t len, unsigned fragment, uint8_t *out)
{
	fill(chance, out, 20);
	out[0] = 0x45;
	set16(out + 2, (unsigned)(20 + len));
	set16(out + 6, fragment);
	out[8] = (uint8_t)(3 + chance_below(chance, 253));
	out[9] = protocol;
	set16(out + 10, 0);
	memcpy(out + 12, make->source.octet + 12, 4);
	memcpy(out + 16, make->destination.octet + 12, 4);
	set16(out + 10, plain_sum(out, 20, 0) ^ 0xffffu);
	memcpy(out + 20, transport, len);
	return 20 + len;
}

/* `part`: with a Fragment header whose offset and flags are `fragment`. */
static size_t
make6(const struct packet_make *make, struct chance *chance, uint8_t protocol,
    const uint8_t *transport, size_t len, bool part, unsigned fragment,
    bool options, uint8_t *out)
{
	size_t header = 40;
	uint8_t *next = out + 6;

	fill(chance, out, 40);
	out[0] = (uint8_t)(0x60 | (out[0] & 0xf));
	out[7] = (uint8_t)(3 + chance_below(chance, 253));
	memcpy(out + 8, make->source.octet, 16);
	memcpy(out + 24, make->destination.octet, 16);
	if (options) {
		*next = OPTIONS;
		next = out + header;
		memcpy(next, (const uint8_t[8]) { 0, 0, 1, 4 }, 8);
		header += 8;
	}
	if (part) {
		*next = FRAGMENT;
		next = out + header;
		fill(chance, next, 8);
		next[1] = 0;
		set16(next + 2, fragment);
		header += 8;
	}
	*next = protocol;
	memcpy(out + header, transport, len);
	set16(out + 4, (unsigned)(header - 40 + len));
	return header + len;
}

size_t
packet_make(const struct packet_make *make, struct chance *chance,
    uint8_t *out)
{
	uint8_t transport[PACKET_MAKE_MAX];
	bool v4 = addr_is_v4(&make->source);
	bool part = make->kind == PACKET_MAKE_PART;
	uint8_t protocol = protocol_of(make, chance, v4);
	size_t header = header_of(protocol, chance);
	size_t len = header + make->payload;
	unsigned offset = 0, more = 0;

	assert(addr_is_v4(&make->destination) == v4);
	assert(len + 60 <= sizeof(transport));
	fill(chance, transport, len);
	if (part) {
		len = (len + 8) / 8 * 8;
		fill(chance, transport, len);
		offset = chance_below(chance, 3) * 1232;
		more = offset == 0 || chance_below(chance, 2) == 0;
		/* A first fragment has a checksum, if not this one's. */
		if (protocol == UDP)
			transport[6] |= 1;
	} else {
		finish_transport(make, protocol, transport, header, len);
	}
	if (v4)
		return make4(make, chance, protocol, transport, len, part ?
		    offset / 8 | (more ? MF : 0u) :
		    chance_below(chance, 2) * DF, out);
	return make6(make, chance, protocol, transport, len, part,
	    offset | more, chance_below(chance, 8) == 0, out);
}

void
packet_make_super(uint8_t *octets, size_t len, uint16_t size,
    struct packet_offload *ret)
{
	bool v4 = octets[0] >> 4 == 4;
	uint8_t protocol = octets[v4 ? 9 : 6];
	size_t transport = v4 ? 20 : 40, field = protocol == TCP ? 16 : 6;
	uint32_t sum = (uint32_t)(len - transport) + protocol;

	sum = plain_sum(octets + (v4 ? 12 : 8), v4 ? 8 : 32, sum);
	set16(octets + transport + field, sum);
	*ret = (struct packet_offload) {
		.gso = protocol == TCP ? PACKET_GSO_TCP : PACKET_GSO_UDP,
		.partial = true,
		.gso_size = size,
		.hdr_len = (uint16_t)(transport + (protocol == TCP ?
		    (octets[transport + 12] >> 4) * 4 : 8)),
		.csum_start = (uint16_t)transport,
		.csum_offset = (uint16_t)field
	};
}
