/* SPDX-License-Identifier: ISC */
#include "translate/siit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rfc6052.h"
#include "tests/lib/packet_check.h"
#include "tests/lib/packet_make.h"
#include "tests/lib/xlat_vector.h"

enum {
	ROUNDS = 20000,
	SUPER_ROUNDS = 400,
	SEGMENTS_MAX = 64,
	PAYLOAD_MAX = 1170,	/* octets: a packet that is never cut */
	ROOM = PACKET_HEADROOM + PACKET_MAX
};

/* A translator with a VM's subnet and the world behind a prefix. */
struct world {
	struct address_map *map;
	struct prefix	prefix;
	struct siit	siit;
	struct siit_queue *queue;
	struct chance	chance;
	uint8_t		*room;		/* the packet, behind its headroom */
	struct siit_result result;
};

static struct prefix
prefix_of(const char *text)
{
	struct prefix prefix;

	cr_assert_eq(prefix_parse(text, strlen(text), &prefix), PREFIX_OK);
	return prefix;
}

static struct world
begin(const char *prefix)
{
	const struct siit_limits limits = { 1000, 1000, 1000, 1000 };
	const struct eam eam = { prefix_of("192.0.2.0/24"),
		prefix_of("2001:db8:1::/120") };
	struct embedding embedding = { prefix_of(prefix),
		prefix_of("0.0.0.0/0"), false };
	struct address_map_problem problem;
	struct world w = {
		.map = address_map_new(&eam, 1, &embedding, 1, &xlat_key,
		    &problem),
		.prefix = embedding.prefix,
		.queue = malloc(sizeof(*w.queue)),
		.chance = { 88172645463325252 },
		.room = malloc(ROOM)
	};

	cr_assert(w.map != NULL && w.queue != NULL && w.room != NULL);
	siit_init(&w.siit, w.map);
	siit_queue_init(w.queue, &limits, &xlat_key, NULL, 0, 0);
	return w;
}

static void
end(struct world *w)
{
	free(w->room);
	free(w->queue);
	address_map_free(w->map);
}

/* The pair of addresses in both families: the world's, then the VM's. */
static void
choose_addresses(struct world *w, struct addr v4[2], struct addr v6[2])
{
	uint32_t world = 0x08000000 | (chance_u32(&w->chance) & 0xffffff);
	uint32_t vm = chance_below(&w->chance, 256);

	v4[0] = addr_of_v4(world);
	v4[1] = addr_of_v4(0xc0000200 | vm);
	v6[0] = rfc6052_embed(&w->prefix, world);
	v6[1] = prefix_of("2001:db8:1::").addr;
	v6[1].octet[15] = (uint8_t)vm;
}

static void
translate(struct world *w, const uint8_t *octets, size_t len,
    const struct packet_offload *offload)
{
	static const struct packet_offload none = { 0 };
	struct packet packet = {
		.at = w->room + PACKET_HEADROOM,
		.len = len,
		.headroom = PACKET_HEADROOM,
		.offload = offload != NULL ? *offload : none
	};

	memmove(packet.at, octets, len);
	siit_translate(&w->siit, w->queue, 0, &packet, &w->result);
}

static void
expect_forward(const struct world *w, const char *what)
{
	const char *wrong;

	cr_assert_eq(w->result.verdict, SIIT_FORWARD, "%s: verdict %d, %s",
	    what, w->result.verdict, drop_reason_label(w->result.reason));
	wrong = packet_check_sums(&w->result.packet, false);
	cr_assert_null(wrong, "%s: %s", what, wrong);
}

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
	struct world w = begin(prefix);
	uint8_t *before = malloc(PACKET_MAKE_MAX);
	struct addr v4[2], v6[2];
	struct packet_make make;
	unsigned round;
	size_t len;

	for (round = 0; round < ROUNDS; round++) {
		choose_addresses(&w, v4, v6);
		make = (struct packet_make) { v4[0], v4[1],
			round % N_PACKET_MAKE,
			chance_below(&w.chance, PAYLOAD_MAX) };
		len = packet_make(&make, &w.chance, before);
		translate(&w, before, len, NULL);
		expect_forward(&w, "to IPv6");
		cr_assert_arr_eq(w.result.packet.at + 8, v6[0].octet, 16);
		cr_assert_arr_eq(w.result.packet.at + 24, v6[1].octet, 16);
		/* The same way back: the world sends from IPv6 now. */
		translate(&w, w.result.packet.at, w.result.packet.len, NULL);
		expect_forward(&w, "back");
		expect_same4(before, &w.result.packet, len);
	}
	free(before);
	end(&w);
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
	struct world w = begin(prefix);
	uint8_t *before = malloc(PACKET_MAKE_MAX);
	struct addr v4[2], v6[2];
	struct packet_make make;
	unsigned round;
	size_t len;

	w.siit.hairpin = SIIT_HAIRPIN_OFF;	/* the VM is a source here */
	for (round = 0; round < ROUNDS; round++) {
		choose_addresses(&w, v4, v6);
		make = (struct packet_make) { v6[1], v6[0],
			round % N_PACKET_MAKE,
			chance_below(&w.chance, PAYLOAD_MAX) };
		len = packet_make(&make, &w.chance, before);
		translate(&w, before, len, NULL);
		expect_forward(&w, "to IPv4");
		cr_assert_arr_eq(w.result.packet.at + 12, v4[1].octet + 12,
		    4);
		cr_assert_arr_eq(w.result.packet.at + 16, v4[0].octet + 12,
		    4);
		translate(&w, w.result.packet.at, w.result.packet.len, NULL);
		expect_forward(&w, "back");
		expect_same6(before, &w.result.packet, len);
	}
	free(before);
	end(&w);
}

Test(siit_property, ipv6_comes_back_as_it_was)
{
	there_and_back6("2001:db8:64::/96");
	there_and_back6("2001:db8:122:300::/56");
	there_and_back6("2001:db8:122::/48");
	there_and_back6("2001:db8:100::/40");
}

/* --- super-packets ------------------------------------------------------- */

struct segments {
	unsigned n;
	size_t	 len[SEGMENTS_MAX];
	uint8_t	 octets[SEGMENTS_MAX][2048];
};

static void
collect(struct world *w, struct segments *to)
{
	const struct packet *packet = &w->result.packet;

	cr_assert_lt(to->n, SEGMENTS_MAX);
	cr_assert_leq(packet->len, sizeof(to->octets[0]));
	to->len[to->n] = packet->len;
	memcpy(to->octets[to->n++], packet->at, packet->len);
}

/* The packets a result stands for. */
static void
take_apart(struct world *w, struct segments *to)
{
	const char *wrong;

	if (w->result.verdict == SIIT_PIECES) {
		while (siit_next_piece(w->queue, &w->result)) {
			wrong = packet_check_sums(&w->result.packet, false);
			cr_assert_null(wrong, "%s", wrong);
			collect(w, to);
		}
		return;
	}
	expect_forward(w, "super");
	if (w->result.packet.offload.gso == PACKET_GSO_NONE) {
		packet_finish_checksum(&w->result.packet);
		collect(w, to);
		return;
	}
	to->n += packet_segment(&w->result.packet, to->octets + to->n,
	    to->len + to->n, SEGMENTS_MAX - to->n);
}

/* IPv4 packets' identification and DF are allowed to differ. */
static void
forget_ident(uint8_t *at)
{
	if (at[0] >> 4 != 4)
		return;
	at[4] = at[5] = at[10] = at[11] = 0;
	at[6] &= 0xbf;
}

static void
expect_same_segments(struct segments *a, struct segments *b)
{
	unsigned i;

	cr_assert_eq(a->n, b->n, "%u and %u", a->n, b->n);
	for (i = 0; i < a->n; i++) {
		cr_assert_eq(a->len[i], b->len[i], "segment %u: %zu and %zu",
		    i, a->len[i], b->len[i]);
		forget_ident(a->octets[i]);
		forget_ident(b->octets[i]);
		cr_assert_arr_eq(a->octets[i], b->octets[i], a->len[i],
		    "segment %u", i);
	}
}

struct super {
	bool	 v4, udp;
	unsigned size_min, size_max;	/* octets of a segment's payload */
	uint32_t mtu4;
};

static void
compare_super(const struct super *super)
{
	struct world w = begin("2001:db8:64::/96");
	uint8_t *octets = malloc(PACKET_MAKE_MAX);
	struct segments *all = calloc(3, sizeof(*all));
	struct packet packet = { .at = octets };
	struct addr v4[2], v6[2];
	struct packet_make make;
	unsigned round, i;
	uint16_t size;

	w.siit.mtu4 = super->mtu4;
	for (round = 0; round < SUPER_ROUNDS; round++) {
		choose_addresses(&w, v4, v6);
		size = (uint16_t)(super->size_min + chance_below(&w.chance,
		    super->size_max - super->size_min + 1));
		make = (struct packet_make) {
			super->v4 ? v4[0] : v6[1], super->v4 ? v4[1] : v6[0],
			super->udp ? PACKET_MAKE_UDP : PACKET_MAKE_TCP,
			1 + chance_below(&w.chance, 20u * size)
		};
		packet.len = packet_make(&make, &w.chance, octets);
		if (!super->v4 && octets[6] == 60)
			continue;	/* no super-packet has options */
		packet_make_super(octets, packet.len, size, &packet.offload);
		memset(all, 0, 3 * sizeof(*all));
		all[0].n = packet_segment(&packet, all[0].octets, all[0].len,
		    SEGMENTS_MAX);
		translate(&w, octets, packet.len, &packet.offload);
		if (w.result.verdict == SIIT_DROP)
			continue;	/* too big, and so is each: below */
		take_apart(&w, &all[1]);
		for (i = 0; i < all[0].n; i++) {
			translate(&w, all[0].octets[i], all[0].len[i], NULL);
			take_apart(&w, &all[2]);
		}
		expect_same_segments(&all[1], &all[2]);
	}
	free(all);
	free(octets);
	end(&w);
}

Test(siit_property, a_super_packet_is_translated_like_each_of_its_segments)
{
	static const struct super supers[] = {
		{ true, false, 100, 1200, 1500 },
		{ true, true, 100, 1450, 1500 },
		{ false, false, 100, 1380, 1500 },
		{ false, true, 100, 1440, 1500 },
		{ false, true, 100, 1232, 1000 },
		{ false, true, 600, 1232, 576 },
	};
	size_t i;

	for (i = 0; i < sizeof(supers) / sizeof(supers[0]); i++)
		compare_super(&supers[i]);
}

/* Its segments are too big one by one, if it is. */
Test(siit_property, a_super_packet_is_too_big_if_a_segment_is)
{
	struct world w = begin("2001:db8:64::/96");
	uint8_t *octets = malloc(PACKET_MAKE_MAX);
	struct packet_offload offload;
	struct addr v4[2], v6[2];
	struct packet_make make;
	unsigned size;
	size_t len;

	choose_addresses(&w, v4, v6);
	make = (struct packet_make) { v6[1], v6[0], PACKET_MAKE_UDP, 9000 };
	do
		len = packet_make(&make, &w.chance, octets);
	while (octets[6] == 60);
	for (size = 1300; size < 1500; size++) {
		packet_make_super(octets, len, (uint16_t)size, &offload);
		w.siit.mtu4 = 1400;
		translate(&w, octets, len, &offload);
		cr_assert_eq(w.result.verdict == SIIT_FORWARD,
		    20 + 8 + size <= 1400, "%u", size);
		cr_assert(w.result.verdict == SIIT_FORWARD ||
		    w.result.reason == DROP_TOO_BIG);
	}
	free(octets);
	end(&w);
}

/* Smaller segments: the stream stays what it was, in order. */
static void
expect_stream(const struct segments *s, const uint8_t *stream, size_t len,
    size_t max)
{
	size_t at = 0, header, size;
	unsigned i, ip;

	for (i = 0; i < s->n; i++) {
		cr_assert_leq(s->len[i], max);
		ip = s->octets[i][0] >> 4 == 4 ? 20 : 40;
		header = ip + (s->octets[i][ip + 12] >> 4) * 4u;
		size = s->len[i] - header;
		cr_assert_leq(at + size, len);
		cr_assert_arr_eq(s->octets[i] + header, stream + at, size);
		at += size;
	}
	cr_assert_eq(at, len);
}

Test(siit_property, a_stream_that_would_be_cut_gets_smaller_segments)
{
	struct world w = begin("2001:db8:64::/96");
	uint8_t *octets = malloc(PACKET_MAKE_MAX);
	struct segments *s = calloc(1, sizeof(*s));
	struct packet packet = { .at = octets };
	struct addr v4[2], v6[2];
	struct packet_make make;
	unsigned round;
	bool to6;

	w.siit.mtu4 = 900;
	for (round = 0; round < SUPER_ROUNDS; round++) {
		to6 = round % 2 == 0;
		choose_addresses(&w, v4, v6);
		make = (struct packet_make) {
			to6 ? v4[0] : v6[1], to6 ? v4[1] : v6[0],
			PACKET_MAKE_TCP,
			3000 + chance_below(&w.chance, 9000)
		};
		packet.len = packet_make(&make, &w.chance, octets);
		if (!to6 && octets[6] == 60)
			continue;
		if (to6) {	/* without DF */
			octets[6] = 0;
			octets[10] = octets[11] = 0;
			packet.offload.csum_start = plain_sum(octets, 20, 0) ^
			    0xffff;
			octets[10] = (uint8_t)
			    (packet.offload.csum_start >> 8);
			octets[11] = (uint8_t)packet.offload.csum_start;
		}
		packet_make_super(octets, packet.len,
		    (uint16_t)(to6 ? 1300 : 1100), &packet.offload);
		translate(&w, octets, packet.len, &packet.offload);
		s->n = 0;
		take_apart(&w, s);
		expect_stream(s, octets + packet.offload.hdr_len,
		    packet.len - packet.offload.hdr_len, to6 ? 1280 : 900);
	}
	free(s);
	free(octets);
	end(&w);
}

/* --- pieces -------------------------------------------------------------- */

/* Put together again, pieces are the packet that was too big. */
Test(siit_property, pieces_make_up_the_packet)
{
	struct world w = begin("2001:db8:64::/96"), whole = begin(
	    "2001:db8:64::/96");
	uint8_t *octets = malloc(PACKET_MAKE_MAX), *again = malloc(70000);
	struct addr v4[2], v6[2];
	struct packet_make make;
	unsigned round, offset;
	const uint8_t *at;
	size_t len, end_at;

	whole.siit.mtu6 = whole.siit.lowest_mtu6 = SIIT_MTU_MAX;
	for (round = 0; round < 500; round++) {
		choose_addresses(&w, v4, v6);
		make = (struct packet_make) { v4[0], v4[1], PACKET_MAKE_UDP,
			1300 + chance_below(&w.chance, 60000) };
		do
			len = packet_make(&make, &w.chance, octets);
		while (octets[6] != 0);
		w.siit.lowest_mtu6 = w.siit.mtu6 =
		    1280 + chance_below(&w.chance, 600);
		translate(&w, octets, len, NULL);
		if (w.result.verdict != SIIT_PIECES)
			continue;
		for (end_at = 0; siit_next_piece(w.queue, &w.result);) {
			at = w.result.packet.at;
			offset = u16(at + 42) & 0xfff8;
			cr_assert_eq(offset, end_at);
			end_at += w.result.packet.len - 48;
			cr_assert_eq((u16(at + 42) & 1) != 0,
			    end_at < len - 20);
			memcpy(again + offset, at + 48,
			    w.result.packet.len - 48);
		}
		cr_assert_eq(end_at, len - 20);
		translate(&whole, octets, len, NULL);
		expect_forward(&whole, "whole");
		cr_assert_arr_eq(again, whole.result.packet.at + 40, end_at);
	}
	free(again);
	free(octets);
	end(&whole);
	end(&w);
}

/* Who stops in the middle gets nothing of that packet later. */
Test(siit_property, pieces_are_those_of_the_last_packet)
{
	struct world w = begin("2001:db8:64::/96");
	uint8_t *octets = malloc(PACKET_MAKE_MAX), first[2048];
	struct packet_make make = { .kind = PACKET_MAKE_UDP };
	struct addr v4[2], v6[2];
	size_t len, first_len;
	unsigned i, n;

	choose_addresses(&w, v4, v6);
	make.source = v4[0];
	make.destination = v4[1];
	make.payload = 6000;
	do
		len = packet_make(&make, &w.chance, octets);
	while (octets[6] != 0);
	for (i = 0, first_len = 0; i < 6; i++) {
		translate(&w, octets, len, NULL);
		cr_assert_eq(w.result.verdict, SIIT_PIECES);
		for (n = 0; n < i && siit_next_piece(w.queue, &w.result);
		     n++) {
			if (n > 0)
				continue;
			if (first_len > 0)
				cr_assert_arr_eq(w.result.packet.at, first,
				    first_len);
			first_len = w.result.packet.len;
			memcpy(first, w.result.packet.at, first_len);
		}
		cr_assert_eq(n, i < 5 ? i : 5);
	}
	cr_assert_not(siit_next_piece(w.queue, &w.result));
	free(octets);
	end(&w);
}

/* --- identification and limits ------------------------------------------- */

/* RFC 791 2.3: a datagram's fragments have one, the next datagram another. */
Test(siit_property, identifications_tell_datagrams_apart)
{
	struct world w = begin("2001:db8:64::/96");
	uint8_t *octets = malloc(PACKET_MAKE_MAX);
	struct packet_make make = { .kind = PACKET_MAKE_UDP,
		.payload = 20000 };
	unsigned id, last_id = 0, n = 0;
	struct packet_offload super;
	struct addr v4[2], v6[2];
	const uint8_t *at;
	size_t len;

	w.siit.mtu4 = 600;
	choose_addresses(&w, v4, v6);
	make.source = v6[1];
	make.destination = v6[0];
	do
		len = packet_make(&make, &w.chance, octets);
	while (octets[6] == 60);
	packet_make_super(octets, len, 1000, &super);
	translate(&w, octets, len, &super);
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
	end(&w);
}

/* RFC 7915 5.1: packets that may be fragmented are told apart. */
Test(siit_property, identifications_of_a_flow_do_not_repeat)
{
	struct world w = begin("2001:db8:64::/96");
	uint8_t octets[PACKET_MAKE_MAX], *seen = calloc(65536, 1);
	struct packet_make make = { .kind = PACKET_MAKE_UDP };
	struct packet_offload super;
	struct addr v4[2], v6[2];
	unsigned i, j, n, id;
	size_t len;

	choose_addresses(&w, v4, v6);
	make.source = v6[1];
	make.destination = v6[0];
	for (i = 0; i < 10000; i++) {
		make.payload = 1 + chance_below(&w.chance, 5000);
		do
			len = packet_make(&make, &w.chance, octets);
		while (octets[6] == 60);
		packet_make_super(octets, len, 1000, &super);
		translate(&w, octets, len, &super);
		expect_forward(&w, "flow");
		n = packet_segments(&w.result.packet);
		id = u16(w.result.packet.at + 4);
		for (j = 0; j < n; j++)
			cr_assert_not(seen[(id + j) & 0xffff]++, "%u", i);
		if (i % 3000 == 2999)
			memset(seen, 0, 65536);
	}
	free(seen);
	end(&w);
}

static void
limit_errors(bool to_ipv6)
{
	const struct siit_limits limits = { 10, 20, 1, 5 };
	struct world w = begin("2001:db8:64::/96");
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
			choose_addresses(&w, v4, v6);
			v6[1].octet[7] = (uint8_t)(i / 100);
			v6[1].octet[6] = 0x77;
			v4[1] = addr_of_v4(0xcb007101);
		}
		make.source = to_ipv6 ? v4[0] : v6[1];
		make.destination = to_ipv6 ? v4[1] : v6[0];
		len = packet_make(&make, &w.chance, octets);
		translate(&w, octets, len, NULL);
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
	end(&w);
}

Test(siit_property, errors_are_limited_for_each_receiver_and_in_all)
{
	limit_errors(true);
	limit_errors(false);
}
