/* SPDX-License-Identifier: ISC */
/*
 * auth_policy.h - who may try to log in how, and how often.
 *
 * A user that is not configured is treated as a shadow of one that is: the
 * same methods are offered, the same work is done, and it never gets in.
 * All users are told the same list of methods, "publickey".
 * Pure.
 */
#ifndef JUMPD_AUTH_POLICY_H
#define JUMPD_AUTH_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jumpd/deny_reasons.h"

enum {
	AUTH_USERS_MAX = 64,
	AUTH_USER_NAME_MAX = 64,	/* octets */
	AUTH_PRINCIPALS_MAX = 16,	/* of a user */
	AUTH_PRINCIPAL_MAX = 64		/* octets of one */
};

/* How: bits of auth_user.methods. */
enum {
	AUTH_NONE = 1 << 0,	/* whoever asks */
	AUTH_KEYS = 1 << 1,	/* authorized_keys */
	AUTH_CERTS = 1 << 2,	/* trusted CAs */
	AUTH_METHODS = (1 << 3) - 1
};

struct auth_user {
	uint8_t		methods;
	bool		command;	/* authorized_keys_command, too */
	uint8_t		name_len;	/* 1-AUTH_USER_NAME_MAX */
	char		name[AUTH_USER_NAME_MAX];	/* no NUL */
	uint8_t		n_principals;	/* a trusted CA's certificate must
					 * have one; 0: the user's name */
	uint8_t		principal_len[AUTH_PRINCIPALS_MAX];
	char		principal[AUTH_PRINCIPALS_MAX][AUTH_PRINCIPAL_MAX];
};

struct auth_policy {
	uint32_t	attempts_max;	/* failed ones in a session, 1-100 */
	uint32_t	n_users;
	struct auth_user user[AUTH_USERS_MAX];
};

struct auth_choice {
	uint32_t	user;		/* index: whose keys to look at */
	bool		shadow;		/* no such user: refuse in the end */
};

/* Whom a login is judged as.  n_users must not be 0. */
struct auth_choice auth_choose(const struct auth_policy *, const void *name,
    size_t len);

/* What a session has tried. */
struct auth_attempts {
	uint32_t	failed;
	bool		none_tried;	/* the first "none" is how clients ask
					 * for the methods: it is free */
};

enum auth_event {
	AUTH_SAW_NONE,		/* the method "none" was refused */
	AUTH_SAW_PROBE,		/* "would this key do?": no */
	AUTH_SAW_FAILURE	/* everything else that failed */
};

/*
 * Count a refusal.  Returns true when the session has used up its attempts
 * and must end.
 */
bool auth_attempts_count(struct auth_attempts *, const struct auth_policy *,
    enum auth_event);

#endif
