/* SPDX-License-Identifier: ISC */
/*
 * Any octets as an HTTP request head.  What must hold of each:
 *  - the verdict does not depend on how the octets are cut, and stays;
 *  - a name is a normalised name, and a verdict other than a refusal means
 *    a whole head of CRLF lines, with no more than one Host;
 *  - a head is too long exactly if it does not end within the limit;
 *  - the refusal of it can be written.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proxyd/peek_http.h"
#include "proxyd/refusal.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { MAX = 4096 };

static void
assert_equal(const struct peek *a, const struct peek *b)
{
	assert(a->verdict == b->verdict && a->reason == b->reason);
	assert(a->head_method == b->head_method && a->alert == b->alert);
	assert(a->name_len == b->name_len && strcmp(a->name, b->name) == 0);
}

static void
check_segments(const uint8_t *bytes, size_t len, size_t step,
    const struct peek *at_once)
{
	struct peek_http scan = { 0 };
	struct peek peek = { .verdict = PEEK_MORE };
	size_t n = 0;

	while (n < len) {
		n = len - n > step ? n + step : len;
		peek = peek_http(&scan, bytes, n, MAX);
		if (peek.verdict != PEEK_MORE)
			assert_equal(&peek, at_once);
	}
	if (len > 0)
		assert_equal(&peek, at_once);
}

/* A reader of its own: lines split at CRLF, and what they begin with. */
static void
check_head(const uint8_t *bytes, size_t len, const struct peek *peek)
{
	const uint8_t *at = bytes, *end = bytes + len, *cr;
	unsigned hosts = 0, lines = 0;

	assert(len >= 4 && memcmp(end - 4, "\r\n\r\n", 4) == 0);
	while (at < end) {
		cr = memchr(at, '\r', (size_t)(end - at));
		assert(cr != NULL && cr + 1 < end && cr[1] == '\n');
		assert(memchr(at, '\n', (size_t)(cr - at)) == NULL);
		assert(memchr(at, '\0', (size_t)(cr - at)) == NULL);
		if (cr > at)
			lines++;
		else if (lines > 0)
			assert(cr + 2 == end);
		if (lines > 1 && cr > at)
			assert(*at != ' ' && *at != '\t' && *at != ':');
		if (lines > 1 && cr - at >= 5 &&
		    strncasecmp((const char *)at, "host:", 5) == 0)
			hosts++;
		at = cr + 2;
	}
	assert(lines > 0 && hosts <= 1);
	if (hosts == 0)	/* only HTTP/1.0 may, or an absolute-form target */
		assert(memmem(bytes, len, " HTTP/1.0\r\n", 11) != NULL);
	if (peek->reason == CLOSE_HTTP_NO_HOST)
		assert(hosts == 0);
}

static void
check_name(const struct peek *peek)
{
	char again[HOSTNAME_MAX + 1];
	size_t len;

	assert(peek->reason == CLOSE_NONE);
	assert(peek->name_len == strlen(peek->name) && peek->name_len > 0);
	assert(hostname_normalise((const uint8_t *)peek->name, peek->name_len,
	    again, &len) == HOSTNAME_OK);
	assert(strcmp(again, peek->name) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct peek_http scan = { 0 }, again = { 0 };
	uint8_t *bytes = malloc(len > 0 ? len : 1);
	char out[REFUSAL_MAX];
	struct peek peek, shorter;

	assert(bytes != NULL);
	memcpy(bytes, data, len);
	peek = peek_http(&scan, bytes, len, MAX);
	check_segments(bytes, len, 1, &peek);
	check_segments(bytes, len, 7, &peek);
	assert(scan.scanned <= len && scan.scanned <= MAX);
	if (peek.verdict == PEEK_MORE)
		assert(scan.scanned == len && len < MAX);
	if (peek.verdict == PEEK_REFUSE || peek.verdict == PEEK_NAMELESS)
		assert(refusal_http(peek.reason, "", peek.head_method, out) >
		    0);
	if (peek.verdict == PEEK_NAME)
		check_name(&peek);
	if (peek.verdict == PEEK_NAME || peek.verdict == PEEK_NAMELESS) {
		check_head(bytes, scan.scanned, &peek);
		shorter = peek_http(&again, bytes, len, scan.scanned - 1);
		assert(shorter.verdict == PEEK_REFUSE &&
		    shorter.reason == CLOSE_HTTP_HEAD_TOO_LONG);
	}
	free(bytes);
	return 0;
}
