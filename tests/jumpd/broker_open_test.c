/* SPDX-License-Identifier: ISC */
/*
 * broker_open_test.c - channels, with a broker that runs and a VM.
 */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/sock.h"
#include "jumpd/key_bundle.h"
#include "tests/lib/broker_world.h"
#include "tests/lib/name_server.h"

static struct broker_world w;
static pid_t name_server;

static void
begin(void)
{
	if (!world_init(&w))
		cr_skip_test("no network namespaces here");
}

static struct broker_child
logged_in(const char *client)
{
	struct broker_child child = world_session(&w, client);
	struct broker_msg m;
	uint64_t session;

	m = child_login(&child, BROKER_LOGIN_NONE, "jump", NULL);
	cr_assert(m.u.login_answer.accepted);
	cr_assert_eq(world_news(&w, &session), BROKER_LOGGED_IN);
	return child;
}

/* Open and close again; returns the reason. */
static enum deny_reason
try_open(const struct broker_child *child, const char *host, uint32_t port)
{
	struct broker_msg m = { .type = BROKER_CLOSED };
	enum deny_reason reason;
	int fd;

	reason = child_open(child, host, port, &m.u.closed.channel, &fd);
	if (reason == DENY_NONE) {
		close(fd);
		m.u.closed.reason = END_DONE;
		child_send(child, &m);
	}
	return reason;
}

static bool
carries_bytes(int fd, int listener)
{
	int vm = accept(listener, NULL, NULL);
	char byte = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool good;

	good = vm >= 0 && send(vm, "x", 1, 0) == 1 && poll(&p, 1, 1000) == 1 &&
	    recv(fd, &byte, 1, 0) == 1 && byte == 'x';
	close(vm);
	return good;
}

Test(broker_open, hands_over_a_connected_descriptor)
{
	struct broker_msg m = { .type = BROKER_CLOSED };
	struct broker_child child;
	int listener, fd;
	uint32_t channel;

	begin();
	listener = vm_listen("2001:db8::1", 22);
	world_start(&w);
	child = logged_in("192.0.2.1");
	cr_assert_eq(child_open(&child, "[2001:DB8::1]", 22, &channel, &fd),
	    DENY_NONE);
	cr_assert_geq(fd, 0);
	cr_expect(carries_bytes(fd, listener));
	close(fd);
	m.u.closed.channel = channel;
	m.u.closed.reason = END_DONE;
	m.u.closed.up_octets = 7;
	m.u.closed.down_octets = 9;
	child_send(&child, &m);
	cr_expect(world_logs(&w, "channel client=192.0.2.1:5000 session=1 "
				 "channel=1 user=\"jump\" key=- "
				 "asked=\"2001:db8::1\" port=22 "
				 "target=[2001:db8::1]:22 reason=done"));
	world_ended(&w, &child, END_NONE);
	cr_expect(world_logs(&w, "channels=1 refused=0 turned_away=0 up=7 "
				 "down=9"));
	close(listener);
	cr_expect(world_stop(&w));
}

Test(broker_open, refuses_what_policy_does_not_allow)
{
	static const struct {
		const char		*host;
		uint32_t		 port;
		enum deny_reason	 reason;
	} cases[] = {
		{ "2001:db8::1", 23, DENY_POLICY },
		{ "2001:db8::1", 65536 + 22, DENY_TARGET_PORT },
		{ "2001:db8::1", 0, DENY_TARGET_PORT },
		{ "2001:db9::1", 22, DENY_POLICY },
		{ "::1", 22, DENY_SPECIAL },
		{ "127.0.0.1", 22, DENY_TARGET_IPV4 },
		{ "::ffff:127.0.0.1", 22, DENY_TARGET_IPV4 },
		{ "64:ff9b::7f00:1", 22, DENY_NAT64 },
		{ "fe80::1%lo", 22, DENY_TARGET_ZONE },
		{ "localhost", 22, DENY_DNS_OFF },
		{ "unmapped.test", 22, DENY_DNS_OFF },
		{ "loopback.test", 22, DENY_SPECIAL },
		{ "", 22, DENY_TARGET_SYNTAX },
		{ "2001:db8::2", 22, DENY_DIAL_REFUSED },
	};
	struct broker_child child;
	size_t i;

	begin();
	w.mapping = "loopback.test ::1\n";
	world_start(&w);
	child = logged_in("192.0.2.1");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(try_open(&child, cases[i].host, cases[i].port),
		    cases[i].reason, "%s", cases[i].host);
	cr_expect(world_logs(&w, "channel_refused client=192.0.2.1:5000 "
				 "session=1 user=\"jump\" key=- "
				 "asked=\"2001:db8::2\" port=22 "
				 "target=[2001:db8::2]:22 "
				 "reason=dial_refused"));
	world_ended(&w, &child, END_NONE);
	cr_expect(world_stop(&w));
}

/* Only a rule for the very address opens one of the broker's own host. */
Test(broker_open, refuses_other_addresses_of_its_host)
{
	struct broker_child child;
	int listener;

	begin();
	listener = vm_listen("::", 22);
	w.settings.egress.n_allow = 0;
	world_allow(&w, "2001:db8::/32", 1, 65535);
	world_allow(&w, "2001:db8::2/127", 22, 22);
	world_allow(&w, "2001:db8::4/128", 22, 22);
	world_allow(&w, "2001:db8::5/128", 23, 23);
	w.mapping = "vm.test 2001:db8::1,2001:db8::4\n";
	world_start(&w);
	child = logged_in("192.0.2.1");
	cr_expect_eq(try_open(&child, "2001:db8::1", 22), DENY_OWN_ADDRESS);
	cr_expect_eq(try_open(&child, "2001:db8::1", 23), DENY_OWN_ADDRESS);
	cr_expect_eq(try_open(&child, "2001:db8::3", 22), DENY_OWN_ADDRESS);
	cr_expect_eq(try_open(&child, "2001:db8::4", 22), DENY_NONE);
	cr_expect_eq(try_open(&child, "2001:db8::5", 22), DENY_OWN_ADDRESS);
	cr_expect_eq(try_open(&child, "2001:db8::5", 23), DENY_DIAL_REFUSED);
	cr_expect_eq(try_open(&child, "2001:db8:1::1", 22),
	    DENY_DIAL_UNREACHABLE);
	/* the next target, whichever comes first */
	cr_expect_eq(try_open(&child, "vm.test", 22), DENY_NONE);
	cr_expect_eq(try_open(&child, "vm.test", 22), DENY_NONE);
	cr_expect(world_logs(&w, "target=[2001:db8::1]:22 "
				 "reason=own_address"));
	world_ended(&w, &child, END_NONE);
	close(listener);
	cr_expect(world_stop(&w));
}

Test(broker_open, finds_names_in_the_mapping)
{
	struct broker_child child;
	int a, b, i;

	begin();
	world_allow_vms(&w, 2222, 2222);
	w.mapping = "vm1.example.com 2001:db8::1\n"
		    "*.example.org 2001:db8::3,2001:db8::1\n"
		    "port.example.com 2001:db8::2 ssh=2222\n"
		    "web.example.com 2001:db8::1 services=http,https\n";
	a = vm_listen("2001:db8::1", 22);
	b = vm_listen("2001:db8::2", 2222);
	world_start(&w);
	child = logged_in("192.0.2.1");
	cr_expect_eq(try_open(&child, "VM1.example.com.", 22), DENY_NONE);
	/* the next target if one refuses, wherever the round begins */
	for (i = 0; i < 4; i++)
		cr_expect_eq(try_open(&child, "x.y.example.org", 22),
		    DENY_NONE);
	/* the mapping's port stands for 22, and for no other */
	cr_expect_eq(try_open(&child, "port.example.com", 22), DENY_NONE);
	cr_expect_eq(try_open(&child, "port.example.com", 2222), DENY_NONE);
	cr_expect_eq(try_open(&child, "port.example.com", 23), DENY_POLICY);
	cr_expect_eq(try_open(&child, "web.example.com", 22), DENY_DNS_OFF);
	world_ended(&w, &child, END_NONE);
	close(a);
	close(b);
	cr_expect(world_stop(&w));
}

static void
begin_dns(void)
{
	begin();
	name_server = name_server_start();
	w.settings.dns = true;
	w.settings.n_resolvers = 1;
	cr_assert(addr_parse("2001:db8::9", 11,
	    &w.settings.resolver[0].addr));
	w.settings.resolver[0].port = 53;
}

Test(broker_open, asks_name_servers)
{
	static const struct {
		const char		*name;
		enum deny_reason	 reason;
	} cases[] = {
		{ "one.test", DENY_NONE },
		{ "ONE.test.", DENY_NONE },
		{ "alias.test", DENY_NONE },
		{ "large.test", DENY_NONE },
		{ "mixed.test", DENY_NONE },
		{ "bad.test", DENY_SPECIAL },
		{ "none.test", DENY_NAME_NO_IPV6 },
		{ "nothing.test", DENY_NAME_UNKNOWN },
		{ "failed.test", DENY_DNS_FAILED },
		{ "silent.test", DENY_DNS_TIMEOUT },
		{ "mapped.test", DENY_NONE },
	};
	struct broker_child child;
	int listener;
	size_t i;

	begin_dns();
	w.mapping = "mapped.test 2001:db8::1\n";
	listener = vm_listen("2001:db8::1", 22);
	world_start(&w);
	child = logged_in("192.0.2.1");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(try_open(&child, cases[i].name, 22),
		    cases[i].reason, "%s", cases[i].name);
	world_ended(&w, &child, END_NONE);
	close(listener);
	kill(name_server, SIGKILL);
	cr_expect(world_stop(&w));
}

/* Whatever a name server says, no address but an allowed one is connected,
 * and not more than so many. */
Test(broker_open, bounds_what_a_hostile_answer_does)
{
	static const char *const names[] = { "loop.test", "rubbish.test" };
	struct broker_child child;
	enum deny_reason reason;
	int listener;
	size_t i;

	begin_dns();
	w.settings.scan.source_targets = 9;
	listener = vm_listen("2001:db8::1", 22);
	world_start(&w);
	child = logged_in("192.0.2.1");
	for (i = 0; i < 2; i++) {
		reason = try_open(&child, names[i], 22);
		cr_expect(reason == DENY_DNS_FAILED ||
			reason == DENY_DNS_TIMEOUT ||
			reason == DENY_NAME_NO_IPV6,
		    "%s: %s", names[i], deny_reason_label(reason));
	}
	/* 15 addresses: 8 are tried, the good one is the last */
	cr_expect_eq(try_open(&child, "many.test", 22),
	    DENY_DIAL_UNREACHABLE);
	/* they count as targets: one is left */
	cr_expect_eq(try_open(&child, "2001:db8::1", 22), DENY_NONE);
	cr_expect_eq(try_open(&child, "2001:db8::2", 22),
	    DENY_SOURCE_TARGETS);
	world_ended(&w, &child, END_NONE);
	close(listener);
	kill(name_server, SIGKILL);
	cr_expect(world_stop(&w));
}

Test(broker_open, honours_permitopen_and_expiry)
{
	struct broker_child child;
	struct broker_msg m;
	uint64_t session;
	int listener;

	begin();
	w.settings.auth.user[0].methods = AUTH_KEYS;
	w.mapping = "vm1.test 2001:db8::1 ssh=2222\nvm2.test 2001:db8::1\n";
	world_allow_vms(&w, 2222, 2222);
	world_add_keys(&w, KEY_FILE_AUTHORIZED, 1,
	    "permitopen=\"vm1.test:22,[2001:db8::2]:22\" $key-ed25519\n"
	    "permitopen=\"[2001:db8::1]:22\" $key-rsa2048");
	listener = vm_listen("2001:db8::1", 2222);
	world_start(&w);
	child = world_session(&w, "192.0.2.1");
	m = child_login(&child, BROKER_LOGIN_SIGNED, "jump", "key-ed25519");
	cr_assert(m.u.login_answer.accepted);
	cr_assert_eq(world_news(&w, &session), BROKER_LOGGED_IN);
	cr_expect_eq(try_open(&child, "vm1.test", 22), DENY_NONE);
	cr_expect_eq(try_open(&child, "vm2.test", 22), DENY_PERMITOPEN);
	cr_expect_eq(try_open(&child, "2001:db8::1", 22), DENY_PERMITOPEN);
	cr_expect_eq(try_open(&child, "2001:db8::2", 22),
	    DENY_DIAL_REFUSED);
	world_ended(&w, &child, END_NONE);
	/* the mapping's port is none that has to be permitted */
	child = world_session(&w, "192.0.2.1");
	m = child_login(&child, BROKER_LOGIN_SIGNED, "jump", "key-rsa2048");
	cr_assert(m.u.login_answer.accepted);
	cr_expect_eq(try_open(&child, "vm1.test", 22), DENY_NONE);
	cr_expect_eq(try_open(&child, "vm1.test", 2222), DENY_PERMITOPEN);
	cr_expect_eq(try_open(&child, "2001:db8::1", 2222),
	    DENY_PERMITOPEN);
	world_ended(&w, &child, END_NONE);
	close(listener);
	cr_expect(world_stop(&w));
}

enum { QUEUED = 80 };

/* Fill the queue of a VM's port 22, so that the kernel drops what comes. */
static void
silence(const char *address, int fds[QUEUED])
{
	struct endpoint to = { .port = 22 };
	struct sockaddr_storage ss;
	int i;

	cr_assert(addr_parse(address, strlen(address), &to.addr));
	for (i = 0; i < QUEUED; i++) {
		fds[i] = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(fds[i], (struct sockaddr *)&ss,
		    sock_address(&to, &ss));
	}
}

static void
close_all(const int *fds, int n)
{
	while (n-- > 0)
		close(fds[n]);
}

/* Nothing answers: the time is limited, and so is what is under way. */
Test(broker_open, gives_up_in_time)
{
	struct timespec before, after;
	struct broker_child child;
	struct broker_msg m;
	int listener, fds[QUEUED], fd, i, pending = 0, timed_out = 0;

	begin();
	w.settings.connect_ms = 700;
	w.settings.broker.pending_per_session = 5;
	listener = vm_listen("2001:db8::1", 22);
	world_start(&w);
	silence("2001:db8::1", fds);
	child = logged_in("192.0.2.1");
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (i = 0; i < 8; i++)
		child_ask(&child, (uint32_t)i, "2001:db8::1", 22);
	for (i = 0; i < 8; i++) {
		cr_assert(child_receive(&child, &m, &fd));
		pending += m.u.open_answer.reason == DENY_SESSION_PENDING;
		timed_out += m.u.open_answer.reason == DENY_DIAL_TIMEOUT;
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	cr_expect_eq(pending, 3);
	cr_expect_eq(timed_out, 5);
	cr_expect_leq(after.tv_sec - before.tv_sec, 10);
	close_all(fds, QUEUED);
	world_ended(&w, &child, END_NONE);
	close(listener);
	cr_expect(world_stop(&w));
}

static enum deny_reason
answer(const struct broker_child *child)
{
	struct broker_msg m = { 0 };
	int fd;

	cr_assert(child_receive(child, &m, &fd));
	cr_assert_eq(m.type, BROKER_OPEN_ANSWER);
	if (fd >= 0)
		close(fd);
	return m.u.open_answer.reason;
}

/* A site with a /48 has as many sources as it likes. */
Test(broker_open, leaves_places_to_sites_that_have_fewer)
{
	enum { PLACES = 6 };
	struct broker_child greedy[PLACES + 1], other, third;
	int vm, silent, fds[QUEUED], i;
	char client[64];

	begin();
	w.settings.broker.pending = PLACES;
	w.settings.connect_ms = w.settings.open_ms = 20000;
	silent = vm_listen("2001:db8::1", 22);
	vm = vm_listen("2001:db8::2", 22);
	world_start(&w);
	silence("2001:db8::1", fds);
	for (i = 0; i <= PLACES; i++) {
		snprintf(client, sizeof(client), "2001:db8:7:%d::1", i);
		greedy[i] = logged_in(client);
		child_ask(&greedy[i], 1, "2001:db8::1", 22);
	}
	cr_expect_eq(answer(&greedy[PLACES]), DENY_PENDING);
	other = logged_in("192.0.2.1");
	third = logged_in("192.0.2.129");
	cr_expect_eq(try_open(&other, "2001:db8::2", 22), DENY_NONE);
	cr_expect_eq(answer(&greedy[0]), DENY_PENDING, "the oldest");
	child_ask(&other, 2, "2001:db8::1", 22);
	child_ask(&other, 3, "2001:db8::1", 22);
	cr_expect_eq(answer(&greedy[1]), DENY_PENDING);
	cr_expect_eq(try_open(&third, "2001:db8::2", 22), DENY_NONE);
	cr_expect_eq(answer(&greedy[2]), DENY_PENDING);
	child_ask(&third, 4, "2001:db8::1", 22);
	/* three and three now: who has as many gets no more */
	cr_expect_eq(try_open(&third, "2001:db8::2", 22), DENY_PENDING);
	close_all(fds, QUEUED);
	for (i = 0; i <= PLACES; i++)
		world_ended(&w, &greedy[i], END_NONE);
	world_ended(&w, &other, END_NONE);
	world_ended(&w, &third, END_NONE);
	close(silent);
	close(vm);
	cr_expect(world_stop(&w));
}

/* Wait until there are more octets to be read than `*n`, which they become. */
static void
await_more(const struct broker_child *child, int *n)
{
	int before = *n, ms;

	for (ms = 0; ms < 20000 && *n == before; ms++) {
		usleep(1000);
		cr_assert_eq(ioctl(child->fd, FIONREAD, n), 0);
	}
	cr_assert_gt(*n, before);
}

/* It says of what it has not taken yet that it is closed. */
Test(broker_open, counts_channels_until_their_process_has_read_of_them)
{
	struct broker_msg m = { .type = BROKER_CLOSED };
	struct broker_child child;
	int listener, i, unread = 0;

	begin();
	w.settings.scan.session_channels = 2;
	listener = vm_listen("2001:db8::1", 22);
	world_start(&w);
	child = logged_in("192.0.2.1");
	m.u.closed.reason = END_DONE;
	for (i = 1; i <= 2; i++) {
		child_ask(&child, (uint32_t)i, "2001:db8::1", 22);
		await_more(&child, &unread);
		m.u.closed.channel = (uint32_t)i;
		child_send(&child, &m);
	}
	child_ask(&child, 3, "2001:db8::1", 22);
	/* it is heard, and nothing was read until then */
	await_more(&child, &unread);
	cr_expect_eq(answer(&child), DENY_NONE);
	cr_expect_eq(answer(&child), DENY_NONE);
	cr_expect_eq(answer(&child), DENY_SESSION_CHANNELS);
	for (i = 0; i < 4; i++)
		cr_expect_eq(try_open(&child, "2001:db8::1", 22), DENY_NONE);
	world_ended(&w, &child, END_NONE);
	close(listener);
	cr_expect(world_stop(&w));
}

Test(broker_open, holds_no_limits_per_source_for_exempt_ones)
{
	struct broker_child child, other;
	unsigned i;
	int listener;

	begin();
	w.settings.scan.source_opens = 2;
	w.settings.scan.source_targets = 1;
	w.settings.scan.source_failed_dials = 1;
	w.settings.scan.target_opens = 100;
	w.settings.scan.source_target_opens = 1;
	w.settings.source.n_exempt = 1;
	cr_assert_eq(prefix_parse("192.0.2.1/32", 12,
			 &w.settings.source.exempt[0]),
	    PREFIX_OK);
	listener = vm_listen("2001:db8::1", 22);
	world_start(&w);
	child = logged_in("192.0.2.1");
	other = logged_in("192.0.2.2");
	for (i = 0; i < 4; i++) {
		cr_expect_eq(try_open(&child, "2001:db8::1", 22), DENY_NONE);
		cr_expect_eq(try_open(&child, "2001:db8::2", 22),
		    DENY_DIAL_REFUSED);
	}
	cr_expect_eq(try_open(&other, "2001:db8::1", 22), DENY_NONE);
	cr_expect_eq(try_open(&other, "2001:db8::1", 22),
	    DENY_SOURCE_TARGET_OPENS);
	world_ended(&w, &child, END_NONE);
	world_ended(&w, &other, END_NONE);
	close(listener);
	cr_expect(world_stop(&w));
}

Test(broker_open, holds_the_limits_of_scan_guard)
{
	struct broker_child child, other;
	uint32_t channel[3];
	int listener, fd[3], spare;
	unsigned i;

	begin();
	w.settings.scan.session_channels = 2;
	w.settings.scan.source_opens = 6;
	listener = vm_listen("2001:db8::1", 22);
	world_start(&w);
	child = logged_in("192.0.2.1");
	for (i = 0; i < 2; i++)
		cr_expect_eq(child_open(&child, "2001:db8::1", 22,
				 &channel[i], &fd[i]),
		    DENY_NONE);
	cr_expect_eq(child_open(&child, "2001:db8::1", 22, &channel[2],
			 &spare),
	    DENY_SESSION_CHANNELS);
	other = logged_in("192.0.2.1");
	for (i = 0; i < 4; i++)
		cr_expect_eq(try_open(&other, "2001:db8::1", 22), DENY_NONE);
	cr_expect_eq(try_open(&other, "2001:db8::1", 22), DENY_SOURCE_OPENS);
	close(fd[0]);
	close(fd[1]);
	world_ended(&w, &child, END_NONE);
	world_ended(&w, &other, END_NONE);
	cr_expect(world_logs(&w, "reason=limit_source_opens"));
	close(listener);
	cr_expect(world_stop(&w));
}

/* One that opens and opens, and does not read, is cut off; nobody waits. */
Test(broker_open, is_done_with_a_child_that_does_not_read)
{
	struct broker_child child, other;
	struct broker_msg m = { .type = BROKER_OPEN };
	uint8_t out[BROKER_MSG_MAX];
	int listener, i;
	size_t len;

	begin();
	listener = vm_listen("2001:db8::1", 22);
	world_start(&w);
	child = logged_in("192.0.2.1");
	m.u.open.port = 23;
	m.u.open.host.at = (const uint8_t *)"2001:db8::1";
	m.u.open.host.len = 11;
	len = broker_msg_encode(&m, out);
	for (i = 0; i < 100000; i++)
		if (send(child.fd, out, len, MSG_NOSIGNAL) < 0)
			break;
	cr_expect_lt(i, 100000);
	other = logged_in("192.0.2.2");
	cr_expect_eq(try_open(&other, "2001:db8::1", 22), DENY_NONE);
	world_ended(&w, &child, END_NONE);
	world_ended(&w, &other, END_NONE);
	/* and its log is short */
	cr_expect(world_logs(&w, "more=untold"));
	close(listener);
	cr_expect(world_stop(&w));
}

/* One that asks without end waits; the others do not. */
Test(broker_open, hears_no_child_all_the_time)
{
	struct broker_child child, other;
	struct broker_msg m;
	struct timespec before, after;
	unsigned i, n;
	int listener, fd;

	begin();
	listener = vm_listen("2001:db8::1", 22);
	world_start(&w);
	child = logged_in("192.0.2.1");
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (i = n = 0; i < 700; i++) {
		child_ask(&child, i, "2001:db8::1", 23);
		n += child_receive(&child, &m, &fd);
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	cr_expect_eq(n, 700);
	/* 512 at once, and then 200 a second */
	cr_expect_geq((after.tv_sec - before.tv_sec) * 1000 +
		(after.tv_nsec - before.tv_nsec) / 1000000, 800);
	/* Its last words are heard to the end. */
	for (i = 0; i < 200; i++)
		child_ask(&child, i, "2001:db8::1", 23);
	m = (struct broker_msg){ .type = BROKER_ENDING };
	m.u.ending.reason = END_DISCONNECTED;
	child_send(&child, &m);
	other = logged_in("192.0.2.2");
	clock_gettime(CLOCK_MONOTONIC, &before);
	cr_expect_eq(try_open(&other, "2001:db8::1", 22), DENY_NONE);
	clock_gettime(CLOCK_MONOTONIC, &after);
	cr_expect_leq((after.tv_sec - before.tv_sec) * 1000 +
		(after.tv_nsec - before.tv_nsec) / 1000000, 700);
	world_ended(&w, &child, END_NONE);
	cr_expect(world_logs(&w, "reason=disconnected"));
	world_ended(&w, &other, END_NONE);
	close(listener);
	cr_expect(world_stop(&w));
}

Test(broker_open, tells_so_many_refusals_of_a_session)
{
	struct broker_child child;
	int i;

	begin();
	world_start(&w);
	child = logged_in("192.0.2.1");
	for (i = 0; i < 50; i++)
		cr_expect_eq(try_open(&child, "2001:db8::1", 23),
		    DENY_POLICY);
	world_ended(&w, &child, END_NONE);
	cr_expect_eq(world_counts(&w, "channel_refused ", "refused=50 "), 31);
	cr_expect(world_stop(&w));
}

/* Whom the VM sees. */
static bool
peer_is(int listener, const char *text)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd = accept(listener, (struct sockaddr *)&ss, &len);
	struct endpoint ep = sock_endpoint(&ss);
	struct addr right;

	close(fd);
	cr_assert(addr_parse(text, strlen(text), &right));
	return addr_equal(&ep.addr, &right);
}

Test(broker_open, comes_from_the_addresses_that_were_chosen)
{
	struct broker_child child;
	int listener;

	begin();
	w.mapping = "embed.test 2001:db8::1 source=embed\n";
	w.settings.n_sources = 1;
	cr_assert(addr_parse("2001:db8::5", 11,
	    &w.settings.source_address[0]));
	w.settings.has_embed_prefix = true;
	cr_assert_eq(prefix_parse("2001:db8:e::/96", 15,
			 &w.settings.embed_prefix),
	    PREFIX_OK);
	w.settings.egress.embed[0] = w.settings.embed_prefix;
	w.settings.egress.n_embed = 1;
	if (system("ip -6 route add local 2001:db8:e::/96 dev lo") != 0)
		cr_skip_test("no iproute2 here");
	listener = vm_listen("2001:db8::1", 22);
	world_start(&w);
	child = logged_in("192.0.2.77");
	cr_expect_eq(try_open(&child, "2001:db8::1", 22), DENY_NONE);
	cr_expect(peer_is(listener, "2001:db8::5"));
	cr_expect_eq(try_open(&child, "embed.test", 22), DENY_NONE);
	cr_expect(peer_is(listener, "2001:db8:e::c000:24d"));
	/* clients are no targets */
	cr_expect_eq(try_open(&child, "2001:db8:e::c000:24d", 22),
	    DENY_EMBED);
	world_ended(&w, &child, END_NONE);
	/* an IPv6 client has no IPv4 to embed */
	child = logged_in("2001:db8:77::1");
	cr_expect_eq(try_open(&child, "embed.test", 22), DENY_NONE);
	cr_expect(peer_is(listener, "2001:db8::5"));
	world_ended(&w, &child, END_NONE);
	close(listener);
	cr_expect(world_stop(&w));
}

/* What is under way is counted over the sessions of a source, and over all. */
Test(broker_open, bounds_what_is_under_way)
{
	struct broker_child child[4];
	struct broker_msg m;
	unsigned i, source = 0, total = 0;
	int fd;

	begin_dns();
	w.settings.broker.pending_per_session = 100;
	w.settings.broker.pending_per_source = 6;
	w.settings.broker.pending = 10;
	world_start(&w);
	child[0] = logged_in("2001:db8:77:1::1");
	child[1] = logged_in("2001:db8:77:1::2");	/* the same /64 */
	child[2] = logged_in("2001:db8:77:2::1");
	for (i = 0; i < 4; i++) {
		child_ask(&child[0], i, "silent.test", 22);
		child_ask(&child[1], i, "silent.test", 22);
	}
	usleep(200 * 1000);
	for (i = 0; i < 6; i++)
		child_ask(&child[2], i, "silent.test", 22);
	for (i = 0; i < 14; i++) {
		cr_assert(child_receive(&child[i < 4 ? 0 : i < 8 ? 1 : 2], &m,
		    &fd));
		source += m.u.open_answer.reason == DENY_SOURCE_PENDING;
		total += m.u.open_answer.reason == DENY_PENDING;
	}
	cr_expect_eq(source, 2);
	cr_expect_eq(total, 2);
	for (i = 0; i < 3; i++)
		world_ended(&w, &child[i], END_NONE);
	kill(name_server, SIGKILL);
	cr_expect(world_stop(&w));
}

Test(broker_open, tells_of_channels_whose_child_died)
{
	struct broker_child child;
	uint32_t channel;
	int listener, fd;

	begin();
	listener = vm_listen("2001:db8::1", 22);
	world_start(&w);
	child = logged_in("192.0.2.1");
	cr_assert_eq(child_open(&child, "2001:db8::1", 22, &channel, &fd),
	    DENY_NONE);
	close(fd);
	world_ended(&w, &child, END_SPINNING);
	cr_expect(world_logs(&w, "target=[2001:db8::1]:22 "
				 "reason=session_ended"));
	close(listener);
	cr_expect(world_stop(&w));
}

Test(broker_open, opens_nothing_while_it_drains)
{
	struct broker_child child;
	int listener;

	begin();
	listener = vm_listen("2001:db8::1", 22);
	world_start(&w);
	child = logged_in("192.0.2.1");
	cr_expect_eq(try_open(&child, "2001:db8::1", 22), DENY_NONE);
	shutdown(w.channel, SHUT_WR);
	usleep(300 * 1000);
	cr_expect_eq(try_open(&child, "2001:db8::1", 22), DENY_DRAINING);
	cr_expect_eq(waitpid(w.pid, NULL, WNOHANG), 0);
	world_ended(&w, &child, END_NONE);
	close(listener);
	cr_expect(world_stop(&w));
}
