/* SPDX-License-Identifier: ISC */
#include "proxyd/http_chunked.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/lib/hostile.h"

#define OPEN	HTTP_CHUNKED_OPEN
#define WHOLE	HTTP_CHUNKED_WHOLE
#define BAD	HTTP_CHUNKED_BAD
#define HEX_2_62 "4000000000000000"

/* A good body; "rest" follows it and is not part of it. */
#define GOOD \
	"5\r\nhello\r\n" \
	"00A ; a ;b=c;d=\"x;\\\"y\" ;e = f\r\n0123\r\n\r\n89\r\n" \
	"1;x\r\n\n\r\n" \
	"0;last=\"\"\r\nSum: 12\r\nEmpty:\r\n\r\n"

static const struct chunked_case {
	const char	*rfc;
	const char	*bytes;
	enum http_chunked_end end;
	size_t		 taken;		/* 0 if all of it */
} cases[] = {
	{ "9112 7.1: the last chunk alone", "0\r\n\r\n", WHOLE, 0 },
	{ "7.1: last-chunk = 1*(\"0\")", "0000\r\n\r\n", WHOLE, 0 },
	{ "what follows is not taken", "0\r\n\r\nGET", WHOLE, 5 },
	{ "a good one of all kinds", GOOD "rest", WHOLE, sizeof(GOOD) - 1 },
	{ "sizes in either case", "aB\r\n", OPEN, 0 },
	{ "sixteen digits", "0000000000000001\r\nx\r\n0\r\n\r\n", WHOLE, 0 },
	{ "seventeen digits", "00000000000000001\r\nx", BAD, 16 },
	{ "the largest size", HEX_2_62 "\r\nx", OPEN, 0 },
	{ "one more", "4000000000000001\r\n", BAD, 15 },
	{ "far more", "8000000000000000\r\n", BAD, 15 },
	{ "what wraps to 1 in 64 bits", "10000000000000001\r\n", BAD, 16 },
	{ "no size", "\r\n", BAD, 0 },
	{ "no size but an extension", ";a\r\n", BAD, 0 },
	{ "a plus sign", "+5\r\nhello\r\n", BAD, 0 },
	{ "a minus sign", "-5\r\nhello\r\n", BAD, 0 },
	{ "0x", "0x5\r\nhello\r\n", BAD, 1 },
	{ "an underscore", "1_0\r\n", BAD, 1 },
	{ "not hexadecimal", "g\r\n", BAD, 0 },
	{ "white space before", " 5\r\nhello\r\n", BAD, 0 },
	{ "white space after, but no extension", "5 \r\nhello", BAD, 2 },
	{ "white space within", "5 5\r\nhello", BAD, 2 },
	{ "HTAB is BWS too (7.1.1)", "1\t;\ta\t=\tb\r\nx\r\n", OPEN, 0 },
	{ "bare LF after the size (2.2)", "5\nhello\r\n", BAD, 1 },
	{ "bare CR after the size", "5\rhello\r\n", BAD, 2 },
	{ "CR CR LF", "5\r\r\nhello\r\n", BAD, 2 },
	{ "bare LF in an extension", "5;a\nhello\r\n", BAD, 3 },
	{ "bare CR in an extension", "5;a\rb\r\nhello", BAD, 4 },
	{ "NUL after the size", "5", OPEN, 0 },
	{ "no name of an extension", "5;\r\nhello", BAD, 2 },
	{ "no name twice", "5;;a\r\n", BAD, 2 },
	{ "no name but a value", "5;=a\r\n", BAD, 2 },
	{ "no value after =", "5;a=\r\n", BAD, 4 },
	{ "two values", "5;a=b=c\r\n", BAD, 5 },
	{ "white space after a name", "5;a \r\n", BAD, 4 },
	{ "white space after a value", "5;a=b \r\n", BAD, 6 },
	{ "white space between words", "5;a b\r\n", BAD, 4 },
	{ "a quoted name", "5;\"a\"\r\n", BAD, 2 },
	{ "a quote that does not end", "5;a=\"\r\nhello\"\r\n", BAD, 5 },
	{ "an escaped CR", "5;a=\"\\\r\nhello\"\r\n", BAD, 6 },
	{ "a word after a quoted-string", "5;a=\"b\"c\r\n", BAD, 7 },
	{ "data too short", "5\r\nhell\r\n0\r\n\r\n", BAD, 8 },
	{ "data too long", "5\r\nhello!\r\n", BAD, 8 },
	{ "data ends with LF", "5\r\nhello\n0\r\n\r\n", BAD, 8 },
	{ "data ends with CR", "5\r\nhello\r0\r\n", BAD, 9 },
	{ "7.1.2: trailers", "0\r\na: b\r\nc:d\r\n\r\n", WHOLE, 0 },
	{ "a trailer without a name", "0\r\n: b\r\n\r\n", BAD, 3 },
	{ "a trailer without a colon", "0\r\na\r\n\r\n", BAD, 4 },
	{ "space before the colon (5.1)", "0\r\na : b\r\n\r\n", BAD, 4 },
	{ "a folded trailer (5.2)", "0\r\na: b\r\n c\r\n\r\n", BAD, 9 },
	{ "LF ends a trailer", "0\r\na: b\n\r\n", BAD, 7 },
	{ "LF ends the body", "0\r\n\n", BAD, 3 },
	{ "CR ends the body", "0\r\n\rX", BAD, 4 },
	{ "a control octet in a trailer", "0\r\na: \x01\r\n\r\n", BAD, 6 },
	{ "HTAB and obs-text in one", "0\r\na:\t\xff\r\n\r\n", WHOLE, 0 }
};

/* Take it in pieces; the result must not depend on how long they are. */
static size_t
take(struct http_chunked *body, const uint8_t *bytes, size_t len, size_t piece)
{
	size_t at = 0, now, taken;

	*body = (struct http_chunked) { 0 };
	while (at < len) {
		now = len - at < piece ? len - at : piece;
		taken = http_chunked_take(body, bytes + at, now);
		cr_assert_leq(taken, now);
		cr_assert(taken == now || http_chunked_end(body) != OPEN);
		at += taken;
		if (taken < now)
			break;
	}
	return at;
}

static void
check_pieces(const uint8_t *bytes, size_t len, void *arg)
{
	struct http_chunked whole, body;
	size_t taken = take(&whole, bytes, len, len + 1), piece;

	(void)arg;
	for (piece = 1; piece < 4; piece++) {
		cr_assert_eq(take(&body, bytes, len, piece), taken);
		cr_assert_eq(http_chunked_end(&body),
		    http_chunked_end(&whole));
		cr_assert_eq(http_chunked_data(&body),
		    http_chunked_data(&whole));
	}
}

Test(http_chunked, follows_the_grammar_and_nothing_else)
{
	struct http_chunked body;
	size_t i, len, taken;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct chunked_case *c = &cases[i];
		const uint8_t *bytes = (const uint8_t *)c->bytes;

		len = strlen(c->bytes);
		taken = take(&body, bytes, len, len + 1);
		cr_expect_eq(http_chunked_end(&body), c->end, "%s: end %d",
		    c->rfc, (int)http_chunked_end(&body));
		cr_expect_eq(taken, c->taken > 0 || c->end == BAD ? c->taken :
		    len, "%s: %zu taken", c->rfc, taken);
		check_pieces(bytes, len, NULL);
	}
}

Test(http_chunked, takes_no_nul_outside_of_data)
{
	static const char good[] = "1;a=\"b\"\r\nx\r\n0\r\na: b\r\n\r\n";
	struct http_chunked body;
	char bytes[sizeof(good)];
	size_t i;

	for (i = 0; i < sizeof(good) - 1; i++) {
		memcpy(bytes, good, sizeof(good));
		bytes[i] = '\0';
		take(&body, (uint8_t *)bytes, sizeof(good) - 1, 1000);
		cr_expect_eq(http_chunked_end(&body),
		    good[i] == 'x' ? WHOLE : BAD, "at %zu", i);
	}
}

static void
expect_open(const uint8_t *bytes, size_t len, void *arg)
{
	const size_t *whole = arg;
	struct http_chunked body;

	cr_expect_eq(take(&body, bytes, len, len + 1), len);
	cr_expect_eq(http_chunked_end(&body), len < *whole ? OPEN : WHOLE,
	    "cut at %zu", len);
	check_pieces(bytes, len, NULL);
}

Test(http_chunked, is_open_at_every_cut)
{
	size_t len = sizeof(GOOD) - 1;

	hostile_cuts(GOOD, len, expect_open, &len);
}

Test(http_chunked, reads_every_bit_flip_alike_in_any_pieces)
{
	hostile_bit_flips(GOOD, sizeof(GOOD) - 1, check_pieces, NULL);
}

/* prefix, n times 'a', suffix */
static enum http_chunked_end
end_of_long(const char *prefix, size_t n, const char *suffix)
{
	static char bytes[3 * HTTP_CHUNK_LINES_MAX];
	struct http_chunked body;
	size_t len = strlen(prefix);

	memcpy(bytes, prefix, len);
	memset(bytes + len, 'a', n);
	len += n;
	memcpy(bytes + len, suffix, strlen(suffix));
	len += strlen(suffix);
	take(&body, (uint8_t *)bytes, len, len);
	check_pieces((uint8_t *)bytes, len, NULL);
	return http_chunked_end(&body);
}

Test(http_chunked, bounds_extensions_and_trailers)
{
	enum { MAX = HTTP_CHUNK_LINES_MAX };

	cr_expect_eq(end_of_long("1;", MAX - 4, "\r\nx\r\n0\r\n\r\n"), WHOLE);
	cr_expect_eq(end_of_long("1;", MAX - 3, "\r\nx\r\n0\r\n\r\n"), BAD);
	cr_expect_eq(end_of_long("0\r\na:", MAX - 6, "\r\n\r\n"), WHOLE);
	cr_expect_eq(end_of_long("0\r\na:", MAX - 5, "\r\n\r\n"), BAD);
	cr_expect_eq(end_of_long("1;b\r\nx\r\n1;", MAX - 4,
	    "\r\nx\r\n0\r\n\r\n"), WHOLE, "the bound is of one chunk");
}

Test(http_chunked, lets_data_be_moved_unseen)
{
	struct http_chunked body = { 0 };
	static const uint8_t size[] = HEX_2_62 "\r\n", end[] = "\r\n0\r\n\r\n";

	cr_expect_eq(http_chunked_data(&body), 0);
	http_chunked_take(&body, size, sizeof(size) - 1);
	cr_expect_eq(http_chunked_data(&body), HTTP_LENGTH_MAX);
	http_chunked_skip(&body, HTTP_LENGTH_MAX - 1);
	cr_expect_eq(http_chunked_data(&body), 1);
	http_chunked_skip(&body, 0);
	http_chunked_skip(&body, 1);
	cr_expect_eq(http_chunked_data(&body), 0);
	cr_expect_eq(http_chunked_take(&body, end, sizeof(end) - 1),
	    sizeof(end) - 1);
	cr_expect_eq(http_chunked_end(&body), WHOLE);
}
