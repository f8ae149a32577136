/* SPDX-License-Identifier: ISC */
#include "proxyd/http_chunked.h"

#include <assert.h>
#include <stdbool.h>

#include "proxyd/http_octet.h"

enum { DIGITS_MAX = 16 };	/* of a size: it fits in 64 bits */

/* RFC 9112 7.1, 7.1.1, 7.1.2: where the next octet stands. */
enum state {
	SIZE = 0,
	SPACE,		/* BWS before the ";" of an extension */
	EXT,		/* after ";" or BWS: the name begins */
	EXT_NAME,
	EXT_NAME_SPACE,	/* BWS after a name: "=" or ";" must follow */
	EXT_EQUALS,	/* after "=" or BWS: the value begins */
	EXT_TOKEN,
	EXT_QUOTED,
	EXT_ESCAPED,	/* after a backslash in a quoted-string */
	EXT_VALUE_END,	/* after a quoted-string */
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER,	/* at the first octet of a line */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	END_LF,
	WHOLE,
	BAD
};

/* 0 to 15, or 16 if it is no hexadecimal digit. */
static unsigned
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

/* A size or an extension has ended before `c`. */
static enum state
after_part(uint8_t c)
{
	if (http_octet_is_space(c))
		return SPACE;
	return c == '\r' ? SIZE_LF : c == ';' ? EXT : BAD;
}

static enum state
on_size(struct http_chunked *body, uint8_t c)
{
	unsigned value = hex_value(c);

	if (value > 15)
		return body->digits == 0 ? BAD : after_part(c);
	if (body->digits == DIGITS_MAX)
		return BAD;
	body->size = body->size << 4 | value;
	body->digits++;
	return body->size > HTTP_LENGTH_MAX ? BAD : SIZE;
}

static enum state
on_name(uint8_t c)
{
	if (http_octet_is_tchar(c))
		return EXT_NAME;
	if (http_octet_is_space(c))
		return EXT_NAME_SPACE;
	return c == '=' ? EXT_EQUALS : after_part(c);
}

static enum state
on_name_space(uint8_t c)
{
	if (http_octet_is_space(c))
		return EXT_NAME_SPACE;
	return c == '=' ? EXT_EQUALS : c == ';' ? EXT : BAD;
}

static enum state
on_value(uint8_t c)
{
	if (http_octet_is_space(c))
		return EXT_EQUALS;
	return c == '"' ? EXT_QUOTED : http_octet_is_tchar(c) ? EXT_TOKEN :
	    BAD;
}

static enum state
on_quoted(uint8_t c)
{
	if (c == '"')
		return EXT_VALUE_END;
	if (c == '\\')
		return EXT_ESCAPED;
	return http_octet_is_control(c) ? BAD : EXT_QUOTED;
}

static enum state
on_size_end(struct http_chunked *body)
{
	body->digits = 0;
	body->octets = 0;
	return body->size > 0 ? DATA : TRAILER;
}

/* One octet outside of chunk data. */
static enum state
on_octet(struct http_chunked *body, uint8_t c)
{
	switch ((enum state)body->state) {
	case SIZE:
		return on_size(body, c);
	case SPACE:	/* RFC 9112 7.1.1: *( BWS ";" BWS name ...) */
		return http_octet_is_space(c) ? SPACE : c == ';' ? EXT : BAD;
	case EXT:
		return http_octet_is_space(c) ? EXT :
		    http_octet_is_tchar(c) ? EXT_NAME : BAD;
	case EXT_NAME:
		return on_name(c);
	case EXT_NAME_SPACE:
		return on_name_space(c);
	case EXT_EQUALS:
		return on_value(c);
	case EXT_TOKEN:
		return http_octet_is_tchar(c) ? EXT_TOKEN : after_part(c);
	case EXT_QUOTED:
		return on_quoted(c);
	case EXT_ESCAPED:
		return http_octet_is_control(c) ? BAD : EXT_QUOTED;
	case EXT_VALUE_END:
		return after_part(c);
	case SIZE_LF:
		return c == '\n' ? on_size_end(body) : BAD;
	case DATA_CR:
		return c == '\r' ? DATA_LF : BAD;
	case DATA_LF:
		body->octets = 0;
		return c == '\n' ? SIZE : BAD;
	case TRAILER:	/* RFC 9112 7.1.2; never folded (5.2) */
		return c == '\r' ? END_LF :
		    http_octet_is_tchar(c) ? TRAILER_NAME : BAD;
	case TRAILER_NAME:
		return c == ':' ? TRAILER_VALUE :
		    http_octet_is_tchar(c) ? TRAILER_NAME : BAD;
	case TRAILER_VALUE:
		return c == '\r' ? TRAILER_LF :
		    http_octet_is_control(c) ? BAD : TRAILER_VALUE;
	case TRAILER_LF:
		return c == '\n' ? TRAILER : BAD;
	case END_LF:
		return c == '\n' ? WHOLE : BAD;
	case DATA:
	case WHOLE:
	case BAD:
		break;
	}
	return BAD;
}

size_t
http_chunked_take(struct http_chunked *body, const uint8_t *bytes, size_t len)
{
	size_t at = 0, n;

	while (at < len && body->state < WHOLE) {
		if (body->state == DATA) {
			n = len - at < body->size ? len - at :
			    (size_t)body->size;
			http_chunked_skip(body, n);
			at += n;
			continue;
		}
		body->state = body->octets++ < HTTP_CHUNK_LINES_MAX ?
		    (uint8_t)on_octet(body, bytes[at]) : BAD;
		if (body->state != BAD)
			at++;
	}
	return at;
}

enum http_chunked_end
http_chunked_end(const struct http_chunked *body)
{
	return body->state == WHOLE ? HTTP_CHUNKED_WHOLE :
	    body->state == BAD ? HTTP_CHUNKED_BAD : HTTP_CHUNKED_OPEN;
}

uint64_t
http_chunked_data(const struct http_chunked *body)
{
	return body->state == DATA ? body->size : 0;
}

void
http_chunked_skip(struct http_chunked *body, uint64_t n)
{
	assert(n <= http_chunked_data(body));
	if (n == 0)
		return;
	body->size -= n;
	if (body->size == 0)
		body->state = DATA_CR;
}
