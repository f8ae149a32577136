/* SPDX-License-Identifier: ISC */
/*
 * hostname.h - host names from the wire and from files.
 *
 * A normalised name is lower-case ASCII labels of letters, digits, '-' and
 * '_' (seen in real names although RFC 952 has none), 1-63 octets each and
 * not starting or ending with '-', at most 253 octets together (RFC 1035
 * 2.3.4), no trailing dot.  IP literals are not names: whatever ends in a
 * label of digits only (or 0x...) is taken for an IPv4 address, as the WHATWG
 * URL standard does.  Pure.
 */
#ifndef COMMON_HOSTNAME_H
#define COMMON_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOSTNAME_MAX = 253 };	/* octets, without NUL */

enum hostname_error {
	HOSTNAME_OK = 0,
	HOSTNAME_EMPTY,
	HOSTNAME_TOO_LONG,
	HOSTNAME_LABEL_EMPTY,		/* "a..b", ".a" */
	HOSTNAME_LABEL_TOO_LONG,
	HOSTNAME_LABEL_HYPHEN,		/* a label starts or ends with '-' */
	HOSTNAME_BAD_CHAR,
	HOSTNAME_NOT_ASCII,		/* give the A-label (xn--) instead */
	HOSTNAME_IS_ADDRESS		/* an IP literal */
};

/*
 * Check `len` octets, write the normalised name and its NUL, and set
 * *ret_len to its length.  One trailing dot is dropped.  Outputs are
 * untouched on error.
 */
enum hostname_error hostname_normalise(const uint8_t *bytes, size_t len,
    char out[HOSTNAME_MAX + 1], size_t *ret_len);

/*
 * The same for a name in a mapping, where the first label may be "*" if at
 * least one label follows ("*.example.com" is returned with its "*.").
 */
enum hostname_error hostname_normalise_pattern(const uint8_t *bytes,
    size_t len, char out[HOSTNAME_MAX + 1], size_t *ret_len);

/* What is wrong, as a sentence fragment for messages. */
const char *hostname_strerror(enum hostname_error);

#endif
