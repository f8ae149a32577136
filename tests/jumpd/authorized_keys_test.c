/* SPDX-License-Identifier: ISC */
#include "jumpd/authorized_keys.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jumpd/authorized_options.h"
#include "tests/lib/hostile.h"
#include "tests/lib/ssh_vectors.h"

enum { PROBLEM = 256 };

/* The line with these options and a good key. */
static enum authorized_line
parse(const char *options, struct authorized_key *key,
    enum deny_reason *reason, char problem[PROBLEM])
{
	char *text = ssh_vector_text("key-ed25519"), line[20000];
	enum authorized_line answer;
	int n;

	n = snprintf(line, sizeof(line), "%s%s%s", options,
	    options[0] != '\0' ? " " : "", text);
	free(text);
	problem[0] = '\0';
	answer = authorized_key_parse(line, (size_t)n, key, reason, problem,
	    PROBLEM);
	cr_assert(answer != AUTHORIZED_BAD || problem[0] != '\0',
	    "no word about %s", options);
	return answer;
}

Test(authorized_key, reads_a_plain_key)
{
	static const char *const names[] = { "key-ed25519", "key-ecdsa256",
		"key-ecdsa384", "key-ecdsa521", "key-rsa2048",
		"key-rsa4096" };
	struct authorized_key key;
	struct key_digest digest, peeked;
	enum deny_reason reason;
	char problem[PROBLEM];
	bool ca;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct ssh_vector v = ssh_vector_load(names[i]);
		char *text = ssh_vector_text(names[i]);

		cr_assert_eq(authorized_key_parse(text, strlen(text), &key,
				 &reason, problem, sizeof(problem)),
		    AUTHORIZED_KEY, "%s", names[i]);
		digest = key_digest_of(v.bytes, v.len);
		cr_expect(key_digest_equal(&digest, &key.digest));
		cr_expect(key.may_forward);
		cr_expect_not(key.cert_authority);
		cr_expect_not(key.has_from);
		cr_expect_not(key.expiry.set);
		cr_expect_null(key.permit);
		cr_expect_eq(authorized_key_peek(text, strlen(text), &peeked,
				 &ca),
		    AUTHORIZED_KEY);
		cr_expect(key_digest_equal(&digest, &peeked));
		cr_expect_not(ca);
		authorized_key_fini(&key);
		free(text);
		ssh_vector_free(&v);
	}
}

Test(authorized_key, passes_over_comments)
{
	static const char *const lines[] = { "", " ", "\t", "\r", "#",
		"  # ssh-ed25519 AAAA" };
	struct authorized_key key;
	enum deny_reason reason;
	char problem[PROBLEM];
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_expect_eq(authorized_key_parse(lines[i], strlen(lines[i]),
				 &key, &reason, problem, sizeof(problem)),
		    AUTHORIZED_NOTHING);
}

Test(authorized_key, honours_flags_in_order)
{
	static const struct {
		const char	*options;
		bool		 forward;
	} cases[] = {
		{ "", true },
		{ "restrict", false },
		{ "restrict,port-forwarding", true },
		{ "port-forwarding,restrict", false },
		{ "no-port-forwarding", false },
		{ "no-port-forwarding,port-forwarding", true },
		{ "RESTRICT,Port-Forwarding", true },
		{ "no-pty,no-X11-forwarding,no-agent-forwarding,no-user-rc",
		    true },
		{ "pty,x11-forwarding,agent-forwarding,user-rc,restrict",
		    false },
	};
	struct authorized_key key;
	enum deny_reason reason;
	char problem[PROBLEM];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(parse(cases[i].options, &key, &reason, problem),
		    AUTHORIZED_KEY, "%s: %s", cases[i].options, problem);
		cr_expect_eq(key.may_forward, cases[i].forward, "%s",
		    cases[i].options);
		authorized_key_fini(&key);
	}
}

Test(authorized_key, refuses_keys_with_options_it_cannot_honour)
{
	static const char *const options[] = { "command=\"/bin/true\"",
		"environment=\"A=b\"", "tunnel=\"1\"", "permitlisten=\"22\"",
		"verify-required", "restrict,foo", "foo=\"bar\"", "restrict=\"x\"",
		"no-restrict", "no-cert-authority", "permitopen", "from",
		"expiry-time", "principals", "no-from=\"*\"",
		/* syntax */
		"restrict,", ",restrict", "restrict,,pty", "from=*",
		"from=\"*\"x", "from=\"*", "from=", "from=\"*\"\"*\"", "\"restrict\"",
		"restrict;pty", "rest rict",
		/* values */
		"from=\"\"", "from=\"1.2.3.4/8\"", "from=\"a,,b\"",
		"from=\"*\",from=\"*\"", "permitopen=\"\"",
		"permitopen=\"vm1\"", "permitopen=\"vm1:99999\"",
		"expiry-time=\"\"", "expiry-time=\"2026\"",
		"expiry-time=\"20261301\"", "expiry-time=\"20260230\"",
		"expiry-time=\"202601012460\"", "expiry-time=\"tomorrow\"",
		"expiry-time=\"20260101\",expiry-time=\"20260101Z\"",
		"principals=\"\"", "principals=\"a\",principals=\"b\"" };
	struct authorized_key key;
	enum deny_reason reason;
	char problem[PROBLEM];
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		cr_expect_eq(parse(options[i], &key, &reason, problem),
		    AUTHORIZED_BAD, "%s", options[i]);
		cr_expect(reason == DENY_KEY_OPTION ||
			reason == DENY_KEY_MALFORMED,
		    "%s: %s", options[i], deny_reason_label(reason));
	}
}

Test(authorized_key, refuses_keys_that_are_no_good)
{
	static const struct {
		const char		*name;
		enum deny_reason	 reason;
	} cases[] = { { "key-rsa1024", DENY_KEY_WEAK },
		{ "key-dsa", DENY_KEY_TYPE },
		{ "cert-key-ed25519", DENY_KEY_TYPE } };
	static const char *const malformed[] = { "ssh-ed25519",
		"ssh-ed25519 ", "ssh-ed25519 AAAA", "ssh-ed25519 !!!!",
		"restrict", "restrict ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5",
		("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		 "AAAAAAAAAAAAAAAAAAAA") };
	struct authorized_key key;
	enum deny_reason reason;
	char problem[PROBLEM], *text;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = ssh_vector_text(cases[i].name);
		cr_expect_eq(authorized_key_parse(text, strlen(text), &key,
				 &reason, problem, sizeof(problem)),
		    AUTHORIZED_BAD);
		cr_expect_eq(reason, cases[i].reason, "%s: %s",
		    cases[i].name, deny_reason_label(reason));
		free(text);
	}
	for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		cr_expect_eq(authorized_key_parse(malformed[i],
				 strlen(malformed[i]), &key, &reason, problem,
				 sizeof(problem)),
		    AUTHORIZED_BAD);
		cr_expect_eq(reason, DENY_KEY_MALFORMED, "%s: %s",
		    malformed[i], deny_reason_label(reason));
	}
}

Test(authorized_key, reads_values)
{
	struct authorized_key key;
	struct jump_target asked;
	struct addr to;
	enum deny_reason reason;
	char problem[PROBLEM];

	cr_assert_eq(parse("cert-authority,principals=\"a,b \\\"c\\\"\","
			   "from=\"192.0.2.0/24,!192.0.2.9\",no-touch-required,"
			   "permitopen=\"vm1:22\",permitopen=\"[2001:db8::/32]:*\","
			   "expiry-time=\"20300102\",expiry-time=\"20290102\"",
			 &key, &reason, problem),
	    AUTHORIZED_KEY, "%s", problem);
	cr_expect(key.cert_authority);
	cr_expect(key.no_touch_required);
	cr_expect_eq(key.principals_len, 7);
	cr_expect_eq(memcmp(key.principals, "a,b \"c\"", 7), 0);
	cr_expect_eq(key.from_len, 23);
	cr_expect_eq(memcmp(key.from, "192.0.2.0/24,!192.0.2.9", 23), 0);
	cr_expect(key.expiry.set);
	cr_expect(key.expiry.local);
	cr_expect_eq(key.expiry.civil_s, 1862006400);	/* 2029-01-02 */
	cr_assert_eq(jump_target_parse("vm1", 3, 22, &asked), DENY_NONE);
	cr_expect(permit_check(key.permit, &asked, &to));
	asked.port = 23;
	cr_expect_not(permit_check(key.permit, &asked, &to));
	cr_assert(addr_parse("2001:db8::5", 11, &to));
	cr_expect(permit_check(key.permit, &asked, &to));
	authorized_key_fini(&key);
}

Test(authorized_key, takes_blanks_in_quotes_for_no_end)
{
	struct authorized_key key;
	enum deny_reason reason;
	char problem[PROBLEM];

	cr_assert_eq(parse("principals=\"a b\",restrict", &key, &reason,
			 problem),
	    AUTHORIZED_KEY);
	cr_expect_not(key.may_forward);
	authorized_key_fini(&key);
	/* an escaped quote does not end them */
	cr_assert_eq(parse("principals=\"a\\\" b\",restrict", &key, &reason,
			 problem),
	    AUTHORIZED_KEY);
	cr_expect_not(key.may_forward);
	authorized_key_fini(&key);
}

Test(authorized_key, sees_cert_authority_when_peeking)
{
	char *text = ssh_vector_text("key-ed25519"), line[1000];
	struct key_digest digest;
	bool ca;
	int n;

	n = snprintf(line, sizeof(line), "from=\"a,cert-authority,\","
		"principals=\"x\" %s", text);
	cr_expect_eq(authorized_key_peek(line, (size_t)n, &digest, &ca),
	    AUTHORIZED_KEY);
	cr_expect_not(ca);
	n = snprintf(line, sizeof(line), "restrict,Cert-Authority %s", text);
	cr_expect_eq(authorized_key_peek(line, (size_t)n, &digest, &ca),
	    AUTHORIZED_KEY);
	cr_expect(ca);
	free(text);
}

Test(authorized_key, has_bounds)
{
	static char line[AUTHORIZED_LINE_MAX + 2];
	struct authorized_key key;
	enum deny_reason reason;
	char problem[PROBLEM];

	memset(line, 'a', sizeof(line));
	cr_expect_eq(authorized_key_parse(line, sizeof(line) - 1, &key,
			 &reason, problem, sizeof(problem)),
	    AUTHORIZED_BAD);
	memset(line, ' ', sizeof(line));
	cr_expect_eq(authorized_key_parse(line, AUTHORIZED_LINE_MAX, &key,
			 &reason, problem, sizeof(problem)),
	    AUTHORIZED_NOTHING);
}

static void
is_sane(const uint8_t *bytes, size_t len, void *arg)
{
	struct authorized_key key;
	enum deny_reason reason;
	struct key_digest digest;
	char problem[PROBLEM];
	bool ca;

	(void)arg;
	switch (authorized_key_parse((const char *)bytes, len, &key, &reason,
	    problem, sizeof(problem))) {
	case AUTHORIZED_KEY:
		cr_assert_eq(authorized_key_peek((const char *)bytes, len,
				 &digest, &ca),
		    AUTHORIZED_KEY);
		cr_assert(key_digest_equal(&digest, &key.digest));
		cr_assert_eq(ca, key.cert_authority);
		authorized_key_fini(&key);
		break;
	case AUTHORIZED_BAD:
		cr_assert_not_null(memchr(problem, '\0', sizeof(problem)));
		break;
	case AUTHORIZED_NOTHING:
		break;
	}
}

Test(authorized_key, survives_every_cut_and_bit_flip)
{
	char *text = ssh_vector_text("key-ed25519"), line[1000];
	int n;

	n = snprintf(line, sizeof(line),
	    "restrict,cert-authority,port-forwarding,from=\"192.0.2.0/24,!*.7\","
	    "permitopen=\"[2001:db8::/32]:22\",principals=\"a\\\"b\","
	    "expiry-time=\"20300101000000Z\" %s", text);
	hostile_cuts(line, (size_t)n, is_sane, NULL);
	hostile_bit_flips(line, (size_t)n, is_sane, NULL);
	free(text);
}

Test(authorized_expiry, is_a_moment)
{
	static const struct {
		const char	*text;
		int64_t		 seconds;
		bool		 local;
	} cases[] = {
		{ "19700101Z", 0, false },
		{ "20000229Z", 951782400, false },
		{ "20260101", 1767225600, true },
		{ "202601010102Z", 1767225600 + 3720, false },
		{ "20260101010203", 1767225600 + 3723, true },
		{ "99991231235959Z", 253402300799, false },
		{ "21000301Z", 4107542400, false },
	};
	static const char *const bad[] = { "", "Z", "2026010", "202601011",
		"20210229", "19000101", "19691231Z", "20260001", "20260132",
		"2026010124", "202601012400", "202601010060",
		"20260101000061", "2026-01-01", "20260101ZZ", "2026010a",
		"20260101000000000", " 20260101" };
	struct authorized_expiry e;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert(authorized_expiry_read(cases[i].text,
		    strlen(cases[i].text), &e), "%s", cases[i].text);
		cr_expect_eq(e.civil_s, cases[i].seconds, "%s: %lld",
		    cases[i].text, (long long)e.civil_s);
		cr_expect_eq(e.local, cases[i].local);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(authorized_expiry_read(bad[i], strlen(bad[i]),
				  &e), "%s", bad[i]);
}

Test(authorized_principals, are_compared_whole)
{
	static const char list[] = "alice,bob,";

	cr_expect(authorized_principals_have(list, 10, "alice", 5));
	cr_expect(authorized_principals_have(list, 10, "bob", 3));
	cr_expect_not(authorized_principals_have(list, 10, "bo", 2));
	cr_expect_not(authorized_principals_have(list, 10, "", 0));
	cr_expect_not(authorized_principals_have(list, 10, "alice,bob", 9));
}
