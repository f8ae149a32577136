/* SPDX-License-Identifier: ISC */
/*
 * guard_model.h - what an http_guard must come to, told the slow way: every
 * time from the whole of both streams so far.
 *
 * For well-formed streams, and these flaws: a request for another host than
 * a.example, Content-Length beside Transfer-Encoding, a chunk size that does
 * not begin with a digit, a bare LF in a head, answers nobody asked for.
 */
#ifndef TESTS_LIB_GUARD_MODEL_H
#define TESTS_LIB_GUARD_MODEL_H

#include "tests/lib/guard_run.h"

enum { GUARD_MODEL_REQUESTS_MAX = 64 };

struct guard_model {
	unsigned	n_accepted, n_answered;
	bool		is_head[GUARD_MODEL_REQUESTS_MAX];
	bool		is_upgrade[GUARD_MODEL_REQUESTS_MAX];
	bool		until_close, vm_between, between;
	struct guard_outcome outcome;
};

/* All zero to begin; call it whenever one of the streams has grown. */
void guard_model_update(struct guard_model *, const uint8_t *client,
    size_t client_len, const uint8_t *vm, size_t vm_len);

#endif
