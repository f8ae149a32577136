/* SPDX-License-Identifier: ISC */
/*
 * mapping_line.h - one line of a mapping file.
 *
 *	name  target[,target...]  [option=value ...]
 *
 * Blank lines and what follows '#' at the start or after white space are
 * ignored.  Targets are IPv6 literals, optionally in brackets.  Options:
 * services=http,https,ssh (default: all), http=PORT, https=PORT, ssh=PORT,
 * proxy=v1|v2, source=embed, forwarded=yes|no.  Whether a target is allowed
 * is target_policy.h's question, whether there is a prefix to embed in that
 * of mapping_file.h.  Pure.
 */
#ifndef COMMON_MAPPING_LINE_H
#define COMMON_MAPPING_LINE_H

#include "common/hostname.h"
#include "common/mapping.h"

enum { MAPPING_LINE_MAX = 4096 };	/* octets, without the newline */

struct mapping_line {
	char		name[HOSTNAME_MAX + 1];	/* normalised, or a pattern */
	size_t		name_len;	/* 0: the line was blank or a comment */
	uint8_t		services;	/* bit (1 << enum service) */
	uint8_t		flags;		/* MAPPING_PROXY_V1... */
	uint16_t	port[N_SERVICES];	/* 0: the listener's port */
	unsigned	n_targets;
	struct addr	target[MAPPING_TARGETS_MAX];
};

/*
 * Read one line of `len` octets, with or without its newline (LF or CRLF).
 * Returns true, or false with a complete message that names the setting and
 * the problem in problem[room] ("target: \"192.0.2.1\" is not an IPv6
 * address"), safe to print whatever the line held.  *ret is then untouched;
 * so is, otherwise, what lies beyond the name and the targets.
 */
bool mapping_line_parse(const char *line, size_t len,
    struct mapping_line *ret, char *problem, size_t room);

#endif
