/* SPDX-License-Identifier: ISC */
/*
 * principal.h - who has logged in, and what that permits.
 *
 * The broker binds one to a session, once.  Pure.
 */
#ifndef JUMPD_PRINCIPAL_H
#define JUMPD_PRINCIPAL_H

#include "jumpd/auth_policy.h"
#include "jumpd/key_digest.h"
#include "jumpd/permit.h"

enum principal_kind {
	PRINCIPAL_ANYONE,	/* by "none" */
	PRINCIPAL_KEY,
	PRINCIPAL_CERT
};

enum { PRINCIPAL_KEY_ID_MAX = 128 };	/* octets kept, for logs */

struct principal {
	enum principal_kind kind;
	uint8_t		 user_len;
	char		 user[AUTH_USER_NAME_MAX];	/* no NUL */
	struct key_digest key;		/* KEY; CERT: the certified one */
	struct key_digest ca;		/* CERT */
	uint64_t	 serial;	/* CERT */
	uint8_t		 key_id_len;	/* CERT */
	char		 key_id[PRINCIPAL_KEY_ID_MAX];	/* any octets */
	int64_t		 expires_s;	/* since 1970; INT64_MAX: never */
	struct permit_list *permit;	/* owned; NULL: anything */
};

void principal_fini(struct principal *);

#endif
