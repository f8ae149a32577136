/* SPDX-License-Identifier: ISC */
/*
 * map_line.h - one line of a file of explicit address mappings (RFC 7757).
 *
 *	IPv4-prefix  IPv6-prefix
 *
 * Either may be a bare address.  Blank lines and what follows '#' at the
 * start or after white space are ignored.  Whether mappings contradict each
 * other is address_map.h's question.  Pure.
 */
#ifndef TRANSLATE_MAP_LINE_H
#define TRANSLATE_MAP_LINE_H

#include "translate/address_map.h"

enum {
	MAP_LINE_MAX = 1024,	/* octets, without the newline */
	MAP_LINE_PROBLEM_MAX = 256	/* room for any message, with NUL */
};

enum map_line {
	MAP_LINE_EAM = 0,	/* *ret is a mapping */
	MAP_LINE_EMPTY,		/* blank or a comment */
	MAP_LINE_BAD		/* problem[] says what is wrong */
};

/*
 * Read one line of `len` octets, with or without its newline (LF or CRLF).
 * *ret is untouched unless it is a mapping.  The message names the column and
 * the problem ("IPv4 prefix: \"192.0.2.1/24\" has bits set beyond its
 * length"), safe to print whatever the line held.
 */
enum map_line map_line_parse(const char *line, size_t len, struct eam *ret,
    char problem[MAP_LINE_PROBLEM_MAX]);

#endif
