/* SPDX-License-Identifier: ISC */
/*
 * session_read.c - libssh reads while there is room, and its messages go to
 * whom they concern.
 */
#include "jumpd/session.h"

#include <errno.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <poll.h>
#include <sys/socket.h>

enum {
	LIBSSH_READ = 4096,	/* what libssh reads at once */
	READS_MAX = 64,		/* of them in one turn */
	PACKET_OCTETS = 96	/* around a payload, at most */
};

/* It grows by what libssh is given to send, and shrinks by what it has sent:
 * since session->sent_mark was taken, the difference is what waits. */
static uint64_t
put_out(const struct session *s)
{
	const struct ssh_counter_struct *packets =
	    &s->counters[SESSION_PACKETS];

	return packets->out_bytes + packets->out_packets * PACKET_OCTETS -
	    s->counters[SESSION_RAW].out_bytes;
}

void
session_sent(struct session *s)
{
	if (!(ssh_get_status(s->ssh) & SSH_WRITE_PENDING))
		s->sent_mark = put_out(s);
}

/* libssh answers some requests itself, and keeps what is not taken: a client
 * that only asks is not listened to. */
static bool
much_is_unsent(const struct session *s)
{
	return (int64_t)(put_out(s) - s->sent_mark) > SESSION_UNSENT_MUCH &&
	    (ssh_get_status(s->ssh) & SSH_WRITE_PENDING) != 0;
}

bool
session_may_read(const struct session *s)
{
	if (s->phase != SESSION_HELLO && much_is_unsent(s))
		return false;
	if (s->phase == SESSION_LOGIN)
		return s->requests == NULL;
	return s->phase == SESSION_HELLO ||
	    (s->phase == SESSION_READY && s->broker->first == NULL &&
	    s->n_requests < s->settings->broker.pending_per_session +
	    SESSION_REQUESTS_MORE && session_held(s) <= SESSION_HELD_MUCH);
}

short
session_wants(const struct session *s)
{
	short wanted = 0;

	if (s->phase == SESSION_PARTING)
		return POLLIN;
	if (s->phase == SESSION_OVER)
		return 0;
	if (session_may_read(s))
		wanted |= POLLIN;
	if (ssh_get_status(s->ssh) & SSH_WRITE_PENDING)
		wanted |= POLLOUT;
	return wanted;
}

bool
session_is_due(const struct session *s)
{
	/* libssh also reads while it writes. */
	return s->counters[SESSION_RAW].in_bytes != s->drained_octets &&
	    s->phase > SESSION_HELLO && s->end == END_NONE &&
	    session_may_read(s);
}

static void
take_message(struct session *s, ssh_message message)
{
	if (s->phase == SESSION_LOGIN)
		session_login_message(s, message);
	else
		session_request_message(s, message);
}

void
session_run_messages(struct session *s)
{
	const uint64_t *in = &s->counters[SESSION_RAW].in_bytes;
	uint64_t before;
	ssh_message message;
	unsigned reads = 0;

	while (reads < READS_MAX && session_may_read(s)) {
		before = *in;
		message = ssh_message_get(s->ssh);
		if (session_check(s)) {
			ssh_message_free(message);
			return;
		}
		if (message != NULL) {
			take_message(s, message);
			if (s->end != END_NONE)
				return;
			continue;
		}
		s->drained_octets = *in;
		if (s->phase == SESSION_LOGIN)
			session_login_unanswered(s);
		if (*in - before < LIBSSH_READ)
			break;
		reads++;
	}
}

void
session_heard(struct session *s)
{
	if (s->counters[SESSION_RAW].in_bytes == s->in_octets)
		return;
	s->in_octets = s->counters[SESSION_RAW].in_bytes;
	s->heard_ms = s->now_ms;
}

static void
run_parting(struct session *s)
{
	char thrown_away[4096];
	ssize_t n;
	int i;

	for (i = 0; i < READS_MAX; i++) {
		n = recv(s->fd, thrown_away, sizeof(thrown_away),
		    MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			session_phase(s, SESSION_OVER);
		if (n <= 0)
			return;
	}
}

void
session_run(struct session *s, short revents)
{
	if (revents & POLLERR)
		s->reset = true;
	if (s->phase == SESSION_PARTING) {
		run_parting(s);
		return;
	}
	if (s->end != END_NONE || s->phase == SESSION_OVER)
		return;
	session_sent(s);
	if (s->phase == SESSION_HELLO)
		session_hello_run(s);
	if (s->end == END_NONE && s->phase != SESSION_HELLO)
		session_run_messages(s);
	/* Where nothing may be read, what waits must still go out. */
	if (s->end == END_NONE && (revents & POLLOUT) && !session_may_read(s)) {
		ssh_blocking_flush(s->ssh, 0);
		session_check(s);
	}
}
