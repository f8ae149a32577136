/* SPDX-License-Identifier: ISC */
/*
 * session_request.c - what a client that has logged in may ask for: channels
 * to targets, and nothing else.  Whoever wants a shell is told about ssh -J.
 */
#include "jumpd/session.h"

#include <libssh/libssh.h>
#include <libssh/server.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/* A first channel this soon after the login is what the connection is
	 * for: ssh -J, ssh -W. */
	PURPOSE_MS = 5000,
	WHERE_MAX = 160		/* octets of a target in a text */
};

void
session_turned_away(struct session *s, enum deny_reason reason)
{
	const struct broker_msg msg = { .type = BROKER_TURNED_AWAY,
		.u.turned_away = { .reason = reason } };

	broker_link_send(s->broker, &msg);
}

/* Takes the message over. */
static void
refuse(struct session *s, ssh_message message, enum deny_reason reason)
{
	ssh_message_reply_default(message);
	ssh_message_free(message);
	session_turned_away(s, reason);
}

/* --- channels to targets -------------------------------------------------- */

/* Room for one more channel, beside those that the client has not closed yet.
 * Returns false if there is none. */
static bool
channel_room(struct session *s)
{
	uint32_t room = s->n_room == 0 ? 4 : 2 * s->n_room;
	struct jump_channel **more;

	if (s->n_channels < s->n_room)
		return true;
	if (s->n_channels >= JUMPD_CHANNELS_MAX)
		return false;
	more = reallocarray(s->channel, room, sizeof(*more));
	if (more == NULL)
		return false;
	s->channel = more;
	s->n_room = room;
	return true;
}

/* Accept a channel; target -1: for a shell.  Returns false after the session
 * was ended for lack of memory; the target is still the caller's then. */
static bool
add_channel(struct session *s, ssh_message message, int target,
    uint32_t number)
{
	ssh_channel ssh = ssh_message_channel_request_open_reply_accept(
	    message);
	struct jump_channel *c = ssh == NULL ? NULL :
	    jump_channel_new(ssh, target, number, s->now_ms);

	if (c == NULL) {
		session_end(s, END_MEMORY, NULL);
		return false;
	}
	s->channel[s->n_channels++] = c;
	s->active_ms = s->now_ms;
	return true;
}

static void
ask_open(struct session *s, ssh_message message)
{
	const char *host =
	    ssh_message_channel_request_open_destination(message);
	const char *from =
	    ssh_message_channel_request_open_originator(message);
	struct broker_msg msg = { .type = BROKER_OPEN };
	struct session_request *request;

	s->opens++;
	if (s->broker->gone || host == NULL || from == NULL) {
		refuse(s, message, DENY_FAULT);
		return;
	}
	if (strlen(host) > BROKER_MSG_HOST_MAX) {
		refuse(s, message, DENY_TARGET_SYNTAX);
		return;
	}
	request = session_keep(s, message);
	if (request == NULL)
		return;
	msg.u.open.request = request->number;
	msg.u.open.host.at = (const uint8_t *)host;
	msg.u.open.host.len = strlen(host);
	msg.u.open.port = (uint32_t)
	    ssh_message_channel_request_open_destination_port(message);
	msg.u.open.originator.at = (const uint8_t *)from;
	msg.u.open.originator.len = strnlen(from, BROKER_MSG_ORIGINATOR_MAX);
	msg.u.open.originator_port = (uint32_t)
	    ssh_message_channel_request_open_originator_port(message);
	broker_link_send(s->broker, &msg);
}

/* "[2001:db8::1]:22", printable: it goes to the client's terminal. */
static void
describe(ssh_message message, char out[WHERE_MAX])
{
	const char *host =
	    ssh_message_channel_request_open_destination(message);
	bool colon = strchr(host, ':') != NULL && host[0] != '[';

	snprintf(out, WHERE_MAX, "%s%.128s%s:%d", colon ? "[" : "", host,
	    colon ? "]" : "",
	    ssh_message_channel_request_open_destination_port(message));
	for (; *out != '\0'; out++)
		if (*out < ' ' || *out > '~')
			*out = '?';
}

/*
 * libssh sends no text with a refusal.  If the channel is what the connection
 * was made for, ending it tells the user why.
 */
static void
open_refused(struct session *s, const struct session_request *r,
    enum deny_reason reason)
{
	char where[WHERE_MAX], text[SESSION_TEXT_MAX];

	if (s->opens != 1 || s->n_channels != 0 || s->requests != NULL ||
	    r->asked_ms > s->phase_ms + PURPOSE_MS) {
		ssh_message_reply_default(r->message);
		return;
	}
	/* After a refusal it would be too late: ssh(1) ends at once. */
	describe(r->message, where);
	snprintf(text, sizeof(text), "refused: %s (%s)",
	    deny_reason_text(reason), where);
	session_end(s, END_REFUSED, text);
}

void
session_open_answered(struct session *s, const struct broker_msg *msg, int fd)
{
	struct session_request *r = session_take(s,
	    msg->u.open_answer.request);
	enum deny_reason reason = msg->u.open_answer.reason;

	if (r == NULL || r->message == NULL || s->phase != SESSION_READY ||
	    (reason == DENY_NONE) != (fd >= 0)) {
		session_end(s, END_FAULT, NULL);
	} else if (reason != DENY_NONE) {
		open_refused(s, r, reason);
	} else if (!channel_room(s)) {
		session_end(s, END_MEMORY, NULL);
	} else if (add_channel(s, r->message, fd,
	    msg->u.open_answer.channel)) {
		fd = -1;
	}
	if (fd >= 0)
		close(fd);
	if (r != NULL)
		ssh_message_free(r->message);
	free(r);
}

/* --- shells --------------------------------------------------------------- */

static uint32_t
shells(const struct session *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n_channels; i++)
		n += s->channel[i]->number == 0;
	return n;
}

static struct jump_channel *
find_channel(const struct session *s, ssh_channel ssh)
{
	for (uint32_t i = 0; i < s->n_channels; i++)
		if (s->channel[i]->ssh == ssh)
			return s->channel[i];
	return NULL;
}

/* What to type after ssh -J: where the client has come to, without the usual
 * port; an IPv6 address has to keep its brackets. */
static void
own_address(const struct session *s, char out[ENDPOINT_TEXT_MAX])
{
	endpoint_format(&s->local, out);
	if (s->local.port == 22)
		*strrchr(out, ':') = '\0';
}

static void
advise(struct session *s, struct jump_channel *c)
{
	char where[ENDPOINT_TEXT_MAX], text[SESSION_TEXT_MAX];
	int len;

	own_address(s, where);
	len = snprintf(text, sizeof(text), "\r\n"
	    "This is a jump host: it has no shells, commands or files.\r\n"
	    "To reach a machine behind it:\r\n\r\n"
	    "    ssh -J USER@%s USER@MACHINE\r\n\r\n"
	    "with the user name you have just used here as the first.\r\n",
	    where);
	ssh_channel_write_stderr(c->ssh, text, (uint32_t)len);
	ssh_channel_request_send_exit_status(c->ssh, 1);
	jump_channel_close(c, END_DONE);
	s->advised = true;
	session_turned_away(s, DENY_SESSION_REQUEST);
}

static void
take_channel_request(struct session *s, ssh_message message)
{
	struct jump_channel *c = find_channel(s,
	    ssh_message_channel_request_channel(message));
	bool shell = c != NULL && c->number == 0 && !c->closed;

	switch (ssh_message_subtype(message)) {
	case SSH_CHANNEL_REQUEST_SHELL:
	case SSH_CHANNEL_REQUEST_EXEC:
	case SSH_CHANNEL_REQUEST_SUBSYSTEM:
		if (!shell)
			break;
		ssh_message_channel_request_reply_success(message);
		advise(s, c);
		ssh_message_free(message);
		return;
	case SSH_CHANNEL_REQUEST_PTY:
		/* Else the client complains before it reads the text. */
		if (!shell)
			break;
		ssh_message_channel_request_reply_success(message);
		ssh_message_free(message);
		return;
	case SSH_CHANNEL_REQUEST_X11:
		session_turned_away(s, DENY_X11);
		break;
	default:
		break;
	}
	ssh_message_reply_default(message);
	ssh_message_free(message);
}

/* --- messages ------------------------------------------------------------- */

static void
take_open(struct session *s, ssh_message message)
{
	switch (ssh_message_subtype(message)) {
	case SSH_CHANNEL_DIRECT_TCPIP:
		ask_open(s, message);
		break;
	case SSH_CHANNEL_SESSION:
		if (shells(s) >= SESSION_SHELLS_MAX || !channel_room(s)) {
			refuse(s, message, DENY_SESSION_REQUEST);
			break;
		}
		add_channel(s, message, -1, 0);
		ssh_message_free(message);
		break;
	case SSH_CHANNEL_X11:
		refuse(s, message, DENY_X11);
		break;
	case SSH_CHANNEL_AUTH_AGENT:
		refuse(s, message, DENY_AGENT);
		break;
	default:
		refuse(s, message, DENY_OTHER_REQUEST);
		break;
	}
}

void
session_request_message(struct session *s, ssh_message message)
{
	switch (ssh_message_type(message)) {
	case SSH_REQUEST_CHANNEL_OPEN:
		take_open(s, message);
		break;
	case SSH_REQUEST_CHANNEL:
		take_channel_request(s, message);
		break;
	case SSH_REQUEST_GLOBAL:
		refuse(s, message, DENY_REMOTE_FORWARD);
		break;
	case SSH_REQUEST_AUTH:	/* RFC 4252 5.1: ignored after success */
		ssh_message_free(message);
		break;
	default:
		ssh_message_reply_default(message);
		ssh_message_free(message);
		break;
	}
}
