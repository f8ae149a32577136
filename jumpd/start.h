/* SPDX-License-Identifier: ISC */
/*
 * start.h - what starting, testing and reloading have in common: everything
 * that is read from files.
 */
#ifndef JUMPD_START_H
#define JUMPD_START_H

#include "jumpd/jumpd_config.h"
#include "jumpd/key_command.h"

/*
 * Read the configuration, add the host's own addresses to what is never a
 * target and, if it names none, the host's name servers.  Returns NULL after
 * reports.
 */
struct jumpd_config *start_load_config(const char *path,
    cfgfile_report_fn *report, void *arg);

/* Start compiling the mapping.  Returns false after a report. */
bool start_compile(const struct jumpd_config *, const struct sandbox_ids *,
    struct mapping_compile *, cfgfile_report_fn *report, void *arg);

/* Load the host keys and try them.  Returns NULL after a report. */
struct host_keys *start_host_keys(const struct jumpd_config *,
    cfgfile_report_fn *report, void *arg);

/*
 * Read all files with keys into a sealed memfd, owned by the caller, and look
 * through them.  Returns false after a report; problems that are not fatal are
 * reported, too.
 */
bool start_keys(const struct jumpd_config *, int *ret_fd,
    uint64_t *ret_octets, cfgfile_report_fn *report, void *arg);

/* authorized_keys_command and whose rights it has; if there is one.  Returns
 * false after a report. */
bool start_command(const struct jumpd_config *,
    struct key_command_config *ret, cfgfile_report_fn *report, void *arg);

/* The rights that a running parent keeps.  Returns 0 or -errno. */
int start_drop_rights(void);

#endif
