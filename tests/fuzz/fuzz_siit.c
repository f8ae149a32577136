/* SPDX-License-Identifier: ISC */
/*
 * fuzz_siit.c - a configuration and a packet: what comes out has the shape of
 * packets, has right checksums if what went in had, and can be translated
 * again.
 *
 * The first CONFIG octets are the configuration and the offload fields.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "tests/lib/packet_check.h"
#include "tests/lib/xlat_vector.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { CONFIG = 17, PIECES_MAX = 200000 };

struct run {
	struct siit	 siit;
	struct siit_queue queue;
	struct packet_offload offload;
	bool		 mend;
};

static const char *const prefixes[] = {
	"2001:db8:64::/96", "64:ff9b::/96", "2001:db8:122:344::/64",
	"2001:db8:122:300::/56", "2001:db8:122::/48", "2001:db8:100::/40",
	"2001:db8::/32", "64:ff9b:1::/96"
};

static struct prefix
prefix_of(const char *text)
{
	struct prefix prefix;
	enum prefix_error error = prefix_parse(text, strlen(text), &prefix);

	assert(error == PREFIX_OK);
	return prefix;
}

static struct address_map *
map_of(unsigned choice)
{
	const struct eam eams[] = {
		{ prefix_of("192.0.2.1"), prefix_of("2001:db8:1::1") },
		{ prefix_of("192.0.2.2"), prefix_of("2001:db8:bbbb::b") },
		{ prefix_of("192.0.2.128/26"),
		    prefix_of("2001:db8:dddd::/64") },
	};
	const struct embedding embedding = { prefix_of(prefixes[choice % 8]),
		prefix_of("0.0.0.0/0"), choice & 8 };
	struct address_map_problem problem;

	return address_map_new(eams, 3, &embedding, 1, &xlat_key, &problem);
}

static void
configure(struct run *run, struct bytes *b)
{
	unsigned flags = bytes_u8(b), offload = bytes_u8(b);
	struct siit *siit = &run->siit;

	siit->hairpin = flags % 3;
	siit->udp_zero = (flags >> 2) % 3;
	siit->has_own4 = flags >> 4 & 1;
	siit->has_own6 = flags >> 5 & 1;
	siit->n_pool = flags >> 6 & 1;
	siit->pool_extension = flags >> 7;
	siit->own4 = 0xc00002fe;
	siit->own6 = prefix_of("2001:db8:ffff::1").addr;
	siit->pool[0] = 0xcb00714d;
	siit->mtu4 = SIIT_MTU4_MIN + bytes_u16(b) %
	    (SIIT_MTU_MAX - SIIT_MTU4_MIN + 1);
	siit->mtu6 = SIIT_MTU_MIN + bytes_u16(b) %
	    (SIIT_MTU_MAX - SIIT_MTU_MIN + 1);
	siit->lowest_mtu6 = SIIT_MTU_MIN + bytes_u16(b) %
	    (siit->mtu6 - SIIT_MTU_MIN + 1);
	run->offload.gso = offload % 3;
	run->offload.partial = offload >> 2 & 1;
	run->mend = offload >> 3 & 1;
	run->offload.gso_size = bytes_u16(b);
	run->offload.hdr_len = bytes_u16(b);
	run->offload.csum_start = bytes_u16(b);
	run->offload.csum_offset = bytes_u16(b);
}

static void
expect_good(const char *wrong)
{
	if (wrong == NULL)
		return;
	fprintf(stderr, "%s\n", wrong);
	abort();
}

/* Returns true, with the packet in *ret, if there is one to go on with. */
static bool
translate(struct run *run, const struct packet *packet, bool was_good,
    struct packet *ret)
{
	struct siit_result result;
	unsigned pieces = 0;

	siit_translate(&run->siit, &run->queue, XLAT_NOW_MS, packet, &result);
	assert(result.reason < N_DROP_REASONS);
	switch (result.verdict) {
	case SIIT_FORWARD:
		expect_good(was_good ?
		    packet_check_sums(&result.packet, false) :
		    packet_check_shape(&result.packet));
		*ret = result.packet;
		return true;
	case SIIT_PIECES:
		while (siit_next_piece(&run->queue, &result)) {
			expect_good(packet_check_shape(&result.packet));
			assert(++pieces < PIECES_MAX);
		}
		assert(pieces > 1);
		break;
	case SIIT_REPLY:
		expect_good(packet_check_sums(&result.packet, false));
		break;
	case SIIT_DROP:
		assert(result.reason != DROP_NONE);
	}
	return false;
}

static void
put_sum(uint8_t *at, size_t len, uint32_t start, size_t field)
{
	uint16_t sum;

	if (len < field + 2)
		return;
	at[field] = at[field + 1] = 0;
	sum = plain_sum(at, len, start) ^ 0xffff;
	at[field] = (uint8_t)(sum >> 8);
	at[field + 1] = (uint8_t)sum;
}

/*
 * Make the checksums right that we look at ourselves, so that chance gets
 * behind them: IPv4's header, ICMP and ICMPv6 without extension headers.
 */
static void
mend(struct packet *packet)
{
	uint8_t *at = packet->at;
	size_t header = 40, len = packet->len;
	uint32_t pseudo;

	if (packet_version(packet) == 4 && len >= 20) {
		header = (at[0] & 0xfu) * 4;
		if (header < 20 || header > len)
			return;
		put_sum(at, header, 0, 10);
		if (at[9] == 1)
			put_sum(at + header, len - header, 0, 2);
	} else if (packet_version(packet) == 6 && len >= 40 && at[6] == 58) {
		pseudo = plain_sum(at + 8, 32, 0);
		put_sum(at + header, len - header,
		    pseudo + 58 + (uint32_t)(len - header), 2);
	}
}

/* packet_check.h looks behind no extension header but Fragment. */
static bool
has_extensions(const struct packet *packet)
{
	uint8_t next = packet->len >= 40 ? packet->at[6] : 0;

	return packet_version(packet) == 6 &&
	    (next == 0 || next == 43 || next == 60 || next == 44);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
	static const struct siit_limits limits = { 9, 9, 9, 9 };
	struct bytes b = bytes_of(octets, len);
	struct packet packet, next, again;
	char text[PACKET_TEXT_MAX];
	struct address_map *map;
	struct run *run;
	bool good;

	if (len < CONFIG || len - CONFIG > PACKET_MAX)
		return 0;
	run = calloc(1, sizeof(*run));
	map = map_of(bytes_u8(&b));
	assert(run != NULL && map != NULL);
	siit_init(&run->siit, map);
	configure(run, &b);
	siit_queue_init(&run->queue, &limits, &xlat_key, NULL, XLAT_NOW_MS,
	    XLAT_NOW_S);
	packet = xlat_packet(octets + CONFIG, len - CONFIG, &run->offload);
	if (run->mend)
		mend(&packet);
	packet_describe(&packet, text);
	good = packet_check_sums(&packet, false) == NULL &&
	    !has_extensions(&packet);
	if (translate(run, &packet, good, &next)) {
		again = xlat_packet(next.at, next.len, &next.offload);
		translate(run, &again, false, &next);
		free(again.at - again.headroom);
	}
	free(packet.at - packet.headroom);
	address_map_free(map);
	free(run);
	return 0;
}
