/* SPDX-License-Identifier: ISC */
#include "translate/siit.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/hostile.h"
#include "tests/lib/packet_check.h"
#include "tests/lib/xlat_vector.h"

enum { PIECES_MAX = 65536 };

/* A vector being ill-treated. */
struct victim {
	const struct xlat_vector *vector;
	struct siit_queue *queue;
	unsigned	 forwarded;
};

static void
expect_shape(const struct victim *victim, const struct packet *packet)
{
	const char *wrong = packet_check_shape(packet);

	cr_assert_null(wrong, "%s: %s", victim->vector->name, wrong);
}

static void
expect_pieces(const struct victim *victim, struct siit_result *result)
{
	const struct siit *siit = &victim->vector->siit;
	const struct packet *piece = &result->packet;
	unsigned n = 0;

	while (siit_next_piece(victim->queue, result)) {
		expect_shape(victim, piece);
		cr_assert_leq(piece->len, packet_version(piece) == 4 ?
		    siit->mtu4 : siit->lowest_mtu6, "%s",
		    victim->vector->name);
		cr_assert_lt(++n, PIECES_MAX, "%s", victim->vector->name);
	}
	cr_assert_gt(n, 1, "%s", victim->vector->name);
}

/* Whatever it is, what comes out has the shape of packets. */
static void
translate(const uint8_t *octets, size_t len, void *arg)
{
	struct victim *victim = arg;
	const struct xlat_vector *v = victim->vector;
	struct packet packet = xlat_packet(octets, len, &v->offload);
	uint8_t *room = packet.at - packet.headroom;
	char text[PACKET_TEXT_MAX];
	struct siit_result result;
	const char *wrong;

	cr_assert_lt(strlen(packet_describe(&packet, text)), sizeof(text));
	siit_translate(&v->siit, victim->queue, XLAT_NOW_MS, &packet,
	    &result);
	cr_assert_lt(result.reason, N_DROP_REASONS);
	switch (result.verdict) {
	case SIIT_FORWARD:
		victim->forwarded++;
		expect_shape(victim, &result.packet);
		break;
	case SIIT_PIECES:
		expect_pieces(victim, &result);
		break;
	case SIIT_REPLY:
		wrong = packet_check_sums(&result.packet, false);
		cr_assert_null(wrong, "%s: reply: %s", v->name, wrong);
		break;
	case SIIT_DROP:
		cr_assert_neq(result.reason, DROP_NONE, "%s", v->name);
		break;
	}
	free(room);
}

/* As hostile_bit_flips(), but translate() makes the copy. */
static void
flip_bits(const struct xlat_vector *v, struct victim *victim)
{
	uint8_t *octets = v->octets;
	size_t bit;

	for (bit = 0; bit < 8 * v->len; bit++) {
		octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
		translate(octets, v->len, victim);
		octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void
cut(const struct xlat_vector *v, struct victim *victim)
{
	hostile_cuts(v->octets, v->len, translate, victim);
}

/* One way to mistreat vectors, and how many got through it. */
struct torture {
	void		(*fn)(const struct xlat_vector *, struct victim *);
	char		 from;		/* '4', '6', or NUL: all */
	unsigned	 forwarded;
};

static void
mistreat(const struct xlat_vector *v, void *arg)
{
	struct torture *torture = arg;
	struct victim victim = { .vector = v };

	/* Criterion runs tests side by side. */
	if (torture->from == '4' && v->name[0] != '4')
		return;
	if (torture->from == '6' && v->name[0] == '4')
		return;
	victim.queue = malloc(sizeof(*victim.queue));
	cr_assert_not_null(victim.queue);
	siit_queue_init(victim.queue, &v->limits, &xlat_key, v->pool,
	    XLAT_NOW_MS, XLAT_NOW_S);
	torture->fn(v, &victim);
	torture->forwarded += victim.forwarded;
	free(victim.queue);
}

Test(siit_hostile, nothing_breaks_at_any_cut)
{
	struct torture torture = { .fn = cut };

	xlat_vectors_each(mistreat, &torture);
	cr_assert_gt(torture.forwarded, 100, "only %u got through",
	    torture.forwarded);
}

static void
flip_all(char from)
{
	struct torture torture = { .fn = flip_bits, .from = from };

	xlat_vectors_each(mistreat, &torture);
	cr_assert_gt(torture.forwarded, 100000, "only %u got through",
	    torture.forwarded);
}

Test(siit_hostile, nothing_breaks_at_any_bit_flip_from_ipv4)
{
	flip_all('4');
}

Test(siit_hostile, nothing_breaks_at_any_bit_flip_from_ipv6)
{
	flip_all('6');
}
