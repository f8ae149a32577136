/* SPDX-License-Identifier: ISC */
/*
 * siit.h - stateless IP/ICMP translation (RFC 7915): a packet in, packets
 * out.
 *
 * Pure: time is an argument, memory is the caller's, nothing is logged.  A
 * struct siit never changes while it is in use and may be shared by any
 * number of threads; a struct siit_queue belongs to one thread.
 *
 *	siit_translate(siit, queue, now_ms, &packet, &result);
 *	switch (result.verdict) {
 *	case SIIT_FORWARD:
 *	case SIIT_REPLY:
 *		write result.packet
 *		break;
 *	case SIIT_PIECES:
 *		while (siit_next_piece(queue, &result))
 *			write result.packet
 *		break;
 *	case SIIT_DROP:
 *		break;
 *	}
 *	count result.verdict, result.reason
 *
 * What is written goes to the same device whatever its family: the version is
 * in the packet.
 */
#ifndef TRANSLATE_SIIT_H
#define TRANSLATE_SIIT_H

#include "common/token_bucket.h"
#include "translate/address_map.h"
#include "translate/drop_reasons.h"
#include "translate/dynamic_pool.h"
#include "translate/packet.h"

enum {
	SIIT_POOL_MAX = 256,		/* addresses of the RFC 6791 pool */
	SIIT_TRANSLATABLE_MAX = 64,	/* ranges */
	SIIT_TOS_COPY = -1,
	SIIT_MTU_MIN = 1280,		/* of the IPv6 side (RFC 8200 5) */
	SIIT_MTU4_MIN = 256,		/* of the IPv4 side: ours */
	SIIT_MTU4_LEAST = 68,		/* of any link (RFC 791 3.2) */
	SIIT_MTU_MAX = 65535
};

enum siit_udp_zero {	/* an IPv4 UDP packet without a checksum (4.5) */
	SIIT_UDP_ZERO_DROP = 0,
	SIIT_UDP_ZERO_COMPUTE,	/* fragments are dropped: only the whole
				 * datagram has a checksum */
	SIIT_UDP_ZERO_PASS	/* as it is, for receivers that follow
				 * RFC 6935 */
};

enum siit_hairpin {	/* RFC 7757 4.2 */
	SIIT_HAIRPIN_OFF = 0,
	SIIT_HAIRPIN_SIMPLE,	/* routing brings the packet back to us */
	SIIT_HAIRPIN_INTRINSIC	/* we translate it twice at once */
};

struct siit {
	const struct address_map *map;	/* borrowed; a reload takes another
					 * struct siit with another map */

	/*
	 * Which IPv4 addresses hosts on the IPv6 side may have by a prefix
	 * (IPv4-translatable addresses, RFC 6052 1.3): all, or those in one of
	 * the ranges.  From others IPv6 packets are refused, so that a host
	 * cannot pass for any IPv4 host; to others IPv4 packets are, so that
	 * addresses routed here which nobody has do not go round in circles.
	 * Where hosts have EAMs or a dynamic pool only, there should be none.
	 */
	bool		any_translatable;
	unsigned	n_translatable;
	struct siit_range {
		uint32_t	addr, mask;	/* host byte order */
	} translatable[SIIT_TRANSLATABLE_MAX];

	/* Our own addresses answer ping and send ICMP errors. */
	bool		has_own4, has_own6;
	uint32_t	own4;		/* host byte order */
	struct addr	own6;

	/*
	 * RFC 6791: sources for ICMPv6 errors from untranslatable routers.
	 * Without any it is own4: such errors tell path MTUs.
	 */
	unsigned	n_pool;
	uint32_t	pool[SIIT_POOL_MAX];	/* host byte order */
	uint64_t	pool_key;	/* random: which router gets which */
	bool		pool_extension;	/* add RFC 5837's IPv6 address */

	uint32_t	mtu4;		/* of the IPv4 next hop, octets:
					 * SIIT_MTU4_MIN to SIIT_MTU_MAX */
	uint32_t	mtu6;		/* of the IPv6 next hop: SIIT_MTU_MIN
					 * to SIIT_MTU_MAX */
	uint32_t	lowest_mtu6;	/* "lowest-ipv6-mtu" (4.1): IPv4
					 * packets without DF become IPv6
					 * packets no bigger; SIIT_MTU_MIN to
					 * mtu6 */

	int16_t		tos;		/* 6 to 4: SIIT_TOS_COPY or 0-255 */
	int16_t		traffic_class;	/* 4 to 6: SIIT_TOS_COPY or 0-255 */
	enum siit_udp_zero udp_zero;
	enum siit_hairpin hairpin;
	bool		icmp_errors;	/* send any at all (4.4, 5.4) */
};

/*
 * RFC defaults: MTUs 1500, lowest_mtu6 1280, TOS and traffic class copied,
 * UDP without checksum computed, intrinsic hairpinning, ICMP errors sent, any
 * address translatable; no addresses of our own.
 */
void siit_init(struct siit *, const struct address_map *);

enum {
	SIIT_PEERS = 256,	/* buckets for receivers of ICMP errors */
	SIIT_IDENTS = 1024,	/* counters for IPv4 identifications */
	SIIT_SMALL = 2048	/* octets for a reply or a translated error */
};

/*
 * What a thread needs of its own, about 80 KiB; only siit.h's functions look
 * inside.
 */
struct siit_queue {
	struct token_bucket errors;	/* ICMP errors in all */
	struct token_bucket peer[SIIT_PEERS];	/* and by receiver */
	uint64_t	key[2];
	uint16_t	ident[SIIT_IDENTS];
	struct dynamic_pool *pool;	/* borrowed, or NULL */
	uint64_t	pool_start_s;	/* the pool's time at now_ms == 0 */
	struct siit_pieces {
		struct packet	whole;	/* translated, to be cut */
		uint32_t	max;	/* octets of a piece */
		uint32_t	ident;	/* of the datagram's fragments */
		uint32_t	base;	/* offset of a whole that is a part */
		uint32_t	offset;	/* of the next piece, from `base` */
		size_t		transport;	/* octets before the transport */
		size_t		next;	/* octet of the whole to be taken */
		size_t		rest;	/* octets left of the datagram... */
		size_t		front_len;	/* and of its UDP header */
		uint8_t		front[8];
		uint8_t		protocol;
		bool		more;	/* the whole is not the last part */
		bool		begun;	/* a datagram is being cut */
	} pieces;
	uint8_t		small[3][SIIT_SMALL];	/* a translated ICMP error, one
					 * translated again, one of ours */
	uint8_t		piece[SIIT_MTU_MAX];
};

struct siit_limits {
	uint32_t	rate, burst;		/* ICMP errors per second */
	uint32_t	peer_rate, peer_burst;	/* to one receiver */
};

/*
 * The key must be random: with it addresses are spread over buckets and
 * counters.  `pool` may be NULL; with one, all packets must come to this
 * queue.  `now_s` is the wall-clock second that belongs to `now_ms`: the
 * pool's time.
 */
void siit_queue_init(struct siit_queue *, const struct siit_limits *,
    const struct siphash_key *, struct dynamic_pool *pool, uint64_t now_ms,
    uint64_t now_s);

enum siit_verdict {
	SIIT_FORWARD = 0,	/* result.packet is the translated packet */
	SIIT_PIECES,		/* siit_next_piece() gives them */
	SIIT_REPLY,		/* result.packet goes back: an answer to ping
				 * (reason DROP_NONE), or an ICMP error */
	SIIT_DROP		/* nothing to write */
};

struct siit_result {
	enum siit_verdict verdict;
	enum drop_reason reason;	/* REPLY, DROP: why */
	bool		 limited;	/* DROP: an ICMP error was due, but
					 * exceeded its rate */
	bool		 hairpinned;	/* FORWARD, PIECES: translated twice */
	struct packet	 packet;
};

/*
 * Translate one packet, or one super-packet, in place.
 *
 * The packet has PACKET_HEADROOM octets before it.  Its payload is not
 * touched; its headers may be, up to 28 octets before `at`, unless the
 * verdict is SIIT_DROP or SIIT_REPLY with a reason: then they are as they
 * were (but for a hairpinned packet, which may have been translated once).
 * result.packet lies in the caller's buffer or in the queue, and is good
 * until the next call with either.  `now_ms` is monotonic.
 */
void siit_translate(const struct siit *, struct siit_queue *,
    uint64_t now_ms, const struct packet *, struct siit_result *ret);

/*
 * After SIIT_PIECES: the next piece in result.packet, or false if there is
 * none left.  Pieces have complete checksums and no GSO.
 */
bool siit_next_piece(struct siit_queue *, struct siit_result *);

#endif
