/* SPDX-License-Identifier: ISC */
/*
 * Any request head that peek_http accepts, told of its client.  What must
 * hold:
 *  - it is read as before: same host, same body framing, and it ends where
 *    the rewriting says;
 *  - line by line it is what a model makes of it: forged fields are missing,
 *    a Connection field that lists one is without it, the others stay;
 *  - ours come last, once each;
 *  - rewriting it again changes nothing, and with another client leaves
 *    nothing of the first.
 */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proxyd/http_forwarded.h"
#include "proxyd/http_framing.h"
#include "proxyd/peek_http.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { MAX = 4096 };

static const struct endpoint clients[] = {
	{ .addr = { { [10] = 0xff, [11] = 0xff, 192, 0, 2, 43 } } },
	{ .addr = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } } }
};

struct head {
	uint8_t	*bytes;		/* owned */
	size_t	 len;
};

static struct head
rewrite(const uint8_t *bytes, size_t len, const struct endpoint *client,
    const char *host)
{
	struct head head = { .bytes = malloc(len + HTTP_FORWARDED_ADDS_MAX) };

	assert(head.bytes != NULL);
	head.len = http_forwarded_rewrite(bytes, len, client, host,
	    head.bytes);
	assert(head.len <= len + HTTP_FORWARDED_ADDS_MAX);
	return head;
}

static void
assert_equal(const struct head *a, const struct head *b)
{
	assert(a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0);
}

/* '?' stands for any octet but a letter or digit. */
static bool
name_is(const char *at, size_t len, const char *name)
{
	size_t i;

	for (i = 0; i < len && name[i] != '\0'; i++)
		if (name[i] == '?' ? isalnum((unsigned char)at[i]) != 0 :
		    strncasecmp(at + i, name + i, 1) != 0)
			return false;
	return i == len && name[i] == '\0';
}

static bool
is_ours(const char *at, size_t len)
{
	return name_is(at, len, "forwarded") ||
	    name_is(at, len, "x?forwarded?for") ||
	    name_is(at, len, "x?forwarded?host") ||
	    name_is(at, len, "x?forwarded?port") ||
	    name_is(at, len, "x?forwarded?proto") ||
	    name_is(at, len, "x?real?ip");
}

/* The length of the line, CRLF included. */
static size_t
line_len(const char *at, const char *end)
{
	const char *lf = memchr(at, '\n', (size_t)(end - at));

	assert(lf != NULL);
	return (size_t)(lf - at) + 1;
}

/* What is left of a Connection field's value; false: it is not to change. */
static bool
model_connection(const char *value, size_t len, char out[MAX + 2])
{
	char others[256], copy[MAX + 1], *rest = NULL, *token;
	size_t n = 0;
	bool changed = false;
	int c;

	for (c = 1; c < 256; c++)	/* what no token has */
		if (c >= 128 || (!isalnum(c) &&
		    strchr("!#$%&'*+-.^_`|~", c) == NULL))
			others[n++] = (char)c;
	others[n] = '\0';
	memcpy(copy, value, len);
	copy[len] = '\0';
	for (n = 0, token = strtok_r(copy, others, &rest); token != NULL;
	    token = strtok_r(NULL, others, &rest)) {
		if (is_ours(token, strlen(token)))
			changed = true;
		else {
			out[n] = n == 0 ? ' ' : ',';
			memcpy(out + n + 1, token, strlen(token));
			n += strlen(token) + 1;
		}
	}
	out[n] = '\0';
	return changed;
}

/* Compare what became of a field line at `at`; returns its length there. */
static size_t
check_field(const char *line, size_t len, const char *at, size_t left)
{
	char value[MAX + 2];
	const char *colon = memchr(line, ':', len);
	size_t name_len;

	assert(colon != NULL);
	name_len = (size_t)(colon - line);
	if (is_ours(line, name_len))
		return 0;
	if (!name_is(line, name_len, "connection") ||
	    !model_connection(colon + 1, len - name_len - 1, value)) {
		assert(len <= left && memcmp(at, line, len) == 0);
		return len;
	}
	if (value[0] == '\0')
		return 0;
	len = name_len + 1 + strlen(value) + 2;
	assert(len <= left && memcmp(at, line, name_len + 1) == 0);
	assert(memcmp(at + name_len + 1, value, strlen(value)) == 0);
	assert(memcmp(at + len - 2, "\r\n", 2) == 0);
	return len;
}

/* Our fields stand at `at` and nothing but the empty line after them. */
static void
check_tail(const char *at, const char *end, bool named)
{
	static const char *const names[] = { "X-Forwarded-For: ",
		"X-Forwarded-Proto: ", "X-Forwarded-Host: ", "Forwarded: " };
	size_t i, len;

	for (i = 0; i < 4; i++) {
		if (i == 2 && !named)
			continue;
		len = line_len(at, end);
		assert(len > strlen(names[i]) &&
		    memcmp(at, names[i], strlen(names[i])) == 0);
		at += len;
	}
	assert(end - at == 2 && memcmp(at, "\r\n", 2) == 0);
}

/* Walk the lines of both heads side by side. */
static void
check_lines(const uint8_t *head, size_t len, const struct head *out,
    bool named)
{
	const char *in = (const char *)head, *in_end = in + len;
	const char *at = (const char *)out->bytes, *end = at + out->len;
	bool fields = false;	/* after the request line */
	size_t n;

	for (;; in += n) {
		n = line_len(in, in_end);
		if (fields && n == 2)
			break;
		if (fields) {
			at += check_field(in, n, at, (size_t)(end - at));
			continue;
		}
		assert(n <= (size_t)(end - at) && memcmp(in, at, n) == 0);
		at += n;
		fields = n > 2;
	}
	check_tail(at, end, named);
}

static void
check_client(const uint8_t *head, size_t len, const struct peek *peek,
    const struct endpoint *client, const struct endpoint *other)
{
	struct head out = rewrite(head, len, client, peek->name);
	struct head again = rewrite(out.bytes, out.len, client, peek->name);
	struct head from_out = rewrite(out.bytes, out.len, other, peek->name);
	struct head from_head = rewrite(head, len, other, peek->name);
	struct http_framing a = http_framing_read(head, len);
	struct http_framing b = http_framing_read(out.bytes, out.len);
	struct peek_http scan = { 0 };
	struct peek after = peek_http(&scan, out.bytes, out.len, out.len);

	assert(after.verdict == peek->verdict &&
	    after.reason == peek->reason &&
	    after.head_method == peek->head_method &&
	    strcmp(after.name, peek->name) == 0 && scan.scanned == out.len);
	assert(a.bad == b.bad && a.chunked == b.chunked &&
	    a.head_method == b.head_method && a.upgrade == b.upgrade &&
	    a.length == b.length);
	assert_equal(&again, &out);
	assert_equal(&from_out, &from_head);
	check_lines(head, len, &out, peek->verdict == PEEK_NAME);
	free(from_head.bytes);
	free(from_out.bytes);
	free(again.bytes);
	free(out.bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct peek_http scan = { 0 };
	struct peek peek = peek_http(&scan, data, len, MAX);
	uint8_t *head;

	if (peek.verdict != PEEK_NAME && peek.verdict != PEEK_NAMELESS)
		return 0;
	head = malloc(scan.scanned);
	assert(head != NULL);
	memcpy(head, data, scan.scanned);
	check_client(head, scan.scanned, &peek, &clients[0], &clients[1]);
	check_client(head, scan.scanned, &peek, &clients[1], &clients[0]);
	free(head);
	return 0;
}
