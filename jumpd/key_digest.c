/* SPDX-License-Identifier: ISC */
#include "jumpd/key_digest.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#include "common/base64.h"

static const char sha256_name[] = "SHA256:";

struct key_digest
key_digest_of(const void *bytes, size_t len)
{
	struct key_digest d;
	unsigned n = 0;
	int done;

	done = EVP_Digest(bytes, len, d.octet, &n, EVP_sha256(), NULL);
	assert(done == 1 && n == sizeof(d.octet));	/* or no memory */
	return d;
}

bool
key_digest_equal(const struct key_digest *a, const struct key_digest *b)
{
	return memcmp(a->octet, b->octet, sizeof(a->octet)) == 0;
}

void
key_sha1_of(const void *bytes, size_t len, uint8_t out[KEY_SHA1_OCTETS])
{
	unsigned n = 0;
	int done;

	done = EVP_Digest(bytes, len, out, &n, EVP_sha1(), NULL);
	assert(done == 1 && n == KEY_SHA1_OCTETS);
}

char *
key_digest_format(const struct key_digest *d, char out[KEY_DIGEST_TEXT_MAX])
{
	size_t n = sizeof(sha256_name) - 1;

	_Static_assert(sizeof(sha256_name) - 1 +
		    BASE64_ENCODED(sizeof(struct key_digest)) <=
		KEY_DIGEST_TEXT_MAX, "room");
	memcpy(out, sha256_name, n);
	n += base64_encode(d->octet, sizeof(d->octet), out + n);
	out[n - 1] = '\0';	/* 32 octets always have one '=' */
	return out;
}

bool
key_digest_parse(const char *text, size_t len, struct key_digest *ret)
{
	size_t skip = sizeof(sha256_name) - 1, n;
	struct key_digest d;

	if (len > skip && memcmp(text, sha256_name, skip) == 0) {
		text += skip;
		len -= skip;
	}
	if (!base64_decode(text, len, d.octet, sizeof(d.octet), &n) ||
	    n != sizeof(d.octet))
		return false;
	*ret = d;
	return true;
}
