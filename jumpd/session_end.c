/* SPDX-License-Identifier: ISC */
/*
 * session_end.c - how a session ends, and what the client is told.
 */
#include "jumpd/session.h"

#include <libssh/libssh.h>
#include <libssh/server.h>
#include <stdio.h>
#include <sys/socket.h>

void
session_end(struct session *s, enum end_reason reason, const char *text)
{
	if (s->end != END_NONE)
		return;
	s->end = reason;
	snprintf(s->text, sizeof(s->text), "%s",
	    text == NULL ? end_reason_text(reason) : text);
}

bool
session_is_dead(const struct session *s)
{
	return !ssh_is_connected(s->ssh) ||
	    (ssh_get_status(s->ssh) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0;
}

bool
session_check(struct session *s)
{
	if (s->end == END_NONE && session_is_dead(s))
		session_end(s, session_why_dead(s), "");
	return s->end != END_NONE;
}

/*
 * libssh closes its descriptor at once after DISCONNECT; ours keeps the
 * connection until the client has read it.  It is writable: else DISCONNECT
 * is lost, and so is the client.
 */
static void
part(struct session *s)
{
	ssh_session_set_disconnect_message(s->ssh, s->text);
	if (!(ssh_get_status(s->ssh) & SSH_WRITE_PENDING))
		ssh_set_fd_towrite(s->ssh);
	ssh_disconnect(s->ssh);
	shutdown(s->fd, SHUT_WR);
}

void
session_settle(struct session *s)
{
	const struct broker_msg ending = { .type = BROKER_ENDING,
		.u.ending = { .reason = s->end } };
	bool dead;

	if (s->end == END_NONE || s->phase >= SESSION_PARTING)
		return;
	dead = session_is_dead(s) || s->phase == SESSION_HELLO;
	if (s->phase == SESSION_HELLO)
		dead = !session_hello_part(s);
	session_free_channels(s);
	session_free_requests(s);
	broker_link_send(s->broker, &ending);
	if (!dead && s->phase != SESSION_HELLO)
		part(s);
	session_phase(s, dead ? SESSION_OVER : SESSION_PARTING);
}
