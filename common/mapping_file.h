/* SPDX-License-Identifier: ISC */
/*
 * mapping_file.h - mapping files in, one image out; all or nothing.
 *
 * Meant for a child process without rights that was given the files opened
 * (mapping_sources.h) and a memfd.  Whoever gets the image checks it
 * (mapping_check).
 */
#ifndef COMMON_MAPPING_FILE_H
#define COMMON_MAPPING_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/target_policy.h"

enum {
	MAPPING_PROBLEMS_MAX = 20,	/* reported; the rest is counted */
	MAPPING_PROBLEM_OCTETS = 1024	/* of a message at most, with NUL */
};

/* A file, or lines that stand in another file. */
struct mapping_source {
	const char	*name;		/* borrowed; for messages, printable */
	int		 fd;		/* borrowed; read from where it stands;
					 * -1: `text` instead */
	const char	*text;		/* borrowed */
	size_t		 len;		/* octets of `text` */
	uint32_t	 first_line;	/* of `text` in its file, from 1 */
};

/*
 * Told about a problem.  `text` is "setting: what is wrong", printable, and
 * no longer valid afterwards.  `line` is 0 for a problem of a whole file;
 * `file` is then NULL too if it is not one file's.
 */
typedef void mapping_problem_fn(void *arg, const char *file, uint32_t line,
    const char *text);

struct mapping_job {
	const struct mapping_source *sources;	/* borrowed */
	size_t		 n_sources;
	const struct target_policy *policy;	/* borrowed; NULL: targets
						 * are judged later */
	uint8_t		 services;	/* bit (1 << enum service): for these
					 * the targets must pass `policy`, at
					 * the line's port or the usual one */
	bool		 embed;		/* there is a prefix for source=embed,
					 * which else is a problem for these
					 * services */
	mapping_problem_fn *problem;
	void		*arg;		/* for `problem` */
};

/*
 * Read all sources, in order, and write the image to `image_fd`, a memfd,
 * which has its size afterwards.  Returns true and the number of names, or
 * false after reporting at least one problem: then the memfd is empty.
 * Duplicates are told of when all sources have been read.
 */
bool mapping_file_compile(const struct mapping_job *, int image_fd,
    uint32_t *ret_names);

#endif
