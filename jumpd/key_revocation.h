/* SPDX-License-Identifier: ISC */
/*
 * key_revocation.h - keys and certificates that hold no longer.
 *
 * Two kinds of files: an OpenSSH KRL (ssh-keygen -k; PROTOCOL.krl), known by
 * its magic, or text, one entry a line, in the words of ssh-keygen's KRL
 * specification:
 *
 *	serial: 5		a certificate's serial number; or 5-9
 *	id: key identifier	a certificate's
 *	key: ssh-ed25519 AAAA...	a key, a certified key or a CA
 *	hash: SHA256:...	the same by fingerprint (sha256: is the same)
 *	ca: ssh-ed25519 AAAA...	serial and id from here on are this CA's
 *	ca: *			... any CA's, as at the beginning
 *	ssh-ed25519 AAAA...	as key:
 *
 * Empty lines and those that start with '#' say nothing.  A serial number of
 * zero is never looked for: it says that the CA does not number.  A malformed
 * file revokes what it says until the fault and is reported: the caller refuses
 * to use it.
 * Pure.
 */
#ifndef JUMPD_KEY_REVOCATION_H
#define JUMPD_KEY_REVOCATION_H

#include "jumpd/key_blob.h"
#include "jumpd/ssh_cert.h"

enum { REVOCATION_OCTETS_MAX = 16 << 20 };	/* of one file */

struct revocation;

struct revocation *revocation_new(void);	/* NULL: out of memory */
void revocation_free(struct revocation *);

/*
 * Add a file.  Returns false, with the line (0: the whole file) and, printable,
 * what is wrong in problem[room].
 */
bool revocation_add(struct revocation *, const void *bytes, size_t len,
    uint32_t *ret_line, char *problem, size_t room);

/* To be called once after the last file; look-ups are O(log n) then. */
void revocation_seal(struct revocation *);

/*
 * `blob` (a plain key's octets) is for KRLs that name keys whole or by SHA-1;
 * `digest` is its SHA-256.  A NULL list revokes nothing.
 */
bool revocation_has_key(const struct revocation *, const void *blob,
    size_t len, const struct key_digest *digest);

/* By serial, id, certified key, or its CA's key. */
bool revocation_has_cert(const struct revocation *, const struct ssh_cert *);

/* Entries, for logs. */
size_t revocation_count(const struct revocation *);

#endif
