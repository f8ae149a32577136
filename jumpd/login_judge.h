/* SPDX-License-Identifier: ISC */
/*
 * login_judge.h - may this key or certificate log in as this user, and what
 * does it permit?
 *
 * That the client has the private key is for libssh to see.  A certificate's
 * CA is looked for first, and only one that is trusted is worth verifying a
 * signature of.  All lines of a key are tried, in order; the first one that
 * holds counts.
 * Pure; OpenSSL behind ssh_cert.h.
 */
#ifndef JUMPD_LOGIN_JUDGE_H
#define JUMPD_LOGIN_JUDGE_H

#include "jumpd/key_store.h"
#include "jumpd/principal.h"

struct login_request {
	const struct auth_user *user;	/* borrowed */
	uint64_t	 user_bit;	/* in the store's `users` */
	const uint8_t	*blob;		/* borrowed; key or certificate */
	size_t		 len;
	struct addr	 client;
	int64_t		 now_s;		/* since 1970 */
	/* Seconds since 1970 of a local time that is given as if it were UTC:
	 * pure code knows no time zone. */
	int64_t		(*utc_of_local)(int64_t civil_s);
};

/*
 * Judge by the store.  DENY_NONE: *ret is the principal, which principal_fini
 * releases.  Else any reason of DENY_REASONS_LOGIN, or DENY_NO_MEMORY, and
 * *ret is untouched.  DENY_KEY_UNKNOWN and DENY_CERT_CA_UNKNOWN say that no
 * line was found: a command may know one.
 */
enum deny_reason login_judge(const struct key_store *,
    const struct login_request *, struct principal *ret);

/* The same by lines of authorized_keys that a command wrote; revocations are
 * the store's. */
enum deny_reason login_judge_lines(const struct key_store *,
    const struct login_request *, const char *text, size_t len,
    struct principal *ret);

/* Is this key or certificate revoked?  What cannot be read is. */
bool login_revoked(const struct key_store *, const uint8_t *blob, size_t len);

/* The principal of a user who logs in by AUTH_NONE. */
struct principal login_anyone(const struct auth_user *);

#endif
