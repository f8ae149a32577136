/* SPDX-License-Identifier: ISC */
/*
 * start.h - what starting, testing and reloading have in common: reading the
 * configuration and compiling the mapping.
 */
#ifndef PROXYD_START_H
#define PROXYD_START_H

#include "common/mapping_compile.h"
#include "proxyd/proxyd_config.h"

/*
 * Read the configuration and add the host's own addresses to what is never a
 * target.  Returns NULL after reports.
 */
struct proxyd_config *start_load_config(const char *path,
    cfgfile_report_fn *report, void *arg);

/*
 * Open the mapping files and start compiling them with the inline lines.
 * Returns false after a report.
 */
bool start_compile(const struct proxyd_config *, const struct sandbox_ids *,
    struct mapping_compile *, cfgfile_report_fn *report, void *arg);

#endif
