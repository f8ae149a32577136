/* SPDX-License-Identifier: ISC */
#include "common/quote.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* Write one octet's text; returns its length, 1-4. */
static size_t
quote_octet(uint8_t octet, char out[4])
{
	static const char hex[] = "0123456789abcdef";

	if (octet == '"' || octet == '\\') {
		out[0] = '\\';
		out[1] = (char)octet;
		return 2;
	}
	if (octet >= 0x20 && octet < 0x7f) {
		out[0] = (char)octet;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = hex[octet >> 4];
	out[3] = hex[octet & 0xf];
	return 4;
}

size_t
quote(const void *bytes, size_t len, char *out, size_t room)
{
	const uint8_t *at = bytes;
	size_t i, n, used = 1, last_fit = 1;
	char text[4];

	assert(room >= 8);
	out[0] = '"';
	for (i = 0; i < len; i++) {
		n = quote_octet(at[i], text);
		/* Behind it: the closing quote and NUL. */
		if (used + n + 2 > room)
			break;
		memcpy(out + used, text, n);
		used += n;
		/* Behind this one there is still room for "...". */
		if (used + 3 + 2 <= room)
			last_fit = used;
	}
	if (i < len) {
		used = last_fit;
		memcpy(out + used, "...", 3);
		used += 3;
	}
	out[used++] = '"';
	out[used] = '\0';
	return used;
}
