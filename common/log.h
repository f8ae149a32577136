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
#include <stdint.h>

enum { LOG_LINE_MAX = 2048 };	/* octets, newline included; below PIPE_BUF,
				 * so that writers never mix */

/* Whose lines these are; lasts as long as the process.  Default fd: 2. */
void log_init(const char *program);

/* Write to this descriptor from now on; borrowed. */
void log_set_fd(int fd);

/* Count dropped lines here too (shared memory); NULL: only locally. */
void log_set_dropped_counter(_Atomic uint64_t *);

void log_error(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *, ...) __attribute__((format(printf, 1, 2)));

/* Log an error and exit with status 1. */
void log_fatal(const char *, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
