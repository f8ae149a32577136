/* SPDX-License-Identifier: ISC */
/*
 * reports.h - what is said of configurations that are refused.
 */
#ifndef TESTS_LIB_REPORTS_H
#define TESTS_LIB_REPORTS_H

#include <stddef.h>

enum { REPORTS_MAX = 65536 };

/* A cfgfile_report_fn that adds a line to `arg`, of REPORTS_MAX. */
void reports_collect(const char *message, void *arg);

struct wrong {
	const char	*text;
	const char	*reports;	/* lines */
};

/* Expect of each text that `load`, which is to see that it is refused, returns
 * these reports. */
void reports_expect(const struct wrong *, size_t n,
    const char *(*load)(const char *text));

#define REPORTS_EXPECT(cases, load) \
	reports_expect(cases, sizeof(cases) / sizeof((cases)[0]), load)

#endif
