/* SPDX-License-Identifier: ISC */
/*
 * hostile.h - the inputs every parser must survive: each cut and each bit
 * flip of a good one, in heap copies of exactly its size, so that a sanitizer
 * sees the first octet read beyond the end.
 */
#ifndef TESTS_LIB_HOSTILE_H
#define TESTS_LIB_HOSTILE_H

#include <stddef.h>
#include <stdint.h>

typedef void hostile_fn(const uint8_t *bytes, size_t len, void *arg);

/* Call fn with the first 0, 1, ... len octets. */
void hostile_cuts(const void *bytes, size_t len, hostile_fn *, void *arg);

/* Call fn with each of the 8 * len single-bit changes. */
void hostile_bit_flips(const void *bytes, size_t len, hostile_fn *,
    void *arg);

#endif
