/* SPDX-License-Identifier: ISC */
/*
 * broker_session.c - what a session's process says.
 *
 * It may be in an attacker's hands: whoever breaks the protocol is done with.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/container_of.h"
#include "common/quote.h"
#include "common/sock.h"
#include "jumpd/broker_state.h"

enum {
	BATCH = 16,		/* messages of one child in one go */
	LAST_WORDS = 4096	/* of one that has ended */
};

bool
broker_send(struct broker_session *s, const struct broker_msg *m, int fd)
{
	uint8_t out[BROKER_MSG_MAX];
	size_t len = broker_msg_encode(m, out);
	int err;

	if (s->fd < 0)
		return false;
	if (s->last_words)
		return true;
	/* There is room for hundreds of answers, and fewer are waited for. */
	err = sock_send_fds(s->fd, out, len, &fd, fd >= 0 ? 1 : 0);
	if (err == 0)
		return true;
	if (err == -EPIPE || err == -ECONNRESET) {
		s->last_words = true;
		return true;
	}
	broker_session_gone(s);
	return false;
}

void
broker_session_end(struct broker_session *s, enum end_reason reason)
{
	struct broker_msg m = { .type = BROKER_END_SESSION };

	if (s->end_told)
		return;
	s->end_told = true;
	s->ours = reason;
	m.u.ending.reason = reason;
	broker_send(s, &m, -1);
	broker_report(s, BROKER_END);
}

/* An algorithm's name, which a peer has a say in, for a log line. */
static void
note(const struct broker_text *text, char *out, size_t room)
{
	quote(text->at, text->len, out, room);
}

static void
facts(struct broker_session *s, const struct broker_msg *m)
{
	if (s->has_facts)
		return;
	s->has_facts = true;
	s->software_len = (uint8_t)m->u.facts.software.len;
	if (s->software_len > 0)
		memcpy(s->software, m->u.facts.software.at, s->software_len);
	note(&m->u.facts.kex, s->algorithms[0], sizeof(s->algorithms[0]));
	note(&m->u.facts.cipher, s->algorithms[1], sizeof(s->algorithms[1]));
	note(&m->u.facts.host_key, s->algorithms[2],
	    sizeof(s->algorithms[2]));
}

static void
turned_away(struct broker_session *s, enum deny_reason reason)
{
	if (s->turned_away < UINT32_MAX)
		s->turned_away++;
	counter_add(&s->broker->stats->denied[reason], 1);
	broker_log_refused(s, "", 0, 0, NULL, reason);
}

static void
take(struct broker_session *s, const struct broker_msg *m)
{
	switch (m->type) {
	case BROKER_LOGIN:
		if (!s->last_words)
			broker_login(s, m);
		break;
	case BROKER_OPEN:
		if (!s->last_words)
			broker_open_begin(s, m);
		break;
	case BROKER_CLOSED:
		broker_channel_closed(s, m);
		break;
	case BROKER_TURNED_AWAY:
		turned_away(s, m->u.turned_away.reason);
		break;
	case BROKER_FACTS:
		facts(s, m);
		break;
	case BROKER_ENDING:
		s->child_says = m->u.ending.reason;
		break;
	case BROKER_LOGIN_ANSWER:
	case BROKER_OPEN_ANSWER:
	case BROKER_CLOSE_CHANNEL:
	case BROKER_END_SESSION:
		break;		/* not from a child: not decoded */
	}
}

/* Returns false if nothing more is to be read now. */
static bool
read_message(struct broker_session *s)
{
	/* One octet more, to see what is too long. */
	static uint8_t bytes[BROKER_MSG_MAX + 1];
	struct broker_msg m;
	ssize_t n;

	n = recv(s->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	/* It ended before it read all, says the kernel, once; what it wrote
	 * is still there. */
	if (n < 0 && errno == ECONNRESET)
		n = recv(s->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		broker_session_gone(s);
		return false;
	}
	if (!broker_msg_decode(BROKER_MSG_FROM_CHILD, bytes, (size_t)n, &m)) {
		s->ours = END_PROTOCOL;
		broker_session_end(s, END_PROTOCOL);
		broker_session_gone(s);
		return false;
	}
	take(s, &m);
	return s->fd >= 0;
}

void
broker_session_listen(struct broker_session *s)
{
	if (s->fd >= 0 && s->watch.fd < 0 && !s->login.pending &&
	    loop_add(&s->broker->loop, &s->watch, s->fd, EPOLLIN,
		broker_on_child) != 0)
		broker_session_gone(s);
}

/* It waits in its socket, and its child with it. */
static void
pause(struct broker_session *s)
{
	struct broker *b = s->broker;

	loop_remove(&b->loop, &s->watch);
	deadline_set(&b->deadlines[BROKER_DEADLINE_PAUSE], &s->pause,
	    b->now_ms + BROKER_PAUSE_MS);
}

void
broker_on_child(struct loop_watch *watch, uint32_t events)
{
	struct broker_session *s = CONTAINER_OF(struct broker_session, watch,
	    watch);
	bool last = (events & EPOLLHUP) != 0;
	unsigned n = last ? LAST_WORDS : BATCH;

	s->last_words = s->last_words || last;
	/* One login at a time. */
	while (n-- > 0 && !s->login.pending) {
		if (!last && !token_level_take(&s->messages,
				 BROKER_MESSAGES_PER_MINUTE,
				 BROKER_MESSAGES_BURST, s->broker->now_ms)) {
			pause(s);
			return;
		}
		if (!read_message(s))
			return;
	}
}
