/* SPDX-License-Identifier: ISC */
#include "common/bytes.h"

#include <criterion/criterion.h>

#include "tests/lib/hostile.h"

static const uint8_t octets[] = { 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86,
	0x87, 0x88, 0x89, 0xff, 0xfe };

Test(bytes, integers_are_big_endian_and_follow_each_other)
{
	struct bytes b = bytes_of(octets, 10);

	cr_assert_eq(bytes_u8(&b), 0x80);
	cr_assert_eq(bytes_u16(&b), 0x8182);
	cr_assert_eq(bytes_u24(&b), 0x838485);
	cr_assert_eq(bytes_u32(&b), 0x86878889);
	cr_assert_eq(b.left, 0);
	cr_assert_not(b.failed);
}

Test(bytes, a_read_past_the_end_fails_and_stays_failed)
{
	struct bytes b = bytes_of(octets, 3);

	cr_assert_eq(bytes_u32(&b), 0);
	cr_assert(b.failed);
	cr_assert_eq(bytes_u8(&b), 0, "though an octet is there");
	cr_assert(bytes_take(&b, 0).failed);
	cr_assert_eq(bytes_take(&b, 1).left, 0);
	cr_assert(b.failed);
}

Test(bytes, a_part_has_its_own_end)
{
	struct bytes b = bytes_of(octets, 4), part;

	part = bytes_take(&b, 2);
	cr_assert_not(part.failed);
	cr_assert_eq(bytes_u16(&part), 0x8081);
	cr_assert_eq(bytes_u8(&part), 0);
	cr_assert(part.failed);
	cr_assert_not(b.failed, "only the part ran out");
	cr_assert_eq(bytes_u16(&b), 0x8283);
}

Test(bytes, a_part_longer_than_the_rest_fails_both)
{
	struct bytes b = bytes_of(octets, 4), part;

	part = bytes_take(&b, 5);
	cr_assert(part.failed);
	cr_assert_eq(part.left, 0);
	cr_assert(b.failed);
	b = bytes_of(octets, 4);
	cr_assert(bytes_take(&b, SIZE_MAX).failed);
}

Test(bytes, nothing_at_all_can_be_read_from)
{
	struct bytes b = bytes_of(NULL, 0);

	cr_assert_not(bytes_take(&b, 0).failed);
	cr_assert_not(b.failed);
	cr_assert_eq(bytes_u8(&b), 0);
	cr_assert(b.failed);
}

/* The structure: u8, u24, a u16 length and so many octets, u32. */
static void
read_structure(const uint8_t *at, size_t len, void *arg)
{
	const size_t *whole = arg;
	struct bytes b = bytes_of(at, len), part;

	bytes_u8(&b);
	bytes_u24(&b);
	part = bytes_take(&b, bytes_u16(&b));
	bytes_u32(&b);
	cr_assert(part.left <= len);
	cr_assert(b.left <= len);
	if (whole != NULL)
		cr_assert_eq(b.failed, len < *whole, "cut at %zu", len);
}

Test(bytes, never_reads_beyond_the_end)
{
	static const uint8_t good[] = { 1, 2, 3, 4, 0, 2, 7, 8, 9, 10, 11,
		12 };
	size_t whole = sizeof(good);

	hostile_cuts(good, sizeof(good), read_structure, &whole);
	hostile_bit_flips(good, sizeof(good), read_structure, NULL);
}
