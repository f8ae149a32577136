/* SPDX-License-Identifier: ISC */
#include "translate/siit.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/packet_check.h"
#include "tests/lib/xlat_vector.h"

enum { VECTORS_MIN = 150 };

static struct siit_queue *
new_queue(const struct xlat_vector *v)
{
	struct siit_queue *queue = malloc(sizeof(*queue));

	cr_assert_not_null(queue);
	siit_queue_init(queue, &v->limits, &xlat_key, v->pool, XLAT_NOW_MS,
	    XLAT_NOW_S);
	return queue;
}

static void
expect_octets(const struct xlat_vector *v, unsigned i,
    const struct packet *packet)
{
	const struct xlat_octets *want;
	const char *wrong;
	size_t at;

	cr_assert_lt(i, v->n_out, "%s: packet %u is one too many", v->name,
	    i + 1);
	want = &v->out[i];
	for (at = 0; at < packet->len && at < want->len; at++)
		cr_assert(!want->known[at] ||
		    packet->at[at] == want->octets[at],
		    "%s: packet %u octet %zu is %02x, not %02x", v->name,
		    i + 1, at, packet->at[at], want->octets[at]);
	cr_assert_eq(packet->len, want->len, "%s: packet %u has %zu octets, "
	    "not %zu", v->name, i + 1, packet->len, want->len);
	wrong = packet_check_shape(packet);
	cr_assert_null(wrong, "%s: packet %u: %s", v->name, i + 1, wrong);
}

/* In the caller's buffer nothing moved but the packet's ends. */
static void
expect_place(const struct xlat_vector *v, const uint8_t *room,
    const struct packet *packet)
{
	if (packet->headroom > 0)
		cr_assert(packet->at - packet->headroom == room, "%s",
		    v->name);
}

static void
expect_offload(const struct xlat_vector *v, const struct packet_offload *got)
{
	const struct packet_offload *want = &v->out_offload;

	cr_assert_eq(got->gso, want->gso, "%s: GSO %d", v->name, got->gso);
	cr_assert_eq(got->partial, want->partial, "%s: partial", v->name);
	if (want->partial) {
		cr_assert_eq(got->csum_start, want->csum_start,
		    "%s: csum_start %u", v->name, got->csum_start);
		cr_assert_eq(got->csum_offset, want->csum_offset,
		    "%s: csum_offset %u", v->name, got->csum_offset);
	}
	if (want->gso != PACKET_GSO_NONE) {
		cr_assert_eq(got->gso_size, want->gso_size, "%s: gso_size %u",
		    v->name, got->gso_size);
		cr_assert_eq(got->hdr_len, want->hdr_len, "%s: hdr_len %u",
		    v->name, got->hdr_len);
	}
}

static void
translate(const struct xlat_vector *v, void *arg)
{
	struct siit_queue *queue = new_queue(v);
	struct packet packet = xlat_packet(v->octets, v->len, &v->offload);
	uint8_t *room = packet.at - packet.headroom;
	struct siit_result result;
	unsigned n = 0;

	(void)arg;
	memset(&result, 0xa5, sizeof(result));
	siit_translate(&v->siit, queue, XLAT_NOW_MS, &packet, &result);
	cr_assert(result.verdict == v->verdict && result.reason == v->reason,
	    "%s: verdict %d with reason %s", v->name, result.verdict,
	    drop_reason_label(result.reason));
	switch (result.verdict) {
	case SIIT_PIECES:
		while (siit_next_piece(queue, &result))
			expect_octets(v, n++, &result.packet);
		break;
	case SIIT_FORWARD:
	case SIIT_REPLY:
		expect_octets(v, n++, &result.packet);
		expect_offload(v, &result.packet.offload);
		expect_place(v, room, &result.packet);
		break;
	case SIIT_DROP:
		/* It can still be described. */
		if (!result.hairpinned)
			cr_assert_eq(result.packet.at, packet.at, "%s",
			    v->name);
		break;
	}
	cr_assert_eq(result.hairpinned, strncmp(v->name, "6to6", 4) == 0,
	    "%s", v->name);
	cr_assert_eq(n, v->n_out, "%s: %u packets", v->name, n);
	free(room);
	free(queue);
}

Test(siit_vectors, come_out_as_the_rfcs_say)
{
	unsigned n = xlat_vectors_each(translate, NULL);

	cr_assert_geq(n, VECTORS_MIN, "only %u pairs", n);
}

/* A packet that is refused can still be described, and quoted, after it. */
static void
refuse(const struct xlat_vector *v, void *arg)
{
	struct packet packet = xlat_packet(v->octets, v->len, &v->offload);
	uint8_t *room = packet.at - packet.headroom;
	struct siit_queue *queue = new_queue(v);
	struct siit_result result;

	(void)arg;
	siit_translate(&v->siit, queue, XLAT_NOW_MS, &packet, &result);
	if (result.reason != DROP_NONE && !result.hairpinned)
		cr_assert(v->len == 0 ||
		    memcmp(packet.at, v->octets, v->len) == 0, "%s", v->name);
	free(room);
	free(queue);
}

Test(siit_vectors, are_left_as_they_were_when_refused)
{
	xlat_vectors_each(refuse, NULL);
}
