/* SPDX-License-Identifier: ISC */
#include "jumpd/key_revocation.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jumpd/key_revocation_store.h"
#include "tests/lib/hostile.h"
#include "tests/lib/ssh_vectors.h"

static struct revocation *
list_of(const void *bytes, size_t len)
{
	struct revocation *r = revocation_new();
	char problem[256];
	uint32_t line;

	cr_assert(revocation_add(r, bytes, len, &line, problem,
		      sizeof(problem)),
	    "line %u: %s", line, problem);
	revocation_seal(r);
	return r;
}

static bool
revokes(const struct revocation *r, const char *name)
{
	struct ssh_vector v = ssh_vector_load(name);
	struct key_digest digest = key_digest_of(v.bytes, v.len);
	struct ssh_cert cert;
	bool revoked;

	if (key_blob_is_cert(v.bytes, v.len)) {
		cr_assert_eq(ssh_cert_parse(v.bytes, v.len, &cert), DENY_NONE,
		    "%s", name);
		revoked = revocation_has_cert(r, &cert);
	} else
		revoked = revocation_has_key(r, v.bytes, v.len, &digest);
	ssh_vector_free(&v);
	return revoked;
}

/* All are ed25519's CA's with serial 42, unless their name says otherwise. */
static const char *const looked_at[] = { "cert-key-ed25519",
	"cert-key-rsa2048", "cert-expired", "cert-serial-0", "cert-serial-7",
	"cert-serial-max", "cert-ca-other", "key-ed25519", "key-rsa2048",
	"key-ecdsa256", "ca-ed25519" };

Test(revocation, reads_the_lists_of_ssh_keygen)
{
	static const struct {
		const char	*krl;
		const char	*revoked;	/* a letter each, as above */
	} cases[] = {
		/*                edRe07mo eRc A */
		{ "serials.krl", "yyy-y------" },
		{ "bitmap.krl", "----y------" },	/* 1, 4, 7, ... */
		{ "ids.krl", "y-y--------" },
		{ "any-ca-ids.krl", "y----------" },
		{ "other-ca.krl", "------y----" },
		{ "keys.krl", "yyyyyyyyy--" },
		{ "ca-key.krl", "yyyyyy----y" },
		{ "sha1.krl", "y-yyyyyy---" },
		{ "sha256.krl", "y-yyyyyy---" },
		{ "empty.krl", "-----------" },
	};
	struct revocation *r;
	size_t i, j;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ssh_vector v = ssh_vector_load(cases[i].krl);

		r = list_of(v.bytes, v.len);
		for (j = 0; j < sizeof(looked_at) / sizeof(looked_at[0]); j++)
			cr_expect_eq(revokes(r, looked_at[j]),
			    cases[i].revoked[j] == 'y', "%s: %s",
			    cases[i].krl, looked_at[j]);
		revocation_free(r);
		ssh_vector_free(&v);
	}
}

static struct revocation *
text_list(const char *text)
{
	return list_of(text, strlen(text));
}

Test(revocation, reads_text)
{
	struct ssh_vector v = ssh_vector_load("key-ecdsa256");
	struct key_digest digest = key_digest_of(v.bytes, v.len);
	char *key = ssh_vector_text("key-ed25519");
	char *ca = ssh_vector_text("ca-other"), text[2000];
	char hash[KEY_DIGEST_TEXT_MAX];
	struct revocation *r;

	r = text_list("# none\n\n  \nserial: 7");
	cr_expect(revokes(r, "cert-serial-7"));
	cr_expect_not(revokes(r, "cert-key-ed25519"));
	revocation_free(r);

	r = text_list("serial: 8-42\r\nserial: 18446744073709551615\n");
	cr_expect(revokes(r, "cert-key-ed25519"));
	cr_expect(revokes(r, "cert-serial-max"));
	cr_expect_not(revokes(r, "cert-serial-7"));
	revocation_free(r);

	/* 0 says that the CA does not number */
	r = text_list("serial: 0-6\n");
	cr_expect_not(revokes(r, "cert-serial-0"));
	revocation_free(r);

	snprintf(text, sizeof(text), "ca: %s\nserial: 42\nca: *\nid: expired\n",
	    ca);
	r = text_list(text);
	cr_expect(revokes(r, "cert-ca-other"));
	cr_expect(revokes(r, "cert-expired"));
	cr_expect_not(revokes(r, "cert-key-ed25519"));
	revocation_free(r);

	snprintf(text, sizeof(text), "%s\nhash: %s\n", key,
	    key_digest_format(&digest, hash));
	r = text_list(text);
	cr_expect(revokes(r, "key-ed25519"));
	cr_expect(revokes(r, "cert-ca-ecdsa256"));	/* of that key */
	cr_expect(revokes(r, "key-ecdsa256"));
	cr_expect_not(revokes(r, "key-rsa2048"));
	cr_expect_eq(revocation_count(r), 2);
	revocation_free(r);

	snprintf(text, sizeof(text), "key: %s", key);
	r = text_list(text);
	cr_expect(revokes(r, "key-ed25519"));
	revocation_free(r);
	free(key);
	free(ca);
	ssh_vector_free(&v);
}

Test(revocation, tells_the_line_that_is_wrong)
{
	static const char *const bad[] = { "serial:", "serial: x",
		"serial: 5-", "serial: -5", "serial: 5-4", "serial: 5 6",
		"serial: 18446744073709551616", "serial: 0x5", "id:",
		"key:", "key: ssh-ed25519", "hash: MD5:00", "hash:",
		"ca:", "ca: other", "foo: bar", "ssh-ed25519 AAAA",
		"restrict ssh-ed25519 AAAA" };
	struct revocation *r;
	char problem[256], text[256];
	uint32_t line;
	size_t i;
	int n;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r = revocation_new();
		line = 0;
		n = snprintf(text, sizeof(text), "# one\nserial: 5\n%s\n# four",
			bad[i]);
		cr_expect_not(revocation_add(r, text, (size_t)n, &line,
				  problem, sizeof(problem)),
		    "%s", bad[i]);
		cr_expect_eq(line, 3, "%s: line %u", bad[i], line);
		cr_expect_neq(problem[0], '\0');
		revocation_free(r);
	}
}

Test(revocation, merges_ranges_that_overlap)
{
	struct revocation *r = text_list("serial: 10-20\nserial: 15-16\n"
		"serial: 21-30\nserial: 50\nserial: 5-11\nserial: 40-45\n"
		"serial: 18446744073709551610-18446744073709551615\n"
		"serial: 18446744073709551600-18446744073709551612\n");
	static const struct {
		uint64_t	serial;
		bool		revoked;
	} cases[] = { { 0, false }, { 4, false }, { 5, true }, { 12, true },
		{ 17, true }, { 20, true }, { 21, true }, { 30, true },
		{ 31, false }, { 39, false }, { 40, true }, { 46, false },
		{ 50, true }, { 51, false },
		{ UINT64_C(18446744073709551599), false },
		{ UINT64_C(18446744073709551611), true },
		{ UINT64_MAX, true } };
	struct ssh_vector v = ssh_vector_load("cert-key-ed25519");
	struct ssh_cert cert;
	size_t i;

	cr_assert_eq(ssh_cert_parse(v.bytes, v.len, &cert), DENY_NONE);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cert.serial = cases[i].serial;
		cr_expect_eq(revocation_has_cert(r, &cert), cases[i].revoked,
		    "%llu", (unsigned long long)cases[i].serial);
	}
	cr_expect_eq(revocation_count(r), 4);
	revocation_free(r);
	ssh_vector_free(&v);
}

/* A section of a list, with its header before it. */
static struct ssh_build
krl(uint8_t kind, const void *section, size_t len)
{
	struct ssh_build b = { 0 };

	ssh_build_raw(&b, "SSHKRL\n", 8);
	ssh_build_u32(&b, 1);
	ssh_build_u64(&b, 0);
	ssh_build_u64(&b, 0);
	ssh_build_u64(&b, 0);
	ssh_build_text(&b, "");
	ssh_build_text(&b, "");
	ssh_build_raw(&b, &kind, 1);
	ssh_build_string(&b, section, len);
	return b;
}

static bool
krl_is_read(uint8_t kind, const void *section, size_t len)
{
	struct ssh_build b = krl(kind, section, len);
	struct revocation *r = revocation_new();
	char problem[256];
	uint32_t line;
	bool good;

	good = revocation_add(r, b.bytes, b.len, &line, problem,
	    sizeof(problem));
	revocation_free(r);
	return good;
}

Test(revocation, refuses_sections_it_does_not_know)
{
	struct ssh_build extension = { 0 }, certs = { 0 };

	cr_expect(krl_is_read(1, "\0\0\0\0\0\0\0\0", 8));
	cr_expect(krl_is_read(2, "", 0));
	cr_expect_not(krl_is_read(4, "", 0));
	cr_expect_not(krl_is_read(6, "", 0));
	cr_expect_not(krl_is_read(3, "\0\0\0\1x", 5));	/* no SHA-1 */

	ssh_build_text(&extension, "x@example.com");
	ssh_build_raw(&extension, "", 1);
	ssh_build_text(&extension, "");
	cr_expect(krl_is_read(255, extension.bytes, extension.len));
	extension.bytes[17] = 1;	/* critical */
	cr_expect_not(krl_is_read(255, extension.bytes, extension.len));

	ssh_build_text(&certs, "");
	ssh_build_text(&certs, "");
	ssh_build_raw(&certs, "\x24", 1);
	ssh_build_text(&certs, "");
	cr_expect_not(krl_is_read(1, certs.bytes, certs.len));
}

Test(revocation, keeps_no_more_than_it_has_room_for)
{
	struct ssh_build certs = { 0 }, bitmap = { 0 };
	struct revocation *r = revocation_new();
	static uint8_t map[4000];
	char problem[256];
	uint32_t line;
	unsigned i;
	bool good = true;

	memset(map, 0x55, sizeof(map));		/* 16,000 single numbers */
	ssh_build_u64(&bitmap, 0);
	ssh_build_string(&bitmap, map, sizeof(map));
	ssh_build_text(&certs, "");
	ssh_build_text(&certs, "");
	ssh_build_raw(&certs, "\x22", 1);
	ssh_build_string(&certs, bitmap.bytes, bitmap.len);
	struct ssh_build b = krl(1, certs.bytes, certs.len);
	for (i = 0; i < 100 && good; i++)
		good = revocation_add(r, b.bytes, b.len, &line, problem,
		    sizeof(problem));
	cr_expect_not(good);
	cr_expect_eq(revocation_count(r), REVOCATION_ENTRIES_MAX);
	revocation_free(r);
}

static void
survives(const uint8_t *bytes, size_t len, void *arg)
{
	struct revocation *r = revocation_new();
	char problem[256];
	uint32_t line;

	(void)arg;
	if (revocation_add(r, bytes, len, &line, problem, sizeof(problem))) {
		revocation_seal(r);
		revokes(r, "cert-key-ed25519");
	}
	revocation_free(r);
}

Test(revocation, survives_every_cut_and_bit_flip)
{
	static const char *const names[] = { "serials.krl", "bitmap.krl",
		"ids.krl", "sha1.krl" };
	static const char text[] = "serial: 5-9\nid: x\nca: *\n"
				   "hash: SHA256:LXEWQrcmsEQBYnyp+6wy9chTD7GQ"
				   "PMTbAiWHF5IaSIE\n";
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct ssh_vector v = ssh_vector_load(names[i]);

		hostile_cuts(v.bytes, v.len, survives, NULL);
		hostile_bit_flips(v.bytes, v.len, survives, NULL);
		ssh_vector_free(&v);
	}
	hostile_cuts(text, sizeof(text) - 1, survives, NULL);
	hostile_bit_flips(text, sizeof(text) - 1, survives, NULL);
}

/* What revokes must never be read in part: a cut list is refused, or says
 * less only because whole sections are missing. */
static void
is_refused(const uint8_t *bytes, size_t len, void *arg)
{
	struct revocation *r = revocation_new();
	char problem[256];
	uint32_t line;
	size_t whole = *(const size_t *)arg;

	/* the header alone is a list that revokes nothing */
	if (len < whole && len > 44)
		cr_expect_not(revocation_add(r, bytes, len, &line, problem,
				  sizeof(problem)), "cut at %zu", len);
	revocation_free(r);
}

Test(revocation, refuses_cut_lists)
{
	struct ssh_vector v = ssh_vector_load("bitmap.krl");

	hostile_cuts(v.bytes, v.len, is_refused, &v.len);
	ssh_vector_free(&v);
}
