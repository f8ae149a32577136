/* SPDX-License-Identifier: ISC */
#include "proxyd/http_guard.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/guard_run.h"
#include "tests/lib/hostile.h"

#define HOST	"Host: a.example\r\n"
#define GET	"GET / HTTP/1.1\r\n" HOST "\r\n"
#define HEAD	"HEAD / HTTP/1.1\r\n" HOST "\r\n"
#define UPGRADE	"GET / HTTP/1.1\r\n" HOST "Upgrade: x\r\n\r\n"
#define OTHER	"GET / HTTP/1.1\r\nHost: b.example\r\n\r\n"
#define CHUNKED	"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
#define POST(n)	"POST / HTTP/1.1\r\n" HOST "Content-Length: " #n "\r\n\r\n"
#define OK(n)	"HTTP/1.1 200 OK\r\nContent-Length: " #n "\r\n\r\n"

/* The client's octets, then the VM's, then the client's of `after`. */
static struct guard_outcome
play(const char *client, size_t client_len, size_t after, const char *vm,
    size_t vm_len, size_t piece, bool splices)
{
	struct guard_run run;

	guard_run_init(&run, (const uint8_t *)client, splices);
	guard_run_client(&run, client_len - after, piece);
	guard_run_vm(&run, (const uint8_t *)vm, vm_len, piece);
	guard_run_client(&run, after, piece);
	return guard_run_outcome(&run);
}

/* The same in other pieces, and with bodies moved unseen. */
static struct guard_outcome
play_all(const char *client, size_t client_len, size_t after, const char *vm,
    size_t vm_len)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 50 };
	struct guard_outcome whole = play(client, client_len, after, vm, vm_len,
	    SIZE_MAX, false), other;
	size_t i;

	other = play(client, client_len, after, vm, vm_len, SIZE_MAX, true);
	cr_assert(guard_outcome_equal(&whole, &other));
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		other = play(client, client_len, after, vm, vm_len, pieces[i],
		    i % 2 == 0);
		cr_assert(guard_outcome_equal(&whole, &other));
	}
	return whole;
}

/* `passes` goes to the VM, `held` does not. */
static const struct request_case {
	const char	*rfc;
	const char	*passes, *held;
	enum close_reason stopped;
	bool		in_head;
} request_cases[] = {
	{ "9112 9.3.2: pipelined", GET HEAD GET, "", CLOSE_NONE, false },
	{ "a head not yet whole", GET, "GET / HT", CLOSE_NONE, true },
	{ "all but the last octet", GET GET, "GET / HTTP/1.1\r\n" HOST "\r",
	    CLOSE_NONE, true },
	{ "another host", GET, OTHER GET, CLOSE_HTTP_MISDIRECTED, false },
	{ "no host", GET, "GET / HTTP/1.1\r\n\r\n", CLOSE_HTTP_NO_HOST,
	    false },
	{ "a bad head", GET, "GET / HTTP/1.1\n", CLOSE_HTTP_BARE_LF, false },
	{ "no HTTP", GET, "\x16\x03\x01", CLOSE_HTTP_NOT_HTTP, false },
	{ "2.2: empty lines before", GET "\r\n\r\n" GET, "", CLOSE_NONE,
	    false },
	{ "empty lines are held", GET, "\r\n\r\n\r", CLOSE_NONE, false },
	{ "and belong to the head", GET, "\r\n" OTHER,
	    CLOSE_HTTP_MISDIRECTED, false },
	{ "and then it has begun", GET, "\r\nG", CLOSE_NONE, true },
	{ "6.2", GET POST(5) "12345" GET, "G", CLOSE_NONE, true },
	{ "a body of heads", GET POST(5) "GET /" GET, OTHER,
	    CLOSE_HTTP_MISDIRECTED, false },
	{ "an unfinished body", POST(5) "1234", "", CLOSE_NONE, false },
	{ "6.3: length and chunked", GET, "POST / HTTP/1.1\r\n" HOST
	    "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
	    CLOSE_HTTP_BODY_FRAMING, false },
	{ "of the first head too", "", "POST / HTTP/1.1\r\n" HOST
	    "Content-Length: 3, 3\r\n\r\n", CLOSE_HTTP_BODY_FRAMING, false },
	{ "7.1", GET CHUNKED "3;a=b\r\nabc\r\n0\r\nA: b\r\n\r\n" GET, "",
	    CLOSE_NONE, false },
	{ "a chunk of heads", CHUNKED "5\r\n\r\n\r\nG\r\n0\r\n\r\n", OTHER,
	    CLOSE_HTTP_MISDIRECTED, false },
	{ "an odd chunk", GET CHUNKED "3 ", "\n" GET, CLOSE_HTTP_CHUNK,
	    false },
	{ "an odd chunk at once", CHUNKED, "+3\r\n", CLOSE_HTTP_CHUNK,
	    false },
	{ "LF after a chunk", CHUNKED "0\r\n", "\n" OTHER, CLOSE_HTTP_CHUNK,
	    false },
	{ "HTTP/1.0", "GET / HTTP/1.0\r\n" HOST "\r\n" GET, "", CLOSE_NONE,
	    false },
	{ "9110 7.8: an Upgrade proves nothing", UPGRADE GET, OTHER,
	    CLOSE_HTTP_MISDIRECTED, false }
};

Test(http_guard, passes_what_belongs_to_accepted_requests)
{
	char client[1024];
	size_t i, passes, len;

	for (i = 0; i < sizeof(request_cases) / sizeof(request_cases[0]);
	    i++) {
		const struct request_case *c = &request_cases[i];
		struct guard_outcome got;

		passes = strlen(c->passes);
		len = passes + strlen(c->held);
		snprintf(client, sizeof(client), "%s%s", c->passes, c->held);
		got = play_all(client, len, 0, "", 0);
		cr_expect_eq(got.passed, passes, "%s: %zu passed", c->rfc,
		    got.passed);
		cr_expect_eq(got.stopped, c->stopped, "%s: %s", c->rfc,
		    close_reason_label(got.stopped));
		cr_expect_eq(got.in_head, c->in_head, "%s: in_head", c->rfc);
		cr_expect(!got.idle && !got.waits, "%s", c->rfc);
	}
}

enum { ANSWERED = 1, OWING, TRANSPARENT, UNTIL_CLOSE };

/* To `requests`, the VM says `answers`. */
static const struct answer_case {
	const char	*rfc;
	const char	*requests, *answers;
	int		 then;
} answer_cases[] = {
	{ "no answer", GET, "", OWING },
	{ "9112 6.3 item 6", GET, OK(3) "abc", ANSWERED },
	{ "not whole", GET, OK(3) "ab", OWING },
	{ "length 0", GET, OK(0), ANSWERED },
	{ "two", GET POST(2) "xx", OK(3) "abc" OK(0), ANSWERED },
	{ "one of two", GET GET, OK(3) "abc", OWING },
	{ "one and a half", GET GET, OK(3) "abc" "HTTP/1.1 2", OWING },
	{ "9110 9.3.2: HEAD", HEAD, OK(3), ANSWERED },
	{ "the right one", GET HEAD GET, OK(1) "a" OK(9) OK(1) "b",
	    ANSWERED },
	{ "9110 15.2: 1xx", GET, "HTTP/1.1 100 Continue\r\n\r\n"
	    "HTTP/1.1 103 x\r\nContent-Length: 5\r\n\r\n", OWING },
	{ "and then the answer", GET, "HTTP/1.1 100 Continue\r\n\r\n" OK(0),
	    ANSWERED },
	{ "204", GET, "HTTP/1.1 204 x\r\n\r\n", ANSWERED },
	{ "304", GET, "HTTP/1.1 304 x\r\nContent-Length: 7\r\n\r\n",
	    ANSWERED },
	{ "chunked", GET, "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n"
	    "\r\n5 ; a=\"b\"\r\nhello\r\n0\r\nA: b\r\n\r\n", ANSWERED },
	{ "chunked, not whole", GET, "HTTP/1.1 200 x\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r", OWING },
	{ "an odd chunk", GET, "HTTP/1.1 200 x\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
	    UNTIL_CLOSE },
	{ "item 8: until close", GET, "HTTP/1.0 200 OK\r\n\r\nHTTP/1.1",
	    UNTIL_CLOSE },
	{ "6.3 item 3: both", GET, "HTTP/1.1 200 x\r\nContent-Length: 0\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n", UNTIL_CLOSE },
	{ "no HTTP", GET, "hello", UNTIL_CLOSE },
	{ "more than was asked for", GET, OK(1) "ab", UNTIL_CLOSE },
	{ "9110 7.8: 101", UPGRADE, "HTTP/1.1 101 x\r\n\r\n\x81\x01",
	    TRANSPARENT },
	{ "100 before", UPGRADE, "HTTP/1.1 100 x\r\n\r\nHTTP/1.1 101\r\n\r\n",
	    TRANSPARENT },
	{ "of the second", GET UPGRADE, OK(1) "aHTTP/1.1 101 x\r\n\r\n",
	    TRANSPARENT },
	{ "nobody asked", GET, "HTTP/1.1 101 x\r\n\r\n", UNTIL_CLOSE },
	{ "not yet its turn", GET UPGRADE, "HTTP/1.1 101 x\r\n\r\n",
	    UNTIL_CLOSE },
	{ "its turn is over", UPGRADE GET, OK(0) "HTTP/1.1 101 x\r\n\r\n",
	    UNTIL_CLOSE },
	{ "HTTP/1.0 cannot ask", "GET / HTTP/1.0\r\n" HOST "Upgrade: x\r\n"
	    "\r\n", "HTTP/1.1 101 x\r\n\r\n", UNTIL_CLOSE },
	{ "declined", UPGRADE, "HTTP/1.1 426 x\r\nContent-Length: 1\r\n\r\nx",
	    ANSWERED }
};

/* Then the client sends GET. */
static void
expect_then(const struct answer_case *c, const struct guard_outcome *got,
    size_t before, size_t len)
{
	cr_expect_eq(got->transparent, c->then == TRANSPARENT, "%s", c->rfc);
	cr_expect(!got->answered, "%s: the next one is owed", c->rfc);
	if (c->then == UNTIL_CLOSE) {
		cr_expect_eq(got->stopped, CLOSE_HTTP_ANSWER, "%s", c->rfc);
		cr_expect_eq(got->passed, before, "%s", c->rfc);
	} else {
		cr_expect_eq(got->stopped, CLOSE_NONE, "%s", c->rfc);
		cr_expect_eq(got->passed, len, "%s", c->rfc);
	}
}

Test(http_guard, knows_when_all_answers_were_given)
{
	char client[1024];
	size_t i, before, len, vm_len;

	for (i = 0; i < sizeof(answer_cases) / sizeof(answer_cases[0]); i++) {
		const struct answer_case *c = &answer_cases[i];
		struct guard_outcome got;

		before = strlen(c->requests);
		vm_len = strlen(c->answers);
		got = play_all(c->requests, before, 0, c->answers, vm_len);
		cr_expect_eq(got.answered, c->then == ANSWERED, "%s: answered",
		    c->rfc);
		cr_expect_eq(got.idle, got.answered, "%s: idle", c->rfc);
		cr_expect_eq(got.transparent, c->then == TRANSPARENT,
		    "%s: transparent", c->rfc);
		cr_expect_eq(got.passed, before, "%s", c->rfc);
		cr_expect_eq(got.stopped, CLOSE_NONE, "%s", c->rfc);
		len = (size_t)snprintf(client, sizeof(client), "%s" GET,
		    c->requests);
		got = play_all(client, len, len - before, c->answers, vm_len);
		expect_then(c, &got, before, len);
	}
}

Test(http_guard, is_not_idle_while_a_body_is_under_way)
{
	static const char client[] = POST(5) "xx" "xxx" GET;
	size_t before = sizeof(POST(5) "xx") - 1;
	struct guard_outcome got;

	got = play_all(client, before, 0, OK(0), sizeof(OK(0)) - 1);
	cr_expect(got.answered && !got.idle);
	got = play_all(client, before + 3, 3, OK(0), sizeof(OK(0)) - 1);
	cr_expect(got.answered && got.idle);
	got = play_all(client, sizeof(client) - 1, sizeof(GET) + 2, OK(0),
	    sizeof(OK(0)) - 1);
	cr_expect(!got.answered && !got.idle && got.n_heads == 2);
	cr_expect_eq(got.stopped, CLOSE_NONE);
}

/* n times `text`; owned by the caller. */
static char *
times(unsigned n, const char *text)
{
	size_t len = strlen(text), i;
	char *all = malloc(n * len + 1);

	cr_assert(all != NULL);
	for (i = 0; i < n; i++)
		memcpy(all + i * len, text, len);
	all[n * len] = '\0';
	return all;
}

Test(http_guard, waits_while_32_answers_are_owed)
{
	enum { LEN = sizeof(HEAD) - 1, MAX = HTTP_GUARD_OUTSTANDING_MAX };
	char *client = times(MAX + 2, HEAD), *vm = times(MAX + 2, OK(7));
	size_t answer_len = sizeof(OK(7)) - 1;
	struct guard_outcome got;

	got = play_all(client, (MAX + 2) * LEN, 0, "", 0);
	cr_expect_eq(got.n_heads, MAX);
	cr_expect_eq(got.passed, MAX * LEN);
	cr_expect(got.waits);
	got = play_all(client, (MAX + 2) * LEN, 0, vm, answer_len);
	cr_expect_eq(got.n_heads, MAX + 1);
	cr_expect(got.waits);
	got = play_all(client, (MAX + 2) * LEN, 0, vm, 2 * answer_len);
	cr_expect_eq(got.n_heads, MAX + 2);
	cr_expect(!got.waits && !got.answered);
	got = play_all(client, MAX * LEN, 0, vm, MAX * answer_len);
	cr_expect(got.idle && got.answered);
	got = play_all(client, MAX * LEN, 0, "", 0);
	cr_expect(!got.waits, "nothing is waiting yet");
	free(client);
	free(vm);
}

Test(http_guard, stays_stopped_whatever_the_vm_says)
{
	static const char client[] = UPGRADE "HEAD / HTTP/1.1\r\n"
	    "Host: b.example\r\n\r\n";
	static const char vm[] = "HTTP/1.1 101 x\r\n\r\n";
	struct guard_run run;
	struct guard_request got;

	guard_run_init(&run, (const uint8_t *)client, false);
	guard_run_client(&run, sizeof(client) - 1, SIZE_MAX);
	cr_assert_eq(run.stopped, CLOSE_HTTP_MISDIRECTED);
	http_guard_response(&run.guard, (const uint8_t *)vm, sizeof(vm) - 1);
	cr_expect(!run.guard.transparent);
	cr_expect(!http_guard_answered(&run.guard));
	got = http_guard_request(&run.guard, (const uint8_t *)client, 10, 99);
	cr_expect_eq(got.verdict, GUARD_STOP);
	cr_expect_eq(got.pass, 0);
	cr_expect_eq(got.reason, CLOSE_HTTP_MISDIRECTED);
	cr_expect_eq(got.peek.verdict, PEEK_REFUSE);
	cr_expect(got.peek.head_method, "a refusal of HEAD has no body");
	cr_expect_eq(http_guard_request_body(&run.guard), 0);
}

Test(http_guard, releases_a_held_head_after_101)
{
	static const char client[] = UPGRADE "GET ";
	static const char vm[] = "HTTP/1.1 101 x\r\n\r\nanything";
	struct guard_outcome got = play_all(client, sizeof(client) - 1, 0, vm,
	    sizeof(vm) - 1);

	cr_expect(got.transparent);
	cr_expect(!got.idle && !got.answered && !got.in_head);
	cr_expect_eq(got.passed, sizeof(client) - 1);
}

Test(http_guard, stays_transparent_whatever_the_caller_says)
{
	static const char client[] = UPGRADE GET;
	static const char vm[] = "HTTP/1.1 101 x\r\n\r\n";
	const uint8_t *next = (const uint8_t *)client + sizeof(UPGRADE) - 1;
	struct http_guard guard;

	http_guard_begin(&guard, (const uint8_t *)client,
	    sizeof(UPGRADE) - 1);
	cr_assert_eq(http_guard_request(&guard, next, sizeof(GET) - 1,
	    999).verdict, GUARD_HEAD);
	http_guard_response(&guard, (const uint8_t *)vm, sizeof(vm) - 1);
	cr_assert(guard.transparent);
	http_guard_accept(&guard);
	http_guard_stop(&guard, CLOSE_HTTP_MISDIRECTED);
	cr_expect_eq(http_guard_request(&guard, next, 3, 999).pass, 3);
	cr_expect_eq(http_guard_request_body(&guard), UINT64_MAX);
	cr_expect_eq(http_guard_response_body(&guard), UINT64_MAX);
	http_guard_request_moved(&guard, 99);
	http_guard_response_moved(&guard, 99);
	cr_expect(!http_guard_idle(&guard) && !http_guard_answered(&guard));
}

Test(http_guard, bounds_a_later_head)
{
	char client[sizeof(GET) + GUARD_RUN_HEAD_MAX];
	struct guard_outcome got;
	size_t len;

	for (len = GUARD_RUN_HEAD_MAX - 1; len <= GUARD_RUN_HEAD_MAX; len++) {
		memcpy(client, GET "GET /", sizeof(GET) + 4);
		memset(client + sizeof(GET) + 4, 'a',
		    sizeof(client) - sizeof(GET) - 4);
		got = play_all(client, sizeof(GET) - 1 + len, 0, "", 0);
		cr_expect_eq(got.passed, sizeof(GET) - 1);
		cr_expect_eq(got.stopped, len < GUARD_RUN_HEAD_MAX ?
		    CLOSE_NONE : CLOSE_HTTP_HEAD_TOO_LONG);
	}
}

/* Cuts and bit flips of good streams: the same in any pieces. */
#define CLIENT \
	POST(3) "abc" HEAD CHUNKED "2;a=\"b\"\r\nxy\r\n0\r\nA: b\r\n\r\n" \
	"\r\n" UPGRADE GET
#define VM \
	"HTTP/1.1 100 x\r\n\r\n" OK(2) "ab" OK(5) "HTTP/1.1 200 x\r\n" \
	"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" \
	"HTTP/1.1 101 x\r\n\r\nxyz"

static void
with_client(const uint8_t *bytes, size_t len, void *arg)
{
	size_t after = len < sizeof(GET) ? 0 : sizeof(GET) - 1;

	(void)arg;
	play_all((const char *)bytes, len, after, VM, sizeof(VM) - 1);
}

static void
with_vm(const uint8_t *bytes, size_t len, void *arg)
{
	(void)arg;
	play_all(CLIENT, sizeof(CLIENT) - 1, sizeof(GET) - 1,
	    (const char *)bytes, len);
}

Test(http_guard, goes_on_alike_in_any_pieces_after_every_cut_and_bit_flip)
{
	struct guard_outcome got = play_all(CLIENT, sizeof(CLIENT) - 1,
	    sizeof(GET) - 1, VM, sizeof(VM) - 1);

	cr_expect(got.transparent);
	cr_expect_eq(got.n_heads, 4);
	cr_expect_eq(got.passed, sizeof(CLIENT) - 1);
	hostile_cuts(CLIENT, sizeof(CLIENT) - 1, with_client, NULL);
	hostile_bit_flips(CLIENT, sizeof(CLIENT) - 1, with_client, NULL);
	hostile_cuts(VM, sizeof(VM) - 1, with_vm, NULL);
	hostile_bit_flips(VM, sizeof(VM) - 1, with_vm, NULL);
}

Test(http_guard, lets_bodies_be_moved_unseen)
{
	static const char head[] = POST(4611686018427387904);
	static const char answer[] = OK(4611686018427387904);
	const uint64_t most = (uint64_t)1 << 62;
	struct http_guard guard;

	cr_assert_eq(http_guard_begin(&guard, (const uint8_t *)head,
	    sizeof(head) - 1), CLOSE_NONE);
	cr_expect_eq(http_guard_request_body(&guard), most);
	cr_expect_eq(http_guard_response_body(&guard), 0);
	http_guard_request_moved(&guard, most - 1);
	cr_expect_eq(http_guard_request_body(&guard), 1);
	http_guard_request_moved(&guard, 1);
	cr_expect_eq(http_guard_request_body(&guard), 0);
	http_guard_response(&guard, (const uint8_t *)answer,
	    sizeof(answer) - 1);
	cr_expect_eq(http_guard_response_body(&guard), most);
	http_guard_response_moved(&guard, most);
	cr_expect(http_guard_idle(&guard));
	http_guard_response(&guard, (const uint8_t *)"x", 1);
	cr_expect_eq(http_guard_response_body(&guard), UINT64_MAX);
	http_guard_response_moved(&guard, 1000);
	cr_expect_eq(http_guard_response_body(&guard), UINT64_MAX);
	cr_expect(!http_guard_answered(&guard));
}

/* The VM waits for the rest of it, so nobody is to wait for the VM. */
Test(http_guard, a_request_stopped_in_its_body_is_owed_no_answer)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: a.example\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	static const char answer[] = "HTTP/1.1 400 Bad Request\r\n"
				     "Content-Length: 0\r\n\r\n";
	const uint8_t *bytes = (const uint8_t *)answer;
	struct http_guard guard;
	struct guard_request r;

	cr_assert_eq(http_guard_begin(&guard, (const uint8_t *)head,
			 sizeof(head) - 1),
	    CLOSE_NONE);
	cr_assert_not(http_guard_answered(&guard));
	r = http_guard_request(&guard, (const uint8_t *)"x\r\n", 3, 1024);
	cr_assert_eq(r.verdict, GUARD_STOP);
	cr_assert(http_guard_answered(&guard));
	/* It may have begun all the same: then it is heard out. */
	http_guard_response(&guard, bytes, 10);
	cr_assert_not(http_guard_answered(&guard));
	http_guard_response(&guard, bytes + 10, sizeof(answer) - 1 - 10);
	cr_assert(http_guard_answered(&guard));
}
