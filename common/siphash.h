/* SPDX-License-Identifier: ISC */
/*
 * siphash.h - SipHash-2-4 (Aumasson and Bernstein), for tables whose keys a
 * peer or a user chooses.  Pure.
 */
#ifndef COMMON_SIPHASH_H
#define COMMON_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint8_t	octet[16];
};

uint64_t siphash(const struct siphash_key *, const void *, size_t);

#endif
