/* SPDX-License-Identifier: ISC */
/*
 * packet_make.h - good packets by chance: any size, protocol and field, with
 * the sums that packet_check.h wants.
 */
#ifndef TESTS_LIB_PACKET_MAKE_H
#define TESTS_LIB_PACKET_MAKE_H

#include "common/addr.h"
#include "translate/packet.h"

enum { PACKET_MAKE_MAX = 65535 };

/* Numbers that are the same in each run; never 0 as a start. */
struct chance {
	uint64_t	state;
};

uint32_t chance_u32(struct chance *);
/* Less than n. */
uint32_t chance_below(struct chance *, uint32_t n);

enum packet_make_kind {
	PACKET_MAKE_TCP,
	PACKET_MAKE_UDP,
	PACKET_MAKE_ECHO,
	PACKET_MAKE_OTHER,
	PACKET_MAKE_PART,	/* of a UDP datagram, or of something else */
	N_PACKET_MAKE
};

struct packet_make {
	struct addr	source, destination;	/* both IPv4 or both IPv6 */
	enum packet_make_kind kind;
	size_t		payload;	/* octets behind the transport header */
};

/*
 * Write a packet to out[PACKET_MAKE_MAX]; returns its length.  IPv4 has no
 * options, IPv6 at times extension headers.
 */
size_t packet_make(const struct packet_make *, struct chance *, uint8_t *out);

/*
 * Make it a super-packet with segments of `size` octets: partial checksum,
 * offload fields.  For TCP or UDP; IPv6 without extension headers.
 */
void packet_make_super(uint8_t *octets, size_t len, uint16_t size,
    struct packet_offload *ret);

#endif
