/* SPDX-License-Identifier: ISC */
#include "jumpd/broker_msg.h"

#include <assert.h>
#include <string.h>

#include "common/bytes.h"
#include "jumpd/ssh_wire.h"

/* ------------------------------------------------------------ decode */

/* Octets of `most` at most. */
static struct broker_text
text(struct bytes *from, size_t most)
{
	struct bytes octets = ssh_wire_string(from);
	struct broker_text t = { .at = octets.at, .len = octets.left };

	if (t.len > most)
		from->failed = true;
	return t;
}

/* A number below `limit`. */
static uint32_t
below(struct bytes *from, uint32_t limit)
{
	uint32_t value = bytes_u32(from);

	if (value >= limit)
		from->failed = true;
	return value;
}

static bool
flag(struct bytes *from)
{
	uint8_t value = bytes_u8(from);

	if (value > 1)
		from->failed = true;
	return value == 1;
}

static enum deny_reason
deny_reason(struct bytes *from)
{
	return (enum deny_reason)below(from, N_DENY_REASONS);
}

static enum end_reason
end_reason(struct bytes *from)
{
	return (enum end_reason)below(from, N_END_REASONS);
}

static void
decode_login(struct bytes *from, struct broker_msg *m)
{
	uint32_t how;

	m->u.login.request = bytes_u32(from);
	how = bytes_u32(from);
	m->u.login.user = text(from, BROKER_MSG_USER_MAX);
	m->u.login.blob = text(from, KEY_CERT_MAX);
	if (how < BROKER_LOGIN_NONE || how > BROKER_LOGIN_FAILED ||
	    (how == BROKER_LOGIN_NONE && m->u.login.blob.len > 0) ||
	    ((how == BROKER_LOGIN_PROBE || how == BROKER_LOGIN_SIGNED) &&
		m->u.login.blob.len == 0))
		from->failed = true;
	m->u.login.how = (enum broker_login)how;
}

static void
decode_open(struct bytes *from, struct broker_msg *m)
{
	m->u.open.request = bytes_u32(from);
	m->u.open.port = bytes_u32(from);
	m->u.open.originator_port = bytes_u32(from);
	m->u.open.host = text(from, BROKER_MSG_HOST_MAX);
	m->u.open.originator = text(from, BROKER_MSG_ORIGINATOR_MAX);
}

static void
decode_closed(struct bytes *from, struct broker_msg *m)
{
	m->u.closed.channel = bytes_u32(from);
	m->u.closed.reason = end_reason(from);
	m->u.closed.up_octets = ssh_wire_u64(from);
	m->u.closed.down_octets = ssh_wire_u64(from);
}

static void
decode_facts(struct bytes *from, struct broker_msg *m)
{
	m->u.facts.software = text(from, BROKER_MSG_FACT_MAX);
	m->u.facts.kex = text(from, BROKER_MSG_FACT_MAX);
	m->u.facts.cipher = text(from, BROKER_MSG_FACT_MAX);
	m->u.facts.host_key = text(from, BROKER_MSG_FACT_MAX);
}

static bool
decode_child(struct bytes *from, struct broker_msg *m)
{
	switch ((unsigned)m->type) {
	case BROKER_LOGIN:
		decode_login(from, m);
		return true;
	case BROKER_OPEN:
		decode_open(from, m);
		return true;
	case BROKER_CLOSED:
		decode_closed(from, m);
		return true;
	case BROKER_TURNED_AWAY:
		m->u.turned_away.reason = deny_reason(from);
		return true;
	case BROKER_FACTS:
		decode_facts(from, m);
		return true;
	case BROKER_ENDING:
		m->u.ending.reason = end_reason(from);
		return true;
	default:
		return false;
	}
}

static void
decode_open_answer(struct bytes *from, struct broker_msg *m)
{
	m->u.open_answer.request = bytes_u32(from);
	m->u.open_answer.reason = deny_reason(from);
	m->u.open_answer.channel = bytes_u32(from);
	if ((m->u.open_answer.reason == DENY_NONE) !=
	    (m->u.open_answer.channel != 0))
		from->failed = true;
}

static bool
decode_broker(struct bytes *from, struct broker_msg *m)
{
	switch ((unsigned)m->type) {
	case BROKER_LOGIN_ANSWER:
		m->u.login_answer.request = bytes_u32(from);
		m->u.login_answer.accepted = flag(from);
		m->u.login_answer.last = flag(from);
		if (m->u.login_answer.accepted && m->u.login_answer.last)
			from->failed = true;
		return true;
	case BROKER_OPEN_ANSWER:
		decode_open_answer(from, m);
		return true;
	case BROKER_CLOSE_CHANNEL:
		m->u.close_channel.channel = bytes_u32(from);
		m->u.close_channel.reason = end_reason(from);
		return true;
	case BROKER_END_SESSION:
		m->u.ending.reason = end_reason(from);
		return true;
	default:
		return false;
	}
}

bool
broker_msg_decode(enum broker_msg_from side, const void *bytes, size_t len,
    struct broker_msg *ret)
{
	struct bytes from = bytes_of(bytes, len);
	struct broker_msg m;
	bool known;

	if (len > BROKER_MSG_MAX)
		return false;
	memset(&m, 0, sizeof(m));
	m.type = (enum broker_msg_type)bytes_u8(&from);
	known = side == BROKER_MSG_FROM_CHILD ? decode_child(&from, &m) :
						decode_broker(&from, &m);
	if (!known || from.failed || from.left > 0)
		return false;
	*ret = m;
	return true;
}

/* ------------------------------------------------------------ encode */

struct writer {
	uint8_t	*out;
	size_t	 len;
};

static void
put(struct writer *w, const void *bytes, size_t len)
{
	assert(len <= BROKER_MSG_MAX - w->len);
	if (len > 0)
		memcpy(w->out + w->len, bytes, len);
	w->len += len;
}

static void
put_u8(struct writer *w, unsigned value)
{
	uint8_t octet = (uint8_t)value;

	put(w, &octet, 1);
}

static void
put_u32(struct writer *w, uint32_t value)
{
	const uint8_t octets[4] = { (uint8_t)(value >> 24),
		(uint8_t)(value >> 16), (uint8_t)(value >> 8),
		(uint8_t)value };

	put(w, octets, sizeof(octets));
}

static void
put_u64(struct writer *w, uint64_t value)
{
	put_u32(w, (uint32_t)(value >> 32));
	put_u32(w, (uint32_t)value);
}

static void
put_text(struct writer *w, const struct broker_text *t, size_t most)
{
	assert(t->len <= most);
	put_u32(w, (uint32_t)t->len);
	put(w, t->at, t->len);
}

static void
encode_login(struct writer *w, const struct broker_msg *m)
{
	put_u32(w, m->u.login.request);
	put_u32(w, (uint32_t)m->u.login.how);
	put_text(w, &m->u.login.user, BROKER_MSG_USER_MAX);
	put_text(w, &m->u.login.blob, KEY_CERT_MAX);
}

static void
encode_open(struct writer *w, const struct broker_msg *m)
{
	put_u32(w, m->u.open.request);
	put_u32(w, m->u.open.port);
	put_u32(w, m->u.open.originator_port);
	put_text(w, &m->u.open.host, BROKER_MSG_HOST_MAX);
	put_text(w, &m->u.open.originator, BROKER_MSG_ORIGINATOR_MAX);
}

static void
encode_facts(struct writer *w, const struct broker_msg *m)
{
	put_text(w, &m->u.facts.software, BROKER_MSG_FACT_MAX);
	put_text(w, &m->u.facts.kex, BROKER_MSG_FACT_MAX);
	put_text(w, &m->u.facts.cipher, BROKER_MSG_FACT_MAX);
	put_text(w, &m->u.facts.host_key, BROKER_MSG_FACT_MAX);
}

static void
encode_closed(struct writer *w, const struct broker_msg *m)
{
	put_u32(w, m->u.closed.channel);
	put_u32(w, (uint32_t)m->u.closed.reason);
	put_u64(w, m->u.closed.up_octets);
	put_u64(w, m->u.closed.down_octets);
}

static void
encode_broker(struct writer *w, const struct broker_msg *m)
{
	if (m->type == BROKER_LOGIN_ANSWER) {
		put_u32(w, m->u.login_answer.request);
		put_u8(w, m->u.login_answer.accepted);
		put_u8(w, m->u.login_answer.last);
	} else if (m->type == BROKER_OPEN_ANSWER) {
		put_u32(w, m->u.open_answer.request);
		put_u32(w, (uint32_t)m->u.open_answer.reason);
		put_u32(w, m->u.open_answer.channel);
	} else {
		put_u32(w, m->u.close_channel.channel);
		put_u32(w, (uint32_t)m->u.close_channel.reason);
	}
}

size_t
broker_msg_encode(const struct broker_msg *m, uint8_t out[BROKER_MSG_MAX])
{
	struct writer w = { .out = out };

	put_u8(&w, (unsigned)m->type);
	switch (m->type) {
	case BROKER_LOGIN:
		encode_login(&w, m);
		break;
	case BROKER_OPEN:
		encode_open(&w, m);
		break;
	case BROKER_CLOSED:
		encode_closed(&w, m);
		break;
	case BROKER_TURNED_AWAY:
		put_u32(&w, (uint32_t)m->u.turned_away.reason);
		break;
	case BROKER_FACTS:
		encode_facts(&w, m);
		break;
	case BROKER_ENDING:
	case BROKER_END_SESSION:
		put_u32(&w, (uint32_t)m->u.ending.reason);
		break;
	case BROKER_LOGIN_ANSWER:
	case BROKER_OPEN_ANSWER:
	case BROKER_CLOSE_CHANNEL:
		encode_broker(&w, m);
		break;
	}
	return w.len;
}
