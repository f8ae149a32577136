/* SPDX-License-Identifier: ISC */
#include "common/hostname.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/lib/hostile.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define A10 "aaaaaaaaaa"
#define LABEL_63 A10 A10 A10 A10 A10 A10 "aaa"
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 "." \
    A10 A10 A10 A10 A10 A10 "a"

typedef enum hostname_error normalise_fn(const uint8_t *, size_t,
    char out[HOSTNAME_MAX + 1], size_t *);

static void
expect_name(normalise_fn *normalise, const char *in, const char *want)
{
	char out[HOSTNAME_MAX + 1];
	size_t len;

	cr_assert_eq(normalise((const uint8_t *)in, strlen(in), out, &len),
	    HOSTNAME_OK, "%s", in);
	cr_assert_str_eq(out, want, "%s: %s", in, out);
	cr_assert_eq(len, strlen(want), "%s", in);
}

static void
expect_error(normalise_fn *normalise, const char *in, size_t in_len,
    enum hostname_error want)
{
	char out[HOSTNAME_MAX + 1] = "before";
	size_t len = 12345;

	cr_assert_eq(normalise((const uint8_t *)in, in_len, out, &len), want,
	    "%s", in);
	cr_assert_str_eq(out, "before", "%s", in);
	cr_assert_eq(len, 12345, "%s", in);
}

Test(hostname, is_lower_cased_and_loses_one_trailing_dot)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "www.example.com", "www.example.com" },
		{ "WWW.Example.COM", "www.example.com" },
		{ "www.example.com.", "www.example.com" },
		{ "localhost", "localhost" },
		{ "a", "a" },
		{ "a.", "a" },
		{ "_acme-challenge.A.example", "_acme-challenge.a.example" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
		{ "a--b.example", "a--b.example" },
		{ "1.2.3.4.example", "1.2.3.4.example" },
		{ "0x7f.example", "0x7f.example" },
		{ "127.0.0.1a", "127.0.0.1a" },
		{ "example.0y1", "example.0y1" },
		{ "example.0xg", "example.0xg" },
		{ "example.x1", "example.x1" },
		{ "example.1-1", "example.1-1" },
		{ LABEL_63 ".example", LABEL_63 ".example" },
		{ NAME_253, NAME_253 },
		{ NAME_253 ".", NAME_253 },
	};
	size_t i;

	for (i = 0; i < N(cases); i++) {
		expect_name(hostname_normalise, cases[i].in, cases[i].out);
		expect_name(hostname_normalise_pattern, cases[i].in,
		    cases[i].out);
	}
}

Test(hostname, an_error_says_what_is_wrong_and_changes_nothing)
{
	static const struct {
		const char		*in;
		enum hostname_error	 error;
	} cases[] = {
		{ "", HOSTNAME_EMPTY },
		{ NAME_253 "a", HOSTNAME_TOO_LONG },
		{ NAME_253 "a.", HOSTNAME_TOO_LONG },
		{ ".", HOSTNAME_LABEL_EMPTY },
		{ "..", HOSTNAME_LABEL_EMPTY },
		{ ".example.com", HOSTNAME_LABEL_EMPTY },
		{ "example..com", HOSTNAME_LABEL_EMPTY },
		{ "example.com..", HOSTNAME_LABEL_EMPTY },
		{ LABEL_63 "a.example", HOSTNAME_LABEL_TOO_LONG },
		{ "example." LABEL_63 "a", HOSTNAME_LABEL_TOO_LONG },
		{ "-", HOSTNAME_LABEL_HYPHEN },
		{ "-a.example", HOSTNAME_LABEL_HYPHEN },
		{ "a-.example", HOSTNAME_LABEL_HYPHEN },
		{ "example.-", HOSTNAME_LABEL_HYPHEN },
		{ "exam ple.com", HOSTNAME_BAD_CHAR },
		{ " example.com", HOSTNAME_BAD_CHAR },
		{ "example.com\n", HOSTNAME_BAD_CHAR },
		{ "example.com:80", HOSTNAME_BAD_CHAR },
		{ "user@example.com", HOSTNAME_BAD_CHAR },
		{ "example.com/", HOSTNAME_BAD_CHAR },
		{ "example\\.com", HOSTNAME_BAD_CHAR },
		{ "a,b", HOSTNAME_BAD_CHAR },
		{ "%61.example", HOSTNAME_BAD_CHAR },
		{ "exam*ple.com", HOSTNAME_BAD_CHAR },
		{ "example.*", HOSTNAME_BAD_CHAR },
		{ "*", HOSTNAME_BAD_CHAR },
		{ "a.*.example", HOSTNAME_BAD_CHAR },
		{ "*a.example", HOSTNAME_BAD_CHAR },
		{ "\x7f.example", HOSTNAME_BAD_CHAR },
		{ "b\xc3\xbc" "cher.example", HOSTNAME_NOT_ASCII },
		{ "\x80.example", HOSTNAME_NOT_ASCII },
		{ "192.0.2.1", HOSTNAME_IS_ADDRESS },
		{ "192.0.2.1.", HOSTNAME_IS_ADDRESS },
		{ "[192.0.2.1]", HOSTNAME_IS_ADDRESS },
		{ "127.1", HOSTNAME_IS_ADDRESS },
		{ "2130706433", HOSTNAME_IS_ADDRESS },
		{ "0x7f000001", HOSTNAME_IS_ADDRESS },
		{ "127.0.0.0X1", HOSTNAME_IS_ADDRESS },
		{ "0x", HOSTNAME_IS_ADDRESS },
		{ "1.2.3.08", HOSTNAME_IS_ADDRESS },
		{ "999.999.999.999", HOSTNAME_IS_ADDRESS },
		{ "example.1", HOSTNAME_IS_ADDRESS },
		{ "::1", HOSTNAME_IS_ADDRESS },
		{ "2001:DB8::1", HOSTNAME_IS_ADDRESS },
		{ "[2001:db8::1]", HOSTNAME_IS_ADDRESS },
		{ "::ffff:192.0.2.1", HOSTNAME_IS_ADDRESS },
		{ "[]", HOSTNAME_BAD_CHAR },
		{ "[", HOSTNAME_BAD_CHAR },
	};
	size_t i;

	for (i = 0; i < N(cases); i++) {
		expect_error(hostname_normalise, cases[i].in,
		    strlen(cases[i].in), cases[i].error);
		expect_error(hostname_normalise_pattern, cases[i].in,
		    strlen(cases[i].in), cases[i].error);
	}
}

Test(hostname, a_nul_is_refused_wherever_it_stands)
{
	expect_error(hostname_normalise, "\0", 1, HOSTNAME_BAD_CHAR);
	expect_error(hostname_normalise, "a.example\0.b", 12,
	    HOSTNAME_BAD_CHAR);
	expect_error(hostname_normalise, "a.example\0", 10,
	    HOSTNAME_BAD_CHAR);
	expect_error(hostname_normalise, "::1\0", 4, HOSTNAME_BAD_CHAR);
	expect_error(hostname_normalise_pattern, "*.\0", 3,
	    HOSTNAME_BAD_CHAR);
	expect_error(hostname_normalise_pattern, "*\0.a", 4,
	    HOSTNAME_BAD_CHAR);
}

Test(hostname, every_octet_is_a_name_character_or_refused)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	uint8_t in[3] = { 'a', 0, 'a' };
	char out[HOSTNAME_MAX + 1];
	enum hostname_error want;
	unsigned octet;
	size_t len;

	for (octet = 0; octet < 256; octet++) {
		in[1] = (uint8_t)octet;
		want = octet >= 0x80 ? HOSTNAME_NOT_ASCII :
		    octet != 0 && strchr(good, (int)octet) != NULL ?
		    HOSTNAME_OK : HOSTNAME_BAD_CHAR;
		cr_assert_eq(hostname_normalise(in, 3, out, &len), want,
		    "octet %#x", octet);
	}
}

Test(hostname, a_pattern_may_begin_with_a_star_label)
{
	expect_name(hostname_normalise_pattern, "*.Example.COM.",
	    "*.example.com");
	expect_name(hostname_normalise_pattern, "*.com", "*.com");
	expect_error(hostname_normalise, "*.example.com", 13,
	    HOSTNAME_BAD_CHAR);
}

Test(hostname, a_pattern_error_is_the_one_of_what_follows_the_star)
{
	static const struct {
		const char		*in;
		enum hostname_error	 error;
	} cases[] = {
		{ "*.", HOSTNAME_LABEL_EMPTY },
		{ "*..", HOSTNAME_LABEL_EMPTY },
		{ "*..example", HOSTNAME_LABEL_EMPTY },
		{ "*.*.example", HOSTNAME_BAD_CHAR },
		{ "*.exam ple", HOSTNAME_BAD_CHAR },
		{ "*.192.0.2.1", HOSTNAME_IS_ADDRESS },
		{ "*.-a", HOSTNAME_LABEL_HYPHEN },
		{ "**.example", HOSTNAME_BAD_CHAR },
		{ "*." NAME_253, HOSTNAME_TOO_LONG },
	};
	size_t i;

	for (i = 0; i < N(cases); i++)
		expect_error(hostname_normalise_pattern, cases[i].in,
		    strlen(cases[i].in), cases[i].error);
	/* With its "*." a pattern is a name of 253 octets at most. */
	expect_name(hostname_normalise_pattern,
	    "*." A10 A10 A10 A10 A10 A10 "." LABEL_63 "." LABEL_63 "."
	    A10 A10 A10 A10 A10 A10 "aa",
	    "*." A10 A10 A10 A10 A10 A10 "." LABEL_63 "." LABEL_63 "."
	    A10 A10 A10 A10 A10 A10 "aa");
	expect_error(hostname_normalise_pattern,
	    "*." A10 A10 A10 A10 A10 A10 "." LABEL_63 "." LABEL_63 "."
	    A10 A10 A10 A10 A10 A10 "aaa", 254, HOSTNAME_TOO_LONG);
}

Test(hostname, each_error_has_its_text)
{
	enum hostname_error a, b;

	for (a = HOSTNAME_OK; a <= HOSTNAME_IS_ADDRESS; a++) {
		cr_assert_not_null(hostname_strerror(a));
		for (b = HOSTNAME_OK; b < a; b++)
			cr_assert_str_neq(hostname_strerror(a),
			    hostname_strerror(b));
	}
}

/* A name that passes is short, whole, and its own normal form. */
static void
normalise_hostile(const uint8_t *bytes, size_t len, void *arg)
{
	normalise_fn *const *normalise = arg;
	char out[HOSTNAME_MAX + 1];
	size_t out_len, i;

	if ((*normalise)(bytes, len, out, &out_len) != HOSTNAME_OK)
		return;
	cr_assert(out_len > 0 && out_len <= HOSTNAME_MAX);
	cr_assert(out_len <= len && out_len + 1 >= len);
	cr_assert_eq(strlen(out), out_len);
	cr_assert_neq(out[out_len - 1], '.');
	for (i = 0; i < out_len; i++)
		cr_assert_not(out[i] >= 'A' && out[i] <= 'Z');
	expect_name(*normalise, out, out);
}

Test(hostname, survives_every_cut_and_bit_flip)
{
	static const char *const good[] = { "Www.Example-1.com.", "127.0.0.1",
		"[2001:db8::1]", "*.a_b.example", NAME_253 };
	normalise_fn *normalise[] = { hostname_normalise,
		hostname_normalise_pattern };
	size_t i, j;

	for (i = 0; i < N(good); i++) {
		for (j = 0; j < N(normalise); j++) {
			hostile_cuts(good[i], strlen(good[i]),
			    normalise_hostile, &normalise[j]);
			hostile_bit_flips(good[i], strlen(good[i]),
			    normalise_hostile, &normalise[j]);
		}
	}
}
