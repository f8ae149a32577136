/* SPDX-License-Identifier: ISC */
#include "common/prefix.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The octet of a mask of `len` bits that stands at place i. */
static uint8_t
mask_octet(unsigned len, unsigned i)
{
	if (len >= 8 * (i + 1))
		return 0xff;
	if (len <= 8 * i)
		return 0;
	return (uint8_t)(0xff00u >> (len - 8 * i));
}

/* Eight octets as one number; written so that compilers see one load. */
static inline uint64_t
half_of(const uint8_t *o)
{
	return (uint64_t)o[0] << 56 | (uint64_t)o[1] << 48 |
	    (uint64_t)o[2] << 40 | (uint64_t)o[3] << 32 |
	    (uint64_t)o[4] << 24 | (uint64_t)o[5] << 16 |
	    (uint64_t)o[6] << 8 | (uint64_t)o[7];
}

static inline bool
same_bits(const struct addr *a, const struct addr *b, unsigned len)
{
	uint64_t high = half_of(a->octet) ^ half_of(b->octet);
	uint64_t low = half_of(a->octet + 8) ^ half_of(b->octet + 8);

	if (len == 0)
		return true;
	if (len <= 64)
		return high >> (64 - len) == 0;
	return high == 0 && low >> (128 - len) == 0;
}

static bool
has_host_bits(const struct addr *addr, unsigned len)
{
	unsigned i;

	for (i = 0; i < 16; i++)
		if (addr->octet[i] & ~mask_octet(len, i))
			return true;
	return false;
}

/* One to three digits without a leading zero; returns -1 for others. */
static int
parse_length(const char *text, size_t len)
{
	int value = 0;
	size_t i;

	if (len == 0 || len > 3 || (len > 1 && text[0] == '0'))
		return -1;
	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = 10 * value + (text[i] - '0');
	}
	return value;
}

enum prefix_error
prefix_parse(const char *text, size_t len, struct prefix *ret)
{
	const char *slash = len > 0 ? memchr(text, '/', len) : NULL;
	size_t addr_len = slash != NULL ? (size_t)(slash - text) : len;
	struct prefix p;
	int bits = 128;
	bool v4;

	if (!addr_parse(text, addr_len, &p.addr))
		return PREFIX_SYNTAX;
	/* Written with a colon it is IPv6, v4-mapped or not. */
	v4 = memchr(text, ':', addr_len) == NULL;
	if (slash != NULL) {
		bits = parse_length(slash + 1, len - addr_len - 1);
		if (bits < 0)
			return PREFIX_SYNTAX;
		if (bits > (v4 ? 32 : 128))
			return PREFIX_LENGTH;
		bits += v4 ? 96 : 0;
	}
	p.len = (uint8_t)bits;
	if (has_host_bits(&p.addr, p.len))
		return PREFIX_HOST_BITS;
	*ret = p;
	return PREFIX_OK;
}

const char *
prefix_strerror(enum prefix_error error)
{
	switch (error) {
	case PREFIX_OK:
		return "nothing is wrong";
	case PREFIX_SYNTAX:
		return "is not an address prefix";
	case PREFIX_LENGTH:
		return "has a length beyond its address's bits";
	case PREFIX_HOST_BITS:
		return "has bits set beyond its length";
	}
	assert(false);
	return NULL;
}

bool
prefix_contains(const struct prefix *p, const struct addr *addr)
{
	return same_bits(&p->addr, addr, p->len);
}

bool
prefix_within(const struct prefix *inner, const struct prefix *outer)
{
	return inner->len >= outer->len &&
	    prefix_contains(outer, &inner->addr);
}

char *
prefix_format(const struct prefix *p, char out[PREFIX_TEXT_MAX])
{
	bool v4 = addr_is_v4(&p->addr) && p->len >= 96;
	char text[ADDR_TEXT_MAX];

	addr_format(&p->addr, text);
	snprintf(out, PREFIX_TEXT_MAX, "%s/%u", text,
	    v4 ? p->len - 96u : p->len);
	return out;
}

#define RANGE(name, length, ...) \
	{ name, { { { __VA_ARGS__ } }, length } }

/*
 * IANA IPv6 Special-Purpose Address Registry (RFC 6890) but for documentation;
 * IPv4-compatible and site-local from RFC 4291, IPv4-translated from RFC 2765.
 * Longer prefixes come first, so that the first match is the most specific.
 */
static const struct special_range ranges[] = {
	RANGE("unspecified", 128, 0),
	RANGE("loopback", 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
	RANGE("PCP anycast", 128,
	    0x20, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
	RANGE("TURN anycast", 128,
	    0x20, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2),
	RANGE("DNS-SD SRP anycast", 128,
	    0x20, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3),
	RANGE("IPv4-mapped", 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff),
	RANGE("IPv4-translated", 96, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff),
	RANGE("IPv4-compatible", 96, 0),
	RANGE("NAT64", 96, 0, 0x64, 0xff, 0x9b),
	RANGE("discard-only", 64, 1),
	RANGE("dummy", 64, 1, 0, 0, 0, 0, 0, 0, 1),
	RANGE("local-use NAT64", 48, 0, 0x64, 0xff, 0x9b, 0, 1),
	RANGE("benchmarking", 48, 0x20, 1, 0, 2),
	RANGE("AS112", 48, 0x20, 1, 0, 4, 1, 0x12),
	RANGE("AS112", 48, 0x26, 0x20, 0, 0x4f, 0x80),
	RANGE("Teredo", 32, 0x20, 1),
	RANGE("AMT", 32, 0x20, 1, 0, 3),
	RANGE("ORCHID", 28, 0x20, 1, 0, 0x10),
	RANGE("ORCHIDv2", 28, 0x20, 1, 0, 0x20),
	RANGE("drone remote ID", 28, 0x20, 1, 0, 0x30),
	RANGE("IETF protocol assignments", 23, 0x20, 1),
	RANGE("6to4", 16, 0x20, 2),
	RANGE("segment routing", 16, 0x5f),
	RANGE("link-local", 10, 0xfe, 0x80),
	RANGE("site-local", 10, 0xfe, 0xc0),
	RANGE("multicast", 8, 0xff),
	RANGE("unique local", 7, 0xfc),
};

const struct special_range *
special_range_find(const struct addr *addr)
{
	const struct special_range *r = ranges;
	const struct special_range *end = r + sizeof(ranges) / sizeof(*r);

	for (; r < end; r++)
		/* All are longer than 6 bits, so most end here. */
		if (((r->prefix.addr.octet[0] ^ addr->octet[0]) & 0xfc) == 0 &&
		    prefix_contains(&r->prefix, addr))
			return r;
	return NULL;
}
