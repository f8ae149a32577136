/* SPDX-License-Identifier: ISC */
#include "common/siphash.h"

#include <string.h>

static uint64_t
rotate_left(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

/* Eight octets; written so that compilers see one load. */
static inline uint64_t
word_at(const uint8_t *o)
{
	return (uint64_t)o[0] | (uint64_t)o[1] << 8 | (uint64_t)o[2] << 16 |
	    (uint64_t)o[3] << 24 | (uint64_t)o[4] << 32 |
	    (uint64_t)o[5] << 40 | (uint64_t)o[6] << 48 |
	    (uint64_t)o[7] << 56;
}

static uint64_t
last_octets(const uint8_t *at, size_t n)
{
	uint64_t x = 0;

	while (n-- > 0)
		x = x << 8 | at[n];
	return x;
}

static void
rounds(uint64_t v[4], unsigned n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate_left(v[1], 13) ^ v[0];
		v[3] = rotate_left(v[3], 16) ^ v[2];
		v[0] = rotate_left(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate_left(v[1], 17) ^ v[2];
		v[3] = rotate_left(v[3], 21) ^ v[0];
		v[2] = rotate_left(v[2], 32);
	}
}

uint64_t
siphash(const struct siphash_key *key, const void *bytes, size_t len)
{
	const uint64_t k0 = word_at(key->octet);
	const uint64_t k1 = word_at(key->octet + 8);
	uint64_t v[4] = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573 };
	const uint8_t *at = bytes;
	size_t left;
	uint64_t word;

	for (left = len; left >= 8; left -= 8, at += 8) {
		word = word_at(at);
		v[3] ^= word;
		rounds(v, 2);
		v[0] ^= word;
	}
	word = (uint64_t)len << 56 | last_octets(at, left);
	v[3] ^= word;
	rounds(v, 2);
	v[0] ^= word;
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
