/* SPDX-License-Identifier: ISC */
/*
 * mapping_sources.h - patterns of mapping files in, opened files out.
 *
 * For the process that may read the files; mapping_file.h reads them.
 */
#ifndef COMMON_MAPPING_SOURCES_H
#define COMMON_MAPPING_SOURCES_H

#include "common/mapping_file.h"

enum { MAPPING_SOURCES_MAX = 1024 };	/* files */

struct mapping_sources {
	size_t		 n;
	struct mapping_source *source;	/* owned, with their `fd`s */
	char		**path;		/* owned; the sources' `name`s */
};

/*
 * Open all regular files that the glob(7) patterns match, each file once,
 * sorted by path, close-on-exec.  A relative pattern is one below `folder`,
 * which is not a pattern itself.  A pattern without a wildcard that matches
 * nothing is a problem; one with a wildcard is not, unless its folder is
 * missing: that would empty a mapping by mistake.  Returns false, with
 * *ret untouched, after reporting at least one problem; `line` is 0 and
 * `file` the path or the pattern.
 */
bool mapping_sources_open(const char *folder, char *const *patterns, size_t n,
    struct mapping_sources *ret, mapping_problem_fn *problem, void *arg);

/* Close and free them; what is left is the empty value, which is fine too. */
void mapping_sources_close(struct mapping_sources *);

#endif
