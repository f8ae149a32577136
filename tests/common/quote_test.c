/* SPDX-License-Identifier: ISC */
#include "common/quote.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/hostile.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

Test(quote, what_is_not_printable_ascii_is_escaped)
{
	static const struct {
		const char	*in;
		size_t		 len;
		const char	*out;
	} cases[] = {
		{ "", 0, "\"\"" },
		{ "www.example.com", 15, "\"www.example.com\"" },
		{ " ~", 2, "\" ~\"" },
		{ "a\"b\\c", 5, "\"a\\\"b\\\\c\"" },
		{ "\r\n\t", 3, "\"\\x0d\\x0a\\x09\"" },
		{ "\0\x1b\x1f\x7f", 4, "\"\\x00\\x1b\\x1f\\x7f\"" },
		{ "\x80\xff", 2, "\"\\x80\\xff\"" },
		{ "\xc3\xa9", 2, "\"\\xc3\\xa9\"" },
	};
	char out[64];
	size_t i;

	for (i = 0; i < N(cases); i++) {
		cr_assert_eq(quote(cases[i].in, cases[i].len, out,
		    sizeof(out)), strlen(cases[i].out), "%s", cases[i].out);
		cr_assert_str_eq(out, cases[i].out);
	}
	cr_assert_eq(quote(NULL, 0, out, sizeof(out)), 2);
}

Test(quote, every_octet_has_its_one_text)
{
	char out[8], want[8];
	unsigned octet;
	uint8_t in;

	for (octet = 0; octet < 256; octet++) {
		in = (uint8_t)octet;
		if (octet == '"' || octet == '\\')
			snprintf(want, sizeof(want), "\"\\%c\"", (int)octet);
		else if (octet >= ' ' && octet <= '~')
			snprintf(want, sizeof(want), "\"%c\"", (int)octet);
		else
			snprintf(want, sizeof(want), "\"\\x%02x\"", octet);
		cr_assert_eq(quote(&in, 1, out, sizeof(out)), strlen(want),
		    "octet %#x", octet);
		cr_assert_str_eq(out, want, "octet %#x: %s", octet, out);
	}
}

Test(quote, what_does_not_fit_is_cut_between_octets)
{
	static const struct {
		const char	*in;
		size_t		 room;
		const char	*out;
	} cases[] = {
		{ "abcde", 8, "\"abcde\"" },
		{ "abcdef", 8, "\"ab...\"" },
		{ "abcdef", 9, "\"abcdef\"" },
		{ "abcdefg", 9, "\"abc...\"" },
		{ "\n", 8, "\"\\x0a\"" },
		{ "\n\n", 8, "\"...\"" },
		{ "\n\n", 10, "\"\\x0a...\"" },
		{ "\n\n", 11, "\"\\x0a\\x0a\"" },
		{ "a\n\n", 10, "\"a...\"" },
		{ "\"\"\"", 8, "\"\\\"...\"" },
	};
	char out[16];
	size_t i;

	for (i = 0; i < N(cases); i++) {
		memset(out, '#', sizeof(out));
		cr_assert_eq(quote(cases[i].in, strlen(cases[i].in), out,
		    cases[i].room), strlen(cases[i].out), "%s in %zu",
		    cases[i].out, cases[i].room);
		cr_assert_str_eq(out, cases[i].out, "%s, not %s", out,
		    cases[i].out);
		cr_assert_eq(out[cases[i].room], '#', "wrote beyond its room");
	}
}

/* Whatever goes in, out comes one printable string that ends at its quote. */
static void
quote_in_every_room(const uint8_t *bytes, size_t len, void *arg)
{
	size_t room, n, i;
	char *out;

	(void)arg;
	for (room = 8; room <= 4 * len + 8; room++) {
		out = malloc(room);
		n = quote(bytes, len, out, room);
		cr_assert(n >= 2 && n < room);
		cr_assert_eq(strlen(out), n);
		cr_assert(out[0] == '"' && out[n - 1] == '"');
		for (i = 1; i < n - 1; i++) {
			cr_assert(out[i] >= ' ' && out[i] <= '~');
			cr_assert_neq(out[i], '"');
			if (out[i] == '\\')
				i++;
		}
		cr_assert_eq(i, n - 1, "the closing quote is escaped");
		free(out);
	}
}

Test(quote, its_string_is_whole_in_any_room)
{
	static const char nasty[] = "\\a\"\\\n\xff\"x";

	hostile_cuts(nasty, sizeof(nasty), quote_in_every_room, NULL);
	hostile_bit_flips(nasty, sizeof(nasty), quote_in_every_room, NULL);
}
