/* SPDX-License-Identifier: ISC */
/*
 * key_files.h - patterns of key files in, one memfd with all of them out
 * (key_bundle.h).  For the process that may read the files.
 */
#ifndef JUMPD_KEY_FILES_H
#define JUMPD_KEY_FILES_H

#include "common/mapping_sources.h"
#include "common/sandbox.h"
#include "jumpd/key_bundle.h"

struct key_file_rule {
	enum key_file_kind kind;
	uint64_t	 users;
	const char	*pattern;	/* borrowed; glob(7), "%u" replaced */
};

/*
 * Read all files that the patterns match (as mapping_sources_open has it; a
 * file that several rules of one kind match is there once, for all their
 * users) into a sealed memfd.  Returns true, the descriptor, owned by the
 * caller, and its size; or false after reporting at least one problem.
 */
bool key_files_collect(const char *folder, const struct key_file_rule *,
    size_t n, int *ret_fd, uint64_t *ret_octets, mapping_problem_fn *problem,
    void *arg);

/*
 * Read every line, in a process of its own without rights; the caller waits.
 * Lines that will hold for nobody are reported.  Returns true if none is
 * fatal: a line of authorized_keys is passed over as sshd does, a trusted CA
 * or a revocation that cannot be read is fatal.
 */
bool key_files_check(int fd, uint64_t octets, const struct sandbox_ids *,
    mapping_problem_fn *problem, void *arg);

#endif
