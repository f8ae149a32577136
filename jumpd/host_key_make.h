/* SPDX-License-Identifier: ISC */
/*
 * host_key_make.h - new host keys, as ssh-keygen(1) writes them (PROTOCOL.key).
 *
 * libssh 0.10 writes ECDSA keys only as PEM; so OpenSSL makes the keys and we
 * write them.  For jumpd -g, never for the daemon.
 */
#ifndef JUMPD_HOST_KEY_MAKE_H
#define JUMPD_HOST_KEY_MAKE_H

#include "jumpd/host_keys.h"

/*
 * Make a key (ed25519, ECDSA P-256, RSA with 3072 bits) and write it to
 * `path`, which must not exist, with mode 600, and its public half to
 * PATH.pub with mode 644.  Returns false with what is wrong in
 * problem[room]; nothing is left then.
 */
bool host_key_make(enum host_key_type, const char *path, char *problem,
    size_t room);

#endif
