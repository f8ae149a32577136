/* SPDX-License-Identifier: ISC */
#include "common/rfc6052.h"

#include <assert.h>
#include <stddef.h>

/* Octet 8 of an address, "u", is zero and holds nothing. */
enum { U_OCTET = 8 };

enum rfc6052_error
rfc6052_check(const struct prefix *prefix)
{
	switch (prefix->len) {
	case 96:
		if (addr_is_v4(&prefix->addr))
			return RFC6052_V4;
		if (prefix->addr.octet[U_OCTET] != 0)
			return RFC6052_U_OCTET;
		return RFC6052_OK;
	case 32:
	case 40:
	case 48:
	case 56:
	case 64:
		return RFC6052_OK;
	}
	return prefix->len > 96 && addr_is_v4(&prefix->addr) ? RFC6052_V4 :
	    RFC6052_LENGTH;
}

const char *
rfc6052_strerror(enum rfc6052_error error)
{
	switch (error) {
	case RFC6052_OK:
		return "nothing is wrong";
	case RFC6052_LENGTH:
		return "has a length other than 32, 40, 48, 56, 64 and 96";
	case RFC6052_U_OCTET:
		return "has bits 64 to 71 set";
	case RFC6052_V4:
		return "is not an IPv6 prefix";
	}
	assert(false);
	return NULL;
}

struct addr
rfc6052_embed(const struct prefix *prefix, uint32_t v4)
{
	struct addr addr = prefix->addr;
	unsigned at = prefix->len / 8, i;

	for (i = 0; i < 4; i++) {
		if (at == U_OCTET)
			at++;
		addr.octet[at++] = (uint8_t)(v4 >> (24 - 8 * i));
	}
	return addr;
}

uint32_t
rfc6052_extract(const struct addr *addr, unsigned len)
{
	unsigned at = len / 8, i;
	uint32_t v4 = 0;

	for (i = 0; i < 4; i++) {
		if (at == U_OCTET)
			at++;
		v4 = v4 << 8 | addr->octet[at++];
	}
	return v4;
}

bool
rfc6052_is_well_known(const struct prefix *prefix)
{
	static const struct addr well_known = { { 0, 0x64, 0xff, 0x9b } };

	return prefix->len == 96 && addr_equal(&prefix->addr, &well_known);
}

bool
rfc6052_is_global(uint32_t v4)
{
	static const struct {
		uint32_t addr;
		unsigned len;
	} ranges[] = {
		{ 0x00000000, 8 },	/* 0.0.0.0: "this" network */
		{ 0x0a000000, 8 },	/* 10.0.0.0: RFC 1918 */
		{ 0x64400000, 10 },	/* 100.64.0.0: RFC 6598 */
		{ 0x7f000000, 8 },	/* 127.0.0.0: loopback */
		{ 0xa9fe0000, 16 },	/* 169.254.0.0: link-local */
		{ 0xac100000, 12 },	/* 172.16.0.0: RFC 1918 */
		{ 0xc0000000, 24 },	/* 192.0.0.0: IETF protocols */
		{ 0xc0000200, 24 },	/* 192.0.2.0: documentation */
		{ 0xc0586300, 24 },	/* 192.88.99.0: 6to4 relays */
		{ 0xc0a80000, 16 },	/* 192.168.0.0: RFC 1918 */
		{ 0xc6120000, 15 },	/* 198.18.0.0: benchmarking */
		{ 0xc6336400, 24 },	/* 198.51.100.0: documentation */
		{ 0xcb007100, 24 },	/* 203.0.113.0: documentation */
		{ 0xe0000000, 3 },	/* 224.0.0.0: multicast, reserved */
	};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if ((v4 ^ ranges[i].addr) >> (32 - ranges[i].len) == 0)
			return false;
	return true;
}
