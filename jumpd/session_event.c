/* SPDX-License-Identifier: ISC */
/*
 * session_event.c - what time and the broker bring to a session.
 */
#include "jumpd/session.h"

#include <libssh/libssh.h>
#include <libssh/server.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum { PARTING_MS = 2000 };	/* for the client to read DISCONNECT */

/* --- the broker ----------------------------------------------------------- */

static void
close_one(struct session *s, uint32_t number, enum end_reason reason)
{
	for (uint32_t i = 0; i < s->n_channels; i++)
		if (s->channel[i]->number == number && number != 0)
			session_close_channel(s, s->channel[i], reason);
}

void
session_answered(struct session *s, const struct broker_msg *msg, int fd)
{
	switch ((int)msg->type) {
	case BROKER_OPEN_ANSWER:
		session_open_answered(s, msg, fd);
		return;
	case BROKER_LOGIN_ANSWER:
		session_login_answered(s, msg);
		break;
	case BROKER_CLOSE_CHANNEL:
		close_one(s, msg->u.close_channel.channel,
		    msg->u.close_channel.reason);
		break;
	case BROKER_END_SESSION:
		session_end(s, msg->u.ending.reason, NULL);
		break;
	default:	/* broker_msg_decode lets no other through */
		break;
	}
	if (fd >= 0)
		close(fd);
}

void
session_broker_gone(struct session *s)
{
	struct session_request *r;

	if (s->phase == SESSION_READY)
		while ((r = session_take(s, s->requests == NULL ? 0 :
			s->requests->number)) != NULL) {
			ssh_message_reply_default(r->message);
			ssh_message_free(r->message);
			free(r);
		}
	if (session_live(s) == 0)
		session_end(s, END_BROKER_GONE, NULL);
}

/* --- time ----------------------------------------------------------------- */

/* Milliseconds from now until `at_ms`, at least 0. */
static int
until(const struct session *s, uint64_t at_ms)
{
	if (at_ms <= s->now_ms)
		return 0;
	return at_ms - s->now_ms > INT_MAX ? INT_MAX :
	    (int)(at_ms - s->now_ms);
}

static int
sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* libssh keeps one request open at a time: if the last one was answered
 * meanwhile, the first call only takes note of it. */
static void
keepalive(struct session *s)
{
	const uint64_t *sent = &s->counters[SESSION_PACKETS].out_packets;
	uint64_t before = *sent;

	ssh_send_keepalive(s->ssh);
	if (*sent == before)
		ssh_send_keepalive(s->ssh);
	s->asked_ms = s->now_ms;
}

static int
tick_alive(struct session *s)
{
	uint64_t every = s->settings->client_alive_ms, last;

	if (every == 0)
		return -1;
	if (s->now_ms >= s->heard_ms +
	    every * (1 + s->settings->client_alive_count)) {
		session_end(s, END_CLIENT_GONE, NULL);
		return -1;
	}
	last = s->asked_ms > s->heard_ms ? s->asked_ms : s->heard_ms;
	if (s->now_ms >= last + every) {
		keepalive(s);
		last = s->now_ms;
	}
	return until(s, last + every);
}

static int
tick_session(struct session *s)
{
	const struct jumpd_settings *settings = s->settings;
	int next = -1;

	if (settings->session_ms != 0) {
		next = until(s, s->phase_ms + settings->session_ms);
		if (next == 0)
			session_end(s, END_SESSION_TIME, NULL);
	}
	if (settings->session_idle_ms != 0 && session_live(s) == 0 &&
	    s->requests == NULL) {
		next = sooner(next, until(s, s->active_ms +
		    settings->session_idle_ms));
		if (s->now_ms >= s->active_ms + settings->session_idle_ms)
			session_end(s, END_SESSION_IDLE, NULL);
	}
	return next;
}

static int
tick_channels(struct session *s)
{
	uint64_t idle = s->settings->channel_idle_ms;
	int next = -1;

	for (uint32_t i = 0; idle != 0 && i < s->n_channels; i++) {
		struct jump_channel *c = s->channel[i];

		if (c->number == 0 || c->closed)
			continue;
		if (s->now_ms >= c->last_ms + idle)
			session_close_channel(s, c, END_CHANNEL_IDLE);
		else
			next = sooner(next, until(s, c->last_ms + idle));
	}
	return next;
}

int
session_tick(struct session *s)
{
	int next = -1;

	session_heard(s);
	if (s->phase == SESSION_PARTING) {
		if (s->now_ms >= s->phase_ms + PARTING_MS)
			session_phase(s, SESSION_OVER);
		return until(s, s->phase_ms + PARTING_MS);
	}
	if (s->end == END_NONE && s->broker->gone)
		session_broker_gone(s);
	if (s->draining && session_live(s) == 0 && (s->requests == NULL ||
	    s->phase == SESSION_LOGIN))
		session_end(s, END_SHUTDOWN, NULL);
	if (s->phase != SESSION_READY || s->end != END_NONE)
		return -1;
	next = sooner(next, tick_alive(s));
	next = sooner(next, tick_session(s));
	return sooner(next, tick_channels(s));
}
