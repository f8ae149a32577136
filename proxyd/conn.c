/* SPDX-License-Identifier: ISC */
#include "proxyd/conn_phases.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/container_of.h"
#include "common/dial.h"
#include "common/sock.h"
#include "proxyd/http_watch.h"

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

/* --- what each state begins with -------------------------------------- */

void
conn_finish(struct conn *c, enum conn_event event, enum close_reason reason)
{
	c->reason = reason;
	conn_step(c, event);
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
		[CONN_RELAY] = conn_enter_relay,
		[CONN_DRAIN] = conn_enter_drain,
		[CONN_REFUSE] = conn_enter_refuse,
		[CONN_CLOSED] = conn_enter_closed,
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
		conn_relay_saw_client(c, events);
		break;
	case CONN_REFUSE:
		conn_linger(c);
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
		conn_relay_saw_vm(c, events);
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
		counter_add(&w->stats->closed[CLOSE_NO_MEMORY], 1);
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
			conn_relay(c);
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
		conn_relay_lasts(c);
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
conn_abort(struct conn *c, enum close_reason reason)
{
	if (c->state != CONN_REFUSE)
		c->reason = reason;
	conn_step(c, SAW_ABORTED);
}
