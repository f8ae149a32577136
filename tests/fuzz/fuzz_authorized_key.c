/* SPDX-License-Identifier: ISC */
/*
 * fuzz_authorized_key.c - a line of authorized_keys: it is a key, it is
 * nothing, or there is a reason and a printable message; and what is judged
 * by it can be.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "jumpd/authorized_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
judge(const struct authorized_key *key)
{
	static const struct addr to = { { 0x20, 1, 0xd, 0xb8 } };
	struct jump_target asked;

	assert(jump_target_parse("vm1.example", 11, 22, &asked) == DENY_NONE);
	if (permit_check(key->permit, &asked, &to))
		assert(permit_may(key->permit, &asked));
	if (key->has_from) {
		assert(key->from_len > 0);
		assert(from_check(key->from, key->from_len, &to) !=
		    FROM_MALFORMED);
	}
	if (key->has_principals)
		(void)authorized_principals_have(key->principals,
		    key->principals_len, "jump", 4);
	assert(key->type < N_KEY_TYPES);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *line = (const char *)bytes;
	struct authorized_key key;
	struct key_digest digest;
	enum deny_reason reason = DENY_NONE;
	char problem[256] = "";
	bool ca = false;
	size_t i;

	switch (authorized_key_parse(line, len, &key, &reason, problem,
	    sizeof(problem))) {
	case AUTHORIZED_KEY:
		judge(&key);
		assert(authorized_key_peek(line, len, &digest, &ca) ==
		    AUTHORIZED_KEY);
		assert(key_digest_equal(&digest, &key.digest));
		assert(ca == key.cert_authority);
		authorized_key_fini(&key);
		break;
	case AUTHORIZED_NOTHING:
		assert(authorized_key_peek(line, len, &digest, &ca) ==
		    AUTHORIZED_NOTHING);
		break;
	case AUTHORIZED_BAD:
		assert(reason != DENY_NONE && problem[0] != '\0');
		for (i = 0; problem[i] != '\0'; i++)
			assert(problem[i] >= 0x20 && problem[i] < 0x7f);
		break;
	}
	return 0;
}
