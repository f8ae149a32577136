/* SPDX-License-Identifier: ISC */
#include "common/daemon_start.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"

enum { MESSAGE_MAX = 2 * PATH_MAX };	/* a place, another path, a reason */

static void
say(enum log_priority level, const char *message)
{
	if (log_is_journal(STDERR_FILENO))
		fprintf(stderr, "<%d>%s\n", (int)level, message);
	else
		fprintf(stderr, "%s\n", message);
}

void
daemon_say(const char *message, void *arg)
{
	(void)arg;
	say(LOG_IS_ERROR, message);
}

void
daemon_say_warning(const char *message, void *arg)
{
	(void)arg;
	say(LOG_IS_WARNING, message);
}

void
daemon_complain(const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	daemon_say(message, NULL);
}

void
daemon_error(const char *message, void *arg)
{
	(void)arg;
	log_error("%s", message);
}

void
daemon_warn(const char *message, void *arg)
{
	(void)arg;
	log_warning("%s", message);
}

void
daemon_raise_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

bool
daemon_start_log(struct log_writer *writer, const struct daemon_config *config,
    const struct sandbox_ids *ids, const char *program)
{
	int fd = log_destination_open(config->log), err;

	if (fd < 0) {
		daemon_complain("%s: log: %s: %s", config->log_place,
		    config->log, strerror(-fd));
		return false;
	}
	log_set_priorities(log_is_journal(fd));
	err = log_writer_start(writer, ids, fd);
	if (err != 0) {
		daemon_complain("%s: the log writer cannot start: %s",
		    program, strerror(-err));
		return false;
	}
	return true;
}

void
daemon_reopen_log(struct log_writer *writer,
    const struct daemon_config *config)
{
	int fd = log_destination_open(config->log);

	if (fd < 0) {
		log_error("%s: log: %s: %s", config->log_place, config->log,
		    strerror(-fd));
		return;
	}
	log_writer_redirect(writer, fd);
	log_info("log reopened");
}
