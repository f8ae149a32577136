/* SPDX-License-Identifier: ISC */
/*
 * log.h - one line a call, and never a wait.
 *
 * Lines look like "2026-11-21T09:27:00.123Z proxyd[812] info: text".  A line
 * that cannot be written at once (the pipe to the log writer is full) is
 * dropped and counted; the next one that gets through says how many were.
 * Not for pure code, which returns reasons.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What sd-daemon(3) calls SD_ERR, SD_WARNING and SD_INFO. */
enum log_priority { LOG_IS_ERROR = 3, LOG_IS_WARNING = 4, LOG_IS_INFO = 6 };

enum { LOG_LINE_MAX = 2048 };	/* octets, newline included; below PIPE_BUF,
				 * so that writers never mix */

/* Whose lines these are; lasts as long as the process.  Default fd: 2. */
void log_init(const char *program);

/* Write to this descriptor from now on; borrowed. */
void log_set_fd(int fd);

/* Whether this descriptor leads to systemd's journal (JOURNAL_STREAM). */
bool log_is_journal(int fd);

/* Begin each line with its priority, "<3>" for an error, as the journal and
 * sd-daemon(3) understand it.  Default: if descriptor 2 leads there. */
void log_set_priorities(bool);

/* Count dropped lines here too (shared memory); NULL: only locally. */
void log_set_dropped_counter(_Atomic uint64_t *);

void log_error(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *, ...) __attribute__((format(printf, 1, 2)));

/* Log an error and exit with status 1. */
void log_fatal(const char *, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
