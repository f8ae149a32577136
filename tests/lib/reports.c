/* SPDX-License-Identifier: ISC */
#include "tests/lib/reports.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

void
reports_collect(const char *message, void *arg)
{
	char *reports = arg;
	size_t len = strlen(reports);

	snprintf(reports + len, REPORTS_MAX - len, "%s\n", message);
}

void
reports_expect(const struct wrong *wrong, size_t n,
    const char *(*load)(const char *text))
{
	for (size_t i = 0; i < n; i++) {
		const char *reports = load(wrong[i].text);

		cr_expect_str_eq(reports, wrong[i].reports,
		    "%s\nsaid:\n%swanted:\n%s", wrong[i].text, reports,
		    wrong[i].reports);
	}
}
