/* SPDX-License-Identifier: ISC */
/*
 * packet.h - an IP packet in a buffer, or a super-packet that stands for many.
 *
 * Pure.  A packet borrows the caller's octets.  The offload fields say what a
 * virtio_net_hdr says, in host byte order and without its encoding; the
 * family is that of the octets, so that they need not be rewritten with it.
 */
#ifndef TRANSLATE_PACKET_H
#define TRANSLATE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PACKET_MAX = 65575,	/* octets: an IPv6 header and 65535 */
	PACKET_HEADROOM = 32,	/* octets writable before a packet read: an
				 * IPv6 and a Fragment header for an IPv4 one */
	PACKET_TEXT_MAX = 192	/* packet_describe's text, with NUL */
};

enum packet_gso {
	PACKET_GSO_NONE = 0,	/* one packet */
	PACKET_GSO_TCP,		/* VIRTIO_NET_HDR_GSO_TCPV4 or _TCPV6 */
	PACKET_GSO_UDP		/* VIRTIO_NET_HDR_GSO_UDP_L4, never _UDP */
};

struct packet_offload {
	enum packet_gso	gso;
	bool		ecn;		/* TCP: VIRTIO_NET_HDR_GSO_ECN */
	bool		partial;	/* VIRTIO_NET_HDR_F_NEEDS_CSUM */
	uint16_t	gso_size;	/* octets of payload in a segment */
	uint16_t	hdr_len;	/* octets of IP and transport headers */
	uint16_t	csum_start;	/* from the first octet of the packet */
	uint16_t	csum_offset;	/* from csum_start */
};

struct packet {
	uint8_t		*at;		/* the IP header; borrowed */
	size_t		 len;		/* octets, at most PACKET_MAX */
	size_t		 headroom;	/* octets we may write before `at` */
	struct packet_offload offload;
};

/* 4, 6, or whatever else the first four bits say; 0 for an empty packet. */
unsigned packet_version(const struct packet *);

/*
 * Complete a partial checksum (UDP: 0 becomes 0xffff) and clear `partial`;
 * nothing is done without one.  For GSO packets the kernel must do it.
 * csum_start and csum_offset must lie within the packet: those of a packet
 * that siit.h put out do.
 */
void packet_finish_checksum(struct packet *);

/*
 * How many packets it stands for: 1 without GSO.  At most PACKET_MAX for a
 * gso_size of 1; 0 never.
 */
unsigned packet_segments(const struct packet *);

/*
 * Write one line for logs: "IPv4 UDP 192.0.2.1:53 > 198.51.100.2:4711, 60
 * octets, TTL 63".  Any octets will do; what is not there is not told.
 * Returns `out`.
 */
char *packet_describe(const struct packet *, char out[PACKET_TEXT_MAX]);

#endif
