/* SPDX-License-Identifier: ISC */
#include "common/line_words.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct word
line_words_of(const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	return (struct word) { line, len };
}

bool
line_words_next(struct word *rest, struct word *ret)
{
	size_t n = 0;

	while (rest->len > 0 && is_blank(*rest->at)) {
		rest->at++;
		rest->len--;
	}
	if (rest->len == 0 || *rest->at == '#')
		return false;
	while (n < rest->len && !is_blank(rest->at[n]))
		n++;
	*ret = (struct word) { rest->at, n };
	rest->at += n;
	rest->len -= n;
	return true;
}
