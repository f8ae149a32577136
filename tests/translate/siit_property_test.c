/* SPDX-License-Identifier: ISC */
#include "translate/siit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rfc6052.h"
#include "tests/lib/addresses.h"
#include "tests/lib/packet_check.h"
#include "tests/lib/packet_make.h"
#include "tests/lib/siit_world.h"
#include "tests/lib/xlat_vector.h"

enum {
	ROUNDS = 20000,
	PAYLOAD_MAX = 1170	/* octets: a packet that is never cut */
};

static unsigned
u16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

/* --- there and back ------------------------------------------------------ */

/*
 * What RFC 7915 does not carry over is put as it was: the TTL went down
 * twice, the identification of what is no fragment and DF are ours.
 */
static void
expect_same4(const uint8_t *before, const struct packet *after, size_t len)
{
	uint8_t *at = after->at;
	bool part = (u16(before + 6) & 0x3fff) != 0;

	cr_assert_eq(after->len, len);
	cr_assert_eq(at[8], before[8] - 2, "TTL");
	cr_assert_eq(u16(at + 6) & 0xbfff, u16(before + 6) & 0xbfff);
	cr_assert_eq((u16(at + 6) & 0x4000) != 0, !part && len > 1260, "DF");
	if (part)
		cr_assert_eq(u16(at + 4), u16(before + 4), "identification");
	memcpy(at + 4, before + 4, 8);	/* looked at above */
	cr_assert_arr_eq(at, before, len);
}

static void
there_and_back4(const char *prefix)
{
	struct siit_world w = siit_world_begin(prefix);
	uint8_t *before = malloc(PACKET_MAKE_MAX);
	struct addr v4[2], v6[2];
	struct packet_make make;
	unsigned round;
	size_t len;

	for (round = 0; round < ROUNDS; round++) {
		siit_world_choose(&w, v4, v6);
		make = (struct packet_make) { v4[0], v4[1],
			round % N_PACKET_MAKE,
			chance_below(&w.chance, PAYLOAD_MAX) };
		len = packet_make(&make, &w.chance, before);
		siit_world_translate(&w, before, len, NULL);
		siit_world_expect_forward(&w, "to IPv6");
		cr_assert_arr_eq(w.result.packet.at + 8, v6[0].octet, 16);
		cr_assert_arr_eq(w.result.packet.at + 24, v6[1].octet, 16);
		/* The same way back: the world sends from IPv6 now. */
		siit_world_translate(&w, w.result.packet.at,
		    w.result.packet.len, NULL);
		siit_world_expect_forward(&w, "back");
		expect_same4(before, &w.result.packet, len);
	}
	free(before);
	siit_world_end(&w);
}

Test(siit_property, ipv4_comes_back_as_it_was)
{
	there_and_back4("64:ff9b:1:2::/64");
	there_and_back4("2001:db8:64::/96");
	there_and_back4("2001:db8::/32");
}

/* Likewise, but for flow label, extension headers and 16 bits of the id. */
static void
expect_same6(uint8_t *before, const struct packet *after, size_t len)
{
	uint8_t *at = after->at;
	size_t skip = before[6] == 60 ? 8 : 0;	/* Destination Options */

	cr_assert_eq(after->len, len - skip);
	before[1] &= 0xf0;
	before[2] = before[3] = 0;
	before[7] = (uint8_t)(before[7] - 2);
	if (skip != 0) {
		before[6] = before[40];
		before[4] = at[4];
		before[5] = at[5];
		memmove(before + 40, before + 48, len - 48);
	}
	if (before[6] == 44)
		before[44] = before[45] = 0;
	cr_assert_arr_eq(at, before, after->len);
}

static void
there_and_back6(const char *prefix)
{
	struct siit_world w = siit_world_begin(prefix);
	uint8_t *before = malloc(PACKET_MAKE_MAX);
	struct addr v4[2], v6[2];
	struct packet_make make;
	unsigned round;
	size_t len;

	w.siit.hairpin = SIIT_HAIRPIN_OFF;	/* the VM is a source here */
	for (round = 0; round < ROUNDS; round++) {
		siit_world_choose(&w, v4, v6);
		make = (struct packet_make) { v6[1], v6[0],
			round % N_PACKET_MAKE,
			chance_below(&w.chance, PAYLOAD_MAX) };
		len = packet_make(&make, &w.chance, before);
		siit_world_translate(&w, before, len, NULL);
		siit_world_expect_forward(&w, "to IPv4");
		cr_assert_arr_eq(w.result.packet.at + 12, v4[1].octet + 12,
		    4);
		cr_assert_arr_eq(w.result.packet.at + 16, v4[0].octet + 12,
		    4);
		siit_world_translate(&w, w.result.packet.at,
		    w.result.packet.len, NULL);
		siit_world_expect_forward(&w, "back");
		expect_same6(before, &w.result.packet, len);
	}
	free(before);
	siit_world_end(&w);
}

Test(siit_property, ipv6_comes_back_as_it_was)
{
	there_and_back6("2001:db8:64::/96");
	there_and_back6("2001:db8:122:300::/56");
	there_and_back6("2001:db8:122::/48");
	there_and_back6("2001:db8:100::/40");
}

/* --- identification and limits ------------------------------------------- */

/* RFC 791 2.3: a datagram's fragments have one, the next datagram another. */
Test(siit_property, identifications_tell_datagrams_apart)
{
	struct siit_world w = siit_world_begin("2001:db8:64::/96");
	uint8_t *octets = malloc(PACKET_MAKE_MAX);
	struct packet_make make = { .kind = PACKET_MAKE_UDP,
		.payload = 20000 };
	unsigned id, last_id = 0, n = 0;
	struct packet_offload super;
	struct addr v4[2], v6[2];
	const uint8_t *at;
	size_t len;

	w.siit.mtu4 = 600;
	siit_world_choose(&w, v4, v6);
	make.source = v6[1];
	make.destination = v6[0];
	do
		len = packet_make(&make, &w.chance, octets);
	while (octets[6] == 60);
	packet_make_super(octets, len, 1000, &super);
	siit_world_translate(&w, octets, len, &super);
	cr_assert_eq(w.result.verdict, SIIT_PIECES);
	while (siit_next_piece(w.queue, &w.result)) {
		at = w.result.packet.at;
		id = u16(at + 4);
		if ((u16(at + 6) & 0x1fff) == 0 && n++ > 0)
			cr_assert_eq(id, (last_id + 1) & 0xffff);
		else if (n > 1)
			cr_assert_eq(id, last_id);
		last_id = id;
	}
	cr_assert_eq(n, 20);
	free(octets);
	siit_world_end(&w);
}

/* RFC 7915 5.1: packets that may be fragmented are told apart. */
Test(siit_property, identifications_of_a_flow_do_not_repeat)
{
	struct siit_world w = siit_world_begin("2001:db8:64::/96");
	uint8_t octets[PACKET_MAKE_MAX], *seen = calloc(65536, 1);
	struct packet_make make = { .kind = PACKET_MAKE_UDP };
	struct packet_offload super;
	struct addr v4[2], v6[2];
	unsigned i, j, n, id;
	size_t len;

	siit_world_choose(&w, v4, v6);
	make.source = v6[1];
	make.destination = v6[0];
	for (i = 0; i < 10000; i++) {
		make.payload = 1 + chance_below(&w.chance, 5000);
		do
			len = packet_make(&make, &w.chance, octets);
		while (octets[6] == 60);
		packet_make_super(octets, len, 1000, &super);
		siit_world_translate(&w, octets, len, &super);
		siit_world_expect_forward(&w, "flow");
		n = packet_segments(&w.result.packet);
		id = u16(w.result.packet.at + 4);
		for (j = 0; j < n; j++)
			cr_assert_not(seen[(id + j) & 0xffff]++, "%u", i);
		if (i % 3000 == 2999)
			memset(seen, 0, 65536);
	}
	free(seen);
	siit_world_end(&w);
}

static void
limit_errors(bool to_ipv6)
{
	const struct siit_limits limits = { 10, 20, 1, 5 };
	struct siit_world w = siit_world_begin("2001:db8:64::/96");
	struct packet_make make = { .kind = PACKET_MAKE_UDP, .payload = 10 };
	uint8_t octets[PACKET_MAKE_MAX];
	unsigned sent = 0, limited = 0, i;
	struct addr v4[2], v6[2];
	size_t len;

	w.siit.has_own4 = w.siit.has_own6 = true;
	w.siit.any_translatable = false;
	siit_queue_init(w.queue, &limits, &xlat_key, NULL, 0, 0);
	for (i = 0; i < 1000; i++) {
		if (i % 100 == 0) {	/* another host in another /64 */
			siit_world_choose(&w, v4, v6);
			v6[1].octet[7] = (uint8_t)(i / 100);
			v6[1].octet[6] = 0x77;
			v4[1] = addr_of_v4(0xcb007101);
		}
		make.source = to_ipv6 ? v4[0] : v6[1];
		make.destination = to_ipv6 ? v4[1] : v6[0];
		len = packet_make(&make, &w.chance, octets);
		siit_world_translate(&w, octets, len, NULL);
		cr_assert_eq(w.result.reason, to_ipv6 ?
		    DROP_DESTINATION_UNMAPPED : DROP_SOURCE_UNMAPPED);
		sent += w.result.verdict == SIIT_REPLY;
		limited += w.result.limited;
		cr_assert_eq(w.result.verdict == SIIT_REPLY,
		    !w.result.limited);
		cr_assert_leq(sent, 5 * (i / 100 + 1), "per receiver");
	}
	cr_assert_eq(sent, 20);
	cr_assert_eq(limited, 980);
	siit_world_end(&w);
}

Test(siit_property, errors_are_limited_for_each_receiver_and_in_all)
{
	limit_errors(true);
	limit_errors(false);
}
