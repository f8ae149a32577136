/* SPDX-License-Identifier: ISC */
/*
 * key_bundle.h - all files with keys as one piece of memory: what the parent
 * read (key_files.h) and the broker, which may not open files, looks into.
 *
 * Pure: the layout and its bounded reader.
 */
#ifndef JUMPD_KEY_BUNDLE_H
#define JUMPD_KEY_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_file_kind {
	KEY_FILE_AUTHORIZED = 1,	/* authorized_keys lines */
	KEY_FILE_TRUSTED_CA,		/* a public key a line */
	KEY_FILE_REVOKED		/* key_revocation.h */
};

enum {
	KEY_BUNDLE_OCTETS_MAX = 256 << 20,
	KEY_FILE_NAME_MAX = 1024
};

struct key_file {
	enum key_file_kind kind;
	uint64_t	 users;		/* bit (1 << index in auth_policy) that
					 * it holds for; REVOKED: all */
	const char	*name;		/* borrowed; printable, no NUL */
	size_t		 name_len;
	const char	*text;		/* borrowed; any octets */
	size_t		 len;
};

/*
 * The file at *at, which then moves behind it.  Returns false at the end;
 * also if the bundle is malformed, and then *at is not `len`.
 */
bool key_bundle_next(const void *bundle, size_t len, size_t *at,
    struct key_file *ret);

/* Octets that a file takes, and its header, which stands before its name and
 * text.  Names are cut to KEY_FILE_NAME_MAX by the caller. */
enum { KEY_FILE_HEADER_OCTETS = 24 };
void key_file_header(const struct key_file *,
    uint8_t out[KEY_FILE_HEADER_OCTETS]);

#endif
