/* SPDX-License-Identifier: ISC */
/*
 * base64.h - RFC 4648 4, the standard alphabet.  Pure.
 */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets that `len` characters hold at most. */
#define BASE64_DECODED(len) ((len) / 4 * 3 + 3)

/* Characters that `len` octets become, and NUL. */
#define BASE64_ENCODED(len) (((len) + 2) / 3 * 4 + 1)

/*
 * Decode `len` characters, with or without padding at the end, into
 * out[room].  Returns false for any other character, a wrong length, bits
 * left over that are not zero, or too little room; *ret_len is set only if
 * true, `out` may have been written to anyway.
 */
bool base64_decode(const char *text, size_t len, uint8_t *out, size_t room,
    size_t *ret_len);

/* Encode with padding and NUL into out[BASE64_ENCODED(len)]; returns the
 * number of characters. */
size_t base64_encode(const void *bytes, size_t len, char *out);

#endif
