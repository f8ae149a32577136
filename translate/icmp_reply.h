/* SPDX-License-Identifier: ISC */
/*
 * icmp_reply.h - what the translator says in its own name: ICMP errors about
 * packets it does not translate, and answers to ping.
 *
 * Pure.  Whether an error may be sent (never about an error, a fragment but
 * the first, a multicast...; RFC 1812 4.3.2.7, RFC 4443 2.4) is decided here;
 * how often, by siit.h.
 */
#ifndef TRANSLATE_ICMP_REPLY_H
#define TRANSLATE_ICMP_REPLY_H

#include "common/addr.h"
#include "translate/packet.h"

enum {
	ICMP4_ERROR_MAX = 576,	/* octets of a packet with an error (RFC 1812
				 * 4.3.2.3) */
	ICMP6_ERROR_MAX = 1280	/* (RFC 4443 2.4 (c)) */
};

struct icmp_error {
	uint8_t		type, code;
	uint32_t	rest;	/* second word of the message: MTU, pointer */
};

/*
 * Write an error about `packet` to out[ICMP4_ERROR_MAX] or
 * out[ICMP6_ERROR_MAX], by the packet's family.  `from` is our address of
 * that family.  Of a super-packet it quotes the first segment.  Returns its
 * length, or 0 if no error may be sent about this packet.
 */
size_t icmp_error_write(const struct packet *, const struct icmp_error *,
    const struct addr *from, uint8_t *out);

/*
 * Turn a whole echo request into its reply, in place.  Returns false, and
 * changes nothing, if it is not one, is a fragment or has a wrong checksum.
 */
bool icmp_echo_answer(struct packet *);

#endif
