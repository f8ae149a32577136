/* SPDX-License-Identifier: ISC */
/*
 * quote.h - the one way peer-chosen bytes get into a log line.
 *
 * Pure.
 */
#ifndef COMMON_QUOTE_H
#define COMMON_QUOTE_H

#include <stddef.h>

/*
 * Write `len` octets as a double-quoted string into out[room], NUL-ended and
 * cut with "..." before the closing quote if it does not fit.  Printable
 * ASCII stands for itself except '"' and '\\', which get a backslash; every
 * other octet becomes \xHH.  `room` is at least 8.  Returns the length
 * written, without NUL.
 */
size_t quote(const void *bytes, size_t len, char *out, size_t room);

#endif
