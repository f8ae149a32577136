/* SPDX-License-Identifier: ISC */
#include "translate/checksum.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/lib/packet_check.h"
#include "tests/lib/packet_make.h"

enum { ROUNDS = 20000 };

/* RFC 1071 3: the example, 00 01 f2 03 f4 f5 f6 f7. */
Test(checksum, sums_rfc_1071s_example)
{
	static const uint8_t octets[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5,
		0xf6, 0xf7 };

	cr_assert_eq(checksum_fold(checksum_of(octets, 8)), 0xddf2);
	cr_assert_eq(checksum_finish(checksum_of(octets, 8)), 0x220d);
}

Test(checksum, is_the_plain_sum_for_all_lengths_and_places)
{
	struct chance chance = { 42 };
	uint8_t octets[300];
	size_t len, from, i;

	for (i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)chance_u32(&chance);
	for (from = 0; from < 9; from++)
		for (len = 0; len + from <= sizeof(octets); len++)
			cr_assert_eq(checksum_fold(checksum_of(octets + from,
			    len)), plain_sum(octets + from, len, 0),
			    "%zu from %zu", len, from);
}

Test(checksum, folds_the_largest_sums)
{
	cr_assert_eq(checksum_fold(0), 0);
	cr_assert_eq(checksum_fold(0xffff), 0xffff);
	cr_assert_eq(checksum_fold(0x10000), 1);
	cr_assert_eq(checksum_fold(UINT64_MAX), 0xffff);
	cr_assert_eq(checksum_fold(UINT64_MAX - 1), 0xfffe);
	cr_assert_eq(checksum_fold(UINT64_C(0xffff0000ffff0001)), 1);
}

Test(checksum, of_an_address_is_that_of_its_octets)
{
	struct addr v4 = addr_of_v4(0xc0000201), v6 = { { 0x20, 1, 0xd, 0xb8,
	    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34 } };

	cr_assert_eq(checksum_fold(checksum_of_addr(&v4)), 0xc000 + 0x0201);
	cr_assert_eq(checksum_fold(checksum_of_addr(&v6)),
	    0x2001 + 0x0db8 + 0x1234);
}

/* RFC 1624: the same as summing anew, and never ffff for what is not 0. */
Test(checksum, changes_by_difference)
{
	struct chance chance = { 7 };
	uint8_t before[40], after[40];
	uint16_t field, want;
	unsigned i, j;

	for (i = 0; i < ROUNDS; i++) {
		for (j = 0; j < sizeof(before); j++)
			before[j] = after[j] = (uint8_t)chance_u32(&chance);
		before[0] = after[0] = 0x45;
		for (j = 12; j < 20 + i % 9; j++)
			after[j] = (uint8_t)(chance_below(&chance, 3) * 0x7f +
			    chance_below(&chance, 3));
		field = checksum_finish(checksum_of(before, 40));
		want = checksum_finish(checksum_of(after, 40));
		cr_assert_eq(checksum_update(field, checksum_change(
		    checksum_of(before + 12, 28),
		    checksum_of(after + 12, 28))), want, "round %u", i);
	}
}
