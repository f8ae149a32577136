/* SPDX-License-Identifier: ISC */
/*
 * broker_open.c - OPEN: from what a client asked for to addresses.
 *
 *	asked -> limits, permits -> mapping, else DNS -> broker_dial.c
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/container_of.h"
#include "jumpd/broker_state.h"

enum { SSH_PORT = 22 };

/* ------------------------------------------------------------- release */

void
broker_open_unlink(struct broker_open *o)
{
	struct broker_session *s = o->session;
	struct broker *b = s->broker;

	deadline_clear(&o->attempt);
	deadline_clear(&o->whole);
	if (o->query != NULL)
		resolver_cancel(o->query);
	o->query = NULL;
	if (o->prev != NULL)
		o->prev->next = o->next;
	else
		s->opens = o->next;
	if (o->next != NULL)
		o->next->prev = o->prev;
	if (o->all_prev != NULL)
		o->all_prev->all_next = o->all_next;
	else
		b->opens = o->all_next;
	if (o->all_next != NULL)
		o->all_next->all_prev = o->all_prev;
	source_table_leave(b->opening, &o->place);
}

void
broker_open_free(struct broker_open *o)
{
	broker_dial_stop(o);
	broker_open_unlink(o);
	scan_guard_close(&o->session->scan);
	free(o);
}

static void
answer_refused(struct broker_session *s, uint32_t request,
    enum deny_reason reason)
{
	struct broker_msg m = { .type = BROKER_OPEN_ANSWER };

	s->n_refused++;
	counter_add(&s->broker->stats->denied[reason], 1);
	m.u.open_answer.request = request;
	m.u.open_answer.reason = reason;
	broker_send(s, &m, -1);
}

void
broker_open_refuse(struct broker_open *o, enum deny_reason reason)
{
	struct broker_session *s = o->session;
	uint32_t request = o->request;
	char asked[HOSTNAME_MAX + 1];

	broker_asked(&o->asked, asked);
	broker_log_refused(s, asked, strlen(asked), o->asked.port,
	    o->to.port != 0 ? &o->to : NULL, reason);
	broker_open_free(o);
	answer_refused(s, request, reason);
}

/* ------------------------------------------------------------- look up */

static void
on_answer(void *arg, enum deny_reason reason, const struct addr *address,
    unsigned n)
{
	struct broker_open *o = arg;
	struct broker *b = o->session->broker;
	unsigned most = b->settings->broker.addresses;

	o->query = NULL;
	deadline_clear(&o->attempt);
	if (reason != DENY_NONE) {
		broker_dial_failed(o, reason);
		broker_open_refuse(o, reason);
		return;
	}
	if (most > RESOLVER_ADDRESSES_MAX)
		most = RESOLVER_ADDRESSES_MAX;
	o->n = (uint8_t)(n < most ? n : most);
	memcpy(o->address, address, o->n * sizeof(*address));
	broker_dial_next(o);
}

/* The start point rotates. */
static void
use_mapping(struct broker_open *o, const struct mapping_entry *e)
{
	uint32_t i, first = o->session->broker->rotation++;

	_Static_assert((int)MAPPING_TARGETS_MAX <= (int)RESOLVER_ADDRESSES_MAX,
	    "room");
	for (i = 0; i < e->n_targets; i++)
		memcpy(&o->address[i], &e->target[(first + i) % e->n_targets],
		    sizeof(o->address[i]));
	o->n = e->n_targets;
	o->flags = e->flags;
	if (o->port == SSH_PORT && e->port[SERVICE_SSH] != 0)
		o->port = e->port[SERVICE_SSH];
}

static void
ask_dns(struct broker_open *o)
{
	struct broker *b = o->session->broker;
	enum deny_reason reason;

	reason = b->settings->dns ? resolver_ask(b->resolver, o->asked.name,
					on_answer, o, &o->query) :
				    DENY_DNS_OFF;
	if (reason != DENY_NONE) {
		broker_open_refuse(o, reason);
		return;
	}
	counter_add(&b->stats->value[JUMPD_STAT_LOOKUPS], 1);
	deadline_set(&b->deadlines[BROKER_DEADLINE_DNS], &o->attempt,
	    b->now_ms + b->settings->dns_ms);
}

static void
look_up(struct broker_open *o)
{
	const struct mapping *mapping =
	    &o->session->broker->generation->mapping;
	const struct mapping_entry *e = NULL;

	if (o->asked.kind == JUMP_TARGET_ADDRESS) {
		o->address[o->n++] = o->asked.addr;
		broker_dial_next(o);
		return;
	}
	if (mapping->image != NULL)
		e = mapping_find(mapping, SERVICE_SSH, o->asked.name,
		    o->asked.name_len);
	if (e != NULL) {
		use_mapping(o, e);
		broker_dial_next(o);
	} else
		ask_dns(o);
}

/* --------------------------------------------------------------- begin */

struct scan_limits
broker_scan_limits(const struct broker_session *s)
{
	const struct jumpd_settings *settings = s->broker->settings;
	struct scan_limits limits = settings->scan;

	if (source_is_exempt(&settings->source, &s->client.addr)) {
		limits.source_opens = 0;
		limits.source_targets = 0;
		limits.source_failed_dials = 0;
		limits.source_target_opens = 0;
	}
	return limits;
}

static bool
too_many_of_source(const struct broker_session *s)
{
	const struct broker *b = s->broker;
	struct addr mine = source_of(&s->client.addr), other;
	const struct broker_open *o;
	uint32_t n = 0;

	if (source_is_exempt(&b->settings->source, &s->client.addr))
		return false;
	/* There are no more than limits.pending. */
	for (o = b->opens; o != NULL; o = o->all_next) {
		other = source_of(&o->session->client.addr);
		n += addr_equal(&mine, &other);
	}
	return n >= b->settings->broker.pending_per_source;
}

static enum deny_reason
too_many_pending(const struct broker_session *s)
{
	const struct broker_open *o;
	uint32_t n = 0;

	for (o = s->opens; o != NULL; o = o->next)
		n++;
	if (n >= s->broker->settings->broker.pending_per_session)
		return DENY_SESSION_PENDING;
	return too_many_of_source(s) ? DENY_SOURCE_PENDING : DENY_NONE;
}

/* What can be said before anything is looked up. */
static enum deny_reason
judge_asked(const struct broker_session *s, const struct broker_msg *m,
    struct jump_target *ret)
{
	enum deny_reason reason;

	if ((int64_t)time(NULL) >= s->principal.expires_s)
		return DENY_EXPIRED;
	reason = jump_target_parse(m->u.open.host.at, m->u.open.host.len,
	    m->u.open.port, ret);
	if (reason != DENY_NONE)
		return reason;
	if (!permit_may(s->principal.permit, ret))
		return DENY_PERMITOPEN;
	return too_many_pending(s);
}

/* What one customer of a provider is given at most, as a rule, or a provider
 * of few: an IPv4 /24 or an IPv6 /48. */
static struct addr
site_of(const struct addr *client)
{
	struct addr site = *client;
	size_t kept = addr_is_v4(client) ? 15 : 6;

	memset(site.octet + kept, 0, sizeof(site.octet) - kept);
	return site;
}

/*
 * One of the places in total, all of which one site may have as long as nobody
 * else needs one: then the site that has most of them gives up its oldest.
 * DENY_NONE or PENDING.
 */
static enum deny_reason
take_place(struct broker_session *s, struct source_ticket *place)
{
	struct broker *b = s->broker;
	struct source_limits limits = {
		.half_open = b->settings->broker.pending
	};
	struct addr site = site_of(&s->client.addr);
	struct source_ticket *shed;

	if (source_is_exempt(&b->settings->source, &s->client.addr)) {
		limits.n_exempt = 1;
		limits.exempt[0].addr = site;
		limits.exempt[0].len = 128;
	}
	if (source_table_enter(b->opening, &limits, &site, b->now_ms, place,
		&shed) != DENY_NONE)
		return DENY_PENDING;
	if (shed == NULL)
		return DENY_NONE;
	broker_open_refuse(CONTAINER_OF(struct broker_open, place, shed),
	    DENY_PENDING);
	if (s->fd >= 0)
		return DENY_NONE;
	source_table_leave(b->opening, place);	/* it was our own session */
	return DENY_PENDING;
}

static enum deny_reason
open_new(struct broker_session *s, uint32_t request,
    const struct jump_target *asked, struct broker_open **ret)
{
	struct broker *b = s->broker;
	struct broker_open *o = calloc(1, sizeof(*o));
	enum deny_reason reason;

	if (o == NULL)
		return DENY_NO_MEMORY;
	reason = take_place(s, &o->place);
	if (reason != DENY_NONE) {
		free(o);
		return reason;
	}
	o->session = s;
	o->request = request;
	o->asked = *asked;
	o->port = asked->port;
	o->began_ms = b->now_ms;
	o->fd = -1;
	loop_watch_init(&o->watch);
	o->next = s->opens;
	if (o->next != NULL)
		o->next->prev = o;
	s->opens = o;
	o->all_next = b->opens;
	if (o->all_next != NULL)
		o->all_next->all_prev = o;
	b->opens = o;
	deadline_set(&b->deadlines[BROKER_DEADLINE_OPEN], &o->whole,
	    b->now_ms + b->settings->open_ms);
	*ret = o;
	return DENY_NONE;
}

void
broker_open_begin(struct broker_session *s, const struct broker_msg *m)
{
	struct broker *b = s->broker;
	const struct broker_text *host = &m->u.open.host;
	const struct scan_limits limits = broker_scan_limits(s);
	struct jump_target asked;
	struct broker_open *o = NULL;
	enum deny_reason reason;
	bool counted = false;

	s->n_opens++;
	broker_channels_settle(s);
	if (!s->logged_in)
		reason = DENY_NOT_LOGGED_IN;
	else if (b->draining)
		reason = DENY_DRAINING;
	else if (s->scan.channels >= s->channels_max)
		reason = DENY_SESSION_CHANNELS;
	else
		reason = scan_guard_open(b->guard, &limits, &s->scan,
		    &s->client.addr, b->now_ms);
	if (reason == DENY_NONE) {
		counted = true;
		reason = judge_asked(s, m, &asked);
	}
	if (reason == DENY_NONE)
		reason = open_new(s, m->u.open.request, &asked, &o);
	if (reason == DENY_NONE) {
		look_up(o);
		return;
	}
	if (counted)
		scan_guard_close(&s->scan);
	broker_log_refused(s, host->at, host->len, m->u.open.port, NULL,
	    reason);
	answer_refused(s, m->u.open.request, reason);
}

void
broker_open_timed_out(struct deadline *d, enum broker_deadline kind)
{
	struct broker_open *o = kind == BROKER_DEADLINE_OPEN ?
	    CONTAINER_OF(struct broker_open, whole, d) :
	    CONTAINER_OF(struct broker_open, attempt, d);

	if (kind == BROKER_DEADLINE_CONNECT)
		broker_dial_ended(o, DENY_DIAL_TIMEOUT);
	else
		broker_open_refuse(o, o->query != NULL ? DENY_DNS_TIMEOUT :
					     DENY_DIAL_TIMEOUT);
}
