/* SPDX-License-Identifier: ISC */
#include "translate/packet.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "common/bytes.h"
#include "translate/checksum.h"
#include "translate/wire.h"

unsigned
packet_version(const struct packet *packet)
{
	return packet->len > 0 ? packet->at[0] >> 4 : 0;
}

void
packet_finish_checksum(struct packet *packet)
{
	struct packet_offload *offload = &packet->offload;
	size_t start = offload->csum_start;
	size_t field = start + offload->csum_offset;
	uint16_t sum;

	if (!offload->partial)
		return;
	assert(field + 2 <= packet->len);
	assert(offload->gso == PACKET_GSO_NONE);
	/* The field holds the pseudo-header's sum. */
	sum = checksum_finish(
	    checksum_of(packet->at + start, packet->len - start));
	if (sum == 0 && offload->csum_offset == UDP_CHECKSUM)
		sum = 0xffff;
	put_u16(packet->at + field, sum);
	offload->partial = false;
}

unsigned
packet_segments(const struct packet *packet)
{
	const struct packet_offload *offload = &packet->offload;
	size_t payload;

	if (offload->gso == PACKET_GSO_NONE || offload->gso_size == 0 ||
	    packet->len <= offload->hdr_len)
		return 1;
	payload = packet->len - offload->hdr_len;
	return (unsigned)((payload + offload->gso_size - 1) /
	    offload->gso_size);
}
