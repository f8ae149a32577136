/* SPDX-License-Identifier: ISC */
/*
 * key_digest.h - a key is told from others by the SHA-256 of its blob, as
 * ssh-keygen -l prints it.
 *
 * Pure; OpenSSL does the digests.
 */
#ifndef JUMPD_KEY_DIGEST_H
#define JUMPD_KEY_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KEY_DIGEST_TEXT_MAX = 64,	/* "SHA256:...", with NUL */
	KEY_SHA1_OCTETS = 20
};

struct key_digest {
	uint8_t	octet[32];		/* SHA-256 */
};

/* SHA-256 of any octets. */
struct key_digest key_digest_of(const void *bytes, size_t len);
bool key_digest_equal(const struct key_digest *, const struct key_digest *);

/* SHA-1, by which old revocation lists name keys; for nothing else. */
void key_sha1_of(const void *bytes, size_t len, uint8_t out[KEY_SHA1_OCTETS]);

/* "SHA256:" and unpadded base64, as OpenSSH prints it; returns `out`. */
char *key_digest_format(const struct key_digest *,
    char out[KEY_DIGEST_TEXT_MAX]);

/*
 * Read what key_digest_format writes ("SHA256:" may be missing, padding is
 * allowed).  Returns false with *ret untouched for anything else.
 */
bool key_digest_parse(const char *text, size_t len, struct key_digest *ret);

#endif
