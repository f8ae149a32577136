/* SPDX-License-Identifier: ISC */
#include "translate/vnet.h"

#include <criterion/criterion.h>
#include <string.h>

/* A header field in this machine's order. */
static void
put(uint8_t *at, uint16_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void
make(uint8_t header[VNET_OCTETS], uint8_t flags, uint8_t type,
    uint16_t hdr_len, uint16_t gso_size, uint16_t start, uint16_t offset)
{
	header[0] = flags;
	header[1] = type;
	put(header + 2, hdr_len);
	put(header + 4, gso_size);
	put(header + 6, start);
	put(header + 8, offset);
}

static const struct {
	const char	*name;
	unsigned	 version;
	uint8_t		 flags, type;
	struct packet_offload offload;
} kinds[] = {
	{ "plain", 4, 0, 0, { .gso = PACKET_GSO_NONE } },
	{ "partial checksum", 6, 1, 0, { .partial = true,
	    .csum_start = 40, .csum_offset = 16 } },
	{ "TCP over IPv4", 4, 1, 1, { .gso = PACKET_GSO_TCP, .partial = true,
	    .gso_size = 1448, .hdr_len = 52, .csum_start = 20,
	    .csum_offset = 16 } },
	{ "TCP over IPv6 with ECN", 6, 1, 0x84, { .gso = PACKET_GSO_TCP,
	    .ecn = true, .partial = true, .gso_size = 1428, .hdr_len = 72,
	    .csum_start = 40, .csum_offset = 16 } },
	{ "UDP", 6, 1, 5, { .gso = PACKET_GSO_UDP, .partial = true,
	    .gso_size = 1200, .hdr_len = 48, .csum_start = 40,
	    .csum_offset = 6 } }
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static bool
equal(const struct packet_offload *a, const struct packet_offload *b)
{
	return a->gso == b->gso && a->ecn == b->ecn &&
	    a->partial == b->partial && a->gso_size == b->gso_size &&
	    a->hdr_len == b->hdr_len && a->csum_start == b->csum_start &&
	    a->csum_offset == b->csum_offset;
}

Test(vnet, says_what_linux_says)
{
	for (unsigned i = 0; i < N_KINDS; i++) {
		const struct packet_offload *wanted = &kinds[i].offload;
		uint8_t header[VNET_OCTETS], again[VNET_OCTETS];
		struct packet_offload offload;

		make(header, kinds[i].flags, kinds[i].type, wanted->hdr_len,
		    wanted->gso_size, wanted->csum_start,
		    wanted->csum_offset);
		memset(&offload, 0xff, sizeof(offload));
		cr_expect(vnet_read(header, &offload), "%s", kinds[i].name);
		cr_expect(equal(&offload, wanted), "%s", kinds[i].name);
		memset(again, 0xff, sizeof(again));
		vnet_write(wanted, kinds[i].version, again);
		cr_expect_arr_eq(again, header, VNET_OCTETS, "%s",
		    kinds[i].name);
	}
}

/* Fields that a packet's kind gives no meaning are not read. */
Test(vnet, ignores_what_means_nothing)
{
	uint8_t header[VNET_OCTETS];
	struct packet_offload offload;
	const struct packet_offload none = { .gso = PACKET_GSO_NONE };

	/* The checksum was verified (DATA_VALID): nothing is left to do. */
	make(header, 2, 0, 99, 99, 99, 99);
	cr_assert(vnet_read(header, &offload));
	cr_expect(equal(&offload, &none));
	/* ECN concerns super-packets of TCP only. */
	make(header, 0, 0x80, 0, 0, 0, 0);
	cr_assert(vnet_read(header, &offload));
	cr_expect(equal(&offload, &none));
}

Test(vnet, refuses_every_other_kind)
{
	uint8_t header[VNET_OCTETS];
	struct packet_offload offload;

	for (unsigned type = 0; type < 0x80; type++) {
		bool known = type == 0 || type == 1 || type == 4 || type == 5;

		memset(&offload, 0x5a, sizeof(offload));
		make(header, 0, (uint8_t)type, 0, 0, 0, 0);
		cr_expect_eq(vnet_read(header, &offload), known, "%u", type);
		cr_expect(known || offload.gso_size == 0x5a5a, "%u", type);
	}
}
