/* SPDX-License-Identifier: ISC */
/*
 * authorized_keys.h - one line of an authorized_keys file (sshd(8),
 * "AUTHORIZED_KEYS FILE FORMAT").
 *
 *	[options] type base64 [comment]
 *
 * Options are separated by commas, names are case-insensitive, values are in
 * double quotes where \" is a quote; flags and their "no-" forms count in the
 * order they stand.  Honoured: restrict, port-forwarding, permitopen=, from=,
 * expiry-time=, cert-authority, principals=, no-touch-required.  Harmless,
 * whether with "no-" or without: agent-forwarding, X11-forwarding, pty,
 * user-rc.  Any other option (command=, environment=, tunnel=, permitlisten=,
 * verify-required...) makes the line hold for nobody: DENY_KEY_OPTION.
 * Pure.
 */
#ifndef JUMPD_AUTHORIZED_KEYS_H
#define JUMPD_AUTHORIZED_KEYS_H

#include "jumpd/key_blob.h"
#include "jumpd/key_digest.h"
#include "jumpd/permit.h"

enum {
	AUTHORIZED_LINE_MAX = 16 * 1024,	/* octets, no newline */
	AUTHORIZED_TEXT_MAX = 4096	/* octets of from= and principals= */
};

/*
 * expiry-time=.  Without a 'Z' it is in the time zone of this host, which
 * pure code does not know: the caller converts.
 */
struct authorized_expiry {
	bool		set;
	bool		local;		/* civil_s is local time */
	int64_t		civil_s;	/* seconds since 1970, as if UTC */
};

/* A line with a key; all of it is copied, nothing is borrowed. */
struct authorized_key {
	enum key_type	 type;
	struct key_digest digest;
	bool		 cert_authority;
	bool		 no_touch_required;
	bool		 may_forward;	/* after restrict, no-port-forwarding,
					 * port-forwarding */
	struct authorized_expiry expiry;	/* the earliest given */
	struct permit_list *permit;	/* owned; NULL: anything */
	bool		 has_from;
	uint16_t	 from_len;
	bool		 has_principals;
	uint16_t	 principals_len;
	char		 from[AUTHORIZED_TEXT_MAX];	/* no NUL */
	char		 principals[AUTHORIZED_TEXT_MAX];	/* no NUL */
};

enum authorized_line {
	AUTHORIZED_KEY,
	AUTHORIZED_NOTHING,	/* empty or a comment */
	AUTHORIZED_BAD		/* holds for nobody */
};

/*
 * Read a line of `len` octets, without its newline.  On AUTHORIZED_KEY the
 * key is in *ret, which authorized_key_fini releases; on AUTHORIZED_BAD the
 * reason is in *ret_reason (DENY_KEY_OPTION, _MALFORMED, _TYPE, _WEAK,
 * DENY_NO_MEMORY) and, printable, "option \"foo\" ..." in problem[room].
 * What is not set is untouched.
 */
enum authorized_line authorized_key_parse(const char *line, size_t len,
    struct authorized_key *ret, enum deny_reason *ret_reason, char *problem,
    size_t room);
void authorized_key_fini(struct authorized_key *);

/*
 * Only the digest of the line's key and whether it is a CA: for an index of
 * many lines, which are read whole when they are needed.  Returns as
 * authorized_key_parse does, but a line with bad options may pass.
 */
enum authorized_line authorized_key_peek(const char *line, size_t len,
    struct key_digest *ret, bool *ret_cert_authority);

/* True if the list (separated by commas) names the principal. */
bool authorized_principals_have(const char *list, size_t len,
    const char *name, size_t name_len);

#endif
