/* SPDX-License-Identifier: ISC */
/*
 * addr.h - IP addresses and endpoints as plain values.
 *
 * Every address is 16 octets; IPv4 is held v4-mapped (::ffff:a.b.c.d, RFC 4291
 * 2.5.5.2), so that one type serves both families.  Pure; owns nothing.
 */
#ifndef COMMON_ADDR_H
#define COMMON_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ADDR_TEXT_MAX = 46,	/* longest text of an address, with NUL */
	ENDPOINT_TEXT_MAX = 56	/* longest "[address]:port", with NUL */
};

struct addr {
	uint8_t	octet[16];
};

struct endpoint {
	struct addr	addr;
	uint16_t	port;		/* host byte order */
};

/*
 * Read an IPv6 or dotted-quad IPv4 literal of `len` octets; no brackets, no
 * zone.  Returns false, and leaves *ret alone, for anything else.
 */
bool addr_parse(const char *text, size_t len, struct addr *ret);

/* True if the address is IPv4 (held v4-mapped). */
bool addr_is_v4(const struct addr *);

/* An IPv4 address as an integer in host byte order, and the reverse. */
struct addr addr_of_v4(uint32_t);
uint32_t addr_to_v4(const struct addr *);

bool addr_equal(const struct addr *, const struct addr *);
bool endpoint_equal(const struct endpoint *, const struct endpoint *);

/* Write the RFC 5952 text (dotted quad for IPv4); returns `out`. */
char *addr_format(const struct addr *, char out[ADDR_TEXT_MAX]);

/* Write "[v6]:port" or "v4:port"; returns `out`. */
char *endpoint_format(const struct endpoint *, char out[ENDPOINT_TEXT_MAX]);

#endif
