/* SPDX-License-Identifier: ISC */
#include "proxyd/peek_tls.h"

#include <assert.h>

#include "common/bytes.h"
#include "proxyd/client_hello.h"

enum {
	RECORD_HEADER = 5,		/* type, version, length */
	RECORD_HANDSHAKE = 22,
	RECORD_MAX = 1 << 14,		/* RFC 8446 5.1 */
	HANDSHAKE_HEADER = 4,		/* type, length */
	CLIENT_HELLO = 1
};

enum {					/* RFC 8446 6 */
	UNEXPECTED_MESSAGE = 10,
	RECORD_OVERFLOW = 22,
	ILLEGAL_PARAMETER = 47,
	PROTOCOL_VERSION = 70
};

static struct peek
more(void)
{
	return (struct peek){ .verdict = PEEK_MORE };
}

static struct peek
refuse(enum close_reason reason, uint8_t alert)
{
	return (struct peek){
		.verdict = PEEK_REFUSE, .reason = reason, .alert = alert
	};
}

static struct peek
refuse_too_long(void)
{
	/* As OpenSSL answers a message that is longer than it takes. */
	return refuse(CLOSE_TLS_HELLO_TOO_LONG, ILLEGAL_PARAMETER);
}

/*
 * The connection does not begin with a handshake record.  Only a hello in
 * SSL 2 format (RFC 5246 E.2: two octets of length with the high bit set,
 * type 1, version) deserves an answer in TLS.
 */
static struct peek
peek_not_tls(const uint8_t *bytes, size_t len)
{
	struct bytes hello = bytes_of(bytes, len);
	uint16_t version;
	uint8_t type;

	if (bytes[0] < 0x80)
		return refuse(CLOSE_TLS_NOT_TLS, 0);
	bytes_u16(&hello);
	type = bytes_u8(&hello);
	if (!hello.failed && type != CLIENT_HELLO)
		return refuse(CLOSE_TLS_NOT_TLS, 0);
	version = bytes_u16(&hello);
	if (hello.failed)
		return more();
	return refuse(CLOSE_TLS_NOT_TLS,
	    version == 0x0002 || version >> 8 == 3 ? PROTOCOL_VERSION : 0);
}

static uint16_t		/* octets after a record's header */
record_body(const uint8_t *header)
{
	struct bytes length = bytes_of(header + 3, 2);

	return bytes_u16(&length);
}

/*
 * The alert that a record's header deserves, of which `len` octets are here,
 * or 0.  Its version is 3 and anything (RFC 8446 5.1, RFC 5246 E.1).
 */
static uint8_t
check_record(const uint8_t *header, size_t len)
{
	if (len >= 1 && header[0] != RECORD_HANDSHAKE)
		return UNEXPECTED_MESSAGE;
	if (len >= 2 && header[1] != 3)
		return PROTOCOL_VERSION;
	if (len < RECORD_HEADER)
		return 0;
	if (record_body(header) == 0)
		return UNEXPECTED_MESSAGE;	/* RFC 8446 5.1 */
	return record_body(header) > RECORD_MAX ? RECORD_OVERFLOW : 0;
}

/*
 * Learn what `here` octets of a record that holds `body` say of the handshake
 * header.  Returns the alert it deserves or 0.
 */
static uint8_t
read_handshake(struct peek_tls *scan, const uint8_t *octets, size_t here,
    size_t body)
{
	struct bytes length;
	size_t i;

	for (i = scan->hello; i < HANDSHAKE_HEADER && i - scan->hello < here;
	    i++)
		scan->header[i] = octets[i - scan->hello];
	if (i >= 1 && scan->header[0] != CLIENT_HELLO)
		return UNEXPECTED_MESSAGE;
	if (scan->hello_len == 0 && i >= HANDSHAKE_HEADER) {
		length = bytes_of(scan->header + 1, 3);
		scan->hello_len = HANDSHAKE_HEADER + bytes_u24(&length);
	}
	/*
	 * A ClientHello ends its record: keys may change after it (RFC 8446
	 * 5.1), and in TLS 1.2 it is the server's turn.
	 */
	if (scan->hello_len != 0 && body > scan->hello_len - scan->hello)
		return UNEXPECTED_MESSAGE;
	return 0;
}

/* The fewest octets on the wire that can still complete the hello. */
static size_t
least_octets(const struct peek_tls *scan)
{
	size_t hello_len = scan->hello_len;

	if (hello_len == 0)
		hello_len = HANDSHAKE_HEADER;
	return (size_t)scan->record + RECORD_HEADER + hello_len - scan->hello;
}

struct peek
peek_tls(struct peek_tls *scan, const uint8_t *bytes, size_t len, size_t max)
{
	const uint8_t *record;
	size_t here, body;
	uint8_t alert;

	assert(max <= 1u << 31 && scan->record <= len);
	if (len >= 1 && bytes[0] != RECORD_HANDSHAKE)
		return peek_not_tls(bytes, len);
	while (scan->hello_len == 0 || scan->hello < scan->hello_len) {
		record = bytes + scan->record;
		here = len - scan->record;
		if (least_octets(scan) > max)
			return refuse_too_long();
		alert = check_record(record, here);
		if (alert != 0)
			return refuse(CLOSE_TLS_BAD_HELLO, alert);
		if (here < RECORD_HEADER)
			return more();

		here -= RECORD_HEADER;
		body = record_body(record);
		alert = read_handshake(scan, record + RECORD_HEADER,
		    here < body ? here : body, body);
		if (alert != 0)
			return refuse(CLOSE_TLS_BAD_HELLO, alert);
		if (least_octets(scan) > max)
			return refuse_too_long();
		if (here < body)
			return more();
		scan->record += (uint32_t)(RECORD_HEADER + body);
		scan->hello += (uint32_t)body;
	}
	return client_hello_read(bytes, scan->record);
}
