/* SPDX-License-Identifier: ISC */
#include "common/base64.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/hostile.h"

/* RFC 4648 10 */
static const struct {
	const char	*plain, *coded;
} cases[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
	{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" } };

Test(base64, codes_as_the_rfc_does)
{
	char text[16];
	uint8_t octets[16];
	size_t i, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = base64_encode(cases[i].plain, strlen(cases[i].plain),
		    text);
		cr_expect_str_eq(text, cases[i].coded);
		cr_expect_eq(n, strlen(cases[i].coded));
		cr_assert(base64_decode(cases[i].coded,
		    strlen(cases[i].coded), octets, sizeof(octets), &n));
		cr_expect_eq(n, strlen(cases[i].plain));
		cr_expect_eq(memcmp(octets, cases[i].plain, n), 0);
	}
}

Test(base64, takes_text_without_padding)
{
	uint8_t octets[4];
	size_t n;

	cr_expect(base64_decode("Zg", 2, octets, 1, &n));
	cr_expect_eq(n, 1);
	cr_expect(base64_decode("Zm8", 3, octets, 2, &n));
	cr_expect_eq(n, 2);
}

Test(base64, refuses_what_is_not_canonical)
{
	static const char *const bad[] = { "Z", "Zh==", "Zm9=", "Zg=", "Zg===",
		"====", "=", "Zm9v=", "Zm9v====", "Z=g=", "Zm 9v", "Zm9v\n",
		"Zm9-", "Zm9_", "Zm9v Zm9v" };
	uint8_t octets[16];
	size_t i, n = 99;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(base64_decode(bad[i], strlen(bad[i]), octets,
				  sizeof(octets), &n), "%s", bad[i]);
	cr_expect_not(base64_decode("Zm9v", 4, octets, 2, &n));
	cr_expect_eq(n, 99);
}

static void
round_trip(const uint8_t *bytes, size_t len, void *arg)
{
	uint8_t *out = malloc(BASE64_DECODED(len));
	char *text = malloc(BASE64_ENCODED(len));
	size_t n;

	(void)arg;
	if (base64_decode((const char *)bytes, len, out, BASE64_DECODED(len),
		&n)) {
		base64_encode(out, n, text);
		/* The same, but for padding that was left out. */
		cr_assert_eq(strncmp(text, (const char *)bytes, len), 0);
	}
	free(out);
	free(text);
}

Test(base64, survives_every_cut_and_bit_flip)
{
	static const char text[] = "AAAAC3NzaC1lZDI1NTE5AAAAIA==";

	hostile_cuts(text, sizeof(text) - 1, round_trip, NULL);
	hostile_bit_flips(text, sizeof(text) - 1, round_trip, NULL);
}
