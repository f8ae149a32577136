/* SPDX-License-Identifier: ISC */
/*
 * vnet.h - the header that a TUN device with IFF_VNET_HDR puts before a
 * packet: what is left to do before it goes out on a wire.
 *
 * Ten octets in host byte order, Linux's struct virtio_net_hdr.  Pure.
 */
#ifndef TRANSLATE_VNET_H
#define TRANSLATE_VNET_H

#include "translate/packet.h"

enum { VNET_OCTETS = 10 };

/*
 * Read the header of a packet.  Returns false, with *ret untouched, for a
 * kind of super-packet that we never offered to take.  Whether its offsets
 * lie within the packet is siit.h's question.
 */
bool vnet_read(const uint8_t header[VNET_OCTETS], struct packet_offload *ret);

/* Write the header of a packet of IP version 4 or 6. */
void vnet_write(const struct packet_offload *, unsigned version,
    uint8_t header[VNET_OCTETS]);

#endif
