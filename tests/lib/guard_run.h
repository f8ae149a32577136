/* SPDX-License-Identifier: ISC */
/*
 * guard_run.h - a connection without sockets around an http_guard: it holds
 * what the guard holds back, and accepts what names the host "a.example".
 *
 * The contract of http_guard.h is asserted at every step.
 */
#ifndef TESTS_LIB_GUARD_RUN_H
#define TESTS_LIB_GUARD_RUN_H

#include "proxyd/http_guard.h"

enum { GUARD_RUN_HEAD_MAX = 1024 };

struct guard_run {
	struct http_guard guard;
	const uint8_t	*client;	/* borrowed: all it will ever send */
	size_t		 offered;	/* octets of it that have come */
	size_t		 passed;	/* octets of it that went to the VM */
	size_t		 refused;	/* where the head that was not accepted
					 * begins, or SIZE_MAX */
	unsigned	 n_heads;	/* accepted */
	bool		 splices;	/* moves bodies unseen */
	bool		 begun;		/* the first head was good */
	bool		 in_head, waits;
	enum close_reason stopped;
};

/* What has come of a connection. */
struct guard_outcome {
	size_t		passed;
	unsigned	n_heads;
	enum close_reason stopped;
	bool		in_head, waits, transparent, idle, answered;
};

void guard_run_init(struct guard_run *, const uint8_t *client, bool splices);

/* n more octets come from the client, in pieces of at most `piece`. */
void guard_run_client(struct guard_run *, size_t n, size_t piece);

/*
 * These come from the VM, in pieces of at most `piece`; then what was held is
 * looked at again.  Nothing happens before the first head was accepted.
 */
void guard_run_vm(struct guard_run *, const uint8_t *bytes, size_t len,
    size_t piece);

struct guard_outcome guard_run_outcome(const struct guard_run *);
bool guard_outcome_equal(const struct guard_outcome *,
    const struct guard_outcome *);

#endif
