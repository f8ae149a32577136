/* SPDX-License-Identifier: ISC */
/*
 * cfgfile_text.h - what the values of a configuration file are written as:
 * in messages, in what -T prints, as paths and as prefixes.
 */
#ifndef COMMON_CFGFILE_TEXT_H
#define COMMON_CFGFILE_TEXT_H

#include <stdio.h>

#include "common/cfgfile.h"
#include "common/prefix.h"

enum { CFGFILE_QUOTED_MAX = 128 };	/* of a value in a message */

/* A value of the file in quotes, for a message; returns `out`. */
const char *cfgfile_quoted(const char *value, char out[CFGFILE_QUOTED_MAX]);

/* Print a string, in quotes, as libconfig reads it. */
void cfgfile_print_string(const char *text, FILE *out);

/*
 * A path, or a pattern of paths, that does not depend on where we are: a
 * relative one goes below the configuration file's folder, whose own '*',
 * '?', '[' are no pattern.  Owned by the caller.
 */
char *cfgfile_absolute(const char *config_path, const char *pattern);

/*
 * Read a prefix, an IPv6 one or (with `v4_too`) either; ::ffff:192.0.2.0/120
 * is an IPv4 one that is always let through.  Returns false after a report.
 */
bool cfgfile_prefix(struct cfgfile *, const struct config_setting_t *,
    const char *value, bool v4_too, struct prefix *ret);

#endif
