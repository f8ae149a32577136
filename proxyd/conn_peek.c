/* SPDX-License-Identifier: ISC */
/*
 * conn_peek.c - PEEK: from the client's first bytes to a plan of targets.
 */
#include "proxyd/conn_phases.h"

#include <string.h>

#include "proxyd/http_watch.h"
#include "proxyd/lookup.h"
#include "proxyd/worker_accept.h"

/* HTTP: from now on the guard reads along.  False if it must not begin. */
static bool
begin_watch(struct conn *c)
{
	const struct opening *o = c->opening;
	enum close_reason reason;

	if (c->service != SERVICE_HTTP)
		return true;
	c->http = http_watch_new(o->bytes, o->scan.http.scanned, &reason);
	if (c->http != NULL)
		return true;
	conn_finish(c, SAW_TURNED_AWAY, reason);
	return false;
}

static void
peek_done(struct conn *c, const struct peek *p)
{
	struct worker *w = c->worker;
	struct lookup l = { 0 };

	c->alert = p->alert;
	c->head_method = p->head_method;
	if (p->verdict == PEEK_NAME && (c->name = strdup(p->name)) == NULL) {
		conn_finish(c, SAW_ABORTED, CLOSE_NO_MEMORY);
		return;
	}
	if (p->verdict != PEEK_REFUSE)
		l = lookup_targets(c, p);
	if (l.n == 0) {
		conn_finish(c, SAW_TURNED_AWAY,
		    p->verdict == PEEK_NAME ? CLOSE_NOT_MAPPED : p->reason);
		return;
	}
	c->opening->plan = dial_plan_make(l.target, l.n, l.port,
	    &c->local, w->rotation++, &w->settings.targets, &w->shared->health,
	    w->now_ms);
	c->flags = l.flags;
	if (c->opening->plan.n == 0)
		conn_finish(c, SAW_TURNED_AWAY, CLOSE_TARGET_DENIED);
	else if (admission_name_enter(&w->admission, w->slot, &w->limits,
		     l.counted_as, l.counted_len, &c->ticket) !=
	    ADMISSION_ADMIT)
		conn_finish(c, SAW_TURNED_AWAY, CLOSE_LIMIT_NAME);
	else if (begin_watch(c))
		conn_step(c, SAW_NAMED);
}

/* A proxy in front told who the client is: only now can it be admitted. */
static bool
proxy_told(struct conn *c, const struct proxy_header *h)
{
	struct worker *w = c->worker;
	enum close_reason reason;

	if (h->relayed)
		c->peer = h->source;	/* else the proxy's own connection */
	reason = accept_admit(w, &c->peer, &c->ticket);
	if (reason == CLOSE_NONE)
		return true;
	conn_finish(c, SAW_ABORTED, reason);
	return false;
}

void
conn_read_opening(struct conn *c)
{
	struct worker *w = c->worker;
	enum opening_result result = OPENING_NO_MEMORY;
	struct proxy_header header;
	struct peek p;

	if (c->opening == NULL)
		c->opening = opening_new(c->from_proxy);
	if (c->opening != NULL)
		result = opening_read(c->opening, &c->client,
		    c->service, &w->settings, w->buffer, &p, &header);
	if (result == OPENING_PROXIED) {
		if (!proxy_told(c, &header))
			return;
		result = opening_read(c->opening, &c->client,
		    c->service, &w->settings, w->buffer, &p, &header);
	}
	switch (result) {
	case OPENING_MORE:
		break;
	case OPENING_DECIDED:
		peek_done(c, &p);
		break;
	case OPENING_END:
		conn_finish(c, SAW_FINISHED, CLOSE_CLIENT_LEFT);
		break;
	case OPENING_RESET:
		conn_finish(c, SAW_ABORTED, CLOSE_CLIENT_RESET);
		break;
	case OPENING_BAD_PROXY:
		conn_finish(c, SAW_ABORTED, CLOSE_PROXY_HEADER);
		break;
	case OPENING_PROXIED:	/* only once */
	case OPENING_NO_MEMORY:
		conn_finish(c, SAW_ABORTED, CLOSE_NO_MEMORY);
		break;
	}
}
