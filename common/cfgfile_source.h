/* SPDX-License-Identifier: ISC */
/*
 * cfgfile_source.h - a libconfig file and what it includes, as one text.
 *
 * libconfig 1.5 ends the process when it cannot read an included file, reads
 * 4294967376 as 80, takes a string or comment that never ends for the end of
 * the file, and gives a string that ends a line the number of the next.  So
 * we read the files, refuse these, and remember where each line came from.
 */
#ifndef COMMON_CFGFILE_SOURCE_H
#define COMMON_CFGFILE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

enum {
	CFGFILE_OCTETS_MAX = 16 << 20,	/* all files together */
	CFGFILE_INCLUDE_DEPTH_MAX = 8,
	CFGFILE_PROBLEM_MAX = 1024	/* octets of a message, with NUL */
};

struct cfgfile_source;

/*
 * Read the file and expand each line `@include "path"`; a relative path is
 * relative to the first file's folder.  Returns NULL with a complete message
 * in `problem` ("file:line: @include: cannot read ...") if a file cannot be
 * read or libconfig would misread it.
 */
struct cfgfile_source *cfgfile_source_open(const char *path,
    char problem[CFGFILE_PROBLEM_MAX]);
void cfgfile_source_close(struct cfgfile_source *);

/* The whole text, NUL-ended; lives as long as the source. */
const char *cfgfile_source_text(const struct cfgfile_source *);

/*
 * The file (lives as long as the source) that line `line` of the text came
 * from, counted from 1, and that line's number there in *ret_line.
 */
const char *cfgfile_source_where(const struct cfgfile_source *,
    unsigned line, unsigned *ret_line);

/*
 * On which line of the text the n-th string begins, counted from 0; adjacent
 * strings are one, as in C.  Returns 0 if there are not so many.
 */
unsigned cfgfile_source_string_line(const struct cfgfile_source *, size_t n);

#endif
