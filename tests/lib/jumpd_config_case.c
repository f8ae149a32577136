/* SPDX-License-Identifier: ISC */
#include "tests/lib/jumpd_config_case.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

char config_reports[REPORTS_MAX];

struct jumpd_config *
config_load(const char *text)
{
	FILE *file = fopen("j.conf", "w");
	struct jumpd_config *config;

	cr_assert_not_null(file);
	cr_assert_neq(fputs(text, file), EOF);
	cr_assert_eq(fclose(file), 0);
	config_reports[0] = '\0';
	config = jumpd_config_load("j.conf", reports_collect,
	    config_reports);
	cr_assert_eq(config != NULL, config_reports[0] == '\0',
	    "%s\nis %sloaded with reports:\n%s", text,
	    config == NULL ? "not " : "", config_reports);
	return config;
}

struct jumpd_config *
config_load_good(const char *text)
{
	struct jumpd_config *config = config_load(text);

	cr_assert_not_null(config, "%s\nsaid:\n%s", text, config_reports);
	return config;
}
