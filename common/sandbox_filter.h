/* SPDX-License-Identifier: ISC */
/*
 * sandbox_filter.h - which system calls a process has left.
 *
 * A list of what is allowed, by name; everything else fails with EPERM, and
 * what only an attacker would try (exec, ptrace, another process's memory)
 * ends the process.  Memory can no longer be made executable.
 */
#ifndef COMMON_SANDBOX_FILTER_H
#define COMMON_SANDBOX_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A call that is allowed; if `has_arg`, only with that argument `arg` (from
 * 0) being `value`. */
struct sandbox_call {
	const char	*name;
	bool		 has_arg;
	unsigned	 arg;
	uint64_t	 value;
};

/*
 * Load the filter: what every daemon needs (memory, time, its event loop,
 * reading and writing what is open, logging, ending) and the `n` calls
 * given.  no_new_privs must be set (sandbox_enter).  A build with
 * AddressSanitizer, whose runtime opens files, loads none.  Returns 0 or
 * -errno; -ENOSYS where the kernel has no seccomp.
 */
int sandbox_filter_load(const struct sandbox_call *, size_t n);

struct sock_filter;			/* the kernel's */

/* A filter in the kernel's words, for many processes to come. */
struct sandbox_program {
	struct sock_filter *code;	/* owned */
	unsigned short	 len;		/* instructions; 0: no filter */
};

/*
 * Make the same filter in advance, but one under which the `n_deadly` calls
 * named end the process, too.  Returns 0 or -errno; with AddressSanitizer the
 * program is empty.
 */
int sandbox_program_make(const struct sandbox_call *, size_t n,
    const char *const *deadly, size_t n_deadly, struct sandbox_program *ret);
void sandbox_program_fini(struct sandbox_program *);

/* Load it, as sandbox_filter_load does. */
int sandbox_program_load(const struct sandbox_program *);

#endif
