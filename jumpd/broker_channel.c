/* SPDX-License-Identifier: ISC */
/*
 * broker_channel.c - what is connected: the child has the descriptor, we have
 * a line to write when it ends.
 */
#include <stdlib.h>

#include "common/sock.h"
#include "jumpd/broker_state.h"

static void
link_channel(struct broker_session *s, struct broker_channel *c)
{
	c->next = s->channels;
	if (c->next != NULL)
		c->next->prev = c;
	s->channels = c;
	s->broker->n_channels++;
}

void
broker_channels_settle(struct broker_session *s)
{
	if (s->n_unsettled == 0 || !sock_all_read(s->fd))
		return;
	for (; s->n_unsettled > 0; s->n_unsettled--)
		scan_guard_close(&s->scan);
}

static void
unlink_channel(struct broker_session *s, struct broker_channel *c)
{
	struct broker *b = s->broker;

	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->channels = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	b->n_channels--;
	counter_set(&b->stats->value[JUMPD_STAT_CHANNELS], b->n_channels);
	s->n_unsettled++;
	broker_channels_settle(s);
	free(c);
}

bool
broker_channel_hand_over(struct broker_open *o)
{
	struct broker_session *s = o->session;
	struct broker *b = s->broker;
	struct broker_msg m = { .type = BROKER_OPEN_ANSWER };
	struct broker_channel *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		broker_session_gone(s);
		return false;
	}
	/* 0 is no channel. */
	c->id = ++s->last_channel != 0 ? s->last_channel : ++s->last_channel;
	c->asked = o->asked;
	c->to = o->to;
	c->connected_ms = b->now_ms;
	c->open_ms = (uint32_t)(b->now_ms - o->began_ms);
	m.u.open_answer.request = o->request;
	m.u.open_answer.channel = c->id;
	if (!broker_send(s, &m, o->fd)) {
		free(c);
		return false;
	}
	link_channel(s, c);
	s->n_connected++;
	counter_add(&b->stats->value[JUMPD_STAT_CONNECTED], 1);
	counter_set(&b->stats->value[JUMPD_STAT_CHANNELS], b->n_channels);
	return true;
}

static struct broker_channel *
find(const struct broker_session *s, uint32_t id)
{
	struct broker_channel *c = s->channels;

	while (c != NULL && c->id != id)
		c = c->next;
	return c;
}

void
broker_channel_closed(struct broker_session *s, const struct broker_msg *m)
{
	struct broker_channel *c = find(s, m->u.closed.channel);
	uint64_t up = m->u.closed.up_octets, down = m->u.closed.down_octets;
	struct broker *b = s->broker;
	enum end_reason reason = m->u.closed.reason;

	if (c == NULL)
		return;
	if (c->told != END_NONE)
		reason = c->told;
	s->up_octets += up;
	s->down_octets += down;
	counter_add(&b->stats->value[JUMPD_STAT_UP_OCTETS], up);
	counter_add(&b->stats->value[JUMPD_STAT_DOWN_OCTETS], down);
	counter_add(&b->stats->ended[reason], 1);
	broker_log_channel(s, c, reason, true, up, down);
	unlink_channel(s, c);
}

void
broker_channel_drop(struct broker_session *s, struct broker_channel *c,
    enum end_reason reason)
{
	if (c->told != END_NONE)
		reason = c->told;
	counter_add(&s->broker->stats->ended[reason], 1);
	broker_log_channel(s, c, reason, false, 0, 0);
	unlink_channel(s, c);
}

static bool
still_allowed(const struct broker_session *s, const struct broker_channel *c)
{
	return broker_egress(s, &c->to) == DENY_NONE &&
	    permit_check(s->principal.permit, &c->asked, &c->to.addr);
}

void
broker_channels_again(struct broker_session *s)
{
	struct broker_msg m = { .type = BROKER_CLOSE_CHANNEL };
	struct broker_channel *c;

	m.u.close_channel.reason = END_RELOAD_DENIED;
	for (c = s->channels; c != NULL; c = c->next) {
		if (c->told != END_NONE || still_allowed(s, c))
			continue;
		c->told = END_RELOAD_DENIED;
		m.u.close_channel.channel = c->id;
		if (!broker_send(s, &m, -1))
			return;		/* and with it all channels */
	}
}
