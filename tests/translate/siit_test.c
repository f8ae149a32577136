/* SPDX-License-Identifier: ISC */
#include "translate/siit.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/addresses.h"
#include "tests/lib/packet_check.h"
#include "tests/lib/packet_make.h"
#include "tests/lib/siit_world.h"
#include "tests/lib/xlat_vector.h"

#define PREFIX "2001:db8:64::/96"

Test(siit, begins_with_the_rfcs_defaults)
{
	struct siit siit;

	memset(&siit, 0xa5, sizeof(siit));
	siit_init(&siit, NULL);
	cr_assert_eq(siit.mtu4, 1500);
	cr_assert_eq(siit.mtu6, 1500);
	cr_assert_eq(siit.lowest_mtu6, 1280);	/* RFC 7915 4.1 */
	cr_assert_eq(siit.tos, SIIT_TOS_COPY);
	cr_assert_eq(siit.traffic_class, SIIT_TOS_COPY);
	cr_assert_eq(siit.udp_zero, SIIT_UDP_ZERO_COMPUTE);
	cr_assert_eq(siit.hairpin, SIIT_HAIRPIN_INTRINSIC);
	cr_assert(siit.icmp_errors);
	cr_assert(siit.any_translatable);
	cr_assert_not(siit.has_own4 || siit.has_own6);
	cr_assert_eq(siit.n_pool + siit.n_translatable, 0);
}

/* An IPv6 packet with `extra` octets of options and this payload in all. */
static size_t
write_long(uint8_t *at, unsigned extra, unsigned payload, bool atomic)
{
	struct prefix vm = prefix_of("2001:db8:1::1");
	struct prefix host = prefix_of("2001:db8:64::198.51.100.7");

	memset(at, 0, PACKET_MAX);
	at[0] = 0x60;
	at[4] = (uint8_t)(payload >> 8);
	at[5] = (uint8_t)payload;
	at[6] = atomic ? 44 : extra > 0 ? 60 : 253;
	at[7] = 64;
	memcpy(at + 8, vm.addr.octet, 16);
	memcpy(at + 24, host.addr.octet, 16);
	at[40] = 253;
	if (extra > 0)
		at[41] = (uint8_t)(extra / 8 - 1);
	return 40 + payload;
}

/* RFC 791 3.1: 65535 octets in all; IPv6 may have 20 more without headers. */
Test(siit, drops_what_is_too_long_for_ipv4)
{
	static const struct {
		unsigned extra, payload;
		bool atomic, fits;
	} cases[] = {
		{ 0, 65515, false, true },
		{ 0, 65516, false, false },
		{ 0, 65535, false, false },
		{ 16, 65531, false, true },
		{ 16, 65532, false, false },
		{ 0, 65523, true, true },
		{ 0, 65524, true, false },
	};
	struct siit_world w = siit_world_begin(PREFIX);
	size_t i, len;

	w.siit.mtu4 = w.siit.mtu6 = SIIT_MTU_MAX;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		len = write_long(siit_world_at(&w), cases[i].extra,
		    cases[i].payload, cases[i].atomic);
		siit_world_translate(&w, siit_world_at(&w), len, NULL);
		cr_assert_eq(w.result.verdict, cases[i].fits ? SIIT_FORWARD :
		    SIIT_DROP, "case %zu: %d", i, w.result.verdict);
		if (cases[i].fits)
			cr_assert_eq(w.result.packet.len, 65535, "%zu", i);
		else
			cr_assert_eq(w.result.reason, cases[i].atomic ?
			    DROP_TOO_LONG : DROP_TOO_BIG, "%zu: %s", i,
			    drop_reason_label(w.result.reason));
	}
	siit_world_end(&w);
}

/* Its segments would fit, but no header can say how long it is in all. */
Test(siit, drops_super_packets_that_are_too_long_for_ipv4)
{
	struct siit_world w = siit_world_begin(PREFIX);
	struct packet packet = {
		.at = siit_world_at(&w),
		.headroom = PACKET_HEADROOM,
		.offload = { PACKET_GSO_TCP, false, true, 1400, 60, 40, 16 }
	};
	unsigned payload;

	for (payload = 65510; payload <= 65535; payload++) {
		packet.len = write_long(packet.at, 0, payload, false);
		packet.at[6] = 6;
		packet.at[40 + 12] = 5 << 4;
		siit_translate(&w.siit, w.queue, 0, &packet, &w.result);
		if (payload > 65515) {
			cr_assert_eq(w.result.verdict, SIIT_DROP, "%u",
			    payload);
			cr_assert_eq(w.result.reason, DROP_TOO_LONG);
			continue;
		}
		cr_assert_eq(w.result.verdict, SIIT_FORWARD, "%u", payload);
		cr_assert_null(packet_check_shape(&w.result.packet));
	}
	siit_world_end(&w);
}

/* A lease's time is the wall clock's, whatever the monotonic one says. */
Test(siit, lends_by_the_wall_clock)
{
	const struct siit_limits limits = { 0, 0, 0, 0 };
	const struct prefix prefix = prefix_of("203.0.113.0/24");
	const struct prefix host = prefix_of("2001:db8:9::9");
	struct dynamic_pool *pool = dynamic_pool_new(&prefix, 60, &xlat_key,
	    NULL, NULL);
	struct siit_world w = siit_world_begin(PREFIX);
	struct packet packet = { .at = siit_world_at(&w),
		.headroom = PACKET_HEADROOM };
	uint64_t heard_s;
	struct addr lent;
	uint32_t v4;

	cr_assert_not_null(pool);
	siit_queue_init(w.queue, &limits, &xlat_key, pool, 70000, 1000);
	packet.len = write_long(packet.at, 0, 8, false);
	memcpy(packet.at + 8, host.addr.octet, 16);
	siit_translate(&w.siit, w.queue, 75999, &packet, &w.result);
	cr_assert_eq(w.result.verdict, SIIT_FORWARD);
	cr_assert(dynamic_pool_6to4(pool, &host.addr, &v4));
	cr_assert(dynamic_pool_lease(pool, v4, &lent, &heard_s));
	cr_assert_eq(heard_s, 1005);
	dynamic_pool_free(pool);
	siit_world_end(&w);
}

/* --- RFC 6791's pool ----------------------------------------------------- */

/* Time Exceeded from a router about a packet to the VM; its IPv4 source. */
static uint32_t
source_of_error(struct siit_world *w, unsigned router)
{
	uint8_t inner[64], *at = siit_world_at(w);
	struct prefix host = prefix_of("2001:db8:64::198.51.100.7");
	struct prefix vm = prefix_of("2001:db8:1::1");
	struct prefix from = prefix_of("2001:db8:9::");
	uint32_t sum;

	memset(inner, 0, sizeof(inner));
	inner[0] = 0x60;
	inner[5] = 24;
	inner[6] = 253;
	memcpy(inner + 8, host.addr.octet, 16);
	memcpy(inner + 24, vm.addr.octet, 16);
	memset(at, 0, 48);
	at[0] = 0x60;
	at[5] = 8 + sizeof(inner);
	at[6] = 58;
	at[7] = 64;
	from.addr.octet[11] = (uint8_t)(router >> 8);
	from.addr.octet[15] = (uint8_t)router;
	memcpy(at + 8, from.addr.octet, 16);
	memcpy(at + 24, host.addr.octet, 16);
	at[40] = 3;
	memcpy(at + 48, inner, sizeof(inner));
	sum = plain_sum(at + 8, 32, 58 + 8 + sizeof(inner));
	sum = plain_sum(at + 40, 8 + sizeof(inner), sum) ^ 0xffffu;
	at[42] = (uint8_t)(sum >> 8);
	at[43] = (uint8_t)sum;
	siit_world_translate(w, siit_world_at(w), 48 + sizeof(inner), NULL);
	cr_assert_eq(w->result.verdict, SIIT_FORWARD, "%s",
	    drop_reason_label(w->result.reason));
	at = w->result.packet.at;
	return (uint32_t)at[12] << 24 | (uint32_t)at[13] << 16 |
	    (uint32_t)at[14] << 8 | at[15];
}

Test(siit, gives_each_router_one_address_of_the_pool)
{
	enum { ROUTERS = 2000, ADDRESSES = 8 };
	unsigned count[ADDRESSES] = { 0 }, i, moved = 0;
	struct siit_world w = siit_world_begin(PREFIX);
	uint32_t source;

	w.siit.n_pool = ADDRESSES;
	for (i = 0; i < ADDRESSES; i++)
		w.siit.pool[i] = 0xcb007100 + i;
	for (i = 0; i < ROUTERS; i++) {
		source = source_of_error(&w, i);
		cr_assert(source >= 0xcb007100 &&
		    source < 0xcb007100 + ADDRESSES, "%x", source);
		cr_assert_eq(source_of_error(&w, i), source);
		count[source - 0xcb007100]++;
		/* Another key, another choice. */
		w.siit.pool_key = 4711;
		moved += source_of_error(&w, i) != source;
		w.siit.pool_key = 0;
	}
	for (i = 0; i < ADDRESSES; i++)
		cr_assert(count[i] > 150 && count[i] < 350, "%u", count[i]);
	cr_assert_gt(moved, ROUTERS / 2);
	siit_world_end(&w);
}
