/* SPDX-License-Identifier: ISC */
/*
 * packet_check.h - does a receiver take this packet?  Sums and lengths as the
 * RFCs define them, octet by octet, with nothing of translate/ in it.
 */
#ifndef TESTS_LIB_PACKET_CHECK_H
#define TESTS_LIB_PACKET_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "translate/packet.h"

/*
 * Does the packet's IP header fit its octets, with a right checksum if it is
 * IPv4, and do its offload fields lie within it?  Returns NULL, or what is
 * wrong.
 */
const char *packet_check_shape(const struct packet *);

/*
 * And is the checksum of TCP, UDP or ICMP right, completed if it is partial,
 * of each segment if there are many?  Fragments have none that could be
 * looked at.  `zero_ok`: UDP need not have one.
 */
const char *packet_check_sums(const struct packet *, bool zero_ok);

/* RFC 1071, the plain way. */
uint16_t plain_sum(const uint8_t *, size_t len, uint32_t start);

/*
 * The packets that a super-packet stands for, as Linux cuts it: copied to
 * out[i], of out_len[i] octets and with complete checksums, room for `max`.
 * Returns how many.  Not for fragments.
 */
unsigned packet_segment(const struct packet *, uint8_t (*out)[2048],
    size_t *out_len, unsigned max);

#endif
