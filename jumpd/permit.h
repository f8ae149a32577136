/* SPDX-License-Identifier: ISC */
/*
 * permit.h - permitopen= and from= as sshd(8) has them, with prefixes.
 *
 * permitopen: each element is HOST:PORT or [HOST]:PORT.  HOST is "*", a host
 * name or, in brackets, an IPv6 address or prefix; PORT is 1-65535 or "*".
 * Names, and "*", are compared with the name that was asked for, whatever it
 * leads to; an address or prefix with the address that is connected, however it
 * was asked for; ports always with the port that was asked for, as sshd does,
 * for which a mapping may have another one.  IPv4 elements are well-formed and
 * match nothing.
 *
 * from: patterns separated by commas; one that starts with '!' and matches
 * refuses, wherever it stands, and one must match.  A pattern is an address or
 * prefix, or a wildcard pattern ('*', '?') over the client address's text.
 * Host names are never looked up, so patterns of names match nothing.
 *
 * Pure.
 */
#ifndef JUMPD_PERMIT_H
#define JUMPD_PERMIT_H

#include "common/prefix.h"
#include "jumpd/target.h"

enum {
	PERMIT_RULES_MAX = 256,
	PERMIT_TEXT_MAX = 8192,		/* octets of a permitopen list */
	FROM_TEXT_MAX = 4096		/* octets of a from list */
};

struct permit_list;	/* of 1-PERMIT_RULES_MAX rules */

/*
 * Add the elements of `text` to *list, which is made if it is NULL.  Returns
 * false, with *list as it was, if one is malformed or there are too many;
 * *ret_memory tells whether it was memory that was missing.
 */
bool permit_add(struct permit_list **list, const char *text, size_t len,
    bool *ret_memory);
void permit_free(struct permit_list *);

/*
 * May a client that asked for `asked` be connected to `to`?  A NULL list
 * permits everything.
 */
bool permit_check(const struct permit_list *,
    const struct jump_target *asked, const struct addr *to);

/*
 * Could any address of the name be permitted?  Before it is looked up: what
 * only permits other names costs no look-up.
 */
bool permit_may(const struct permit_list *, const struct jump_target *asked);

enum from_match {
	FROM_MATCH,
	FROM_NO_MATCH,
	FROM_MALFORMED		/* to be taken as no match */
};

enum from_match from_check(const char *patterns, size_t len,
    const struct addr *client);

/* The same for a certificate's source-address: addresses and prefixes only,
 * no negation (PROTOCOL.certkeys). */
enum from_match source_address_check(const char *list, size_t len,
    const struct addr *client);

#endif
