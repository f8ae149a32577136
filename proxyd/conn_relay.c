/* SPDX-License-Identifier: ISC */
/*
 * conn_relay.c - RELAY and DRAIN: both ways at once, then what is left of one.
 */
#include "proxyd/conn_phases.h"

#include <string.h>
#include <sys/epoll.h>

#include "common/sock.h"
#include "proxyd/http_watch.h"
#include "proxyd/relay.h"

enum { SETTLE_MS = 1000 };

void
conn_set_again(struct conn *c, bool again)
{
	struct worker *w = c->worker;
	bool was = c->again.next != NULL;

	if (again && !was) {
		deadline_set(&w->again, &c->again, 0);
		w->n_again++;
	} else if (!again && was) {
		deadline_clear(&c->again);
		w->n_again--;
	}
}

void
conn_settle(struct conn *c)
{
	const struct proxyd_settings *s = &c->worker->settings;
	const struct sock_keepalive ka = {
		.idle_s = s->keepalive_idle_ms / 1000,
		.interval_s = s->keepalive_interval_ms / 1000,
		.count = s->keepalive_count
	};

	if (c->settled)
		return;
	c->settled = true;
	/* These cannot fail; and what if: the connection works without. */
	sock_tune(side_fd(&c->vm), &ka);
	sock_keep_alive(side_fd(&c->client), true);
}

/*
 * Whose last octets wait here for a slow reader need not be alive any more:
 * to ask would be to lose them.
 */
static void
leave_ended_unprobed(struct conn *c)
{
	if (!c->settled)
		return;
	if (c->client.ending && !c->up.ended)
		side_leave_unprobed(&c->client);
	if (c->vm.ending && !c->down.ended)
		side_leave_unprobed(&c->vm);
}

/* The deadline of a relay, as its state and what the client is at demand. */
static void
renew_deadline(struct conn *c, bool moved)
{
	const struct proxyd_settings *s = &c->worker->settings;

	if (c->deadline_kind == DEADLINE_REMOVED)
		return;		/* nothing puts that off */
	if (c->http != NULL && c->http->in_head) {
		/* Like the first head: one deadline for the whole of it. */
		if (c->deadline_kind != DEADLINE_PEEK)
			conn_set_deadline(c, DEADLINE_PEEK, s->peek_ms);
	} else if (c->state == CONN_DRAIN) {
		if (moved || c->deadline_kind != DEADLINE_DRAIN)
			conn_set_deadline(c, DEADLINE_DRAIN, s->drain_ms);
	} else if (!c->settled && s->idle_ms >= 10 * SETTLE_MS) {
		if (c->deadline_kind != DEADLINE_SETTLE)
			conn_set_deadline(c, DEADLINE_SETTLE, SETTLE_MS);
	} else if (moved || c->deadline_kind != DEADLINE_IDLE) {
		conn_settle(c);
		conn_set_deadline(c, DEADLINE_IDLE, s->idle_ms);
	}
}

/*
 * A later request may not pass; those before it have been answered, or the
 * VM has ended.
 */
static void
turn_request_away(struct conn *c)
{
	const struct http_watch *h = c->http;

	c->head_method = h->head_method;
	if (c->vm.broken && !http_watch_answered(h))
		conn_finish(c, SAW_FINISHED, CLOSE_VM_RESET);
	else
		conn_finish(c, SAW_TURNED_AWAY, h->stopped);
}

void
conn_relay(struct conn *c)
{
	struct relay_turn turn = relay_turn(c);

	if (turn.no_memory)
		conn_finish(c, SAW_ABORTED, CLOSE_NO_MEMORY);
	else if (c->client.broken)
		conn_finish(c, SAW_ABORTED, CLOSE_CLIENT_RESET);
	else if (turn.turned_away)
		turn_request_away(c);
	else if (c->up.ended && c->down.ended)
		conn_finish(c, SAW_FINISHED,
		    c->vm.broken ? CLOSE_VM_RESET : CLOSE_DONE);
	else if (c->state == CONN_RELAY && (c->up.ended || c->down.ended))
		conn_step(c, SAW_HALF_CLOSED);
	else {
		renew_deadline(c, turn.moved);
		leave_ended_unprobed(c);
		conn_set_again(c, turn.again);
	}
}

void
conn_enter_relay(struct conn *c)
{
	struct worker *w = c->worker;
	struct opening *o = c->opening;
	uint32_t head_len;

	if (o->plan.track)
		target_health_succeeded(&w->shared->health, &c->target);
	head_len = conn_address_opening(c);
	if (head_len == 0) {
		conn_finish(c, SAW_ABORTED, CLOSE_NO_MEMORY);
		return;
	}
	/* What the client said first is the first unsent rest. */
	c->up.rest = o->bytes;
	c->up.rest_len = head_len;
	c->up.held_len = o->len - c->up.rest_len;
	c->up.judge_again = c->http != NULL;
	c->up.rest_room = o->room;
	w->rest_octets += o->room;
	o->bytes = NULL;
	opening_free(o);
	c->opening = NULL;
	renew_deadline(c, true);
	conn_mapping_changed(c);	/* it may have, during the dial */
	conn_relay(c);
}

void
conn_enter_drain(struct conn *c)
{
	renew_deadline(c, false);
	conn_set_again(c, true);	/* the turn that ended one side had more */
}

/* While the other side is slow this one is not read, and nothing else would
 * tell that it is gone. */
static void
look_for_reset(const struct flow *f, struct side *src, uint32_t events)
{
	if ((events & EPOLLERR) && (f->rest != NULL || f->in_pipe > 0))
		src->broken = true;
}

void
conn_relay_saw_client(struct conn *c, uint32_t events)
{
	look_for_reset(&c->up, &c->client, events);
	conn_relay(c);
}

void
conn_relay_saw_vm(struct conn *c, uint32_t events)
{
	look_for_reset(&c->down, &c->vm, events);
	conn_relay(c);
}

void
conn_relay_lasts(struct conn *c)
{
	conn_settle(c);
	leave_ended_unprobed(c);
	renew_deadline(c, true);
}

void
conn_mapping_changed(struct conn *c)
{
	const struct worker *w = c->worker;
	bool gone = w->settings.reload_closes_removed && c->name != NULL &&
	    !w->settings.has_default_target &&
	    (c->state == CONN_RELAY || c->state == CONN_DRAIN) &&
	    mapping_find(&w->mapping, c->service, c->name,
		strlen(c->name)) == NULL;

	if (gone && c->deadline_kind != DEADLINE_REMOVED) {
		conn_set_deadline(c, DEADLINE_REMOVED,
		    w->settings.removed_ms);
	} else if (!gone && c->deadline_kind == DEADLINE_REMOVED) {
		/* Back again in time. */
		c->deadline_kind = DEADLINE_CONNECT;
		renew_deadline(c, true);
	}
}

void
conn_relay_again(struct conn *c)
{
	conn_set_again(c, false);
	conn_relay(c);
}
