/* SPDX-License-Identifier: ISC */
/*
 * proxyd_numbers.h - the numbers of proxyd.conf: one table from which they
 * are read and printed.
 */
#ifndef PROXYD_PROXYD_NUMBERS_H
#define PROXYD_PROXYD_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

enum proxyd_number_kind {
	PROXYD_DURATION,	/* seconds and fractions; kept in ms */
	PROXYD_SECONDS,		/* whole seconds; kept in ms */
	PROXYD_COUNT
};

struct proxyd_number {
	const char	*group, *name;
	enum proxyd_number_kind kind;
	size_t		 offset;	/* of a uint32_t in proxyd_settings */
	uint32_t	 min, max;	/* ms for a duration, else as written */
	uint32_t	 value;		/* the default; likewise */
};

/* Ordered by group; ends with a NULL group. */
extern const struct proxyd_number proxyd_numbers[];

#endif
