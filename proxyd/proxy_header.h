/* SPDX-License-Identifier: ISC */
/*
 * proxy_header.h - who is at the other end, told in front of a connection's
 * bytes: the PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt;
 * sections are cited by their numbers there).
 *
 * Pure; owns nothing.
 */
#ifndef PROXYD_PROXY_HEADER_H
#define PROXYD_PROXY_HEADER_H

#include "common/addr.h"
#include "common/hostname.h"

enum {
	PROXY_ALPN_MAX = 255,		/* octets; RFC 7301 3.1 */
	PROXY_AUTHORITY_MAX = HOSTNAME_MAX,
	PROXY_UNIQUE_ID_MAX = 128,	/* octets; 2.2.5 */

	PROXY_V1_MAX = 107,		/* longest line, CRLF included; 2.1 */
	PROXY_V2_MAX = 4096,		/* longest we accept; 16 + length */

	/* The longest that is written: v2, IPv6, all three TLVs full. */
	PROXY_HEADER_MAX = 16 + 36 + 3 + PROXY_ALPN_MAX +
	    3 + PROXY_AUTHORITY_MAX + 3 + PROXY_UNIQUE_ID_MAX
};

/* What a v2 header may say besides; a length of 0 leaves that TLV out. */
struct proxy_tlvs {
	const uint8_t	*alpn;		/* borrowed; the first protocol id that
					 * the client offered, as it came */
	size_t		 alpn_len;
	const char	*authority;	/* borrowed; the host's name */
	size_t		 authority_len;
	const uint8_t	*unique_id;	/* borrowed */
	size_t		 unique_id_len;
};

/*
 * Write the header of a TCP connection from `client` to `destination` (where
 * the client connected to) and return its length.  Two IPv4 endpoints make
 * TCP4, anything else TCP6, where an IPv4 address is written v4-mapped and,
 * in v1, in groups of hexadecimal digits (::ffff:c000:201), as 2.1 has it.
 * `tlvs` may be NULL; a length above its maximum is the caller's fault.
 * Send all of it before, or in one write with, the first byte of the client.
 */
size_t proxy_header_write_v1(const struct endpoint *client,
    const struct endpoint *destination, uint8_t out[PROXY_V1_MAX]);
size_t proxy_header_write_v2(const struct endpoint *client,
    const struct endpoint *destination, const struct proxy_tlvs *tlvs,
    uint8_t out[PROXY_HEADER_MAX]);

/* PROXY_FAULT(id, text): what is wrong with a header, for a log line. */
#define PROXY_FAULTS \
	PROXY_FAULT(NONE, "nothing is wrong") \
	PROXY_FAULT(SIGNATURE, "it does not begin with a PROXY header") \
	PROXY_FAULT(V1_PROTOCOL, "v1: neither TCP4, TCP6 nor UNKNOWN") \
	PROXY_FAULT(V1_OCTET, "v1: an octet that is not printable ASCII, " \
	    "or CR and LF apart") \
	PROXY_FAULT(V1_TOO_LONG, "v1: no end within 107 octets") \
	PROXY_FAULT(V1_ADDRESS, "v1: malformed address") \
	PROXY_FAULT(V1_PORT, "v1: malformed port or end of line") \
	PROXY_FAULT(V2_VERSION, "v2: unknown version") \
	PROXY_FAULT(V2_COMMAND, "v2: unknown command") \
	PROXY_FAULT(V2_FAMILY, "v2: unknown family or protocol") \
	PROXY_FAULT(V2_TOO_SHORT, "v2: too short for its addresses") \
	PROXY_FAULT(V2_TOO_LONG, "v2: longer than 4096 octets") \
	PROXY_FAULT(V2_TLV, "v2: malformed TLV") \
	PROXY_FAULT(V2_CHECKSUM, "v2: wrong CRC32c")

enum proxy_fault {
#define PROXY_FAULT(id, text) PROXY_FAULT_##id,
	PROXY_FAULTS
#undef PROXY_FAULT
	N_PROXY_FAULTS
};

const char *proxy_fault_text(enum proxy_fault);

enum proxy_header_verdict {
	PROXY_HEADER_MORE,	/* undecided: come back with more bytes */
	PROXY_HEADER_OK,
	PROXY_HEADER_BAD	/* `fault` says why: end the connection */
};

struct proxy_header {
	enum proxy_header_verdict verdict;
	enum proxy_fault fault;		/* BAD, else NONE */
	size_t		len;		/* OK: octets of the header; the
					 * client's bytes follow */
	bool		relayed;	/* OK: the endpoints below are the
					 * client's and what it connected to;
					 * false: keep the connection's own */
	struct endpoint	source;
	struct endpoint	destination;
};

/*
 * Read the header, of either version, at a connection's beginning.  Give it
 * all bytes so far again and again as more arrive.  It keeps no state: a call
 * looks at no more than 107 octets until a header is whole and then once at
 * each, so a peer that sends one octet at a time costs linear work.  The
 * verdict, once not MORE, is the same for whatever follows.  BAD comes at the
 * first octet that cannot be right; only v1 addresses and ports and v2 TLVs
 * are judged when the header is whole (2.1, 2.2).  There is always a verdict
 * at PROXY_V2_MAX octets; a peer that falls silent before is for the caller's
 * deadline.
 *
 * Strict, but:
 *  - not relayed are v1 UNKNOWN, v2 LOCAL and AF_UNSPEC/UNSPEC, of which the
 *    rest of the header is skipped unread (2.1, 2.2), and v2 UDP and
 *    AF_UNIX, whose lengths and TLVs are checked;
 *  - a v1 IPv6 address may end in a dotted quad, as haproxy writes v4-mapped
 *    ones; a v4-mapped address of TCP6 is IPv4 in the result;
 *  - TLVs must fill the rest exactly; a CRC32C must be the only one and
 *    right, a UNIQUE_ID no longer than 128 octets; others are not looked
 *    into.
 */
struct proxy_header proxy_header_parse(const uint8_t *bytes, size_t len);

#endif
