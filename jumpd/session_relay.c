/* SPDX-License-Identifier: ISC */
/*
 * session_relay.c - the channels of a session: their bytes, and their ends.
 */
#include "jumpd/session.h"

#include <libssh/libssh.h>

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

void
session_free_channels(struct session *s)
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

size_t
session_held(const struct session *s)
{
	size_t sum = 0;

	for (uint32_t i = 0; i < s->n_channels; i++)
		sum += jump_channel_held(s->channel[i]);
	return sum;
}

bool
session_writable(const struct session *s)
{
	return s->phase == SESSION_READY && s->end == END_NONE &&
	    !(ssh_get_status(s->ssh) & SSH_WRITE_PENDING);
}

/* Those that both sides have closed.  A message that names one may still
 * wait, so all are taken before any is freed. */
static void
sweep(struct session *s)
{
	uint32_t i, left = 0, over = 0;

	for (i = 0; i < s->n_channels; i++)
		over += jump_channel_is_over(s->channel[i]);
	if (over == 0 || !session_may_read(s))
		return;
	session_run_messages(s);
	if (s->end != END_NONE || !session_may_read(s))
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
	session_sent(s);
	for (i = 0; i < count && s->end == END_NONE; i++) {
		at = (s->turn + i) % count;
		relay_one(s, s->channel[at], at < n ? revents[at] : 0,
		    buffer);
	}
	if (session_check(s))
		return;
	if (session_held(s) > SESSION_HELD_MAX)
		session_end(s, END_MEMORY, NULL);
	else
		sweep(s);
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
