/* SPDX-License-Identifier: ISC */
/*
 * The input is a connection's beginning.  Whatever it is, the verdict is the
 * same in pieces as at once, and for a hello that was read the same in any
 * other records.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/client_hello.h"
#include "proxyd/peek_tls.h"
#include "tests/lib/hellos.h"

enum { MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
assert_same(const struct peek *a, const struct peek *b)
{
	assert(a->verdict == b->verdict && a->reason == b->reason);
	assert(a->alert == b->alert && a->name_len == b->name_len);
	assert(memcmp(a->name, b->name, sizeof(a->name)) == 0);
}

static void
assert_sound(const struct peek *peek, size_t len)
{
	char again[HOSTNAME_MAX + 1];
	size_t again_len;

	assert(peek->reason != CLOSE_NO_MEMORY && !peek->head_method);
	switch (peek->verdict) {
	case PEEK_MORE:
		assert(peek->reason == CLOSE_NONE && len < MAX);
		break;
	case PEEK_NAME:
		assert(peek->reason == CLOSE_NONE && peek->alert == 0);
		assert(hostname_normalise((const uint8_t *)peek->name,
		    peek->name_len, again, &again_len) == HOSTNAME_OK);
		assert(again_len == peek->name_len);
		assert(strcmp(again, peek->name) == 0);
		break;
	case PEEK_NAMELESS:
		assert(peek->reason == CLOSE_TLS_NO_SNI ||
		    peek->reason == CLOSE_TLS_SNI_ADDRESS);
		assert(peek->alert != 0);
		break;
	case PEEK_REFUSE:
		assert(peek->reason == CLOSE_TLS_NOT_TLS ||
		    (peek->reason >= CLOSE_TLS_BAD_HELLO &&
		    peek->reason <= CLOSE_TLS_BAD_SNI));
		assert(peek->alert != 0 ||
		    peek->reason == CLOSE_TLS_NOT_TLS);
		break;
	}
}

/* Octet by octet; returns where the hello's last record ended. */
static size_t
check_pieces(const uint8_t *bytes, size_t len, const struct peek *whole)
{
	struct peek_tls scan = { 0 };
	struct peek got;
	size_t seen = 0;

	do
		got = peek_tls(&scan, bytes, seen, MAX);
	while (got.verdict == PEEK_MORE && seen++ < len);
	assert_same(whole, &got);
	return scan.record;
}

/* The hello in `bytes[len]`, in other records. */
static void
check_records(const uint8_t *bytes, size_t len, const struct peek *whole)
{
	static uint8_t message[HELLO_OCTETS_MAX], flight[FLIGHT_OCTETS_MAX];
	size_t n = hello_message(bytes, len, message);
	size_t most = n % 251 + 1, wire;
	struct peek_tls scan = { 0 };
	struct peek got;

	wire = hello_split(message, n, message[n - 1], most,
	    (uint32_t)message[n / 2] + 1, flight);
	got = peek_tls(&scan, flight, wire, wire);
	assert_same(whole, &got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct peek_tls scan = { 0 };
	struct peek whole;
	size_t end;

	if (!client_hello_init())
		abort();
	whole = peek_tls(&scan, bytes, len, MAX);
	assert_sound(&whole, len);
	end = check_pieces(bytes, len, &whole);
	if (whole.verdict == PEEK_NAME || whole.verdict == PEEK_NAMELESS)
		check_records(bytes, end, &whole);
	return 0;
}
