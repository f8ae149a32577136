/* SPDX-License-Identifier: ISC */
/*
 * conn_end.c - REFUSE and CLOSED: what the client is told, and the end.
 */
#include "proxyd/conn_phases.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "proxyd/conn_log.h"
#include "proxyd/http_watch.h"
#include "proxyd/refusal.h"
#include "proxyd/relay.h"

enum { LINGER_MAX_MS = 5000 };	/* for a refusal to be read */

void
conn_enter_closed(struct conn *c)
{
	struct worker *w = c->worker;

	assert(c->reason != CLOSE_NONE);
	if (w->settings.log_connections)
		conn_log(c, w->now_ms);
	counter_add(&w->stats->closed[c->reason], 1);
	counter_add(&w->stats->value[STAT_UP_OCTETS], c->up.octets);
	counter_add(&w->stats->value[STAT_DOWN_OCTETS], c->down.octets);
	deadline_clear(&c->deadline);
	conn_set_again(c, false);
	flow_fini(w, &c->up);
	flow_fini(w, &c->down);
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

void
conn_linger(struct conn *c)
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
	flow_fini(w, &c->up);
	flow_fini(w, &c->down);
	side_close(&c->vm, &w->loop, false);
	conn_set_again(c, false);
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

void
conn_enter_refuse(struct conn *c)
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
	conn_linger(c);
}
