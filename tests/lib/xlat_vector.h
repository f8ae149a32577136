/* SPDX-License-Identifier: ISC */
/*
 * xlat_vector.h - pairs of packets from tests/vectors/xlat, with the
 * configuration that each is to be translated with.
 *
 * NAME.in: lines of configuration, then "packet" and its octets in hex:
 *
 *	prefix P6 [RANGE] [any]		struct embedding
 *	eam P4 P6
 *	own4 A | own6 A | pool A	our addresses
 *	mtu4 N | mtu6 N | lowest_mtu6 N
 *	tos N | traffic_class N
 *	udp_zero drop|compute|pass
 *	hairpin off|simple|intrinsic
 *	icmp_errors off | pool_extension on
 *	translatable P4|none		who may be behind a prefix; default all
 *	rate N				of ICMP errors; default 1000
 *	dynamic P4 | lease A4 A6	a pool, and who has what of it
 *	offload [partial START OFFSET] [tcp|udp SIZE HDR_LEN]
 *
 * NAME.out: "forward", "pieces", "reply REASON" or "drop REASON"; "offload"
 * as above; a "packet" for each that must come out, with xx for octets that
 * may be anything.
 */
#ifndef TESTS_LIB_XLAT_VECTOR_H
#define TESTS_LIB_XLAT_VECTOR_H

#include "translate/siit.h"

enum { XLAT_OUT_MAX = 8 };

struct xlat_vector {
	char		*name;
	struct siit	 siit;
	struct address_map *map;
	struct siit_limits limits;
	struct dynamic_pool *pool;	/* as after the leases; or NULL */
	struct packet_offload offload;
	uint8_t		*octets;
	size_t		 len;

	enum siit_verdict verdict;
	enum drop_reason reason;
	struct packet_offload out_offload;
	unsigned	 n_out;
	struct xlat_octets {
		uint8_t	*octets, *known;	/* known[i]: not xx */
		size_t	 len;
	} out[XLAT_OUT_MAX];
};

typedef void xlat_vector_fn(const struct xlat_vector *, void *arg);

/* Call fn for each pair, in alphabetical order; returns how many. */
unsigned xlat_vectors_each(xlat_vector_fn *, void *arg);

/* The key that queues of tests have, and the time they begin at. */
extern const struct siphash_key xlat_key;
enum { XLAT_NOW_MS = 1000000, XLAT_NOW_S = 1732186000 };

/*
 * A packet on the heap with exactly the headroom it needs, so that a
 * sanitizer sees the first octet beyond either end; free packet.at less
 * packet.headroom.
 */
struct packet xlat_packet(const uint8_t *, size_t len,
    const struct packet_offload *);

#endif
