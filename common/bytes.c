/* SPDX-License-Identifier: ISC */
#include "common/bytes.h"

struct bytes
bytes_of(const void *at, size_t len)
{
	const struct bytes b = { .at = at, .left = len };

	return b;
}

struct bytes
bytes_take(struct bytes *b, size_t n)
{
	struct bytes taken = { .at = b->at, .left = n };

	if (b->failed || n > b->left) {
		b->failed = true;
		taken.left = 0;
		taken.failed = true;
		return taken;
	}
	if (n > 0)
		b->at += n;
	b->left -= n;
	return taken;
}

static uint32_t
big_endian(struct bytes *b, size_t n)
{
	struct bytes octets = bytes_take(b, n);
	uint32_t value = 0;

	for (; octets.left > 0; octets.left--)
		value = value << 8 | *octets.at++;
	return value;
}

uint8_t
bytes_u8(struct bytes *b)
{
	return (uint8_t)big_endian(b, 1);
}

uint16_t
bytes_u16(struct bytes *b)
{
	return (uint16_t)big_endian(b, 2);
}

uint32_t
bytes_u24(struct bytes *b)
{
	return big_endian(b, 3);
}

uint32_t
bytes_u32(struct bytes *b)
{
	return big_endian(b, 4);
}
