/* SPDX-License-Identifier: ISC */
#include "proxyd/peek_tls.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxyd/client_hello.h"
#include "tests/lib/hellos.h"
#include "tests/lib/hostile.h"

/* RFC 8446 6 */
enum {
	UNEXPECTED_MESSAGE = 10,
	RECORD_OVERFLOW = 22,
	ILLEGAL_PARAMETER = 47,
	DECODE_ERROR = 50,
	PROTOCOL_VERSION = 70
};

enum { MAX = 64 * 1024 };

static uint8_t message[HELLO_OCTETS_MAX];
static uint8_t flight[FLIGHT_OCTETS_MAX];

static void
init(void)
{
	cr_assert(client_hello_init());
}

TestSuite(peek_tls, .init = init);

static struct peek
one_shot(const uint8_t *bytes, size_t len, size_t max)
{
	struct peek_tls scan = { 0 };

	return peek_tls(&scan, bytes, len, max);
}

/* In pieces of 1 to `most` octets; *ret_seen is what it took to decide. */
static struct peek
piecewise(const uint8_t *bytes, size_t len, size_t max, size_t most,
    size_t *ret_seen)
{
	struct peek_tls scan = { 0 };
	struct peek got;
	size_t seen = 0;

	do {
		seen += seen == 0 || most == 1 ? 1 : 1 + seen * 7919 % most;
		seen = seen < len ? seen : len;
		got = peek_tls(&scan, bytes, seen, max);
	} while (got.verdict == PEEK_MORE && seen < len);
	*ret_seen = seen;
	return got;
}

static bool
same(const struct peek *a, const struct peek *b)
{
	return a->verdict == b->verdict && a->reason == b->reason &&
	    a->alert == b->alert && a->name_len == b->name_len &&
	    strcmp(a->name, b->name) == 0;
}

Test(peek_tls, names_the_host_at_the_last_octet_of_every_recorded_hello)
{
	struct hello hellos[HELLOS_MAX];
	size_t i, seen, n = hellos_load(hellos);
	struct peek got;

	for (i = 0; i < n; i++) {
		got = piecewise(hellos[i].bytes, hellos[i].len, MAX, 1,
		    &seen);
		cr_expect_eq(got.verdict, PEEK_NAME, "%s", hellos[i].name);
		cr_expect_str_eq(got.name, "www.example.com", "%s",
		    hellos[i].name);
		cr_expect_eq(seen, hellos[i].len, "%s", hellos[i].name);
	}
	hellos_free(hellos, n);
}

static void
expect_more_if_cut(const uint8_t *bytes, size_t len, void *arg)
{
	const struct hello *whole = arg;
	struct peek got = one_shot(bytes, len, MAX);

	cr_expect_eq(got.verdict, len < whole->len ? PEEK_MORE : PEEK_NAME,
	    "%s cut after %zu octets", whole->name, len);
}

Test(peek_tls, asks_for_more_at_every_cut)
{
	struct hello hellos[HELLOS_MAX];
	size_t i, n = hellos_load(hellos);

	for (i = 0; i < n; i++)
		hostile_cuts(hellos[i].bytes, hellos[i].len,
		    expect_more_if_cut, &hellos[i]);
	hellos_free(hellos, n);
}

static void
expect_the_same_in_pieces(const uint8_t *bytes, size_t len, void *arg)
{
	struct peek whole = one_shot(bytes, len, MAX);
	struct peek pieces;
	size_t seen;

	pieces = piecewise(bytes, len, MAX, 31, &seen);
	cr_expect(same(&whole, &pieces), "%s: verdict %d alert %u, but %d %u",
	    (const char *)arg, whole.verdict, whole.alert, pieces.verdict,
	    pieces.alert);
	cr_expect(whole.verdict != PEEK_REFUSE || whole.alert != 0 ||
	    whole.reason == CLOSE_TLS_NOT_TLS);
	cr_expect_eq(whole.verdict <= PEEK_NAME, whole.reason == CLOSE_NONE);
}

Test(peek_tls, decides_every_bit_flip_alike_in_any_pieces)
{
	struct hello hellos[HELLOS_MAX];
	size_t i, n = hellos_load(hellos);

	for (i = 0; i < n; i++)
		hostile_bit_flips(hellos[i].bytes, hellos[i].len,
		    expect_the_same_in_pieces, hellos[i].name);
	hellos_free(hellos, n);
}

Test(peek_tls, does_not_mind_how_a_hello_is_split_into_records)
{
	static const size_t most[] = { 1, 2, 3, 4, 5, 100, 1 << 14 };
	struct hello hellos[HELLOS_MAX];
	size_t i, k, len, seen, n = hellos_load(hellos);
	struct peek got;
	uint32_t seed;

	for (i = 0; i < n; i++) {
		len = hello_message(hellos[i].bytes, hellos[i].len, message);
		for (k = 0; k < sizeof(most) / sizeof(most[0]); k++)
			for (seed = 0; seed < 8; seed++) {
				size_t wire = hello_split(message, len,
				    (uint8_t)(seed % 5), most[k], seed,
				    flight);

				got = piecewise(flight, wire, MAX, 1, &seen);
				cr_expect_str_eq(got.name, "www.example.com",
				    "%s in records of %zu", hellos[i].name,
				    most[k]);
				cr_expect_eq(seen, wire);
			}
	}
	hellos_free(hellos, n);
}

#define OCTETS(s) (const uint8_t *)(s), sizeof(s) - 1

/* Each is refused with its last octet and not before. */
static const struct {
	const char	*what;
	const uint8_t	*bytes;
	size_t		 len;
	enum close_reason reason;
	uint8_t		 alert;
} refusals[] = {
	{ "HTTP", OCTETS("G"), CLOSE_TLS_NOT_TLS, 0 },
	{ "SSH", OCTETS("S"), CLOSE_TLS_NOT_TLS, 0 },
	{ "zeros", OCTETS("\0"), CLOSE_TLS_NOT_TLS, 0 },
	{ "an alert", OCTETS("\x15"), CLOSE_TLS_NOT_TLS, 0 },
	{ "application data", OCTETS("\x17"), CLOSE_TLS_NOT_TLS, 0 },
	{ "SSL 2", OCTETS("\x80\x2e\1\0\2"), CLOSE_TLS_NOT_TLS,
	    PROTOCOL_VERSION },
	{ "a TLS 1.0 hello in SSL 2 format", OCTETS("\x80\x2e\1\3\1"),
	    CLOSE_TLS_NOT_TLS, PROTOCOL_VERSION },
	{ "another SSL 2 message", OCTETS("\x80\x2e\2"), CLOSE_TLS_NOT_TLS,
	    0 },
	{ "SSL 2 of version 4", OCTETS("\x80\x2e\1\4\0"), CLOSE_TLS_NOT_TLS,
	    0 },
	{ "SSL 2 of version 0.3", OCTETS("\x80\x2e\1\0\3"),
	    CLOSE_TLS_NOT_TLS, 0 },

	{ "version 2.x", OCTETS("\x16\2"), CLOSE_TLS_BAD_HELLO,
	    PROTOCOL_VERSION },
	{ "version 4.x", OCTETS("\x16\4"), CLOSE_TLS_BAD_HELLO,
	    PROTOCOL_VERSION },
	{ "DTLS", OCTETS("\x16\xfe"), CLOSE_TLS_BAD_HELLO,
	    PROTOCOL_VERSION },
	{ "an empty record", OCTETS("\x16\3\1\0\0"), CLOSE_TLS_BAD_HELLO,
	    UNEXPECTED_MESSAGE },
	{ "a record of 2^14 + 1", OCTETS("\x16\3\1\x40\1"),
	    CLOSE_TLS_BAD_HELLO, RECORD_OVERFLOW },
	{ "a record of 2^16 - 1", OCTETS("\x16\3\1\xff\xff"),
	    CLOSE_TLS_BAD_HELLO, RECORD_OVERFLOW },
	{ "a HelloRequest", OCTETS("\x16\3\1\0\4\0"), CLOSE_TLS_BAD_HELLO,
	    UNEXPECTED_MESSAGE },
	{ "a ServerHello", OCTETS("\x16\3\1\1\0\2"), CLOSE_TLS_BAD_HELLO,
	    UNEXPECTED_MESSAGE },
	{ "octets after the hello", OCTETS("\x16\3\1\0\x81\1\0\0\x7c"),
	    CLOSE_TLS_BAD_HELLO, UNEXPECTED_MESSAGE },
	{ "a record longer than the rest",
	    OCTETS("\x16\3\1\0\2\1\0\x16\3\1\0\x10\0\x0c"),
	    CLOSE_TLS_BAD_HELLO, UNEXPECTED_MESSAGE },
	{ "an empty hello", OCTETS("\x16\3\1\0\4\1\0\0\0"),
	    CLOSE_TLS_BAD_HELLO, DECODE_ERROR },
	{ "a hello of 2^16", OCTETS("\x16\3\1\1\0\1\1\0\0"),
	    CLOSE_TLS_HELLO_TOO_LONG, ILLEGAL_PARAMETER },
	{ "a hello of 2^24 - 1", OCTETS("\x16\3\1\1\0\1\xff\xff\xff"),
	    CLOSE_TLS_HELLO_TOO_LONG, ILLEGAL_PARAMETER },

	{ "an empty record inside", OCTETS("\x16\3\1\0\1\1\x16\3\1\0\0"),
	    CLOSE_TLS_BAD_HELLO, UNEXPECTED_MESSAGE },
	{ "an alert inside", OCTETS("\x16\3\1\0\1\1\x15"),
	    CLOSE_TLS_BAD_HELLO, UNEXPECTED_MESSAGE },
	{ "ChangeCipherSpec inside", OCTETS("\x16\3\1\0\1\1\x14"),
	    CLOSE_TLS_BAD_HELLO, UNEXPECTED_MESSAGE },
	{ "application data inside", OCTETS("\x16\3\1\0\1\1\x17"),
	    CLOSE_TLS_BAD_HELLO, UNEXPECTED_MESSAGE },
	{ "another version inside", OCTETS("\x16\3\1\0\1\1\x16\2"),
	    CLOSE_TLS_BAD_HELLO, PROTOCOL_VERSION },
	{ "a long record inside", OCTETS("\x16\3\1\0\1\1\x16\3\1\x41\0"),
	    CLOSE_TLS_BAD_HELLO, RECORD_OVERFLOW }
};

Test(peek_tls, refuses_as_soon_as_it_is_certain)
{
	struct peek whole, pieces;
	size_t i, seen;

	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		whole = one_shot(refusals[i].bytes, refusals[i].len, MAX);
		cr_expect_eq(whole.verdict, PEEK_REFUSE, "%s",
		    refusals[i].what);
		cr_expect_eq(whole.reason, refusals[i].reason, "%s: %s",
		    refusals[i].what, close_reason_label(whole.reason));
		cr_expect_eq(whole.alert, refusals[i].alert, "%s: alert %u",
		    refusals[i].what, whole.alert);
		pieces = piecewise(refusals[i].bytes, refusals[i].len, MAX,
		    1, &seen);
		cr_expect(same(&whole, &pieces), "%s", refusals[i].what);
		cr_expect_eq(seen, refusals[i].len, "%s: after %zu octets",
		    refusals[i].what, seen);
	}
}

Test(peek_tls, holds_a_hello_to_its_bound_and_says_so_early)
{
	static const size_t most[] = { 1 << 14, 1000, 1 };
	struct hello_parts parts = { .extensions = true, .padding = 20000,
	    .server_name = "a.b" };
	size_t i, wire, seen, len = hello_make(&parts, message);
	struct peek got, whole;

	for (i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		wire = hello_split(message, len, 1, most[i], 0, flight);
		got = piecewise(flight, wire, wire, 77, &seen);
		cr_expect_eq(got.verdict, PEEK_NAME, "of %zu", most[i]);
		got = piecewise(flight, wire, wire - 1, 1, &seen);
		whole = one_shot(flight, wire, wire - 1);
		cr_expect_eq(got.reason, CLOSE_TLS_HELLO_TOO_LONG);
		cr_expect_eq(got.alert, ILLEGAL_PARAMETER);
		cr_expect(same(&got, &whole));
		cr_expect_lt(seen, wire);
		/* Once the length is known, not when the bound is reached. */
		got = piecewise(flight, wire, len, 1, &seen);
		cr_expect_eq(got.reason, CLOSE_TLS_HELLO_TOO_LONG);
		cr_expect_eq(seen, most[i] == 1 ? 24 : 9, "%zu", seen);
	}
}

Test(peek_tls, never_waits_beyond_the_bound)
{
	struct hello_parts parts = { .extensions = true,
	    .server_name = "a.b" };
	size_t max, seen, len = hello_make(&parts, message);
	size_t wire = hello_split(message, len, 1, 3, 0, flight);
	struct peek got;

	for (max = 0; max < wire; max++) {
		got = piecewise(flight, wire, max, 1, &seen);
		cr_expect_eq(got.reason, CLOSE_TLS_HELLO_TOO_LONG, "%zu",
		    max);
		cr_expect_leq(seen, max > 0 ? max : 1, "%zu", max);
	}
}

Test(peek_tls, does_not_look_at_what_follows)
{
	static const char early_data[] = "\x17\x03\x03\xff\xff rubbish";
	struct hello_parts parts = { .extensions = true,
	    .server_name = "a.b" };
	size_t len = hello_make(&parts, message);
	struct peek got;

	len = hello_split(message, len, 1, 1 << 14, 0, flight);
	memcpy(flight + len, early_data, sizeof(early_data));
	got = one_shot(flight, len + sizeof(early_data), len);
	cr_expect_str_eq(got.name, "a.b");
}

Test(peek_tls, reads_64_KiB_in_1_octet_records_byte_by_byte_in_linear_time)
{
	struct hello_parts parts = { .extensions = true, .padding = 65400,
	    .server_name = "a.b" };
	size_t seen, wire, len = hello_make(&parts, message);
	clock_t before = clock();
	struct peek got;

	wire = hello_split(message, len, 1, 1, 0, flight);
	got = piecewise(flight, wire, wire, 1, &seen);
	cr_expect_str_eq(got.name, "a.b");
	cr_expect_lt((clock() - before) / (CLOCKS_PER_SEC / 1000), 500,
	    "milliseconds of CPU");
}
