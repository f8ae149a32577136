/* SPDX-License-Identifier: ISC */
/*
 * jumpd_config_case.h - a jumpd.conf from a text, in scratch_folder.h's folder.
 */
#ifndef TESTS_LIB_JUMPD_CONFIG_CASE_H
#define TESTS_LIB_JUMPD_CONFIG_CASE_H

#include "jumpd/jumpd_config.h"
#include "tests/lib/reports.h"

enum { CONFIG_TEXT_MAX = 65536 };

/* The mandatory settings, lines 1 and 2 of most files. */
#define LISTENERS "listeners = ( { address = \"192.0.2.1\"; } );\n"
#define LOGIN "authentication = [ \"none\" ];\n"

extern char config_reports[REPORTS_MAX];	/* of the last load; lines */

/* Load the text as j.conf.  Returns the configuration, owned by the caller,
 * or NULL if and only if there were reports. */
struct jumpd_config *config_load(const char *text);

/* The same of a good one. */
struct jumpd_config *config_load_good(const char *text);

#endif
