/* SPDX-License-Identifier: ISC */
#include "tests/lib/hostile.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void
call_with_copy(const void *bytes, size_t len, hostile_fn *fn, void *arg,
    size_t flip)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert(copy != NULL);
	memcpy(copy, bytes, len);
	if (flip < 8 * len)
		copy[flip / 8] ^= (uint8_t)(1u << (flip % 8));
	/* A zero-length copy is given past its one octet. */
	fn(len > 0 ? copy : copy + 1, len, arg);
	free(copy);
}

void
hostile_cuts(const void *bytes, size_t len, hostile_fn *fn, void *arg)
{
	size_t n;

	for (n = 0; n <= len; n++)
		call_with_copy(bytes, n, fn, arg, SIZE_MAX);
}

void
hostile_bit_flips(const void *bytes, size_t len, hostile_fn *fn, void *arg)
{
	size_t flip;

	for (flip = 0; flip < 8 * len; flip++)
		call_with_copy(bytes, len, fn, arg, flip);
}
