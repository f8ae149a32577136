/* SPDX-License-Identifier: ISC */
/*
 * mapping_compile.h - mapping files to an image, in a process that has
 * nothing else to lose.
 *
 * The master opens the files; an unprivileged child reads them and writes the
 * image into a memfd; the master seals it, checks every offset of it
 * (mapping_check) and only then uses it.  The child talks through a pipe:
 * a line for each problem.
 */
#ifndef COMMON_MAPPING_COMPILE_H
#define COMMON_MAPPING_COMPILE_H

#include "common/mapping.h"
#include "common/mapping_file.h"
#include "common/sandbox.h"

/* A sealed image. */
struct mapping_image {
	int		fd;		/* owned; -1: none */
	uint64_t	octets;
	uint32_t	names;
};

struct mapping_compile {
	pid_t	pid;		/* 0: not running */
	bool	reaped;		/* and `status` is what waitpid said */
	int	status;
	int	messages;	/* owned; readable when there is something */
	int	image;		/* owned; the memfd */
	size_t	len;		/* octets of an unfinished line */
	char	line[2048];
};

/* A problem, as a complete line without newline and safe to print. */
typedef void mapping_compile_report_fn(const char *line, void *arg);

/*
 * Start the child on the job, whose `problem` and `arg` are ignored: what
 * they would be told comes through the pipe.  The job is not needed
 * afterwards.  Returns 0 or -errno.
 */
int mapping_compile_start(struct mapping_compile *,
    const struct sandbox_ids *, const struct mapping_job *);

/* "file:line: text", as far as there is a file and a line; returns `out`. */
char *mapping_problem_format(const char *file, uint32_t line,
    const char *text, char *out, size_t room);

/*
 * Read what the child has to say, waiting for it if `messages` is blocking
 * (as it is until the caller changes that).  Returns true while there may be
 * more; after false comes mapping_compile_finish.
 */
bool mapping_compile_read(struct mapping_compile *,
    mapping_compile_report_fn *, void *arg);

/* A child ended, as waitpid says: true if it was this one. */
bool mapping_compile_reaped(struct mapping_compile *, pid_t, int status);

/*
 * Reap the child, unless that was done, seal and check the image.  Returns
 * true and the image, or false after a report if there was none yet.
 */
bool mapping_compile_finish(struct mapping_compile *,
    struct mapping_image *ret, mapping_compile_report_fn *, void *arg);

#endif
