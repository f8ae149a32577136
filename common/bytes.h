/* SPDX-License-Identifier: ISC */
/*
 * bytes.h - a bounded big-endian reader that fails once and stays failed.
 *
 * Read a whole structure, then ask `failed` once.  After the first read past
 * the end every read yields 0 or an empty reader, and nothing is touched.
 * Pure: a reader is a plain value that borrows the caller's bytes.
 */
#ifndef COMMON_BYTES_H
#define COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t	*at;		/* borrowed from the caller */
	size_t		 left;		/* octets not yet read */
	bool		 failed;	/* a read asked for more than was left */
};

struct bytes bytes_of(const void *, size_t);

/* Big-endian integers; 0 once the reader has failed. */
uint8_t bytes_u8(struct bytes *);
uint16_t bytes_u16(struct bytes *);
uint32_t bytes_u24(struct bytes *);
uint32_t bytes_u32(struct bytes *);

/*
 * Take the next n octets as a reader of their own, which has failed if this
 * one has or does now.
 */
struct bytes bytes_take(struct bytes *, size_t n);

#endif
