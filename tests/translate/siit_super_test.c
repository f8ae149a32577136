/* SPDX-License-Identifier: ISC */
/* Super-packets, and what is cut into pieces. */
#include "translate/siit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/packet_check.h"
#include "tests/lib/packet_make.h"
#include "tests/lib/siit_world.h"

enum {
	ROUNDS = 400,
	SEGMENTS_MAX = 64
};

static unsigned
u16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

struct segments {
	unsigned n;
	size_t	 len[SEGMENTS_MAX];
	uint8_t	 octets[SEGMENTS_MAX][2048];
};

static void
collect(struct siit_world *w, struct segments *to)
{
	const struct packet *packet = &w->result.packet;

	cr_assert_lt(to->n, SEGMENTS_MAX);
	cr_assert_leq(packet->len, sizeof(to->octets[0]));
	to->len[to->n] = packet->len;
	memcpy(to->octets[to->n++], packet->at, packet->len);
}

/* The packets a result stands for. */
static void
take_apart(struct siit_world *w, struct segments *to)
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
	siit_world_expect_forward(w, "super");
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
	struct siit_world w = siit_world_begin("2001:db8:64::/96");
	uint8_t *octets = malloc(PACKET_MAKE_MAX);
	struct segments *all = calloc(3, sizeof(*all));
	struct packet packet = { .at = octets };
	struct addr v4[2], v6[2];
	struct packet_make make;
	unsigned round, i;
	uint16_t size;

	w.siit.mtu4 = super->mtu4;
	for (round = 0; round < ROUNDS; round++) {
		siit_world_choose(&w, v4, v6);
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
		siit_world_translate(&w, octets, packet.len, &packet.offload);
		if (w.result.verdict == SIIT_DROP)
			continue;	/* too big, and so is each: below */
		take_apart(&w, &all[1]);
		for (i = 0; i < all[0].n; i++) {
			siit_world_translate(&w, all[0].octets[i],
			    all[0].len[i], NULL);
			take_apart(&w, &all[2]);
		}
		expect_same_segments(&all[1], &all[2]);
	}
	free(all);
	free(octets);
	siit_world_end(&w);
}

Test(siit_super, a_super_packet_is_translated_like_each_of_its_segments)
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
Test(siit_super, a_super_packet_is_too_big_if_a_segment_is)
{
	struct siit_world w = siit_world_begin("2001:db8:64::/96");
	uint8_t *octets = malloc(PACKET_MAKE_MAX);
	struct packet_offload offload;
	struct addr v4[2], v6[2];
	struct packet_make make;
	unsigned size;
	size_t len;

	siit_world_choose(&w, v4, v6);
	make = (struct packet_make) { v6[1], v6[0], PACKET_MAKE_UDP, 9000 };
	do
		len = packet_make(&make, &w.chance, octets);
	while (octets[6] == 60);
	for (size = 1300; size < 1500; size++) {
		packet_make_super(octets, len, (uint16_t)size, &offload);
		w.siit.mtu4 = 1400;
		siit_world_translate(&w, octets, len, &offload);
		cr_assert_eq(w.result.verdict == SIIT_FORWARD,
		    20 + 8 + size <= 1400, "%u", size);
		cr_assert(w.result.verdict == SIIT_FORWARD ||
		    w.result.reason == DROP_TOO_BIG);
	}
	free(octets);
	siit_world_end(&w);
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

Test(siit_super, a_stream_that_would_be_cut_gets_smaller_segments)
{
	struct siit_world w = siit_world_begin("2001:db8:64::/96");
	uint8_t *octets = malloc(PACKET_MAKE_MAX);
	struct segments *s = calloc(1, sizeof(*s));
	struct packet packet = { .at = octets };
	struct addr v4[2], v6[2];
	struct packet_make make;
	unsigned round;
	bool to6;

	w.siit.mtu4 = 900;
	for (round = 0; round < ROUNDS; round++) {
		to6 = round % 2 == 0;
		siit_world_choose(&w, v4, v6);
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
		siit_world_translate(&w, octets, packet.len, &packet.offload);
		s->n = 0;
		take_apart(&w, s);
		expect_stream(s, octets + packet.offload.hdr_len,
		    packet.len - packet.offload.hdr_len, to6 ? 1280 : 900);
	}
	free(s);
	free(octets);
	siit_world_end(&w);
}

/* --- pieces -------------------------------------------------------------- */

/* Put together again, pieces are the packet that was too big. */
Test(siit_super, pieces_make_up_the_packet)
{
	struct siit_world w = siit_world_begin("2001:db8:64::/96"),
	    whole = siit_world_begin("2001:db8:64::/96");
	uint8_t *octets = malloc(PACKET_MAKE_MAX), *again = malloc(70000);
	struct addr v4[2], v6[2];
	struct packet_make make;
	unsigned round, offset;
	const uint8_t *at;
	size_t len, end_at;

	whole.siit.mtu6 = whole.siit.lowest_mtu6 = SIIT_MTU_MAX;
	for (round = 0; round < 500; round++) {
		siit_world_choose(&w, v4, v6);
		make = (struct packet_make) { v4[0], v4[1], PACKET_MAKE_UDP,
			1300 + chance_below(&w.chance, 60000) };
		do
			len = packet_make(&make, &w.chance, octets);
		while (octets[6] != 0);
		w.siit.lowest_mtu6 = w.siit.mtu6 =
		    1280 + chance_below(&w.chance, 600);
		siit_world_translate(&w, octets, len, NULL);
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
		siit_world_translate(&whole, octets, len, NULL);
		siit_world_expect_forward(&whole, "whole");
		cr_assert_arr_eq(again, whole.result.packet.at + 40, end_at);
	}
	free(again);
	free(octets);
	siit_world_end(&whole);
	siit_world_end(&w);
}

/* Who stops in the middle gets nothing of that packet later. */
Test(siit_super, pieces_are_those_of_the_last_packet)
{
	struct siit_world w = siit_world_begin("2001:db8:64::/96");
	uint8_t *octets = malloc(PACKET_MAKE_MAX), first[2048];
	struct packet_make make = { .kind = PACKET_MAKE_UDP };
	struct addr v4[2], v6[2];
	size_t len, first_len;
	unsigned i, n;

	siit_world_choose(&w, v4, v6);
	make.source = v4[0];
	make.destination = v4[1];
	make.payload = 6000;
	do
		len = packet_make(&make, &w.chance, octets);
	while (octets[6] != 0);
	for (i = 0, first_len = 0; i < 6; i++) {
		siit_world_translate(&w, octets, len, NULL);
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
	siit_world_end(&w);
}
