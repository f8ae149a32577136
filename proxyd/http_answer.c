/* SPDX-License-Identifier: ISC */
#include "proxyd/http_answer.h"

#include <assert.h>
#include <string.h>

#include "proxyd/http_chunked.h"
#include "proxyd/http_octet.h"

/* Where the next octet stands. */
enum state {
	VERSION = 0,	/* `at` octets of "HTTP/1.x " have been seen */
	STATUS,		/* `at` digits of three */
	STATUS_END,	/* SP, or the end of the line */
	REASON,
	LINE,		/* at the first octet of a field line */
	LINE_OR_FOLD,	/* it may also go on with the value before */
	NAME,		/* `at` octets of it; `word`: names that fit so far */
	VALUE,		/* of a field that frames nothing */
	LENGTH,		/* `word`: see below; `value`: the digits so far */
	CODING,		/* `at` octets of "chunked" have been seen */
	WHOLE,
	BAD
};

/* What an element of Content-Length or Transfer-Encoding looks like. */
enum word {
	WORD_NONE = 0,	/* nothing but white space yet */
	WORD_GOOD,	/* digits, or a beginning of "chunked" */
	WORD_ENDED,	/* white space after that */
	WORD_OTHER	/* something else */
};

static const char coding_name[] = "chunked";

/* Names that matter; bit i of `word` stands for the i-th. */
static const struct {
	const char	*name;
	uint8_t		 len;
	enum state	 state;		/* of its value */
} names[] = {
	{ "content-length", 14, LENGTH },
	{ "transfer-encoding", 17, CODING }
};

enum { N_NAMES = sizeof(names) / sizeof(names[0]) };

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static enum state
begin_word(struct http_answer *answer, enum state state)
{
	answer->at = 0;
	answer->word = WORD_NONE;
	answer->value = 0;
	return state;
}

/* RFC 9112 4, 2.3: HTTP-version SP. */
static enum state
on_version(struct http_answer *answer, uint8_t c)
{
	static const char version[] = "HTTP/1.x ";
	uint8_t at = answer->at++;

	if (at == 7) {
		answer->http_1_0 = c == '0';
		return is_digit(c) ? VERSION : BAD;
	}
	if (c != (uint8_t)version[at])
		return BAD;
	return at == 8 ? begin_word(answer, STATUS) : VERSION;
}

/* RFC 9110 15: three digits, of which the first is the class. */
static enum state
on_status(struct http_answer *answer, uint8_t c)
{
	if (!is_digit(c) || (answer->at == 0 && c == '0'))
		return BAD;
	answer->status = (uint16_t)(answer->status * 10 + (c - '0'));
	return ++answer->at == 3 ? STATUS_END : STATUS;
}

static enum state
on_name(struct http_answer *answer, uint8_t c)
{
	unsigned i;

	for (i = 0; i < N_NAMES; i++) {
		if ((answer->word >> i & 1) == 0)
			continue;
		if (answer->at == names[i].len && c == ':')
			return begin_word(answer, names[i].state);
		if (lower(c) != (uint8_t)names[i].name[answer->at])
			answer->word &= (uint8_t)~(1u << i);
	}
	if (answer->word != 0)
		answer->at++;
	return c == ':' ? VALUE : http_octet_is_tchar(c) ? NAME : BAD;
}

static enum state
on_line(struct http_answer *answer, uint8_t c)
{
	if (http_octet_is_space(c))	/* RFC 9112 2.2, 5.2 */
		return answer->state == LINE_OR_FOLD ? VALUE : BAD;
	answer->at = 0;
	answer->word = (1 << N_NAMES) - 1;
	return c == ':' ? BAD : on_name(answer, c);
}

/* RFC 9112 6.3, item 5: a list is as good as one value if all are equal. */
static void
end_length(struct http_answer *answer)
{
	if ((answer->word != WORD_GOOD && answer->word != WORD_ENDED) ||
	    (answer->has_length && answer->length != answer->value))
		answer->bad_length = true;
	answer->has_length = true;
	answer->length = answer->value;
	begin_word(answer, LENGTH);
}

static enum state
on_length(struct http_answer *answer, uint8_t c)
{
	if (c == ',') {
		end_length(answer);
	} else if (http_octet_is_space(c)) {
		if (answer->word == WORD_GOOD)
			answer->word = WORD_ENDED;
	} else if (!is_digit(c) || answer->word > WORD_GOOD ||
	    answer->value > HTTP_LENGTH_MAX / 10) {
		answer->word = WORD_OTHER;
	} else {
		answer->word = WORD_GOOD;
		answer->value = answer->value * 10 + (uint64_t)(c - '0');
		if (answer->value > HTTP_LENGTH_MAX)
			answer->word = WORD_OTHER;
	}
	return LENGTH;
}

/* RFC 9112 6.1: chunked is the last coding, and applied once. */
static void
end_coding(struct http_answer *answer)
{
	if (answer->chunked)
		answer->bad_coding = true;
	answer->has_coding = true;
	answer->chunked = answer->word != WORD_OTHER &&
	    answer->at == sizeof(coding_name) - 1;
	begin_word(answer, CODING);
}

static enum state
on_coding(struct http_answer *answer, uint8_t c)
{
	if (c == ',') {
		end_coding(answer);
	} else if (http_octet_is_space(c)) {
		if (answer->word == WORD_GOOD)
			answer->word = WORD_ENDED;
	} else if (answer->word > WORD_GOOD ||
	    lower(c) != (uint8_t)coding_name[answer->at]) {
		answer->word = WORD_OTHER;
	} else {
		answer->word = WORD_GOOD;
		answer->at++;
	}
	return CODING;
}

/* An octet that is neither CR, LF nor NUL, so no word goes on for ever. */
static enum state
on_octet(struct http_answer *answer, uint8_t c)
{
	switch ((enum state)answer->state) {
	case VERSION:
		return on_version(answer, c);
	case STATUS:
		return on_status(answer, c);
	case STATUS_END:
		return c == ' ' ? REASON : BAD;
	case LINE:
	case LINE_OR_FOLD:
		return on_line(answer, c);
	case NAME:
		return on_name(answer, c);
	case LENGTH:
		return on_length(answer, c);
	case CODING:
		return on_coding(answer, c);
	case REASON:
	case VALUE:
	case WHOLE:
	case BAD:
		break;
	}
	return (enum state)answer->state;
}

static enum state
on_line_end(struct http_answer *answer)
{
	switch ((enum state)answer->state) {
	case STATUS_END:
	case REASON:
		return LINE;
	case LINE:
	case LINE_OR_FOLD:
		return WHOLE;
	case VALUE:
		return LINE_OR_FOLD;
	case LENGTH:
		end_length(answer);
		return LINE;
	case CODING:
		end_coding(answer);
		return LINE;
	case VERSION:
	case STATUS:
	case NAME:
	case WHOLE:
	case BAD:
		break;
	}
	return BAD;
}

static enum state
take_octet(struct http_answer *answer, uint8_t c)
{
	if (c == '\n') {	/* RFC 9112 2.2: with or without CR */
		answer->after_cr = false;
		return on_line_end(answer);
	}
	if (answer->after_cr || c == '\0')
		return BAD;
	if (c == '\r') {
		answer->after_cr = true;
		return (enum state)answer->state;
	}
	return on_octet(answer, c);
}

/* How many octets up to `len` change nothing; only to be quick. */
static size_t
idle_octets(const struct http_answer *answer, const uint8_t *bytes, size_t len)
{
	size_t n = 0;

	if (answer->after_cr)
		return 0;
	if (answer->state == VALUE || answer->state == REASON)
		while (n < len && bytes[n] >= ' ')
			n++;
	else if (answer->state == NAME && answer->word == 0)
		while (n < len && http_octet_is_tchar(bytes[n]))
			n++;
	return n;
}

size_t
http_answer_take(struct http_answer *answer, const uint8_t *bytes, size_t len)
{
	size_t room = HTTP_ANSWER_HEAD_MAX - answer->octets;
	size_t end = len < room ? len : room;
	size_t at = 0;

	while (at < end && answer->state < WHOLE) {
		at += idle_octets(answer, bytes + at, end - at);
		if (at < end)
			answer->state = (uint8_t)take_octet(answer,
			    bytes[at++]);
	}
	answer->octets += (uint32_t)at;
	if (answer->octets == HTTP_ANSWER_HEAD_MAX && answer->state < WHOLE)
		answer->state = BAD;
	return at;
}

enum http_answer_end
http_answer_end(const struct http_answer *answer)
{
	return answer->state == WHOLE ? HTTP_ANSWER_WHOLE :
	    answer->state == BAD ? HTTP_ANSWER_BAD : HTTP_ANSWER_OPEN;
}

enum http_answer_body
http_answer_body(const struct http_answer *answer, bool to_head)
{
	assert(answer->state == WHOLE);
	if (to_head || answer->status < 200 || answer->status == 204 ||
	    answer->status == 304)	/* RFC 9112 6.3, item 1 */
		return HTTP_BODY_NONE;
	if (answer->has_coding)		/* items 3 and 4; 6.1 for 1.0 */
		return answer->chunked && !answer->bad_coding &&
		    !answer->has_length && !answer->http_1_0 ?
		    HTTP_BODY_CHUNKED : HTTP_BODY_UNTIL_CLOSE;
	return answer->has_length && !answer->bad_length ?
	    HTTP_BODY_LENGTH : HTTP_BODY_UNTIL_CLOSE;	/* 5, 6, 8 */
}
