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

#endif
