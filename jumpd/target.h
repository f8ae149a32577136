/* SPDX-License-Identifier: ISC */
/*
 * target.h - what a client asked to be connected to (RFC 4254 7.2).
 *
 * "host to connect" of a direct-tcpip channel is an IPv6 literal, with or
 * without brackets, or a host name: of the mapping or of DNS, which look the
 * same.  Pure; a plain value.
 */
#ifndef JUMPD_TARGET_H
#define JUMPD_TARGET_H

#include "common/addr.h"
#include "common/hostname.h"
#include "jumpd/deny_reasons.h"

enum jump_target_kind {
	JUMP_TARGET_ADDRESS,
	JUMP_TARGET_NAME
};

struct jump_target {
	enum jump_target_kind kind;
	struct addr	addr;		/* ADDRESS: IPv6, not v4-mapped */
	uint8_t		name_len;	/* NAME; 0 otherwise */
	char		name[HOSTNAME_MAX + 1];	/* normalised (hostname.h) */
	uint16_t	port;		/* 1-65535 */
};

/*
 * Read `len` octets as they came.  Returns DENY_NONE and the target, or
 * with *ret untouched
 *  DENY_TARGET_PORT	`port` is 0 or beyond 65535
 *  DENY_TARGET_IPV4	an IPv4 address in any notation (also "127.1" and
 *			0x7f000001, which hostname.h knows), v4-mapped or
 *			v4-compatible ones included
 *  DENY_TARGET_ZONE	"fe80::1%eth0"
 *  DENY_TARGET_SYNTAX	anything else: NULs, empty, too long, half brackets.
 */
enum deny_reason jump_target_parse(const void *host, size_t len,
    uint32_t port, struct jump_target *ret);

/* "[2001:db8::1]:22" or "name:22", printable; returns `out`. */
enum { JUMP_TARGET_TEXT_MAX = HOSTNAME_MAX + 7 };
char *jump_target_format(const struct jump_target *,
    char out[JUMP_TARGET_TEXT_MAX]);

#endif
