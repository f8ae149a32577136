/* SPDX-License-Identifier: ISC */
/*
 * line_words.h - a line of text as words between blanks, up to the end of the
 * line or a comment, which begins with '#' where a word could.
 *
 * Pure.  A word is borrowed from the line and has no NUL behind it.
 */
#ifndef COMMON_LINE_WORDS_H
#define COMMON_LINE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct word {
	const char	*at;
	size_t		 len;
};

/* What is to be read of a line: all but its end, LF or CR LF, if it is there. */
struct word line_words_of(const char *line, size_t len);

/* Take the next word from the rest; false if there is none. */
bool line_words_next(struct word *rest, struct word *ret);

#endif
