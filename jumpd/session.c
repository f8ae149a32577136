/* SPDX-License-Identifier: ISC */
#include "jumpd/session.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	LIBSSH_READ = 4096,	/* what libssh reads at once */
	READS_MAX = 16,		/* of them in one turn */
	REKEY_SECONDS = 3600	/* RFC 4253 9 */
};

/* --- requests ------------------------------------------------------------- */

struct session_request *
session_keep(struct session *s, ssh_message message)
{
	struct session_request *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		session_end(s, END_MEMORY, NULL);
		ssh_message_free(message);
		return NULL;
	}
	r->number = s->next_request++;
	r->message = message;
	r->asked_ms = s->now_ms;
	r->next = s->requests;
	s->requests = r;
	s->n_requests++;
	return r;
}

struct session_request *
session_take(struct session *s, uint32_t number)
{
	struct session_request **at = &s->requests, *r;

	while ((r = *at) != NULL && r->number != number)
		at = &r->next;
	if (r != NULL) {
		*at = r->next;
		s->n_requests--;
	}
	return r;
}

/* --- the end -------------------------------------------------------------- */

void
session_phase(struct session *s, enum session_phase phase)
{
	s->phase = phase;
	s->phase_ms = s->now_ms;
}

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

static void
tell_closed(struct session *s, struct jump_channel *c)
{
	const struct broker_msg msg = { .type = BROKER_CLOSED, .u.closed = {
		.channel = c->number, .reason = c->end,
		.up_octets = c->up_octets, .down_octets = c->down_octets } };

	if (c->told || c->number == 0)
		return;
	c->told = true;
	broker_link_send(s->broker, &msg);
}

void
session_close_channel(struct session *s, struct jump_channel *c,
    enum end_reason reason)
{
	jump_channel_close(c, reason);
	tell_closed(s, c);
}

static void
free_channels(struct session *s)
{
	for (uint32_t i = 0; i < s->n_channels; i++) {
		struct jump_channel *c = s->channel[i];

		if (!c->closed)
			c->end = END_SESSION_ENDED;
		tell_closed(s, c);
		s->moved += c->up_octets + c->down_octets;
		jump_channel_free(c);
	}
	s->n_channels = 0;
}

static void
free_requests(struct session *s)
{
	struct session_request *r;

	while ((r = s->requests) != NULL) {
		s->requests = r->next;
		ssh_message_free(r->message);
		free(r);
	}
	s->n_requests = 0;
	ssh_message_free(s->refusal);
	s->refusal = NULL;
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
	free_channels(s);
	free_requests(s);
	broker_link_send(s->broker, &ending);
	if (!dead && s->phase != SESSION_HELLO)
		part(s);
	session_phase(s, dead ? SESSION_OVER : SESSION_PARTING);
}

/* --- reading -------------------------------------------------------------- */

static size_t
held(const struct session *s)
{
	size_t sum = 0;

	for (uint32_t i = 0; i < s->n_channels; i++)
		sum += jump_channel_held(s->channel[i]);
	return sum;
}

/* Is there room for what the client may send? */
static bool
may_read(const struct session *s)
{
	if (s->phase == SESSION_LOGIN)
		return s->requests == NULL;
	return s->phase == SESSION_HELLO ||
	    (s->phase == SESSION_READY && s->broker->first == NULL &&
	    s->n_requests < s->settings->broker.pending_per_session +
	    SESSION_REQUESTS_MORE && held(s) <= SESSION_HELD_MUCH);
}

bool
session_writable(const struct session *s)
{
	return s->phase == SESSION_READY && s->end == END_NONE &&
	    !(ssh_get_status(s->ssh) & SSH_WRITE_PENDING);
}

short
session_wants(const struct session *s)
{
	short wanted = 0;

	if (s->phase == SESSION_PARTING)
		return POLLIN;
	if (s->phase == SESSION_OVER)
		return 0;
	if (may_read(s))
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
	    s->phase > SESSION_HELLO && s->end == END_NONE && may_read(s);
}

static void
take_message(struct session *s, ssh_message message)
{
	if (s->phase == SESSION_LOGIN)
		session_login_message(s, message);
	else
		session_request_message(s, message);
}

/* Messages that have come, and those that come while we look. */
static void
run_messages(struct session *s)
{
	const uint64_t *in = &s->counters[SESSION_RAW].in_bytes;
	uint64_t before;
	ssh_message message;
	unsigned reads = 0;

	while (reads < READS_MAX && may_read(s)) {
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
	if (s->phase == SESSION_HELLO)
		session_hello_run(s);
	if (s->end == END_NONE && s->phase != SESSION_HELLO)
		run_messages(s);
	/* Where nothing may be read, what waits must still go out. */
	if (s->end == END_NONE && (revents & POLLOUT) && !may_read(s)) {
		ssh_blocking_flush(s->ssh, 0);
		session_check(s);
	}
}

/* --- channels --------------------------------------------------------------- */

/* Those that both sides have closed.  A message that names one may still
 * wait, so all are taken before any is freed. */
static void
sweep(struct session *s)
{
	uint32_t i, left = 0, over = 0;

	for (i = 0; i < s->n_channels; i++)
		over += jump_channel_is_over(s->channel[i]);
	if (over == 0 || !may_read(s))
		return;
	run_messages(s);
	if (s->end != END_NONE || !may_read(s))
		return;
	for (i = 0; i < s->n_channels; i++) {
		struct jump_channel *c = s->channel[i];

		if (!jump_channel_is_over(c)) {
			s->channel[left++] = c;
			continue;
		}
		s->moved += c->up_octets + c->down_octets;
		jump_channel_free(c);
	}
	s->n_channels = left;
}

static void
relay_one(struct session *s, struct jump_channel *c, short revents,
    uint8_t *buffer)
{
	jump_channel_run(c, revents, session_writable(s), buffer, s->now_ms);
	if (c->last_ms == s->now_ms)
		s->active_ms = s->now_ms;
	if (c->end == END_WINDOW_IGNORED)
		session_end(s, END_WINDOW_IGNORED, NULL);
	if (c->closed)
		tell_closed(s, c);
}

void
session_relay(struct session *s, const short *revents, size_t n,
    uint8_t *buffer)
{
	uint32_t i, at, count = s->n_channels;

	if (s->phase != SESSION_READY || count == 0)
		return;
	s->turn++;
	for (i = 0; i < count && s->end == END_NONE; i++) {
		at = (s->turn + i) % count;
		relay_one(s, s->channel[at], at < n ? revents[at] : 0,
		    buffer);
	}
	if (session_check(s))
		return;
	if (held(s) > SESSION_HELD_MAX)
		session_end(s, END_MEMORY, NULL);
	else
		sweep(s);
}

/* --- life ------------------------------------------------------------------- */

static bool
set_options(struct session *s)
{
	uint32_t seconds = REKEY_SECONDS;
	uint64_t octets = s->settings->rekey_octets;
	bool no = false;

	return ssh_options_set(s->ssh, SSH_OPTIONS_PROCESS_CONFIG,
	    &no) == SSH_OK &&
	    ssh_options_set(s->ssh, SSH_OPTIONS_COMPRESSION, "none") ==
	    SSH_OK &&
	    ssh_options_set(s->ssh, SSH_OPTIONS_REKEY_TIME, &seconds) ==
	    SSH_OK && (octets == 0 || ssh_options_set(s->ssh,
	    SSH_OPTIONS_REKEY_DATA, &octets) == SSH_OK);
}

bool
session_open(struct session *s, const struct session_start *start)
{
	memset(s, 0, sizeof(*s));
	s->settings = start->settings;
	s->broker = start->broker;
	s->client = start->client;
	s->local = start->local;
	s->next_request = 1;
	s->fd = fcntl(start->fd, F_DUPFD_CLOEXEC, 3);
	s->ssh = ssh_new();
	s->counters = calloc(2, sizeof(*s->counters));
	if (s->fd < 0 || s->ssh == NULL || s->counters == NULL)
		return false;
	ssh_set_blocking(s->ssh, 0);
	ssh_set_counters(s->ssh, &s->counters[SESSION_RAW], &s->counters[SESSION_PACKETS]);
	ssh_set_auth_methods(s->ssh, SSH_AUTH_METHOD_PUBLICKEY);
	return set_options(s) &&
	    host_keys_accept(start->keys, s->ssh, start->fd);
}

void
session_close(struct session *s)
{
	free_channels(s);
	free_requests(s);
	free(s->channel);
	ssh_free(s->ssh);
	free(s->counters);
	if (s->fd >= 0)
		close(s->fd);
}

uint32_t
session_live(const struct session *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n_channels; i++)
		n += s->channel[i]->number != 0 && !s->channel[i]->closed;
	return n;
}

uint64_t
session_moved(const struct session *s)
{
	uint64_t sum = s->moved;

	for (uint32_t i = 0; i < s->n_channels; i++)
		sum += s->channel[i]->up_octets + s->channel[i]->down_octets;
	return sum;
}
