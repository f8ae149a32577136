/* SPDX-License-Identifier: ISC */
#include "proxyd/conn_phases.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/container_of.h"
#include "common/dial.h"
#include "common/sock.h"
#include "proxyd/conn_log.h"
#include "proxyd/http_watch.h"
#include "proxyd/refusal.h"
#include "proxyd/relay.h"

enum {
	LINGER_MAX_MS = 5000,	/* for a refusal to be read */
	SETTLE_MS = 1000
};

struct conn *
conn_of_deadline(struct deadline *d)
{
	return CONTAINER_OF(struct conn, deadline, d);
}

struct conn *
conn_of_again(struct deadline *d)
{
	return CONTAINER_OF(struct conn, again, d);
}

void
conn_set_deadline(struct conn *c, enum deadline_kind kind, uint32_t in_ms)
{
	struct worker *w = c->worker;

	c->deadline_kind = kind;
	deadline_set(&w->deadlines[kind], &c->deadline, w->now_ms + in_ms);
}

static void
set_again(struct conn *c, bool again)
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

/* --- the end ---------------------------------------------------------- */

static void
conn_close(struct conn *c)
{
	struct worker *w = c->worker;

	assert(c->reason != CLOSE_NONE);
	if (w->settings.log_connections)
		conn_log(c, w->now_ms);
	stat_add(&w->stats->closed[c->reason], 1);
	stat_add(&w->stats->value[STAT_UP_OCTETS], c->up.octets);
	stat_add(&w->stats->value[STAT_DOWN_OCTETS], c->down.octets);
	deadline_clear(&c->deadline);
	set_again(c, false);
	relay_flow_fini(w, &c->up);
	relay_flow_fini(w, &c->down);
	side_close(&c->client, &w->loop, c->reason == CLOSE_VM_RESET);
	side_close(&c->vm, &w->loop, c->reason == CLOSE_CLIENT_RESET);
	opening_free(c->opening);
	http_watch_free(c->http);
	admission_name_leave(&w->admission, w->slot, &c->ticket);
	admission_client_leave(&w->admission, w->slot, &c->ticket);
	free(c->name);
	free(c);
	worker_conn_closed(w);
}

/* --- what each state begins with -------------------------------------- */

void
conn_finish(struct conn *c, enum conn_event event, enum close_reason reason)
{
	c->reason = reason;
	conn_step(c, event);
}

/* Read on, and drop it, until the client has closed too. */
static void
linger(struct conn *c)
{
	struct worker *w = c->worker;
	int fd = side_fd(&c->client), turns;
	ssize_t n = 1;

	for (turns = 0; turns < 16 && n > 0; turns++)
		n = recv(fd, w->buffer, WORKER_BUFFER_OCTETS, MSG_TRUNC);
	if (n >= 0 || (errno != EAGAIN && errno != EINTR))
		conn_step(c, SAW_FINISHED);	/* or it sends too much */
}

static void
let_go_of_vm(struct conn *c)
{
	struct worker *w = c->worker;

	opening_free(c->opening);
	c->opening = NULL;
	relay_flow_fini(w, &c->up);
	relay_flow_fini(w, &c->down);
	side_close(&c->vm, &w->loop, false);
	set_again(c, false);
}

/* Returns the length of what to say; 0 behind what the VM itself ended. */
static size_t
refusal_text(const struct conn *c, char text[REFUSAL_MAX])
{
	const char *name = c->http != NULL && c->http->refused_name != NULL ?
	    c->http->refused_name :
	    c->name;

	if (c->down.ended)
		return 0;
	if (c->service == SERVICE_HTTP)
		return refusal_http(c->reason, name != NULL ? name : "",
		    c->head_method, text);
	return refusal_tls(c->reason, c->alert, text);
}

static void
enter_refuse(struct conn *c)
{
	uint32_t linger_ms = c->worker->settings.drain_ms;
	int fd = side_fd(&c->client);
	char text[REFUSAL_MAX];
	size_t len = refusal_text(c, text);

	let_go_of_vm(c);
	if (len == 0 && c->down.octets == 0) {
		conn_step(c, SAW_FINISHED);
		return;
	}
	/* Closing with bytes unread would reset the connection and take the
	 * refusal, and answers before it, away from their reader. */
	if (len > 0)
		(void)!send(fd, text, len, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	conn_set_deadline(c, DEADLINE_LINGER,
	    linger_ms < LINGER_MAX_MS ? linger_ms : LINGER_MAX_MS);
	linger(c);
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

static void
relay(struct conn *c)
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
		set_again(c, turn.again);
	}
}

static void
enter_relay(struct conn *c)
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
	relay(c);
}

static void
enter_drain(struct conn *c)
{
	renew_deadline(c, false);
	set_again(c, true);	/* the turn that ended one side had more */
}

static void
enter_peek(struct conn *c)
{
	conn_set_deadline(c, DEADLINE_PEEK, c->worker->settings.peek_ms);
}

void	/* the only writer of conn->state but for conn_open */
conn_step(struct conn *c, enum conn_event event)
{
	static void (*const enter[N_CONN_STATES])(struct conn *) = {
		[CONN_PEEK] = enter_peek,
		[CONN_DIAL] = conn_enter_dial,
		[CONN_RELAY] = enter_relay,
		[CONN_DRAIN] = enter_drain,
		[CONN_REFUSE] = enter_refuse,
		[CONN_CLOSED] = conn_close,
	};

	enum conn_state before = c->state;
	uint32_t lasted_ms = (uint32_t)(c->worker->now_ms - c->accepted_ms);

	c->state = conn_next(before, event);
	if (before == CONN_PEEK)
		c->peek_ms = lasted_ms;
	else if (before == CONN_DIAL)
		c->dial_ms = lasted_ms - c->peek_ms;
	enter[c->state](c);
}

/* --- what happens ------------------------------------------------------- */

/* While the other side is slow this one is not read, and nothing else would
 * tell that it is gone. */
static void
look_for_reset(const struct flow *f, struct side *src, uint32_t events)
{
	if ((events & EPOLLERR) && (f->rest != NULL || f->in_pipe > 0))
		src->broken = true;
}

static void
on_client_event(struct loop_watch *watch, uint32_t events)
{
	struct conn *c = CONTAINER_OF(struct conn, client.watch, watch);

	side_saw(&c->client, events);
	switch (c->state) {
	case CONN_PEEK:
		if (c->client.readable)
			conn_read_opening(c);
		break;
	case CONN_RELAY:
	case CONN_DRAIN:
		look_for_reset(&c->up, &c->client, events);
		relay(c);
		break;
	case CONN_REFUSE:
		linger(c);
		break;
	case CONN_DIAL:		/* read once the VM is there */
	case CONN_CLOSED:
	case N_CONN_STATES:
		break;
	}
}

static void
on_dial_event(struct conn *c, uint32_t events)
{
	enum close_reason reason = CLOSE_NONE;

	if (events & (EPOLLERR | EPOLLHUP))
		reason = conn_dial_reason(dial_result(side_fd(&c->vm)));
	if (reason != CLOSE_NONE)
		conn_dial_failed(c, reason);
	else if (events & EPOLLOUT)
		conn_step(c, SAW_CONNECTED);
}

void
conn_on_vm_event(struct loop_watch *watch, uint32_t events)
{
	struct conn *c = CONTAINER_OF(struct conn, vm.watch, watch);

	side_saw(&c->vm, events);
	if (c->state == CONN_DIAL) {
		on_dial_event(c, events);
	} else if (c->state == CONN_RELAY || c->state == CONN_DRAIN) {
		look_for_reset(&c->down, &c->vm, events);
		relay(c);
	}
}

char *
conn_id(const struct conn *c, char out[CONN_ID_OCTETS + 1])
{
	snprintf(out, CONN_ID_OCTETS + 1, "%016llx%08x",
	    (unsigned long long)c->worker->unique, c->number);
	return out;
}

/* Where the client connected to: a listener may be on every address. */
static struct endpoint
local_end(int fd, const struct endpoint *listener)
{
	static const struct addr any6, any4 = { .octet = { [10] = 0xff,
						    [11] = 0xff } };
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if ((!addr_equal(&listener->addr, &any6) &&
		!addr_equal(&listener->addr, &any4)) ||
	    getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return *listener;
	return sock_endpoint(&ss);
}

void
conn_open(struct worker *w, int fd, const struct endpoint *peer,
    const struct worker_listener *at, const struct admission_ticket *ticket,
    bool from_proxy)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		struct admission_ticket taken = *ticket;

		admission_client_leave(&w->admission, w->slot, &taken);
		close(fd);
		stat_add(&w->stats->closed[CLOSE_NO_MEMORY], 1);
		return;
	}
	c->worker = w;
	c->accepted_ms = w->now_ms;
	c->peer = *peer;
	c->local = local_end(fd, &at->at);
	c->service = at->service;
	c->ticket = *ticket;
	c->from_proxy = from_proxy;
	c->number = w->n_opened++;
	w->n_conns++;
	side_init(&c->client);
	side_init(&c->vm);
	if (side_open(&c->client, &w->loop, fd, false, on_client_event))
		enter_peek(c);
	else
		conn_finish(c, SAW_ABORTED, CLOSE_NO_MEMORY);
}

void
conn_timed_out(struct conn *c, enum deadline_kind kind)
{
	switch (kind) {
	case DEADLINE_PEEK:
		if (c->http != NULL) {
			http_watch_stop(c->http, CLOSE_PEEK_TIMEOUT);
			relay(c);
			break;
		}
		conn_finish(c, SAW_TURNED_AWAY,
		    c->opening != NULL && c->opening->len > 0 ?
			CLOSE_PEEK_TIMEOUT :
			CLOSE_CLIENT_SILENT);
		break;
	case DEADLINE_CONNECT:
		conn_dial_failed(c, CLOSE_DIAL_TIMEOUT);
		break;
	case DEADLINE_SETTLE:
		conn_settle(c);
		leave_ended_unprobed(c);
		renew_deadline(c, true);
		break;
	case DEADLINE_IDLE:
		conn_finish(c, SAW_ABORTED, CLOSE_IDLE);
		break;
	case DEADLINE_DRAIN:
		conn_finish(c, SAW_ABORTED, CLOSE_DRAIN_TIMEOUT);
		break;
	case DEADLINE_REMOVED:
		conn_finish(c, SAW_ABORTED, CLOSE_MAPPING_CHANGED);
		break;
	case DEADLINE_LINGER:
		conn_step(c, SAW_ABORTED);	/* the reason is known */
		break;
	case N_DEADLINE_KINDS:
		break;
	}
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
	set_again(c, false);
	relay(c);
}

void
conn_abort(struct conn *c, enum close_reason reason)
{
	if (c->state != CONN_REFUSE)
		c->reason = reason;
	conn_step(c, SAW_ABORTED);
}
