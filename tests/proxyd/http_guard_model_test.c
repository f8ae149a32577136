/* SPDX-License-Identifier: ISC */
#include "tests/lib/guard_model.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { STREAM_MAX = 128 * 1024, CONNECTIONS = 3000 };

struct stream {
	uint8_t	bytes[STREAM_MAX];
	size_t	len;
};

/* A connection made up at random. */
struct play {
	uint64_t	seed;
	struct stream	client, vm;
	unsigned	n_requests;
	size_t		answer_end[GUARD_MODEL_REQUESTS_MAX];	/* in vm */
	bool		head_method, upgrade;	/* of the last request */
};

/* xorshift64: below n. */
static unsigned
random_below(struct play *play, unsigned n)
{
	play->seed ^= play->seed << 13;
	play->seed ^= play->seed >> 7;
	play->seed ^= play->seed << 17;
	return (unsigned)(play->seed >> 33) % n;
}

static bool
one_in(struct play *play, unsigned n)
{
	return random_below(play, n) == 0;
}

__attribute__((format(printf, 2, 3)))
static void
say(struct stream *stream, const char *format, ...)
{
	size_t room = sizeof(stream->bytes) - stream->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf((char *)stream->bytes + stream->len, room, format, args);
	va_end(args);
	cr_assert(n >= 0 && (size_t)n < room);
	stream->len += (size_t)n;
}

/* Content that looks like anything. */
static void
say_content(struct play *play, struct stream *stream, unsigned n)
{
	static const char alike[] = "GET / HTTP/1.1\r\nHost: b.example\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n0\r\n\r\n\n\r";
	unsigned from = random_below(play, sizeof(alike) - 1);

	for (; n > 0; n--, from++)
		say(stream, "%c", alike[from % (sizeof(alike) - 1)]);
}

static void
say_chunks(struct play *play, struct stream *stream)
{
	static const char *const extensions[] = { "", "", ";a", " ; a=b",
	    ";a=\"b;\\\"\"" };
	static const char *const trailers[] = { "", "", "Sum: 1\r\n",
	    "A:\r\nB: c\r\n" };
	unsigned n, size;

	for (n = random_below(play, 4); n > 0; n--) {
		size = 1 + random_below(play, 40);
		say(stream, one_in(play, 2) ? "%X" : "00%x", size);
		say(stream, "%s\r\n", extensions[random_below(play, 5)]);
		say_content(play, stream, size);
		say(stream, "\r\n");
	}
	say(stream, "0%s\r\n%s\r\n", extensions[random_below(play, 5)],
	    trailers[random_below(play, 4)]);
}

/* Fields and content, and the final empty line between them. */
static void
say_body(struct play *play, struct stream *stream, bool chunked,
    unsigned length)
{
	if (chunked) {
		say(stream, "Transfer-Encoding: %s\r\n\r\n",
		    one_in(play, 2) ? "chunked" : "\tCHUNKED ");
		say_chunks(play, stream);
	} else {
		say(stream, "%s%u\r\n\r\n", one_in(play, 2) ?
		    "Content-Length: " : "content-length:", length);
		say_content(play, stream, length);
	}
}

static void
say_request(struct play *play)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT" };
	unsigned method = random_below(play, 4), minor = !one_in(play, 8);
	struct stream *to = &play->client;
	bool chunked = minor > 0 && one_in(play, 4);

	play->head_method = method == 1;
	play->upgrade = one_in(play, 12);
	say(to, "%s%s /%u HTTP/1.%u\r\n", one_in(play, 6) ? "\r\n\r\n" : "",
	    methods[method], random_below(play, 100000), minor);
	if (play->upgrade)
		say(to, "Connection: upgrade\r\nUpgrade: x\r\n");
	if (one_in(play, 2))
		say(to, "Accept: Content-Length: 5\r\n");
	say(to, "host:%sa.example\r\n", one_in(play, 2) ? " " : "");
	play->upgrade = play->upgrade && minor > 0;
	if (method == 0 && one_in(play, 2))
		say(to, "\r\n");
	else
		say_body(play, to, chunked, random_below(play, 60));
}

/* What ends the taking of requests. */
static void
say_bad_request(struct play *play)
{
	static const char *const bad[] = {
		"GET / HTTP/1.1\r\nHost: b.example\r\n\r\n",
		"\r\nPOST / HTTP/1.1\r\nHost: A.EXAMPLE\r\nContent-Length: 0"
		"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET / HTTP/1.1\nHost: a.example\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a.example\r\n"
		"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n;\r\n"
	};

	say(&play->client, "%s", bad[random_below(play, 4)]);
	say_content(play, &play->client, 50);
}

static void
say_answer(struct play *play)
{
	struct stream *to = &play->vm;
	unsigned kind = random_below(play, 60);

	while (one_in(play, 5))
		say(to, "HTTP/1.1 %u x\r\nA: b\r\n\r\n",
		    one_in(play, 2) ? 100 : 103);
	if (kind == 0 && !play->head_method) {
		say(to, "HTTP/1.%u 200 OK\r\nServer: x\r\n\r\n",
		    random_below(play, 2));
		say_content(play, to, 50);
	} else if (kind == 1 || (play->upgrade && kind < 30)) {
		say(to, "HTTP/1.1 101 x\r\nUpgrade: x\r\n\r\n");
	} else if (kind < 12) {
		say(to, "HTTP/1.1 %u\r\n%s\r\n", kind % 2 ? 204 : 304,
		    kind % 3 ? "" : "Content-Length: 5\r\n");
	} else if (play->head_method) {
		say(to, "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n");
	} else {
		say(to, "HTTP/1.1 %u OK\r\nContent-Type: text/plain\r\n",
		    200 + 100 * random_below(play, 4));
		say_body(play, to, one_in(play, 3), random_below(play, 60));
	}
}

static void
make_up(struct play *play, uint64_t seed)
{
	unsigned i;

	play->seed = seed * 0x9e3779b97f4a7c15u;
	play->client.len = play->vm.len = 0;
	play->n_requests = 1 + random_below(play, one_in(play, 2) ? 5 :
	    GUARD_MODEL_REQUESTS_MAX - 2);
	for (i = 0; i < play->n_requests; i++) {
		say_request(play);
		say_answer(play);
		play->answer_end[i] = play->vm.len;
	}
	if (one_in(play, 2))
		say_bad_request(play);
	else if (one_in(play, 8))
		say_answer(play);	/* one too many */
	for (i--; i < GUARD_MODEL_REQUESTS_MAX; i++)	/* the last says all */
		play->answer_end[i] = play->vm.len;
}

/* How the connections ended, so that none of the ways stays untried. */
struct tally {
	unsigned	stopped[N_CLOSE_REASONS];
	unsigned	waited, transparent, idle, all_idle;
};

static void
compare(const struct guard_run *run, const struct guard_model *model,
    uint64_t seed, size_t vm_len)
{
	struct guard_outcome got = guard_run_outcome(run);
	const struct guard_outcome *want = &model->outcome;

	cr_assert(guard_outcome_equal(&got, want),
	    "seed %llu, %zu + %zu octets: passed %zu/%zu heads %u/%u "
	    "stopped %s/%s in_head %d/%d waits %d/%d transparent %d/%d "
	    "idle %d/%d answered %d/%d", (unsigned long long)seed,
	    run->offered, vm_len, got.passed, want->passed, got.n_heads,
	    want->n_heads, close_reason_label(got.stopped),
	    close_reason_label(want->stopped), got.in_head, want->in_head,
	    got.waits, want->waits, got.transparent, want->transparent,
	    got.idle, want->idle, got.answered, want->answered);
	cr_assert(run->refused == SIZE_MAX || run->passed == run->refused,
	    "of a head not accepted, nothing passes");
}

/* A random part of what is left, often all of it. */
static size_t
part_of(struct play *play, size_t left)
{
	size_t n = one_in(play, 2) ? left : random_below(play, 120);

	return n < left ? n : left;
}

static void
play_out(struct play *play, uint64_t seed, struct tally *tally)
{
	struct guard_model model = { 0 };
	size_t vm_len = 0, n, may;
	struct guard_run run;
	unsigned idle_turns = 0;

	guard_run_init(&run, play->client.bytes, one_in(play, 2));
	while (idle_turns < 40) {
		size_t piece = 1 + random_below(play, one_in(play, 2) ? 5 :
		    500);

		may = run.n_heads == 0 ? 0 : play->answer_end[run.n_heads - 1];
		if (one_in(play, 2)) {
			n = part_of(play, play->client.len - run.offered);
			guard_run_client(&run, n, piece);
		} else {
			n = part_of(play, may - vm_len);
			guard_run_vm(&run, play->vm.bytes + vm_len, n, piece);
			vm_len += n;
		}
		idle_turns = n == 0 ? idle_turns + 1 : 0;
		guard_model_update(&model, play->client.bytes, run.offered,
		    play->vm.bytes, vm_len);
		compare(&run, &model, seed, vm_len);
		tally->waited += run.waits;
		tally->idle += model.outcome.idle;
	}
	tally->stopped[run.stopped]++;
	tally->transparent += run.guard.transparent;
	tally->all_idle += model.outcome.idle && vm_len == play->vm.len;
}

Test(http_guard, agrees_with_a_model_that_sees_whole_streams, .timeout = 600)
{
	static struct play play;
	struct tally tally = { 0 };
	uint64_t seed;

	for (seed = 1; seed <= CONNECTIONS; seed++) {
		make_up(&play, seed);
		play_out(&play, seed, &tally);
	}
	cr_expect_gt(tally.waited, 50);
	cr_expect_gt(tally.transparent, 50);
	cr_expect_gt(tally.idle, 1000);
	cr_expect_gt(tally.all_idle, 200);
	cr_expect_gt(tally.stopped[CLOSE_HTTP_MISDIRECTED], 50);
	cr_expect_gt(tally.stopped[CLOSE_HTTP_BODY_FRAMING], 50);
	cr_expect_gt(tally.stopped[CLOSE_HTTP_BARE_LF], 50);
	cr_expect_gt(tally.stopped[CLOSE_HTTP_CHUNK], 50);
	cr_expect_gt(tally.stopped[CLOSE_HTTP_ANSWER], 50);
}
