/* SPDX-License-Identifier: ISC */
/*
 * broker_login_test.c - sessions and logins, with a broker that runs.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jumpd/key_bundle.h"
#include "tests/lib/broker_world.h"

static struct broker_world w;

static void
begin(void)
{
	if (!world_init(&w))
		cr_skip_test("no network namespaces here");
}

static bool
accepted(const struct broker_msg *m)
{
	return m->type == BROKER_LOGIN_ANSWER &&
	    m->u.login_answer.request == 77 && m->u.login_answer.accepted;
}

static bool
refused(const struct broker_msg *m)
{
	return m->type == BROKER_LOGIN_ANSWER &&
	    m->u.login_answer.request == 77 && !m->u.login_answer.accepted;
}

Test(broker, lets_in_who_may_come_by_none)
{
	struct broker_child child;
	struct broker_msg m;
	uint64_t session;

	begin();
	world_start(&w);
	child = world_session(&w, "192.0.2.1");
	m = child_login(&child, BROKER_LOGIN_NONE, "jump", NULL);
	cr_assert(accepted(&m));
	cr_expect_eq(world_news(&w, &session), BROKER_LOGGED_IN);
	cr_expect_eq(session, child.number);
	cr_expect(world_logs(&w, "login client=192.0.2.1:5000 session=1 "
				 "method=none user=\"jump\" key=-"));
	world_ended(&w, &child, END_NONE);
	cr_expect(world_logs(&w, "session client=192.0.2.1:5000 "
				 "listener=192.0.2.99:22 session=1 "
				 "user=\"jump\" key=- reason=crashed"));
	cr_expect(world_stop(&w));
}

Test(broker, gives_all_others_the_same_answer)
{
	static const struct {
		enum broker_login	 how;
		const char		*user, *vector, *log;
	} cases[] = {
		{ BROKER_LOGIN_PROBE, "nobody", "key-ed25519",
		    "method=probe user=\"nobody\" key=SHA256:" },
		{ BROKER_LOGIN_SIGNED, "nobody", "key-ed25519",
		    "reason=user_unknown" },
		{ BROKER_LOGIN_SIGNED, "alice", "key-rsa2048",
		    "reason=key_unknown" },
		{ BROKER_LOGIN_SIGNED, "alice", "key-dsa",
		    "reason=key_type" },
		{ BROKER_LOGIN_SIGNED, "alice", "cert-key-ed25519",
		    "reason=cert_ca_unknown" },
		{ BROKER_LOGIN_FAILED, "a\"\n", NULL,
		    "method=publickey user=\"a\\\"\\x0a\" key=- "
		    "reason=user_unknown" },
	};
	struct broker_child child;
	struct broker_msg m;
	uint64_t session;
	size_t i;

	begin();
	world_add_user(&w, "alice", AUTH_KEYS, false);
	world_add_keys(&w, KEY_FILE_AUTHORIZED, 2, "$key-ed25519");
	world_start(&w);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		child = world_session(&w, "192.0.2.1");
		m = child_login(&child, cases[i].how, cases[i].user,
		    cases[i].vector);
		cr_expect(refused(&m), "case %zu", i);
		cr_expect_not(m.u.login_answer.last);
		cr_expect(world_logs(&w, cases[i].log));
		/* what was only asked for is not held against the source */
		if (cases[i].how != BROKER_LOGIN_PROBE)
			cr_expect_eq(world_news(&w, &session),
			    BROKER_REFUSED_LOGIN);
		world_ended(&w, &child, END_CLIENT_LEFT);
		cr_expect(world_logs(&w, "user=- key=- tried=\""));
	}
	cr_expect(world_stop(&w));
}

Test(broker, accepts_keys_and_certificates)
{
	static const struct {
		const char	*vector, *log;
	} cases[] = {
		{ "key-ed25519", "method=publickey user=\"alice\" key=SHA256:" },
		{ "cert-key-rsa2048", "cert=\"key-rsa2048\" serial=42 ca=SHA256:" },
		{ "cert-ca-ecdsa384", "cert=\"ca-ecdsa384\"" },
	};
	struct broker_child child;
	struct broker_msg m;
	uint64_t session;
	size_t i;

	begin();
	world_add_user(&w, "alice", AUTH_KEYS | AUTH_CERTS, false);
	w.settings.auth.user[1].n_principals = 1;
	w.settings.auth.user[1].principal_len[0] = 4;
	memcpy(w.settings.auth.user[1].principal[0], "jump", 4);
	world_add_keys(&w, KEY_FILE_AUTHORIZED, 2, "$key-ed25519\n"
		"cert-authority,principals=\"jump\" $ca-ecdsa384");
	world_add_keys(&w, KEY_FILE_TRUSTED_CA, 2, "$ca-ed25519");
	world_start(&w);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		child = world_session(&w, "192.0.2.1");
		m = child_login(&child, BROKER_LOGIN_PROBE, "alice",
		    cases[i].vector);
		cr_expect(accepted(&m), "%s", cases[i].vector);
		m = child_login(&child, BROKER_LOGIN_SIGNED, "alice",
		    cases[i].vector);
		cr_expect(accepted(&m), "%s", cases[i].vector);
		cr_expect_eq(world_news(&w, &session), BROKER_LOGGED_IN);
		cr_expect(world_logs(&w, cases[i].log));
		world_ended(&w, &child, END_NONE);
	}
	cr_expect(world_stop(&w));
}

/* A probe says what would do; it lets nobody in. */
Test(broker, lets_nobody_in_by_a_probe)
{
	struct broker_child child;
	struct broker_msg m;
	uint32_t channel;
	int fd;

	begin();
	world_add_user(&w, "alice", AUTH_KEYS, false);
	world_add_user(&w, "bob", AUTH_KEYS, false);
	world_add_keys(&w, KEY_FILE_AUTHORIZED, 2, "$key-ed25519");
	world_start(&w);
	child = world_session(&w, "192.0.2.1");
	m = child_login(&child, BROKER_LOGIN_PROBE, "alice", "key-ed25519");
	cr_assert(accepted(&m));
	cr_expect_eq(child_open(&child, "2001:db8::1", 22, &channel, &fd),
	    DENY_NOT_LOGGED_IN);
	/* nor is another key, or another user's, accepted for it */
	m = child_login(&child, BROKER_LOGIN_SIGNED, "alice", "key-rsa2048");
	cr_expect(refused(&m));
	m = child_login(&child, BROKER_LOGIN_SIGNED, "alicf", "key-ed25519");
	cr_expect(refused(&m));
	m = child_login(&child, BROKER_LOGIN_SIGNED, "bob", "key-ed25519");
	cr_expect(refused(&m));
	m = child_login(&child, BROKER_LOGIN_SIGNED, "alice", "key-ed25519");
	cr_expect(accepted(&m));
	world_ended(&w, &child, END_NONE);
	cr_expect(world_stop(&w));
}

Test(broker, ends_a_session_without_attempts_left)
{
	struct broker_child child;
	struct broker_msg m;
	uint64_t session;
	unsigned i;
	int fd;

	begin();
	w.settings.auth.user[0].methods = AUTH_KEYS;
	w.settings.auth.attempts_max = 3;
	world_start(&w);
	child = world_session(&w, "192.0.2.1");
	/* how clients ask for the methods */
	m = child_login(&child, BROKER_LOGIN_NONE, "jump", NULL);
	cr_expect(refused(&m));
	for (i = 1; i <= 3; i++) {
		m = child_login(&child, BROKER_LOGIN_PROBE, "jump",
		    "key-ed25519");
		cr_expect(refused(&m));
		cr_expect_eq(m.u.login_answer.last, i == 3);
	}
	cr_expect_eq(world_news(&w, &session), BROKER_REFUSED_LOGIN);
	/* a child that goes on is cut off, and the parent told */
	m = child_login(&child, BROKER_LOGIN_PROBE, "jump", "key-ed25519");
	cr_expect_eq(m.type, BROKER_END_SESSION);
	cr_expect_eq(m.u.ending.reason, END_ATTEMPTS);
	cr_expect_not(child_receive(&child, &m, &fd));
	cr_expect_eq(world_news(&w, &session), BROKER_END);
	world_ended(&w, &child, END_NONE);
	cr_expect(world_logs(&w, "reason=attempts"));
	cr_expect(world_stop(&w));
}

/* One principal, once: a child taken over cannot become somebody else. */
Test(broker, binds_one_principal)
{
	struct broker_child child;
	struct broker_msg m;
	int fd;

	begin();
	world_add_user(&w, "alice", AUTH_KEYS, false);
	world_add_keys(&w, KEY_FILE_AUTHORIZED, 2, "$key-ed25519");
	world_start(&w);
	child = world_session(&w, "192.0.2.1");
	m = child_login(&child, BROKER_LOGIN_NONE, "jump", NULL);
	cr_assert(accepted(&m));
	m = child_login(&child, BROKER_LOGIN_SIGNED, "alice", "key-ed25519");
	cr_expect_eq(m.type, BROKER_END_SESSION);
	cr_expect_not(child_receive(&child, &m, &fd));
	world_ended(&w, &child, END_NONE);
	cr_expect(world_logs(&w, "user=\"jump\" key=- reason=protocol"));
	cr_expect(world_stop(&w));
}

Test(broker, is_done_with_a_child_that_talks_nonsense)
{
	static const char *const nonsense[] = { "", "x", "\1", "\101\0\0\0\1",
		"\2\0\0\0\1\0\0\0\26\0\0\0\1\377\377\377\377" };
	struct broker_child child, other;
	struct broker_msg m;
	size_t i;
	int fd;

	begin();
	world_start(&w);
	other = world_session(&w, "192.0.2.2");
	for (i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		child = world_session(&w, "192.0.2.1");
		(void)!send(child.fd, nonsense[i], strlen(nonsense[i]), 0);
		while (child_receive(&child, &m, &fd))
			;
		world_ended(&w, &child, END_NONE);
		cr_expect(world_logs(&w, i == 0 ? "reason=crashed" :
						  "reason=protocol"));
	}
	/* and nobody else notices */
	m = child_login(&other, BROKER_LOGIN_NONE, "jump", NULL);
	cr_expect(accepted(&m));
	world_ended(&w, &other, END_NONE);
	cr_expect(world_stop(&w));
}

Test(broker, tells_what_the_child_told_of_the_client)
{
	struct broker_msg m = { .type = BROKER_FACTS };
	struct broker_child child;

	begin();
	world_start(&w);
	child = world_session(&w, "2001:db8::77");
	m.u.facts.software.at = (const uint8_t *)"Open\"SSH\xff";
	m.u.facts.software.len = 9;
	m.u.facts.kex.at = (const uint8_t *)"curve25519-sha256";
	m.u.facts.kex.len = 17;
	child_send(&child, &m);
	m.type = BROKER_TURNED_AWAY;
	m.u.turned_away.reason = DENY_X11;
	child_send(&child, &m);
	m.type = BROKER_ENDING;
	m.u.ending.reason = END_SHELL;
	child_send(&child, &m);
	cr_expect(world_logs(&w, "channel_refused client=[2001:db8::77]:5000 "
				 "session=1 user=- key=- asked=\"\" port=0 "
				 "target=- reason=x11"));
	world_ended(&w, &child, END_NONE);
	cr_expect(world_logs(&w, "reason=shell"));
	cr_expect(world_stop(&w));
}

Test(broker, logs_facts)
{
	struct broker_msg m = { .type = BROKER_FACTS };
	struct broker_child child;

	begin();
	world_start(&w);
	child = world_session(&w, "192.0.2.1");
	m.u.facts.software.at = (const uint8_t *)"Open\"SSH\xff";
	m.u.facts.software.len = 9;
	m.u.facts.kex.at = (const uint8_t *)"curve25519-sha256";
	m.u.facts.kex.len = 17;
	child_send(&child, &m);
	world_ended(&w, &child, END_SPINNING);
	cr_expect(world_logs(&w, "reason=spinning ms="));
	child = world_session(&w, "192.0.2.1");
	child_send(&child, &m);
	world_ended(&w, &child, END_SPINNING);
	cr_expect(world_logs(&w, "software=\"Open\\\"SSH\\xff\" "
				 "kex=\"curve25519-sha256\" cipher=\"\""));
	cr_expect(world_stop(&w));
}

/* The parent says nothing for two seconds: the session is not kept. */
Test(broker, forgets_a_session_whose_parent_is_silent)
{
	struct broker_child child;

	begin();
	world_start(&w);
	child = world_session(&w, "192.0.2.1");
	close(child.fd);
	cr_expect(world_logs(&w, "session client=192.0.2.1:5000"));
	cr_expect(world_stop(&w));
}
