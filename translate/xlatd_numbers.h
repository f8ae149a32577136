/* SPDX-License-Identifier: ISC */
/*
 * xlatd_numbers.h - the numbers of an instance in xlatd.conf: one table from
 * which they are read and printed.
 */
#ifndef TRANSLATE_XLATD_NUMBERS_H
#define TRANSLATE_XLATD_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xlatd_number {
	const char	*group;		/* "": the instance itself */
	const char	*name;
	bool		 duration;	/* seconds and fractions; kept in ms */
	size_t		 offset;	/* of a uint32_t in xlatd_limits */
	uint32_t	 min, max;	/* ms for a duration */
	uint32_t	 value;		/* the default; likewise */
};

/* Ends with a NULL group. */
extern const struct xlatd_number xlatd_numbers[];

#endif
