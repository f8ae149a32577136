/* SPDX-License-Identifier: ISC */
/*
 * translate.c - what a packet costs in the translator's core, without the
 * kernel: CPU nanoseconds for one of each kind, the best of several rounds.
 *
 * usage: translate [mappings]
 * In a build folder:
 *	cc -O2 -std=gnu11 -D_GNU_SOURCE -I.. -o translate ../bench/translate.c \
 *	    libxlat.a libbase.a
 * The packet is copied anew each time, as a read would bring it.  Addresses
 * come in no order, so that a large table is not in the cache.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "translate/checksum.h"
#include "translate/siit.h"
#include "translate/wire.h"

enum {
	ROUNDS = 5,
	PACKETS = 400000,	/* in a round */
	SUPER = 65000,		/* octets of a super-packet */
	SUPER_COPIED = 100	/* of them are copied anew: the headers */
};

struct world {
	struct eam	*eams;
	size_t		 n;
	struct siit	 siit;
	struct siit_queue *queue;
	uint8_t		*room;
};

static const struct siphash_key key = { { 1, 2, 3 } };

static struct prefix
prefix_of(const char *text)
{
	struct prefix prefix;

	if (prefix_parse(text, strlen(text), &prefix) != PREFIX_OK)
		errx(1, "%s", text);
	return prefix;
}

static double
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
build(struct world *w, size_t n)
{
	const struct siit_limits limits = { 1, 1, 1, 1 };
	const struct embedding embedding = { prefix_of("2001:db8:64::/96"),
		prefix_of("0.0.0.0/0"), false };
	struct address_map_problem problem;
	struct address_map *map;
	double began;
	size_t i;

	w->n = n;
	w->eams = calloc(n, sizeof(*w->eams));
	w->queue = malloc(sizeof(*w->queue));
	w->room = malloc(PACKET_HEADROOM + PACKET_MAX);
	if (w->eams == NULL || w->queue == NULL || w->room == NULL)
		err(1, "malloc");
	for (i = 0; i < n; i++) {
		w->eams[i].v4 = (struct prefix) {
			addr_of_v4(0xc0000200 + (uint32_t)i), 128 };
		w->eams[i].v6 = prefix_of("2001:db8:1::");
		w->eams[i].v6.len = 128;
		put_u32(w->eams[i].v6.addr.octet + 8, (uint32_t)i);
		put_u32(w->eams[i].v6.addr.octet + 12,
		    (uint32_t)i * 2654435761u);
	}
	began = cpu_ns();
	map = address_map_new(w->eams, n, &embedding, 1, &key, &problem);
	if (map == NULL)
		errx(1, "%s", address_map_strerror(problem.error));
	printf("%zu mappings built in %.3f s\n", n, (cpu_ns() - began) / 1e9);
	siit_init(&w->siit, map);
	w->siit.mtu4 = w->siit.mtu6 = 9000;
	siit_queue_init(w->queue, &limits, &key, NULL, 0, 0);
}

/* The i-th VM talks to 8.8.8.8: addresses and, for IPv4, the checksum. */
static void
address(const struct world *w, size_t i, uint8_t *at)
{
	const struct eam *eam = &w->eams[i * 7919 % w->n];

	if (at[0] >> 4 == 6) {
		memcpy(at + IP6_SOURCE, eam->v6.addr.octet, 16);
		return;
	}
	memcpy(at + IP4_DESTINATION, eam->v4.addr.octet + 12, 4);
	put_u16(at + IP4_CHECKSUM, 0);
	put_u16(at + IP4_CHECKSUM,
	    checksum_finish(checksum_of(at, IP4_HEADER)));
}

static size_t
write_packet(uint8_t *at, bool v4, uint8_t protocol, size_t payload)
{
	static const struct addr host = { { 0x20, 1, 0xd, 0xb8, 0, 0x64,
	    [12] = 8, 8, 8, 8 } };
	size_t header = v4 ? IP4_HEADER : IP6_HEADER, len = header + payload;

	memset(at, 0, len);
	if (v4) {
		at[0] = 0x45;
		put_u16(at + IP4_LENGTH, (unsigned)len);
		put_u16(at + IP4_FRAGMENT, IP4_DF);
		at[IP4_TTL] = 64;
		at[IP4_PROTOCOL] = protocol;
		put_u32(at + IP4_SOURCE, 0x08080808);
	} else {
		at[0] = 0x60;
		put_u16(at + IP6_LENGTH, (unsigned)payload);
		at[IP6_NEXT] = protocol;
		at[IP6_HOP_LIMIT] = 64;
		memcpy(at + IP6_DESTINATION, host.octet, 16);
	}
	if (protocol == PROTO_TCP)
		at[header + TCP_DATA_OFFSET] = 5 << 4;
	else
		put_u16(at + header + UDP_LENGTH, (unsigned)payload);
	put_u16(at + header + (protocol == PROTO_TCP ? TCP_CHECKSUM :
	    UDP_CHECKSUM), 0x1234);
	return len;
}

static void
measure(struct world *w, const char *name, bool v4, uint8_t protocol,
    size_t payload)
{
	size_t header = v4 ? IP4_HEADER : IP6_HEADER, len, i, copied;
	uint8_t packet[SUPER + IP6_HEADER], *at = w->room + PACKET_HEADROOM;
	struct packet in = { .at = at, .headroom = PACKET_HEADROOM };
	double began, ns, best = 1e18, base = 1e18;
	struct siit_result result;
	int round;

	len = in.len = write_packet(packet, v4, protocol, payload);
	if (payload > 9000)
		in.offload = (struct packet_offload) { PACKET_GSO_TCP, false,
			true, 1400, (uint16_t)(header + TCP_HEADER),
			(uint16_t)header, TCP_CHECKSUM };
	copied = len < SUPER_COPIED ? len : SUPER_COPIED;
	memcpy(at, packet, len);
	for (round = 0; round < 2 * ROUNDS; round++) {
		began = cpu_ns();
		for (i = 0; i < PACKETS; i++) {
			memcpy(at, packet, copied);
			address(w, i, at);
			if (round % 2 == 0)	/* only what we do ourselves */
				continue;
			siit_translate(&w->siit, w->queue, 0, &in, &result);
			if (result.verdict != SIIT_FORWARD)
				errx(1, "%s: %s", name,
				    drop_reason_text(result.reason));
		}
		ns = (cpu_ns() - began) / PACKETS;
		if (round % 2 == 0)
			base = ns < base ? ns : base;
		else
			best = ns < best ? ns : best;
	}
	printf("%-32s %6.1f ns\n", name, best - base);
}

int
main(int argc, char **argv)
{
	struct world w;

	build(&w, argc > 1 ? strtoul(argv[1], NULL, 10) : 1000);
	measure(&w, "IPv6 to IPv4, UDP, 64 octets", false, PROTO_UDP, 24);
	measure(&w, "IPv4 to IPv6, UDP, 64 octets", true, PROTO_UDP, 44);
	measure(&w, "IPv6 to IPv4, UDP, 1400 octets", false, PROTO_UDP, 1360);
	measure(&w, "IPv6 to IPv4, TCP, 65000 octets", false, PROTO_TCP,
	    SUPER - IP6_HEADER);
	measure(&w, "IPv4 to IPv6, TCP, 65000 octets", true, PROTO_TCP,
	    SUPER - IP4_HEADER);
	return 0;
}
