/* SPDX-License-Identifier: ISC */
/*
 * broker_reload_test.c - new orders, and what they do to those who are there.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "jumpd/key_bundle.h"
#include "tests/lib/broker_world.h"

static struct broker_world w;

static void
begin(void)
{
	if (!world_init(&w))
		cr_skip_test("no network namespaces here");
	w.settings.auth.user[0].methods = AUTH_KEYS;
}

static struct broker_child
logged_in(const char *vector)
{
	struct broker_child child = world_session(&w, "192.0.2.1");
	struct broker_msg m;
	uint64_t session;

	m = child_login(&child, BROKER_LOGIN_SIGNED, "jump", vector);
	cr_assert(m.u.login_answer.accepted);
	cr_assert_eq(world_news(&w, &session), BROKER_LOGGED_IN);
	return child;
}

/* After begin() and more settings: a VM listens, a key may log in and has. */
static struct broker_child
logged_in_beside_vm(int *ret_listener)
{
	world_add_keys(&w, KEY_FILE_AUTHORIZED, 1, "$key-ed25519");
	*ret_listener = vm_listen("2001:db8::1", 22);
	world_start(&w);
	return logged_in("key-ed25519");
}

static bool
may_login(const char *vector)
{
	struct broker_child child = world_session(&w, "192.0.2.1");
	struct broker_msg m;

	m = child_login(&child, BROKER_LOGIN_PROBE, "jump", vector);
	world_ended(&w, &child, END_NONE);
	return m.u.login_answer.accepted;
}

Test(broker_reload, takes_new_settings_mapping_and_keys_over)
{
	struct broker_child child;
	uint32_t channel;
	int listener, fd;

	begin();
	child = logged_in_beside_vm(&listener);
	cr_expect_eq(child_open(&child, "vm1.test", 22, &channel, &fd),
	    DENY_DNS_OFF);
	cr_expect_not(may_login("key-rsa2048"));
	w.mapping = "vm1.test 2001:db8::1\n";
	w.bundle_len = 0;
	world_add_keys(&w, KEY_FILE_AUTHORIZED, 1, "$key-rsa2048");
	world_reload(&w);
	cr_expect(may_login("key-rsa2048"));
	cr_expect_not(may_login("key-ed25519"));
	/* who is there goes on, by the new mapping */
	cr_assert_eq(child_open(&child, "vm1.test", 22, &channel, &fd),
	    DENY_NONE);
	close(fd);
	w.settings.egress.n_allow = 0;
	world_allow_vms(&w, 21, 21);
	world_reload(&w);
	cr_assert_eq(child_open(&child, "vm1.test", 22, &channel, &fd),
	    DENY_POLICY);
	world_ended(&w, &child, END_NONE);
	close(listener);
	cr_expect(world_stop(&w));
}

Test(broker_reload, ends_nothing_unless_told_to)
{
	struct broker_child child;
	uint32_t channel;
	int listener, fd;

	begin();
	child = logged_in_beside_vm(&listener);
	cr_assert_eq(child_open(&child, "2001:db8::1", 22, &channel, &fd),
	    DENY_NONE);
	w.bundle_len = 0;
	w.settings.egress.n_allow = 0;
	world_reload(&w);
	close(fd);
	/* the next message is the answer to this, nothing came before it */
	cr_expect_eq(child_open(&child, "2001:db8::1", 22, &channel, &fd),
	    DENY_POLICY);
	world_ended(&w, &child, END_NONE);
	close(listener);
	cr_expect(world_stop(&w));
}

Test(broker_reload, ends_the_channels_that_it_denies)
{
	struct broker_msg m = { .type = BROKER_CLOSED };
	struct broker_child child;
	uint32_t channel[2];
	int a, b, fd[2], none;

	begin();
	w.settings.reload_kills_denied = true;
	world_add_keys(&w, KEY_FILE_AUTHORIZED, 1, "$key-ed25519");
	a = vm_listen("2001:db8::1", 22);
	b = vm_listen("2001:db8::2", 22);
	world_start(&w);
	child = logged_in("key-ed25519");
	cr_assert_eq(child_open(&child, "2001:db8::1", 22, &channel[0],
			 &fd[0]),
	    DENY_NONE);
	cr_assert_eq(child_open(&child, "2001:db8::2", 22, &channel[1],
			 &fd[1]),
	    DENY_NONE);
	cr_assert_eq(prefix_parse("2001:db8::2", 11,
			 &w.settings.egress.deny[0].prefix),
	    PREFIX_OK);
	w.settings.egress.n_deny = 1;
	world_reload(&w);
	cr_assert(child_receive(&child, &m, &none));
	cr_expect_eq(m.type, BROKER_CLOSE_CHANNEL);
	cr_expect_eq(m.u.close_channel.channel, channel[1]);
	cr_expect_eq(m.u.close_channel.reason, END_RELOAD_DENIED);
	memset(&m, 0, sizeof(m));
	m.type = BROKER_CLOSED;
	m.u.closed.channel = channel[1];
	m.u.closed.reason = END_DONE;
	child_send(&child, &m);
	cr_expect(world_logs(&w, "target=[2001:db8::2]:22 "
				 "reason=reload_denied"));
	/* the key may do less now: permitopen counts for what is open */
	w.bundle_len = 0;
	world_add_keys(&w, KEY_FILE_AUTHORIZED, 1,
	    "permitopen=\"[2001:db8::3]:22\" $key-ed25519");
	world_reload(&w);
	cr_assert(child_receive(&child, &m, &none));
	cr_expect_eq(m.type, BROKER_CLOSE_CHANNEL);
	cr_expect_eq(m.u.close_channel.channel, channel[0]);
	close(fd[0]);
	close(fd[1]);
	world_ended(&w, &child, END_NONE);
	close(a);
	close(b);
	cr_expect(world_stop(&w));
}

/* The network's rule still holds it, but no rule is for the very address. */
Test(broker_reload, ends_channels_to_its_host_that_no_rule_is_for_any_more)
{
	struct broker_msg m = { 0 };
	struct broker_child child;
	uint32_t channel;
	int listener, fd, none;

	begin();
	w.settings.reload_kills_denied = true;
	child = logged_in_beside_vm(&listener);
	cr_assert_eq(child_open(&child, "2001:db8::1", 22, &channel, &fd),
	    DENY_NONE);
	w.settings.egress.n_allow = 1;
	world_reload(&w);
	cr_assert(child_receive(&child, &m, &none));
	cr_expect_eq(m.type, BROKER_CLOSE_CHANNEL);
	cr_expect_eq(m.u.close_channel.channel, channel);
	close(fd);
	world_ended(&w, &child, END_NONE);
	close(listener);
	cr_expect(world_stop(&w));
}

Test(broker_reload, ends_the_sessions_that_it_denies)
{
	struct broker_child gone, stays, revoked;
	struct broker_msg m;
	uint32_t channel;
	uint64_t session;
	int fd;

	begin();
	w.settings.reload_kills_denied = true;
	w.settings.auth.user[0].methods = AUTH_KEYS | AUTH_CERTS;
	world_add_keys(&w, KEY_FILE_AUTHORIZED, 1,
	    "$key-ed25519\n$key-rsa2048\n");
	world_add_keys(&w, KEY_FILE_TRUSTED_CA, 1, "$ca-ed25519\n");
	world_start(&w);
	gone = logged_in("key-ed25519");
	stays = logged_in("key-rsa2048");
	revoked = logged_in("cert-serial-7");
	w.bundle_len = 0;
	world_add_keys(&w, KEY_FILE_AUTHORIZED, 1, "$key-rsa2048\n");
	world_add_keys(&w, KEY_FILE_TRUSTED_CA, 1, "$ca-ed25519\n");
	world_add_keys(&w, KEY_FILE_REVOKED, 0, "serial: 7\n");
	world_reload(&w);
	cr_assert(child_receive(&gone, &m, &fd));
	cr_expect_eq(m.type, BROKER_END_SESSION);
	cr_expect_eq(m.u.ending.reason, END_RELOAD_DENIED);
	cr_assert(child_receive(&revoked, &m, &fd));
	cr_expect_eq(m.type, BROKER_END_SESSION);
	/* the parent is to see to it */
	cr_expect_eq(world_news(&w, &session), BROKER_END);
	cr_expect_eq(world_news(&w, &session), BROKER_END);
	cr_expect_eq(child_open(&stays, "2001:db8::1", 22, &channel, &fd),
	    DENY_DIAL_REFUSED);
	world_ended(&w, &gone, END_NONE);
	cr_expect(world_logs(&w, "reason=reload_denied"));
	world_ended(&w, &stays, END_NONE);
	world_ended(&w, &revoked, END_NONE);
	cr_expect(world_stop(&w));
}

/* A user that is gone takes its sessions with it, if that is wanted. */
Test(broker_reload, ends_the_sessions_of_users_that_are_gone)
{
	struct broker_child child;
	struct broker_msg m;
	int fd;

	begin();
	w.settings.reload_kills_denied = true;
	world_add_user(&w, "other", AUTH_KEYS, false);
	world_add_keys(&w, KEY_FILE_AUTHORIZED, 3, "$key-ed25519\n");
	world_start(&w);
	child = logged_in("key-ed25519");
	w.settings.auth.user[0].name_len = 3;	/* "jum" */
	world_reload(&w);
	cr_assert(child_receive(&child, &m, &fd));
	cr_expect_eq(m.type, BROKER_END_SESSION);
	world_ended(&w, &child, END_NONE);
	cr_expect(world_stop(&w));
}

/* What cannot be loaded changes nothing. */
Test(broker_reload, keeps_what_it_has_if_new_keys_are_malformed)
{
	struct broker_child child;

	begin();
	world_add_keys(&w, KEY_FILE_AUTHORIZED, 1,
	    "$key-ed25519\ncommand=\"x\" $key-rsa2048\n");
	world_start(&w);
	cr_expect(world_logs(&w, "\"f\":2: option \"command\" cannot be "
				 "honoured here; the line holds for nobody"));
	child = logged_in("key-ed25519");
	world_add_keys(&w, KEY_FILE_REVOKED, 0, "serial: x\n");
	world_order(&w);
	cr_expect(world_logs(&w, "\"f\":1: serial: is no number"));
	cr_expect(may_login("key-ed25519"));
	world_ended(&w, &child, END_NONE);
	cr_expect(world_stop(&w));
}
