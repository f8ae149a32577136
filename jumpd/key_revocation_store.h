/* SPDX-License-Identifier: ISC */
/*
 * key_revocation_store.h - what the files of key revocation have of each other;
 * nobody else includes it.
 *
 *	key_revocation.c	keeps and finds what is revoked
 *	key_revocation_krl.c	reads OpenSSH's binary lists
 *	key_revocation_text.c	reads text
 *
 * Pure.
 */
#ifndef JUMPD_KEY_REVOCATION_STORE_H
#define JUMPD_KEY_REVOCATION_STORE_H

#include "common/bytes.h"
#include "jumpd/key_revocation.h"

/* Entries of all kinds: a bitmap of a small file can stand for many. */
enum { REVOCATION_ENTRIES_MAX = 1 << 20 };

/* Whose certificates: all zero is any CA's. */
struct revoked_serials {
	struct key_digest ca;
	uint64_t	first, last;
};

struct revoked_id {
	struct key_digest ca;
	struct key_digest id;		/* SHA-256 of the key id */
};

struct revoked_sha1 {
	uint8_t		octet[KEY_SHA1_OCTETS];
};

/* An array that grows and, once sealed, is sorted. */
struct revoked_list {
	size_t		 size;		/* of an element */
	size_t		 n, room;
	void		*at;		/* owned */
};

struct revocation {
	struct revoked_list serials, ids, digests, sha1s;
	bool		sealed;
};

/* Each returns false if there is no memory or there are too many entries. */
bool revocation_store_serials(struct revocation *,
    const struct key_digest *ca, uint64_t first, uint64_t last);
bool revocation_store_id(struct revocation *, const struct key_digest *ca,
    const void *id, size_t len);
bool revocation_store_digest(struct revocation *, const struct key_digest *);
bool revocation_store_sha1(struct revocation *,
    const uint8_t sha1[KEY_SHA1_OCTETS]);

/* Is it a KRL?  It begins with the magic. */
bool revocation_is_krl(const void *bytes, size_t len);

/* Read one; returns NULL, or what is wrong (static text). */
const char *revocation_read_krl(struct revocation *, const void *bytes,
    size_t len);

/* The same of text, with the line. */
const char *revocation_read_text(struct revocation *, const void *bytes,
    size_t len, uint32_t *ret_line);

#endif
