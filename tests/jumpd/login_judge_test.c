/* SPDX-License-Identifier: ISC */
#include "jumpd/login_judge.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/ssh_vectors.h"

#define NOW INT64_C(1767225600)		/* 2026-01-01 */

static const struct siphash_key key = { { 7 } };

/* A store of files whose text names vectors as "$name". */
struct files {
	struct ssh_build bundle;
	struct key_store *store;	/* owned */
};

/* Copy the text with each "$name" replaced by that vector's line. */
static size_t
expand(const char *text, char *out, size_t room)
{
	char name[64], *line;
	size_t n = 0, len;

	while (*text != '\0') {
		if (*text != '$') {
			out[n++] = *text++;
			continue;
		}
		len = strspn(++text, "abcdefghijklmnopqrstuvwxyz0123456789-");
		snprintf(name, sizeof(name), "%.*s", (int)len, text);
		text += len;
		line = ssh_vector_text(name);
		n += (size_t)snprintf(out + n, room - n, "%s", line);
		free(line);
	}
	return n;
}

static void
add(struct files *f, enum key_file_kind kind, uint64_t users, const char *text)
{
	char out[8000];
	struct key_file file = { .kind = kind, .users = users, .name = "f",
		.name_len = 1, .text = out };
	uint8_t header[KEY_FILE_HEADER_OCTETS];

	file.len = expand(text, out, sizeof(out));
	key_file_header(&file, header);
	ssh_build_raw(&f->bundle, header, sizeof(header));
	ssh_build_raw(&f->bundle, "f", 1);
	ssh_build_raw(&f->bundle, out, file.len);
}

static void
load(struct files *f)
{
	f->store = key_store_new(f->bundle.bytes, f->bundle.len, &key);
	cr_assert_eq(key_store_load(f->store, UINT32_MAX, false, NULL, NULL),
	    KEY_LOAD_DONE);
}

static struct auth_user
user(const char *name, uint8_t methods)
{
	struct auth_user u = { .methods = methods,
		.name_len = (uint8_t)strlen(name) };

	memcpy(u.name, name, u.name_len);
	return u;
}

/* This host's clock is two hours ahead of UTC. */
static int64_t
utc_of_local(int64_t civil_s)
{
	return civil_s - 7200;
}

struct attempt {
	const char	*vector;
	const char	*client;	/* NULL: 192.0.2.7 */
	int64_t		 now_s;		/* 0: NOW */
	const char	*lines;		/* a command's output */
};

static enum deny_reason
judge(const struct files *f, const struct auth_user *u, uint64_t bit,
    const struct attempt *a, struct principal *p)
{
	const char *client = a->client != NULL ? a->client : "192.0.2.7";
	struct ssh_vector v = ssh_vector_load(a->vector);
	struct login_request r = { .user = u, .user_bit = bit,
		.blob = v.bytes, .len = v.len,
		.now_s = a->now_s != 0 ? a->now_s : NOW,
		.utc_of_local = utc_of_local };
	char out[8000];
	enum deny_reason reason;
	size_t len;

	cr_assert(addr_parse(client, strlen(client), &r.client));
	if (a->lines != NULL) {
		len = expand(a->lines, out, sizeof(out));
		reason = login_judge_lines(f->store, &r, out, len, p);
	} else
		reason = login_judge(f->store, &r, p);
	ssh_vector_free(&v);
	return reason;
}

static enum deny_reason
verdict(const struct files *f, const struct auth_user *u, uint64_t bit,
    const char *vector)
{
	const struct attempt a = { .vector = vector };
	struct principal p;
	enum deny_reason reason = judge(f, u, bit, &a, &p);

	if (reason == DENY_NONE)
		principal_fini(&p);
	return reason;
}

Test(login_judge, accepts_keys_of_the_user)
{
	struct auth_user jump = user("jump", AUTH_KEYS);
	struct auth_user certs = user("certs", AUTH_CERTS);
	struct attempt a = { .vector = "key-ed25519" };
	struct key_digest digest;
	struct ssh_vector v = ssh_vector_load("key-ed25519");
	static struct files f;
	struct principal p;

	add(&f, KEY_FILE_AUTHORIZED, 1, "$key-ed25519\n$key-rsa2048\n");
	add(&f, KEY_FILE_AUTHORIZED, 2, "$key-ecdsa256\n");
	load(&f);
	cr_assert_eq(judge(&f, &jump, 1, &a, &p), DENY_NONE);
	digest = key_digest_of(v.bytes, v.len);
	cr_expect_eq(p.kind, PRINCIPAL_KEY);
	cr_expect(key_digest_equal(&p.key, &digest));
	cr_expect_eq(p.user_len, 4);
	cr_expect_eq(memcmp(p.user, "jump", 4), 0);
	cr_expect_eq(p.expires_s, INT64_MAX);
	cr_expect_null(p.permit);
	principal_fini(&p);
	cr_expect_eq(verdict(&f, &jump, 1, "key-rsa2048"), DENY_NONE);
	cr_expect_eq(verdict(&f, &jump, 2, "key-rsa2048"), DENY_KEY_UNKNOWN);
	cr_expect_eq(verdict(&f, &jump, 2, "key-ecdsa256"), DENY_NONE);
	cr_expect_eq(verdict(&f, &jump, 1, "key-ecdsa256"), DENY_KEY_UNKNOWN);
	cr_expect_eq(verdict(&f, &jump, 1, "key-rsa1024"), DENY_KEY_WEAK);
	cr_expect_eq(verdict(&f, &jump, 1, "key-dsa"), DENY_KEY_TYPE);
	cr_expect_eq(verdict(&f, &certs, 1, "key-ed25519"), DENY_METHOD);
	key_store_free(f.store);
	ssh_vector_free(&v);
}

Test(login_judge, honours_the_options_of_a_key)
{
	static const struct {
		const char		*line;
		enum deny_reason	 reason;
	} cases[] = {
		{ "restrict,port-forwarding $key-ed25519", DENY_NONE },
		{ "restrict $key-ed25519", DENY_KEY_NO_FORWARDING },
		{ "no-port-forwarding $key-ed25519", DENY_KEY_NO_FORWARDING },
		{ "from=\"192.0.2.0/24\" $key-ed25519", DENY_NONE },
		{ "from=\"192.0.3.0/24\" $key-ed25519", DENY_KEY_FROM },
		{ "from=\"!192.0.2.7,*\" $key-ed25519", DENY_KEY_FROM },
		{ "expiry-time=\"20260101Z\" $key-ed25519", DENY_KEY_EXPIRED },
		{ "expiry-time=\"20260101000001Z\" $key-ed25519", DENY_NONE },
		/* two hours later it is, here */
		{ "expiry-time=\"202601010200\" $key-ed25519",
		    DENY_KEY_EXPIRED },
		{ "expiry-time=\"20260101020001\" $key-ed25519", DENY_NONE },
		{ "command=\"x\" $key-ed25519", DENY_KEY_OPTION },
		{ "cert-authority $key-ed25519", DENY_KEY_UNKNOWN },
		/* the first line that holds counts */
		{ "restrict $key-ed25519\n$key-ed25519", DENY_NONE },
		{ "command=\"x\" $key-ed25519\n$key-ed25519", DENY_NONE },
		{ "$key-ed25519\nrestrict $key-ed25519", DENY_NONE },
	};
	struct auth_user jump = user("jump", AUTH_KEYS);
	struct attempt a = { .vector = "key-ed25519" };
	struct principal p;
	enum deny_reason reason;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct files f = { 0 };

		add(&f, KEY_FILE_AUTHORIZED, 1, cases[i].line);
		load(&f);
		cr_expect_eq(verdict(&f, &jump, 1, "key-ed25519"),
		    cases[i].reason, "%s: %s", cases[i].line,
		    deny_reason_label(verdict(&f, &jump, 1, "key-ed25519")));
		/* and a command that writes the same line */
		a.lines = cases[i].line;
		reason = judge(&f, &jump, 1, &a, &p);
		cr_expect(reason == cases[i].reason ||
			cases[i].reason == DENY_KEY_OPTION,
		    "%s: %s", cases[i].line, deny_reason_label(reason));
		cr_expect_eq(reason == DENY_NONE,
		    cases[i].reason == DENY_NONE);
		if (reason == DENY_NONE)
			principal_fini(&p);
		key_store_free(f.store);
	}
}

Test(login_judge, hands_permits_and_expiry_to_the_principal)
{
	struct auth_user jump = user("jump", AUTH_KEYS);
	struct attempt a = { .vector = "key-ed25519" };
	struct addr to;
	struct jump_target asked;
	static struct files f;
	struct principal p;

	add(&f, KEY_FILE_AUTHORIZED, 1, "permitopen=\"vm1:22\","
		"expiry-time=\"20270101Z\",expiry-time=\"20280101Z\" "
		"$key-ed25519");
	load(&f);
	cr_assert_eq(judge(&f, &jump, 1, &a, &p), DENY_NONE);
	cr_expect_eq(p.expires_s, 1798761600);
	cr_assert_eq(jump_target_parse("vm1", 3, 22, &asked), DENY_NONE);
	cr_expect(permit_check(p.permit, &asked, &to));
	asked.port = 23;
	cr_expect_not(permit_check(p.permit, &asked, &to));
	principal_fini(&p);
	key_store_free(f.store);
}

Test(login_judge, accepts_certificates_of_trusted_cas)
{
	static const struct {
		const char		*name;
		enum deny_reason	 reason;
	} cases[] = {
		{ "cert-key-ed25519", DENY_NONE },
		{ "cert-key-rsa2048", DENY_NONE },
		{ "cert-ca-ecdsa256", DENY_CERT_CA_UNKNOWN },
		{ "cert-ca-other", DENY_CERT_CA_UNKNOWN },
		{ "cert-other-principal", DENY_CERT_PRINCIPAL },
		{ "cert-no-principals", DENY_CERT_NO_PRINCIPALS },
		{ "cert-expired", DENY_CERT_EXPIRED },
		{ "cert-not-yet", DENY_CERT_NOT_YET },
		{ "cert-host", DENY_CERT_NOT_USER },
		{ "cert-force-command", DENY_CERT_CRITICAL },
		{ "cert-no-forwarding", DENY_CERT_NO_FORWARDING },
		{ "cert-source-address", DENY_NONE },
		{ "cert-serial-7", DENY_CERT_REVOKED },
		{ "cert-key-ecdsa384", DENY_CERT_REVOKED },	/* its key */
		{ "key-ed25519", DENY_METHOD },
	};
	struct auth_user jump = user("jump", AUTH_CERTS);
	struct auth_user bob = user("bob", AUTH_CERTS);
	struct auth_user mapped = user("x", AUTH_CERTS);
	struct auth_user keys = user("jump", AUTH_KEYS);
	struct attempt a = { .vector = "cert-key-rsa2048" };
	static struct files f;
	struct principal p;
	size_t i;

	add(&f, KEY_FILE_TRUSTED_CA, 1, "$ca-ed25519\n");
	add(&f, KEY_FILE_REVOKED, 0, "serial: 7\n$key-ecdsa384\n");
	load(&f);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(verdict(&f, &jump, 1, cases[i].name),
		    cases[i].reason, "%s: %s", cases[i].name,
		    deny_reason_label(verdict(&f, &jump, 1, cases[i].name)));
	cr_assert_eq(judge(&f, &jump, 1, &a, &p), DENY_NONE);
	cr_expect_eq(p.kind, PRINCIPAL_CERT);
	cr_expect_eq(p.serial, 42);
	cr_expect_eq(p.key_id_len, 11);
	cr_expect_eq(memcmp(p.key_id, "key-rsa2048", 11), 0);
	cr_expect_eq(p.expires_s, 4070908800);	/* 2099-01-01 */
	principal_fini(&p);
	/* another user's name, other principals, no trust in this CA */
	cr_expect_eq(verdict(&f, &bob, 1, "cert-key-ed25519"),
	    DENY_CERT_PRINCIPAL);
	cr_expect_eq(verdict(&f, &bob, 1, "cert-other-principal"), DENY_NONE);
	cr_expect_eq(verdict(&f, &jump, 2, "cert-key-ed25519"),
	    DENY_CERT_CA_UNKNOWN);
	cr_expect_eq(verdict(&f, &keys, 1, "cert-key-ed25519"),
	    DENY_CERT_CA_UNKNOWN);
	mapped.n_principals = 2;
	mapped.principal_len[0] = mapped.principal_len[1] = 5;
	memcpy(mapped.principal[0], "carla", 5);
	memcpy(mapped.principal[1], "carol", 5);
	cr_expect_eq(verdict(&f, &mapped, 1, "cert-other-principal"),
	    DENY_NONE);
	cr_expect_eq(verdict(&f, &mapped, 1, "cert-key-ed25519"),
	    DENY_CERT_PRINCIPAL);
	key_store_free(f.store);
}

Test(login_judge, accepts_certificates_by_cert_authority_lines)
{
	static const struct {
		const char		*line;
		const char		*name;
		enum deny_reason	 reason;
	} cases[] = {
		{ "cert-authority $ca-ed25519", "cert-key-ed25519",
		    DENY_NONE },
		{ "cert-authority $ca-ed25519", "cert-other-principal",
		    DENY_CERT_PRINCIPAL },
		{ "cert-authority,principals=\"x,carol\" $ca-ed25519",
		    "cert-other-principal", DENY_NONE },
		{ "cert-authority,principals=\"x\" $ca-ed25519",
		    "cert-key-ed25519", DENY_CERT_PRINCIPAL },
		{ "cert-authority $ca-ed25519", "cert-ca-other",
		    DENY_CERT_CA_UNKNOWN },
		{ "$ca-ed25519", "cert-key-ed25519", DENY_CERT_CA_UNKNOWN },
		{ "cert-authority,from=\"192.0.3.1\" $ca-ed25519",
		    "cert-key-ed25519", DENY_KEY_FROM },
		{ "cert-authority,restrict $ca-ed25519", "cert-key-ed25519",
		    DENY_KEY_NO_FORWARDING },
		{ "cert-authority,expiry-time=\"20250101Z\" $ca-ed25519",
		    "cert-key-ed25519", DENY_KEY_EXPIRED },
		{ "cert-authority $ca-ed25519", "cert-expired",
		    DENY_CERT_EXPIRED },
		{ "cert-authority $ca-ecdsa521", "cert-ca-ecdsa521",
		    DENY_NONE },
		{ "cert-authority $ca-rsa2048", "cert-ca-rsa-sha1",
		    DENY_CERT_CA_TYPE },
		/* no plain key */
		{ "cert-authority $ca-ed25519", "ca-ed25519",
		    DENY_KEY_UNKNOWN },
	};
	struct auth_user jump = user("jump", AUTH_KEYS);
	struct attempt a = { 0 };
	struct principal p;
	enum deny_reason reason;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct files f = { 0 };

		add(&f, KEY_FILE_AUTHORIZED, 1, cases[i].line);
		load(&f);
		a.vector = cases[i].name;
		a.lines = NULL;
		reason = judge(&f, &jump, 1, &a, &p);
		cr_expect_eq(reason, cases[i].reason, "%s: %s",
		    cases[i].line, deny_reason_label(reason));
		if (reason == DENY_NONE)
			principal_fini(&p);
		a.lines = cases[i].line;
		reason = judge(&f, &jump, 1, &a, &p);
		cr_expect_eq(reason, cases[i].reason, "command: %s: %s",
		    cases[i].line, deny_reason_label(reason));
		if (reason == DENY_NONE)
			principal_fini(&p);
		key_store_free(f.store);
	}
}

/* Whoever cannot show a good signature of the CA gets nowhere. */
Test(login_judge, believes_no_certificate_before_its_signature)
{
	struct ssh_vector v = ssh_vector_load("cert-key-ed25519");
	struct auth_user jump = user("jump", AUTH_CERTS | AUTH_KEYS);
	struct login_request r = { .user = &jump, .user_bit = 1,
		.blob = v.bytes, .len = v.len, .now_s = NOW,
		.utc_of_local = utc_of_local };
	static struct files f;
	struct principal p;

	add(&f, KEY_FILE_TRUSTED_CA, 1, "$ca-ed25519\n");
	add(&f, KEY_FILE_AUTHORIZED, 1,
	    "cert-authority,permitopen=\"a:1\" $ca-ed25519\n");
	load(&f);
	v.bytes[v.len - 1] ^= 1;
	cr_expect_eq(login_judge(f.store, &r, &p), DENY_CERT_SIGNATURE);
	cr_expect_eq(login_judge_lines(f.store, &r, "", 0, &p),
	    DENY_CERT_CA_UNKNOWN);
	v.bytes[v.len - 1] ^= 1;
	cr_expect_eq(login_judge(f.store, &r, &p), DENY_NONE);
	/* the trusted CA comes first: no permitopen */
	cr_expect_null(p.permit);
	principal_fini(&p);
	key_store_free(f.store);
	ssh_vector_free(&v);
}

Test(login_judge, refuses_revoked_keys_whoever_brings_them)
{
	struct auth_user jump = user("jump", AUTH_KEYS);
	struct attempt a = { .vector = "key-ed25519",
		.lines = "$key-ed25519" };
	static struct files f;
	struct principal p;

	add(&f, KEY_FILE_AUTHORIZED, 1, "$key-ed25519\n");
	add(&f, KEY_FILE_REVOKED, 0, "$key-ed25519\n");
	load(&f);
	cr_expect_eq(verdict(&f, &jump, 1, "key-ed25519"), DENY_KEY_REVOKED);
	cr_expect_eq(judge(&f, &jump, 1, &a, &p), DENY_KEY_REVOKED);
	key_store_free(f.store);
}

Test(login_judge, finds_nothing_in_a_silent_command)
{
	struct auth_user jump = user("jump", AUTH_KEYS);
	struct attempt a = { .vector = "key-ed25519", .lines = "" };
	static struct files f;
	struct principal p;

	load(&f);
	cr_expect_eq(judge(&f, &jump, 1, &a, &p), DENY_KEY_UNKNOWN);
	a.lines = "# nothing\n\n$key-rsa2048\n";
	cr_expect_eq(judge(&f, &jump, 1, &a, &p), DENY_KEY_UNKNOWN);
	a.lines = "rubbish\n$key-ed25519\n";
	cr_expect_eq(judge(&f, &jump, 1, &a, &p), DENY_NONE);
	principal_fini(&p);
	key_store_free(f.store);
}
