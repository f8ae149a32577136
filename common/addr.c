/* SPDX-License-Identifier: ISC */
#include "common/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
	0xff };

bool
addr_parse(const char *text, size_t len, struct addr *ret)
{
	char copy[ADDR_TEXT_MAX];
	struct addr addr;

	if (len == 0 || len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (memchr(copy, ':', len) != NULL) {
		if (inet_pton(AF_INET6, copy, addr.octet) != 1)
			return false;
	} else {
		if (inet_pton(AF_INET, copy, addr.octet + 12) != 1)
			return false;
		memcpy(addr.octet, v4_mapped, sizeof(v4_mapped));
	}
	*ret = addr;
	return true;
}

bool
addr_is_v4(const struct addr *addr)
{
	return memcmp(addr->octet, v4_mapped, sizeof(v4_mapped)) == 0;
}

struct addr
addr_of_v4(uint32_t v4)
{
	struct addr addr;
	unsigned i;

	memcpy(addr.octet, v4_mapped, sizeof(v4_mapped));
	for (i = 0; i < 4; i++)
		addr.octet[12 + i] = (uint8_t)(v4 >> (24 - 8 * i));
	return addr;
}

uint32_t
addr_to_v4(const struct addr *addr)
{
	const uint8_t *o = addr->octet + 12;

	return (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 |
	    (uint32_t)o[2] << 8 | o[3];
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return memcmp(a->octet, b->octet, sizeof(a->octet)) == 0;
}

bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

/*
 * RFC 5952 4: lower case, no leading zeros, the longest run of two or more
 * zero groups (the first of equals) shortened.  Not inet_ntop, which writes
 * some IPv6 addresses as IPv4 ones (::102:304 as ::1.2.3.4).
 */
static void
format_v6(const uint8_t *octet, char out[ADDR_TEXT_MAX])
{
	unsigned group[8], i, run, best = 8, best_len = 1;
	size_t len = 0;

	for (i = 0; i < 8; i++)
		group[i] = (unsigned)octet[2 * i] << 8 | octet[2 * i + 1];
	for (i = 0; i < 8; i += run + 1) {
		for (run = 0; i + run < 8 && group[i + run] == 0; run++)
			;
		if (run > best_len) {
			best = i;
			best_len = run;
		}
	}
	for (i = 0; i < 8; i++) {
		if (i == best) {
			out[len++] = ':';
			if (i + best_len == 8)
				out[len++] = ':';
			i += best_len - 1;
			continue;
		}
		len += (size_t)snprintf(out + len, ADDR_TEXT_MAX - len,
		    i > 0 ? ":%x" : "%x", group[i]);
	}
	out[len] = '\0';
}

char *
addr_format(const struct addr *addr, char out[ADDR_TEXT_MAX])
{
	const uint8_t *o = addr->octet;

	if (addr_is_v4(addr))
		snprintf(out, ADDR_TEXT_MAX, "%u.%u.%u.%u", o[12], o[13],
		    o[14], o[15]);
	else
		format_v6(o, out);
	return out;
}

char *
endpoint_format(const struct endpoint *ep, char out[ENDPOINT_TEXT_MAX])
{
	char text[ADDR_TEXT_MAX];

	addr_format(&ep->addr, text);
	snprintf(out, ENDPOINT_TEXT_MAX,
	    addr_is_v4(&ep->addr) ? "%s:%u" : "[%s]:%u", text, ep->port);
	return out;
}
