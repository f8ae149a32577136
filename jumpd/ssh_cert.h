/* SPDX-License-Identifier: ISC */
/*
 * ssh_cert.h - OpenSSH user certificates, version 01 (PROTOCOL.certkeys).
 *
 * Three steps: parse (the syntax and what is in it), verify (the CA's
 * signature, with OpenSSL), judge (type, validity, critical options).
 * Whether the CA is trusted, the principal right and nothing revoked is the
 * caller's.  Pure; OpenSSL only in ssh_cert_verify.c.
 */
#ifndef JUMPD_SSH_CERT_H
#define JUMPD_SSH_CERT_H

#include "common/addr.h"
#include "jumpd/key_blob.h"
#include "jumpd/key_digest.h"

enum { CERT_PRINCIPALS_MAX = 256 };	/* as OpenSSH has it */

/* Octets of the certificate's blob. */
struct cert_span {
	const uint8_t	*at;		/* borrowed from the blob */
	size_t		 len;
};

/* Everything borrows from the blob that was parsed. */
struct ssh_cert {
	enum key_type	 type;		/* of the certified key */
	struct cert_span fields;	/* of the key, without its type */
	struct key_digest key;		/* of the certified plain key */
	uint64_t	 serial;
	uint32_t	 cert_type;	/* 1 user, 2 host */
	struct cert_span key_id;	/* any octets */
	struct cert_span principals;	/* strings, well-formed */
	uint32_t	 n_principals;
	uint64_t	 valid_after;	/* seconds since 1970, first valid */
	uint64_t	 valid_before;	/* first no longer valid; all ones:
					 * for ever */
	struct cert_span critical;	/* names and data, well-formed */
	struct cert_span extensions;	/* likewise */
	bool		 permits_forwarding;	/* permit-port-forwarding */
	bool		 no_touch_required;	/* extension of that name */
	enum key_type	 ca_type;
	struct cert_span ca;		/* the CA's key blob */
	struct key_digest ca_digest;
	struct cert_span signed_part;	/* what the CA signed */
	struct cert_span signature;	/* its blob */
};

/*
 * DENY_NONE; DENY_CERT_MALFORMED, DENY_KEY_TYPE (of the certified key),
 * DENY_KEY_WEAK, DENY_CERT_CA_TYPE (CA key of a type not accepted, or a
 * certificate itself); *ret is untouched then.  Options must stand in
 * lexical order, each once.
 */
enum deny_reason ssh_cert_parse(const void *blob, size_t len,
    struct ssh_cert *ret);

/*
 * Is the CA's signature right?  DENY_NONE, DENY_CERT_CA_TYPE (ssh-rsa with
 * SHA-1, or a type that does not fit the key) or DENY_CERT_SIGNATURE.
 */
enum deny_reason ssh_cert_verify(const struct ssh_cert *);

/*
 * Is it a user's, valid at `now_s` (seconds since 1970), for this client,
 * without a critical option we do not know (force-command and
 * verify-required among them), and does it permit port forwarding?
 * DENY_NONE, DENY_CERT_NOT_USER, _NOT_YET, _EXPIRED, _CRITICAL, _SOURCE,
 * _NO_PRINCIPALS, _NO_FORWARDING, DENY_TOUCH.
 */
enum deny_reason ssh_cert_judge(const struct ssh_cert *, uint64_t now_s,
    const struct addr *client);

bool ssh_cert_has_principal(const struct ssh_cert *, const char *name,
    size_t len);

/* Write the certified key as a plain one; returns its length. */
size_t ssh_cert_plain_key(const struct ssh_cert *, uint8_t out[KEY_BLOB_MAX]);

/*
 * Warm OpenSSL: fetch every algorithm that digests and verifies keys, so
 * that nothing is opened or loaded after the sandbox has closed.
 */
void ssh_cert_warm(void);

#endif
