/* SPDX-License-Identifier: ISC */
/*
 * line_reader.h - the lines of a file, however long they are, in a buffer of
 * fixed size.
 *
 * A line ends with a newline or with the file.  The newline is not part of
 * it; a CR before it is.
 */
#ifndef COMMON_LINE_READER_H
#define COMMON_LINE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_READER_MAX = 16 * 1024 };	/* the longest `max` */

struct line_reader {
	int		 fd;		/* borrowed; -1: all is in memory */
	size_t		 max;		/* octets of a line */
	uint32_t	 line;		/* number of the line last read */
	const char	*at;		/* what was not yet returned */
	size_t		 left;
	bool		 ended;		/* there is no more to read */
	int		 error;		/* LINE_FAILED: an errno */
	char		 buffer[4 * LINE_READER_MAX];
};

enum line_read {
	LINE_READ,
	LINE_TOO_LONG,	/* and left out; the next one can be read */
	LINE_NONE,	/* the end */
	LINE_FAILED	/* nothing more can be read */
};

/* Read a descriptor from where it stands, or text in memory (borrowed). */
void line_reader_file(struct line_reader *, int fd, size_t max);
void line_reader_text(struct line_reader *, const char *text, size_t len,
    size_t max);

/*
 * On LINE_READ, *ret and *ret_len are a line, good until the next call; they
 * are untouched otherwise.
 */
enum line_read line_reader_next(struct line_reader *, const char **ret,
    size_t *ret_len);

#endif
