/* SPDX-License-Identifier: ISC */
#include "proxyd/peek_http.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/hostile.h"

/* A case of tests/vectors/http_heads.txt, which explains its format. */
struct head_case {
	char		name[64];
	char		rfc[32];
	uint8_t		bytes[1024];
	size_t		len;
	size_t		max;
	size_t		after;		/* 0: not said */
	bool		expected;	/* is said */
	struct peek	expect;
};

enum { MAX_DEFAULT = 16384, CASES_MAX = 512 };

static struct head_case *cases;		/* owned */
static size_t n_cases;

static enum close_reason
reason_named(const char *id, unsigned line)
{
	static const char *const ids[] = {
#define CLOSE_REASON(id, label, text) #id,
		CLOSE_REASONS
#undef CLOSE_REASON
	};
	enum close_reason reason;

	for (reason = CLOSE_NONE; reason < N_CLOSE_REASONS; reason++)
		if (strcmp(ids[reason], id) == 0)
			return reason;
	cr_assert(false, "http_heads.txt:%u: no reason %s", line, id);
	return CLOSE_NONE;
}

/* Append what the escaped text stands for. */
static void
append(struct head_case *c, const char *text, unsigned line)
{
	static const char letters[] = "rnt\\", octets[] = "\r\n\t\\";
	const char *letter;
	char hex[3] = "";
	char *end;

	while (*text != '\0') {
		uint8_t octet = (uint8_t)*text++;

		if (octet == '\\' && *text == 'x') {
			memcpy(hex, text + 1, strnlen(text + 1, 2));
			octet = (uint8_t)strtoul(hex, &end, 16);
			cr_assert(end == hex + 2, "line %u: \\x", line);
			text += 3;
		} else if (octet == '\\') {
			letter = *text == '\0' ? NULL : strchr(letters, *text);
			cr_assert(letter != NULL, "line %u: \\%c", line, *text);
			octet = (uint8_t)octets[letter - letters];
			text++;
		}
		cr_assert(c->len < sizeof(c->bytes), "line %u: long", line);
		c->bytes[c->len++] = octet;
	}
}

static void
expect(struct head_case *c, enum peek_verdict verdict,
    enum close_reason reason, const char *name, unsigned line)
{
	cr_assert(!c->expected, "line %u: a second verdict", line);
	c->expected = true;
	c->expect.verdict = verdict;
	c->expect.reason = reason;
	c->expect.name_len = strlen(name);
	cr_assert(c->expect.name_len <= HOSTNAME_MAX, "line %u", line);
	memcpy(c->expect.name, name, strlen(name) + 1);
}

static void
read_line(struct head_case *c, char *text, unsigned line)
{
	char *rest = strchr(text, ' ');
	char none[] = "";
	unsigned long n;

	if (rest != NULL)
		*rest++ = '\0';
	else
		rest = none;
	if (strcmp(text, "rfc") == 0)
		snprintf(c->rfc, sizeof(c->rfc), "%s", rest);
	else if (strcmp(text, "in") == 0)
		append(c, rest, line);
	else if (strcmp(text, "rep") == 0) {
		for (n = strtoul(rest, &rest, 10); n > 0; n--)
			append(c, rest + 1, line);
	} else if (strcmp(text, "host") == 0)
		expect(c, PEEK_NAME, CLOSE_NONE, rest, line);
	else if (strcmp(text, "nameless") == 0)
		expect(c, PEEK_NAMELESS, reason_named(rest, line), "", line);
	else if (strcmp(text, "refuse") == 0)
		expect(c, PEEK_REFUSE, reason_named(rest, line), "", line);
	else if (strcmp(text, "more") == 0)
		expect(c, PEEK_MORE, CLOSE_NONE, "", line);
	else if (strcmp(text, "after") == 0)
		c->after = strtoul(rest, NULL, 10);
	else if (strcmp(text, "max") == 0)
		c->max = strtoul(rest, NULL, 10);
	else if (strcmp(text, "head") == 0)
		c->expect.head_method = true;
	else
		cr_assert(false, "http_heads.txt:%u: what is %s?", line, text);
}

static FILE *
open_table(void)
{
	const char *folder = getenv("srcdir");
	char path[4096];
	FILE *file;

#ifdef TESTS_SRCDIR
	if (folder == NULL)
		folder = TESTS_SRCDIR;
#endif
	snprintf(path, sizeof(path), "%s/tests/vectors/http_heads.txt",
	    folder == NULL ? "." : folder);
	file = fopen(path, "r");
	cr_assert(file != NULL, "cannot open %s; set srcdir", path);
	return file;
}

static void
read_table(void)
{
	FILE *file = open_table();
	struct head_case *c = NULL;
	char text[2048];
	unsigned line;

	cases = calloc(CASES_MAX, sizeof(*cases));
	cr_assert(cases != NULL);
	for (line = 1; fgets(text, sizeof(text), file) != NULL; line++) {
		text[strcspn(text, "\n")] = '\0';
		if (text[0] == '#')
			continue;
		if (text[0] == '\0') {
			c = NULL;
			continue;
		}
		if (strncmp(text, "case ", 5) != 0) {
			cr_assert(c != NULL, "line %u: not in a case", line);
			read_line(c, text, line);
			continue;
		}
		cr_assert(c == NULL && n_cases < CASES_MAX, "line %u", line);
		c = &cases[n_cases++];
		c->max = MAX_DEFAULT;
		cr_assert(strlen(text + 5) < sizeof(c->name), "line %u", line);
		memcpy(c->name, text + 5, strlen(text + 5) + 1);
	}
	fclose(file);
}

static void
free_table(void)
{
	free(cases);
	cases = NULL;
	n_cases = 0;
}

TestSuite(peek_http, .init = read_table, .fini = free_table);

static bool
peek_equal(const struct peek *a, const struct peek *b)
{
	return a->verdict == b->verdict && a->reason == b->reason &&
	    a->alert == b->alert && a->head_method == b->head_method &&
	    a->name_len == b->name_len && strcmp(a->name, b->name) == 0;
}

/* The verdict on a head seen all at once. */
static struct peek
peek_at_once(const uint8_t *bytes, size_t len, size_t max)
{
	struct peek_http scan = { 0 };

	return peek_http(&scan, bytes, len, max);
}

/*
 * The verdict on a head that comes one octet at a time, which must stay as
 * it is once it is there, and after how many octets it came.
 */
static struct peek
peek_slowly(const uint8_t *bytes, size_t len, size_t max, size_t *ret_after,
    const char *name)
{
	struct peek_http scan = { 0 };
	struct peek peek, first = { .verdict = PEEK_MORE };
	size_t n;

	for (n = 0; n <= len; n++) {
		peek = peek_http(&scan, bytes, n, max);
		if (first.verdict == PEEK_MORE) {
			first = peek;
			*ret_after = n;
		}
		cr_assert(peek_equal(&peek, &first), "%s: verdict changes at "
		    "octet %zu", name, n);
	}
	return first;
}

static void
check(const struct head_case *c, const struct peek *got, const char *how,
    size_t at)
{
	cr_assert(got->verdict == c->expect.verdict &&
	    got->reason == c->expect.reason,
	    "%s (RFC %s) %s %zu: verdict %d, %s", c->name, c->rfc, how, at,
	    (int)got->verdict, close_reason_label(got->reason));
	cr_assert(strcmp(got->name, c->expect.name) == 0 &&
	    got->name_len == c->expect.name_len, "%s: name %s", c->name,
	    got->name);
	cr_assert(got->head_method == c->expect.head_method ||
	    got->verdict == PEEK_MORE, "%s: head_method", c->name);
	cr_assert(got->alert == 0, "%s: alert", c->name);
}

Test(peek_http, has_a_table_whose_cases_are_whole_and_unlike)
{
	size_t i, j;

	cr_assert(n_cases >= 140, "%zu cases", n_cases);
	for (i = 0; i < n_cases; i++) {
		cr_assert(cases[i].expected && cases[i].rfc[0] != '\0',
		    "%s lacks verdict or clause", cases[i].name);
		for (j = 0; j < i; j++)
			cr_assert(strcmp(cases[i].name, cases[j].name) != 0,
			    "two cases are named %s", cases[i].name);
	}
}

static void
check_whole(const uint8_t *bytes, size_t len, void *arg)
{
	const struct head_case *c = arg;
	struct peek_http scan = { 0 };
	struct peek got;

	if (len < c->len)
		return;
	got = peek_http(&scan, bytes, len, c->max);
	check(c, &got, "at once", len);
	if (got.verdict == PEEK_NAME || got.verdict == PEEK_NAMELESS)
		cr_assert(scan.scanned >= 4 && memcmp(bytes + scan.scanned - 4,
		    "\r\n\r\n", 4) == 0, "%s: length of head", c->name);
}

Test(peek_http, decides_each_case_at_once)
{
	size_t i;

	for (i = 0; i < n_cases; i++)
		hostile_cuts(cases[i].bytes, cases[i].len, check_whole,
		    &cases[i]);
}

Test(peek_http, decides_each_case_one_octet_at_a_time)
{
	const struct head_case *c;
	struct peek got;
	size_t after;

	for (c = cases; c < cases + n_cases; c++) {
		got = peek_slowly(c->bytes, c->len, c->max, &after, c->name);
		check(c, &got, "one octet at a time", c->len);
		cr_assert(c->after == 0 || c->after == after,
		    "%s: the verdict came after %zu", c->name, after);
	}
}

Test(peek_http, decides_each_case_in_every_two_parts)
{
	const struct head_case *c;
	struct peek got;
	size_t at;

	for (c = cases; c < cases + n_cases; c++) {
		for (at = 0; at <= c->len; at++) {
			struct peek_http scan = { 0 };

			got = peek_http(&scan, c->bytes, at, c->max);
			cr_assert(got.verdict == PEEK_MORE ||
			    got.verdict == c->expect.verdict,
			    "%s: early verdict at %zu", c->name, at);
			got = peek_http(&scan, c->bytes, c->len, c->max);
			check(c, &got, "split at", at);
		}
	}
}

static void
check_cut(const uint8_t *bytes, size_t len, void *arg)
{
	const struct head_case *c = arg;
	struct peek got = peek_at_once(bytes, len, c->max);

	if (got.verdict != PEEK_MORE)
		check(c, &got, "cut at", len);
}

Test(peek_http, asks_for_more_or_is_right_at_every_cut)
{
	size_t i;

	for (i = 0; i < n_cases; i++)
		hostile_cuts(cases[i].bytes, cases[i].len, check_cut,
		    &cases[i]);
}

static void
check_flip(const uint8_t *bytes, size_t len, void *arg)
{
	const struct head_case *c = arg;
	struct peek at_once = peek_at_once(bytes, len, c->max);
	struct peek slowly;
	char name[HOSTNAME_MAX + 1];
	size_t after, name_len;

	slowly = peek_slowly(bytes, len, c->max, &after, c->name);
	cr_assert(peek_equal(&at_once, &slowly), "%s: flipped", c->name);
	if (at_once.verdict != PEEK_NAME)
		return;
	cr_assert(hostname_normalise((const uint8_t *)at_once.name,
	    at_once.name_len, name, &name_len) == HOSTNAME_OK &&
	    strcmp(name, at_once.name) == 0, "%s: %s", c->name, name);
}

Test(peek_http, decides_each_bit_flip_the_same_in_all_segmentations)
{
	size_t i;

	for (i = 0; i < n_cases; i++)
		if (cases[i].expect.verdict == PEEK_NAME)
			hostile_bit_flips(cases[i].bytes, cases[i].len,
			    check_flip, &cases[i]);
}

/* Quadratic work would be 10^11 octets here. */
Test(peek_http, does_linear_work_for_one_octet_at_a_time, .timeout = 30)
{
	static const char begin[] = "GET / HTTP/1.1\r\nHost: a.example\r\nX: ";
	size_t len = 1 << 20, n;
	uint8_t *bytes = malloc(len);
	struct peek_http scan = { 0 };
	struct peek got = { 0 };

	cr_assert(bytes != NULL);
	memset(bytes, 'a', len);
	memcpy(bytes, begin, sizeof(begin) - 1);
	memcpy(bytes + len - 4, "\r\n\r\n", 4);
	for (n = 0; n <= len; n++) {
		cr_assert(got.verdict == PEEK_MORE, "at %zu", n);
		got = peek_http(&scan, bytes, n, len);
	}
	cr_assert(got.verdict == PEEK_NAME && scan.scanned == len);
	free(bytes);
}

Test(peek_http, repeats_its_verdict_when_asked_again)
{
	static const uint8_t bad[] = "GET / HTTP/1.1\r\nHost: a.example\n";
	struct peek_http scan = { 0 };
	struct peek first, again;

	first = peek_http(&scan, bad, sizeof(bad) - 1, 64);
	again = peek_http(&scan, bad, sizeof(bad) - 1, 64);
	cr_assert(first.verdict == PEEK_REFUSE &&
	    first.reason == CLOSE_HTTP_BARE_LF);
	cr_assert(peek_equal(&first, &again));
}
