/* SPDX-License-Identifier: ISC */
/*
 * key_blob.h - SSH public keys as they are on the wire (RFC 4253 6.6, RFC 5656
 * 3.1, RFC 8709 4, OpenSSH's PROTOCOL.u2f and PROTOCOL.certkeys).
 *
 * Pure.
 */
#ifndef JUMPD_KEY_BLOB_H
#define JUMPD_KEY_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "jumpd/deny_reasons.h"

/* KEY_TYPE(id, name on the wire, name of its certificates) */
#define KEY_TYPES \
	KEY_TYPE(ED25519, "ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com") \
	KEY_TYPE(ECDSA_256, "ecdsa-sha2-nistp256", \
	    "ecdsa-sha2-nistp256-cert-v01@openssh.com") \
	KEY_TYPE(ECDSA_384, "ecdsa-sha2-nistp384", \
	    "ecdsa-sha2-nistp384-cert-v01@openssh.com") \
	KEY_TYPE(ECDSA_521, "ecdsa-sha2-nistp521", \
	    "ecdsa-sha2-nistp521-cert-v01@openssh.com") \
	KEY_TYPE(RSA, "ssh-rsa", "ssh-rsa-cert-v01@openssh.com") \
	KEY_TYPE(SK_ED25519, "sk-ssh-ed25519@openssh.com", \
	    "sk-ssh-ed25519-cert-v01@openssh.com") \
	KEY_TYPE(SK_ECDSA_256, "sk-ecdsa-sha2-nistp256@openssh.com", \
	    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com")

enum key_type {
#define KEY_TYPE(id, name, cert) KEY_##id,
	KEY_TYPES
#undef KEY_TYPE
	N_KEY_TYPES
};

enum {
	KEY_BLOB_MAX = 4096,		/* octets of a plain key's blob */
	KEY_CERT_MAX = 16 * 1024,	/* octets of a certificate's blob */
	KEY_RSA_BITS_MIN = 2048,
	KEY_RSA_BITS_MAX = 16384
};

struct key_blob {
	enum key_type	 type;
	const uint8_t	*bytes;		/* borrowed */
	size_t		 len;
	uint16_t	 rsa_bits;	/* 0 for others */
};

/*
 * Check that `len` octets are one well-formed plain public key and nothing
 * after it.  DENY_NONE, or DENY_KEY_MALFORMED, DENY_KEY_TYPE (DSA, a
 * certificate, unknown), DENY_KEY_WEAK; *ret is untouched then.  Whether a
 * point is on its curve is not looked at.
 */
enum deny_reason key_blob_read(const void *bytes, size_t len,
    struct key_blob *ret);

/*
 * The octets of a key of this type that follow the name of the type, in a
 * plain key as in a certificate: *from moves behind them.  DENY_NONE,
 * DENY_KEY_MALFORMED or DENY_KEY_WEAK.
 */
enum deny_reason key_blob_fields(enum key_type, struct bytes *from,
    uint16_t *ret_rsa_bits);

/* True if the blob says that it is a certificate, of whatever type. */
bool key_blob_is_cert(const void *bytes, size_t len);

/* True for keys in security keys: whose touch libssh cannot verify. */
bool key_type_is_sk(enum key_type);

const char *key_type_name(enum key_type);
const char *key_type_cert_name(enum key_type);

/* The type of that name (not of certificates), or N_KEY_TYPES. */
enum key_type key_type_find(const void *name, size_t len);
enum key_type key_type_find_cert(const void *name, size_t len);

#endif
