/* SPDX-License-Identifier: ISC */
/*
 * fuzz_key_revocation.c - a list of revoked keys, OpenSSH's or text: it is
 * read whole or refused with a printable message.
 */
#include <assert.h>
#include <stdint.h>

#include "jumpd/key_revocation.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct revocation *r = revocation_new();
	struct key_digest digest = key_digest_of(bytes, len);
	char problem[256] = "";
	uint32_t line = 0;
	size_t i, n;

	assert(r != NULL);
	if (!revocation_add(r, bytes, len, &line, problem, sizeof(problem))) {
		assert(problem[0] != '\0');
		for (i = 0; problem[i] != '\0'; i++)
			assert(problem[i] >= 0x20 && problem[i] < 0x7f);
	}
	n = revocation_count(r);
	revocation_seal(r);
	assert(revocation_count(r) <= n);
	(void)revocation_has_key(r, bytes, len, &digest);
	revocation_free(r);
	return 0;
}
