/* SPDX-License-Identifier: ISC */
#include "proxyd/http_answer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/hostile.h"

#define NONE	HTTP_BODY_NONE
#define LENGTH	HTTP_BODY_LENGTH
#define CHUNKED	HTTP_BODY_CHUNKED
#define CLOSE	HTTP_BODY_UNTIL_CLOSE
#define OK	"HTTP/1.1 200 OK\r\n"

static const struct body_case {
	const char	*rfc;
	const char	*head;
	enum http_answer_body body;
	uint64_t	 length;
} body_cases[] = {
	{ "9112 6.3 item 8", OK "\r\n", CLOSE, 0 },
	{ "item 6", OK "Content-Length: 12\r\n\r\n", LENGTH, 12 },
	{ "OWS", OK "content-LENGTH:\t 12 \t\r\n\r\n", LENGTH, 12 },
	{ "no OWS", OK "Content-Length:12\r\n\r\n", LENGTH, 12 },
	{ "LF alone (2.2)", "HTTP/1.1 200 OK\nContent-Length: 12\n\n",
	    LENGTH, 12 },
	{ "HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
	    LENGTH, 0 },
	{ "2^62", OK "Content-Length: 4611686018427387904\r\n\r\n", LENGTH,
	    (uint64_t)1 << 62 },
	{ "2^62 + 1", OK "Content-Length: 4611686018427387905\r\n\r\n",
	    CLOSE, 0 },
	{ "2^62 * 10", OK "Content-Length: 46116860184273879040\r\n\r\n",
	    CLOSE, 0 },
	{ "2^64 + 5", OK "Content-Length: 18446744073709551621\r\n\r\n",
	    CLOSE, 0 },
	{ "item 5: equal values", OK "Content-Length: 12 ,12\r\nA: b\r\n"
	    "Content-Length: 12\r\n\r\n", LENGTH, 12 },
	{ "others", OK "Content-Length: 12\r\nContent-Length: 13\r\n\r\n",
	    CLOSE, 0 },
	{ "others in a list", OK "Content-Length: 12, 13, 12\r\n\r\n",
	    CLOSE, 0 },
	{ "an empty element", OK "Content-Length: 12,\r\n\r\n", CLOSE, 0 },
	{ "no value", OK "Content-Length:\r\n\r\n", CLOSE, 0 },
	{ "a sign", OK "Content-Length: -1\r\n\r\n", CLOSE, 0 },
	{ "two words", OK "Content-Length: 1 2\r\n\r\n", CLOSE, 0 },
	{ "hexadecimal", OK "Content-Length: 0x12\r\n\r\n", CLOSE, 0 },
	{ "a longer name", OK "Content-Lengthy: 1\r\n\r\n", CLOSE, 0 },
	{ "a shorter name", OK "Content-Lengt: 1\r\n\r\n", CLOSE, 0 },
	{ "a name before", OK "X-Content-Length: 1\r\n\r\n", CLOSE, 0 },
	{ "item 4", OK "Transfer-Encoding: chunked\r\n\r\n", CHUNKED, 0 },
	{ "7: any case", OK "transfer-ENCODING:CHUNKED\t\r\n\r\n",
	    CHUNKED, 0 },
	{ "chunked last", OK "Transfer-Encoding: gzip , chunked\r\n\r\n",
	    CHUNKED, 0 },
	{ "chunked in the last of two", OK "Transfer-Encoding: gzip;q=1\r\n"
	    "A: b\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNKED, 0 },
	{ "chunked not last", OK "Transfer-Encoding: chunked, gzip\r\n\r\n",
	    CLOSE, 0 },
	{ "chunked twice", OK "Transfer-Encoding: chunked,chunked\r\n\r\n",
	    CLOSE, 0 },
	{ "not last of two", OK "Transfer-Encoding: chunked\r\n"
	    "Transfer-Encoding: identity\r\n\r\n", CLOSE, 0 },
	{ "another coding", OK "Transfer-Encoding: gzip\r\n\r\n", CLOSE, 0 },
	{ "a longer word", OK "Transfer-Encoding: chunkedx\r\n\r\n",
	    CLOSE, 0 },
	{ "a shorter word", OK "Transfer-Encoding: chunke\r\n\r\n",
	    CLOSE, 0 },
	{ "two words", OK "Transfer-Encoding: chunk ed\r\n\r\n", CLOSE, 0 },
	{ "with Content-Length (6.3 item 3)", OK "Content-Length: 5\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n", CLOSE, 0 },
	{ "with Content-Length after", OK "Transfer-Encoding: chunked\r\n"
	    "Content-Length: 5\r\n\r\n", CLOSE, 0 },
	{ "in HTTP/1.0 (6.1)", "HTTP/1.0 200 OK\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n", CLOSE, 0 },
	{ "item 1: 1xx", "HTTP/1.1 103 x\r\nContent-Length: 5\r\n\r\n",
	    NONE, 0 },
	{ "item 1: 204", "HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n",
	    NONE, 0 },
	{ "item 1: 304", "HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n"
	    "\r\n", NONE, 0 },
	{ "304 with an odd length", "HTTP/1.1 304 x\r\nContent-Length: x\r\n"
	    "\r\n", NONE, 0 },
	{ "205 has a length", "HTTP/1.1 205 x\r\nContent-Length: 0\r\n\r\n",
	    LENGTH, 0 },
	{ "no reason phrase", "HTTP/1.1 404 \r\nContent-Length: 3\r\n\r\n",
	    LENGTH, 3 },
	{ "and no space", "HTTP/1.1 404\r\nContent-Length: 3\r\n\r\n",
	    LENGTH, 3 },
	{ "any text", "HTTP/1.1 999 \t\x80:x\r\nContent-Length: 3\r\n\r\n",
	    LENGTH, 3 },
	{ "a field of any octets", OK "A:\x01\xff:\r\nContent-Length: 3\r\n"
	    "\r\n", LENGTH, 3 },
	{ "5.2: a folded field", OK "A: b\r\n\tContent-Length: 4\r\n"
	    "Content-Length: 3\r\n\r\n", LENGTH, 3 }
};

static const struct {
	const char	*why, *head;
	size_t		 taken;		/* the wrong octet is the last */
} bad_cases[] = {
	{ "no HTTP", "ICY 200 OK\r\n\r\n", 1 },
	{ "lower case", "http/1.1 200 OK\r\n\r\n", 1 },
	{ "an empty line before", "\r\nHTTP/1.1 200 OK\r\n\r\n", 2 },
	{ "HTTP/2", "HTTP/2 200\r\n", 6 },
	{ "HTTP/1.x", "HTTP/1.x 200\r\n", 8 },
	{ "two spaces", "HTTP/1.1  200 OK\r\n", 10 },
	{ "no status", "HTTP/1.1 \r\n", 11 },
	{ "two digits", "HTTP/1.1 20 OK\r\n", 12 },
	{ "four digits", "HTTP/1.1 2000 OK\r\n", 13 },
	{ "class 0", "HTTP/1.1 099 OK\r\n", 10 },
	{ "bare CR in the reason", "HTTP/1.1 200 O\rK\r\n", 16 },
	{ "bare CR in a field", OK "A: b\rc\r\n", 23 },
	{ "CR CR LF", OK "A: b\r\r\n", 23 },
	{ "a line folded at once", OK " A: b\r\n\r\n", 18 },
	{ "a folded length", OK "Content-Length: 1\r\n 2\r\n\r\n", 37 },
	{ "a folded coding", OK "Transfer-Encoding:\r\n chunked\r\n\r\n", 38 },
	{ "no colon", OK "A\r\n\r\n", 20 },
	{ "no name", OK ": b\r\n\r\n", 18 },
	{ "space before the colon (5.1)", OK "Content-Length : 5\r\n\r\n", 32 }
};

/* Take it in pieces from exact-size copies; returns how much was taken. */
static size_t
take(struct http_answer *answer, const uint8_t *bytes, size_t len,
    size_t piece)
{
	size_t at = 0, now, taken;
	uint8_t *copy;

	*answer = (struct http_answer) { 0 };
	while (at < len && http_answer_end(answer) == HTTP_ANSWER_OPEN) {
		now = len - at < piece ? len - at : piece;
		copy = malloc(now);
		cr_assert(copy != NULL);
		memcpy(copy, bytes + at, now);
		taken = http_answer_take(answer, copy, now);
		free(copy);
		cr_assert(taken == now || (taken < now &&
		    http_answer_end(answer) != HTTP_ANSWER_OPEN));
		at += taken;
	}
	return at;
}

static void
check_pieces(const uint8_t *bytes, size_t len, void *arg)
{
	struct http_answer whole, answer;
	size_t taken = take(&whole, bytes, len, len + 1), piece;
	enum http_answer_end end = http_answer_end(&whole);

	(void)arg;
	for (piece = 1; piece < 4; piece++) {
		cr_assert_eq(take(&answer, bytes, len, piece), taken);
		cr_assert_eq(http_answer_end(&answer), end);
		if (end != HTTP_ANSWER_WHOLE)
			continue;
		cr_assert_eq(answer.status, whole.status);
		cr_assert_eq(answer.length, whole.length);
		cr_assert_eq(http_answer_body(&answer, false),
		    http_answer_body(&whole, false));
	}
}

Test(http_answer, tells_the_body_as_rfc_9112_6_3_says)
{
	struct http_answer answer;
	size_t i, len;
	char bytes[512];

	for (i = 0; i < sizeof(body_cases) / sizeof(body_cases[0]); i++) {
		const struct body_case *c = &body_cases[i];

		len = strlen(c->head);
		memcpy(bytes, c->head, len);
		memcpy(bytes + len, "\r\nrest", 6);	/* not taken */
		cr_expect_eq(take(&answer, (uint8_t *)bytes, len + 6, 1000),
		    len, "%s: length of the head", c->rfc);
		cr_assert_eq(http_answer_end(&answer), HTTP_ANSWER_WHOLE,
		    "%s", c->rfc);
		cr_expect_eq(http_answer_body(&answer, false), c->body,
		    "%s: body %d", c->rfc,
		    (int)http_answer_body(&answer, false));
		if (c->body == LENGTH)
			cr_expect_eq(answer.length, c->length, "%s", c->rfc);
		cr_expect_eq(http_answer_body(&answer, true), NONE,
		    "%s: to HEAD", c->rfc);
		cr_expect_eq(answer.status, atol(c->head + 9), "%s", c->rfc);
		check_pieces((uint8_t *)bytes, len + 6, NULL);
	}
}

Test(http_answer, takes_no_malformed_head)
{
	struct http_answer answer;
	size_t i, len, taken;

	for (i = 0; i < sizeof(bad_cases) / sizeof(bad_cases[0]); i++) {
		const uint8_t *head = (const uint8_t *)bad_cases[i].head;

		len = strlen(bad_cases[i].head);
		taken = take(&answer, head, len, 1000);
		cr_expect_eq(http_answer_end(&answer), HTTP_ANSWER_BAD, "%s",
		    bad_cases[i].why);
		cr_expect_eq(taken, bad_cases[i].taken, "%s: at %zu",
		    bad_cases[i].why, taken);
		check_pieces(head, len, NULL);
	}
}

#define GOOD \
	"HTTP/1.1 200 OK\r\nServer: x\r\nTransfer-Encoding: gzip, chunked\r\n" \
	"Transfer: y\r\nContent-Type: text/plain\r\n folded\r\n\r\n"

static void
expect_open(const uint8_t *bytes, size_t len, void *arg)
{
	struct http_answer answer;

	(void)arg;
	cr_expect_eq(take(&answer, bytes, len, 1000), len);
	cr_expect_eq(http_answer_end(&answer), len == sizeof(GOOD) - 1 ?
	    HTTP_ANSWER_WHOLE : HTTP_ANSWER_OPEN, "cut at %zu", len);
}

Test(http_answer, is_open_at_every_cut)
{
	hostile_cuts(GOOD, sizeof(GOOD) - 1, expect_open, NULL);
}

Test(http_answer, reads_every_bit_flip_alike_in_any_pieces)
{
	hostile_bit_flips(GOOD, sizeof(GOOD) - 1, check_pieces, NULL);
}

Test(http_answer, refuses_nul_anywhere)
{
	struct http_answer answer;
	uint8_t bytes[sizeof(GOOD)];
	size_t i;

	for (i = 0; i < sizeof(GOOD) - 1; i++) {
		memcpy(bytes, GOOD, sizeof(GOOD));
		bytes[i] = 0;
		cr_expect_eq(take(&answer, bytes, sizeof(GOOD) - 1, 1000),
		    i + 1);
		cr_expect_eq(http_answer_end(&answer), HTTP_ANSWER_BAD);
	}
}

Test(http_answer, bounds_the_head)
{
	enum { MAX = HTTP_ANSWER_HEAD_MAX };
	static uint8_t bytes[MAX + 8];
	struct http_answer answer;
	size_t extra;

	for (extra = 0; extra < 2; extra++) {
		memset(bytes, 'a', sizeof(bytes));
		memcpy(bytes, OK "a:", sizeof(OK) + 1);
		memcpy(bytes + MAX - 4 + extra, "\r\n\r\n", 4);
		cr_expect_eq(take(&answer, bytes, sizeof(bytes), 10000), MAX);
		cr_expect_eq(http_answer_end(&answer), extra == 0 ?
		    HTTP_ANSWER_WHOLE : HTTP_ANSWER_BAD);
	}
}
