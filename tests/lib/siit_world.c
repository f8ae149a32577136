/* SPDX-License-Identifier: ISC */
#include "tests/lib/siit_world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/rfc6052.h"
#include "tests/lib/addresses.h"
#include "tests/lib/packet_check.h"
#include "tests/lib/xlat_vector.h"

struct siit_world
siit_world_begin(const char *prefix)
{
	const struct siit_limits limits = { 1000, 1000, 1000, 1000 };
	const struct eam eam = { prefix_of("192.0.2.0/24"),
		prefix_of("2001:db8:1::/120") };
	const struct embedding embedding = { prefix_of(prefix),
		prefix_of("0.0.0.0/0"), false };
	struct address_map_problem problem;
	struct siit_world w = {
		.map = address_map_new(&eam, 1, &embedding, 1, &xlat_key,
		    &problem),
		.prefix = embedding.prefix,
		.queue = malloc(sizeof(*w.queue)),
		.chance = { 88172645463325252 },
		.room = malloc(SIIT_WORLD_ROOM)
	};

	cr_assert(w.map != NULL && w.queue != NULL && w.room != NULL);
	siit_init(&w.siit, w.map);
	siit_queue_init(w.queue, &limits, &xlat_key, NULL, 0, 0);
	return w;
}

void
siit_world_end(struct siit_world *w)
{
	free(w->room);
	free(w->queue);
	address_map_free(w->map);
}

uint8_t *
siit_world_at(const struct siit_world *w)
{
	return w->room + PACKET_HEADROOM;
}

void
siit_world_translate(struct siit_world *w, const uint8_t *octets, size_t len,
    const struct packet_offload *offload)
{
	static const struct packet_offload none = { 0 };
	const struct packet packet = {
		.at = siit_world_at(w),
		.len = len,
		.headroom = PACKET_HEADROOM,
		.offload = offload != NULL ? *offload : none
	};

	memmove(packet.at, octets, len);
	siit_translate(&w->siit, w->queue, 0, &packet, &w->result);
}

void
siit_world_choose(struct siit_world *w, struct addr v4[2],
    struct addr v6[2])
{
	uint32_t world = 0x08000000 | (chance_u32(&w->chance) & 0xffffff);
	uint32_t vm = chance_below(&w->chance, 256);

	v4[0] = addr_of_v4(world);
	v4[1] = addr_of_v4(0xc0000200 | vm);
	v6[0] = rfc6052_embed(&w->prefix, world);
	v6[1] = prefix_of("2001:db8:1::").addr;
	v6[1].octet[15] = (uint8_t)vm;
}

void
siit_world_expect_forward(const struct siit_world *w, const char *what)
{
	const char *wrong;

	cr_assert_eq(w->result.verdict, SIIT_FORWARD, "%s: verdict %d, %s",
	    what, w->result.verdict, drop_reason_label(w->result.reason));
	wrong = packet_check_sums(&w->result.packet, false);
	cr_assert_null(wrong, "%s: %s", what, wrong);
}
