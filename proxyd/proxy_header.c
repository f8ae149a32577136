/* SPDX-License-Identifier: ISC */
#include "proxyd/proxy_header.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/bytes.h"

enum { SIGNATURE_LEN = 12, FIXED_LEN = 16 };	/* of v2 */

static const uint8_t signature[SIGNATURE_LEN] = { 0x0d, 0x0a, 0x0d, 0x0a,
	0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };

enum {
	VERSION_2 = 0x20,	/* with the command in the low 4 bits */
	COMMAND_LOCAL = 0,
	COMMAND_PROXY = 1
};

enum {	/* families and protocols that exist together; 2.2 */
	UNSPEC = 0x00,
	TCP4 = 0x11,
	UDP4 = 0x12,
	TCP6 = 0x21,
	UDP6 = 0x22,
	UNIX_STREAM = 0x31,
	UNIX_DGRAM = 0x32
};

enum {
	TLV_ALPN = 0x01,
	TLV_AUTHORITY = 0x02,
	TLV_CRC32C = 0x03,
	TLV_UNIQUE_ID = 0x05
};

const char *
proxy_fault_text(enum proxy_fault fault)
{
	static const char *const texts[] = {
#define PROXY_FAULT(id, text) text,
		PROXY_FAULTS
#undef PROXY_FAULT
	};

	assert(fault < N_PROXY_FAULTS);
	return texts[fault];
}

static bool
both_v4(const struct endpoint *a, const struct endpoint *b)
{
	return addr_is_v4(&a->addr) && addr_is_v4(&b->addr);
}

/* Groups of hexadecimal digits, whatever the address. */
static void
format_v6(const struct addr *addr, char out[ADDR_TEXT_MAX])
{
	const uint8_t *o = addr->octet;

	if (addr_is_v4(addr))
		snprintf(out, ADDR_TEXT_MAX, "::ffff:%x:%x",
		    (unsigned)o[12] << 8 | o[13], (unsigned)o[14] << 8 | o[15]);
	else
		addr_format(addr, out);
}

size_t
proxy_header_write_v1(const struct endpoint *client,
    const struct endpoint *destination, uint8_t out[PROXY_V1_MAX])
{
	bool v4 = both_v4(client, destination);
	char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX], line[128];
	int len;

	if (v4) {
		addr_format(&client->addr, from);
		addr_format(&destination->addr, to);
	} else {
		format_v6(&client->addr, from);
		format_v6(&destination->addr, to);
	}
	len = snprintf(line, sizeof(line), "PROXY TCP%c %s %s %u %u\r\n",
	    v4 ? '4' : '6', from, to, client->port, destination->port);
	assert(len > 0 && len <= PROXY_V1_MAX);
	memcpy(out, line, (size_t)len);
	return (size_t)len;
}

/* Each writer returns where the next one writes. */
static uint8_t *
put(uint8_t *at, const void *octets, size_t len)
{
	if (len > 0)
		memcpy(at, octets, len);
	return at + len;
}

static uint8_t *
put_u16(uint8_t *at, size_t value)
{
	*at++ = (uint8_t)(value >> 8);
	*at++ = (uint8_t)value;
	return at;
}

static uint8_t *
put_tlv(uint8_t *at, uint8_t type, const void *value, size_t len, size_t max)
{
	assert(len <= max);
	if (len == 0)
		return at;
	*at++ = type;
	return put(put_u16(at, len), value, len);
}

size_t
proxy_header_write_v2(const struct endpoint *client,
    const struct endpoint *destination, const struct proxy_tlvs *tlvs,
    uint8_t out[PROXY_HEADER_MAX])
{
	bool v4 = both_v4(client, destination);
	size_t skip = v4 ? 12 : 0;	/* what makes IPv4 v4-mapped */
	uint8_t *at = put(out, signature, sizeof(signature));

	*at++ = VERSION_2 | COMMAND_PROXY;
	*at++ = v4 ? TCP4 : TCP6;
	at += 2;	/* the length */
	at = put(at, client->addr.octet + skip, 16 - skip);
	at = put(at, destination->addr.octet + skip, 16 - skip);
	at = put_u16(at, client->port);
	at = put_u16(at, destination->port);
	if (tlvs != NULL) {
		at = put_tlv(at, TLV_ALPN, tlvs->alpn, tlvs->alpn_len,
		    PROXY_ALPN_MAX);
		at = put_tlv(at, TLV_AUTHORITY, tlvs->authority,
		    tlvs->authority_len, PROXY_AUTHORITY_MAX);
		at = put_tlv(at, TLV_UNIQUE_ID, tlvs->unique_id,
		    tlvs->unique_id_len, PROXY_UNIQUE_ID_MAX);
	}
	put_u16(out + FIXED_LEN - 2, (size_t)(at - out) - FIXED_LEN);
	return (size_t)(at - out);
}

static struct proxy_header
more(void)
{
	return (struct proxy_header) { .verdict = PROXY_HEADER_MORE };
}

static struct proxy_header
bad(enum proxy_fault fault)
{
	return (struct proxy_header) { .verdict = PROXY_HEADER_BAD,
		.fault = fault };
}

static struct proxy_header
not_relayed(size_t len)
{
	return (struct proxy_header) { .verdict = PROXY_HEADER_OK,
		.len = len };
}

/* Whether so much of `word` as there could be in the bytes is there. */
static bool
begins_like(const uint8_t *bytes, size_t len, const void *word,
    size_t word_len)
{
	return memcmp(bytes, word, len < word_len ? len : word_len) == 0;
}

/* Take what precedes the next space, and the space. */
static struct bytes
take_word(struct bytes *line)
{
	const uint8_t *space = line->left > 0 ?
	    memchr(line->at, ' ', line->left) :
	    NULL;
	struct bytes word;

	/* Without a space: one octet more than there is, which fails. */
	word = bytes_take(line,
	    space != NULL ? (size_t)(space - line->at) : line->left + 1);
	bytes_u8(line);
	return word;
}

static bool
v1_addr(struct bytes word, bool v4, struct addr *ret)
{
	bool colon = word.left > 0 && memchr(word.at, ':', word.left) != NULL;

	return !word.failed && colon != v4 &&
	    addr_parse((const char *)word.at, word.left, ret);
}

static bool
v1_port(struct bytes word, uint16_t *ret)
{
	uint32_t port = 0;
	uint8_t digit;

	if (word.failed || word.left < 1 || word.left > 5 ||
	    (word.left > 1 && *word.at == '0'))
		return false;
	while (word.left > 0) {
		digit = bytes_u8(&word);
		if (digit < '0' || digit > '9')
			return false;
		port = port * 10 + digit - '0';
	}
	if (port > UINT16_MAX)
		return false;
	*ret = (uint16_t)port;
	return true;
}

/* The line between the protocol's name and CRLF; `len` is all of it. */
static struct proxy_header
v1_tcp(struct bytes line, bool v4, size_t len)
{
	struct proxy_header h = { .verdict = PROXY_HEADER_OK, .len = len,
		.relayed = true };

	if (!v1_addr(take_word(&line), v4, &h.source.addr) ||
	    !v1_addr(take_word(&line), v4, &h.destination.addr))
		return bad(PROXY_FAULT_V1_ADDRESS);
	if (!v1_port(take_word(&line), &h.source.port) ||
	    !v1_port(line, &h.destination.port))
		return bad(PROXY_FAULT_V1_PORT);
	return h;
}

static struct proxy_header
parse_v1(const uint8_t *bytes, size_t len)
{
	static const char *const beginnings[] = { "PROXY TCP4 ", "PROXY TCP6 ",
		"PROXY UNKNOWN" };
	enum { TCP4_LINE, TCP6_LINE, UNKNOWN_LINE, N_LINES } kind = 0;
	size_t i, begun;

	while (!begins_like(bytes, len, beginnings[kind],
	    strlen(beginnings[kind])))
		if (++kind == N_LINES)
			return bad(PROXY_FAULT_V1_PROTOCOL);
	begun = strlen(beginnings[kind]);
	for (i = begun; i < len && i < PROXY_V1_MAX; i++) {
		if (bytes[i - 1] == '\r' && bytes[i] == '\n')
			return kind == UNKNOWN_LINE ?
			    not_relayed(i + 1) :
			    v1_tcp(bytes_of(bytes + begun, i - 1 - begun),
				kind == TCP4_LINE, i + 1);
		if (kind == UNKNOWN_LINE && i == begun && bytes[i] != ' ' &&
		    bytes[i] != '\r')
			return bad(PROXY_FAULT_V1_PROTOCOL);
		if (bytes[i - 1] == '\r' ||
		    (bytes[i] != '\r' && (bytes[i] < ' ' || bytes[i] > '~')))
			return bad(PROXY_FAULT_V1_OCTET);
	}
	return i < PROXY_V1_MAX ? more() : bad(PROXY_FAULT_V1_TOO_LONG);
}

/*
 * CRC32c (RFC 4960 Appendix B) of the header, its own field taken as zeros.
 * Bit by bit: headers are short and few carry it.
 */
static uint32_t
crc32c(const uint8_t *bytes, size_t len, const uint8_t *field)
{
	const uint32_t polynomial = 0x82f63b78;	/* its bits reversed */
	const uint8_t *at;
	uint32_t crc = UINT32_MAX;
	unsigned bit;

	for (at = bytes; at < bytes + len; at++) {
		if (at < field || at >= field + 4)
			crc ^= *at;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
	}
	return ~crc;
}

/* What follows the addresses of a header of `len` octets. */
static enum proxy_fault
check_tlvs(struct bytes tlvs, const uint8_t *bytes, size_t len)
{
	struct bytes value, checksum = { 0 };
	uint8_t type;

	while (tlvs.left > 0) {
		type = bytes_u8(&tlvs);
		value = bytes_take(&tlvs, bytes_u16(&tlvs));
		if (tlvs.failed)
			return PROXY_FAULT_V2_TLV;
		if (type == TLV_UNIQUE_ID && value.left > PROXY_UNIQUE_ID_MAX)
			return PROXY_FAULT_V2_TLV;
		if (type == TLV_CRC32C) {
			if (value.left != 4 || checksum.left > 0)
				return PROXY_FAULT_V2_TLV;
			checksum = value;
		}
	}
	if (checksum.left > 0) {
		const uint8_t *field = checksum.at;

		if (bytes_u32(&checksum) != crc32c(bytes, len, field))
			return PROXY_FAULT_V2_CHECKSUM;
	}
	return PROXY_FAULT_NONE;
}

/* Octets of the addresses and ports, or SIZE_MAX: no such family. */
static size_t
addresses_len(uint8_t family)
{
	switch (family) {
	case UNSPEC:
		return 0;
	case TCP4:
	case UDP4:
		return 2 * 4 + 2 * 2;
	case TCP6:
	case UDP6:
		return 2 * 16 + 2 * 2;
	case UNIX_STREAM:
	case UNIX_DGRAM:
		return 2 * 108;
	default:
		return SIZE_MAX;
	}
}

static struct addr
read_addr(struct bytes *b, bool v4)
{
	struct addr addr = { { [10] = 0xff, 0xff } };
	size_t skip = v4 ? 12 : 0;
	struct bytes octets = bytes_take(b, 16 - skip);

	memcpy(addr.octet + skip, octets.at, octets.left);
	return addr;
}

/* A whole header of `len` octets that describes a connection of `family`. */
static struct proxy_header
v2_relayed(const uint8_t *bytes, size_t len, uint8_t family)
{
	struct proxy_header h = { .verdict = PROXY_HEADER_OK, .len = len };
	struct bytes rest = bytes_of(bytes + FIXED_LEN, len - FIXED_LEN);
	struct bytes block = bytes_take(&rest, addresses_len(family));
	enum proxy_fault fault = check_tlvs(rest, bytes, len);

	if (fault != PROXY_FAULT_NONE)
		return bad(fault);
	if (family != TCP4 && family != TCP6)
		return h;
	h.relayed = true;
	h.source.addr = read_addr(&block, family == TCP4);
	h.destination.addr = read_addr(&block, family == TCP4);
	h.source.port = bytes_u16(&block);
	h.destination.port = bytes_u16(&block);
	return h;
}

static struct proxy_header
parse_v2(const uint8_t *bytes, size_t len)
{
	struct bytes b = bytes_of(bytes, len);
	uint8_t version_command, family;
	size_t rest;
	bool local;

	bytes_take(&b, SIGNATURE_LEN);
	version_command = bytes_u8(&b);
	if (b.failed)
		return more();
	if ((version_command & 0xf0) != VERSION_2)
		return bad(PROXY_FAULT_V2_VERSION);
	if ((version_command & 0x0f) > COMMAND_PROXY)
		return bad(PROXY_FAULT_V2_COMMAND);
	local = (version_command & 0x0f) == COMMAND_LOCAL;
	family = bytes_u8(&b);
	if (b.failed)
		return more();
	if (!local && addresses_len(family) == SIZE_MAX)
		return bad(PROXY_FAULT_V2_FAMILY);
	rest = bytes_u16(&b);
	if (b.failed)
		return more();
	if (rest > PROXY_V2_MAX - FIXED_LEN)
		return bad(PROXY_FAULT_V2_TOO_LONG);
	if (!local && rest < addresses_len(family))
		return bad(PROXY_FAULT_V2_TOO_SHORT);
	if (rest > b.left)
		return more();
	return local || family == UNSPEC ?
	    not_relayed(FIXED_LEN + rest) :
	    v2_relayed(bytes, FIXED_LEN + rest, family);
}

struct proxy_header
proxy_header_parse(const uint8_t *bytes, size_t len)
{
	static const char v1[] = { 'P', 'R', 'O', 'X', 'Y' };

	if (len == 0)
		return more();
	if (begins_like(bytes, len, v1, sizeof(v1)))
		return parse_v1(bytes, len);
	if (begins_like(bytes, len, signature, sizeof(signature)))
		return parse_v2(bytes, len);
	return bad(PROXY_FAULT_SIGNATURE);
}
