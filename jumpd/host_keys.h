/* SPDX-License-Identifier: ISC */
/*
 * host_keys.h - the keys by which clients know us, and libssh's server side.
 *
 * Loaded by the parent, which parses nothing that peers send.  Sessions'
 * processes get them by fork: libssh signs the key exchange itself, so it must
 * have them; they are not in any file that such a process could open.
 */
#ifndef JUMPD_HOST_KEYS_H
#define JUMPD_HOST_KEYS_H

#include <stdbool.h>
#include <stddef.h>

struct ssh_session_struct;		/* libssh's */

enum host_key_type {
	HOST_KEY_ED25519,
	HOST_KEY_ECDSA,
	HOST_KEY_RSA,
	N_HOST_KEY_TYPES
};

/* "ed25519", as in the setting's name. */
const char *host_key_type_name(enum host_key_type);

struct host_keys;

/*
 * Read the private keys; a path that is "" is passed over.  A file that others
 * may read is refused.  Returns NULL with "PATH: what is wrong" in
 * problem[room], and in *ret_type the type it was about.
 */
struct host_keys *host_keys_load(
    const char *const path[N_HOST_KEY_TYPES], char *problem, size_t room,
    enum host_key_type *ret_type);
void host_keys_free(struct host_keys *);

/*
 * Exchange keys with ourselves, once for each key and kind of cipher: it shows
 * that they work, and libcrypto loads now what it would load after the
 * sandbox has closed.  Returns false if that fails.
 */
bool host_keys_warm(struct host_keys *);

/* Make the session one that serves the socket `fd`, which it takes over.
 * Returns false if there is no memory. */
bool host_keys_accept(struct host_keys *, struct ssh_session_struct *,
    int fd);

/* "SHA256:..." of the public key, for people; owned by the caller (free), NULL
 * if there is no such key. */
char *host_keys_fingerprint(const struct host_keys *, enum host_key_type);

/* The library's name and version, and the key exchanges that it offers. */
const char *host_keys_library(void);

#endif
