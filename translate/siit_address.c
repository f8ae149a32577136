/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "translate/siit_pass.h"
#include "translate/wire.h"

bool
address_is_ours4(const struct siit *siit, uint32_t v4)
{
	unsigned i;

	if (siit->has_own4 && v4 == siit->own4)
		return true;
	for (i = 0; i < siit->n_pool; i++)
		if (v4 == siit->pool[i])
			return true;
	return false;
}

/*
 * What no host on the other side can have: RFC 1812 5.3.7's martians (this
 * network, loopback, multicast, class E and broadcast) and link-local
 * addresses (RFC 3927 7).
 */
bool
address_illegal4(uint32_t v4)
{
	return v4 >> 24 == 0 || v4 >> 24 == 127 || v4 >> 29 == 7 ||
	    v4 >> 16 == 0xa9fe;
}

/*
 * Unspecified, loopback, v4-mapped, link-local and multicast addresses, which
 * are not routed (RFC 4291 2.5, 2.7).
 */
bool
address_illegal6(const uint8_t *octet)
{
	static const uint8_t zero[12] = { 0 };

	if (octet[0] == 0xff)
		return true;
	if (octet[0] == 0xfe)
		return (octet[1] & 0xc0) == 0x80;
	if (octet[0] != 0 || memcmp(octet, zero, 10) != 0)
		return false;
	if (get_u16(octet + 10) == 0xffff)
		return true;
	return memcmp(octet + 10, zero, 5) == 0 && octet[15] <= 1;
}

/*
 * RFC 7757 4.2.1: a hairpinned packet comes from where its receiver's answer
 * must go, so EAMs are not used for its source.  A packet that the network
 * brings back looks like any other, but our own second pass is known (4.2.2).
 */
enum address_use
address_use_of_peer(const struct pass *pass)
{
	return pass->again || pass->siit->hairpin == SIIT_HAIRPIN_SIMPLE ?
	    ADDRESS_NO_EAM : ADDRESS_PLAIN;
}

enum address_found
address_4to6(const struct pass *pass, uint32_t v4, enum address_use use,
    struct addr *ret)
{
	const struct address_map *map = pass->siit->map;
	const struct dynamic_pool *pool = pass->queue->pool;

	if (use == ADDRESS_NO_EAM)
		return address_map_4to6_by_prefix(map, v4, ret);
	if (pool == NULL || !dynamic_pool_holds(pool, v4) ||
	    address_map_has_eam4(map, v4))
		return address_map_4to6(map, v4, ret);
	return dynamic_pool_4to6(pool, v4, ret) ? ADDRESS_BY_EAM :
	    ADDRESS_NOT_FOUND;
}

/* May a host on the IPv6 side have this address by a prefix? */
static bool
is_translatable(const struct siit *siit, uint32_t v4)
{
	const struct siit_range *range = siit->translatable;
	const struct siit_range *end = range + siit->n_translatable;

	if (siit->any_translatable)
		return true;
	for (; range < end; range++)
		if ((v4 & range->mask) == range->addr)
			return true;
	return false;
}

enum drop_reason
address_destination_4to6(const struct pass *pass, struct addr *ret)
{
	uint32_t v4 = get_u32(pass->packet.at + IP4_DESTINATION);

	switch (address_4to6(pass, v4, ADDRESS_PLAIN, ret)) {
	case ADDRESS_NOT_FOUND:
		break;
	case ADDRESS_NOT_GLOBAL:
		return DROP_NOT_GLOBAL;
	case ADDRESS_BY_EAM:
		return DROP_NONE;
	case ADDRESS_BY_PREFIX:
		if (is_translatable(pass->siit, v4))
			return DROP_NONE;
		break;
	}
	return DROP_DESTINATION_UNMAPPED;
}

enum address_found
address_6to4(const struct pass *pass, const struct addr *v6, bool lend,
    uint32_t *ret)
{
	struct dynamic_pool *pool = pass->queue->pool;
	enum address_found found;
	bool lent;

	found = address_map_6to4(pass->siit->map, v6, ret);
	if (found != ADDRESS_NOT_FOUND || pool == NULL)
		return found;
	if (lend)
		lent = dynamic_pool_lend(pool, v6, pass->queue->pool_start_s +
		    pass->now_ms / 1000, ret);
	else
		lent = dynamic_pool_6to4(pool, v6, ret);
	return lent ? ADDRESS_BY_EAM : ADDRESS_NOT_FOUND;
}

bool
address_has_host(const struct pass *pass, uint32_t v4)
{
	const struct dynamic_pool *pool = pass->queue->pool;
	struct addr host;

	if (address_map_has_eam4(pass->siit->map, v4))
		return true;
	return pool != NULL && dynamic_pool_4to6(pool, v4, &host);
}

/* Spread 64 bits over all of them (the finaliser of MurmurHash3). */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

/*
 * RFC 6791 3.2: an address of the pool, or our own.  False if we have none.  5
 * recommends one at random, lest two routers look like one and so like a loop;
 * ours is random for each router, but the same each time, lest one router look
 * like many.
 */
static bool
stand_in(const struct siit *siit, const struct addr *router, uint32_t *ret)
{
	uint64_t hash = siit->pool_key;
	unsigned i;

	if (siit->n_pool == 0) {
		*ret = siit->own4;
		return siit->has_own4;
	}
	for (i = 0; i < 16; i += 4)
		hash = mix(hash ^ get_u32(router->octet + i));
	*ret = siit->pool[hash % siit->n_pool];
	return true;
}

/* Why the source cannot be `v4`, which was found so; or DROP_NONE. */
static enum drop_reason
check_source(const struct pass *pass, enum address_found found, uint32_t v4)
{
	switch (found) {
	case ADDRESS_NOT_FOUND:
		return pass->queue->pool != NULL ? DROP_POOL_EXHAUSTED :
		    DROP_SOURCE_UNMAPPED;
	case ADDRESS_NOT_GLOBAL:
		return DROP_NOT_GLOBAL;
	case ADDRESS_BY_PREFIX:
		if (!is_translatable(pass->siit, v4))
			return DROP_SOURCE_UNMAPPED;
		break;
	case ADDRESS_BY_EAM:
		break;
	}
	return address_illegal4(v4) ? DROP_ILLEGAL_SOURCE : DROP_NONE;
}

enum drop_reason
address_source_6to4(const struct pass *pass, bool is_error, uint32_t *ret)
{
	enum address_found found;
	enum drop_reason reason;
	struct addr v6;
	uint32_t v4 = 0;

	memcpy(v6.octet, pass->packet.at + IP6_SOURCE, sizeof(v6.octet));
	found = address_6to4(pass, &v6, !is_error, &v4);
	reason = check_source(pass, found, v4);
	if (reason == DROP_NONE)
		*ret = v4;
	if (reason == DROP_NONE || !is_error)
		return reason;
	if (stand_in(pass->siit, &v6, &v4)) {
		*ret = v4;
		return DROP_NONE;
	}
	return reason == DROP_POOL_EXHAUSTED ? DROP_SOURCE_UNMAPPED : reason;
}
