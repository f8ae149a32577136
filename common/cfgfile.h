/* SPDX-License-Identifier: ISC */
/*
 * cfgfile.h - a libconfig file, and everything that is wrong with it.
 *
 * A setting that nobody looked at is an unknown setting, and an error.
 * Problems are reported as complete lines, "file:line: path: what is wrong",
 * and reading goes on, so that a user sees all of them at once.
 * cfgfile_values.h has the typed readers.
 *
 * Settings are borrowed from the cfgfile.  A group that is NULL (missing or
 * reported) is read as an empty one.
 */
#ifndef COMMON_CFGFILE_H
#define COMMON_CFGFILE_H

#include <stdbool.h>
#include <stdint.h>

enum { CFGFILE_PROBLEMS_MAX = 20 };	/* reported for one file */

struct cfgfile;
struct config_setting_t;		/* libconfig's */

typedef void cfgfile_report_fn(const char *message, void *arg);

/*
 * Read the file and what it includes.  Returns NULL after a report if it
 * cannot be read or is no libconfig file.  `report` is called with `arg`
 * for this and each later problem; `message` has no newline and is safe to
 * print.
 */
struct cfgfile *cfgfile_open(const char *path, cfgfile_report_fn *report,
    void *arg);
void cfgfile_close(struct cfgfile *);

/*
 * Report every setting that was not read.  Returns true if no problem was
 * ever reported for this file.
 */
bool cfgfile_finish(struct cfgfile *);

/*
 * Report a problem with a setting, or with the whole file if it is NULL.
 * The caller quotes what it prints of the setting's value (quote.h).
 */
void cfgfile_problem(struct cfgfile *, const struct config_setting_t *,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The group that is the whole file. */
const struct config_setting_t *cfgfile_root(const struct cfgfile *);

/* Report that `name` is mandatory if the group does not have it. */
void cfgfile_require(struct cfgfile *, const struct config_setting_t *group,
    const char *name);

/* The setting `name` of a group, or NULL; it counts as read from now on. */
const struct config_setting_t *cfgfile_find(struct cfgfile *,
    const struct config_setting_t *group, const char *name);

/* Element i of a list, which is there; it counts as read from now on. */
const struct config_setting_t *cfgfile_element(
    const struct config_setting_t *list, uint32_t i);

/* Where a setting stands: the file (lives as long as the cfgfile) and line. */
const char *cfgfile_where(const struct cfgfile *,
    const struct config_setting_t *, unsigned *ret_line);

/*
 * "file:line" of a setting, or "file" if it is NULL: for a problem with its
 * value that shows only later.  Owned by the caller.
 */
char *cfgfile_place(const struct cfgfile *, const struct config_setting_t *);

/* The library's name and version, for people; static. */
const char *cfgfile_library(void);

#endif
