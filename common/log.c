/* SPDX-License-Identifier: ISC */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *program = "popgate";
static int log_fd = STDERR_FILENO;
static bool with_priorities;
static uint64_t dropped;		/* not yet told */
static _Atomic uint64_t *dropped_total;	/* borrowed, may be NULL */

bool
log_is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char text[64];
	struct stat at;

	if (stream == NULL || fstat(fd, &at) != 0)
		return false;
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)at.st_dev,
	    (uintmax_t)at.st_ino);
	return strcmp(stream, text) == 0;
}

void
log_init(const char *name)
{
	program = name;
	with_priorities = log_is_journal(STDERR_FILENO);
}

void
log_set_fd(int fd)
{
	log_fd = fd;
}

void
log_set_priorities(bool wanted)
{
	with_priorities = wanted;
}

void
log_set_dropped_counter(_Atomic uint64_t *counter)
{
	dropped_total = counter;
}

/* What a line begins with; returns its length. */
static size_t
line_begin(char line[LOG_LINE_MAX], const char *when, enum log_priority level)
{
	static const char *const name[] = { [LOG_IS_ERROR] = "error",
		[LOG_IS_WARNING] = "warning",
		[LOG_IS_INFO] = "info" };
	char priority[8] = "";

	if (with_priorities)
		snprintf(priority, sizeof(priority), "<%d>", (int)level);
	return (size_t)snprintf(line, LOG_LINE_MAX, "%s%s %s[%d] %s: ",
	    priority, when, program, (int)getpid(), name[level]);
}

/* The time of day, computed once a second. */
static void
stamp(char out[64])
{
	static time_t last = -1;
	static char text[32];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != last) {
		gmtime_r(&now.tv_sec, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
		last = now.tv_sec;
	}
	snprintf(out, 64, "%s.%03ldZ", text, now.tv_nsec / 1000000);
}

static bool
write_line(const char *line, size_t len)
{
	ssize_t n;

	do {
		n = write(log_fd, line, len);
	} while (n < 0 && errno == EINTR);
	return n >= 0;
}

static void __attribute__((format(printf, 2, 0)))
log_line(enum log_priority level, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX], when[64];
	size_t len;
	int n;
	int saved = errno;

	stamp(when);
	if (dropped > 0) {
		len = line_begin(line, when, LOG_IS_WARNING);
		len += (size_t)snprintf(line + len, sizeof(line) - len,
		    "%llu log lines dropped\n", (unsigned long long)dropped);
		if (write_line(line, len))
			dropped = 0;
	}
	len = line_begin(line, when, level);
	n = vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	if (n > 0)
		len += (size_t)n < sizeof(line) - len - 1 ?
		    (size_t)n :
		    sizeof(line) - len - 2;
	line[len++] = '\n';
	if (!write_line(line, len)) {
		dropped++;
		if (dropped_total != NULL)
			atomic_fetch_add_explicit(dropped_total, 1,
			    memory_order_relaxed);
	}
	errno = saved;
}

#define LOG_FUNCTION(name, level) \
	void name(const char *fmt, ...) \
	{ \
		va_list ap; \
\
		va_start(ap, fmt); \
		log_line(level, fmt, ap); \
		va_end(ap); \
	}

LOG_FUNCTION(log_error, LOG_IS_ERROR)
LOG_FUNCTION(log_warning, LOG_IS_WARNING)
LOG_FUNCTION(log_info, LOG_IS_INFO)

void
log_fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_IS_ERROR, fmt, ap);
	va_end(ap);
	exit(1);
}
