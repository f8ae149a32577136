/* SPDX-License-Identifier: ISC */
#include "proxyd/peek_http.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "common/addr.h"
#include "proxyd/http_octet.h"

enum {
	METHOD_MAX = 32,	/* octets; the longest registered one has 17 */
	VERSION_LEN = 8,	/* "HTTP/1.1" */
	HTTP_PORT = 80,		/* RFC 9110 4.2.1 */
	HTTPS_PORT = 443	/* RFC 9110 4.2.2 */
};

enum state {
	LEADING = 0,	/* empty lines before the request line */
	METHOD,
	TARGET,
	VERSION,
	FIRST_FIELD,	/* at the first octet of the first field line */
	FIELD,		/* at the first octet of a later line */
	FIELD_NAME,
	FIELD_VALUE,
	HEAD_END
};

enum method { METHOD_OTHER = 0, METHOD_HEAD, METHOD_OPTIONS, METHOD_PRI };

/* uri-host [ ":" port ]: what Host and an absolute-form target name. */
struct authority {
	bool		is_address;
	struct addr	addr;		/* if is_address */
	size_t		name_len;	/* else */
	char		name[HOSTNAME_MAX + 1];	/* normalised */
	uint32_t	port;
};

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* RFC 3986 3.2.3: *DIGIT; no digits mean the default. */
static bool
port_read(const uint8_t *bytes, size_t len, uint32_t *ret)
{
	uint32_t port = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (!is_digit(bytes[i]))
			return false;
		port = port * 10 + (uint32_t)(bytes[i] - '0');
		if (port > UINT16_MAX)
			return false;
	}
	if (len > 0)
		*ret = port;
	return true;
}

/* RFC 3986 3.2.2: "[" IPv6address "]", IPv4address, or a name. */
static bool
host_read(const uint8_t *bytes, size_t len, struct authority *ret)
{
	if (len > 2 && bytes[0] == '[') {
		ret->is_address = true;
		return memchr(bytes + 1, ':', len - 2) != NULL &&
		    addr_parse((const char *)bytes + 1, len - 2, &ret->addr);
	}
	switch (hostname_normalise(bytes, len, ret->name, &ret->name_len)) {
	case HOSTNAME_OK:
		ret->is_address = false;
		return true;
	case HOSTNAME_IS_ADDRESS:
		ret->is_address = true;
		return addr_parse((const char *)bytes, len, &ret->addr);
	case HOSTNAME_EMPTY:
	case HOSTNAME_TOO_LONG:
	case HOSTNAME_LABEL_EMPTY:
	case HOSTNAME_LABEL_TOO_LONG:
	case HOSTNAME_LABEL_HYPHEN:
	case HOSTNAME_BAD_CHAR:
	case HOSTNAME_NOT_ASCII:
		break;
	}
	return false;
}

/* On failure, *ret holds nothing of use. */
static bool
authority_read(const uint8_t *bytes, size_t len, uint16_t default_port,
    struct authority *ret)
{
	const uint8_t *end;	/* of the host */
	size_t host_len;

	ret->port = default_port;
	if (len == 0)
		return false;
	if (bytes[0] == '[') {
		end = memchr(bytes, ']', len);
		if (end == NULL)
			return false;
		end++;
	} else {
		end = memchr(bytes, ':', len);
		if (end == NULL)
			end = bytes + len;
	}
	host_len = (size_t)(end - bytes);
	if (!host_read(bytes, host_len, ret))
		return false;
	return host_len == len || (*end == ':' &&
	    port_read(end + 1, len - host_len - 1, &ret->port));
}

static bool
authority_equal(const struct authority *a, const struct authority *b)
{
	if (a->port != b->port || a->is_address != b->is_address)
		return false;
	return a->is_address ? addr_equal(&a->addr, &b->addr) :
	    strcmp(a->name, b->name) == 0;
}

static bool
part_is(const struct peek_http *scan, const uint8_t *bytes, const char *text)
{
	size_t len = scan->scanned - scan->part;

	return strlen(text) == len &&
	    memcmp(bytes + scan->part, text, len) == 0;
}

static enum close_reason
on_method(struct peek_http *scan, const uint8_t *bytes)
{
	if (bytes[scan->scanned] != ' ')
		return http_octet_is_tchar(bytes[scan->scanned]) &&
		    scan->scanned - scan->part < METHOD_MAX ?
		    CLOSE_NONE : CLOSE_HTTP_REQUEST_LINE;
	if (part_is(scan, bytes, "CONNECT"))
		return CLOSE_HTTP_CONNECT;
	if (part_is(scan, bytes, "HEAD"))
		scan->method = METHOD_HEAD;
	else if (part_is(scan, bytes, "OPTIONS"))
		scan->method = METHOD_OPTIONS;
	else if (part_is(scan, bytes, "PRI"))
		scan->method = METHOD_PRI;
	scan->state = TARGET;
	scan->part = scan->scanned + 1;
	return CLOSE_NONE;
}

/* Remember the authority of an absolute-form target (RFC 9112 3.2.2). */
static enum close_reason
read_absolute_form(struct peek_http *scan, const uint8_t *bytes)
{
	const char *target = (const char *)bytes + scan->part;
	uint32_t len = scan->scanned - scan->part;
	struct authority authority;
	uint32_t at, end;

	if (len >= 7 && strncasecmp(target, "http://", 7) == 0) {
		at = scan->part + 7;
		scan->target_port = HTTP_PORT;
	} else if (len >= 8 && strncasecmp(target, "https://", 8) == 0) {
		at = scan->part + 8;
		scan->target_port = HTTPS_PORT;
	} else
		return CLOSE_HTTP_TARGET;
	for (end = at; end < scan->scanned; end++)
		if (bytes[end] == '/' || bytes[end] == '?')
			break;
	if (!authority_read(bytes + at, end - at, scan->target_port,
	    &authority))
		return CLOSE_HTTP_TARGET;
	scan->target_host = at;
	scan->target_host_len = end - at;
	return CLOSE_NONE;
}

/* The path and query are the VM's business, but for their alphabet. */
static enum close_reason
on_target(struct peek_http *scan, const uint8_t *bytes)
{
	uint8_t c = bytes[scan->scanned];
	enum close_reason reason = CLOSE_NONE;

	if (c >= 0x80)
		return CLOSE_HTTP_TARGET;	/* RFC 3986 2 */
	if (c == '\t' || (c == ' ' && scan->scanned == scan->part))
		return CLOSE_HTTP_REQUEST_LINE;
	if (c != ' ')
		return CLOSE_NONE;
	if (part_is(scan, bytes, "*")) {
		if (scan->method == METHOD_PRI)
			return CLOSE_HTTP_H2_PREFACE;
		if (scan->method != METHOD_OPTIONS)
			return CLOSE_HTTP_TARGET;
	} else if (bytes[scan->part] != '/')
		reason = read_absolute_form(scan, bytes);
	scan->state = VERSION;
	scan->part = scan->scanned + 1;
	return reason;
}

/* RFC 9112 2.3; of a higher minor version than 1 see RFC 9110 2.5. */
static enum close_reason
on_version(struct peek_http *scan, const uint8_t *bytes)
{
	uint8_t c = bytes[scan->scanned];
	uint32_t at = scan->scanned - scan->part;

	switch (at) {
	case 5:
		if (!is_digit(c))
			return CLOSE_HTTP_REQUEST_LINE;
		return c == '1' ? CLOSE_NONE : CLOSE_HTTP_VERSION;
	case 7:
		if (!is_digit(c))
			return CLOSE_HTTP_REQUEST_LINE;
		scan->minor = (uint8_t)(c - '0');
		return CLOSE_NONE;
	default:
		return at < VERSION_LEN && c == (uint8_t)"HTTP/1.1"[at] ?
		    CLOSE_NONE : CLOSE_HTTP_REQUEST_LINE;
	}
}

static enum close_reason
on_field_name(struct peek_http *scan, const uint8_t *bytes)
{
	uint8_t c = bytes[scan->scanned];
	uint32_t len = scan->scanned - scan->part;

	if (http_octet_is_space(c))
		return CLOSE_HTTP_FIELD_SPACE;	/* RFC 9112 5.1 */
	if (c != ':')
		return http_octet_is_tchar(c) ? CLOSE_NONE : CLOSE_HTTP_FIELD;
	if (len == 0)
		return CLOSE_HTTP_FIELD;
	if (len == 4 && strncasecmp((const char *)bytes + scan->part, "host",
	    4) == 0) {
		if (scan->host != 0)
			return CLOSE_HTTP_TWO_HOSTS;	/* RFC 9112 3.2 */
		scan->host = scan->scanned + 1;
	}
	scan->state = FIELD_VALUE;
	scan->part = scan->scanned + 1;
	return CLOSE_NONE;
}

static enum close_reason
on_field_line(struct peek_http *scan, const uint8_t *bytes)
{
	if (http_octet_is_space(bytes[scan->scanned]))	/* RFC 9112 2.2, 5.2 */
		return scan->state == FIRST_FIELD ? CLOSE_HTTP_FIELD_SPACE :
		    CLOSE_HTTP_OBS_FOLD;
	scan->state = FIELD_NAME;
	scan->part = scan->scanned;
	return on_field_name(scan, bytes);
}

/* An octet that is neither CR, LF nor, but for the first, a control. */
static enum close_reason
on_octet(struct peek_http *scan, const uint8_t *bytes)
{
	switch ((enum state)scan->state) {
	case LEADING:
		scan->state = METHOD;
		scan->part = scan->scanned;
		return http_octet_is_tchar(bytes[scan->scanned]) ? CLOSE_NONE :
		    CLOSE_HTTP_NOT_HTTP;
	case METHOD:
		return on_method(scan, bytes);
	case TARGET:
		return on_target(scan, bytes);
	case VERSION:
		return on_version(scan, bytes);
	case FIRST_FIELD:
	case FIELD:
		return on_field_line(scan, bytes);
	case FIELD_NAME:
		return on_field_name(scan, bytes);
	case FIELD_VALUE:
	case HEAD_END:
		break;
	}
	return CLOSE_NONE;
}

/* The Host line is whole; its CR is the octet before the one looked at. */
static enum close_reason
on_host(struct peek_http *scan, const uint8_t *bytes)
{
	uint32_t end = scan->scanned - 1;
	struct authority host, target;
	bool ok;

	while (end > scan->host && http_octet_is_space(bytes[end - 1]))
		end--;
	while (scan->host < end && http_octet_is_space(bytes[scan->host]))
		scan->host++;
	scan->host_len = end - scan->host;
	if (!authority_read(bytes + scan->host, scan->host_len,
	    scan->target_port, &host))
		return CLOSE_HTTP_BAD_HOST;
	if (scan->target_host == 0)
		return CLOSE_NONE;
	ok = authority_read(bytes + scan->target_host, scan->target_host_len,
	    scan->target_port, &target);
	assert(ok);
	return authority_equal(&host, &target) ? CLOSE_NONE :
	    CLOSE_HTTP_HOST_MISMATCH;
}

static enum close_reason
on_line_end(struct peek_http *scan, const uint8_t *bytes)
{
	switch ((enum state)scan->state) {
	case LEADING:	/* RFC 9112 2.2 */
		break;
	case METHOD:
	case TARGET:	/* HTTP/0.9 knows no version (RFC 1945 4.1) */
		return CLOSE_HTTP_REQUEST_LINE;
	case VERSION:
		if (scan->scanned - 1 - scan->part != VERSION_LEN)
			return CLOSE_HTTP_REQUEST_LINE;
		scan->state = FIRST_FIELD;
		break;
	case FIRST_FIELD:
	case FIELD:
		scan->state = HEAD_END;
		break;
	case FIELD_NAME:
		return CLOSE_HTTP_FIELD;
	case FIELD_VALUE:
		scan->state = FIELD;
		if (scan->host == scan->part)
			return on_host(scan, bytes);
		break;
	case HEAD_END:
		break;
	}
	return CLOSE_NONE;
}

static enum close_reason
take_octet(struct peek_http *scan, const uint8_t *bytes)
{
	uint8_t c = bytes[scan->scanned];

	if (scan->after_cr) {
		scan->after_cr = false;
		return c == '\n' ? on_line_end(scan, bytes) :
		    CLOSE_HTTP_BARE_CR;
	}
	if (c == '\r') {
		scan->after_cr = true;
		return CLOSE_NONE;
	}
	if (c == '\n')
		return CLOSE_HTTP_BARE_LF;
	if (http_octet_is_control(c) && scan->state != LEADING)
		return CLOSE_HTTP_NUL;
	return on_octet(scan, bytes);
}

static struct peek
undecided(const struct peek_http *scan)
{
	return (struct peek) {
		.verdict = PEEK_MORE,
		.head_method = scan->method == METHOD_HEAD
	};
}

static struct peek
refuse(struct peek_http *scan, enum close_reason reason)
{
	struct peek peek = undecided(scan);

	scan->refused = reason;
	peek.verdict = PEEK_REFUSE;
	peek.reason = reason;
	return peek;
}

/* The head is whole, and every line of it is well-formed. */
static struct peek
decide(struct peek_http *scan, const uint8_t *bytes)
{
	struct peek peek = undecided(scan);
	struct authority authority;
	bool ok;

	if (scan->host == 0 && scan->minor > 0)
		return refuse(scan, CLOSE_HTTP_NO_HOST);	/* 9112 3.2 */
	peek.verdict = PEEK_NAMELESS;
	peek.reason = CLOSE_HTTP_NO_HOST;
	if (scan->target_host != 0)	/* wins over Host: RFC 9112 3.2.2 */
		ok = authority_read(bytes + scan->target_host,
		    scan->target_host_len, 0, &authority);
	else if (scan->host != 0)
		ok = authority_read(bytes + scan->host, scan->host_len, 0,
		    &authority);
	else
		return peek;
	assert(ok);
	peek.reason = CLOSE_HTTP_HOST_ADDRESS;
	if (authority.is_address)
		return peek;
	peek.verdict = PEEK_NAME;
	peek.reason = CLOSE_NONE;
	peek.name_len = authority.name_len;
	memcpy(peek.name, authority.name, authority.name_len + 1);
	return peek;
}

struct peek
peek_http(struct peek_http *scan, const uint8_t *bytes, size_t len, size_t max)
{
	size_t end = len < max ? len : max;
	enum close_reason reason;

	if (scan->refused != CLOSE_NONE)
		return refuse(scan, scan->refused);
	while (scan->scanned < end && scan->state != HEAD_END) {
		reason = take_octet(scan, bytes);
		if (reason != CLOSE_NONE)
			return refuse(scan, reason);
		scan->scanned++;
	}
	if (scan->state == HEAD_END)
		return decide(scan, bytes);
	return len >= max ? refuse(scan, CLOSE_HTTP_HEAD_TOO_LONG) :
	    undecided(scan);
}
