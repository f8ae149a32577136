/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <string.h>

#include "translate/checksum.h"
#include "translate/siit_pass.h"
#include "translate/wire.h"

/*
 * A packet to be cut is a run of datagrams (one, or a UDP super-packet's
 * segments) and each of them a run of fragments.  Its transport is read as
 * `front`, a UDP header made for the segment, and what follows it.
 */

/* Octets of the IP header that each piece gets: no Fragment header. */
static size_t
ip_header(const struct packet *whole)
{
	return packet_version(whole) == 4 ? IP4_HEADER : IP6_HEADER;
}

/* What the fields of the whole packet say; it is our own. */
static void
read_whole(struct siit_pieces *p)
{
	const uint8_t *at = p->whole.at;
	unsigned fragment;

	p->transport = ip_header(&p->whole);
	p->base = 0;
	p->more = false;
	if (packet_version(&p->whole) == 4) {
		fragment = get_u16(at + IP4_FRAGMENT);
		p->protocol = at[IP4_PROTOCOL];
		p->base = (fragment & IP4_OFFSET_MASK) * 8;
		p->more = (fragment & IP4_MF) != 0;
		return;
	}
	p->protocol = at[IP6_NEXT];
	if (p->protocol != PROTO_FRAGMENT)
		return;
	fragment = get_u16(at + IP6_HEADER + FRAGMENT_OFFSET);
	p->protocol = at[IP6_HEADER];
	p->base = fragment & FRAGMENT_OFFSET_MASK;
	p->more = (fragment & FRAGMENT_MORE) != 0;
	p->transport += FRAGMENT_HEADER;
}

void
pass_cut(struct pass *pass, uint32_t max, uint32_t ident)
{
	struct siit_pieces *p = &pass->queue->pieces;

	p->whole = pass->result->packet;
	p->max = max;
	p->ident = ident;
	read_whole(p);
	p->next = p->transport;
	p->front_len = 0;
	p->begun = false;
	if (p->whole.offload.gso == PACKET_GSO_NONE) {
		packet_finish_checksum(&p->whole);
	} else {
		assert(p->whole.offload.gso == PACKET_GSO_UDP);
		p->next += UDP_HEADER;
	}
	pass->result->verdict = SIIT_PIECES;
}

/* The sum of addresses and protocol; the length is missing. */
static uint64_t
pseudo_sum(const struct siit_pieces *p)
{
	const uint8_t *at = p->whole.at;

	return p->protocol + (packet_version(&p->whole) == 4 ?
		checksum_of(at + IP4_SOURCE, 8) :
		checksum_of(at + IP6_SOURCE, 32));
}

/* Take up the next datagram; false if there is none. */
static bool
begin_datagram(struct siit_pieces *p)
{
	const struct packet *whole = &p->whole;
	size_t left = whole->len - p->next;
	uint8_t *udp = p->front;
	uint16_t sum;
	size_t size;

	if (left == 0)
		return false;
	p->begun = true;
	p->offset = 0;
	p->rest = left;
	if (whole->offload.gso == PACKET_GSO_NONE)
		return true;
	if (left > whole->offload.gso_size)
		p->rest = whole->offload.gso_size;
	size = UDP_HEADER + p->rest;
	memcpy(udp, whole->at + p->transport, UDP_HEADER);
	put_u16(udp + UDP_LENGTH, (unsigned)size);
	put_u16(udp + UDP_CHECKSUM, 0);
	sum = checksum_finish(pseudo_sum(p) + size +
	    checksum_of(udp, UDP_HEADER) +
	    checksum_of(whole->at + p->next, p->rest));
	put_u16(udp + UDP_CHECKSUM, sum != 0 ? sum : 0xffff);
	p->front_len = UDP_HEADER;
	return true;
}

/* Copy n octets of the datagram's transport. */
static void
take(struct siit_pieces *p, uint8_t *out, size_t n)
{
	size_t front = n < p->front_len ? n : p->front_len;

	memcpy(out, p->front, front);
	memcpy(out + front, p->whole.at + p->next, n - front);
	p->front_len -= front;
	p->next += n - front;
	p->rest -= n - front;
}

static void
write_header4(const struct siit_pieces *p, uint8_t *out, size_t total,
    bool more)
{
	memcpy(out, p->whole.at, IP4_HEADER);
	put_u16(out + IP4_LENGTH, (unsigned)total);
	put_u16(out + IP4_ID, p->ident & 0xffff);
	put_u16(out + IP4_FRAGMENT,
	    (p->base + p->offset) / 8 | (more ? IP4_MF : 0u));
	put_u16(out + IP4_CHECKSUM, 0);
	put_u16(out + IP4_CHECKSUM,
	    checksum_finish(checksum_of(out, IP4_HEADER)));
}

static void
write_header6(const struct siit_pieces *p, uint8_t *out, size_t total,
    bool part, bool more)
{
	const struct headers h = {
		.offset = (uint16_t)(p->base + p->offset),
		.more = more,
		.ident = p->ident & 0xffff
	};

	memcpy(out, p->whole.at, IP6_HEADER);
	put_u16(out + IP6_LENGTH, (unsigned)(total - IP6_HEADER));
	out[IP6_NEXT] = part ? PROTO_FRAGMENT : p->protocol;
	if (part)
		fragment_write(out + IP6_HEADER, p->protocol, &h);
}

bool
siit_next_piece(struct siit_queue *queue, struct siit_result *result)
{
	struct siit_pieces *p = &queue->pieces;
	bool v4 = packet_version(&p->whole) == 4, part, more;
	size_t header = ip_header(&p->whole), n;

	if (!p->begun && !begin_datagram(p))
		return false;
	n = p->front_len + p->rest;
	part = p->base != 0 || p->more || p->offset > 0 ||
	    header + n > p->max;
	if (part && !v4)
		header += FRAGMENT_HEADER;
	if (header + n > p->max)
		n = (p->max - header) / 8 * 8;
	more = p->more || n < p->front_len + p->rest;
	take(p, queue->piece + header, n);
	if (v4)
		write_header4(p, queue->piece, header + n, more);
	else
		write_header6(p, queue->piece, header + n, part, more);
	p->offset += (uint32_t)n;
	if (p->front_len + p->rest == 0) {
		p->begun = false;
		p->ident++;
	}
	result->packet = (struct packet) {
		.at = queue->piece, .len = header + n
	};
	return true;
}
