/* SPDX-License-Identifier: ISC */
/*
 * cfgfile_numbers.h - the numbers of a configuration: one table from which
 * they are read and printed.
 */
#ifndef COMMON_CFGFILE_NUMBERS_H
#define COMMON_CFGFILE_NUMBERS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/cfgfile.h"

enum cfgfile_number_kind {
	CFGFILE_DURATION,	/* seconds and fractions; kept in ms */
	CFGFILE_SECONDS,	/* whole seconds; kept in ms */
	CFGFILE_COUNT
};

struct cfgfile_number {
	const char	*group, *name;
	enum cfgfile_number_kind kind;
	size_t		 offset;	/* of a uint32_t in the settings */
	uint32_t	 min, max;	/* ms for a duration, else as written */
	uint32_t	 value;		/* the default; likewise */
};

/* `numbers` is ordered by group and ends with a NULL group.  What is missing
 * in the file or reported has its default. */
void cfgfile_read_numbers(struct cfgfile *,
    const struct cfgfile_number *numbers, void *settings);

/*
 * The same for a group that has other settings, too: only this group's
 * numbers are printed, between the braces.  Returns the first of the next
 * group.
 */
const struct cfgfile_number *cfgfile_print_group(
    const struct cfgfile_number *numbers, const void *settings, FILE *out);

/* Print all, each group in braces. */
void cfgfile_print_numbers(const struct cfgfile_number *numbers,
    const void *settings, FILE *out);

#endif
