/* SPDX-License-Identifier: ISC */
#include "jumpd/key_store.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/hostile.h"
#include "tests/lib/ssh_vectors.h"

static const struct siphash_key key = { { 4, 5, 6 } };

static void
add_file(struct ssh_build *b, enum key_file_kind kind, uint64_t users,
    const char *name, const void *text, size_t len)
{
	const struct key_file file = { .kind = kind, .users = users,
		.name = name, .name_len = strlen(name), .text = text,
		.len = len };
	uint8_t header[KEY_FILE_HEADER_OCTETS];

	key_file_header(&file, header);
	ssh_build_raw(b, header, sizeof(header));
	ssh_build_raw(b, name, strlen(name));
	ssh_build_raw(b, text, len);
}

static void
add_text(struct ssh_build *b, enum key_file_kind kind, uint64_t users,
    const char *name, const char *text)
{
	add_file(b, kind, users, name, text, strlen(text));
}

static struct key_digest
digest_of(const char *name)
{
	struct ssh_vector v = ssh_vector_load(name);
	struct key_digest d = key_digest_of(v.bytes, v.len);

	ssh_vector_free(&v);
	return d;
}

struct told {
	unsigned	n, fatal;
	uint32_t	line;
	char		text[256];
	char		file[64];
};

static void
tell(void *arg, const struct key_file *file, uint32_t line, bool fatal,
    const char *text)
{
	struct told *told = arg;

	told->n++;
	told->fatal += fatal;
	told->line = line;
	snprintf(told->text, sizeof(told->text), "%s", text);
	snprintf(told->file, sizeof(told->file), "%.*s", (int)file->name_len,
	    file->name);
}

static struct key_store *
load(const struct ssh_build *b, bool whole, enum key_load right,
    struct told *told)
{
	struct key_store *s = key_store_new(b->bytes, b->len, &key);
	enum key_load got;

	memset(told, 0, sizeof(*told));
	do {
		got = key_store_load(s, 1, whole, tell, told);
	} while (got == KEY_LOAD_MORE);
	cr_expect_eq(got, right, "%s:%u: %s", told->file, told->line,
	    told->text);
	return s;
}

static unsigned
count(const struct key_store *s, const char *name, enum key_role role,
    uint64_t users, struct key_line *last)
{
	struct key_digest d = digest_of(name);
	uint32_t at = 0;
	unsigned n = 0;

	while (key_store_find(s, &d, role, users, &at, last))
		n++;
	return n;
}

Test(key_store, finds_the_lines_of_a_key)
{
	char *ed = ssh_vector_text("key-ed25519");
	char *rsa = ssh_vector_text("key-rsa2048");
	char *ca = ssh_vector_text("ca-ed25519"), text[4000];
	struct ssh_build b = { 0 };
	struct key_line line;
	struct key_store *s;
	struct told told;

	snprintf(text, sizeof(text), "# keys\n%s\n\nrestrict %s\n"
		"cert-authority,principals=\"a\" %s\r\n%s", ed, ed, ca, rsa);
	add_text(&b, KEY_FILE_AUTHORIZED, 1, "one", text);
	add_text(&b, KEY_FILE_AUTHORIZED, 6, "two", ed);
	add_text(&b, KEY_FILE_AUTHORIZED, 4, "empty", "");
	add_text(&b, KEY_FILE_TRUSTED_CA, 4, "cas", ca);
	s = load(&b, true, KEY_LOAD_DONE, &told);
	cr_expect_eq(told.n, 0);
	cr_expect_eq(key_store_count(s), 6);
	cr_expect_eq(count(s, "key-ed25519", KEY_ROLE_KEY, 1, &line), 2);
	cr_expect_eq(strncmp(line.text, "restrict ssh-ed25519", 20), 0);
	cr_expect_eq(count(s, "key-ed25519", KEY_ROLE_KEY, 2, &line), 1);
	cr_expect_eq(count(s, "key-ed25519", KEY_ROLE_KEY, 8, &line), 0);
	cr_expect_eq(count(s, "key-ed25519", KEY_ROLE_KEY, 7, &line), 3);
	cr_expect_eq(count(s, "key-ed25519", KEY_ROLE_CA, 7, &line), 0);
	cr_expect_eq(count(s, "key-rsa2048", KEY_ROLE_KEY, 1, &line), 1);
	cr_expect_eq(count(s, "key-ecdsa256", KEY_ROLE_KEY, 7, &line), 0);
	cr_expect_eq(count(s, "ca-ed25519", KEY_ROLE_CA, 1, &line), 1);
	cr_expect_eq(count(s, "ca-ed25519", KEY_ROLE_KEY, 1, &line), 0);
	cr_expect_eq(count(s, "ca-ed25519", KEY_ROLE_TRUSTED_CA, 4, &line),
	    1);
	cr_expect_eq(count(s, "ca-ed25519", KEY_ROLE_TRUSTED_CA, 1, &line),
	    0);
	key_store_free(s);
	free(ed);
	free(rsa);
	free(ca);
}

Test(key_store, is_empty_for_an_empty_bundle)
{
	struct ssh_build b = { 0 };
	struct key_line line;
	struct key_store *s;
	struct told told;

	s = load(&b, true, KEY_LOAD_DONE, &told);
	cr_expect_eq(count(s, "key-ed25519", KEY_ROLE_KEY, 1, &line), 0);
	cr_expect_not(revocation_has_key(key_store_revoked(s), "", 0,
	    &(struct key_digest){ { 0 } }));
	key_store_free(s);
}

Test(key_store, passes_over_lines_that_hold_for_nobody)
{
	char *ed = ssh_vector_text("key-ed25519"), text[4000];
	struct ssh_build b = { 0 };
	struct key_line line;
	struct key_store *s;
	struct told told;

	snprintf(text, sizeof(text), "rubbish\n%s\ncommand=\"x\" %s\n", ed,
	    ed);
	add_text(&b, KEY_FILE_AUTHORIZED, 1, "keys", text);
	s = load(&b, true, KEY_LOAD_DONE, &told);
	cr_expect_eq(told.n, 2);
	cr_expect_eq(told.fatal, 0);
	cr_expect_eq(told.line, 3);
	cr_expect_str_eq(told.file, "keys");
	cr_expect_str_eq(told.text,
	    "option \"command\" cannot be honoured here");
	/* the last one is found; who reads its options refuses it */
	cr_expect_eq(count(s, "key-ed25519", KEY_ROLE_KEY, 1, &line), 2);
	key_store_free(s);
	free(ed);
}

Test(key_store, takes_no_ca_and_no_revocation_in_part)
{
	static const struct {
		enum key_file_kind	 kind;
		const char		*text;
		uint32_t		 line;
	} cases[] = {
		{ KEY_FILE_TRUSTED_CA, "# one\nrubbish\n", 2 },
		{ KEY_FILE_TRUSTED_CA, "ssh-ed25519 AAAA", 1 },
		{ KEY_FILE_TRUSTED_CA, "cert-authority ssh-ed25519 AAAA", 1 },
		{ KEY_FILE_REVOKED, "serial: 5\n\nserial: x\n", 3 },
	};
	struct key_store *s;
	struct told told;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ssh_build b = { 0 };

		add_text(&b, cases[i].kind, 1, "file", cases[i].text);
		s = load(&b, true, KEY_LOAD_FAILED, &told);
		cr_expect_eq(told.fatal, 1);
		cr_expect_eq(told.line, cases[i].line);
		key_store_free(s);
	}
}

Test(key_store, loads_revocations)
{
	struct ssh_vector krl = ssh_vector_load("sha256.krl");
	struct ssh_vector v = ssh_vector_load("key-ed25519");
	struct key_digest digest = key_digest_of(v.bytes, v.len);
	struct ssh_build b = { 0 };
	struct key_store *s;
	struct told told;

	add_file(&b, KEY_FILE_REVOKED, 0, "krl", krl.bytes, krl.len);
	add_text(&b, KEY_FILE_REVOKED, 0, "text", "serial: 5\n");
	s = load(&b, false, KEY_LOAD_DONE, &told);
	cr_expect(revocation_has_key(key_store_revoked(s), v.bytes, v.len,
	    &digest));
	key_store_free(s);
	ssh_vector_free(&krl);
	ssh_vector_free(&v);
}

Test(key_store, holds_many_keys_and_keeps_their_order)
{
	enum { LINES = 20000, OCTETS = 120 };
	char *text = malloc(LINES * OCTETS), *ed, *bundle;
	uint8_t header[KEY_FILE_HEADER_OCTETS];
	struct key_digest d = digest_of("key-ed25519");
	struct key_file file = { .kind = KEY_FILE_AUTHORIZED, .users = 1,
		.name = "k", .name_len = 1 };
	struct key_line line;
	struct key_store *s;
	uint32_t at = 0;
	unsigned i;
	char option[64];

	ed = ssh_vector_text("key-ed25519");
	for (i = 0; i < LINES; i++)
		file.len += (size_t)snprintf(text + file.len, OCTETS,
		    "expiry-time=\"%08u\" %.80s\n", i, ed);
	key_file_header(&file, header);
	bundle = malloc(sizeof(header) + 1 + file.len);
	memcpy(bundle, header, sizeof(header));
	bundle[sizeof(header)] = 'k';
	memcpy(bundle + sizeof(header) + 1, text, file.len);
	s = key_store_new(bundle, sizeof(header) + 1 + file.len, &key);
	cr_assert_eq(key_store_load(s, UINT32_MAX, false, NULL, NULL),
	    KEY_LOAD_DONE);
	for (i = 0; i < LINES; i++) {
		cr_assert(key_store_find(s, &d, KEY_ROLE_KEY, 1, &at, &line));
		snprintf(option, sizeof(option), "expiry-time=\"%08u\"", i);
		cr_assert_eq(memcmp(line.text, option, strlen(option)), 0);
	}
	cr_expect_not(key_store_find(s, &d, KEY_ROLE_KEY, 1, &at, &line));
	key_store_free(s);
	free(bundle);
	free(text);
	free(ed);
}

static void
survives(const uint8_t *bytes, size_t len, void *arg)
{
	struct key_store *s = key_store_new(bytes, len, &key);

	(void)arg;
	(void)key_store_load(s, UINT32_MAX, true, NULL, NULL);
	key_store_free(s);
}

static void
is_refused(const uint8_t *bytes, size_t len, void *arg)
{
	struct key_store *s = key_store_new(bytes, len, &key);
	enum key_load got = key_store_load(s, UINT32_MAX, false, NULL, NULL);
	const size_t *whole = arg;

	/* whole files may be missing, never a part of one */
	cr_assert_eq(got == KEY_LOAD_DONE,
	    len == 0 || len == whole[0] || len == whole[1]);
	key_store_free(s);
}

Test(key_store, survives_every_cut_and_bit_flip)
{
	char *ed = ssh_vector_text("key-ed25519");
	struct ssh_build b = { 0 };
	size_t whole[2];

	add_text(&b, KEY_FILE_AUTHORIZED, 5, "one", ed);
	whole[0] = b.len;
	add_text(&b, KEY_FILE_REVOKED, 0, "r", "serial: 5\n");
	whole[1] = b.len;
	hostile_cuts(b.bytes, b.len, is_refused, whole);
	hostile_bit_flips(b.bytes, b.len, survives, NULL);
	free(ed);
}
