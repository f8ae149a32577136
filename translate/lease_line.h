/* SPDX-License-Identifier: ISC */
/*
 * lease_line.h - a lease of a dynamic pool as a line of text:
 * "192.0.2.7 2001:db8::7 1732186000\n", the last word being the second of the
 * wall clock in which the host was heard last.
 *
 * Pure.
 */
#ifndef TRANSLATE_LEASE_LINE_H
#define TRANSLATE_LEASE_LINE_H

#include "common/addr.h"

enum { LEASE_LINE_MAX = 128 };	/* octets of such a line, with NUL */

struct lease_line {
	uint32_t	v4;		/* host byte order */
	struct addr	host;		/* IPv6 */
	uint64_t	heard_s;
};

void lease_line_format(const struct lease_line *, char out[LEASE_LINE_MAX]);

enum lease_line_kind {
	LEASE_LINE_LEASE = 0,
	LEASE_LINE_EMPTY,	/* blank or a comment */
	LEASE_LINE_BAD		/* not such a line */
};

/* Read a line, with or without its end; *ret is only written for a lease. */
enum lease_line_kind lease_line_parse(const char *line, size_t len,
    struct lease_line *ret);

#endif
