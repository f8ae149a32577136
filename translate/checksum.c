/* SPDX-License-Identifier: ISC */
#include "translate/checksum.h"

#include <string.h>

/* True where the first octet in memory is the most significant. */
static int
is_big_endian(void)
{
	const uint16_t one = 1;
	uint8_t first;

	memcpy(&first, &one, 1);
	return first == 0;
}

/*
 * Octets are summed as words of this machine, 64 bits at a time: RFC 1071 2
 * (B) allows it, as the folded sum only needs its octets swapped at the end.
 */
uint64_t
checksum_of(const uint8_t *at, size_t len)
{
	uint64_t sum = 0, word;
	uint32_t half;
	uint16_t folded, quarter;

	for (; len >= 8; at += 8, len -= 8) {
		memcpy(&word, at, 8);
		sum += (word & 0xffffffff) + (word >> 32);
	}
	if (len >= 4) {
		memcpy(&half, at, 4);
		sum += half;
		at += 4;
		len -= 4;
	}
	if (len >= 2) {
		memcpy(&quarter, at, 2);
		sum += quarter;
		at += 2;
		len -= 2;
	}
	if (len > 0) {
		quarter = 0;
		memcpy(&quarter, at, 1);
		sum += quarter;
	}
	folded = checksum_fold(sum);
	if (is_big_endian())
		return folded;
	return (uint16_t)(folded >> 8 | folded << 8);
}

uint64_t
checksum_of_addr(const struct addr *addr)
{
	if (addr_is_v4(addr))
		return checksum_of(addr->octet + 12, 4);
	return checksum_of(addr->octet, 16);
}
