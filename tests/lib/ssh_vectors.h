/* SPDX-License-Identifier: ISC */
/*
 * ssh_vectors.h - tests/vectors/jumpd/: keys and certificates as ssh-keygen
 * made them, and hand-made ones for what it does not make.
 */
#ifndef TESTS_LIB_SSH_VECTORS_H
#define TESTS_LIB_SSH_VECTORS_H

#include <stddef.h>
#include <stdint.h>

struct ssh_vector {
	uint8_t	*bytes;		/* owned; exactly `len` octets, on the heap */
	size_t	 len;
};

/* The blob in NAME.pub ("type base64 comment"), or the octets of NAME.hex.
 * Aborts if there is none. */
struct ssh_vector ssh_vector_load(const char *name);
void ssh_vector_free(struct ssh_vector *);

/* The text of NAME.pub, one line, NUL-ended; the caller frees it. */
char *ssh_vector_text(const char *name);

/* Octets that grow as an SSH message is put together. */
struct ssh_build {
	size_t	len;
	uint8_t	bytes[32 * 1024];
};

void ssh_build_u32(struct ssh_build *, uint32_t);
void ssh_build_u64(struct ssh_build *, uint64_t);
void ssh_build_raw(struct ssh_build *, const void *, size_t);
void ssh_build_string(struct ssh_build *, const void *, size_t);
void ssh_build_text(struct ssh_build *, const char *);

#endif
