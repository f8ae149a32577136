/* SPDX-License-Identifier: ISC */
#include "proxyd/http_framing.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "proxyd/http_chunked.h"
#include "proxyd/http_octet.h"

/* The parts of a head that are yet to be read. */
struct rest {
	const uint8_t	*at, *end;	/* borrowed from the head */
};

/* A piece of the head, and how often it was there. */
struct value {
	const uint8_t	*at;		/* borrowed from the head */
	size_t		 len;
	unsigned	 count;		/* of fields; the last one is kept */
};

/* Take the next line, without its CRLF; false at the final empty one. */
static bool
line_take(struct rest *rest, struct value *line)
{
	const uint8_t *lf = memchr(rest->at, '\n',
	    (size_t)(rest->end - rest->at));

	assert(lf != NULL && lf > rest->at);
	line->at = rest->at;
	line->len = (size_t)(lf - rest->at) - 1;
	rest->at = lf + 1;
	return line->len > 0;
}

/* RFC 9110 5.5: without the white space around it. */
static struct value
value_trimmed(const uint8_t *at, const uint8_t *end)
{
	while (at < end && http_octet_is_space(*at))
		at++;
	while (at < end && http_octet_is_space(end[-1]))
		end--;
	return (struct value) { .at = at, .len = (size_t)(end - at) };
}

/* Keep the line's value if it is the field of that name. */
static void
field_read(const struct value *line, const char *name, struct value *field)
{
	unsigned count = field->count + 1;
	size_t len = strlen(name);

	if (line->len <= len || line->at[len] != ':' ||
	    strncasecmp((const char *)line->at, name, len) != 0)
		return;
	*field = value_trimmed(line->at + len + 1, line->at + line->len);
	field->count = count;
}

/* RFC 9112 6.2: 1*DIGIT. */
static bool
length_read(const struct value *value, uint64_t *ret)
{
	uint64_t length = 0;
	size_t i;

	for (i = 0; i < value->len; i++) {
		if (value->at[i] < '0' || value->at[i] > '9')
			return false;
		if (length > HTTP_LENGTH_MAX / 10)
			return false;
		length = length * 10 + (uint64_t)(value->at[i] - '0');
	}
	*ret = length;
	return value->len > 0 && length <= HTTP_LENGTH_MAX;
}

/* RFC 9112 7: codings are case-insensitive. */
static bool
is_chunked(const struct value *coding)
{
	return coding->count == 1 && coding->len == 7 &&
	    strncasecmp((const char *)coding->at, "chunked", 7) == 0;
}

struct http_framing
http_framing_read(const uint8_t *head, size_t len)
{
	struct value first, line, length = { 0 }, coding = { 0 };
	struct value upgrade = { 0 };
	struct http_framing framing = { 0 };
	struct rest rest = { head, head + len };
	bool http_1_0;

	while (!line_take(&rest, &first))
		continue;	/* leading empty lines: RFC 9112 2.2 */
	while (line_take(&rest, &line)) {
		field_read(&line, "content-length", &length);
		field_read(&line, "transfer-encoding", &coding);
		field_read(&line, "upgrade", &upgrade);
	}
	http_1_0 = first.at[first.len - 1] == '0';
	framing.head_method = memcmp(first.at, "HEAD ", 5) == 0;
	framing.upgrade = upgrade.count > 0 && !http_1_0;
	framing.chunked = coding.count > 0;
	if (framing.chunked)	/* RFC 9112 6.1 */
		framing.bad = http_1_0 || length.count > 0 ||
		    !is_chunked(&coding);
	else if (length.count > 0)	/* RFC 9112 6.3, item 5 */
		framing.bad = length.count > 1 ||
		    !length_read(&length, &framing.length);
	return framing;
}
