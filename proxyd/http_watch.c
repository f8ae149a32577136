/* SPDX-License-Identifier: ISC */
#include "proxyd/http_watch.h"

#include <stdlib.h>
#include <string.h>

#include "proxyd/http_forwarded.h"
#include "proxyd/lookup.h"

struct http_watch *
http_watch_new(const uint8_t *head, size_t len, enum close_reason *ret_reason)
{
	struct http_watch *h = calloc(1, sizeof(*h));

	*ret_reason = CLOSE_NO_MEMORY;
	if (h == NULL)
		return NULL;
	*ret_reason = http_guard_begin(&h->guard, head, len);
	if (*ret_reason == CLOSE_NONE)
		return h;
	free(h);
	return NULL;
}

void
http_watch_free(struct http_watch *h)
{
	if (h != NULL)
		free(h->refused_name);
	free(h);
}

void
http_watch_stop(struct http_watch *h, enum close_reason reason)
{
	http_guard_stop(&h->guard, reason);
	h->stopped = reason;
	h->in_head = false;
}

/* Judge a whole head; true if it may go to the VM. */
static bool
judge_head(struct conn *c, const struct peek *p)
{
	struct http_watch *h = c->http;
	enum close_reason reason = lookup_again(c, p);

	if (reason == CLOSE_NONE) {
		http_guard_accept(&h->guard);
		return true;
	}
	http_watch_stop(h, reason);
	h->head_method = p->head_method;
	if (p->verdict == PEEK_NAME)
		h->refused_name = strdup(p->name);	/* NULL: not named */
	return false;
}

/* Add what passed to what is sent: as it is, or in the second buffer. */
static void
pass(const struct conn *c, struct http_passed *p, const uint8_t *bytes,
    size_t len)
{
	p->taken += len;
	if ((c->flags & MAPPING_FORWARDED) != 0)
		memcpy(c->worker->rewritten + p->len, bytes, len);
	p->len += len;
}

static void
pass_head(const struct conn *c, struct http_passed *p, const uint8_t *head,
    const struct guard_request *r)
{
	if ((c->flags & MAPPING_FORWARDED) == 0) {
		pass(c, p, head, r->head_len);
		return;
	}
	p->taken += r->head_len;
	p->len += http_forwarded_rewrite(head, r->head_len, &c->peer,
	    r->peek.name, c->worker->rewritten + p->len);
}

struct http_passed
http_watch_requests(struct conn *c, const uint8_t *bytes, size_t len)
{
	struct http_watch *h = c->http;
	size_t max = c->worker->settings.http_head_octets;
	struct http_passed p = { .bytes = bytes };
	struct guard_request r;

	if ((c->flags & MAPPING_FORWARDED) != 0)
		p.bytes = c->worker->rewritten;
	h->waiting = false;
	for (;;) {
		r = http_guard_request(&h->guard, bytes + p.taken,
		    len - p.taken, max);
		pass(c, &p, bytes + p.taken, r.pass);
		h->in_head = r.in_head && p.taken < len;
		switch (r.verdict) {
		case GUARD_HEAD:
			if (!judge_head(c, &r.peek))
				return p;
			pass_head(c, &p, bytes + p.taken, &r);
			break;
		case GUARD_WAIT:
			h->waiting = true;
			return p;
		case GUARD_STOP:
			h->head_method = r.peek.head_method;
			http_watch_stop(h, r.reason);
			return p;
		case GUARD_PASS:
			if (p.taken == len || r.pass == 0)
				return p;
			break;
		}
	}
}

void
http_watch_answers(struct http_watch *h, const uint8_t *bytes, size_t len)
{
	http_guard_response(&h->guard, bytes, len);
}

bool
http_watch_active(const struct http_watch *h)
{
	return h != NULL && !h->guard.transparent;
}

bool
http_watch_answered(const struct http_watch *h)
{
	return http_guard_answered(&h->guard);
}
