/* SPDX-License-Identifier: ISC */
/*
 * session_login.c - every attempt to log in is put to the broker, one at a
 * time; nothing more is read until it has answered.
 */
#define SSH_SUPPRESS_DEPRECATED	/* queue mode has no other names for them */
#include "jumpd/session.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"

/*
 * libssh leaves a request unanswered that it cannot parse (an unknown kind of
 * key) or whose signature is wrong, and the user waits for nothing.  Its log
 * tells of every request; those without a message need an answer from us.
 */
static void
on_libssh_log(int priority, const char *function, const char *text, void *arg)
{
	static const char request[] = "handler for packet type 50";
	static const char gssapi[] = ", method gssapi-with-mic ";
	struct session *s = arg;
	size_t len = strlen(text);

	(void)priority, (void)function;
	if (len >= sizeof(request) - 1 && strcmp(text + len -
	    (sizeof(request) - 1), request) == 0)
		s->attempts_seen++;
	/* That one it answers itself, after trying to load Kerberos. */
	else if (strstr(text, gssapi) != NULL)
		s->gssapi = true;
}

void
session_login_begins(struct session *s)
{
	ssh_set_log_callback(on_libssh_log);
	ssh_set_log_userdata(s);
	ssh_set_log_level(SSH_LOG_PACKET);
}

static void
login_ends(struct session *s)
{
	ssh_set_log_level(SSH_LOG_NOLOG);
	ssh_message_free(s->refusal);
	s->refusal = NULL;
	session_phase(s, SESSION_READY);
	s->active_ms = s->now_ms;
}

static void
send_banner(struct session *s)
{
	const struct jumpd_settings *settings = s->settings;
	ssh_string banner;

	if (settings->banner_len == 0)
		return;
	banner = ssh_string_new(settings->banner_len);
	if (banner == NULL)
		return;
	if (ssh_string_fill(banner, settings->banner,
	    settings->banner_len) == 0)
		ssh_send_issue_banner(s->ssh, banner);
	ssh_string_free(banner);
}

static void
take_service(struct session *s, ssh_message message)
{
	const char *service = ssh_message_service_service(message);

	if (service != NULL && strcmp(service, "ssh-userauth") == 0) {
		ssh_message_service_reply_success(message);
		send_banner(s);
	} else {
		session_end(s, END_PROTOCOL, "there is no such service here");
	}
	ssh_message_free(message);
}

/* The key's octets as they were on the wire, owned by the caller; NULL: there
 * are none, or too many. */
static uint8_t *
export_key(ssh_message message, size_t *ret_len)
{
	ssh_key key = ssh_message_auth_pubkey(message);
	char *text = NULL;
	uint8_t *blob = NULL;
	size_t len;

	if (key == NULL || ssh_pki_export_pubkey_base64(key, &text) != SSH_OK)
		return NULL;
	len = strlen(text);
	if (len / 4 * 3 <= KEY_CERT_MAX)
		blob = malloc(len / 4 * 3 + 3);
	if (blob != NULL && !base64_decode(text, len, blob, len / 4 * 3 + 3,
	    ret_len)) {
		free(blob);
		blob = NULL;
	}
	ssh_string_free_char(text);
	return blob;
}

static enum broker_login
how_of(ssh_message message)
{
	switch (ssh_message_subtype(message)) {
	case SSH_AUTH_METHOD_NONE:
		return BROKER_LOGIN_NONE;
	case SSH_AUTH_METHOD_PUBLICKEY:
		break;
	default:
		return BROKER_LOGIN_FAILED;
	}
	switch ((int)ssh_message_auth_publickey_state(message)) {
	case SSH_PUBLICKEY_STATE_NONE:
		return BROKER_LOGIN_PROBE;
	case SSH_PUBLICKEY_STATE_VALID:
		return BROKER_LOGIN_SIGNED;
	default:
		return BROKER_LOGIN_FAILED;
	}
}

/* Takes the message over; NULL: one that libssh did not parse. */
static void
ask(struct session *s, ssh_message message)
{
	const char *user = ssh_message_auth_user(message);
	struct broker_msg msg = { .type = BROKER_LOGIN,
		.u.login = { .how = BROKER_LOGIN_FAILED } };
	struct session_request *request = session_keep(s, message);
	uint8_t *blob = NULL;
	size_t len = 0;

	if (request == NULL)
		return;
	if (message != NULL)
		msg.u.login.how = how_of(message);
	if (msg.u.login.how == BROKER_LOGIN_PROBE ||
	    msg.u.login.how == BROKER_LOGIN_SIGNED) {
		blob = export_key(message, &len);
		if (blob == NULL)
			msg.u.login.how = BROKER_LOGIN_FAILED;
	}
	if (user == NULL)
		user = "";
	if (strlen(user) > BROKER_MSG_USER_MAX)
		msg.u.login.how = BROKER_LOGIN_FAILED;
	msg.u.login.request = request->number;
	msg.u.login.user.at = (const uint8_t *)user;
	msg.u.login.user.len = strnlen(user, BROKER_MSG_USER_MAX);
	msg.u.login.blob.at = blob;
	msg.u.login.blob.len = msg.u.login.how == BROKER_LOGIN_FAILED ? 0 :
									len;
	broker_link_send(s->broker, &msg);
	free(blob);
}

void
session_login_message(struct session *s, ssh_message message)
{
	switch (ssh_message_type(message)) {
	case SSH_REQUEST_SERVICE:
		take_service(s, message);
		break;
	case SSH_REQUEST_AUTH:
		if (!ssh_message_auth_kbdint_is_response(message))
			s->attempts_answered++;
		ask(s, message);
		break;
	default:
		ssh_message_reply_default(message);
		ssh_message_free(message);
		break;
	}
}

void
session_login_unanswered(struct session *s)
{
	if (s->gssapi)
		session_end(s, END_PROTOCOL, "this method is not offered");
	if (s->requests != NULL || s->end != END_NONE ||
	    s->attempts_seen <= s->attempts_answered)
		return;
	s->attempts_answered++;
	/* Failure can only be sent in answer to some message. */
	if (s->refusal == NULL)
		session_end(s, END_PROTOCOL, "malformed authentication "
		    "request");
	else
		ask(s, NULL);
}

static void
accepted(struct session *s, ssh_message message)
{
	if (how_of(message) == BROKER_LOGIN_PROBE) {
		ssh_message_auth_reply_pk_ok_simple(message);
	} else {
		ssh_message_auth_reply_success(message, 0);
		login_ends(s);
	}
}

void
session_login_answered(struct session *s, const struct broker_msg *msg)
{
	struct session_request *r = session_take(s,
	    msg->u.login_answer.request);
	ssh_message message;

	if (r == NULL || s->phase != SESSION_LOGIN) {
		session_end(s, END_FAULT, NULL);
		return;
	}
	message = r->message;
	free(r);
	if (msg->u.login_answer.accepted && message != NULL) {
		accepted(s, message);
	} else if (msg->u.login_answer.last) {
		session_end(s, END_ATTEMPTS, NULL);
	} else {
		ssh_message_reply_default(message == NULL ? s->refusal :
		    message);
	}
	if (s->refusal == NULL && message != NULL &&
	    s->phase == SESSION_LOGIN)
		s->refusal = message;
	else
		ssh_message_free(message);
}
