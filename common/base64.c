/* SPDX-License-Identifier: ISC */
#include "common/base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The six bits of a character; -1 if it has none. */
static int
bits_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Without its padding; if there is any, it must be right. */
static bool
strip_padding(const char *text, size_t *len)
{
	size_t n = *len;

	while (n > 0 && text[n - 1] == '=')
		n--;
	if (n != *len && (*len % 4 != 0 || *len - n > 2))
		return false;
	*len = n;
	return n % 4 != 1;
}

bool
base64_decode(const char *text, size_t len, uint8_t *out, size_t room,
    size_t *ret_len)
{
	uint32_t held = 0;
	unsigned n_held = 0;
	size_t i, n = 0;
	int bits;

	if (!strip_padding(text, &len))
		return false;
	for (i = 0; i < len; i++) {
		bits = bits_of(text[i]);
		if (bits < 0)
			return false;
		held = held << 6 | (uint32_t)bits;
		n_held += 6;
		if (n_held < 8)
			continue;
		n_held -= 8;
		if (n == room)
			return false;
		out[n++] = (uint8_t)(held >> n_held);
		held &= (1u << n_held) - 1;
	}
	if (held != 0)
		return false;
	*ret_len = n;
	return true;
}

size_t
base64_encode(const void *bytes, size_t len, char *out)
{
	const uint8_t *in = bytes;
	uint32_t three;
	size_t i, n = 0, rest;

	for (i = 0; i < len; i += 3) {
		rest = len - i;
		three = (uint32_t)in[i] << 16;
		if (rest > 1)
			three |= (uint32_t)in[i + 1] << 8;
		if (rest > 2)
			three |= in[i + 2];
		out[n++] = alphabet[three >> 18];
		out[n++] = alphabet[three >> 12 & 63];
		out[n++] = rest > 1 ? alphabet[three >> 6 & 63] : '=';
		out[n++] = rest > 2 ? alphabet[three & 63] : '=';
	}
	out[n] = '\0';
	return n;
}
