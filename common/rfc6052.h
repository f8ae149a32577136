/* SPDX-License-Identifier: ISC */
/*
 * rfc6052.h - IPv4 addresses embedded in IPv6 ones.
 *
 * Pure.  IPv4 addresses are integers in host byte order here.
 */
#ifndef COMMON_RFC6052_H
#define COMMON_RFC6052_H

#include <stdbool.h>
#include <stdint.h>

#include "common/prefix.h"

enum rfc6052_error {
	RFC6052_OK = 0,
	RFC6052_LENGTH,		/* not 32, 40, 48, 56, 64 or 96 (2.2) */
	RFC6052_U_OCTET,	/* bits 64 to 71 are set in a /96 (2.2) */
	RFC6052_V4		/* an IPv4 prefix */
};

/* Can IPv4 addresses be embedded behind the prefix? */
enum rfc6052_error rfc6052_check(const struct prefix *);

/* A sentence fragment for messages: "has a length other than"... */
const char *rfc6052_strerror(enum rfc6052_error);

/* The prefix with the address after it; prefix must be good (2.3). */
struct addr rfc6052_embed(const struct prefix *, uint32_t v4);

/*
 * The address behind a prefix of `len` bits, which must be good.  Octet u and
 * the suffix are ignored (2.2, 2.3).
 */
uint32_t rfc6052_extract(const struct addr *, unsigned len);

/* True for 64:ff9b::/96, which carries global IPv4 addresses only (3.1). */
bool rfc6052_is_well_known(const struct prefix *);

/*
 * True if RFC 6052 3.1 lets the well-known prefix carry the address: it is in
 * none of the ranges of RFC 1918, RFC 5735 3 and RFC 6598.
 */
bool rfc6052_is_global(uint32_t v4);

#endif
