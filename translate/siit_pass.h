/* SPDX-License-Identifier: ISC */
/*
 * siit_pass.h - one packet on its way through the translator: what the parts
 * of siit.h and icmp_reply.h share.  Nobody else includes it.
 *
 * Functions that return a drop_reason return DROP_NONE to go on.
 */
#ifndef TRANSLATE_SIIT_PASS_H
#define TRANSLATE_SIIT_PASS_H

#include "translate/headers.h"
#include "translate/icmp_reply.h"
#include "translate/siit.h"

struct pass {
	const struct siit *siit;
	struct siit_queue *queue;
	uint64_t	now_ms;
	struct packet	packet;		/* as it came, less padding */
	struct headers	headers;
	bool		again;		/* the second time of a hairpin */
	struct siit_result *result;
};

/* A pair of addresses and how the second was found. */
struct pair4 {
	uint32_t	source, destination;	/* host byte order */
	bool		hairpin;	/* RFC 7757 4.2.2 A2, A3 hold */
};

struct pair6 {
	struct addr	source, destination;
};

/* --- siit.c: ends -------------------------------------------------------- */

/* Drop it and tell nobody. */
void pass_drop(struct pass *, enum drop_reason);

/*
 * Drop it and answer with the ICMP error that belongs to the reason, if one
 * may be sent; `rest` is its MTU or pointer.
 */
void pass_refuse(struct pass *, enum drop_reason, uint32_t rest);

/* It is for one of our own addresses. */
void pass_to_us(struct pass *);

/*
 * The next identification for packets between two IPv4 hosts; `n` are taken.
 */
uint16_t pass_ident(struct pass *, const struct pair4 *, uint8_t protocol,
    unsigned n);

/* --- siit_4to6.c, siit_6to4.c -------------------------------------------- */

void pass_4to6(struct pass *);
void pass_6to4(struct pass *);

struct header6 {	/* what an IPv6 header is to say */
	struct pair6	addr;
	uint8_t		traffic_class, hop_limit, protocol;
	uint16_t	length;		/* of the payload, octets */
};

struct header4 {
	struct pair4	addr;
	uint8_t		tos, ttl, protocol;
	uint16_t	total;		/* octets */
	uint16_t	ident, fragment;	/* the flags and the offset */
};

void header6_write(uint8_t out[], const struct header6 *);
void header4_write(uint8_t out[], const struct header4 *);

/* DF, or 0, for a packet of `total` octets that IPv6 sent (RFC 7915 5.1). */
uint16_t header4_df(size_t total);

/* A Fragment header for the transport `protocol` (RFC 7915 4.1). */
void fragment_write(uint8_t out[], uint8_t protocol, const struct headers *);

/* --- siit_address.c ------------------------------------------------------ */

bool address_is_ours4(const struct siit *, uint32_t v4);
bool address_illegal4(uint32_t v4);
bool address_illegal6(const uint8_t *octet);

enum address_use {
	ADDRESS_PLAIN,
	ADDRESS_NO_EAM		/* RFC 7757 4.2.1 */
};

/*
 * How the IPv4 end of a packet to an IPv6 host is mapped: its source, or the
 * destination inside an ICMP error.
 */
enum address_use address_use_of_peer(const struct pass *);

enum address_found address_4to6(const struct pass *, uint32_t v4,
    enum address_use, struct addr *ret);

/*
 * The destination of an IPv4 packet: a host on the IPv6 side.
 */
enum drop_reason address_destination_4to6(const struct pass *,
    struct addr *ret);

/* `lend`: the host may get an address of the dynamic pool. */
enum address_found address_6to4(const struct pass *, const struct addr *,
    bool lend, uint32_t *ret);

/*
 * The source of an IPv6 packet.  RFC 6791: that of an ICMP error need not be
 * one that IPv4 knows.
 */
enum drop_reason address_source_6to4(const struct pass *, bool is_error,
    uint32_t *ret);

/* Is it an EAM's, or lent, so that a packet to it is hairpinned? */
bool address_has_host(const struct pass *, uint32_t v4);

/* --- siit_transport.c ---------------------------------------------------- */

/*
 * Make the transport's checksum fit the new addresses: `change` is
 * checksum_change() of the pseudo-headers' addresses.  Only for whole packets
 * and first fragments.
 */
void transport_update(struct pass *, uint64_t change);

/* Is as much of the transport there as we read and change? */
enum drop_reason transport_check_size(const struct pass *);

/* The same in an ICMP error's quote, as far as it is there. */
void transport_update_quote(uint8_t *, size_t len, uint8_t protocol,
    uint64_t change);

/*
 * Are the offload fields true?  Sets the true hdr_len of a super-packet and
 * forgets the fields of what is none.
 */
enum drop_reason transport_check_offload(struct pass *);

/* May this IPv4 packet go on, if it is UDP without a checksum (4.5)? */
enum drop_reason transport_check_udp_zero(const struct pass *);

/*
 * Is it UDP whose checksum is to be computed?  Then transport_compute_udp()
 * does it instead of transport_update(); `addresses` is the sum of the new
 * pseudo-header's.
 */
bool transport_wants_udp(const struct pass *);
void transport_compute_udp(struct pass *, uint64_t addresses);

/* --- siit_icmp.c --------------------------------------------------------- */

/* A message's types and codes (RFC 7915 4.2, 5.2). */
struct icmp_kind {
	uint8_t		type, code;
	uint32_t	rest;		/* errors: the second word */
};

/*
 * Is the message whole, and right?  Errors are rewritten and summed anew, so a
 * wrong sum must be found first (RFC 7915 5).
 */
enum drop_reason icmp_check(const struct pass *);

bool icmp4_is_error(uint8_t type);
bool icmp6_is_error(uint8_t type);

/*
 * What the message is in the other family.  For errors `message` is followed
 * by the inner packet's header, whose `total` the plateau table looks at.
 */
enum drop_reason icmp_kind_4to6(const struct siit *, const uint8_t *message,
    uint32_t inner_total, struct icmp_kind *ret);
enum drop_reason icmp_kind_6to4(const struct siit *, const uint8_t *message,
    bool inner_fragment, struct icmp_kind *ret);

/* Translate an ICMP error; ends the pass. */
void pass_icmp_error_4to6(struct pass *);

/* `destination` is where it goes, already mapped. */
void pass_icmp_error_6to4(struct pass *, uint32_t destination);

/*
 * Translate result->packet, which is IPv4 now, at once back to IPv6 as if it
 * had come from outside (RFC 7757 4.2.2).
 */
void pass_hairpin(struct pass *);

/* --- siit_pieces.c ------------------------------------------------------- */

/*
 * Cut result->packet, which is translated, into packets of at most `max`
 * octets; `ident` is the first one's.
 */
void pass_cut(struct pass *, uint32_t max, uint32_t ident);

#endif
