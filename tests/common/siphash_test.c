/* SPDX-License-Identifier: ISC */
#include "common/siphash.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/lib/hostile.h"

static struct siphash_key
counting_key(void)
{
	struct siphash_key key;
	uint8_t i;

	for (i = 0; i < 16; i++)
		key.octet[i] = i;
	return key;
}

/*
 * Key 00 01 ... 0f, input 00 01 ... of so many octets: the paper's appendix A
 * has the one of 15, its reference code the others.
 */
Test(siphash, agrees_with_the_reference_vectors)
{
	static const struct {
		size_t		len;
		uint64_t	hash;
	} cases[] = {
		{ 0, 0x726fdb47dd0e0e31 },
		{ 1, 0x74f839c593dc67fd },
		{ 2, 0x0d6c8009d9a94f5a },
		{ 3, 0x85676696d7fb7e2d },
		{ 4, 0xcf2794e0277187b7 },
		{ 5, 0x18765564cd99a68d },
		{ 6, 0xcbc9466e58fee3ce },
		{ 7, 0xab0200f58b01d137 },
		{ 8, 0x93f5f5799a932462 },
		{ 9, 0x9e0082df0ba9e4b0 },
		{ 15, 0xa129ca6149be45e5 },
		{ 16, 0x3f2acc7f57c29bdb },
		{ 31, 0x32d892fad841c342 },
		{ 63, 0x958a324ceb064572 },
	};
	struct siphash_key key = counting_key();
	uint8_t in[64];
	size_t i;

	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(siphash(&key, in, cases[i].len), cases[i].hash,
		    "%zu octets", cases[i].len);
}

Test(siphash, nothing_may_be_hashed)
{
	struct siphash_key key = counting_key();

	cr_assert_eq(siphash(&key, NULL, 0), 0x726fdb47dd0e0e31);
}

Test(siphash, every_bit_of_the_key_counts)
{
	struct siphash_key key = counting_key();
	uint64_t hash = siphash(&key, "name", 4);
	unsigned bit;

	for (bit = 0; bit < 128; bit++) {
		key = counting_key();
		key.octet[bit / 8] ^= (uint8_t)(1u << bit % 8);
		cr_assert_neq(siphash(&key, "name", 4), hash, "bit %u", bit);
	}
}

static void
hash_differs(const uint8_t *bytes, size_t len, void *arg)
{
	static const char name[] = "www.example.com";
	const uint64_t *hash = arg;
	struct siphash_key key = counting_key();
	bool whole = len == strlen(name) && memcmp(bytes, name, len) == 0;

	cr_assert_eq(siphash(&key, bytes, len) == *hash, whole);
}

Test(siphash, reads_all_octets_and_none_beyond)
{
	struct siphash_key key = counting_key();
	uint64_t hash = siphash(&key, "www.example.com", 15);

	hostile_cuts("www.example.com", 15, hash_differs, &hash);
	hostile_bit_flips("www.example.com", 15, hash_differs, &hash);
}
