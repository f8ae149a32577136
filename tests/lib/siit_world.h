/* SPDX-License-Identifier: ISC */
/*
 * siit_world.h - a translator to test, with VMs on one side, 192.0.2.0/24 as
 * 2001:db8:1::/120, and the world behind a prefix.
 */
#ifndef TESTS_LIB_SIIT_WORLD_H
#define TESTS_LIB_SIIT_WORLD_H

#include "tests/lib/packet_make.h"
#include "translate/siit.h"

enum { SIIT_WORLD_ROOM = PACKET_HEADROOM + PACKET_MAX };

struct siit_world {
	struct address_map *map;	/* owned */
	struct prefix	prefix;
	struct siit	siit;
	struct siit_queue *queue;	/* owned; its time is 0 */
	struct chance	chance;		/* the same in each run */
	uint8_t		*room;		/* owned; SIIT_WORLD_ROOM octets */
	struct siit_result result;	/* of the last packet */
};

struct siit_world siit_world_begin(const char *prefix);
void siit_world_end(struct siit_world *);

/* Where a packet lies that has its headroom before it. */
uint8_t *siit_world_at(const struct siit_world *);

/* Translate these octets, which may lie in the room; `offload` may be NULL. */
void siit_world_translate(struct siit_world *, const uint8_t *, size_t len,
    const struct packet_offload *);

/* A pair of addresses in both families: the world's, then a VM's. */
void siit_world_choose(struct siit_world *, struct addr v4[2],
    struct addr v6[2]);

/* The result is a packet, with checksums that are right. */
void siit_world_expect_forward(const struct siit_world *, const char *what);

#endif
