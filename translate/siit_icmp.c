/* SPDX-License-Identifier: ISC */
#include "translate/siit_icmp.h"

#include <string.h>

#include "translate/checksum.h"
#include "translate/wire.h"

enum {	/* RFC 4884 */
	WORDS_MAX = 255,
	DATAGRAM_MIN = 128	/* octets before an extension structure */
};

enum drop_reason
icmp_check(const struct pass *pass)
{
	const struct headers *h = &pass->headers;
	const uint8_t *icmp = pass->packet.at + h->transport;
	uint32_t size = h->total - h->transport;
	uint64_t pseudo = 0;

	if (headers_is_part(h))
		return DROP_FRAGMENTED_ICMP;
	if (size < ICMP_HEADER)
		return DROP_TOO_SHORT;
	if (h->protocol == PROTO_ICMP6)
		pseudo = checksum_of(pass->packet.at + IP6_SOURCE, 32) +
		    size + PROTO_ICMP6;
	if (!pass->packet.offload.partial &&
	    checksum_finish(pseudo + checksum_of(icmp, size)) != 0)
		return DROP_BAD_ICMP_CHECKSUM;
	return DROP_NONE;
}

void
quote_find(const struct pass *pass, uint8_t words, unsigned unit,
    struct quote *ret)
{
	const struct headers *h = &pass->headers;
	size_t field = (size_t)words * unit;

	*ret = (struct quote) {
		.at = pass->packet.at + h->transport + ICMP_HEADER,
		.len = h->total - h->transport - ICMP_HEADER
	};
	if (field < DATAGRAM_MIN || field > ret->len)
		return;
	ret->extension = ret->at + field;
	ret->extension_len = ret->len - field;
	ret->len = field;
}

bool
quote_is_error(const struct quote *q, uint8_t protocol,
    bool (*is_error)(uint8_t type))
{
	const struct headers *h = &q->headers;

	return h->protocol == protocol && h->offset == 0 &&
	    q->len > h->transport && is_error(q->at[h->transport]);
}

struct message
message_of(struct pass *pass, size_t header, size_t max)
{
	return (struct message) {
		.at = pass->queue->small[pass->again ? 1 : 0],
		.header = header,
		.len = header + ICMP_HEADER,
		.max = max < ERROR_MAX ? max : ERROR_MAX
	};
}

uint8_t *
message_append(struct message *m, size_t n)
{
	uint8_t *at = m->at + m->len;

	m->len += n;
	return at;
}

uint8_t *
message_append_transport(struct message *m, const struct quote *q,
    size_t *ret_len)
{
	const struct headers *h = &q->headers;
	size_t end = q->len < h->total ? q->len : h->total;
	size_t n = end - h->transport;
	uint8_t *at;

	if (n > m->max - m->len)
		n = m->max - m->len;
	at = message_append(m, n);
	memcpy(at, q->at + h->transport, n);
	*ret_len = n;
	return at;
}

void
message_append_extension(struct message *m, const uint8_t *extension,
    size_t len, unsigned unit)
{
	size_t start = m->header + ICMP_HEADER, datagram = m->len - start;
	size_t padded = (datagram + unit - 1) / unit * unit;

	if (padded < DATAGRAM_MIN)
		padded = DATAGRAM_MIN;
	if (padded > (size_t)WORDS_MAX * unit)
		padded = datagram = (size_t)WORDS_MAX * unit;
	if (len == 0 || start + padded + len > m->max)
		return;
	memset(m->at + start + datagram, 0, padded - datagram);
	memcpy(m->at + start + padded, extension, len);
	m->words = (unsigned)(padded / unit);
	m->len = start + padded + len;
}

void
message_write_icmp(struct message *m, const struct icmp_kind *kind,
    size_t length_at, uint64_t pseudo)
{
	uint8_t *icmp = m->at + m->header;

	icmp[0] = kind->type;
	icmp[ICMP_CODE] = kind->code;
	put_u16(icmp + ICMP_CHECKSUM, 0);
	put_u32(icmp + ICMP_REST, kind->rest);
	if (m->words > 0)
		icmp[length_at] = (uint8_t)m->words;
	put_u16(icmp + ICMP_CHECKSUM,
	    checksum_finish(pseudo + checksum_of(icmp, m->len - m->header)));
}

void
message_forward(struct pass *pass, const struct message *m)
{
	struct siit_result *result = pass->result;

	result->verdict = SIIT_FORWARD;
	result->reason = DROP_NONE;
	result->packet = (struct packet) { .at = m->at, .len = m->len };
}

void
echo_change(uint8_t *icmp, size_t len, uint8_t type, uint64_t change)
{
	change += checksum_change((uint64_t)icmp[0] << 8,
	    (uint64_t)type << 8);
	icmp[0] = type;
	if (len >= ICMP_CHECKSUM + 2)
		put_u16(icmp + ICMP_CHECKSUM,
		    checksum_update(get_u16(icmp + ICMP_CHECKSUM), change));
}
