/* SPDX-License-Identifier: ISC */
/*
 * fuzz_ssh_cert.c - a certificate's blob: nothing is read beyond it, and
 * what was parsed can be verified and judged.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "jumpd/ssh_cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
is_inside(const struct cert_span *span, const uint8_t *bytes, size_t len)
{
	assert(span->len <= len);
	assert(span->at >= bytes && span->at + span->len <= bytes + len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct addr client = { { 0x20, 1, 0xd, 0xb8 } };
	struct ssh_cert cert, before;
	uint8_t plain[KEY_BLOB_MAX];
	struct key_digest digest;
	struct key_blob key;

	memset(&before, 0xa5, sizeof(before));
	memcpy(&cert, &before, sizeof(cert));
	if (ssh_cert_parse(bytes, len, &cert) != DENY_NONE) {
		assert(memcmp(&cert, &before, sizeof(cert)) == 0);
		return 0;
	}
	assert(key_blob_is_cert(bytes, len));
	is_inside(&cert.fields, bytes, len);
	is_inside(&cert.key_id, bytes, len);
	is_inside(&cert.principals, bytes, len);
	is_inside(&cert.critical, bytes, len);
	is_inside(&cert.extensions, bytes, len);
	is_inside(&cert.ca, bytes, len);
	is_inside(&cert.signed_part, bytes, len);
	is_inside(&cert.signature, bytes, len);
	len = ssh_cert_plain_key(&cert, plain);
	assert(key_blob_read(plain, len, &key) == DENY_NONE);
	assert(key.type == cert.type);
	digest = key_digest_of(plain, len);
	assert(key_digest_equal(&digest, &cert.key));
	(void)ssh_cert_has_principal(&cert, "jump", 4);
	(void)ssh_cert_judge(&cert, 1767225600, &client);
	(void)ssh_cert_verify(&cert);
	return 0;
}
