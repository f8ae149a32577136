/* SPDX-License-Identifier: ISC */
/*
 * daemon_start.h - what the first process of every daemon begins with: where
 * problems are told before and after there is a log, the log itself, and room
 * for descriptors.
 */
#ifndef COMMON_DAEMON_START_H
#define COMMON_DAEMON_START_H

#include "common/daemon_config.h"
#include "common/log_writer.h"

/* A cfgfile_report_fn: a line on standard error, for the journal with the
 * priority of an error; `arg` is not used. */
void daemon_say(const char *message, void *arg);
/* The same, of a warning. */
void daemon_say_warning(const char *message, void *arg);

/* daemon_say() what printf(3) makes of it, cut at 8 KiB. */
void daemon_complain(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* The same, in the log. */
void daemon_error(const char *message, void *arg);
void daemon_warn(const char *message, void *arg);

/* As many descriptors as the hard limit allows; what fails stays as it is. */
void daemon_raise_descriptors(void);

/*
 * Open the setting `log` and start the process that writes to it.  Returns
 * false after a line on standard error, which begins with the setting's place
 * or `program`.
 */
bool daemon_start_log(struct log_writer *, const struct daemon_config *,
    const struct sandbox_ids *, const char *program);

/* Open it again, or log why that cannot be and go on with the old one. */
void daemon_reopen_log(struct log_writer *, const struct daemon_config *);

#endif
