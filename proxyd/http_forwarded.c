/* SPDX-License-Identifier: ISC */
#include "proxyd/http_forwarded.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "proxyd/http_octet.h"

/* A piece of the head, or what is yet to be read of one. */
struct span {
	const uint8_t	*at, *end;	/* borrowed from the head */
};

/* What is never passed on, folded. */
static const char *const ours[] = {
	"forwarded",
	"x-forwarded-for",
	"x-forwarded-host",
	"x-forwarded-port",
	"x-forwarded-proto",
	"x-real-ip"
};

/* An octet of a name as every server that looks for the name may see it. */
static char
folded(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return (char)c;
	return '-';
}

static bool
name_is(struct span name, const char *text)
{
	while (name.at < name.end && *text == folded(*name.at)) {
		name.at++;
		text++;
	}
	return name.at == name.end && *text == '\0';
}

static bool
is_ours(struct span name)
{
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (name_is(name, ours[i]))
			return true;
	return false;
}

/* Take the next line and its CRLF; false if it is empty. */
static bool
line_take(struct span *rest, struct span *line)
{
	const uint8_t *lf = memchr(rest->at, '\n',
	    (size_t)(rest->end - rest->at));

	assert(lf != NULL);
	*line = (struct span) { rest->at, lf + 1 };
	rest->at = lf + 1;
	return line->end - line->at > 2;
}

/*
 * Take the next token, whatever stands around it: servers do not agree on
 * what else than a comma ends one.
 */
static bool
token_take(struct span *rest, struct span *token)
{
	while (rest->at < rest->end && !http_octet_is_tchar(*rest->at))
		rest->at++;
	token->at = rest->at;
	while (rest->at < rest->end && http_octet_is_tchar(*rest->at))
		rest->at++;
	token->end = rest->at;
	return token->at < token->end;
}

static bool
lists_ours(struct span value)
{
	struct span token;

	while (token_take(&value, &token))
		if (is_ours(token))
			return true;
	return false;
}

/* Each writer returns where the next one writes. */
static uint8_t *
put(uint8_t *at, struct span span)
{
	size_t len = (size_t)(span.end - span.at);

	memcpy(at, span.at, len);
	return at + len;
}

/*
 * The tokens that are not ours.  With a comma alone between them the field
 * cannot grow.
 */
static uint8_t *
put_connection(uint8_t *at, struct span name, struct span value)
{
	uint8_t *begin = at, separator = ' ';
	struct span token;

	at = put(at, name);
	*at++ = ':';
	while (token_take(&value, &token)) {
		if (is_ours(token))
			continue;
		*at++ = separator;
		separator = ',';
		at = put(at, token);
	}
	if (separator == ' ')
		return begin;	/* none: no field */
	*at++ = '\r';
	*at++ = '\n';
	return at;
}

/* What may be passed on of one of the client's field lines. */
static uint8_t *
put_field(uint8_t *at, struct span line)
{
	const uint8_t *colon = memchr(line.at, ':',
	    (size_t)(line.end - line.at));
	struct span name = { line.at, colon };
	struct span value;

	assert(colon != NULL);
	value = (struct span) { colon + 1, line.end };
	if (is_ours(name))
		return at;
	if (name_is(name, "connection") && lists_ours(value))
		return put_connection(at, name, value);
	return put(at, line);
}

static uint8_t *
put_ours(uint8_t *at, const struct addr *client, const char *host)
{
	char text[HTTP_FORWARDED_ADDS_MAX + 1], address[ADDR_TEXT_MAX];
	bool v4 = addr_is_v4(client), named = host[0] != '\0';
	int len;

	addr_format(client, address);
	len = snprintf(text, sizeof(text),
	    "X-Forwarded-For: %s\r\n"
	    "X-Forwarded-Proto: http\r\n"
	    "%s%s%s"
	    "Forwarded: for=%s%s%s%s%s;proto=http\r\n",
	    address,
	    named ? "X-Forwarded-Host: " : "", host, named ? "\r\n" : "",
	    v4 ? "" : "\"[", address, v4 ? "" : "]\"",	/* RFC 7239 6 */
	    named ? ";host=" : "", host);
	assert(len > 0 && (size_t)len < sizeof(text));
	memcpy(at, text, (size_t)len);
	return at + len;
}

size_t
http_forwarded_rewrite(const uint8_t *head, size_t len,
    const struct endpoint *client, const char *host, uint8_t *out)
{
	struct span rest = { head, head + len }, line;
	uint8_t *at = out;

	while (!line_take(&rest, &line))
		at = put(at, line);	/* RFC 9112 2.2 */
	at = put(at, line);		/* the request line */
	while (line_take(&rest, &line))
		at = put_field(at, line);
	assert(rest.at == rest.end);
	at = put_ours(at, &client->addr, host);
	at = put(at, line);		/* the final empty one */
	return (size_t)(at - out);
}
