/* SPDX-License-Identifier: ISC */
#include "jumpd/key_digest.h"

#include <criterion/criterion.h>
#include <string.h>

Test(key_digest, prints_what_ssh_keygen_prints)
{
	/* printf x | openssl dgst -sha256 -binary | base64 */
	struct key_digest d = key_digest_of("x", 1), again;
	char text[KEY_DIGEST_TEXT_MAX];

	key_digest_format(&d, text);
	cr_expect_str_eq(text,
	    "SHA256:LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE");
	cr_expect(key_digest_parse(text, strlen(text), &again));
	cr_expect(key_digest_equal(&d, &again));
	cr_expect(key_digest_parse(text + 7, strlen(text) - 7, &again));
	cr_expect_not(key_digest_parse(text, strlen(text) - 1, &again));
	cr_expect_not(key_digest_parse("MD5:aa", 6, &again));
	cr_expect_not(key_digest_parse("", 0, &again));
}

Test(key_sha1, is_sha1)
{
	static const uint8_t right[KEY_SHA1_OCTETS] = { 0x11, 0xf6, 0xad, 0x8e,
		0xc5, 0x2a, 0x29, 0x84, 0xab, 0xaa, 0xfd, 0x7c, 0x3b, 0x51, 0x65,
		0x03, 0x78, 0x5c, 0x20, 0x72 };
	uint8_t got[KEY_SHA1_OCTETS];

	key_sha1_of("x", 1, got);
	cr_expect_eq(memcmp(got, right, sizeof(right)), 0);
}
