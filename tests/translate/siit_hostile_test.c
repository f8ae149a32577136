/* SPDX-License-Identifier: ISC */
#include "translate/siit.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/hostile.h"
#include "tests/lib/packet_check.h"
#include "tests/lib/xlat_vector.h"

enum {
	HEADERS_MAX = 256,	/* octets in which each bit is flipped... */
	STRIDE = 211,		/* and of the payload every so many bits */
	PIECES_MAX = 65536
};

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

static void
flip_bits(const struct xlat_vector *v, struct victim *victim)
{
	uint8_t *copy = malloc(v->len + 1);
	size_t bit, bits = 8 * v->len;

	cr_assert_not_null(copy);
	memcpy(copy, v->octets, v->len);
	for (bit = 0; bit < bits;
	     bit += bit < 8 * HEADERS_MAX ? 1 : STRIDE) {
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		translate(copy, v->len, victim);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(copy);
}

static void
mistreat(const struct xlat_vector *v, void *arg)
{
	struct victim victim = { .vector = v,
		.queue = malloc(sizeof(*victim.queue)) };

	cr_assert_not_null(victim.queue);
	siit_queue_init(victim.queue, &v->limits, &xlat_key, v->pool,
	    XLAT_NOW_MS, XLAT_NOW_S);
	hostile_cuts(v->octets, v->len, translate, &victim);
	flip_bits(v, &victim);
	*(unsigned *)arg += victim.forwarded;
	free(victim.queue);
}

Test(siit_hostile, nothing_breaks_at_any_cut_or_bit_flip)
{
	unsigned forwarded = 0;

	xlat_vectors_each(mistreat, &forwarded);
	cr_assert_gt(forwarded, 10000, "only %u got through", forwarded);
}
