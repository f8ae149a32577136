/* SPDX-License-Identifier: ISC */
#include "translate/packet.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/addresses.h"
#include "tests/lib/hostile.h"
#include "tests/lib/packet_check.h"
#include "tests/lib/packet_make.h"

static struct packet
packet_of(const char *from, const char *to, enum packet_make_kind kind,
    size_t payload, uint8_t *octets)
{
	const struct packet_make make = { addr_of(from), addr_of(to), kind,
		payload };
	struct chance chance = { 99 };
	size_t len;

	/* No extension headers, to know what to expect. */
	do
		len = packet_make(&make, &chance, octets);
	while (octets[0] >> 4 == 6 && octets[6] == 60);
	return (struct packet) { .at = octets, .len = len };
}

Test(packet, knows_its_version)
{
	uint8_t octet;
	struct packet packet = { .at = &octet, .len = 1 };

	octet = 0x45;
	cr_assert_eq(packet_version(&packet), 4);
	octet = 0x60;
	cr_assert_eq(packet_version(&packet), 6);
	octet = 0xf0;
	cr_assert_eq(packet_version(&packet), 15);
	packet.len = 0;
	cr_assert_eq(packet_version(&packet), 0);
}

Test(packet, counts_its_segments)
{
	static const struct {
		size_t len;
		uint16_t hdr_len, gso_size;
		enum packet_gso gso;
		unsigned want;
	} cases[] = {
		{ 1000, 40, 100, PACKET_GSO_NONE, 1 },
		{ 1040, 40, 100, PACKET_GSO_TCP, 10 },
		{ 1041, 40, 100, PACKET_GSO_TCP, 11 },
		{ 140, 40, 100, PACKET_GSO_UDP, 1 },
		{ 141, 40, 100, PACKET_GSO_UDP, 2 },
		{ 40, 40, 100, PACKET_GSO_TCP, 1 },
		{ 30, 40, 100, PACKET_GSO_TCP, 1 },
		{ 1000, 40, 0, PACKET_GSO_TCP, 1 },
		{ PACKET_MAX, 0, 1, PACKET_GSO_TCP, PACKET_MAX },
		{ PACKET_MAX, UINT16_MAX, UINT16_MAX, PACKET_GSO_TCP, 1 },
	};
	struct packet packet = { 0 };
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		packet.len = cases[i].len;
		packet.offload.gso = cases[i].gso;
		packet.offload.gso_size = cases[i].gso_size;
		packet.offload.hdr_len = cases[i].hdr_len;
		cr_assert_eq(packet_segments(&packet), cases[i].want,
		    "case %zu", i);
	}
}

Test(packet, completes_a_partial_checksum)
{
	uint8_t octets[PACKET_MAKE_MAX], want[PACKET_MAKE_MAX];
	struct packet packet;
	size_t payload;

	for (payload = 1; payload < 300; payload++) {
		packet = packet_of("2001:db8::1", "2001:db8::2",
		    payload % 2 == 0 ? PACKET_MAKE_TCP : PACKET_MAKE_UDP,
		    payload, octets);
		memcpy(want, octets, packet.len);
		packet_make_super(octets, packet.len, 1000, &packet.offload);
		packet.offload.gso = PACKET_GSO_NONE;
		packet_finish_checksum(&packet);
		cr_assert_not(packet.offload.partial);
		cr_assert_arr_eq(octets, want, packet.len);
		/* There is nothing left to do. */
		packet_finish_checksum(&packet);
		cr_assert_arr_eq(octets, want, packet.len);
	}
}

/* RFC 768: 0 would mean that there is none. */
Test(packet, completes_a_udp_checksum_of_zero_as_ffff)
{
	uint8_t octets[] = { 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0,
		192, 0, 2, 1, 192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	struct packet packet = {
		.at = octets, .len = sizeof(octets),
		.offload = { .partial = true, .csum_start = 20,
		    .csum_offset = 6 }
	};

	packet_finish_checksum(&packet);
	cr_assert_eq(octets[26], 0xff);
	cr_assert_eq(octets[27], 0xff);
	packet.offload = (struct packet_offload) { .partial = true,
		.csum_start = 12, .csum_offset = 14 };
	octets[26] = octets[27] = 0;
	packet.offload.csum_start = 24;
	packet.offload.csum_offset = 2;
	octets[24] = octets[25] = 0xff;
	packet_finish_checksum(&packet);
	cr_assert_eq(octets[26], 0);
	cr_assert_eq(octets[27], 0);
}

Test(packet, can_be_described)
{
	uint8_t octets[PACKET_MAKE_MAX];
	char text[PACKET_TEXT_MAX], want[PACKET_TEXT_MAX];
	struct packet packet;

	packet = packet_of("192.0.2.1", "198.51.100.2", PACKET_MAKE_UDP, 32,
	    octets);
	memcpy(octets + 20, "\0\x35\x12\x67", 4);
	octets[8] = 63;
	cr_assert_str_eq(packet_describe(&packet, text),
	    "IPv4 UDP 192.0.2.1:53 > 198.51.100.2:4711, 60 octets, TTL 63");
	packet = packet_of("2001:db8::1", "2001:db8::2", PACKET_MAKE_ECHO, 8,
	    octets);
	octets[7] = 1;
	snprintf(want, sizeof(want), "IPv6 ICMPv6 type %u code 0 2001:db8::1 "
	    "> 2001:db8::2, 56 octets, hop limit 1", octets[40]);
	cr_assert_str_eq(packet_describe(&packet, text), want);
	packet = packet_of("2001:db8::1", "2001:db8::2", PACKET_MAKE_OTHER, 8,
	    octets);
	octets[7] = 2;
	cr_assert_str_eq(packet_describe(&packet, text), "IPv6 protocol 132 "
	    "2001:db8::1 > 2001:db8::2, 48 octets, hop limit 2");
	packet.len = 39;
	cr_assert_str_eq(packet_describe(&packet, text),
	    "39 octets that are no IPv6 packet");
	packet.len = 0;
	cr_assert_str_eq(packet_describe(&packet, text),
	    "0 octets that are no IP packet");
}

static void
describe(const uint8_t *octets, size_t len, void *arg)
{
	/* It is only read. */
	const struct packet packet = { .at = (uint8_t *)(uintptr_t)octets,
		.len = len };
	char text[PACKET_TEXT_MAX];

	(void)arg;
	cr_assert_lt(strlen(packet_describe(&packet, text)),
	    PACKET_TEXT_MAX - 1);
}

Test(packet, can_be_described_whatever_it_is)
{
	static const char *const ends[][2] = {
		{ "255.255.255.255", "254.254.254.254" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		    "eeee:eeee:eeee:eeee:eeee:eeee:eeee:eeee" } };
	uint8_t octets[PACKET_MAKE_MAX];
	enum packet_make_kind kind;
	struct packet packet;
	size_t i;

	for (i = 0; i < 2; i++) {
		for (kind = 0; kind < N_PACKET_MAKE; kind++) {
			packet = packet_of(ends[i][0], ends[i][1], kind, 40,
			    octets);
			hostile_cuts(octets, packet.len, describe, NULL);
			hostile_bit_flips(octets, packet.len, describe, NULL);
		}
	}
}
