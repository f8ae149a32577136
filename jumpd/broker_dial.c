/* SPDX-License-Identifier: ISC */
/*
 * broker_dial.c - from addresses to a connected descriptor.
 *
 *	each address: policy, permits, limits, connect -> hand over
 *
 * Policy is judged on each address right before it is connected.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/container_of.h"
#include "common/dial.h"
#include "common/own_addresses.h"
#include "jumpd/broker_state.h"

static enum deny_reason
reason_of(int err)
{
	switch (-err) {
	case 0:
		return DENY_NONE;
	case ECONNREFUSED:
	case ECONNRESET:
		return DENY_DIAL_REFUSED;
	case ETIMEDOUT:
		return DENY_DIAL_TIMEOUT;
	case EADDRNOTAVAIL:
	case EADDRINUSE:
		return DENY_DIAL_NO_PORT;
	case EMFILE:
	case ENFILE:
		return DENY_NO_DESCRIPTORS;
	case ENOMEM:
	case ENOBUFS:
		return DENY_NO_MEMORY;
	default:	/* no route, a firewall, a router's word */
		return DENY_DIAL_UNREACHABLE;
	}
}

void
broker_dial_stop(struct broker_open *o)
{
	if (o->fd < 0)
		return;
	loop_remove(&o->session->broker->loop, &o->watch);
	close(o->fd);
	o->fd = -1;
}

void
broker_dial_failed(struct broker_open *o, enum deny_reason reason)
{
	struct broker *b = o->session->broker;
	const struct scan_limits limits = broker_scan_limits(o->session);

	o->reason = reason;
	if (reason == DENY_DIAL_REFUSED || reason == DENY_DIAL_TIMEOUT ||
	    reason == DENY_DIAL_UNREACHABLE || reason == DENY_NAME_UNKNOWN ||
	    reason == DENY_NAME_NO_IPV6)
		scan_guard_failed(b->guard, &limits,
		    &o->session->client.addr, b->now_ms);
}

void
broker_dial_ended(struct broker_open *o, enum deny_reason reason)
{
	struct broker_session *s = o->session;
	struct broker *b = s->broker;
	int fd = o->fd;

	deadline_clear(&o->attempt);
	if (reason != DENY_NONE) {
		broker_dial_stop(o);
		broker_dial_failed(o, reason);
		broker_dial_next(o);
		return;
	}
	loop_remove(&b->loop, &o->watch);
	if (broker_channel_hand_over(o)) {
		broker_open_unlink(o);
		free(o);
		close(fd);
	}
}

static void
on_dial(struct loop_watch *watch, uint32_t events)
{
	struct broker_open *o = CONTAINER_OF(struct broker_open, watch,
	    watch);
	enum deny_reason reason = DENY_NONE;

	if ((events & (EPOLLERR | EPOLLHUP)) != 0)
		reason = reason_of(dial_result(o->fd));
	else if ((events & EPOLLOUT) == 0)
		return;
	broker_dial_ended(o, reason);
}

enum deny_reason
broker_egress(const struct broker_session *s, const struct endpoint *to)
{
	const struct egress_policy *policy = &s->broker->settings->egress;
	enum deny_reason reason = egress_check(policy, to, &s->local);
	bool own;

	if (reason != DENY_NONE)
		return reason;
	if (own_addresses_have(s->broker->routes, &to->addr, &own) != 0)
		return DENY_FAULT;
	return own ? egress_check_own(policy, to) : DENY_NONE;
}

/* May it be connected there, now? */
static enum deny_reason
judge(const struct broker_open *o, const struct endpoint *to)
{
	const struct broker_session *s = o->session;
	struct broker *b = s->broker;
	const struct scan_limits limits = broker_scan_limits(s);
	enum deny_reason reason;

	reason = broker_egress(s, to);
	if (reason == DENY_NONE &&
	    !permit_check(s->principal.permit, &o->asked, &to->addr))
		reason = DENY_PERMITOPEN;
	if (reason == DENY_NONE)
		reason = scan_guard_target(b->guard, &limits,
		    &s->client.addr, to, b->now_ms);
	return reason;
}

/* Begin to connect to o->to.  Returns 0 or -errno. */
static int
dial(struct broker_open *o)
{
	struct broker *b = o->session->broker;
	const struct jumpd_settings *set = b->settings;
	const struct sock_keepalive ka = {
		.idle_s = set->keepalive_idle_ms / 1000,
		.interval_s = set->keepalive_interval_ms / 1000,
		.count = set->keepalive_count
	};
	const struct dial_sources sources = { set->source_address,
		set->n_sources };
	struct addr source;
	bool embed = (o->flags & MAPPING_SOURCE_EMBED) != 0 &&
	    set->has_embed_prefix &&
	    dial_embed(&set->embed_prefix, &o->session->client.addr, &source);
	int err, fd;

	err = dial_begin(&o->to, &ka, &sources, embed ? &source : NULL,
	    b->rotation++, &fd);
	if (err != 0)
		return err;
	o->fd = fd;
	err = loop_add(&b->loop, &o->watch, fd, EPOLLOUT, on_dial);
	if (err != 0) {
		close(fd);
		o->fd = -1;
		return err;
	}
	deadline_set(&b->deadlines[BROKER_DEADLINE_CONNECT], &o->attempt,
	    b->now_ms + set->connect_ms);
	return 0;
}

void
broker_dial_next(struct broker_open *o)
{
	enum deny_reason reason;
	struct endpoint to;
	int err;

	while (o->at < o->n) {
		to.addr = o->address[o->at++];
		to.port = o->port;
		reason = judge(o, &to);
		if (reason != DENY_NONE) {
			/* That a connection failed says more. */
			if (o->reason == DENY_NONE) {
				o->reason = reason;
				o->to = to;
			}
			continue;
		}
		o->to = to;
		err = dial(o);
		if (err == 0)
			return;
		broker_dial_failed(o, reason_of(err));
	}
	broker_open_refuse(o, o->reason);
}
