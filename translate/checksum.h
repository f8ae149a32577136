/* SPDX-License-Identifier: ISC */
/*
 * checksum.h - the Internet checksum (RFC 1071), whole and by difference
 * (RFC 1624).
 *
 * Pure.  A sum is any number that is congruent to the sum of 16-bit words
 * modulo 65535; sums of parts that begin at even offsets may be added.  Fold
 * and invert for what stands in a header.
 */
#ifndef TRANSLATE_CHECKSUM_H
#define TRANSLATE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

/* The words of `len` octets; an odd last octet counts as a word's first. */
uint64_t checksum_of(const uint8_t *, size_t len);

/* What an address adds: of IPv4 (v4-mapped) two words, else eight. */
uint64_t checksum_of_addr(const struct addr *);

/* The sum in 16 bits: 0 only if all words were 0. */
static inline uint16_t
checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The value of a header's checksum field for this sum. */
static inline uint16_t
checksum_finish(uint64_t sum)
{
	return (uint16_t)~checksum_fold(sum);
}

/*
 * What to add to a sum that held `before` so that it holds `after`
 * (RFC 1624 eqn. 3).
 */
static inline uint64_t
checksum_change(uint64_t before, uint64_t after)
{
	return after + (uint16_t)~checksum_fold(before);
}

/* A checksum field after its words changed by checksum_change(). */
static inline uint16_t
checksum_update(uint16_t field, uint64_t change)
{
	return checksum_finish((uint64_t)(uint16_t)~field + change);
}

#endif
