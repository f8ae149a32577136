/* SPDX-License-Identifier: ISC */
#include "translate/vnet.h"

#include <string.h>

/* Where the fields are, and what the octets mean (linux/virtio_net.h). */
enum {
	AT_FLAGS = 0,
	AT_GSO_TYPE = 1,
	AT_HDR_LEN = 2,
	AT_GSO_SIZE = 4,
	AT_CSUM_START = 6,
	AT_CSUM_OFFSET = 8,

	NEEDS_CSUM = 1,
	GSO_NONE = 0,
	GSO_TCPV4 = 1,
	GSO_TCPV6 = 4,
	GSO_UDP_L4 = 5,
	GSO_ECN = 0x80
};

static uint16_t
get(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void
put(uint8_t *at, uint16_t value)
{
	memcpy(at, &value, sizeof(value));
}

bool
vnet_read(const uint8_t header[VNET_OCTETS], struct packet_offload *ret)
{
	struct packet_offload offload = { .gso = PACKET_GSO_NONE };

	switch (header[AT_GSO_TYPE] & ~GSO_ECN) {
	case GSO_NONE:
		break;
	case GSO_TCPV4:
	case GSO_TCPV6:
		offload.gso = PACKET_GSO_TCP;
		offload.ecn = (header[AT_GSO_TYPE] & GSO_ECN) != 0;
		break;
	case GSO_UDP_L4:
		offload.gso = PACKET_GSO_UDP;
		break;
	default:
		return false;
	}
	if (offload.gso != PACKET_GSO_NONE) {
		offload.gso_size = get(header + AT_GSO_SIZE);
		offload.hdr_len = get(header + AT_HDR_LEN);
	}
	if (header[AT_FLAGS] & NEEDS_CSUM) {
		offload.partial = true;
		offload.csum_start = get(header + AT_CSUM_START);
		offload.csum_offset = get(header + AT_CSUM_OFFSET);
	}
	*ret = offload;
	return true;
}

static uint8_t
gso_type(const struct packet_offload *offload, unsigned version)
{
	uint8_t type = GSO_NONE;

	if (offload->gso == PACKET_GSO_TCP)
		type = version == 4 ? GSO_TCPV4 : GSO_TCPV6;
	else if (offload->gso == PACKET_GSO_UDP)
		type = GSO_UDP_L4;
	return offload->ecn ? type | GSO_ECN : type;
}

void
vnet_write(const struct packet_offload *offload, unsigned version,
    uint8_t header[VNET_OCTETS])
{
	memset(header, 0, VNET_OCTETS);
	header[AT_GSO_TYPE] = gso_type(offload, version);
	if (offload->gso != PACKET_GSO_NONE) {
		put(header + AT_GSO_SIZE, offload->gso_size);
		put(header + AT_HDR_LEN, offload->hdr_len);
	}
	if (offload->partial) {
		header[AT_FLAGS] = NEEDS_CSUM;
		put(header + AT_CSUM_START, offload->csum_start);
		put(header + AT_CSUM_OFFSET, offload->csum_offset);
	}
}
