/* SPDX-License-Identifier: ISC */
/*
 * bits.h - an IPv6 address as a number of 128 bits, to shift.
 *
 * Pure.
 */
#ifndef TRANSLATE_BITS_H
#define TRANSLATE_BITS_H

#include "common/addr.h"
#include "translate/wire.h"

struct bits {	/* host byte order */
	uint64_t	high, low;
};

static inline struct bits
bits_of(const struct addr *addr)
{
	const uint8_t *o = addr->octet;

	return (struct bits) {
		(uint64_t)get_u32(o) << 32 | get_u32(o + 4),
		(uint64_t)get_u32(o + 8) << 32 | get_u32(o + 12)
	};
}

static inline struct addr
bits_addr(struct bits bits)
{
	struct addr addr;

	put_u32(addr.octet, (uint32_t)(bits.high >> 32));
	put_u32(addr.octet + 4, (uint32_t)bits.high);
	put_u32(addr.octet + 8, (uint32_t)(bits.low >> 32));
	put_u32(addr.octet + 12, (uint32_t)bits.low);
	return addr;
}

/* The value n bits further up; nothing is left of it from n = 128 on. */
static inline struct bits
bits_shift_left(uint32_t value, unsigned n)
{
	if (n >= 128)
		return (struct bits) { 0, 0 };
	if (n >= 64)
		return (struct bits) { (uint64_t)value << (n - 64), 0 };
	if (n == 0)
		return (struct bits) { 0, value };
	return (struct bits) { (uint64_t)value >> (64 - n),
		(uint64_t)value << n };
}

/* The lowest 32 bits of what is n bits further up. */
static inline uint32_t
bits_shift_right(struct bits bits, unsigned n)
{
	if (n >= 128)
		return 0;
	if (n >= 64)
		return (uint32_t)(bits.high >> (n - 64));
	if (n == 0)
		return (uint32_t)bits.low;
	return (uint32_t)(bits.low >> n | bits.high << (64 - n));
}

#endif
