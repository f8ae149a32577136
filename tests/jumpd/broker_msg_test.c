/* SPDX-License-Identifier: ISC */
#include "jumpd/broker_msg.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/lib/hostile.h"
#include "tests/lib/ssh_vectors.h"

static struct broker_text
text(const char *s)
{
	const struct broker_text t = { .at = (const uint8_t *)s,
		.len = strlen(s) };

	return t;
}

/* One of each, the child's first. */
static unsigned
examples(struct broker_msg m[12])
{
	unsigned n = 0;

	memset(m, 0, 12 * sizeof(*m));
	m[n].type = BROKER_LOGIN;
	m[n].u.login.request = 1;
	m[n].u.login.how = BROKER_LOGIN_NONE;
	m[n++].u.login.user = text("jump");
	m[n].type = BROKER_LOGIN;
	m[n].u.login.request = 0xfffffffe;
	m[n].u.login.how = BROKER_LOGIN_SIGNED;
	m[n].u.login.user = text("");
	m[n++].u.login.blob = text("a blob");
	m[n].type = BROKER_OPEN;
	m[n].u.open.request = 7;
	m[n].u.open.port = 65536 + 22;
	m[n].u.open.originator_port = 4;
	m[n].u.open.host = text("vm1.example");
	m[n++].u.open.originator = text("192.0.2.1");
	m[n].type = BROKER_CLOSED;
	m[n].u.closed.channel = 3;
	m[n].u.closed.reason = END_DONE;
	m[n].u.closed.up_octets = UINT64_C(0x0123456789abcdef);
	m[n++].u.closed.down_octets = 5;
	m[n].type = BROKER_TURNED_AWAY;
	m[n++].u.turned_away.reason = DENY_X11;
	m[n].type = BROKER_FACTS;
	m[n].u.facts.software = text("OpenSSH_9.2");
	m[n].u.facts.kex = text("curve25519-sha256");
	m[n].u.facts.cipher = text("aes256-gcm@openssh.com");
	m[n++].u.facts.host_key = text("ssh-ed25519");
	m[n].type = BROKER_ENDING;
	m[n++].u.ending.reason = END_DISCONNECTED;
	m[n].type = BROKER_LOGIN_ANSWER;
	m[n].u.login_answer.request = 1;
	m[n++].u.login_answer.accepted = true;
	m[n].type = BROKER_OPEN_ANSWER;
	m[n].u.open_answer.request = 7;
	m[n++].u.open_answer.channel = 9;
	m[n].type = BROKER_OPEN_ANSWER;
	m[n].u.open_answer.request = 7;
	m[n++].u.open_answer.reason = DENY_DIAL_TIMEOUT;
	m[n].type = BROKER_CLOSE_CHANNEL;
	m[n].u.close_channel.channel = 3;
	m[n++].u.close_channel.reason = END_RELOAD_DENIED;
	m[n].type = BROKER_END_SESSION;
	m[n++].u.ending.reason = END_SHUTDOWN;
	return n;
}

static enum broker_msg_from
side_of(const struct broker_msg *m)
{
	return m->type < BROKER_LOGIN_ANSWER ? BROKER_MSG_FROM_CHILD :
					       BROKER_MSG_FROM_BROKER;
}

Test(broker_msg, says_what_was_said)
{
	struct broker_msg m[12], back;
	uint8_t out[BROKER_MSG_MAX], again[BROKER_MSG_MAX];
	unsigned i, n = examples(m);
	size_t len;

	cr_assert_eq(n, 12);
	for (i = 0; i < n; i++) {
		len = broker_msg_encode(&m[i], out);
		cr_assert(broker_msg_decode(side_of(&m[i]), out, len, &back),
		    "message %u", i);
		cr_expect_eq(back.type, m[i].type);
		cr_expect_eq(broker_msg_encode(&back, again), len);
		cr_expect_eq(memcmp(out, again, len), 0, "message %u", i);
	}
	len = broker_msg_encode(&m[1], out);
	cr_assert(broker_msg_decode(BROKER_MSG_FROM_CHILD, out, len, &back));
	cr_expect_eq(back.u.login.request, 0xfffffffe);
	cr_expect_eq(back.u.login.how, BROKER_LOGIN_SIGNED);
	cr_expect_eq(back.u.login.blob.len, 6);
	len = broker_msg_encode(&m[2], out);
	cr_assert(broker_msg_decode(BROKER_MSG_FROM_CHILD, out, len, &back));
	cr_expect_eq(back.u.open.port, 65536 + 22);
	cr_expect_eq(memcmp(back.u.open.host.at, "vm1.example", 11), 0);
	len = broker_msg_encode(&m[3], out);
	cr_assert(broker_msg_decode(BROKER_MSG_FROM_CHILD, out, len, &back));
	cr_expect_eq(back.u.closed.up_octets, UINT64_C(0x0123456789abcdef));
}

Test(broker_msg, is_for_one_direction)
{
	struct broker_msg m[12], back;
	uint8_t out[BROKER_MSG_MAX];
	unsigned i, n = examples(m);
	size_t len;

	for (i = 0; i < n; i++) {
		len = broker_msg_encode(&m[i], out);
		cr_expect_not(broker_msg_decode(
				  side_of(&m[i]) == BROKER_MSG_FROM_CHILD ?
				      BROKER_MSG_FROM_BROKER :
				      BROKER_MSG_FROM_CHILD,
				  out, len, &back), "message %u", i);
	}
}

static void
is_refused_when_cut(const uint8_t *bytes, size_t len, void *arg)
{
	const struct broker_msg *m = arg;
	uint8_t out[BROKER_MSG_MAX];
	struct broker_msg back;

	if (len < broker_msg_encode(m, out))
		cr_assert_not(broker_msg_decode(side_of(m), bytes, len,
		    &back));
}

static void
is_bounded(const uint8_t *bytes, size_t len, void *arg)
{
	uint8_t out[BROKER_MSG_MAX];
	struct broker_msg back;
	enum broker_msg_from side;

	(void)arg;
	for (side = BROKER_MSG_FROM_CHILD; side <= BROKER_MSG_FROM_BROKER;
	    side++) {
		if (!broker_msg_decode(side, bytes, len, &back))
			continue;
		/* what is decoded can be encoded: no assert */
		cr_assert_eq(broker_msg_encode(&back, out), len);
		cr_assert_eq(memcmp(out, bytes, len), 0);
	}
}

Test(broker_msg, survives_every_cut_and_bit_flip)
{
	struct broker_msg m[12];
	uint8_t out[BROKER_MSG_MAX];
	unsigned i, n = examples(m);
	size_t len;

	for (i = 0; i < n; i++) {
		len = broker_msg_encode(&m[i], out);
		hostile_cuts(out, len, is_refused_when_cut, &m[i]);
		hostile_bit_flips(out, len, is_bounded, NULL);
		out[len] = 0;	/* one octet more */
		struct broker_msg back;
		cr_expect_not(broker_msg_decode(side_of(&m[i]), out, len + 1,
				  &back));
	}
}

/* A message whose texts are so long. */
static bool
decodes(uint8_t type, unsigned numbers, const size_t *texts, unsigned n)
{
	static uint8_t octets[KEY_CERT_MAX + 2];
	struct ssh_build b = { 0 };
	struct broker_msg back;
	unsigned i;

	ssh_build_raw(&b, &type, 1);
	for (i = 0; i < numbers; i++)
		ssh_build_u32(&b, 2);
	for (i = 0; i < n; i++)
		ssh_build_string(&b, octets, texts[i]);
	return broker_msg_decode(BROKER_MSG_FROM_CHILD, b.bytes, b.len,
	    &back);
}

Test(broker_msg, bounds_what_a_child_says)
{
	static uint8_t out[BROKER_MSG_MAX + 1];
	struct broker_msg back;

	cr_expect(decodes(BROKER_LOGIN, 2, (const size_t[]){ 255, 9 }, 2));
	cr_expect_not(decodes(BROKER_LOGIN, 2, (const size_t[]){ 256, 9 }, 2));
	cr_expect(decodes(BROKER_LOGIN, 2, (const size_t[]){ 4, 16384 }, 2));
	cr_expect_not(decodes(BROKER_LOGIN, 2, (const size_t[]){ 4, 16385 },
			  2));
	cr_expect(decodes(BROKER_OPEN, 3, (const size_t[]){ 1024, 64 }, 2));
	cr_expect_not(decodes(BROKER_OPEN, 3, (const size_t[]){ 1025, 9 }, 2));
	cr_expect_not(decodes(BROKER_OPEN, 3, (const size_t[]){ 9, 65 }, 2));
	cr_expect(decodes(BROKER_FACTS, 0,
	    (const size_t[]){ 255, 255, 255, 255 }, 4));
	cr_expect_not(decodes(BROKER_FACTS, 0,
	    (const size_t[]){ 9, 9, 9, 256 }, 4));
	cr_expect_not(broker_msg_decode(BROKER_MSG_FROM_CHILD, out,
	    sizeof(out), &back));
}

Test(broker_msg, wants_a_blob_where_there_is_to_be_one)
{
	struct broker_msg m = { .type = BROKER_LOGIN }, back;
	uint8_t out[BROKER_MSG_MAX];
	size_t len;

	m.u.login.how = BROKER_LOGIN_PROBE;
	len = broker_msg_encode(&m, out);
	cr_expect_not(broker_msg_decode(BROKER_MSG_FROM_CHILD, out, len,
			  &back));
	m.u.login.how = BROKER_LOGIN_NONE;
	m.u.login.blob = text("x");
	len = broker_msg_encode(&m, out);
	cr_expect_not(broker_msg_decode(BROKER_MSG_FROM_CHILD, out, len,
			  &back));
	m.u.login.how = BROKER_LOGIN_FAILED;
	len = broker_msg_encode(&m, out);
	cr_expect(broker_msg_decode(BROKER_MSG_FROM_CHILD, out, len, &back));
}
