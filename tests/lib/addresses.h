/* SPDX-License-Identifier: ISC */
/*
 * addresses.h - addresses and prefixes of tests, from text and compared with
 * text.  Text that is none fails the test.
 */
#ifndef TESTS_LIB_ADDRESSES_H
#define TESTS_LIB_ADDRESSES_H

#include "common/prefix.h"

struct addr addr_of(const char *text);
uint32_t v4_of(const char *text);	/* host byte order */
struct prefix prefix_of(const char *text);

/* Like cr_expect: the test goes on. */
void expect_addr(const struct addr *, const char *wanted);
void expect_prefix(const struct prefix *, const char *wanted);

#endif
