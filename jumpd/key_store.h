/* SPDX-License-Identifier: ISC */
/*
 * key_store.h - a key bundle, indexed: which lines does a key have?
 *
 * Lines stay where they are in the bundle and are read whole when a key is
 * found.  Loading goes on in steps, so that a reload of many keys holds
 * nobody up.  Pure.
 */
#ifndef JUMPD_KEY_STORE_H
#define JUMPD_KEY_STORE_H

#include "common/siphash.h"
#include "jumpd/key_bundle.h"
#include "jumpd/key_digest.h"
#include "jumpd/key_revocation.h"

enum key_role {
	KEY_ROLE_KEY,		/* a line of authorized_keys */
	KEY_ROLE_CA,		/* one with cert-authority */
	KEY_ROLE_TRUSTED_CA
};

/* A line, borrowed from the bundle. */
struct key_line {
	enum key_role	 role;
	uint64_t	 users;		/* bits, as in the bundle */
	const char	*text;		/* no newline */
	size_t		 len;
};

struct key_store;

/* What is wrong with a file; `line` is 0 if it is all of it.  `fatal`: the
 * bundle must not be used. */
typedef void key_problem_fn(void *arg, const struct key_file *, uint32_t line,
    bool fatal, const char *text);

/* Borrows the bundle for as long as it lives.  NULL: out of memory. */
struct key_store *key_store_new(const void *bundle, size_t len,
    const struct siphash_key *);
void key_store_free(struct key_store *);

enum key_load {
	KEY_LOAD_MORE,		/* call again */
	KEY_LOAD_DONE,
	KEY_LOAD_FAILED		/* no memory, a malformed bundle, or a
				 * problem that was fatal */
};

/*
 * Load `lines` lines more.  `whole`: read the options of each line too, so
 * that every problem is told (-t); else a bad option is found when the key
 * is used.  `problem` may be NULL.
 */
enum key_load key_store_load(struct key_store *, unsigned lines, bool whole,
    key_problem_fn *problem, void *arg);

/*
 * The next line of this key that has the role and one of the users; *at is 0
 * in the beginning.  Returns false if there is none.
 */
bool key_store_find(const struct key_store *, const struct key_digest *,
    enum key_role, uint64_t users, uint32_t *at, struct key_line *ret);

const struct revocation *key_store_revoked(const struct key_store *);

/* Keys and CAs, for logs. */
size_t key_store_count(const struct key_store *);

#endif
