/* SPDX-License-Identifier: ISC */
#include "tests/lib/packet_check.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TCP = 6, UDP = 17, ICMP = 1, ICMP6 = 58, FRAGMENT = 44 };

struct layout {
	bool		v4, part;
	uint8_t		protocol;
	size_t		transport;
};

static unsigned
u16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static void
set16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

uint16_t
plain_sum(const uint8_t *at, size_t len, uint32_t start)
{
	uint32_t sum = start;
	size_t i;

	for (i = 0; i < len; i++) {
		sum += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* What we put out has no options and no extension header but Fragment. */
static const char *
read_layout(const uint8_t *at, size_t len, struct layout *ret)
{
	if (len < 1)
		return "empty";
	ret->v4 = at[0] >> 4 == 4;
	if (ret->v4) {
		if (len < 20 || at[0] != 0x45)
			return "no IPv4 header of 20 octets";
		if (u16(at + 2) != len)
			return "wrong IPv4 total length";
		if (plain_sum(at, 20, 0) != 0xffff)
			return "wrong IPv4 header checksum";
		ret->part = (u16(at + 6) & 0x3fff) != 0;
		ret->protocol = at[9];
		ret->transport = 20;
		return NULL;
	}
	if (at[0] >> 4 != 6 || len < 40)
		return "no IPv6 header";
	if (u16(at + 4) + 40 != len)
		return "wrong IPv6 payload length";
	ret->part = false;
	ret->protocol = at[6];
	ret->transport = 40;
	if (ret->protocol == FRAGMENT) {
		if (len < 48)
			return "no whole Fragment header";
		ret->part = (u16(at + 42) & 0xfff9) != 0;
		if (!ret->part)
			return "an atomic fragment (RFC 8021)";
		ret->protocol = at[40];
		ret->transport = 48;
	}
	return NULL;
}

const char *
packet_check_shape(const struct packet *packet)
{
	const struct packet_offload *o = &packet->offload;
	const char *wrong;
	struct layout l;

	wrong = read_layout(packet->at, packet->len, &l);
	if (wrong != NULL)
		return wrong;
	if (o->partial &&
	    ((size_t)o->csum_start + o->csum_offset + 2 > packet->len ||
		o->csum_start < l.transport || l.part))
		return "csum_start or csum_offset outside";
	if (o->gso == PACKET_GSO_NONE)
		return NULL;
	if (!o->partial || o->gso_size == 0 || o->hdr_len >= packet->len ||
	    o->csum_start != l.transport || o->hdr_len < l.transport + 8)
		return "GSO fields that do not fit";
	if (l.protocol != (o->gso == PACKET_GSO_TCP ? TCP : UDP))
		return "GSO of another protocol";
	return NULL;
}

/* The pseudo-header (RFC 9293 3.1, RFC 8200 8.1). */
static uint32_t
pseudo_sum(const uint8_t *at, bool v4, uint8_t protocol, size_t len)
{
	uint32_t sum = plain_sum(at + (v4 ? 12 : 8), v4 ? 8 : 32, 0);

	return sum + protocol + (uint32_t)(len & 0xffff) +
	    (uint32_t)(len >> 16);
}

static const char *
check_whole(const uint8_t *at, size_t len, const struct layout *l,
    bool zero_ok)
{
	const uint8_t *transport = at + l->transport;
	size_t size = len - l->transport;
	uint32_t pseudo = pseudo_sum(at, l->v4, l->protocol, size);

	switch (l->protocol) {
	case TCP:
		return size >= 20 && plain_sum(transport, size, pseudo) ==
		    0xffff ? NULL : "wrong TCP checksum";
	case UDP:
		if (size < 8 || u16(transport + 4) != size)
			return "wrong UDP length";
		if (u16(transport + 6) == 0)
			return zero_ok ? NULL : "no UDP checksum";
		return plain_sum(transport, size, pseudo) == 0xffff ? NULL :
		    "wrong UDP checksum";
	case ICMP:
		return l->v4 && size >= 8 &&
		    plain_sum(transport, size, 0) == 0xffff ? NULL :
		    "wrong ICMP checksum";
	case ICMP6:
		return !l->v4 && size >= 8 && plain_sum(transport, size,
		    pseudo) == 0xffff ? NULL : "wrong ICMPv6 checksum";
	}
	return NULL;
}

/* The sum that a partial checksum begins with is made in the copy. */
static void
finish(uint8_t *at, size_t len, size_t start, size_t offset)
{
	unsigned sum = plain_sum(at + start, len - start, 0) ^ 0xffff;

	if (sum == 0 && offset == 6)
		sum = 0xffff;
	set16(at + start + offset, sum);
}

unsigned
packet_segment(const struct packet *packet, uint8_t (*out)[2048],
    size_t *out_len, unsigned max)
{
	const struct packet_offload *o = &packet->offload;
	size_t at = o->hdr_len, size;
	struct layout l;
	uint8_t *copy;
	uint32_t pseudo;
	unsigned n;

	assert(read_layout(packet->at, packet->len, &l) == NULL && !l.part);
	for (n = 0; at < packet->len; n++, at += size) {
		assert(n < max);
		size = packet->len - at < o->gso_size ? packet->len - at :
		    o->gso_size;
		assert(o->hdr_len + size <= sizeof(*out));
		copy = out[n];
		memcpy(copy, packet->at, o->hdr_len);
		memcpy(copy + o->hdr_len, packet->at + at, size);
		out_len[n] = o->hdr_len + size;
		if (l.v4) {
			set16(copy + 2, (unsigned)out_len[n]);
			set16(copy + 4, u16(copy + 4) + n);
			set16(copy + 10, 0);
			set16(copy + 10, plain_sum(copy, 20, 0) ^ 0xffffu);
		} else {
			set16(copy + 4, (unsigned)out_len[n] - 40);
		}
		if (l.protocol == UDP) {
			set16(copy + l.transport + 4,
			    (unsigned)(out_len[n] - l.transport));
		} else {
			uint32_t seq = (uint32_t)u16(copy + l.transport + 4)
			    << 16 | u16(copy + l.transport + 6);

			seq += n * (uint32_t)o->gso_size;
			set16(copy + l.transport + 4, seq >> 16);
			set16(copy + l.transport + 6, seq & 0xffff);
			if (at + size < packet->len)
				copy[l.transport + 13] &= 0xf6;	/* FIN, PSH */
		}
		pseudo = pseudo_sum(copy, l.v4, l.protocol,
		    out_len[n] - l.transport);
		set16(copy + o->csum_start + o->csum_offset,
		    plain_sum(NULL, 0, pseudo));
		finish(copy, out_len[n], o->csum_start, o->csum_offset);
	}
	return n;
}

const char *
packet_check_sums(const struct packet *packet, bool zero_ok)
{
	const struct packet_offload *o = &packet->offload;
	const char *wrong = packet_check_shape(packet);
	unsigned pseudo;
	struct layout l;
	uint8_t *copy;

	if (wrong != NULL)
		return wrong;
	read_layout(packet->at, packet->len, &l);
	if (l.part)
		return NULL;
	if (o->gso != PACKET_GSO_NONE) {
		/* All its segments are right if this sum is. */
		pseudo = plain_sum(NULL, 0, pseudo_sum(packet->at, l.v4,
		    l.protocol, packet->len - l.transport));
		return u16(packet->at + o->csum_start + o->csum_offset) ==
		    pseudo ? NULL : "wrong partial checksum";
	}
	if (!o->partial)
		return check_whole(packet->at, packet->len, &l, zero_ok);
	copy = malloc(packet->len);
	assert(copy != NULL);
	memcpy(copy, packet->at, packet->len);
	finish(copy, packet->len, o->csum_start, o->csum_offset);
	wrong = check_whole(copy, packet->len, &l, zero_ok);
	free(copy);
	return wrong;
}
