/* SPDX-License-Identifier: ISC */
#include "jumpd/ssh_cert.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/addresses.h"
#include "tests/lib/hostile.h"
#include "tests/lib/ssh_vectors.h"

/* 2026-01-01, when the good ones are valid. */
#define NOW UINT64_C(1767225600)

/* Everything that a login looks at, but for whose CA and principal it is. */
static enum deny_reason
judge(const void *blob, size_t len, uint64_t now_s, const char *client)
{
	struct addr from = addr_of(client);
	struct ssh_cert cert;
	enum deny_reason reason;

	reason = ssh_cert_parse(blob, len, &cert);
	if (reason == DENY_NONE)
		reason = ssh_cert_verify(&cert);
	if (reason == DENY_NONE)
		reason = ssh_cert_judge(&cert, now_s, &from);
	return reason;
}

Test(ssh_cert, judges_what_ssh_keygen_makes)
{
	static const struct {
		const char		*name;
		enum deny_reason	reason;
	} cases[] = {
		{ "cert-key-ed25519", DENY_NONE },
		{ "cert-key-ecdsa256", DENY_NONE },
		{ "cert-key-ecdsa384", DENY_NONE },
		{ "cert-key-ecdsa521", DENY_NONE },
		{ "cert-key-rsa2048", DENY_NONE },
		{ "cert-key-rsa4096", DENY_NONE },
		{ "cert-key-rsa1024", DENY_KEY_WEAK },
		{ "cert-key-dsa", DENY_KEY_TYPE },
		{ "cert-ca-ed25519", DENY_NONE },
		{ "cert-ca-ecdsa256", DENY_NONE },
		{ "cert-ca-ecdsa384", DENY_NONE },
		{ "cert-ca-ecdsa521", DENY_NONE },
		{ "cert-ca-rsa2048-rsa-sha2-256", DENY_NONE },
		{ "cert-ca-rsa2048-rsa-sha2-512", DENY_NONE },
		{ "cert-ca-rsa4096-rsa-sha2-256", DENY_NONE },
		{ "cert-ca-rsa4096-rsa-sha2-512", DENY_NONE },
		{ "cert-ca-rsa-sha1", DENY_CERT_CA_TYPE },
		{ "cert-ca-other", DENY_NONE },
		{ "cert-expired", DENY_CERT_EXPIRED },
		{ "cert-not-yet", DENY_CERT_NOT_YET },
		{ "cert-forever", DENY_NONE },
		{ "cert-other-principal", DENY_NONE },
		{ "cert-no-principals", DENY_CERT_NO_PRINCIPALS },
		{ "cert-many-principals", DENY_NONE },
		{ "cert-host", DENY_CERT_NOT_USER },
		{ "cert-force-command", DENY_CERT_CRITICAL },
		{ "cert-source-address", DENY_NONE },
		{ "cert-verify-required", DENY_CERT_CRITICAL },
		{ "cert-unknown-critical", DENY_CERT_CRITICAL },
		{ "cert-unknown-extension", DENY_NONE },
		{ "cert-no-forwarding", DENY_CERT_NO_FORWARDING },
		{ "cert-clear", DENY_CERT_NO_FORWARDING },
		{ "cert-only-forwarding", DENY_NONE },
		{ "key-ed25519", DENY_KEY_TYPE },	/* no certificate */
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ssh_vector v = ssh_vector_load(cases[i].name);

		cr_expect_eq(judge(v.bytes, v.len, NOW, "192.0.2.7"),
		    cases[i].reason, "%s: %s", cases[i].name,
		    deny_reason_label(judge(v.bytes, v.len, NOW,
			"192.0.2.7")));
		ssh_vector_free(&v);
	}
}

Test(ssh_cert, says_what_it_certifies)
{
	struct ssh_vector v = ssh_vector_load("cert-key-rsa2048");
	struct ssh_vector key = ssh_vector_load("key-rsa2048");
	struct ssh_vector ca = ssh_vector_load("ca-ed25519");
	struct key_digest key_digest = key_digest_of(key.bytes, key.len);
	struct key_digest ca_digest = key_digest_of(ca.bytes, ca.len);
	uint8_t plain[KEY_BLOB_MAX];
	struct ssh_cert cert;

	cr_assert_eq(ssh_cert_parse(v.bytes, v.len, &cert), DENY_NONE);
	cr_expect_eq(cert.type, KEY_RSA);
	cr_expect_eq(cert.ca_type, KEY_ED25519);
	cr_expect_eq(cert.serial, 42);
	cr_expect_eq(cert.key_id.len, strlen("key-rsa2048"));
	cr_expect_eq(memcmp(cert.key_id.at, "key-rsa2048", cert.key_id.len),
	    0);
	cr_expect_eq(cert.n_principals, 2);
	cr_expect(key_digest_equal(&cert.key, &key_digest));
	cr_expect(key_digest_equal(&cert.ca_digest, &ca_digest));
	cr_expect_eq(ssh_cert_plain_key(&cert, plain), key.len);
	cr_expect_eq(memcmp(plain, key.bytes, key.len), 0);
	cr_expect(ssh_cert_has_principal(&cert, "jump", 4));
	cr_expect(ssh_cert_has_principal(&cert, "alice", 5));
	cr_expect_not(ssh_cert_has_principal(&cert, "jum", 3));
	cr_expect_not(ssh_cert_has_principal(&cert, "jump2", 5));
	cr_expect_not(ssh_cert_has_principal(&cert, "Jump", 4));
	cr_expect_not(ssh_cert_has_principal(&cert, "", 0));
	ssh_vector_free(&v);
	ssh_vector_free(&key);
	ssh_vector_free(&ca);
}

Test(ssh_cert, is_valid_from_its_first_to_before_its_last_second)
{
	struct ssh_vector v = ssh_vector_load("cert-expired");
	const uint64_t first = 1577836800, last = 1609459200;

	cr_expect_eq(judge(v.bytes, v.len, first - 1, "192.0.2.1"),
	    DENY_CERT_NOT_YET);
	cr_expect_eq(judge(v.bytes, v.len, first, "192.0.2.1"), DENY_NONE);
	cr_expect_eq(judge(v.bytes, v.len, last - 1, "192.0.2.1"), DENY_NONE);
	cr_expect_eq(judge(v.bytes, v.len, last, "192.0.2.1"),
	    DENY_CERT_EXPIRED);
	ssh_vector_free(&v);
}

Test(ssh_cert, holds_for_its_source_addresses)
{
	struct ssh_vector v = ssh_vector_load("cert-source-address");
	static const struct {
		const char	*client;
		bool		 good;
	} cases[] = { { "192.0.2.0", true }, { "192.0.2.255", true },
		{ "192.0.3.0", false }, { "2001:db8:1::1", true },
		{ "2001:db8:2::1", false }, { "::c000:0201", false } };
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(judge(v.bytes, v.len, NOW, cases[i].client),
		    cases[i].good ? DENY_NONE : DENY_CERT_SOURCE, "%s",
		    cases[i].client);
	ssh_vector_free(&v);
}

struct hostile_case {
	struct ssh_vector whole;
	unsigned	  each;		/* every how many changes to try */
	unsigned	  n;
};

static void
is_not_accepted(const uint8_t *bytes, size_t len, void *arg)
{
	struct hostile_case *c = arg;

	if (len == c->whole.len && memcmp(bytes, c->whole.bytes, len) == 0)
		return;
	if (c->n++ % c->each != 0)
		return;
	cr_assert_neq(judge(bytes, len, NOW, "192.0.2.7"), DENY_NONE);
}

/* OpenSSL takes a millisecond for a signature on the larger curves: of 9 bits
 * of theirs one is flipped. */
static const struct {
	const char	*name;
	unsigned	 each;
} each_ca[] = { { "cert-ca-ed25519", 1 }, { "cert-ca-ecdsa256", 1 },
	{ "cert-ca-ecdsa384", 9 }, { "cert-ca-ecdsa521", 9 },
	{ "cert-ca-rsa2048-rsa-sha2-256", 1 },
	{ "cert-ca-rsa2048-rsa-sha2-512", 9 } };

Test(ssh_cert, accepts_no_cut_of_a_certificate)
{
	size_t i;

	for (i = 0; i < sizeof(each_ca) / sizeof(each_ca[0]); i++) {
		struct hostile_case c = { .each = 1,
			.whole = ssh_vector_load(each_ca[i].name) };

		hostile_cuts(c.whole.bytes, c.whole.len, is_not_accepted, &c);
		cr_expect_eq(c.n, c.whole.len);
		ssh_vector_free(&c.whole);
	}
}

Test(ssh_cert, accepts_no_flipped_bit_of_a_certificate)
{
	size_t i;

	for (i = 0; i < sizeof(each_ca) / sizeof(each_ca[0]); i++) {
		struct hostile_case c = { .each = each_ca[i].each,
			.whole = ssh_vector_load(each_ca[i].name) };

		hostile_bit_flips(c.whole.bytes, c.whole.len, is_not_accepted,
		    &c);
		cr_expect_eq(c.n, 8 * c.whole.len);
		ssh_vector_free(&c.whole);
	}
}

Test(ssh_cert, accepts_nothing_after_the_signature)
{
	struct ssh_vector v = ssh_vector_load("cert-key-ed25519");
	struct ssh_build b = { 0 };

	ssh_build_raw(&b, v.bytes, v.len);
	ssh_build_raw(&b, "", 1);
	cr_expect_eq(judge(b.bytes, b.len, NOW, "192.0.2.7"),
	    DENY_CERT_MALFORMED);
	ssh_vector_free(&v);
}

/* What a certificate that ssh-keygen would not make is made of. */
struct parts {
	const char	*type;		/* NULL: ed25519's */
	size_t		 principals;
	const char	*critical[3];	/* names, with empty data */
	const char	*extensions[3];
	const char	*ca;		/* vector; NULL: ca-ed25519 */
};

static void
options(struct ssh_build *b, const char *const names[3])
{
	struct ssh_build inner = { 0 };
	size_t i;

	for (i = 0; i < 3 && names[i] != NULL; i++) {
		ssh_build_text(&inner, names[i]);
		ssh_build_text(&inner, "");
	}
	ssh_build_string(b, inner.bytes, inner.len);
}

static struct ssh_build
make(const struct parts *p)
{
	struct ssh_vector ca = ssh_vector_load(
	    p->ca != NULL ? p->ca : "ca-ed25519");
	struct ssh_build b = { 0 }, principals = { 0 };
	const uint8_t key[64] = { 1 };
	size_t i;

	ssh_build_text(&b, p->type != NULL ? p->type :
					     "ssh-ed25519-cert-v01@openssh.com");
	ssh_build_text(&b, "nonce");
	ssh_build_string(&b, key, 32);
	if (p->type != NULL && strncmp(p->type, "sk-", 3) == 0)
		ssh_build_text(&b, "ssh:");
	ssh_build_u64(&b, 1);
	ssh_build_u32(&b, 1);
	ssh_build_text(&b, "id");
	for (i = 0; i < p->principals; i++)
		ssh_build_text(&principals, "jump");
	ssh_build_string(&b, principals.bytes, principals.len);
	ssh_build_u64(&b, 0);
	ssh_build_u64(&b, UINT64_MAX);
	options(&b, p->critical);
	options(&b, p->extensions);
	ssh_build_text(&b, "");
	ssh_build_string(&b, ca.bytes, ca.len);
	ssh_build_string(&b, key, sizeof(key));
	ssh_vector_free(&ca);
	return b;
}

/* As parse and judge see it; nobody signed it. */
static enum deny_reason
made(const struct parts *p)
{
	struct addr from = addr_of("192.0.2.7");
	struct ssh_build b = make(p);
	struct ssh_cert cert;
	enum deny_reason reason;

	reason = ssh_cert_parse(b.bytes, b.len, &cert);
	if (reason != DENY_NONE)
		return reason;
	cr_expect_neq(ssh_cert_verify(&cert), DENY_NONE);
	return ssh_cert_judge(&cert, NOW, &from);
}

#define FORWARDING { "permit-port-forwarding" }
#define SK_ED25519 "sk-ssh-ed25519-cert-v01@openssh.com"

Test(ssh_cert, refuses_what_ssh_keygen_does_not_make)
{
	const struct {
		const char		*what;
		struct parts		 parts;
		enum deny_reason	 reason;
	} cases[] = {
		{ "a good one", { .principals = 1, .extensions = FORWARDING },
		    DENY_NONE },
		{ "256 principals",
		    { .principals = 256, .extensions = FORWARDING },
		    DENY_NONE },
		{ "257 principals",
		    { .principals = 257, .extensions = FORWARDING },
		    DENY_CERT_MALFORMED },
		{ "options out of order",
		    { .principals = 1,
			.extensions = { "permit-pty",
			    "permit-port-forwarding" } },
		    DENY_CERT_MALFORMED },
		{ "an option twice",
		    { .principals = 1,
			.extensions = { "permit-port-forwarding",
			    "permit-port-forwarding" } },
		    DENY_CERT_MALFORMED },
		{ "a critical option without data",
		    { .principals = 1, .critical = { "source-address" },
			.extensions = FORWARDING },
		    DENY_CERT_CRITICAL },
		{ "a critical option without a name",
		    { .principals = 1, .critical = { "" },
			.extensions = FORWARDING },
		    DENY_CERT_CRITICAL },
		{ "a security key",
		    { .type = SK_ED25519, .principals = 1,
			.extensions = FORWARDING },
		    DENY_TOUCH },
		{ "a security key that need not be touched",
		    { .type = SK_ED25519, .principals = 1,
			.extensions = { "no-touch-required",
			    "permit-port-forwarding" } },
		    DENY_NONE },
		{ "a CA that is a certificate",
		    { .principals = 1, .extensions = FORWARDING,
			.ca = "cert-key-ed25519" },
		    DENY_CERT_CA_TYPE },
		{ "a DSA CA",
		    { .principals = 1, .extensions = FORWARDING,
			.ca = "ca-dsa" },
		    DENY_CERT_CA_TYPE },
		{ "a weak CA",
		    { .principals = 1, .extensions = FORWARDING,
			.ca = "key-rsa1024" },
		    DENY_CERT_CA_TYPE },
		{ "version 00",
		    { .type = "ssh-ed25519-cert-v00@openssh.com",
			.principals = 1 },
		    DENY_KEY_TYPE },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(made(&cases[i].parts), cases[i].reason, "%s: %s",
		    cases[i].what, deny_reason_label(made(&cases[i].parts)));
}

/* The signature of one certificate under another's text. */
Test(ssh_cert, accepts_no_signature_of_something_else)
{
	struct ssh_vector v = ssh_vector_load("cert-key-ed25519");
	struct ssh_vector w = ssh_vector_load("cert-forever");
	struct ssh_cert a, b;

	cr_assert_eq(ssh_cert_parse(v.bytes, v.len, &a), DENY_NONE);
	cr_assert_eq(ssh_cert_parse(w.bytes, w.len, &b), DENY_NONE);
	a.signature = b.signature;
	cr_expect_eq(ssh_cert_verify(&a), DENY_CERT_SIGNATURE);
	ssh_vector_free(&v);
	ssh_vector_free(&w);
}

/* Who verifies must not fall for a signature type of the attacker's choice. */
Test(ssh_cert, wants_a_signature_type_that_fits_the_ca)
{
	struct ssh_vector v = ssh_vector_load("cert-ca-ecdsa256");
	struct ssh_vector w = ssh_vector_load("cert-ca-ed25519");
	struct ssh_cert a, b;

	cr_assert_eq(ssh_cert_parse(v.bytes, v.len, &a), DENY_NONE);
	cr_assert_eq(ssh_cert_parse(w.bytes, w.len, &b), DENY_NONE);
	a.signature = b.signature;
	cr_expect_eq(ssh_cert_verify(&a), DENY_CERT_CA_TYPE);
	ssh_vector_free(&v);
	ssh_vector_free(&w);
}

Test(ssh_cert, can_be_warmed)
{
	ssh_cert_warm();
}
