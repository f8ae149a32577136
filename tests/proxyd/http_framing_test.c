/* SPDX-License-Identifier: ISC */
#include "proxyd/http_framing.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/http_chunked.h"
#include "proxyd/peek_http.h"
#include "tests/lib/hostile.h"

#define BAD	{ .bad = true }
#define CHUNKED	{ .chunked = true }

/* "POST / HTTP/1.1", Host and these fields. */
static const struct field_case {
	const char	*rfc;
	const char	*fields;
	struct http_framing expect;
} field_cases[] = {
	{ "9112 6.3 item 7: no body", "", { .length = 0 } },
	{ "6.2", "Content-Length: 5\r\n", { .length = 5 } },
	{ "OWS (9110 5.5)", "content-LENGTH:\t 5 \t\r\n", { .length = 5 } },
	{ "no OWS", "Content-Length:5\r\n", { .length = 5 } },
	{ "zero", "Content-Length: 0\r\n", { .length = 0 } },
	{ "leading zeros are 1*DIGIT", "Content-Length: 0010\r\n",
	    { .length = 10 } },
	{ "2^62", "Content-Length: 4611686018427387904\r\n",
	    { .length = HTTP_LENGTH_MAX } },
	{ "2^62 + 1", "Content-Length: 4611686018427387905\r\n", BAD },
	{ "2^62 * 10", "Content-Length: 46116860184273879040\r\n", BAD },
	{ "2^64 + 5", "Content-Length: 18446744073709551621\r\n", BAD },
	{ "far more", "Content-Length: 99999999999999999999999999999\r\n",
	    BAD },
	{ "empty", "Content-Length: \r\n", BAD },
	{ "plus", "Content-Length: +5\r\n", BAD },
	{ "minus", "Content-Length: -5\r\n", BAD },
	{ "hexadecimal", "Content-Length: 0x5\r\n", BAD },
	{ "fraction", "Content-Length: 5.0\r\n", BAD },
	{ "exponent", "Content-Length: 5e1\r\n", BAD },
	{ "two words", "Content-Length: 5 5\r\n", BAD },
	{ "quoted", "Content-Length: \"5\"\r\n", BAD },
	{ "a list of equal ones", "Content-Length: 5, 5\r\n", BAD },
	{ "a list of others", "Content-Length: 5, 6\r\n", BAD },
	{ "an empty element", "Content-Length: 5,\r\n", BAD },
	{ "two equal fields", "Content-Length: 5\r\ncontent-length: 5\r\n",
	    BAD },
	{ "two fields", "Content-Length: 5\r\nA: b\r\nContent-Length: 6\r\n",
	    BAD },
	{ "an empty one after", "Content-Length: 5\r\nContent-Length:\r\n",
	    BAD },
	{ "6.1", "Transfer-Encoding: chunked\r\n", CHUNKED },
	{ "7: any case", "TRANSFER-encoding:\tChunKED \r\n", CHUNKED },
	{ "TE is another field", "TE: trailers, chunked\r\n",
	    { .length = 0 } },
	{ "with Content-Length", "Transfer-Encoding: chunked\r\n"
	    "Content-Length: 5\r\n", BAD },
	{ "with Content-Length before",
	    "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", BAD },
	{ "two of them", "Transfer-Encoding: chunked\r\n"
	    "Transfer-Encoding: chunked\r\n", BAD },
	{ "one and an empty one", "Transfer-Encoding: chunked\r\n"
	    "Transfer-Encoding:\r\n", BAD },
	{ "identity and chunked", "Transfer-Encoding: identity\r\n"
	    "Transfer-Encoding: chunked\r\n", BAD },
	{ "chunked twice", "Transfer-Encoding: chunked, chunked\r\n", BAD },
	{ "chunked not last", "Transfer-Encoding: chunked, gzip\r\n", BAD },
	{ "another coding too", "Transfer-Encoding: gzip, chunked\r\n", BAD },
	{ "another coding", "Transfer-Encoding: gzip\r\n", BAD },
	{ "identity", "Transfer-Encoding: identity\r\n", BAD },
	{ "empty", "Transfer-Encoding:\r\n", BAD },
	{ "an empty element", "Transfer-Encoding: chunked,\r\n", BAD },
	{ "an empty element before", "Transfer-Encoding: ,chunked\r\n", BAD },
	{ "a parameter", "Transfer-Encoding: chunked;q=1\r\n", BAD },
	{ "quoted", "Transfer-Encoding: \"chunked\"\r\n", BAD },
	{ "a longer word", "Transfer-Encoding: chunkedx\r\n", BAD },
	{ "a longer word before", "Transfer-Encoding: xchunked\r\n", BAD },
	{ "a shorter word", "Transfer-Encoding: chunke\r\n", BAD },
	{ "a vertical look-alike", "Transfer-Encoding: chunked\xa0\r\n", BAD },
	{ "a longer name", "Content-Length-X: x\r\nX-Content-Length: x\r\n",
	    { .length = 0 } },
	{ "another name", "Transfer_Encoding: x\r\n", { .length = 0 } },
	{ "9110 7.8", "Connection: upgrade\r\nUpgrade: websocket\r\n",
	    { .upgrade = true } },
	{ "with a body", "upgrade: h2c\r\nContent-Length: 7\r\n",
	    { .upgrade = true, .length = 7 } },
	{ "Upgrade in a value", "Connection: Upgrade: websocket\r\n",
	    { .upgrade = false } },
	{ "a name in a value", "A: Content-Length: 5\r\n", { .length = 0 } }
};

static void
expect(const struct http_framing *got, const struct http_framing *want,
    const char *what)
{
	cr_expect_eq(got->bad, want->bad, "%s: bad", what);
	if (got->bad || want->bad)
		return;
	cr_expect_eq(got->chunked, want->chunked, "%s: chunked", what);
	cr_expect_eq(got->head_method, want->head_method, "%s: HEAD", what);
	cr_expect_eq(got->upgrade, want->upgrade, "%s: upgrade", what);
	cr_expect_eq(got->length, want->length, "%s: length %llu", what,
	    (unsigned long long)got->length);
}

/* Of a head that peek_http must like, in an exact-size copy. */
static struct http_framing
framing_of(const char *head)
{
	size_t len = strlen(head);
	uint8_t *copy = malloc(len);
	struct peek_http scan = { 0 };
	struct http_framing framing;

	cr_assert(copy != NULL);
	memcpy(copy, head, len);
	cr_assert_eq(peek_http(&scan, copy, len, 4096).verdict, PEEK_NAME,
	    "%s", head);
	cr_assert_eq(scan.scanned, len);
	framing = http_framing_read(copy, len);
	free(copy);
	return framing;
}

Test(http_framing, reads_fields_as_rfc_9112_6_says_and_no_others)
{
	struct http_framing framing;
	char head[512];
	size_t i;

	for (i = 0; i < sizeof(field_cases) / sizeof(field_cases[0]); i++) {
		const struct field_case *c = &field_cases[i];

		snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: a\r\n"
		    "%s\r\n", c->fields);
		framing = framing_of(head);
		expect(&framing, &c->expect, c->fields);
		snprintf(head, sizeof(head), "\r\n\r\nPOST / HTTP/1.1\r\n"
		    "%sHost: a\r\nX:\r\n\r\n", c->fields);
		framing = framing_of(head);
		expect(&framing, &c->expect, c->fields);
	}
}

Test(http_framing, knows_method_and_version)
{
	static const struct {
		const char	*head;
		struct http_framing expect;
	} cases[] = {
		{ "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
		    { .head_method = true } },
		{ "\r\nHEAD / HTTP/1.0\r\nHost: a\r\nContent-Length: 1\r\n"
		    "\r\n", { .head_method = true, .length = 1 } },
		{ "HEADER / HTTP/1.1\r\nHost: a\r\n\r\n",
		    { .length = 0 } },
		{ "head / HTTP/1.1\r\nHost: a\r\n\r\n",	/* 9110 9.1 */
		    { .length = 0 } },
		{ "GET / HTTP/1.0\r\nHost: a\r\nUpgrade: x\r\n\r\n",
		    { .upgrade = false } },	/* 9110 7.8 */
		{ "GET / HTTP/1.0\r\nHost: a\r\n"	/* 9112 6.1 */
		    "Transfer-Encoding: chunked\r\n\r\n", BAD },
		{ "GET / HTTP/1.2\r\nHost: a\r\n"	/* 9110 2.5 */
		    "Transfer-Encoding: chunked\r\n\r\n", CHUNKED },
		{ "HEAD / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n"
		    "Content-Length: x\r\n\r\n",
		    { .bad = true, .head_method = true } }
	};
	struct http_framing framing;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		framing = framing_of(cases[i].head);
		expect(&framing, &cases[i].expect, cases[i].head);
		cr_expect_eq(framing.head_method, cases[i].expect.head_method,
		    "%s: a refusal has no body either", cases[i].head);
	}
}

/* Whatever peek_http lets through can be read, and says nothing new. */
static void
read_if_good(const uint8_t *bytes, size_t len, void *arg)
{
	struct peek_http scan = { 0 };
	struct peek peek = peek_http(&scan, bytes, len, 4096);
	unsigned *n_framed = arg;
	struct http_framing framing;

	if (peek.verdict != PEEK_NAME && peek.verdict != PEEK_NAMELESS)
		return;
	framing = http_framing_read(bytes, scan.scanned);
	cr_assert(framing.bad || framing.length == 0 || !framing.chunked);
	*n_framed += !framing.bad;
}

Test(http_framing, survives_every_bit_flip)
{
	static const char *const heads[] = {
		"\r\nHEAD /x HTTP/1.1\r\nHost: a.example\r\n"
		    "Upgrade: websocket\r\nContent-Length: 12\r\n\r\n",
		"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
		    "Host: a.example\r\n\r\n"
	};
	unsigned n_framed = 0;
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		hostile_bit_flips(heads[i], strlen(heads[i]), read_if_good,
		    &n_framed);
	cr_expect_gt(n_framed, 100);
}
