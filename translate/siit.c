/* SPDX-License-Identifier: ISC */
#include "translate/siit.h"

#include <assert.h>
#include <string.h>

#include "common/siphash.h"
#include "translate/siit_pass.h"
#include "translate/wire.h"

enum { DEFAULT_MTU = 1500 };

void
siit_init(struct siit *siit, const struct address_map *map)
{
	*siit = (struct siit) {
		.map = map,
		.any_translatable = true,
		.mtu4 = DEFAULT_MTU,
		.mtu6 = DEFAULT_MTU,
		.lowest_mtu6 = SIIT_MTU_MIN,
		.tos = SIIT_TOS_COPY,
		.traffic_class = SIIT_TOS_COPY,
		.udp_zero = SIIT_UDP_ZERO_COMPUTE,
		.hairpin = SIIT_HAIRPIN_INTRINSIC,
		.icmp_errors = true
	};
}

void
siit_queue_init(struct siit_queue *queue, const struct siit_limits *limits,
    const struct siphash_key *key, struct dynamic_pool *pool, uint64_t now_ms,
    uint64_t now_s)
{
	uint16_t i;

	token_bucket_init(&queue->errors, limits->rate, limits->burst,
	    now_ms);
	for (i = 0; i < SIIT_PEERS; i++)
		token_bucket_init(&queue->peer[i], limits->peer_rate,
		    limits->peer_burst, now_ms);
	queue->key[0] = siphash(key, "0", 1) | 1;
	queue->key[1] = siphash(key, "1", 1) | 1;
	for (i = 0; i < SIIT_IDENTS; i++)
		queue->ident[i] = (uint16_t)siphash(key, &i, sizeof(i));
	queue->pool = pool;
	queue->pool_start_s = now_s - now_ms / 1000;
	queue->pieces.whole.len = 0;
	queue->pieces.begun = false;
}

/* --- what we count ------------------------------------------------------- */

/* Spread two values over n, a power of two; the multipliers are secret. */
static unsigned
spread(const struct siit_queue *queue, uint64_t a, uint64_t b, unsigned n)
{
	uint64_t hash = (a ^ a >> 32) * queue->key[0] + b * queue->key[1];

	return (unsigned)(hash >> 40) & (n - 1);
}

/*
 * RFC 7739 5.3: a counter for each of many flows, so that one's packets do
 * not tell how many another sends.
 */
uint16_t
pass_ident(struct pass *pass, const struct pair4 *addr, uint8_t protocol,
    unsigned n)
{
	struct siit_queue *queue = pass->queue;
	unsigned i = spread(queue, (uint64_t)addr->source << 32 |
	    addr->destination, protocol, SIIT_IDENTS);
	uint16_t ident = queue->ident[i];

	queue->ident[i] = (uint16_t)(ident + n);
	return ident;
}

/* RFC 4443 2.4 (f), RFC 1812 4.3.2.8: to one receiver, and in all. */
static bool
within_rate(struct pass *pass)
{
	struct siit_queue *queue = pass->queue;
	const uint8_t *at = pass->packet.at;
	uint64_t high = 0, low = 0;

	if (packet_version(&pass->packet) == 4) {
		low = get_u32(at + IP4_SOURCE);
	} else {
		/* A /64 is one receiver: its hosts are free to choose. */
		high = (uint64_t)get_u32(at + IP6_SOURCE) << 32 |
		    get_u32(at + IP6_SOURCE + 4);
	}
	return token_bucket_take(&queue->peer[spread(queue, high, low,
		   SIIT_PEERS)], pass->now_ms) &&
	    token_bucket_take(&queue->errors, pass->now_ms);
}

/* --- ends ---------------------------------------------------------------- */

void
pass_drop(struct pass *pass, enum drop_reason reason)
{
	pass->result->verdict = SIIT_DROP;
	pass->result->reason = reason;
	pass->result->packet = pass->packet;
}

/*
 * The errors that belong to reasons.  There is none about malformed packets,
 * illegal sources, and ICMP that RFC 7915 wants dropped silently; 4.4 and 5.4
 * say "prohibited" where nothing else is said.
 */
#define PROHIBITED \
	{ true, ICMP4_UNREACHABLE, ICMP4_PROHIBITED, \
	    ICMP6_UNREACHABLE, ICMP6_PROHIBITED }

static const struct {
	bool	sent;
	uint8_t	type4, code4, type6, code6;
} errors[N_DROP_REASONS] = {
	[DROP_HOP_LIMIT] = { true, ICMP4_TIME_EXCEEDED, 0,
	    ICMP6_TIME_EXCEEDED, 0 },
	[DROP_TOO_BIG] = { true, ICMP4_UNREACHABLE, ICMP4_TOO_BIG,
	    ICMP6_TOO_BIG, 0 },
	[DROP_SOURCE_ROUTE] = { true, ICMP4_UNREACHABLE, ICMP4_SOURCE_ROUTE,
	    0, 0 },	/* IPv4 only */
	[DROP_ROUTING_HEADER] = { true, 0, 0, ICMP6_PARAMETER, 0 },
	[DROP_SOURCE_UNMAPPED] = PROHIBITED,
	[DROP_DESTINATION_UNMAPPED] = PROHIBITED,
	[DROP_ILLEGAL_DESTINATION] = PROHIBITED,
	[DROP_NOT_GLOBAL] = PROHIBITED,
	[DROP_POOL_EXHAUSTED] = PROHIBITED,
	[DROP_EXTENSION_HEADERS] = PROHIBITED,
	[DROP_FRAGMENTED_EXTENSION] = PROHIBITED,
	[DROP_FRAGMENTED_ICMP] = PROHIBITED,
	[DROP_UDP_NO_CHECKSUM] = PROHIBITED,
	[DROP_UDP_NO_CHECKSUM_FRAGMENT] = PROHIBITED,
	[DROP_UNTRANSLATABLE_PROTOCOL] = PROHIBITED,
};

/*
 * A hairpinned packet came from IPv6, so what we have to say about its second
 * half goes there: translate our own error like one from outside.
 */
static void
answer_hairpinned(struct pass *pass)
{
	enum drop_reason reason = pass->result->reason;

	pass->packet = pass->result->packet;
	pass_4to6(pass);
	if (pass->result->verdict == SIIT_FORWARD)
		pass->result->verdict = SIIT_REPLY;
	pass->result->reason = reason;
}

/* The packet was dropped; send the error too, if it may be sent. */
static void
answer(struct pass *pass, const struct icmp_error *error)
{
	const struct siit *siit = pass->siit;
	bool v4 = packet_version(&pass->packet) == 4;
	uint8_t *out = pass->queue->small[2];
	struct addr from;
	size_t len;

	if (!siit->icmp_errors || !(v4 ? siit->has_own4 : siit->has_own6))
		return;
	from = v4 ? addr_of_v4(siit->own4) : siit->own6;
	len = icmp_error_write(&pass->packet, error, &from, out);
	if (len == 0)
		return;
	if (!within_rate(pass)) {
		pass->result->limited = true;
		return;
	}
	pass->result->verdict = SIIT_REPLY;
	pass->result->packet = (struct packet) { .at = out, .len = len };
	if (pass->again)
		answer_hairpinned(pass);
}

void
pass_refuse(struct pass *pass, enum drop_reason reason, uint32_t rest)
{
	bool v4 = packet_version(&pass->packet) == 4;
	struct icmp_error error = { .rest = rest };

	pass_drop(pass, reason);
	if (!errors[reason].sent)
		return;
	error.type = v4 ? errors[reason].type4 : errors[reason].type6;
	error.code = v4 ? errors[reason].code4 : errors[reason].code6;
	answer(pass, &error);
}

/*
 * RFC 1122 3.2.2.1, RFC 4443 3.1 and 3.4: no port of ours is open, and we
 * have no protocols but ICMP, whose other messages are discarded.
 */
static bool
own_error(const struct pass *pass, struct icmp_error *ret)
{
	bool v4 = packet_version(&pass->packet) == 4;

	switch (pass->headers.protocol) {
	case PROTO_TCP:
	case PROTO_UDP:
		ret->type = v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE;
		ret->code = v4 ? ICMP4_PORT : ICMP6_PORT;
		return true;
	case PROTO_ICMP:
	case PROTO_ICMP6:
	case PROTO_IGMP:
	case PROTO_NONE:
		return false;
	}
	ret->type = v4 ? ICMP4_UNREACHABLE : ICMP6_PARAMETER;
	ret->code = v4 ? ICMP4_PROTOCOL : ICMP6_NEXT_HEADER;
	ret->rest = v4 ? 0 : IP6_NEXT;
	return true;
}

/*
 * A ping is answered where it is whole: a fragment could only be after
 * reassembly, which we do not do for ourselves either.
 */
static enum drop_reason
own_reason(const struct pass *pass)
{
	bool v4 = packet_version(&pass->packet) == 4;
	enum drop_reason reason = DROP_NONE;

	if (pass->headers.protocol == (v4 ? PROTO_ICMP : PROTO_ICMP6))
		reason = icmp_check(pass);
	return reason == DROP_NONE ? DROP_OWN_ADDRESS : reason;
}

void
pass_to_us(struct pass *pass)
{
	const struct headers *h = &pass->headers;
	struct packet packet = pass->packet;
	struct icmp_error error = { 0 };
	enum drop_reason reason;

	/* It only comes by on its way elsewhere. */
	if (h->source_route) {
		pass_refuse(pass, DROP_SOURCE_ROUTE, 0);
		return;
	}
	if (h->segments_left != 0) {
		pass_refuse(pass, DROP_ROUTING_HEADER, h->segments_left);
		return;
	}
	if (icmp_echo_answer(&packet)) {
		pass->result->verdict = SIIT_REPLY;
		pass->result->reason = DROP_NONE;
		pass->result->packet = packet;
		return;
	}
	reason = own_reason(pass);
	pass_refuse(pass, reason, 0);
	if (reason == DROP_OWN_ADDRESS && own_error(pass, &error))
		answer(pass, &error);
}

void
siit_translate(const struct siit *siit, struct siit_queue *queue,
    uint64_t now_ms, const struct packet *packet, struct siit_result *ret)
{
	struct pass pass = {
		.siit = siit,
		.queue = queue,
		.now_ms = now_ms,
		.packet = *packet,
		.result = ret
	};

	assert(packet->headroom >= PACKET_HEADROOM);
	assert(packet->len <= PACKET_MAX);
	ret->limited = false;
	ret->hairpinned = false;
	switch (packet_version(packet)) {
	case 4:
		pass_4to6(&pass);
		break;
	case 6:
		pass_6to4(&pass);
		break;
	default:
		pass_drop(&pass, packet->len == 0 ? DROP_TOO_SHORT :
		    DROP_BAD_VERSION);
	}
}
