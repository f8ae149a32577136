/* SPDX-License-Identifier: ISC */
/*
 * ssh_wire.h - SSH's data types (RFC 4251 5) over the bounded reader.
 *
 * As with bytes.h, a reader that fails stays failed, and what is read then is
 * 0 or empty.  Pure.
 */
#ifndef JUMPD_SSH_WIRE_H
#define JUMPD_SSH_WIRE_H

#include "common/bytes.h"

/* A string: a reader of its octets. */
static inline struct bytes
ssh_wire_string(struct bytes *from)
{
	uint32_t len = bytes_u32(from);

	return bytes_take(from, len);
}

static inline uint64_t
ssh_wire_u64(struct bytes *from)
{
	uint64_t high = bytes_u32(from);

	return high << 32 | bytes_u32(from);
}

/*
 * The octets of a positive mpint, without the zero before a set top bit.  It
 * fails for zero, for negative ones and for superfluous zeros.
 */
struct bytes ssh_wire_mpint(struct bytes *from);

bool ssh_wire_is(const struct bytes *, const char *text);

#endif
