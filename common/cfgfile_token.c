/* SPDX-License-Identifier: ISC */
#include "common/cfgfile_token.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool
begins_name(char c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '*';
}

static bool
in_name(char c)
{
	return begins_name(c) || is_digit(c) || c == '-' || c == '_';
}

static const char *
skip_digits(const char *at, const char *end)
{
	while (at < end && is_digit(*at))
		at++;
	return at;
}

/* True if the digits make more than an int, or a long long if it ends in L. */
static bool
is_too_large(const char *digit, const char *end, unsigned base, bool is_long)
{
	uint64_t limit = is_long ? INT64_MAX : INT32_MAX;
	uint64_t value = 0;

	for (; digit < end; digit++) {
		unsigned n = is_digit(*digit) ? (unsigned)(*digit - '0') :
		    (unsigned)((*digit | 0x20) - 'a') + 10;

		if (value > (limit - n) / base)
			return true;
		value = value * base + n;
	}
	return false;
}

static enum cfgfile_token
scan_number(const char *at, const char *end, const char **ret_end)
{
	const char *first, *last;
	unsigned base = 10;

	if (at < end && (*at == '-' || *at == '+'))
		at++;
	first = at;
	if (end - at > 2 && at[0] == '0' && (at[1] | 0x20) == 'x') {
		base = 16;
		first = at += 2;
		while (at < end && is_hex(*at))
			at++;
	} else
		at = skip_digits(at, end);
	last = at;
	if (base == 10 && at < end && (*at == '.' || (*at | 0x20) == 'e')) {
		if (*at == '.')
			at = skip_digits(at + 1, end);
		if (end - at > 1 && (*at | 0x20) == 'e') {
			at++;
			if (*at == '-' || *at == '+')
				at++;
			at = skip_digits(at, end);
		}
		*ret_end = at;
		return CFGFILE_OTHER;
	}
	while (at < end && *at == 'L')
		at++;
	*ret_end = at;
	return is_too_large(first, last, base, at > last) ? CFGFILE_BIG_NUMBER :
	    CFGFILE_OTHER;
}

static enum cfgfile_token
scan_string(const char *at, const char *end, const char **ret_end)
{
	enum cfgfile_token token = CFGFILE_STRING;

	for (at++; at < end && *at != '"'; at++) {
		if (*at == '\0')
			token = CFGFILE_STRING_NUL;
		if (*at != '\\' || end - at == 1)
			continue;
		if (at[1] == '\0' ||
		    (end - at > 3 && memcmp(at, "\\x00", 4) == 0))
			token = CFGFILE_STRING_NUL;
		at++;
	}
	if (at == end)
		return CFGFILE_ENDLESS_STRING;
	*ret_end = at + 1;
	return token;
}

static enum cfgfile_token
scan_comment(const char *at, const char *end, const char **ret_end)
{
	const char *stop;

	if (*at == '/' && at[1] == '*') {
		stop = memmem(at + 2, (size_t)(end - at) - 2, "*/", 2);
		if (stop == NULL)
			return CFGFILE_ENDLESS_COMMENT;
		stop += 2;
	} else {
		stop = memchr(at, '\n', (size_t)(end - at));
		if (stop == NULL)
			stop = end;
	}
	*ret_end = stop;
	return memchr(at, '\0', (size_t)(stop - at)) == NULL ? CFGFILE_BLANK :
	    CFGFILE_NUL;
}

enum cfgfile_token
cfgfile_token(const char *at, const char *end, const char **ret_end)
{
	*ret_end = at + 1;
	switch (*at) {
	case ' ':
	case '\t':
	case '\n':
	case '\r':
	case '\f':
		return CFGFILE_BLANK;
	case '\0':
		return CFGFILE_NUL;
	case '@':
		return CFGFILE_AT;
	case '"':
		return scan_string(at, end, ret_end);
	case '#':
		return scan_comment(at, end, ret_end);
	case '/':
		if (end - at > 1 && (at[1] == '/' || at[1] == '*'))
			return scan_comment(at, end, ret_end);
		return CFGFILE_OTHER;
	case '-':
	case '+':
	case '.':
		return scan_number(at, end, ret_end);
	default:
		if (is_digit(*at))
			return scan_number(at, end, ret_end);
		if (begins_name(*at)) {
			while (*ret_end < end && in_name(**ret_end))
				++*ret_end;
		}
		return CFGFILE_OTHER;
	}
}

const char *
cfgfile_token_problem(enum cfgfile_token token)
{
	switch (token) {
	case CFGFILE_NUL:
		return "a NUL octet: not a configuration file";
	case CFGFILE_AT:
		return "syntax error: '@' other than in @include \"path\" at "
		    "the beginning of a line";
	case CFGFILE_ENDLESS_COMMENT:
		return "syntax error: a comment that never ends";
	case CFGFILE_ENDLESS_STRING:
		return "syntax error: a string that never ends";
	case CFGFILE_STRING_NUL:
		return "a string with a NUL octet in it";
	case CFGFILE_BIG_NUMBER:
		return "the number is too large";
	case CFGFILE_BLANK:
	case CFGFILE_STRING:
	case CFGFILE_OTHER:
		break;
	}
	return NULL;
}
