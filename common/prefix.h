/* SPDX-License-Identifier: ISC */
/*
 * prefix.h - address prefixes and the special-purpose ranges (RFC 6890).
 *
 * Pure; a prefix is a plain value.
 */
#ifndef COMMON_PREFIX_H
#define COMMON_PREFIX_H

#include "common/addr.h"

enum { PREFIX_TEXT_MAX = ADDR_TEXT_MAX + 4 };	/* with NUL */

struct prefix {
	struct addr	addr;		/* bits beyond `len` are zero */
	uint8_t		len;		/* 0-128; IPv4 /n is held as 96 + n */
};

enum prefix_error {
	PREFIX_OK = 0,
	PREFIX_SYNTAX,		/* not ADDRESS or ADDRESS/LENGTH */
	PREFIX_LENGTH,		/* length beyond 32 (IPv4) or 128 (IPv6) */
	PREFIX_HOST_BITS	/* bits set beyond the length */
};

/*
 * Read "2001:db8::/32", "192.0.2.0/24" or a bare address (a host prefix).
 * *ret is untouched on error.
 */
enum prefix_error prefix_parse(const char *text, size_t len,
    struct prefix *ret);

/* A sentence fragment for messages: "is not an address prefix"... */
const char *prefix_strerror(enum prefix_error);

bool prefix_contains(const struct prefix *, const struct addr *);

/* True if every address of `inner` is one of `outer`. */
bool prefix_within(const struct prefix *inner, const struct prefix *outer);

/* Write the text, with its length; returns `out`. */
char *prefix_format(const struct prefix *, char out[PREFIX_TEXT_MAX]);

/*
 * A range that is no ordinary unicast destination for a proxied connection:
 * unspecified, loopback, IPv4 (v4-mapped and v4-compatible), NAT64
 * well-known (RFC 6052) and local-use (RFC 8215), discard, Teredo, ORCHID,
 * 6to4, ULA, link-local, site-local, multicast and the other entries of
 * RFC 6890 and its IANA registry.  Documentation prefixes are NOT in it:
 * test set-ups use them, and nothing routes them.
 */
struct special_range {
	const char	*name;		/* "loopback", "6to4", ... */
	struct prefix	 prefix;
};

/* The most specific special range that holds the address, or NULL. */
const struct special_range *special_range_find(const struct addr *);

#endif
